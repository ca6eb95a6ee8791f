"""``understudy knowledge``: the care of a store, and what its commands share; :mod:`.cli_knowledge` has the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from .cli_support import FAILED, JsonOption, complain, print_json, stderr, stdout
from .core.errors import UnderstudyError
from .objects import read_objects

if TYPE_CHECKING:
    from .knowledge.store import KnowledgeStore

StoreArgument = Annotated[Path, typer.Argument(metavar="STORE", help="The store's file.", show_default=False)]
NamespaceOption = Annotated[
    str | None, typer.Option("--namespace", metavar="NAME", help="Only this part of the store.", show_default=False)
]


@contextmanager
def opened_store(path: Path) -> Iterator[KnowledgeStore]:
    """The store to read. Raises UnderstudyError where there is none: opening it would make an empty one."""
    from .knowledge.store import KnowledgeStore

    if not path.is_file():
        mend = f"make it: understudy knowledge add {path} FILE…"
        raise UnderstudyError("there is no store", where=str(path), mend=mend)
    with damage(path), KnowledgeStore.open(path) as opened:
        yield opened


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """What SQLite says of a damaged file, a full disk or a store that others keep busy, as a sentence."""
    import sqlite3

    try:
        yield
    except sqlite3.Error as error:
        mend = f"see what is wrong with it: understudy knowledge check {path}"
        raise UnderstudyError(f"the store cannot be used: {error}", where=str(path), mend=mend) from None


@contextmanager
def bar(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on stderr, gone when the work is done."""
    console = stderr()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    verbs = {"read": "reading files", "embed": "embedding passages", "write": "writing passages"}
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as shown:
        task = shown.add_task("reading files", total=None)

        def progress(what: str, done: int, total: int) -> None:
            shown.update(task, description=verbs[what], completed=done, total=total)

        yield progress


def counted(number: int, what: str) -> str:
    """``1 passage``, ``2 passages``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def stats(store: StoreArgument, as_json: JsonOption = False) -> None:
    """How much a store holds, and what its vectors come from.

    `understudy knowledge stats desk.db`
    """
    with opened_store(store) as opened:
        told = {
            **opened.stats(),
            "namespaces": opened.namespaces(),
            "embedder": opened.embedder.name,
            "dimension": opened.embedder.dimension,
            "bytes": store.stat().st_size,
        }
    if as_json:
        print_json({"store": str(store)} | told)
        return
    for name, value in told.items():
        stdout().print(Text(f"{name:<12} {', '.join(value) if isinstance(value, list) else value}"), soft_wrap=True)


def check(store: StoreArgument, as_json: JsonOption = False) -> None:
    """Prove that passages, vectors, lexical index, entities and facts agree; exit 1 where they do not.

    `understudy knowledge check desk.db`
    """
    with opened_store(store) as opened:
        problems = opened.check()
    if as_json:
        print_json({"store": str(store), "problems": problems})
    else:
        for problem in problems:
            complain(problem)
        stdout().print("all agrees" if not problems else counted(len(problems), "problem"))
    if problems:
        raise typer.Exit(FAILED)


def rebuild(
    store: StoreArgument,
    embedder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="default, hashed, a folder or a hub id; the store's own without.", show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Embed all passages anew and build the lexical index anew.

    `understudy knowledge rebuild desk.db --embedder default`
    """
    from .knowledge.store import KnowledgeStore

    if not store.is_file():
        raise UnderstudyError("there is no store", where=str(store))
    with damage(store), bar(quiet=as_json) as progress, KnowledgeStore.rebuild(store, embedder, progress) as opened:
        passages, name = opened.stats()["passages"], opened.embedder.name
    if as_json:
        print_json({"store": str(store), "passages": passages, "embedder": name})
        return
    stdout().print(Text(f"{counted(passages, 'passage')} embedded by {name}"), soft_wrap=True)


def documents(store: StoreArgument, namespace: NamespaceOption = None, as_json: JsonOption = False) -> None:
    """The documents of a store, in the order in which they came.

    `understudy knowledge documents desk.db`
    """
    with opened_store(store) as opened:
        listed = opened.listing(namespace)
    if as_json:
        print_json({"store": str(store), "documents": listed})
        return
    for row in listed:
        told = f"{counted(row['passages'], 'passage')}, {counted(row['facts'], 'fact')}"
        named = "" if row["namespace"] == "default" else f"  ({row['namespace']})"
        stdout().print(Text.assemble(row["name"], named, (f"  {told}", "dim")), soft_wrap=True)


def compact(store: StoreArgument, as_json: JsonOption = False) -> None:
    """Give the disk back what was deleted.

    `understudy knowledge compact desk.db`
    """
    with opened_store(store) as opened:
        before, after = opened.compact()
    if as_json:
        print_json({"store": str(store), "bytes_before": before, "bytes": after})
        return
    stdout().print(f"{before / 1e6:.1f} MB before, {after / 1e6:.1f} MB now")


def delete(
    store: StoreArgument,
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help="Its name.", show_default=False)],
    namespace: Annotated[str, typer.Option(metavar="NAME", help="The part of the store it lies in.")] = "default",
    as_json: JsonOption = False,
) -> None:
    """Delete a document with all that only it supports.

    `understudy knowledge delete desk.db notes.md`
    """
    from difflib import get_close_matches

    with opened_store(store) as opened:
        if not opened.delete(document, namespace):
            names = opened.documents(namespace)
            close = get_close_matches(document, names, 3) or names[:5]
            raise UnderstudyError(
                f"there is no document {document!r} in the namespace {namespace}",
                where=str(store),
                mend=f"name one of {', '.join(close)}" if close else None,
            )
        stats = opened.stats()
    if as_json:
        print_json({"store": str(store), "deleted": document, "stats": stats})
        return
    remain = f"{counted(stats['passages'], 'passage')} and {counted(stats['facts'], 'fact')} remain"
    stdout().print(Text(f"{document} is gone; {remain}"), soft_wrap=True)


def export(
    store: StoreArgument,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .graphml or .nt.", show_default=False)],
    namespace: NamespaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the graph as GraphML (with sources and times) or as N-Triples.

    `understudy knowledge export desk.db desk.graphml`
    """
    from .knowledge.export import write

    with opened_store(store) as opened:
        count = write(opened.all_facts(namespace), out)
    if as_json:
        print_json({"store": str(store), "file": str(out), "facts": count})
        return
    stdout().print(Text(f"{counted(count, 'fact')} in {out}"), soft_wrap=True)


def evaluate(
    store: StoreArgument,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help='{"query": …, "titles": […]} a line, or "sources".', show_default=False),
    ],
    recipes: Annotated[
        list[str] | None, typer.Option("--recipe", metavar="NAME", help="All five without.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """How much of the evidence each recipe finds, with 95 % intervals.

    `understudy knowledge evaluate desk.db questions.jsonl`
    """
    from .knowledge import evaluation
    from .knowledge.retrieval import RECIPES

    asked = [evaluation.question(row, place) for place, row in read_objects(file)]
    if not asked:
        raise UnderstudyError("no question", where=str(file))
    console = stderr()
    columns = (TextColumn("searching"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        opened_store(store) as opened,
        Progress(*columns, console=console, transient=True, disable=as_json or not console.is_terminal) as shown,
    ):
        task = shown.add_task("", total=None)
        scores = evaluation.evaluate(
            opened,
            asked,
            recipes or list(RECIPES),
            progress=lambda done, total: shown.update(task, completed=done, total=total),
        )
    if as_json:
        print_json({"store": str(store), "questions": len(asked), "recipes": [asdict(score) for score in scores]})
        return
    table = Table(show_edge=False, pad_edge=False, header_style="dim", box=None, padding=(0, 2, 0, 0))
    table.add_column("recipe")
    for name in ("recall@2", "recall@5", "all@5", "ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for score in scores:
        shares = (score.recall[2], score.recall[5], score.complete[5])
        cells = [f"{100 * s.mean:.1f} [{100 * s.low:.1f}–{100 * s.high:.1f}]" for s in shares]
        table.add_row(score.recipe, *cells, f"{1000 * score.seconds:.1f}")
    stdout().print(table)


COMMANDS = (stats, documents, check, rebuild, compact, delete, export, evaluate)
