"""``understudy run``, ``resume``, ``replay`` and ``fork``: runs begin, go on after they were killed, and part ways."""

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
    TERMINATED,
    FunctionsOption,
    JournalOption,
    JsonOption,
    complain,
    draining,
    existing,
    print_json,
    stderr,
    stdout,
    use_functions,
    value_from,
)
from .core.errors import UnderstudyError
from .objects import parse_object, read_text
from .render import run_object, run_view

if TYPE_CHECKING:
    from .workflows.outcome import Result

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The run, from 'understudy runs list'.")]
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
    functions: FunctionsOption = None,
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

    use_functions(functions)
    loaded = Team.load(team)
    loaded.require_heads()  # before the journal is made
    file, name = journal or DEFAULT_JOURNAL, run_id or uuid.uuid4().hex[:12]
    with progress(as_json) as on_event, _resumable(team, name, journal, functions), draining() as drain:
        loaded.make_ready()  # so that no step's seconds have the loading in them
        result = loaded.run_sync(request, journal=file, run_id=name, on_event=on_event, drain=drain)
    _show(result, as_json, team, journal, functions, title=text)


def resume(
    team: TeamArgument,
    run_id: RunArgument,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            "--answer", metavar="STEP=VALUE", help="Answer a question that the run waits for; may be given again.",
            show_default=False,
        ),
    ] = None,
    changed: Annotated[bool, typer.Option("--changed", help="Go on although the workflow was changed.")] = False,
    journal: JournalOption = None,
    functions: FunctionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with a run that was killed, or that waits for a person; what is recorded is not done again.

    `understudy resume examples/travel_desk/team.yaml 7f3a9c`

    `understudy resume team.yaml 7f3a9c --answer approve=yes`
    """
    from .workflows.team import Team

    answers = dict(_answer(text) for text in answer or ())
    use_functions(functions)
    loaded = Team.load(team)
    file = existing(journal or DEFAULT_JOURNAL)
    with progress(as_json) as on_event, _resumable(team, run_id, journal, functions), draining() as drain:
        result = loaded.resume_sync(
            run_id, changed=changed, answers=answers, journal=file, on_event=on_event, drain=drain
        )
    _show(result, as_json, team, journal, functions)


def replay(
    team: TeamArgument,
    run_id: RunArgument,
    journal: JournalOption = None,
    functions: FunctionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a run came to, by folding its record through the workflow; nothing is computed again.

    `understudy replay examples/travel_desk/team.yaml 7f3a9c --json`
    """
    from .workflows.team import Team

    use_functions(functions)
    file = existing(journal or DEFAULT_JOURNAL)
    _show(Team.load(team).workflow.replay(run_id, journal=file), as_json, team, journal, functions)


def fork(
    team: TeamArgument,
    run_id: RunArgument,
    step: Annotated[
        str | None, typer.Option(help="The step from which it goes another way.", show_default=False)
    ] = None,
    visit: Annotated[int | None, typer.Option(help="Which of its visits; the first.", show_default=False)] = None,
    item: Annotated[
        int | None, typer.Option(help="Which item of an each of several, from 1.", min=1, show_default=False)
    ] = None,
    message: Annotated[
        str | None,
        typer.Option(metavar="VALUE", help="What the step (or the run) is given instead: JSON, or @FILE.",
                     show_default=False),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(metavar="VALUE", help="What the step gives instead: JSON, or @FILE.", show_default=False),
    ] = None,
    new_id: Annotated[
        str | None, typer.Option("--run-id", metavar="ID", help="A name for the new run.", show_default=False)
    ] = None,
    journal: JournalOption = None,
    functions: FunctionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin a run that shares what another did before a step, and goes its own way from there.

    `understudy fork team.yaml 7f3a9c --message "What is the capital of Peru?"`

    `understudy fork team.yaml 7f3a9c --step plan --output @plan.json`
    """
    from .workflows.team import Team
    from .workflows.values import UNSET

    use_functions(functions)
    loaded = Team.load(team)
    file, name = existing(journal or DEFAULT_JOURNAL), new_id or uuid.uuid4().hex[:12]
    given = UNSET if message is None else value_from(message, "--message")
    if step is None and message is not None:
        given = loaded.message(given if isinstance(given, dict) else message)
    gives = UNSET if output is None else value_from(output, "--output")
    index = None if item is None else item - 1
    with progress(as_json) as on_event, _resumable(team, name, journal, functions), draining() as drain:
        result = loaded.fork_sync(
            run_id, step, visit=visit, index=index, message=given, output=gives, run_id=name, journal=file,
            on_event=on_event, drain=drain,
        )  # fmt: skip
    _show(result, as_json, team, journal, functions)


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
def _resumable(team: Path, run_id: str, journal: Path | None, functions: list[Path] | None) -> Iterator[None]:
    """On Ctrl-C say how to go on; the exit status is given where all errors are."""
    try:
        yield
    except KeyboardInterrupt:
        complain(f"go on with: {_resuming(team, run_id, journal, functions)}")
        raise


def _resuming(team: Path, run_id: str, journal: Path | None, functions: list[Path] | None) -> str:
    where = f" --journal {shlex.quote(str(journal))}" if journal else ""
    where += "".join(f" --functions {shlex.quote(str(file))}" for file in functions or ())
    return f"understudy resume {shlex.quote(str(team))} {shlex.quote(run_id)}{where}"


def _answer(text: str) -> tuple[str, Any]:
    step, sign, value = text.partition("=")
    if not sign or not step:
        raise UnderstudyError(f"--answer {text} is no answer", mend="write the step and the value: --answer STEP=VALUE")
    return step, value_from(value, "--answer")


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


def _show(
    result: Result, as_json: bool, team: Path, journal: Path | None, functions: list[Path] | None,
    title: str | None = None,
) -> None:  # fmt: skip
    shown = run_object(result)
    if as_json:
        print_json(shown)
    else:
        stdout().print(run_view(shown, title))
    go_on = _resuming(team, result.run, journal, functions)
    if result.status == "waiting":
        answers = "".join(f" --answer {shlex.quote(ask.step)}=…" for ask in result.questions)
        complain(f"answer with: {go_on}{answers}")
    elif result.status == "interrupted":
        complain(f"go on with: {go_on}")
        raise typer.Exit(TERMINATED)
    elif result.status not in ("completed", "running"):  # it runs where only its record was looked at
        raise typer.Exit(FAILED)
