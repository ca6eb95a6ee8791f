"""Readouts of a role's choices and pointers of its spans, learned beside its heads.

How much each counts is what left-out demonstrations say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from .backbone import Backbone
from .bank import HeadBank
from .decoding import Call, Decoder, Reply
from .fields import Choice, Number, Record, Span, SpanValue, Text
from .filling import numbers_of
from .folds import Cohort
from .heads import Head
from .pointer import LONGEST, Pointer, learn_pointers, token_features
from .prompts import Prompt
from .reading import Place, Reading, Tokens, read
from .readout import ALONE, MIXES, Mix, choose_mix, learn_readouts, vectors_of

MOST = 32_768
"""Tokens of all demonstrations of a field that is pointed at, filled up to the longest: more are copied."""
Mixed = tuple[list[Head], dict[str, Mix]]


def with_readouts(
    backbone: Backbone,
    cohorts: Sequence[Cohort],
    learned: Mapping[str, Sequence[Head]],
    replies: Mapping[str, Sequence[Reply]],
) -> dict[str, Mixed]:
    """The heads of each role with readouts for its choices, and the mix of each field.

    Args:
        learned: name → the heads of the folds, and the one that learned from all.
        replies: name → what the folds' heads alone answered to what they left out.
    """
    return {
        cohort.name: _one(backbone, cohort, learned[cohort.name], replies[cohort.name]) for cohort in cohorts
    }


def reads_out(backbone: Backbone, cohort: Cohort) -> bool:
    """Whether every field of a role is a choice that a classifier can make, or stands where a pointer can find it."""
    choices = choices_of(cohort)
    readings = [read(example.prompt, backbone) for example in cohort.examples]
    return all(
        name in choices or Pointed.of(name, cohort, readings) is not None
        for name, _ in cohort.examples[0].record.fields
    )


def choices_of(cohort: Cohort) -> dict[str, tuple[str, ...]]:
    """The fields that are the same choice in every demonstration, among two options at least."""
    records = [dict(example.record.fields) for example in cohort.examples]
    return {
        name: field.options
        for name, field in records[0].items()
        if isinstance(field, Choice) and len(field.options) > 1 and all(other.get(name) == field for other in records)
    }


@dataclass(frozen=True)
class Pointed:
    """A field whose values stand in one message part of every demonstration.

    Attributes:
        texts: that part of each; ``places`` where the value stands, None where there is nothing.
        longest: tokens of a span at most; optional: whether there may be nothing, though no demonstration says so.
    """

    field: Span | Text | Number
    part: str
    texts: list[Tokens]
    places: list[Place | None]
    longest: int
    optional: bool

    @classmethod
    def of(cls, path: str, cohort: Cohort, readings: Sequence[Reading]) -> Pointed | None:
        """The field ``path`` as one to point at: a span, or a text or number that is copied; None: it is not."""
        field = dict(cohort.examples[0].record.fields)[path]
        if not isinstance(field, Span | Text | Number) or any(
            dict(example.record.fields).get(path) != field for example in cohort.examples
        ):
            return None
        values = [example.values[path] for example in cohort.examples]
        longest = LONGEST if isinstance(field, Number) else min(field.max_tokens, LONGEST)
        optional = isinstance(field, Span) and field.optional
        parts = readings[0].parts if not isinstance(field, Span) else () if field.part is None else (field.part,)
        for part in parts:
            texts = [reading.parts.get(part) for reading in readings]
            found = [
                (text, place)
                for text, value in zip(texts, values, strict=True)
                if text is not None and (place := _place(text, field, value)) is not None
            ]
            places = [place or None for _, place in found]
            size = len(found) * max((len(text.ids) for text, _ in found), default=0)
            short = size <= MOST and all(place is None or place[1] - place[0] < longest for place in places)
            if len(found) == len(values) and short and any(places):
                return cls(field, part, [text for text, _ in found], places, longest, optional)
        return None

    def said(self, at: int, pointer: Pointer, features: Tensor) -> Any:
        """The value that a pointer finds in text number ``at``, as it is decoded; "" for nothing."""
        text = self.texts[at]
        numbers = numbers_of(text, self.field) if isinstance(self.field, Number) else None
        place = pointer.point(features, numbers)[0]
        if place is None:
            return ""
        return numbers[place] if numbers is not None else text.span(0, *place).text


def _place(text: Tokens, field: Span | Text | Number, value: Any) -> Place | tuple[()] | None:
    """Where a value stands in a text, () for a value that is nothing, None where it does not stand there."""
    if value is None or value == "":
        return ()
    if isinstance(value, SpanValue):
        return text.cover(value)
    if isinstance(field, Number):
        return next((place for place, number in numbers_of(text, field).items() if number == value), None)
    return text.find(str(value))


def _one(backbone: Backbone, cohort: Cohort, heads: Sequence[Head], replies: Sequence[Reply]) -> Mixed:
    heads, mixes = _with_pointers(backbone, cohort, heads, replies)
    fields = choices_of(cohort)
    if not fields:
        return heads, mixes
    vectors = vectors_of(backbone, [example.prompt for example in cohort.examples])
    if not cohort.folds:
        found, chosen = _untested(backbone, cohort, heads[-1], fields, vectors)
    else:
        found, chosen = _with_classifiers(backbone, cohort, heads, replies, fields, vectors)
    return found, mixes | chosen


def _with_pointers(backbone: Backbone, cohort: Cohort, heads: Sequence[Head], replies: Sequence[Reply]) -> Mixed:
    """The heads with a pointer for all that is copied, but where the language model copies it plainly better."""
    found = list(heads)
    mixes: dict[str, Mix] = {}
    readings = [read(example.prompt, backbone) for example in cohort.examples]
    features: dict[str, list[Tensor]] = {}
    for path, _ in cohort.examples[0].record.fields:
        field = Pointed.of(path, cohort, readings)
        if field is None:
            continue
        if field.part not in features:
            features[field.part] = token_features(backbone, field.texts)
        known = features[field.part]
        pointers = learn_pointers(
            known, field.places, cohort.out, cohort.folds, field.longest, field.optional, field.part
        )
        choose = [True]
        if cohort.folds:
            wanted = [_text(example.values[path]) for example in cohort.examples]
            said = [field.said(at, pointers[fold], known[at]) for at, fold in enumerate(cohort.out.tolist())]
            mine = torch.tensor([one == other for one, other in zip(said, wanted, strict=True)]).float()
            theirs = torch.tensor([
                _text(reply.values.get(path)) == one for reply, one in zip(replies, wanted, strict=True)
            ]).float()  # fmt: skip
            # A fold's choice is made without its own answers to what it leaves out (those of other folds, which have
            # learned from that, take part; so what left-out answers promise is not strictly without it).
            kept = [*(cohort.out != fold for fold in range(cohort.folds)), torch.ones(len(mine), dtype=torch.bool)]
            choose = [bool((theirs - mine)[some].sum() <= int(some.sum()) ** 0.5 / 2) for some in kept]
        for at, pointed in enumerate(choose):
            if pointed:
                found[at] = replace(found[at], pointers={**found[at].pointers, path: pointers[at]})
        mixes[path] = ALONE if choose[-1] else MIXES[0]
    return found, mixes


def _text(value: Any) -> Any:
    return "" if value is None else getattr(value, "text", value)



def _with_classifiers(
    backbone: Backbone, cohort: Cohort, heads: Sequence[Head], replies: Sequence[Reply],
    fields: Mapping[str, tuple[str, ...]], vectors: Tensor,
) -> Mixed:  # fmt: skip
    nothing = _of_nothing(backbone, cohort, heads, fields)
    found = list(heads)
    mixes: dict[str, Mix] = {}
    for path, options in fields.items():
        targets = torch.tensor([options.index(example.values[path]) for example in cohort.examples])
        readouts = learn_readouts(backbone, vectors, options, targets, cohort.out, cohort.folds)
        own = torch.stack([readouts[fold].scores(vectors[at]) for at, fold in enumerate(cohort.out.tolist())])
        prior = nothing[path]
        lm, before = _picked(replies, path, options), prior[cohort.out]
        # A fold's mix is chosen without its own answers to what it leaves out, so that these can still be a test.
        others = [cohort.out != fold for fold in range(cohort.folds)]
        chosen = [choose_mix(lm[some], before[some], own[some], targets[some]) for some in others]
        chosen.append(choose_mix(lm, before, own, targets))
        mixes[path] = chosen[-1]
        for at, (head, mix) in enumerate(zip(found, chosen, strict=True)):
            if mix == MIXES[0]:
                continue
            less = {option: mix[2] * float(value) for option, value in zip(options, prior[at], strict=True)}
            own_part = {path: replace(readouts[at], mix=mix)} if mix[1] else {}
            prior_part = {path: less} if mix[2] else {}
            found[at] = replace(head, readouts={**head.readouts, **own_part}, prior={**head.prior, **prior_part})
    return found, mixes


def _untested(
    backbone: Backbone, cohort: Cohort, head: Head, fields: Mapping[str, tuple[str, ...]], vectors: Tensor
) -> Mixed:
    """One head, and readouts that count as they do where nothing says how much they should."""
    count = len(vectors)
    found = {}
    for path, options in fields.items():
        targets = torch.tensor([options.index(example.values[path]) for example in cohort.examples])
        learned = learn_readouts(backbone, vectors, options, targets, torch.arange(count), count)
        found[path] = replace(learned[-1], mix=ALONE)
    return [replace(head, readouts={**head.readouts, **found})], dict.fromkeys(fields, ALONE)


def _picked(replies: Sequence[Reply], path: str, options: Sequence[str]) -> Tensor:
    """What the language model said of each option, log-probabilities [K, O]."""
    rows = []
    for reply in replies:
        chances = next(pick.options for pick in reply.picks if pick.path == path)
        rows.append([math.log(max(chances[option], 1e-9)) for option in options])
    return torch.tensor(rows)


def _of_nothing(
    backbone: Backbone, cohort: Cohort, heads: Sequence[Head], fields: Mapping[str, tuple[str, ...]]
) -> dict[str, Tensor]:
    """What each head says of each option before it has read anything: field → log-probabilities [heads, O]."""
    bank = HeadBank(backbone.sites, rank=heads[0].rank)
    for head in heads:
        bank.add(head)
    first = cohort.examples[0]
    empty = Prompt((), (), tuple((name, "") for name, _ in first.prompt.message), first.prompt.role)
    record = Record(tuple((name, field) for name, field in first.record.fields if name in fields))
    replies = Decoder(backbone, bank, batch=32).decode([Call(empty, record, head.name) for head in heads])
    return {path: _picked(replies, path, options) for path, options in fields.items()}
