"""Demonstrations as token ids with the decisions that a head must learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .backbone import Backbone
from .filling import Choose, Filler, Follow, Write
from .prompts import Example
from .reading import read


@dataclass(frozen=True)
class Decision:
    """Token ``at`` was decided among ``allowed`` ids; empty stands for the whole vocabulary.

    ``path``: the field that it decides, as ``steps[0].who``.
    """

    at: int
    allowed: tuple[int, ...]
    path: str = field(default="", compare=False)


@dataclass(frozen=True)
class Rendered:
    """Attributes:
    ids: prompt and answer as tokens.
    role_at: index of the role marker.
    answer_at: index of the first token of the answer.
    decisions: the tokens that were decided; the others are forced and carry no loss.
    """

    ids: tuple[int, ...]
    role_at: int
    answer_at: int
    decisions: tuple[Decision, ...]


def render(example: Example, backbone: Backbone) -> Rendered:
    """The example's tokens, by the same procedure by which the decoder will fill its record.

    Raises:
        UnderstudyError: a value is missing, is not among its options, or does not lie in its source.
    """
    reading = read(example.prompt, backbone)
    ids = list(reading.ids)
    decisions: list[Decision] = []
    filling = Filler(backbone, reading).record(example.record, example.values)
    answer: int | tuple[float, ...] | None = None
    end = backbone.markers.end
    try:
        while True:
            action = filling.send(answer)
            answer = None
            if isinstance(action, Write):
                ids.extend(action.ids)
            elif isinstance(action, Choose):
                assert action.target is not None
                answer = action.target
                if action.weighed:
                    answer = tuple(float(at == action.target) for at in range(len(action.options)))
                decisions += _branches(action.options, action.target, len(ids), action.path)
                ids.extend(action.options[action.target])
            elif isinstance(action, Follow):
                assert action.target is not None
                answer = action.target
                for token in (*action.target, end):
                    allowed = tuple(action.constraint.allowed())
                    if len(allowed) != 1:
                        decisions.append(Decision(len(ids), allowed, action.path))
                    if token != end:
                        action.constraint.advance(token)
                        ids.append(token)
    except StopIteration:
        return Rendered(tuple(ids), reading.role_at, len(reading.ids), tuple(decisions))


def _branches(options: Sequence[tuple[int, ...]], target: int, at: int, path: str) -> list[Decision]:
    """The decisions on the way down the trie of ``options`` to option ``target``."""
    decisions = []
    left = list(options)
    for depth, token in enumerate(options[target]):
        children = tuple(dict.fromkeys(option[depth] for option in left))
        if len(children) > 1:
            decisions.append(Decision(at + depth, children, path))
        left = [option for option in left if option[depth] == token]
    return decisions
