"""A comparison: one role learned from the learned start, from a plain one, and by words alone, on the same messages."""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .agents.messages import filled
from .agents.role import Context, Demonstration
from .agents.role_document import as_given
from .core.adaptation import adapt
from .core.bank import HeadBank
from .core.decoding import Call, Decoder
from .core.errors import UnderstudyError
from .core.meta.start import Start
from .evaluation import Rate, compare_fields
from .unseen import message_key
from .word_rules import WORDS, Answer, Rule, Values, regression, require_words
from .workflows.learning import Method, start_of

if TYPE_CHECKING:
    from .agents.role import Role
    from .core.backbone import Backbone
    from .core.heads import Head
    from .workflows.learning import OnProgress

LEARNED, PLAIN = "learned start", "plain start"
CONFIDENT = 0.9
FOLDS, FEWEST = 3, 4
"""Parts into which a role's own demonstrations are dealt: one of every three with the same answer in each, so that what
is learned from has them as often as they are. With one left out at a time its answer would be the rarer, and logistic
regression on a handful of each says what is commoner. Of fewer messages than ``FEWEST`` none are left out."""


@dataclass(frozen=True)
class Outcome:
    """What was answered to all messages, and what it took.

    Attributes:
        answers: in the order of the messages.
        learning: seconds to learn; ``asking``: seconds for all messages.
        bytes: of what was learned, on disk; None where nothing is kept.
        left_out: accuracy on left-out demonstrations, where it is measured.
    """

    answers: tuple[Answer, ...]
    learning: float = 0.0
    asking: float = 0.0
    bytes: int | None = None
    left_out: float | None = None


@dataclass(frozen=True)
class Figures:
    """What an :class:`Outcome` comes to.

    Attributes:
        fields, whole: how often each field, and all of them, were right, of all messages.
        answered: how many were confident enough, of all; ``wrong``: of those.
        confident_errors: wrong with a confidence of ``CONFIDENT`` or more.
        learning, asking: seconds to learn, and of one message.
        bytes, left_out: see :class:`Outcome`.
    """

    fields: Mapping[str, Rate]
    whole: Rate
    answered: Rate
    wrong: int
    confident_errors: int
    learning: float
    asking: float
    bytes: int | None
    left_out: float | None

    @classmethod
    def of(cls, outcome: Outcome, wanted: Sequence[Values]) -> Figures:
        """Compare the answers with what is ``wanted`` of each message; a field that is not in it is not counted."""
        answers = outcome.answers
        same = [compare_fields(want, answer.values) for answer, want in zip(answers, wanted, strict=True)]
        whole = [all(fields.values()) for fields in same]
        return cls(
            {name: Rate.of(one[name] for one in same if name in one) for name in {n: 0 for one in same for n in one}},
            Rate.of(whole),
            Rate.of(answer.answered for answer in answers),
            sum(answer.answered and not right for answer, right in zip(answers, whole, strict=True)),
            sum(answer.confidence >= CONFIDENT and not right for answer, right in zip(answers, whole, strict=True)),
            outcome.learning, outcome.asking / max(1, len(wanted)), outcome.bytes, outcome.left_out,
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """As ``learn --compare --json`` prints them."""
        return {
            "fields": {name: rate.as_json() for name, rate in self.fields.items()},
            "whole": self.whole.as_json(),
            "answered": self.answered.as_json(),
            "wrong_of_answered": self.wrong,
            "seconds": round(self.learning, 3),
            "seconds_a_message": round(self.asking, 4),
            "bytes": self.bytes,
        }


@dataclass(frozen=True)
class Comparison:
    """Who answers → figures, all on the same ``messages``, which were left out by ``folds`` turns; 0: they are others.

    ``learned_start``: whether the backbone has one; without it both starts are the same.
    """

    figures: Mapping[str, Figures]
    messages: int
    folds: int
    learned_start: bool

    def as_json(self) -> dict[str, Any]:
        """As ``learn --compare --json`` prints it under ``comparison``."""
        arms = {name: figures.as_json() for name, figures in self.figures.items()}
        return {"messages": self.messages, "folds": self.folds, "learned_start": self.learned_start, "who": arms}


def compare(
    role: Role, head: Head, backbone: Backbone, unseen: Sequence[Demonstration], method: Method | None = None,
    on_progress: OnProgress | None = None, words: bool = True,
) -> Comparison:  # fmt: skip
    """``head``, which was learned for ``role`` by ``method``, beside its rivals on messages that none has seen.

    Without ``words`` the rival that needs scikit-learn is left out.
    Raises UnderstudyError where scikit-learn is wanted and not installed.
    """
    if words:
        require_words()
    method = method or Method()
    takes, wanted = [one.takes for one in unseen], [one.gives for one in unseen]
    start = start_of(backbone, method)
    outcomes = {
        LEARNED: outcome_of(head, backbone, role, takes),
        PLAIN: learned(backbone, plain_as(start, backbone), role, takes, method, _part(on_progress, PLAIN, 0, 1)),
    }
    if words:
        outcomes[WORDS] = timed(regression, role, takes)
    figures = {name: Figures.of(outcome, wanted) for name, outcome in outcomes.items()}
    return Comparison(figures, len(unseen), 0, _is_learned(start, method))


def plain_as(start: Start, backbone: Backbone) -> Start:
    """A plain start whose heads are as large as those of ``start``, so that not the size but the start is compared."""
    rank = next(int(up.shape[1]) for up in start.stack().up.values())
    return Start.plain(backbone.sites, rank)


def require_enough(role: Role) -> None:
    """Raise UnderstudyError where a role has too few demonstrations, repeated ones counted once, to leave some out."""
    messages = len({message_key(one.takes) for one in role.demonstrations})
    if messages < FEWEST:
        different = " different" if messages < len(role.demonstrations) else ""
        what = f"{messages}{different} demonstrations are too few to leave some out"
        raise UnderstudyError(what, where=role.name, mend="give --on a file of messages that it has not seen")


def cross_validate(
    role: Role, backbone: Backbone, method: Method | None = None, on_progress: OnProgress | None = None
) -> Comparison:
    """The same on the role's own demonstrations: they are dealt into parts, and each is answered by those that have
    learned from the others alone. Seconds are the mean of a turn, bytes the most of one.

    Raises UnderstudyError where there are too few, or scikit-learn is not installed.
    """
    require_words()
    require_enough(role)
    method = method or Method()
    shown = role.demonstrations
    parts = dealt(shown)
    start = start_of(backbone, method)
    plain = plain_as(start, backbone)
    turns: dict[str, list[Outcome]] = {LEARNED: [], PLAIN: [], WORDS: []}
    for number, part in enumerate(parts):
        rest = replace(role, demonstrations=tuple(one for at, one in enumerate(shown) if at not in part))
        takes = [shown[at].takes for at in part]
        for place, (name, begin) in enumerate(((LEARNED, start), (PLAIN, plain))):
            told = f"part {number + 1} of {len(parts)}, {name}"
            telling = _part(on_progress, told, 2 * number + place, 2 * len(parts))
            turns[name].append(learned(backbone, begin, rest, takes, method, telling))
        turns[WORDS].append(timed(regression, rest, takes))
    wanted = [typed(role, shown[at].gives) for part in parts for at in part]
    figures = {name: Figures.of(_joined(outcomes), wanted) for name, outcomes in turns.items()}
    return Comparison(figures, len(shown), len(parts), _is_learned(start, method))


def dealt(shown: Sequence[Demonstration]) -> list[list[int]]:
    """Positions in parts of about one size, those with the same answer in different parts.

    All that show one message are dealt together: nobody may learn from the message that it is then asked.
    """
    alike: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for at, one in enumerate(shown):
        alike.setdefault(message_key(one.takes), []).append(at)
    groups = list(alike.values())
    random.Random(0).shuffle(groups)
    groups.sort(key=lambda group: json.dumps(dict(shown[group[0]].gives), sort_keys=True, default=str))
    return [sorted(at for group in groups[part::FOLDS] for at in group) for part in range(FOLDS)]


def asked_with(backbone: Backbone, head: Head | None, role: Role, messages: Sequence[Values]) -> tuple[Answer, ...]:
    """What a head, or the bare backbone, answers to each message."""
    bank = HeadBank(backbone.sites)
    if head is not None:
        bank.add(head)
    prepared = [role.prepare(role.takes.model_validate(dict(one)), Context()) for one in messages]
    replies = Decoder(backbone, bank).decode([Call(*one, head.name if head else "") for one in prepared])
    kinds = dict(role.record.fields)
    threshold = head.threshold if head else 0.0
    return tuple(
        Answer(
            {name: as_given(value, kinds[name]) for name, value in reply.values.items()},
            reply.confidence,
            reply.confidence >= threshold,
        )
        for reply in replies
    )


def learned(
    backbone: Backbone, start: Start, role: Role, messages: Sequence[Values], method: Method | None = None,
    on_progress: OnProgress | None = None,
) -> Outcome:  # fmt: skip
    """Adapt a head from a start, then ask it."""
    method = method or Method()

    def on_step(step: int, steps: int, loss: float) -> None:
        if on_progress is not None:
            on_progress(step / max(steps, 1), f"step {step} of {steps}")

    head, _ = adapt(backbone, role.examples(), start, role.name, layers=method.layers, activation=method.activation,
                    on_step=on_step)  # fmt: skip
    return outcome_of(replace(head, role=role.document()), backbone, role, messages)


def outcome_of(head: Head, backbone: Backbone, role: Role, messages: Sequence[Values]) -> Outcome:
    """Ask a head that is learned; what learning took is in its report."""
    with tempfile.TemporaryDirectory() as folder:
        size = head.save(Path(folder) / "head")
    began = time.perf_counter()
    answers = asked_with(backbone, head, role, messages)
    asking = time.perf_counter() - began
    return Outcome(answers, head.report["seconds"], asking, size, head.report["accuracy"])


def timed(rule: Rule, role: Role, messages: Sequence[Values]) -> Outcome:
    """A rival that reads the text of the demonstrations and needs no backbone."""

    def text(takes: Values) -> str:
        return "\n".join(str(value) for value in takes.values())

    shown = [(text(one.takes), typed(role, one.gives)) for one in role.demonstrations]
    began = time.perf_counter()
    answers = rule([takes for takes, _ in shown], [gives for _, gives in shown], [text(one) for one in messages])
    return Outcome(tuple(answers), learning=time.perf_counter() - began)


def typed(role: Role, gives: Values) -> dict[str, Any]:
    """The values of a demonstration in the types of the role's fields: a CSV file has texts."""
    return filled(role.gives.model_validate(dict(gives)))


def _is_learned(start: Start, method: Method) -> bool:
    return method.start is not None or start.rates is not None


def _joined(turns: Sequence[Outcome]) -> Outcome:
    sizes = [turn.bytes for turn in turns if turn.bytes is not None]
    return Outcome(
        tuple(answer for turn in turns for answer in turn.answers),
        sum(turn.learning for turn in turns) / len(turns), sum(turn.asking for turn in turns), max(sizes, default=None),
    )  # fmt: skip


def _part(on_progress: OnProgress | None, name: str, number: int, of: int) -> OnProgress:
    """Tells how far the whole is, of ``of`` equal parts, from how far part ``number`` is."""

    def tell(share: float, what: str) -> None:
        if on_progress is not None:
            on_progress((number + share) / of, f"{name}, {what}")

    return tell
