"""``understudy evaluate``: how often a team or a role is right on a file of questions, beside what could replace it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from .cli_support import AllowOption, FunctionsOption, JsonOption, print_json, stderr, stdout, use_functions
from .core.errors import UnderstudyError
from .evaluation import Case, Rate, compare_fields, summary
from .objects import read_objects

if TYPE_CHECKING:
    from .examination import Outcome
    from .rivals import Prompted

_ERRORS_SHOWN = 10
_SHOWN = 200  # characters of a wrong answer


def evaluate(
    subject: Annotated[
        str, typer.Argument(metavar="TEAM|ROLE", help="A team.yaml, a role.yaml, a role's name, or a head's folder.")
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="One question a line.")],
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Beside no head, an untrained head and another role's head.")
    ] = False,
    rules: Annotated[
        Path | None,
        typer.Option(metavar="FILE.py", help="Beside a Python file's class Rules (it is run).", show_default=False),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Beside a prompted model: an OpenAI-compatible API.", show_default=False),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the model that --against serves.", show_default=False)
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write report.md and report.json there.", show_default=False)
    ] = None,
    functions: FunctionsOption = None,
    allow: AllowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a team or a role on a file of questions with their right answers.

    For a role each line is {"takes": {…}, "gives": {…}}. For a team each has a "request", the "role" that is asked
    alone (all of the team without it), and what is right: "values", "plans", "liked", "unanswerable", or "expect":
    {"answer": {"contains": "Lima"}}. Shares come with their 95 % interval; beside others, a role whose trained head
    does not win is named. The key for --against is read from $OPENAI_API_KEY; it goes to whatever https address is
    named, but over plain http to this machine alone.

    `understudy evaluate triage messages.jsonl`

    `understudy evaluate team.yaml questions.jsonl --ablate --report build/report`
    """
    if (against is None) != (model is None):
        raise UnderstudyError("--against and --model belong together", mend="give both")
    if report is not None and report.exists() and not report.is_dir():
        raise UnderstudyError("this is a file", where=str(report), mend="give --report a folder")
    use_functions(functions)
    if _is_team(subject):
        prompted = None
        if against is not None and model is not None:
            from .rivals import Prompted

            prompted = Prompted(against, model)
        _team(Path(subject), file, ablate, rules, prompted, report, allow or (), as_json)
        return
    if ablate or rules is not None or against is not None:
        raise UnderstudyError("others are compared on a team", where=subject, mend="give a team.yaml")
    _role(subject, file, report, as_json)


def figures_view(figures: Mapping[str, Any]) -> RenderableType:
    """The figures of a role as a table, and under it the first confident errors."""
    table = Table(show_edge=False, pad_edge=False, header_style="dim")
    table.add_column("of " + str(figures["cases"]))
    for name in ("right", "share", "95 % interval"):
        table.add_column(name, justify="right")
    for row in _rows(figures):
        table.add_row(*map(Text, row))
    wrong = figures["confident_errors"]
    lines: list[RenderableType] = [table, Text(f"{figures['seconds_median']:.2f} s a question", style="dim")]
    lines += _errors([f"{error['where']}: expected {error['expected']}, got {error['output']}" for error in wrong])
    return Group(*lines)


def _rows(figures: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """What is told of a role: name, count, share, interval."""
    several = len(figures["fields"]) > 1
    rows = [("all fields right" if several else "right", figures["whole"])]
    rows += [(f"  {name}", rate) for name, rate in figures["fields"].items()] if several else []
    rows += [("answered", figures["answered"]), ("right of the answered", figures["right_when_answered"])]
    told = []
    for name, figure in rows:
        rate = Rate(figure["right"], figure["total"])
        low, high = rate.interval
        if rate.total:
            told.append((name, f"{rate.right}/{rate.total}", f"{rate.share:.1%}", f"{low:.1%} – {high:.1%}"))
    return told


def _errors(told: Sequence[str]) -> list[RenderableType]:
    lines: list[RenderableType] = [Text(f"{len(told)} confident errors", style="red" if told else "green")]
    lines += [Text(f"  {one}") for one in told[:_ERRORS_SHOWN]]
    if len(told) > _ERRORS_SHOWN:
        lines.append(Text(f"  … {len(told) - _ERRORS_SHOWN} more with --json or --report", style="dim"))
    return lines


def _is_team(subject: str) -> bool:
    from .workflows.yaml_document import read_document

    path = Path(subject)
    if path.suffix not in (".yaml", ".yml"):
        return False
    value = read_document(path).value
    return isinstance(value, dict) and ("team" in value or "workflow" in value)


def _role(subject: str, file: Path, report: Path | None, as_json: bool) -> None:
    lines = list(read_objects(file))
    if not lines:
        raise UnderstudyError("the file has no lines", where=str(file))
    figures = {"subject": subject, "file": str(file), **summary(_of_role(subject, lines))}
    if report is not None:
        from .evaluation_report import write, wrong_sheet
        from .sheets import Sheet

        sheet = Sheet("Right, with 95 % intervals", ("of", "right", "share", "interval"), tuple(_rows(figures)))
        text = [f"# {subject}", "", f"- file: {file}", f"- messages: {figures['cases']}", "", sheet.markdown(), ""]
        write(report, figures, "\n".join([*text, wrong_sheet("Wrong answers", figures["wrong"]).markdown()]))
    if as_json:
        print_json(figures)
    else:
        stdout().print(figures_view(figures))


def _part(line: Mapping[str, Any], name: str, where: str) -> Any:
    if name not in line:
        has = ", ".join(line) or "nothing"
        raise UnderstudyError(f"the line has no {name!r}, only {has}", where=where)
    return line[name]


def _of_role(subject: str, lines: Sequence[tuple[str, dict[str, Any]]]) -> list[Case]:
    from .agents.messages import filled, filled_names
    from .solo import open_solo

    solo = open_solo(subject)
    messages, expected = [], []
    for where, line in lines:
        messages.append(solo.message(_part(line, "takes", where), where))
        gives = _part(line, "gives", where)
        expected.append(gives)
        known = filled_names(solo.role.gives)
        unknown = [name for name in gives if name not in known] if isinstance(gives, dict) else [gives]
        if unknown:
            mend = f"it gives an object of {', '.join(known)}"
            raise UnderstudyError(f"role {solo.role.name} gives no {unknown[0]!r}", where=where, mend=mend)
    solo.answer(messages[:1])  # loads the backbone, which is not counted
    began = time.perf_counter()
    answers = solo.answer(messages)
    each = (time.perf_counter() - began) / len(answers)  # they share batches, so only their mean is known
    cases = []
    for (where, line), wanted, answer in zip(lines, expected, answers, strict=True):
        output = filled(answer.output)
        right = compare_fields(wanted, output)
        cases.append(Case(where, right, not answer.abstained, wanted, output, each, line["takes"]))
    return cases


def _team(
    path: Path, file: Path, ablate: bool, rules: Path | None, prompted: Prompted | None, report: Path | None,
    allow: Sequence[Path], as_json: bool,
) -> None:  # fmt: skip
    from .evaluation_report import markdown, report_of, write
    from .examination import examine, parts_of
    from .questions import read_questions
    from .rivals import Rivals
    from .workflows.team import Team

    questions = read_questions(file)
    team = Team.load(path, allow=allow)
    team.require_heads()
    parts = parts_of(team, questions)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = stderr()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        shown = bar.add_task("loading", total=None)
        try:
            with Rivals(team, ablate=ablate, rules=rules, against=prompted) as rivals:
                team.make_ready()
                bar.update(shown, total=len(questions) * len(rivals.names))
                outcomes = examine(
                    rivals, parts,
                    lambda rival, part: bar.update(shown, advance=1, description=f"{rival}: {part}"),
                )  # fmt: skip
            about = {
                "subject": str(path), "team": team.name, "file": str(file), "questions": len(questions),
                "backbone": f"{team.backbone.name} {team.backbone.digest()}", "date": time.strftime("%Y-%m-%d"),
                "refused": rivals.refused,
            }  # fmt: skip
        finally:
            team.close()
    found = report_of(about, rivals.told, outcomes)
    if report is not None:
        write(report, found, markdown(about, rivals.told, outcomes))
    if as_json:
        print_json(found)
    else:
        stdout().print(team_view(outcomes, rivals.refused))


def team_view(outcomes: Sequence[Outcome], refused: Sequence[str] = ()) -> RenderableType:
    """The figures of a team as tables, with the verdicts or, where there is no rival, the first confident errors."""
    from .evaluation_report import losers, sheets_of, verdicts_of
    from .questions import WHOLE

    lines: list[RenderableType] = []
    verdicts = verdicts_of(outcomes)
    for sheet in sheets_of(outcomes):
        lines += [sheet.table(), Text("")]
    lines += [Text(verdict.sentence, style="green" if verdict.paired.wins else "red") for verdict in verdicts]
    if verdicts:
        lines.append(Text(losers(verdicts), style="bold"))
    else:
        wrong = [pair for one in outcomes if one.together or one.part == WHOLE for pair in one.confident_errors]
        lines += _errors([
            f"{asked.where}: {asked.request} – wanted {asked.wanted()}, got {one.given[:_SHOWN]}"
            for asked, one in wrong
        ])  # fmt: skip
    if refused:
        lines.append(Text(f"{len(refused)} calls to the model failed, the first: {refused[0]}", style="red"))
    return Group(*lines)
