"""Kinds of decisions: each field's is known, their losses add up to what they were, and each can have its weight."""

from collections.abc import Callable

import pytest
import torch

from understudy.core.backbone import Backbone
from understudy.core.demonstrations import render
from understudy.core.fields import Choice, Number, Record, Text
from understudy.core.meta.kinds import KINDS, kind_of, kind_tasks
from understudy.core.meta.learner import spread
from understudy.core.meta.multitask import MultiTask
from understudy.core.meta.start import Start
from understudy.core.meta.tasks import head_tasks
from understudy.core.prompts import Example, Prompt
from understudy.core.trunk import upper_sites

RECORD = Record((("queue", Choice(("bug", "billing"))), ("count", Number(integer=True)), ("said", Text())))
SHORT = Record((("count", Number(integer=True)),))


def example(word: str, queue: str, count: int) -> Example:
    values = {"queue": queue, "count": count, "said": f"the {word}"}
    return Example(Prompt(message=(("text", f"the {word} {count} again"),)), RECORD, values)


EPISODES = [
    ([example("euro", "bug", 3), example("Lima", "billing", 42)], [example("Peru", "bug", 7)]),
    ([example("France", "billing", 5)], [example("capital", "billing", 1), example("month", "bug", 12)]),
]


def test_each_decision_has_the_kind_of_its_field(backbones: Callable[..., Backbone], everything: Example) -> None:
    found: dict[str, set[str]] = {}
    for decision in render(everything, backbones()).decisions:
        field = decision.path.partition("[")[0].partition("#")[0]
        found.setdefault(field, set()).add(kind_of(everything.record, decision.path))
    assert found == {
        "queue": {"classification"}, "capital": {"classification", "span"}, "animal": {"classification", "span"},
        "missing": {"classification"}, "said": {"generation"}, "count": {"number"}, "share": {"number"},
        "sql": {"generation"}, "tags": {"classification"}, "steps": {"classification", "span"},
        "none": {"classification"},
    }  # fmt: skip


@pytest.mark.parametrize("layers", ["top", "all"])
def test_the_kinds_of_a_task_add_up_to_its_loss(backbones: Callable[..., Backbone], layers: str) -> None:
    backbone = backbones()
    sites = upper_sites(backbone) if layers == "top" else ()
    start = Start.plain(backbone.sites, rank=2)
    start = start.on(sites) if sites else start
    flat = spread({name: tensor + 0.1 for name, tensor in start.tensors.items()}, 2)
    parts, whole = kind_tasks(backbone, EPISODES, sites), head_tasks(backbone, EPISODES, sites)
    assert parts.there.tolist() == [[True, True, True, False]] * 2
    for side, (apart, together) in enumerate(((parts.support_parts, whole.support), (parts.query_parts, whole.query))):
        for task, episode in enumerate(EPISODES):
            count = [0] * len(KINDS)
            for one in episode[side]:
                for decision in render(one, backbone).decisions:
                    count[KINDS.index(kind_of(RECORD, decision.path))] += 1
            mean = (apart(flat)[task] * torch.tensor(count)).sum() / sum(count)
            torch.testing.assert_close(mean, together(flat)[task], rtol=0.02, atol=0.02)  # passes run in bf16


def test_a_task_without_a_kind_does_not_count_in_it(backbones: Callable[..., Backbone]) -> None:
    only = Example(Prompt(message=(("text", "the euro 3"),)), SHORT, {"count": 3})
    tasks = kind_tasks(backbones(), [([only], [only]), EPISODES[0]])
    assert tasks.there.tolist() == [[False, True, False, False], [True, True, True, False]]


def test_a_kind_learns_by_its_weight(backbones: Callable[..., Backbone]) -> None:
    """Generation, classification and numbers in one objective: what has no weight is not learned."""
    backbone = backbones()
    tasks = kind_tasks(backbone, EPISODES)
    start = Start.plain(backbone.sites, rank=2).tensors
    fallen = {}
    for silent in ("", "number", "generation"):
        learner = MultiTask(start, parts=KINDS, weights={silent: 0.0} if silent else None, steps=0, rate=3e-2)
        steps = [learner.outer_step(tasks) for _ in range(6)]
        fallen[silent] = {kind: steps[-1][f"loss of {kind}"] / steps[0][f"loss of {kind}"] for kind in KINDS[:3]}
    assert max(fallen[""].values()) < 0.8
    for silent in ("number", "generation"):
        assert fallen[silent][silent] > fallen[""][silent] + 0.15
        assert fallen[silent]["classification"] < 0.8
