"""The reader: a question is answered by a span of a passage or of a fact of the graph, or not at all."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..core.errors import UnderstudyError
from ..core.fields import Record, Span, SpanValue
from ..core.prompts import Passage, Prompt
from .links import fold, stems
from .marginal import marginal
from .messages import Finding, Message, Source, Task
from .role import Ask, Context, Role, sure
from .wording import as_read

if TYPE_CHECKING:
    from ..knowledge import KnowledgeStore

DOES = "looks up facts about one thing in texts and a graph: neighbours, people, what belongs to what"
LONGEST_LIST = 18


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
    names, at = [], len(head) + 2
    for name in objects:
        names.append((at, at + len(name)))
        at += len(name) + 2
    return Passage("", f"{head}: {', '.join(objects)}", "graph", tuple(names), listed=True)


@dataclass(frozen=True)
class Evidence:
    """A passage, the entity it is about, and for facts of the graph the values in it and where these come from."""

    passage: Passage
    about: str
    values: tuple[str, ...] = ()


def fact_passages(name: str, facts: Iterable[tuple[str, str, str]]) -> list[Passage]:
    """All facts (subject, relation, object) about one entity as passages, those that say nothing new left out.

    See :func:`fact_evidence`.
    """
    return [evidence.passage for evidence in fact_evidence(name, facts)]


def fact_evidence(name: str, facts: Iterable[tuple[str, str, str]]) -> list[Evidence]:
    """Facts about ``name``, those of a relation and direction together.

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
    evidence = []
    for incoming, groups in ((False, out), (True, into)):
        for relation, others in groups.items():
            others = list(dict.fromkeys(others))
            if incoming and set(others) == set(out.get(relation, ())) or len(others) > LONGEST_LIST:
                continue
            evidence.append(Evidence(fact_passage(name, relation, others, incoming), name, tuple(others)))
    return evidence


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


MOST_FACTS = 6
REACH = 3
"""How many times as many texts as are read are looked through, where some of them are not to be read."""
_NOTHING = "not in my sources"


class Reader(Role):
    """The shipped role ``qa``: takes a :class:`Task`, gives a :class:`Finding` that rests on a span of its evidence.

    Options: ``passages`` (how many texts are read, 5 where nothing is said; two fewer beside facts of the graph).
    """

    def __init__(self) -> None:
        super().__init__("qa", DOES, Task, Finding)

    def prepare(self, message: Any, context: Context) -> tuple[Prompt, Record]:
        """See :func:`compose`; the evidence is what the store finds for the request."""
        return _composed(self.evidence(message, context), message)

    def evidence(self, message: Any, context: Context) -> list[Evidence]:
        """Facts about the entities that the task names, then passages, the best first: see :func:`_own`."""
        store = context.store
        if store is None:
            raise UnderstudyError(
                "the reader has no knowledge", where="qa", mend="give the team knowledge: {add: [FILE]}"
            )
        named = [store.resolve(value) for value in message.given]
        for mention in store.link(message.request):  # "Finnish" is a language, and what is of Finland
            named += [mention.entity, *mention.others[:1]]
        facts: list[Evidence] = []
        for name in [name for name in dict.fromkeys(named) if name][:4]:
            told = [(fact.subject, fact.relation, fact.object) for fact in store.facts(name)]
            facts += [
                found for found in fact_evidence(name, told) if all(found.values != other.values for other in facts)
            ]
        facts = _nearest(facts, message.request)
        query = " ".join((message.request, *message.given[:4]))
        k = int(context.options.get("passages", 5))
        k = max(1, k - 2) if facts else k
        texts = [
            Evidence(Passage(found.title, found.text, found.source), found.title)
            for found in store.search(query, REACH * k)
        ]
        own = _own(texts, message.request, [name for name in named if name], store)[:k]
        return facts + [replace(one, passage=_with_names(one.passage, store)) for one in own]

    async def handle(self, message: Any, context: Context, ask: Ask) -> Message:
        """The answer that is likeliest over all passages on which it may rest: :func:`.marginal.marginal`."""
        evidence = self.evidence(message, context)

        def same(span: SpanValue) -> Hashable:
            values = _values(span.text, evidence[span.source], context) if evidence else (span.text,)
            return frozenset(map(_key, values))

        span, confidence = await marginal(ask, *_composed(evidence, message), same)
        return sure(_finding(span, evidence, context), confidence)

    def finish(self, values: Mapping[str, Any], message: Any, context: Context) -> Message:
        """The span of a single reading as an answer with its source; abstained where the head found none."""
        return _finding(values["answer"], self.evidence(message, context), context)


def _key(value: str) -> str:
    """What is the same of a value however it is written; signs of figures and of money count."""
    folded = fold(value)
    return folded if folded and not any(letter.isdigit() for letter in value) else value.strip().casefold()


def _composed(evidence: Sequence[Evidence], message: Any) -> tuple[Prompt, Record]:
    passages = [one.passage for one in evidence] or [Passage("", "nothing was found")]
    return compose(passages, as_read(message.request), message.given)


def _finding(span: SpanValue | None, evidence: Sequence[Evidence], context: Context) -> Finding:
    if span is None or not evidence or not span.text.strip():
        return Finding(answer=_NOTHING, abstained=True)
    found = evidence[span.source]
    passage = found.passage
    source = Source(title=passage.title or found.about, text=passage.text, source=passage.source,
                    start=span.start, end=span.end)  # fmt: skip
    return Finding(answer=span.text.strip(), values=_values(span.text, found, context), sources=(source,))


def _with_names(passage: Passage, store: KnowledgeStore) -> Passage:
    """With where known names of several words stand in it: an answer has them whole, not "Thai" of "Thai baht"."""
    text = passage.text
    return replace(passage, names=tuple((m.start, m.end) for m in store.link(text) if " " in text[m.start : m.end]))


def _nearest(facts: list[Evidence], request: str) -> list[Evidence]:
    """At most ``MOST_FACTS``, those first dropped whose words the request has none of; the order is kept."""
    if len(facts) <= MOST_FACTS:
        return facts
    asked = set(fold(request).split())
    ranked = sorted(range(len(facts)), key=lambda at: (-len(asked & set(fold(facts[at].passage.text).split())), at))
    return [facts[at] for at in sorted(ranked[:MOST_FACTS])]


def _own(texts: Sequence[Evidence], request: str, named: Collection[str], store: KnowledgeStore) -> list[Evidence]:
    """The texts without those about another thing of the same kind as one that is named and has a text here.

    What is asked of Laos is not told by the text about Cambodia. All stay where nothing says of what kind things are,
    and where a thing of that kind is asked for: which country was once part of Sudan?
    """
    told = {text.about: store.resolve(text.about) for text in texts}
    own = {kind for name in told.values() if name and name in named for kind in store.kinds(name)}
    own -= {kind for kind in own if fold(kind) in {stem for word in fold(request).split() for stem in stems(word)}}
    if not own:
        return list(texts)

    def other(name: str | None) -> bool:
        return name is not None and name not in named and bool(own & set(store.kinds(name)))

    return [text for text in texts if not other(told[text.about])]


def _values(text: str, found: Evidence, context: Context) -> tuple[str, ...]:
    """The values in an answer: those of the facts that it names, the entities that it lists, or the answer itself."""
    text = text.strip()
    if found.values:
        inside = tuple(value for value in found.values if value in text)
        return inside or (text,)
    pieces = [piece.strip() for part in text.split(",") for piece in part.split(" and ") if piece.strip()]
    store = context.store
    if len(pieces) > 1 and store is not None:
        linked = tuple(dict.fromkeys(mention.entity for mention in store.link(text)))
        if len(linked) > 1:
            return linked
    return (text,)
