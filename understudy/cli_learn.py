"""``understudy learn`` and ``understudy ask``: a role from its demonstrations, and a question to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from .cli_support import JsonOption, parse_object, print_json, read_objects, stderr, stdout
from .core.errors import UnderstudyError
from .lesson import Lesson
from .render import fields_view
from .solo import Answer

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
    role: Annotated[
        Path | None, typer.Argument(metavar="ROLE.yaml", help="The role with its demonstrations.", show_default=False)
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
    as_json: JsonOption = False,
) -> None:
    """Learn a role from its demonstrations; writes heads/NAME/.

    Each demonstration is left out once and asked (leave-one-out): that accuracy is what to expect of new messages.

    `understudy learn examples/triage/role.yaml`

    `understudy learn --all --backbone my-backbone/`
    """
    from .lesson import learn_again, learn_role
    from .workflows.learning import Method

    if (role is None) is not again:
        raise UnderstudyError("learn takes one ROLE.yaml, or --all", mend="understudy learn examples/triage/role.yaml")
    given = {"layers": layers and layers.value, "activation": activation and activation.value, "start": start}
    told: dict[str, Any] = {name: value for name, value in given.items() if value}
    with _bar(quiet=as_json) as on_progress:
        if role is None:
            lessons = learn_again(out, backbone, on_progress, told)
        else:
            lessons = [learn_role(role, out, backbone, on_progress, replace(Method(), **told))]
    if as_json:
        print_json({"roles": [lesson.as_json() for lesson in lessons]} if role is None else lessons[0].as_json())
    else:
        for lesson in lessons:
            stdout().print(lesson_view(lesson))


def ask(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="A role's name, its head's folder, or its role.yaml.")],
    what: Annotated[str, typer.Argument(metavar="TEXT|FILE", help="The message; or a .jsonl file of messages.")],
    as_json: JsonOption = False,
) -> None:
    """Ask one role, outside any team.

    TEXT is the role's one field, or a JSON object of its fields. A FILE ending in .jsonl has one such object a line,
    and one answer a line is printed, as JSON.

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
        for answer in solo.answer(messages):
            print_json(answer.as_json())
        return
    takes = parse_object(what, "TEXT") if what.lstrip().startswith("{") else what
    (answer,) = solo.answer([solo.message(takes)])
    if as_json:
        print_json(answer.as_json())
    else:
        stdout().print(answer_view(answer))


def lesson_view(lesson: Lesson) -> Group:
    """What was learned, in a few lines."""
    report = lesson.report
    values: dict[str, object] = {
        "demonstrations": report.demonstrations,
        "leave-one-out": str(lesson.left_out),
        "seconds": round(report.seconds, 1),
        "head": f"{lesson.bytes / 1e6:.2f} MB in {lesson.folder}",
    }
    if report.accuracy < 0.5:
        values["mind"] = "most left-out demonstrations were answered wrong: expect abstentions, and measure before use"
    if report.disagree:
        values["look at"] = f"demonstrations {', '.join(map(str, report.disagree))}: the others contradict them"
    use = Text(f'ask it: understudy ask {lesson.role} "…"', style="dim")
    return Group(Text(f"{lesson.role} is learned", style="bold green"), fields_view(values), use)


def answer_view(answer: Answer) -> Group:
    """The fields of an answer, how sure the role is, and the time."""
    sure = Text(f"{answer.confidence:.0%} sure, {answer.seconds:.2f} s", style="dim")
    if answer.abstained:
        sure = Text(f"it would rather not say: only {answer.confidence:.0%} sure", style="yellow")
    return Group(fields_view(answer.output.model_dump(mode="json")), sure)


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[float, str], None]]:
    """A progress bar on stderr; what it is told is a share from 0 to 1 and a word on what is being done."""
    console = stderr()
    if quiet or not console.is_terminal:
        yield lambda share, what: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("loading the backbone", total=1.0)
        yield lambda share, what: shown.update(task, completed=share, description=what)
