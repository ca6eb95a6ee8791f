"""The recommender: things liked become a ranking of others, each with the facts in common as its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..core.fields import Choice, ListOf, Record
from ..core.prompts import Prompt

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


def compose(mentioned: Sequence[str], candidates: Sequence[str], facts: Facts, request: str) -> tuple[Prompt, Record]:
    """What the recommender reads and may write; the same for a training example and for a call.

    Of each candidate only the facts that it shares with something mentioned are shown, of what is mentioned only
    those that some candidate shares.

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
    listed = "; ".join(_line(name, common[name]).removesuffix(": ") for name in candidates)
    record = Record(
        (
            ("liked", ListOf(Choice(tuple(mentioned)), 0, max(1, len(mentioned)), distinct=True)),
            ("places", ListOf(Choice(tuple(candidates)), min(PLACES, len(candidates)), min(PLACES, len(candidates)),
                              distinct=True)),
        )
    )  # fmt: skip
    return Prompt(message=(("mentioned", named), ("candidates", listed), ("request", request)), role="recommend"), record
