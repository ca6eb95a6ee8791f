"""``understudy knowledge``: what goes into a store and what comes out of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from .cli_store import NamespaceOption, StoreArgument, bar, counted, damage, opened_store
from .cli_support import JsonOption, complain, print_json, stdout
from .core.errors import UnderstudyError
from .objects import read_objects

if TYPE_CHECKING:
    from .knowledge.extraction import Extractor
    from .knowledge.results import Fact, Hop, Result
    from .knowledge.store import KnowledgeStore

knowledge = typer.Typer(
    no_args_is_help=True, help="A store of passages and facts: add, search, show, query, stats, check, rebuild, …"
)
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="Only facts that held then: 2009, 2009-01-20.", show_default=False),
]
# What a document may hold and no terminal should obey: escape sequences, and turns of the writing's direction.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
RecipeOption = Annotated[str, typer.Option("--recipe", metavar="NAME", help="lexical, dense, hybrid, graph or auto.")]


@knowledge.command()
def add(
    store: StoreArgument,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files, folders, globs.", show_default=False)],
    namespace: Annotated[str, typer.Option(metavar="NAME", help="The part of the store they go into.")] = "default",
    embedder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="For a new store: default (the shipped backbone), hashed (no model), a folder or a hub id.",
            show_default=False,
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Said about all of them; repeat for more.", show_default=False),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Read files anew that have not changed.")] = False,
    pattern: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FORM=RELATION",
            help="A sentence that states a relation: '{subject} is the capital of {object}=capital_of'.",
            show_default=False,
        ),
    ] = None,
    extractor: Annotated[
        str | None,
        typer.Option(metavar="ROLE", help="A learned role that says how two names are related.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Add files to a store, made where there is none. The same again changes nothing.

    Text, Markdown, HTML, PDF, tables (CSV, JSON, JSONL), triples (CSV, N-Triples) and GraphML.

    `understudy knowledge add desk.db briefs.csv borders.csv notes/`

    `understudy knowledge add desk.db 'archive/**/*.md' --namespace archive --set year=2019`
    """
    from .knowledge.documents import find
    from .knowledge.filters import parsed
    from .knowledge.store import KnowledgeStore

    metadata = {key: value["eq"][-1] for key, value in parsed(set_ or []).items() if "eq" in value}
    if len(metadata) != len(set_ or []):
        raise UnderstudyError("--set takes KEY=VALUE, each key once", mend="write --set year=2019")
    find(paths)  # a path that is not there is no reason to make a store
    finder = _extractor(pattern or [], extractor)
    with damage(store), KnowledgeStore.open(store, embedder, finder) as opened, bar(quiet=as_json) as progress:
        added = opened.add(*paths, namespace=namespace, metadata=metadata, again=again, progress=progress)
        stats = opened.stats()
    if as_json:
        print_json(asdict(added) | {"store": str(store), "stats": stats})
        return
    told = f"{counted(added.documents, 'document')}, {counted(added.passages, 'passage')}"
    told += f", {counted(added.facts, 'new fact')}"
    stdout().print(told + (f"; {added.unchanged} unchanged" if added.unchanged else ""))
    if added.unchanged and (metadata or pattern or extractor):
        complain("what was unchanged has nothing of the new options; --again reads it anew")
    for duplicate in added.duplicates[:20]:
        complain(f"nearly the same ({duplicate.likeness:.0%}): {duplicate.source} and {duplicate.other}")
    if len(added.duplicates) > 20:
        complain(f"and {len(added.duplicates) - 20} more near duplicates (--json names all)")


def _extractor(patterns: Sequence[str], role: str | None) -> Extractor:
    from .knowledge.extraction import RuleExtractor
    from .knowledge.patterns import RelationPattern

    if role is None:
        return RuleExtractor(map(RelationPattern.parsed, patterns))
    if patterns:
        raise UnderstudyError("--pattern and --extractor are two ways to find facts", mend="give one of them")
    from .head_extractor import HeadExtractor
    from .solo import open_solo

    return HeadExtractor(open_solo(role))


@knowledge.command()
def search(
    store: StoreArgument,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="A question.", show_default=False)] = None,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="How many passages.")] = 5,
    recipe: RecipeOption = "auto",
    queries: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help='Many questions, {"query": …} a line; prints one object a line.', show_default=False
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="CONDITION", help="On metadata: lang=en, 'year>=2000'.", show_default=False),
    ] = None,
    namespace: NamespaceOption = None,
    as_of: AsOfOption = None,
    diversity: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="How much results must differ from each other.")
    ] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Find passages, each with its source and the way through the graph that led to it.

    `understudy knowledge search desk.db "Who borders Peru?" --k 3`

    `understudy knowledge search desk.db --queries questions.jsonl --recipe hybrid`
    """
    from .knowledge.filters import parsed

    if (text is None) == (queries is None):
        raise UnderstudyError("give a TEXT or --queries FILE, one of the two")
    options: dict[str, Any] = {
        "where": parsed(where or []),
        "namespace": namespace,
        "as_of": as_of,
        "diversity": diversity,
    }
    with opened_store(store) as opened:
        if queries is not None:
            for asked in _asked(queries):
                found = opened.search(asked, k, recipe, **options)
                print_json({"query": asked, "results": [result_object(result) for result in found]})
            return
        found = opened.search(text or "", k, recipe, **options)
    if as_json:
        print_json({"query": text, "recipe": recipe, "results": [result_object(result) for result in found]})
        return
    for number, result in enumerate(found, 1):
        tell(Text.assemble(f"{number}. ", (result.title, "bold"), (f"  {result.source}", "dim")), 3)
        for line in result.text.splitlines():
            tell(Text(f"   {line}"), 3)
        if len(result.path) > 1:
            tell(Text(f"   {way(result.path)}", style="dim"), 3)
    if not found:
        complain("nothing found")


@knowledge.command()
def show(
    store: StoreArgument,
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="A name or alias.", show_default=False)],
    namespace: NamespaceOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is known about an entity: its names and kinds, its facts, and the passages that name it.

    `understudy knowledge show desk.db Peru`
    """
    from .knowledge.tables import ALIAS, KIND

    with opened_store(store) as opened:
        name = opened.resolve(entity)
        if name is None:
            known = opened.entities()
            raise UnderstudyError(f"there is no entity {entity!r}", where=str(store), mend=_meant(entity, known))
        facts = opened.facts(name, names=True, as_of=as_of, namespace=namespace)
        naming = opened.naming(name, namespace=namespace)
    kinds = [fact.object for fact in facts if fact.relation == KIND and fact.subject == name]
    aliases = [fact.object for fact in facts if fact.relation == ALIAS and fact.subject == name]
    told = [fact for fact in facts if fact.relation not in (KIND, ALIAS)]
    if as_json:
        print_json(
            {"entity": name, "kinds": kinds, "aliases": aliases, "facts": [asdict(fact) for fact in told]}
            | {"passages": [{"title": r.title, "source": r.source, "text": r.text} for r in naming]}
        )
        return
    tell(Text.assemble((name, "bold"), f"  {', '.join(kinds)}" if kinds else ""))
    if aliases:
        tell(Text(f"also called {', '.join(aliases)}"))
    for fact in told:
        tell(fact_line(fact))
    for result in naming[:10]:
        tell(Text.assemble(("named in ", "dim"), result.title, (f"  {result.source}", "dim")))
    if len(naming) > 10:
        tell(Text(f"and in {counted(len(naming) - 10, 'more passage')}", style="dim"))


@knowledge.command()
def query(
    store: StoreArgument,
    patterns: Annotated[str, typer.Argument(metavar="PATTERNS", help="Triples with ?variables.", show_default=False)],
    limit: Annotated[int, typer.Option(min=1, help="Answers at most.")] = 100,
    namespace: NamespaceOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the graph: what the variables can be so that all the triples are facts.

    `understudy knowledge query desk.db '?country borders Peru . ?country capital ?city'`
    """
    with opened_store(store) as opened:
        answers = opened.query(patterns, limit=limit, namespace=namespace, as_of=as_of)
        unknown = [] if answers else _unknown(opened, patterns)
    if as_json:
        print_json({"query": patterns, "answers": answers})
        return
    for answer in answers:
        tell(Text("  ".join(f"{name}: {value}" for name, value in answer.items()) or "yes"))
    if not answers:
        complain("no answer")
        for sentence in unknown:
            complain(sentence)


@knowledge.command()
def paths(
    store: StoreArgument,
    start: Annotated[str, typer.Argument(metavar="ENTITY", help="Where the ways begin.", show_default=False)],
    goal: Annotated[str, typer.Argument(metavar="ENTITY", help="Where they end.", show_default=False)],
    longest: Annotated[int, typer.Option(min=1, max=6, help="Facts on a way at most.")] = 3,
    limit: Annotated[int, typer.Option(min=1, help="Ways at most.")] = 10,
    namespace: NamespaceOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """The ways from one entity to another along facts, the shortest first.

    `understudy knowledge paths desk.db Peru Venezuela`
    """
    with opened_store(store) as opened:
        for name in (start, goal):
            if opened.resolve(name) is None:
                mend = _meant(name, opened.entities())
                raise UnderstudyError(f"there is no entity {name!r}", where=str(store), mend=mend)
        ways = opened.paths(start, goal, longest, limit=limit, namespace=namespace, as_of=as_of)
    if as_json:
        print_json({"start": start, "goal": goal, "paths": [[asdict(fact) for fact in facts] for facts in ways]})
        return
    for facts in ways:
        tell(Text("; ".join(str(fact) for fact in facts)))
    if not ways:
        complain(f"no way of at most {counted(longest, 'fact')}")


def _asked(file: Path) -> list[str]:
    """The questions of a file; all are read before the first is answered."""
    questions = []
    for place, row in read_objects(file):
        if not isinstance(row.get("query"), str):
            raise UnderstudyError('no text "query"', where=place, mend='write {"query": "…"}')
        questions.append(row["query"])
    return questions


def tell(text: Text, indent: int = 2) -> None:
    """A line of an answer; what does not fit on the terminal goes on below, indented. A pipe gets one line."""
    out = stdout()
    text.plain = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.plain)
    if not out.is_terminal:
        out.print(text, soft_wrap=True)
        return
    for number, line in enumerate(text.wrap(out, max(20, out.width - indent))):
        out.print(Text(" " * indent if number else "") + line, soft_wrap=True)


def result_object(result: Result) -> dict[str, Any]:
    """A result as JSON: ``span`` is the passage's place in its document's text."""
    return {
        "title": result.title,
        "text": result.text,
        "source": result.source,
        "span": [result.start, result.end],
        "score": result.score,
        "path": [asdict(hop) for hop in result.path],
        "document": result.document,
        "namespace": result.namespace,
        "headings": result.headings,
        "metadata": result.metadata,
    }


def way(path: Sequence[Hop]) -> str:
    """The way to a passage in one line: ``Peru —borders→ Chile → briefs.csv#Chile``."""
    text = path[0].name
    for hop in path[1:]:
        relation = hop.relation.replace("_", " ")
        arrow = "→" if not relation else f"—{relation}→" if hop.forward else f"←{relation}—"
        text += f" {arrow} {hop.name}"
    return text


def fact_line(fact: Fact) -> Text:
    """A fact with its times and its source."""
    times = f" ({fact.valid_from or '…'} to {fact.valid_until or '…'})" if fact.valid_from or fact.valid_until else ""
    return Text.assemble(f"{fact}{times}", (f"  {fact.source}", "dim"))


def _unknown(store: KnowledgeStore, patterns: str) -> list[str]:
    """What no fact of the store has that a query names: subjects and relations."""
    from .knowledge.matching import parsed

    relations = sorted({fact.relation for fact in store.all_facts()})
    told = []
    for subject, relation, _ in parsed(patterns):
        if not subject.startswith("?") and store.resolve(subject) is None:
            close = _meant(subject, store.entities())
            told.append(f"there is no entity {subject!r}" + (f"; {close}" if close else ""))
        if not relation.startswith("?") and relation.replace(" ", "_") not in relations and relation not in relations:
            close = _meant(relation, relations)
            told.append(f"there is no relation {relation!r}" + (f"; {close}" if close else ""))
    return told


def _meant(name: str, known: Sequence[str]) -> str | None:
    from difflib import get_close_matches

    close = get_close_matches(name, known, 3)
    return f"did you mean {', '.join(close)}?" if close else None
