"""``understudy train``: the shipped backbone can be rebuilt by anyone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from .cli_support import JsonOption, print_json, stderr, stdout
from .cli_train_roles import roles
from .core.errors import UnderstudyError
from .objects import parse_object, read_text
from .render import fields_view
from .training_bar import TrainingBar

META_TABLES = ("sinusoid", "omniglot", "banking", "heads", "speed", "all")

train = typer.Typer(no_args_is_help=True, help="Rebuild what ships, and measure it: backbone, roles, meta, tables.")


@train.callback()
def kinds() -> None:
    """Rebuild what ships, and measure it."""


@train.command()
def backbone(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The tasks to train on; see docs/data.md.")],
    preset: Annotated[str, typer.Option(metavar="NAME", help="The recipe.")] = "nano",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the backbone is written.")] = Path("build/nano"),
    work: Annotated[Path, typer.Option(metavar="DIR", help="Where checkpoints are kept.")] = Path("build/nano.work"),
    teacher: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A sentence encoder to distil from; see docs/data.md.", show_default=False),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Of pretraining, instead of the recipe's.", min=0.01, show_default=False)
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option("--from", metavar="BACKBONE", help="Go on from a trained one: 'default' or a folder.",
                     show_default=False),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --work.")] = False,
    device: Annotated[
        str, typer.Option(help="Where to pretrain: cpu, cuda, or auto, the GPU where there is one.")
    ] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Train a backbone, with the heads of the shipped roles and the start of new ones.

    `understudy train backbone --data DIR --preset nano --teacher ENCODER`

    `understudy train backbone --data DIR --from default --teacher ENCODER --minutes 90`
    """
    if teacher is not None and not teacher.is_dir():
        raise UnderstudyError("there is no such folder", where=str(teacher), mend="give one with a sentence encoder")
    if not data.is_dir():
        raise UnderstudyError("there is no such folder", where=str(data), mend="docs/data.md says what it holds")
    if not resume and work.is_dir() and any(work.iterdir()):
        mend = "go on with --resume, or give another --work"
        raise UnderstudyError("there is an unfinished training here", where=str(work), mend=mend)
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16384")  # every shape's kernels are kept, not made anew
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    elif device not in ("cpu", "cuda") or (device == "cuda" and not torch.cuda.is_available()):
        raise UnderstudyError(f"this machine cannot train on {device!r}", mend="use --device auto or cpu")
    try:
        from .training import PRESETS, train_backbone
    except ModuleNotFoundError as error:
        if error.name != "zstandard":
            raise
        raise UnderstudyError("training reads .zst files", mend="pip install 'understudy[train]'") from None
    if preset not in PRESETS:
        raise UnderstudyError(f"there is no preset {preset!r}", mend=f"use {', '.join(PRESETS)}")
    recipe = PRESETS[preset]
    if minutes is not None:
        recipe = replace(recipe, pretraining=replace(recipe.pretraining, minutes=minutes),
                         continued=replace(recipe.continued, minutes=minutes))  # fmt: skip
    today = datetime.now(UTC).date().isoformat()
    spent = recipe.continued if origin else recipe.pretraining
    with TrainingBar(spent.minutes, recipe.meta.minutes).shown() as bar:
        train_backbone(
            recipe, data, out, work, teacher=teacher, origin=origin, on_teacher=bar.teacher,
            on_pretraining=bar.pretraining, on_meta=bar.meta, date=today, device=device,
        )  # fmt: skip
    manifest = parse_object(read_text(out / "manifest.json"), str(out / "manifest.json"))
    if as_json:
        print_json({"folder": str(out), "manifest": manifest})
    else:
        stdout().print(fields_view({"backbone": out, "seconds": manifest["seconds"], "date": manifest["date"]}))


train.command()(roles)


@train.command()
def meta(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The tasks to train on; see docs/data.md.")],
    name: Annotated[str, typer.Option("--backbone", metavar="FOLDER_OR_HUB_ID", help="Any causal LM.")] = "default",
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the start is written.")] = Path(
        "build/start.safetensors"
    ),
    origin: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A start to go on from.", show_default=False)
    ] = None,
    minutes: Annotated[float, typer.Option(help="Of meta-training.", min=0.01)] = 6.0,
    tasks: Annotated[int, typer.Option(help="Tasks in each outer step.", min=1)] = 8,
    at_once: Annotated[int, typer.Option(help="Tasks in memory together.", min=1)] = 8,
    rows: Annotated[
        int, typer.Option(help="Demonstrations in memory together, within a step too; 0: all.", min=0)
    ] = 0,
    steps: Annotated[int, typer.Option(help="Inner steps of each task.", min=1)] = 4,
    rank: Annotated[int, typer.Option(help="Of the heads, where no start is gone on from.", min=1)] = 8,
    layers: Annotated[str, typer.Option(help="'top' third, as `learn` adapts, or 'all'.")] = "top",
    augment: Annotated[float, typer.Option(help="Share of examples that are worded otherwise.", min=0, max=1)] = 0.0,
    dropout: Annotated[float, typer.Option(help="Share of a head's directions out in a step.", min=0, max=0.9)] = 0.0,
    attack: Annotated[
        float, typer.Option(help="Embeddings moved to what hurts, by so much of their norm; slower.", min=0)
    ] = 0.0,
    patience: Annotated[
        int, typer.Option(help="Stop after so many looks at the choosing tasks without a gain; 0: never.", min=0)
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Meta-train where new heads begin, and how fast they move, for any causal LM.

    `understudy train meta --backbone my-model/ --data DIR --out my-model/start.safetensors`

    `understudy learn role.yaml --backbone my-model/ --start my-model/start.safetensors`
    """
    if layers not in ("top", "all"):
        raise UnderstudyError(f"--layers cannot be {layers!r}", mend="use top or all")
    try:
        from .core.meta.training import MetaRecipe
        from .meta_training import train_start
    except ModuleNotFoundError as error:
        if error.name != "zstandard":
            raise
        raise UnderstudyError("training reads .zst files", mend="pip install 'understudy[train]'") from None
    if attack and rows:
        raise UnderstudyError("--attack needs all rows together", mend="leave --rows out, and give a smaller --at-once")
    recipe = MetaRecipe(
        minutes=minutes, tasks=tasks, at_once=at_once, rows=rows, steps=steps, layers=layers, augment=augment,
        dropout=dropout, attack=attack, patience=patience,
    )  # fmt: skip
    with TrainingBar(0.0, minutes).shown() as bar:
        trace = train_start(name, data, out, recipe, origin=origin, rank=rank, on_step=bar.meta)
    tenth = max(1, len(trace) // 10)
    said = {
        "start": str(out), "steps": len(trace),
        "query_loss_first": _means(trace[:tenth]), "query_loss_last": _means(trace[-tenth:]),
    }  # fmt: skip
    if as_json:
        print_json(said)
    else:
        shown = {key: " ".join(f"{v:.3f}" for v in value) if isinstance(value, list) else value
                 for key, value in said.items()}  # fmt: skip
        stdout().print(fields_view(shown))


def _means(losses: Sequence[Sequence[float]]) -> list[float]:
    """The mean loss after each inner step."""
    return [round(sum(column) / len(column), 4) for column in zip(*losses, strict=True)]


@train.command()
def tables(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The tasks to ask; see docs/data.md.")],
    only: Annotated[str, typer.Option(
        metavar="TABLE", help="few-shot, portrait; or of meta-learning: sinusoid, omniglot, banking, heads, speed, all."
    )] = "few-shot",
    name: Annotated[str, typer.Option("--backbone", metavar="BACKBONE", help="Folder or hub id.")] = "default",
    split: Annotated[
        str, typer.Option(help="'choosing' to choose settings on, 'held_out' once for a released backbone.")
    ] = "choosing",
    tasks: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A JSON list of task names: only these.", show_default=False),
    ] = None,
    sizes: Annotated[str, typer.Option(help="Numbers of demonstrations.")] = "8,16",
    draws: Annotated[int, typer.Option(help="Of each task, with other demonstrations and questions.", min=1)] = 2,
    questions: Annotated[int, typer.Option(help="Of each task and draw.", min=20)] = 80,
    arms: Annotated[str, typer.Option(help="'all', or parts of their names, separated by commas.")] = "all",
    encoder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A sentence encoder to stand beside ours.", show_default=False),
    ] = None,
    rows: Annotated[str, typer.Option(help="Of omniglot, banking, heads: 'all', or names with commas.")] = "all",
    as_measured: Annotated[
        bool, typer.Option("--as-measured", help="Of meta-learning: write what --work holds, measure nothing.")
    ] = False,
    work: Annotated[Path, typer.Option(metavar="DIR", help="Where outcomes are kept.")] = Path("build/tables"),
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the table is written.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure what a handful of demonstrations buys on tasks that no weight has seen; printed as Markdown.

    What has been measured is kept in --work, so that a run that was stopped goes on.

    `understudy train tables --only few-shot --data DIR --sizes 4,8,16 --draws 3 --out docs/few-shot.md`

    `understudy train tables --only portrait --data DIR` has bits per byte, ten samples, and a role learned in Chinese.

    `understudy train tables --only all --data DIR --as-measured --out docs/tables.md` is about meta-learning; rows of
    --out that were not measured anew stay.
    """
    if only in META_TABLES:
        _meta_tables(only, rows, data, name, work, out, as_measured, as_json)
        return
    if only not in ("few-shot", "portrait"):
        raise UnderstudyError(f"there is no table {only!r}", mend=f"use few-shot, portrait, {', '.join(META_TABLES)}")
    if split not in ("choosing", "held_out"):
        raise UnderstudyError(f"there is no split {split!r}", mend="use choosing or held_out")
    try:
        numbers = [int(size) for size in sizes.split(",")]
    except ValueError:
        raise UnderstudyError(f"--sizes {sizes} is not a list of numbers", mend="such as 4,8,16") from None
    if min(numbers) < 2:
        raise UnderstudyError("a role is learned from two demonstrations at least", mend="such as --sizes 4,8,16")
    names = _names(tasks)
    try:
        from .few_shot_table import markdown
        from .tables import drawn, few_shot
    except ModuleNotFoundError as error:
        if error.name not in ("zstandard", "sklearn"):
            raise
        raise UnderstudyError("tables need zstandard and scikit-learn", mend="pip install 'understudy[test]'") from None
    if only == "portrait":
        seen, text = drawn(name, data, encoder)
        _put(text, seen, out, as_json)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr(), disable=not stderr().is_terminal) as bar:
        shown = bar.add_task("reading the data", total=None)
        outcomes, about = few_shot(
            data, name, split, names, numbers, draws, questions, arms, encoder, work,
            lambda done, of, task: bar.update(shown, completed=done, total=of, description=task),
        )  # fmt: skip
    found = {"about": about, "outcomes": [asdict(outcome) for outcome in outcomes]}
    _put(markdown(outcomes, about), found, out, as_json)


def _meta_tables(
    only: str, rows: str, data: Path, name: str, work: Path, out: Path | None, as_measured: bool, as_json: bool
) -> None:
    """Measure what is missing of the tables of meta-learning, then print what there is."""
    try:
        from .meta_tables.measuring import measure
        from .meta_tables.page import TABLES, figures, markdown
    except ModuleNotFoundError as error:
        if error.name not in ("zstandard", "sklearn", "PIL"):
            raise
        what = "tables need zstandard, scikit-learn and pillow"
        raise UnderstudyError(what, mend="pip install 'understudy[train]'") from None
    names = TABLES if only == "all" else (only,)
    chosen = [] if rows == "all" else [row.strip() for row in rows.split(",")]
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr(), disable=not stderr().is_terminal) as bar:
        shown = bar.add_task("reading the data", total=None)
        for table in () if as_measured else names:
            measure(
                table, chosen, data, name, work,
                lambda done, of, what: bar.update(shown, completed=done, total=of, description=what),
            )  # fmt: skip
    before = read_text(out) if out is not None and out.is_file() else ""
    _put(markdown(work, names, before), figures(work, names), out, as_json)


def _put(text: str, found: Mapping[str, Any], out: Path | None, as_json: bool) -> None:
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    if as_json:
        print_json(found)
    else:
        print(text)


def _names(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        names = json.loads(read_text(file))
    except ValueError as error:
        raise UnderstudyError(f"this is not JSON ({error})", where=str(file)) from None
    if not isinstance(names, list):
        raise UnderstudyError("this is not a list of task names", where=str(file))
    return [str(name) for name in names]
