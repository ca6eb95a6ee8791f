"""The recommender: things liked become a ranking of others, each with the facts in common as its reason."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import UnderstudyError
from ..core.fields import Choice, Grades, ListOf, Record
from ..core.prompts import Prompt
from .messages import Message, Place, Ranking, Source, Task
from .role import Ask, Context, Role, sure
from .wording import as_read

if TYPE_CHECKING:
    from ..knowledge import KnowledgeStore

DOES = "suggests what to try or where to go next from what somebody liked"
PLACES = 3

Facts = Mapping[str, Sequence[tuple[str, str]]]  # name → (relation, other end)


def shared(name: str, mentioned: Sequence[str], facts: Facts) -> list[tuple[str, str]]:
    """The facts of ``name`` that one of ``mentioned`` has too, and those that lead to one of them."""
    known = {fact for other in mentioned for fact in facts.get(other, ())}
    return [fact for fact in facts.get(name, ()) if fact in known or fact[1] in mentioned]


def _line(name: str, facts: Sequence[tuple[str, str]]) -> str:
    groups: dict[str, list[str]] = {}
    for relation, other in facts:
        groups.setdefault(relation.replace("_", " "), []).append(other)
    return f"{name}: " + ", ".join(f"{relation} {' + '.join(others)}" for relation, others in groups.items())


def ranked(grades: Mapping[str, float]) -> list[str]:
    """The best ``PLACES`` by their grades, in the order given where grades are equal."""
    return sorted(grades, key=lambda name: -grades[name])[:PLACES]


def compose(mentioned: Sequence[str], candidates: Sequence[str], facts: Facts, request: str) -> tuple[Prompt, Record]:
    """What the recommender reads and may write; the same for a training example and for a call.

    Of each candidate only the facts that it shares with something mentioned are shown, right where it is graded; of
    what is mentioned only those that some candidate shares.

    Args:
        mentioned: the things that the request names or earlier steps gave.
        candidates: the things that may be suggested.
        facts: the facts of both.
        request: what was asked.
    """
    common = {name: shared(name, mentioned, facts) for name in candidates}
    used = {fact for found in common.values() for fact in found}
    named = "; ".join(
        _line(name, [fact for fact in facts.get(name, ()) if fact in used]).removesuffix(": ") for name in mentioned
    )
    listed = tuple(_line(name, common[name]).removesuffix(": ") for name in candidates)
    record = Record(
        (
            ("liked", ListOf(Choice(tuple(mentioned)), 0, max(1, len(mentioned)), distinct=True)),
            ("places", Grades(tuple(candidates), shown=listed)),
        )
    )
    return Prompt(message=(("mentioned", named), ("request", request)), role="recommend"), record


CANDIDATES = 8


class Recommender(Role):
    """The shipped role ``recommender``: takes a :class:`Task`, gives a :class:`Ranking` with the facts in common.

    What the request names, and what stands in the file of the option ``history`` (a CSV with the names in its first
    column), is never suggested.
    """

    def __init__(self) -> None:
        super().__init__("recommender", DOES, Task, Ranking)

    def prepare(self, message: Any, context: Context) -> tuple[Prompt, Record]:
        """See :func:`compose`. Raises UnderstudyError where nothing that the graph knows is named."""
        mentioned, candidates, facts = self.choices(message, context)
        if not mentioned:
            raise UnderstudyError("the request names nothing that the graph knows", where=self.name,
                                  mend="name something that was liked")  # fmt: skip
        if not candidates:
            raise UnderstudyError(f"nothing has a fact in common with {', '.join(mentioned)}", where=self.name)
        return compose(mentioned, candidates, facts, as_read(message.request))

    def choices(self, message: Any, context: Context) -> tuple[list[str], list[str], Facts]:
        """What was mentioned, what may be suggested (in alphabetical order), and the facts of both."""
        store = context.store
        if store is None:
            raise UnderstudyError(
                "the recommender has no graph", where=self.name, mend="give the team knowledge: {add: [FILE]}"
            )
        named = [mention.entity for mention in store.link(message.request)]
        named += [name for value in message.given if (name := store.resolve(value))]
        mentioned = _same_kind(store, list(dict.fromkeys(named)))
        visited = {store.resolve(name) or name for name in history(context.options.get("history"))}
        weights: dict[str, float] = {}
        for name in mentioned:
            for relation, other in _own(store, name):
                alike = [fact.subject for fact in store.facts(other, relation) if fact.object == other]
                for found in (*alike, other):
                    weights[found] = weights.get(found, 0.0) + 1.0 / (1 + len(alike))
        kinds = {kind for name in mentioned for kind in store.kinds(name)}
        able = (
            name for name in sorted(weights, key=lambda name: (-weights[name], name))
            if name not in mentioned and name not in visited and (not kinds or kinds & set(store.kinds(name)))
        )  # fmt: skip
        best = list(islice(able, CANDIDATES))
        return mentioned, sorted(best), {name: _own(store, name) for name in (*mentioned, *best)}

    def finish(self, values: Mapping[str, Any], message: Any, context: Context) -> Message:
        """The ranking; the reasons of each place are the facts that it shares with what was liked."""
        mentioned, _, facts = self.choices(message, context)
        return _ranking(values, mentioned, facts)

    async def handle(self, message: Any, context: Context, ask: Ask) -> Message:
        """As any role; where the request names nothing, or nothing is like it, the ranking is empty and abstained."""
        mentioned, candidates, facts = self.choices(message, context)
        if not mentioned or not candidates:
            known = ", ".join(mentioned)
            answer = f"nothing is like {known}" if known else "the request names nothing that I know"
            return Ranking(answer=answer, abstained=True, liked=(), places=())
        reply = await ask(*compose(mentioned, candidates, facts, as_read(message.request)))
        return sure(_ranking(reply.values, mentioned, facts), reply.confidence)


def _ranking(values: Mapping[str, Any], mentioned: Sequence[str], facts: Facts) -> Ranking:
    liked = tuple(values["liked"])
    places, sources = [], []
    for name in ranked(values["places"]):
        common = shared(name, liked or mentioned, facts)
        reasons = tuple(f"{relation.replace('_', ' ')} {other}" for relation, other in common)
        places.append(Place(name=name, score=round(values["places"][name], 3), reasons=reasons))
        sources += [Source(title=name, text=f"{name} {reason}", source="graph") for reason in reasons]
    names = tuple(place.name for place in places)
    return Ranking(answer=", ".join(names), values=names, sources=tuple(sources), liked=liked, places=tuple(places))


def _own(store: KnowledgeStore, name: str) -> list[tuple[str, str]]:
    """The facts of which ``name`` is the subject, as (relation, other end)."""
    return [(fact.relation, fact.object) for fact in store.facts(name) if fact.subject == name]


def _same_kind(store: KnowledgeStore, names: list[str]) -> list[str]:
    """The named things that can be liked: those with facts of their own, of the kind of the first of them."""
    able = [name for name in names if len(_own(store, name)) > 1]
    kinds = [set(store.kinds(name)) for name in able]
    first = next((kind for kind in kinds if kind), set())
    return [name for name, kind in zip(able, kinds, strict=True) if not first or first & kind]


def history(path: Any) -> list[str]:
    """The names in the first column of a CSV file, its header left out; none where no file is given.

    Raises UnderstudyError where it cannot be read as CSV in UTF-8.
    """
    if not path:
        return []
    try:
        with Path(str(path)).open(encoding="utf-8-sig", newline="") as file:
            return [row[0].strip() for row in csv.reader(file) if row][1:]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        mend = "give option history a CSV file in UTF-8"
        raise UnderstudyError(f"the history cannot be read: {error}", where=str(path), mend=mend) from None
