"""``understudy run`` and ``understudy resume``: a team answers a request, and goes on after it was killed."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .cli_support import (
    DEFAULT_JOURNAL,
    FAILED,
    JournalOption,
    JsonOption,
    complain,
    existing,
    parse_object,
    print_json,
    read_text,
    stderr,
    stdout,
)
from .core.errors import UnderstudyError
from .render import run_object, run_view

if TYPE_CHECKING:
    from .workflows.outcome import Result

TeamArgument = Annotated[Path, typer.Argument(metavar="TEAM", help="A team.yaml.")]


def run(
    team: TeamArgument,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="The request.", show_default=False)] = None,
    input_file: Annotated[
        Path | None,
        typer.Option("--input", metavar="FILE", help="The request from a file: text, or .json with its fields."),
    ] = None,
    journal: JournalOption = None,
    run_id: Annotated[str | None, typer.Option(metavar="ID", help="A name for the run.", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Let a team answer a request.

    Each run is kept in a journal (.understudy/journal.db here, or --journal), so that a run which was killed goes on
    with 'understudy resume'.

    `understudy run examples/travel_desk/team.yaml "Which neighbours of France use the euro?"`

    `understudy run team.yaml --input request.json --json`
    """
    request = _request(text, input_file)
    from .workflows.team import Team

    loaded = Team.load(team)
    loaded.require_heads()  # before the journal is made
    file, name = journal or DEFAULT_JOURNAL, run_id or uuid.uuid4().hex[:12]
    with progress(as_json) as on_event, _resumable(team, name, journal):
        loaded.make_ready()  # so that no step's seconds have the loading in them
        result = loaded.run_sync(request, journal=file, run_id=name, on_event=on_event)
    _show(result, as_json, title=text)


def resume(
    team: TeamArgument,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run, from 'understudy runs list'.")],
    journal: JournalOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with a run that was killed; what is recorded is not done again.

    `understudy resume examples/travel_desk/team.yaml 7f3a9c`
    """
    from .workflows.team import Team

    loaded = Team.load(team)
    file = existing(journal or DEFAULT_JOURNAL)
    with progress(as_json) as on_event, _resumable(team, run_id, journal):
        result = loaded.resume_sync(run_id, journal=file, on_event=on_event)
    _show(result, as_json)


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[Any], None]]:
    """A spinner on stderr that names the step under way; nothing where stderr is no terminal."""
    console = stderr()
    if quiet or not console.is_terminal:
        yield lambda event: None
        return
    with console.status("loading the backbone") as status:

        def show(event: Any) -> None:
            step = getattr(event, "step", None)
            if step:
                status.update(str(step))

        yield show


@contextmanager
def _resumable(team: Path, run_id: str, journal: Path | None) -> Iterator[None]:
    """On Ctrl-C say how to go on; the exit status is given where all errors are."""
    try:
        yield
    except KeyboardInterrupt:
        where = f" --journal {shlex.quote(str(journal))}" if journal else ""
        complain(f"go on with: understudy resume {shlex.quote(str(team))} {shlex.quote(run_id)}{where}")
        raise


def _request(text: str | None, input_file: Path | None) -> str | dict[str, Any]:
    if (text is None) == (input_file is None):
        what = "there is no request" if text is None else "there are two requests"
        raise UnderstudyError(what, mend='give it as TEXT ("…") or with --input FILE, one of the two')
    if input_file is None:
        assert text is not None
        if not text.strip():
            raise UnderstudyError("the request is empty", mend='give it as TEXT ("…")')
        return text
    content = read_text(input_file)
    if input_file.suffix == ".json":
        return parse_object(content, str(input_file))
    if not content.strip():
        raise UnderstudyError("the request is empty", where=str(input_file))
    return content.strip()


def _show(result: Result, as_json: bool, title: str | None = None) -> None:
    shown = run_object(result)
    if as_json:
        print_json(shown)
    else:
        stdout().print(run_view(shown, title))
    if result.status != "completed":
        raise typer.Exit(FAILED)
