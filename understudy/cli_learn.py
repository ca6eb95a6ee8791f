"""``understudy learn`` and ``understudy ask``: a role from its demonstrations, and a question to it."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.text import Text

from .cli_support import JsonOption, print_json, share_bar, stdout
from .comparison_table import comparison_view
from .core.errors import UnderstudyError
from .lesson import Lesson
from .objects import parse_object, read_objects
from .render import fields_view
from .solo import Answer

if TYPE_CHECKING:
    from .workflows.learning import Method

BackboneOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="A shipped backbone, a folder, or a hub id.", show_default=False),
]


class Layers(StrEnum):
    """Which layers a head adapts."""

    all = "all"
    top = "top"


class Activation(StrEnum):
    """Where in the prompt a head is active."""

    row = "row"
    marker = "marker"


def learn(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="ROLE.yaml|FILE.csv", help="A role with its demonstrations, or these alone.", show_default=False
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where heads are kept; the role's name is added.")] = Path(
        "heads"
    ),
    backbone: BackboneOption = None,
    again: Annotated[
        bool, typer.Option("--all", help="Learn every head in --out again, from the demonstrations it keeps.")
    ] = False,
    layers: Annotated[
        Layers | None,
        typer.Option(help="Adapt the top third of the layers (the default), or all: slower.", show_default=False),
    ] = None,
    activation: Annotated[
        Activation | None,
        typer.Option(help="Active on the whole row (the default), or from the role marker on.", show_default=False),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where heads begin; made by `train meta`.", show_default=False),
    ] = None,
    gives: Annotated[
        str | None,
        typer.Option(metavar="COLUMNS", help="What a FILE.csv gives: all but the first.", show_default=False),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(metavar="ROLE.yaml", help="Write the role of a FILE.csv, to be edited.", show_default=False),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Beside a plain start (random, not meta-trained) and TF-IDF + LR.")
    ] = False,
    on: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Compare on these messages; else by cross-validation.", show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Learn a role from its demonstrations; writes heads/NAME/.

    Each demonstration is left out once and asked (leave-one-out): that accuracy is a low estimate for new messages.

    `understudy learn examples/triage/role.yaml`

    `understudy learn examples/travel_desk/triage.csv --compare`

    `understudy learn --all --backbone my-backbone/`
    """
    from .lesson import learn_again
    from .workflows.learning import Method

    if (file is None) is not again:
        mend = "understudy learn examples/triage/role.yaml"
        raise UnderstudyError("learn takes one ROLE.yaml or FILE.csv, or --all", mend=mend)
    for name, unused in (("--gives", gives), ("--write", write), ("--compare", compare or None), ("--on", on)):
        if again and unused is not None:
            raise UnderstudyError(f"{name} is of one role", mend="name its file instead of --all")
    if on is not None and not compare:
        raise UnderstudyError("--on says what to compare on", mend="add --compare")
    given = {"layers": layers and layers.value, "activation": activation and activation.value, "start": start}
    told: dict[str, Any] = {name: value for name, value in given.items() if value}
    if file is not None:
        columns = [name.strip() for name in gives.split(",")] if gives else []
        _learn_one(file, columns, out, backbone, replace(Method(), **told), write, compare, on, as_json)
        return
    with share_bar(quiet=as_json) as on_progress:
        lessons = learn_again(out, backbone, on_progress, told)
    if as_json:
        print_json({"roles": [lesson.as_json() for lesson in lessons]})
    else:
        for lesson in lessons:
            stdout().print(lesson_view(lesson))


def _learn_one(
    file: Path, gives: list[str], out: Path, backbone: str | None, method: Method, write: Path | None, compare: bool,
    on: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Everything that can be wrong with the files is found before the backbone is loaded."""
    from .csv_role import write_role
    from .lesson import learn_role, read_role
    from .unseen import read_unseen
    from .word_rules import require_words

    role = read_role(file, gives)
    unseen = read_unseen(on, role) if on else None
    if compare:
        from . import comparison

        require_words()
        if unseen is None:
            comparison.require_enough(role)
    if write is not None:
        write_role(role.document(), write)
    from .core.backbone import Backbone
    from .core.heads import Head

    loaded = Backbone.load(backbone or "default")
    with share_bar(quiet=as_json) as on_progress:
        lesson = learn_role(role, out, loaded, on_progress, method, str(file))
    told = lesson.as_json()
    if not as_json:
        stdout().print(lesson_view(lesson, types=file.suffix.lower() == ".csv"))
    if compare:
        with share_bar(as_json, "comparing") as on_progress:
            found = (
                comparison.cross_validate(role, loaded, method, on_progress) if unseen is None
                else comparison.compare(role, Head.load(lesson.folder), loaded, unseen, method, on_progress)
            )  # fmt: skip
        told["comparison"] = found.as_json()
        if not as_json:
            stdout().print(comparison_view(found))
    if as_json:
        print_json(told)


def ask(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="A role's name, its head's folder, or its role.yaml.")],
    what: Annotated[str, typer.Argument(metavar="TEXT|FILE", help="The message; or a .jsonl file of messages.")],
    as_json: JsonOption = False,
) -> None:
    """Ask one role, outside any team.

    TEXT is the role's one field, or a JSON object of its fields. A FILE ending in .jsonl has one such object a line,
    and one answer a line is printed, as JSON, with the message it answers under "takes".

    `understudy ask triage "I was charged twice this month"`

    `understudy ask triage messages.jsonl > answers.jsonl`
    """
    from .solo import open_solo

    if not what.strip():
        raise UnderstudyError("the message is empty", mend='give a text: understudy ask triage "I was charged twice"')
    path = Path(what) if what.endswith(".jsonl") else None
    lines = list(read_objects(path)) if path else []
    solo = open_solo(role)
    if path:
        messages = [solo.message(line.get("takes", line), where) for where, line in lines]
        for message, answer in zip(messages, solo.answer(messages), strict=True):
            print_json({"takes": message.model_dump(mode="json"), **answer.as_json()})
        return
    takes = parse_object(what, "TEXT") if what.lstrip().startswith("{") else what
    (answer,) = solo.answer([solo.message(takes)])
    if as_json:
        print_json(answer.as_json())
    else:
        stdout().print(answer_view(answer))


def lesson_view(lesson: Lesson, types: bool = False) -> Group:
    """What was learned, in a few lines; ``types``: with the fields that it takes and gives."""
    report = lesson.report
    values: dict[str, object] = {}
    if types:
        for side in ("takes", "gives"):
            values[side] = "; ".join(f"{name}: {_type(kind)}" for name, kind in lesson.document[side].items())
    values |= {
        "demonstrations": report.demonstrations,
        "leave-one-out": str(lesson.left_out),
        "would answer": f"{lesson.would_answer} of these {report.demonstrations}, and abstain from the others",
        "seconds": round(report.seconds, 1),
        "head": f"{lesson.bytes / 1e6:.2f} MB in {lesson.folder}",
    }
    if report.accuracy < 0.5:
        values["mind"] = "most left-out demonstrations were answered wrong: expect abstentions, and measure before use"
    elif lesson.would_answer < report.demonstrations / 2:
        values["mind"] = "it will abstain often: more demonstrations make it bolder"
    look = []
    if report.disagree:
        look = [f"demonstrations {', '.join(map(str, report.disagree))}: the others contradict them"]
    look += [f"demonstration {at}: its {field} '{_short(value)}' does not stand in its message, as the others' do"
             for at, field, value in lesson.uncopied]  # fmt: skip
    look += [f"no demonstration shows {field} '{_short(choice)}'" for field, choice in lesson.unshown]
    if look:
        values["look at"] = "; ".join(look)
    found = lesson.folder in (Path("heads") / lesson.role, Path.cwd() / "heads" / lesson.role)
    use = Text(f'ask it: understudy ask {lesson.role if found else lesson.folder} "…"', style="dim")
    return Group(Text(f"{lesson.role} is learned", style="bold green"), fields_view(values), use)


def _short(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:39]}…"


def _type(kind: Any) -> str:
    """A field's type as a person reads it."""
    return " | ".join(kind) if isinstance(kind, list) else "yes | no" if kind == "boolean" else str(kind)


def answer_view(answer: Answer) -> Group:
    """The fields of an answer, how sure the role is, and the time."""
    from .agents.messages import filled

    sure = Text(f"{answer.confidence:.0%} sure, {answer.seconds:.2f} s", style="dim")
    if answer.abstained:
        sure = Text(f"it would rather not say: only {answer.confidence:.0%} sure", style="yellow")
    return Group(fields_view(filled(answer.output)), sure)

