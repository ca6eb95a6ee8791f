"""``understudy runs``: what the journal knows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic_core import to_jsonable_python
from rich.table import Table
from rich.text import Text

from .cli_support import DEFAULT_JOURNAL, JournalOption, JsonOption, existing, print_json, stdout
from .render import run_view, sources_of

if TYPE_CHECKING:
    from .workflows.events import Event

runs = typer.Typer(no_args_is_help=True, help="What the journal knows: list, show.")


@runs.command("list")
def list_runs(journal: JournalOption = None, as_json: JsonOption = False) -> None:
    """The runs of a journal, the newest first.

    `understudy runs list --journal desk.db`
    """
    file = journal or DEFAULT_JOURNAL
    found = []
    if journal is not None or file.exists():
        from .workflows.journal import Journal

        with Journal(existing(file)) as book:
            found = book.runs()
    if as_json:
        print_json({"journal": str(file), "runs": [to_jsonable_python(run) for run in found]})
        return
    if not found:
        stdout().print(f"no runs in {file}", soft_wrap=True)
        return
    table = Table(show_edge=False, pad_edge=False, header_style="dim")
    for name in ("run", "workflow", "status", "accepted"):
        table.add_column(name, no_wrap=True)
    for name in ("seconds", "events"):
        table.add_column(name, justify="right")
    for run in found:
        seconds = "" if run.finished is None else f"{run.finished - run.accepted:.2f}"
        table.add_row(Text(run.run), Text(run.workflow), run.status, _moment(run.accepted), seconds, str(run.events))
    stdout().print(table)


@runs.command("show")
def show_run(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run, from 'understudy runs list'.")],
    journal: JournalOption = None,
    as_json: JsonOption = False,
) -> None:
    """What was done in a run, from its record alone.

    `understudy runs show 7f3a9c`
    """
    from .workflows.journal import Journal

    with Journal(existing(journal or DEFAULT_JOURNAL)) as book:
        shown = recorded(book.events(run, plain=True))
    if as_json:
        print_json(shown)
    else:
        request = shown["input"].get("request") if isinstance(shown["input"], dict) else None
        stdout().print(run_view(shown, str(request) if request else None))


def recorded(events: Sequence[Event]) -> dict[str, Any]:
    """The object of ``run --json`` as far as the record has it, with ``input``; ``status`` is "open" while it is.

    Steps stand in the order in which they ended. What a step was asked is not in the record, but follows from it.
    """
    from .agents.usage import Usage
    from .workflows.events import RunAccepted, RunFinished, StepFailed, StepFinished

    shown: dict[str, Any] = {"run": "", "status": "open", "input": None, "output": {}, "steps": [], "error": None}
    usage = Usage()
    for event in events:
        if isinstance(event, RunAccepted):
            shown |= {"run": event.run, "workflow": event.workflow, "input": to_jsonable_python(event.input)}
        elif isinstance(event, StepFinished | StepFailed):
            output = to_jsonable_python(event.output) if isinstance(event, StepFinished) else None
            shown["steps"].append(
                {
                    "name": event.step,
                    "agent": event.agent,
                    "index": event.index,
                    "input": None,
                    "output": output,
                    "seconds": round(event.seconds, 4),
                    "attempts": event.attempts,
                    "error": event.error if isinstance(event, StepFailed) else None,
                    "sources": list(sources_of(output)),
                }
            )
            usage += event.usage
        elif isinstance(event, RunFinished):
            shown |= {"status": event.status, "error": event.error, "output": to_jsonable_python(event.output)}
    seconds = round(events[-1].at - events[0].at, 4)
    shown["usage"] = {"tokens": usage.tokens, "calls": usage.calls, "seconds": seconds}
    return shown


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).isoformat(sep=" ", timespec="seconds")
