"""``understudy evaluate``: how often a team or a role is right on a file of questions, with intervals."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic_core import to_jsonable_python
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .cli_support import JsonOption, print_json, read_objects, stderr, stdout
from .core.errors import UnderstudyError
from .evaluation import Case, Rate, compare_fields, meets, summary

_ERRORS_SHOWN = 10


def evaluate(
    subject: Annotated[str, typer.Argument(metavar="TEAM|ROLE", help="A team.yaml, a role.yaml, or a role's name.")],
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="One question a line.")],
    as_json: JsonOption = False,
) -> None:
    """Measure a team or a role on a file of questions with their right answers.

    For a role each line is {"takes": {…}, "gives": {…}}; for a team {"request": "…", "expect": {"answer": {"contains":
    "Lima"}}}. Printed: how many are right with the 95 % interval, the share answered, and the confident errors.

    `understudy evaluate triage messages.jsonl`
    """
    lines = list(read_objects(file))
    if not lines:
        raise UnderstudyError("the file has no lines", where=str(file))
    cases = _of_team(Path(subject), lines) if _is_team(subject) else _of_role(subject, lines)
    figures = {"subject": subject, "file": str(file), **summary(cases)}
    if as_json:
        print_json(figures)
    else:
        stdout().print(figures_view(figures))


def figures_view(figures: Mapping[str, Any]) -> RenderableType:
    """The figures as a table, and under it the first confident errors."""
    table = Table(show_edge=False, pad_edge=False, header_style="dim")
    table.add_column("of " + str(figures["cases"]))
    for name in ("right", "share", "95 % interval"):
        table.add_column(name, justify="right")
    rows = [("all fields right", figures["whole"])] if len(figures["fields"]) > 1 else [("right", figures["whole"])]
    if len(figures["fields"]) > 1:
        rows += [(f"  {name}", rate) for name, rate in figures["fields"].items()]
    rows += [("answered", figures["answered"]), ("right of the answered", figures["right_when_answered"])]
    for name, figure in rows:
        rate = Rate(figure["right"], figure["total"])
        low, high = rate.interval
        if rate.total:
            table.add_row(Text(name), f"{rate.right}/{rate.total}", f"{rate.share:.1%}", f"{low:.1%} – {high:.1%}")
    wrong = figures["confident_errors"]
    lines: list[RenderableType] = [table, Text(f"{figures['seconds_median']:.2f} s a question", style="dim")]
    lines.append(Text(f"{len(wrong)} confident errors", style="red" if wrong else "green"))
    for error in wrong[:_ERRORS_SHOWN]:
        lines.append(Text(f"  {error['where']}: expected {error['expected']}, got {error['output']}"))
    if len(wrong) > _ERRORS_SHOWN:
        lines.append(Text(f"  … {len(wrong) - _ERRORS_SHOWN} more with --json", style="dim"))
    return Group(*lines)


def _is_team(subject: str) -> bool:
    from .workflows.yaml_document import read_document

    path = Path(subject)
    if path.suffix not in (".yaml", ".yml"):
        return False
    value = read_document(path).value
    return isinstance(value, dict) and ("team" in value or "workflow" in value)


def _part(line: Mapping[str, Any], name: str, where: str) -> Any:
    if name not in line:
        has = ", ".join(line) or "nothing"
        raise UnderstudyError(f"the line has no {name!r}, only {has}", where=where)
    return line[name]


def _of_role(subject: str, lines: Sequence[tuple[str, dict[str, Any]]]) -> list[Case]:
    from .solo import open_solo

    solo = open_solo(subject)
    messages, expected = [], []
    for where, line in lines:
        messages.append(solo.message(_part(line, "takes", where), where))
        gives = _part(line, "gives", where)
        expected.append(gives)
        known = solo.role.gives.model_fields
        unknown = [name for name in gives if name not in known] if isinstance(gives, dict) else [gives]
        if unknown:
            mend = f"it gives an object of {', '.join(known)}"
            raise UnderstudyError(f"role {solo.role.name} gives no {unknown[0]!r}", where=where, mend=mend)
    solo.answer(messages[:1])  # loads the backbone, which is not counted
    began = time.perf_counter()
    answers = solo.answer(messages)
    each = (time.perf_counter() - began) / len(answers)  # they share batches, so only their mean is known
    cases = []
    for (where, _), wanted, answer in zip(lines, expected, answers, strict=True):
        output = answer.output.model_dump(mode="json")
        cases.append(Case(where, compare_fields(wanted, output), not answer.abstained, wanted, output, each))
    return cases


def _of_team(team: Path, lines: Sequence[tuple[str, dict[str, Any]]]) -> list[Case]:
    from .workflows.team import Team

    loaded = Team.load(team)
    asked = [(where, _part(line, "request", where), _part(line, "expect", where)) for where, line in lines]
    cases = []
    loaded.require_heads()
    loaded.make_ready()
    with stderr().status("asking") as status:
        for number, (where, request, expected) in enumerate(asked, start=1):
            status.update(f"{number} of {len(asked)}")
            began = time.perf_counter()
            result = loaded.run_sync(request)
            output = to_jsonable_python(result.output, fallback=str)
            completed = result.status == "completed"
            fields = {"expect": completed and meets(expected, output, where)}
            answered = completed and not _abstained(output)
            cases.append(Case(where, fields, answered, expected, output, time.perf_counter() - began))
    return cases


def _abstained(output: Any) -> bool:
    """Whether the answer itself, or a message in it, says that it abstains."""
    if isinstance(output, Mapping):
        return output.get("abstained") is True or any(map(_abstained, output.values()))
    return False
