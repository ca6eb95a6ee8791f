"""A run from the command line: shown while it goes on, its questions asked, and how it is taken up again."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from .cli_support import FAILED, TERMINATED, complain, draining, print_json, stderr, stdout
from .render import run_object, run_view

if TYPE_CHECKING:
    from .workflows.drain import Drain
    from .workflows.events import Event
    from .workflows.outcome import Result
    from .workflows.team import Team

Go = Callable[[Callable[["Event"], None], "Drain"], "Result"]
"""A run, or a part of one up to where it waits: given who is told of events, and the drain."""


@dataclass(frozen=True)
class Call:
    """How a run was called.

    Attributes:
        team: the file.
        journal: as it was given; None for the usual one.
        functions: files of functions.
        allow: folders that the file may name places in.
        as_json: objects are printed, nothing else.
        stream: what happens is shown as it comes.
        ask: questions are asked at the console.
    """

    team: Path
    journal: Path | None = None
    functions: Sequence[Path] = ()
    allow: Sequence[Path] = ()
    as_json: bool = False
    stream: bool = False
    ask: bool = False

    def resuming(self, run: str, questions: Sequence[Any] = ()) -> str:
        """The command that takes up a run, with places for the answers to its questions."""
        words = [str(self.team), run]
        words += ["--journal", str(self.journal)] if self.journal else []
        words += [word for file in self.functions for word in ("--functions", str(file))]
        words += [word for folder in self.allow for word in ("--allow", str(folder))]
        answers = "".join(f" --answer {shlex.quote(question.step)}=…" for question in questions)
        return f"understudy resume {shlex.join(words)}{answers}"


def drive(call: Call, run: str, go: Go, team: Team, journal: Path, changed: bool = False) -> Result:
    """Let a run go on until it ends or waits; with ``ask`` its questions are asked, and it goes on.

    Ctrl-C leaves it as it is recorded, and says how to go on; so does the end of the input while it waits.
    """
    result = _part(call, run, go)
    while call.ask and result.status == "waiting":
        question = result.questions[0]
        try:
            from .asking import answer_to

            answers = {question.key: answer_to(question)}
        except EOFError:
            break
        except KeyboardInterrupt:
            complain(f"\nanswer with: {call.resuming(run, result.questions)}")
            raise
        result = _part(call, run, _with(answers, team, run, journal, changed))
    return result


def _with(answers: dict[str, Any], team: Team, run: str, journal: Path, changed: bool) -> Go:
    def go(on_event: Callable[[Event], None], drain: Drain) -> Result:
        return team.resume_sync(
            run, changed=changed, answers=answers, journal=journal, on_event=on_event, drain=drain
        )

    return go


def _part(call: Call, run: str, go: Go) -> Result:
    try:
        with progress(call) as on_event, draining() as drain:
            return go(on_event, drain)
    except KeyboardInterrupt:
        complain(f"go on with: {call.resuming(run)}")
        raise


@contextmanager
def progress(call: Call) -> Iterator[Callable[[Event], None]]:
    """Who is told of events: with ``stream`` they are printed; else a spinner on stderr names the step under way.

    There is no spinner where stderr is no terminal.
    """
    if call.stream:
        from .watching import watcher

        yield watcher(call.as_json)
        return
    console = stderr()
    if call.as_json or not console.is_terminal:
        yield lambda event: None
        return
    with console.status("loading the backbone") as status:

        def tell(event: Event) -> None:
            step = getattr(event, "step", None)
            if step:
                status.update(str(step))

        yield tell


def present(result: Result, call: Call, title: str | None = None) -> None:
    """Print what a run came to, and how it goes on where it is not over; exit as it ended."""
    shown = run_object(result)
    if call.as_json:
        print_json({"kind": "Result", **shown} if call.stream else shown)
    else:
        stdout().print(run_view(shown, title))
    if result.status == "waiting":
        complain(f"answer with: {call.resuming(result.run, result.questions)}")
    elif result.status == "interrupted":
        complain(f"go on with: {call.resuming(result.run)}")
        raise typer.Exit(TERMINATED)
    elif result.status not in ("completed", "running"):  # it runs where only its record was looked at
        raise typer.Exit(FAILED)
