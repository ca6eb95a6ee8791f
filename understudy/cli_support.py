"""What all commands share: one JSON object or rich text on stdout, a user's mistake in one sentence on stderr."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from typer.core import TyperGroup

from .core.errors import UnderstudyError
from .objects import parse_object, read_text

if TYPE_CHECKING:
    from .workflows.drain import Drain

FAILED = 1
REFUSED = 2
INTERRUPTED = 130
TERMINATED = 143

_json_wanted = "understudy.json"


def _remember(context: typer.Context, value: bool) -> bool:
    context.meta[_json_wanted] = value
    return value


JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object and nothing else.", callback=_remember)
]
JournalOption = Annotated[
    Path | None,
    typer.Option(
        "--journal", metavar="DB", envvar="UNDERSTUDY_JOURNAL", help="The journal of runs.", show_default=False
    ),
]
FunctionsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--functions", metavar="FILE.py", show_default=False,
        help="A Python file that registers functions for the team's steps; it is run. May be given again.",
    ),
]
AllowOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--allow", metavar="FOLDER", show_default=False,
        help="A folder in which files may name places beside their own. May be given again.",
    ),
]
AskOption = Annotated[bool, typer.Option("--ask", help="Ask here what the run asks of a person.")]
StreamOption = Annotated[
    bool, typer.Option("--stream", help="Show what happens as it comes; with --json an event a line, the result last.")
]
DEFAULT_JOURNAL = Path(".understudy") / "journal.db"


class Face(TyperGroup):
    """The one place where errors become sentences and exit codes: 2 for a user's mistake, 130 for Ctrl-C."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except UnderstudyError as error:
            refuse(error, as_json=bool(ctx.meta.get(_json_wanted)))
        except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
            if error.filename is None:
                raise
            told = UnderstudyError(f"{error.strerror}".lower(), where=str(error.filename))
            refuse(told, as_json=bool(ctx.meta.get(_json_wanted)))
        except KeyboardInterrupt:
            complain("stopped")
            raise typer.Exit(INTERRUPTED) from None


def refuse(error: UnderstudyError, *, as_json: bool) -> NoReturn:
    """Say what is wrong, where, and how to mend it; exit 2. With ``as_json`` stdout has it as an object too."""
    complain(f"error: {error}")
    if as_json:
        told: dict[str, Any] = {"what": error.what, "where": error.where, "mend": error.mend}
        if hasattr(error, "problems"):
            told["problems"] = error.problems
        print_json({"error": told})
    raise typer.Exit(REFUSED) from None


def complain(sentence: str) -> None:
    """One plain line on stderr."""
    print(sentence, file=sys.stderr, flush=True)


def print_json(value: object) -> None:
    """One JSON object on one line of stdout; messages, paths and tuples become plain values."""
    plain = to_jsonable_python(value, fallback=str)
    text = json.dumps(plain, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, or a terminal that lacks the letter
        text = json.dumps(plain)
    print(text, flush=True)


def stdout() -> Console:
    """The console of answers. Made at call time, because tests and pipes replace ``sys.stdout``."""
    return Console(highlight=False, soft_wrap=False)


def stderr() -> Console:
    """The console of progress, so that stdout holds only what was asked for."""
    return Console(stderr=True, highlight=False)


@contextmanager
def share_bar(quiet: bool = False, what: str = "loading the backbone") -> Iterator[Callable[[float, str], None]]:
    """A progress bar on stderr; what it is told is a share from 0 to 1 and a word on what is being done."""
    console = stderr()
    if quiet or not console.is_terminal:
        yield lambda share, what: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(what, total=1.0)
        yield lambda share, what: shown.update(task, completed=share, description=what)


def use_functions(files: list[Path] | None) -> None:
    """Run the files of functions that ``--functions`` names, so that team files may name what they register."""
    from .workflows.calls import load_functions

    for file in files or ():
        load_functions(file)


def existing(journal: Path) -> Path:
    """The journal to read. Raises UnderstudyError where it is not there: opening it would make an empty one."""
    if not journal.is_file():
        raise UnderstudyError("there is no journal", where=str(journal), mend="name it with --journal DB")
    return journal


@contextmanager
def draining() -> Iterator[Drain]:
    """While a run goes on, SIGTERM has it finish what is under way and begin nothing more."""
    from .workflows.drain import Drain

    drain = Drain()
    if threading.current_thread() is not threading.main_thread():
        yield drain  # signals belong to the main thread
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: drain.request())
    try:
        yield drain
    finally:
        signal.signal(signal.SIGTERM, before)


def value_from(text: str, where: str) -> Any:
    """A value as it was typed: JSON where it is JSON, otherwise the text itself; ``@FILE`` for one in a file."""
    if text.startswith("@"):
        text, where = read_text(Path(text[1:])), text[1:]
    try:
        return json.loads(text)
    except ValueError:
        if text.lstrip()[:1] in ("{", "["):
            parse_object(text, where)
        return text
    except RecursionError:
        raise UnderstudyError("JSON that is nested too deeply", where=where) from None
