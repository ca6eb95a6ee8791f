"""The reader: a question is answered by a span of a passage or of a fact of the graph, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..core.fields import Record, Span
from ..core.prompts import Passage, Prompt

DOES = "looks up facts about one thing in texts and a graph: neighbours, people, what belongs to what"
LONGEST_LIST = 16


def fact_passage(subject: str, relation: str, objects: Sequence[str], incoming: bool = False) -> Passage:
    """Facts with the same end, as one passage: ``France borders: Andorra, Belgium`` or ``capital of France: Paris``.

    Args:
        subject: the entity that the question names.
        relation: its name, underscores as blanks.
        objects: the other ends.
        incoming: ``subject`` is what the others point to.
    """
    words = relation.replace("_", " ")
    head = f"{words} {subject}" if incoming else f"{subject} {words}"
    return Passage("", f"{head}: {', '.join(objects)}", "graph")


def fact_passages(name: str, facts: Iterable[tuple[str, str, str]]) -> list[Passage]:
    """All facts (subject, relation, object) about one entity as passages, those that say nothing new left out.

    A relation that holds both ways with the same entities is shown once; lists longer than ``LONGEST_LIST`` are a
    table's matter and left out.
    """
    out: dict[str, list[str]] = {}
    into: dict[str, list[str]] = {}
    for subject, relation, other in facts:
        if subject == name:
            out.setdefault(relation, []).append(other)
        elif other == name:
            into.setdefault(relation, []).append(subject)
    passages = []
    for incoming, groups in ((False, out), (True, into)):
        for relation, others in groups.items():
            others = list(dict.fromkeys(others))
            if incoming and set(others) == set(out.get(relation, ())) or len(others) > LONGEST_LIST:
                continue
            passages.append(fact_passage(name, relation, others, incoming))
    return passages


def compose(passages: Sequence[Passage], request: str, given: Sequence[str] = ()) -> tuple[Prompt, Record]:
    """What the reader reads and may write; the same for a training example and for a call.

    Args:
        passages: the evidence, texts and facts of the graph.
        request: the question.
        given: what earlier steps found.
    """
    message = [("question", request)]
    if given:
        message.append(("given", ", ".join(given[:6])))
    record = Record((("answer", Span(optional=True, max_tokens=96)),))
    return Prompt(passages=tuple(passages), message=tuple(message), role="answer"), record
