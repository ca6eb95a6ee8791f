"""``understudy runs``: what the journal knows."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic_core import to_jsonable_python
from rich.table import Table
from rich.text import Text

from .cli_support import (
    DEFAULT_JOURNAL,
    FAILED,
    AllowOption,
    FunctionsOption,
    JournalOption,
    JsonOption,
    complain,
    existing,
    print_json,
    stdout,
    use_functions,
)
from .core.errors import UnderstudyError
from .recorded import recorded
from .render import output_view, run_view

if TYPE_CHECKING:
    from .workflows.dead_letters import KeptLetter
    from .workflows.journal import Journal

runs = typer.Typer(no_args_is_help=True, help="What the journal knows: list, show, dead, export, compact.")
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The run, from 'understudy runs list'.")]


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
    run: RunArgument,
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


@runs.command("dead")
def dead_letters(
    run: RunArgument,
    send: Annotated[
        int | None,
        typer.Option("--send", metavar="NUMBER", help="Send this letter again, to the agents of --team.",
                     show_default=False),
    ] = None,
    team: Annotated[
        Path | None, typer.Option("--team", metavar="TEAM", help="The team.yaml, for --send.", show_default=False)
    ] = None,
    functions: FunctionsOption = None,
    allow: AllowOption = None,
    journal: JournalOption = None,
    as_json: JsonOption = False,
) -> None:
    """The dead letters of a run: what was not delivered, failed or came too late, and why.

    `understudy runs dead 7f3a9c`

    `understudy runs dead 7f3a9c --send 4 --team team.yaml`
    """
    from .workflows.journal import Journal

    use_functions(functions)
    with Journal(existing(journal or DEFAULT_JOURNAL)) as book:
        if send is not None:
            _send(book, run, send, team, allow or (), as_json)
            return
        from .workflows.dead_letters import kept_letters

        letters = [_letter(letter) for letter in kept_letters(book, run, plain=True)]
    if as_json:
        print_json({"run": run, "letters": letters})
        return
    if not letters:
        stdout().print(f"run {run} has no dead letters", soft_wrap=True)
        return
    table = Table(show_edge=False, pad_edge=False, header_style="dim")
    table.add_column("number", justify="right")
    for name in ("to", "message", "reason", "sent again"):
        table.add_column(name)
    for letter in letters:
        reason = f"{letter['reason']} ({letter['cause']})" if letter["cause"] else letter["reason"]
        row = (str(letter["number"]), letter["to"], letter["message"], reason, letter["sent"] or "")
        table.add_row(*(Text(str(cell)) for cell in row))
    stdout().print(table)


def _letter(letter: KeptLetter) -> dict[str, Any]:
    envelope = letter.died.envelope if isinstance(letter.died.envelope, dict) else {}
    sent = letter.sent and (letter.sent.error or "answered")
    return {
        "number": letter.number, "at": letter.died.at, "to": envelope.get("recipient") or envelope.get("topic") or "",
        "message": to_jsonable_python(envelope.get("body", letter.died.envelope)), "reason": letter.died.reason,
        "cause": letter.died.cause, "sent": sent, "key": envelope.get("id"),
    }  # fmt: skip


def _send(
    book: Journal, run: str, number: int, team: Path | None, allow: Sequence[Path], as_json: bool
) -> None:
    from .workflows.dead_letters import kept_letters

    if number not in (known := [letter.number for letter in kept_letters(book, run, plain=True)]):
        mend = f"there is: {', '.join(map(str, known)) or 'none'}"
        raise UnderstudyError(f"run {run} has no dead letter {number}", mend=mend)
    if team is None:
        raise UnderstudyError("nobody is there to send it to", mend="name the team: --team team.yaml")
    from .agents.letters import DeliveryError
    from .workflows.dead_letters import send_again
    from .workflows.team import Team

    loaded = Team.load(team, allow=allow)
    loaded.require_heads()
    try:
        answer = asyncio.run(send_again(book, run, number, loaded.workflow.agents))
    except DeliveryError as error:
        complain(f"it died again: {error}")
        raise typer.Exit(FAILED) from None
    shown = to_jsonable_python(answer)
    if as_json:
        print_json({"run": run, "number": number, "output": shown})
    else:
        stdout().print(output_view(shown))


@runs.command("export")
def export_run(
    run: RunArgument,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to; stdout if missing.", show_default=False)
    ] = None,
    journal: JournalOption = None,
    as_json: JsonOption = False,
) -> None:
    """The events of a run as JSON lines, as the journal has them; with --json as one object.

    `understudy runs export 7f3a9c --out run.jsonl`
    """
    from .workflows.journal import Journal

    with Journal(existing(journal or DEFAULT_JOURNAL)) as book:
        events = list(book.exported(run))
    if as_json:
        print_json({"run": run, "events": events})
        return
    lines = "".join(json.dumps(line) + "\n" for line in events)
    if out is None:
        sys.stdout.write(lines)
    else:
        out.write_text(lines, encoding="utf-8")


@runs.command("compact")
def compact_runs(
    run: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]…", help="Which runs.", show_default=False)
    ] = None,
    older: Annotated[
        float | None,
        typer.Option("--older-than", metavar="DAYS", help="All that were finished so long ago.", min=0,
                     show_default=False),
    ] = None,
    journal: JournalOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the steps of finished runs out of the journal; their input, result and dead letters stay.

    `understudy runs compact --older-than 30`
    """
    from .workflows.journal import Journal, JournalError

    if not run and older is None:
        mend = "name runs, or say --older-than DAYS (0 takes all that are finished)"
        raise UnderstudyError("no run is named", mend=mend)
    before = time.time() - (older or 0.0) * 86_400
    file = existing(journal or DEFAULT_JOURNAL)
    size = file.stat().st_size
    with Journal(file) as book:
        known = {summary.run: summary for summary in book.runs()}
        for name in run or ():
            if name not in known:
                raise JournalError(f"there is no run {name!r}", where=str(file), mend="see: understudy runs list")
        chosen = [name for name, one in known.items() if one.finished is not None and one.finished <= before]
        chosen = [name for name in chosen if not run or name in run]
        gone = book.compact(chosen)
    if as_json:
        print_json({"journal": str(file), "runs": chosen, "events": gone, "bytes": [size, file.stat().st_size]})
        return
    stdout().print(f"{len(chosen)} runs, {gone} events taken out; {size:,} → {file.stat().st_size:,} bytes")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).isoformat(sep=" ", timespec="seconds")
