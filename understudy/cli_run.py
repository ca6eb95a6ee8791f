"""``understudy run``, ``resume``, ``replay`` and ``fork``: runs begin, go on after they were killed, and part ways."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .cli_support import (
    DEFAULT_JOURNAL,
    AllowOption,
    AskOption,
    FunctionsOption,
    JournalOption,
    JsonOption,
    StreamOption,
    existing,
    use_functions,
    value_from,
)
from .core.errors import UnderstudyError
from .driving import Call, drive, present
from .objects import parse_object, read_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from .agents.messages import Message
    from .workflows.drain import Drain
    from .workflows.events import Event
    from .workflows.outcome import Result

    OnEvent = Callable[[Event], None]

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
    allow: AllowOption = None,
    ask: AskOption = False,
    stream: StreamOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a team answer a request.

    Each run is kept in a journal (.understudy/journal.db here, or --journal), so that a run which was killed goes on
    with 'understudy resume'. A team that takes nothing needs no TEXT; of one with several fields it is a JSON object.

    `understudy run examples/travel_desk/team.yaml "Which neighbours of France use the euro?"`

    `understudy run team.yaml --input request.json --json`
    """
    from .workflows.team import Team

    call = Call(team, journal, functions or (), allow or (), as_json, stream, ask)
    given = _request(text, input_file)
    use_functions(functions)
    loaded = Team.load(team, allow=call.allow)
    request = {} if given is None and not loaded.takes.model_fields else _fields(_needed(given), loaded.takes, team)
    loaded.require_heads()  # before the journal is made
    file, name = journal or DEFAULT_JOURNAL, run_id or uuid.uuid4().hex[:12]

    def go(on_event: OnEvent, drain: Drain) -> Result:
        loaded.make_ready()  # so that no step's seconds have the loading in them
        return loaded.run_sync(request, journal=file, run_id=name, on_event=on_event, drain=drain)

    present(drive(call, name, go, loaded, file), call, title=text)


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
    allow: AllowOption = None,
    ask: AskOption = False,
    stream: StreamOption = False,
    as_json: JsonOption = False,
) -> None:
    """Go on with a run that was killed, or that waits for a person; what is recorded is not done again.

    `understudy resume examples/travel_desk/team.yaml 7f3a9c`

    `understudy resume team.yaml 7f3a9c --answer approve=yes`
    """
    from .workflows.team import Team

    call = Call(team, journal, functions or (), allow or (), as_json, stream, ask)
    answers = dict(_answer(text) for text in answer or ())
    use_functions(functions)
    loaded = Team.load(team, allow=call.allow)
    file = existing(journal or DEFAULT_JOURNAL)

    def go(on_event: OnEvent, drain: Drain) -> Result:
        return loaded.resume_sync(
            run_id, changed=changed, answers=answers, journal=file, on_event=on_event, drain=drain
        )

    present(drive(call, run_id, go, loaded, file, changed), call)


def replay(
    team: TeamArgument,
    run_id: RunArgument,
    journal: JournalOption = None,
    functions: FunctionsOption = None,
    allow: AllowOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a run came to, by folding its record through the workflow; nothing is computed again.

    `understudy replay examples/travel_desk/team.yaml 7f3a9c --json`
    """
    from .workflows.team import Team

    call = Call(team, journal, functions or (), allow or (), as_json)
    use_functions(functions)
    file = existing(journal or DEFAULT_JOURNAL)
    present(Team.load(team, allow=call.allow).workflow.replay(run_id, journal=file), call)


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
    allow: AllowOption = None,
    ask: AskOption = False,
    stream: StreamOption = False,
    as_json: JsonOption = False,
) -> None:
    """Begin a run that shares what another did before a step, and goes its own way from there.

    `understudy fork team.yaml 7f3a9c --message "What is the capital of Peru?"`

    `understudy fork team.yaml 7f3a9c --step plan --output @plan.json`
    """
    from .workflows.team import Team
    from .workflows.values import UNSET

    call = Call(team, journal, functions or (), allow or (), as_json, stream, ask)
    use_functions(functions)
    loaded = Team.load(team, allow=call.allow)
    file, name = existing(journal or DEFAULT_JOURNAL), new_id or uuid.uuid4().hex[:12]
    given = UNSET if message is None else value_from(message, "--message")
    if step is None and message is not None:
        given = loaded.message(given if isinstance(given, dict) else message)
    gives = UNSET if output is None else value_from(output, "--output")
    index = None if item is None else item - 1

    def go(on_event: OnEvent, drain: Drain) -> Result:
        return loaded.fork_sync(
            run_id, step, visit=visit, index=index, message=given, output=gives, run_id=name, journal=file,
            on_event=on_event, drain=drain,
        )  # fmt: skip

    present(drive(call, name, go, loaded, file), call)


def _answer(text: str) -> tuple[str, Any]:
    step, sign, value = text.partition("=")
    if not sign or not step:
        raise UnderstudyError(f"--answer {text} is no answer", mend="write the step and the value: --answer STEP=VALUE")
    return step, value_from(value, "--answer")


def _needed(request: str | dict[str, Any] | None) -> str | dict[str, Any]:
    if request is None:
        raise UnderstudyError("there is no request", mend=_ONE)
    return request


def _fields(request: str | dict[str, Any], takes: type[Message], team: Path) -> str | dict[str, Any]:
    """The request; of a team that needs several fields a text has to be these, as JSON."""
    needed = [name for name, info in takes.model_fields.items() if info.is_required()]
    if isinstance(request, dict) or len(needed) < 2:
        return request
    if request.lstrip().startswith("{"):
        return parse_object(request, "TEXT")
    fields = ", ".join(f'"{name}": …' for name in needed)
    mend = f"--input FILE.json, a file with {{{fields}}}, or that as TEXT"
    raise UnderstudyError(f"the request is a text, and the team takes {len(needed)} fields", where=str(team), mend=mend)


_ONE = 'give it as TEXT ("…") or with --input FILE, one of the two'


def _request(text: str | None, input_file: Path | None) -> str | dict[str, Any] | None:
    """What is asked of the team; None where nothing is. Raises UnderstudyError for two requests, or an empty one."""
    if text is not None and input_file is not None:
        raise UnderstudyError("there are two requests", mend=_ONE)
    if input_file is None:
        if text is not None and not text.strip():
            raise UnderstudyError("the request is empty", mend='give it as TEXT ("…")')
        return text
    content = read_text(input_file)
    if input_file.suffix == ".json":
        return parse_object(content, str(input_file))
    if not content.strip():
        raise UnderstudyError("the request is empty", where=str(input_file))
    return content.strip()
