"""The planner: steps in the words of the request, each said once, and able to stand alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from understudy.agents.messages import CastMember, Plan, PlanRequest
from understudy.agents.planner import Planner
from understudy.agents.role import Context
from understudy.core.backbone import Backbone
from understudy.core.demonstrations import render
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Record, SpanValue
from understudy.core.prompts import Example, Prompt
from understudy.knowledge import KnowledgeStore
from understudy.origin import folder_of


@pytest.fixture
def graph() -> Iterator[Context]:
    with KnowledgeStore.open(":memory:", "hashed") as store:
        store.add_facts([("Chad", "borders", "Niger"), ("Chad", "lies_in", "Africa"), ("Chad", "speaks", "French")])
        yield Context(store)


def run(message: PlanRequest, context: Context, answer: Callable[[Prompt], dict[str, Any]]) -> Plan:
    """The plan that the role makes of a head's answer."""

    async def ask(prompt: Prompt, record: Record) -> Any:
        return SimpleNamespace(values=answer(prompt), confidence=0.75, tokens=1, seconds=0.0)

    plan = asyncio.run(Planner().handle(message, context, ask))
    assert isinstance(plan, Plan)
    return plan


def test_the_plan_holds_the_words_of_the_request() -> None:
    cast = (CastMember(name="qa", does="looks up facts"), CastMember(name="coder", does="SQL"))
    text = "Which neighbours of Chad speak French?"

    def answer(prompt: Prompt) -> dict[str, Any]:
        assert prompt.part("cast") == "qa: looks up facts; coder: SQL"
        first = SpanValue(0, 6, 24, text[6:24])
        whole = SpanValue(0, 0, len(text), text)
        return {
            "steps": [
                {"agent": "qa", "request": first, "needs": []},
                {"agent": "coder", "request": whole, "needs": [1]},
            ]
        }

    plan = run(PlanRequest(request=text, cast=cast), Context(), answer)
    assert isinstance(plan, Plan) and plan.confidence == 0.75
    assert [(step.agent, step.request, step.needs) for step in plan.steps] == [
        ("qa", "neighbours of Chad", ()),
        ("coder", text, (1,)),
    ]


def planned(text: str, context: Context, *steps: tuple[str, str, list[int]]) -> list[tuple[str, str, tuple[int, ...]]]:
    """The plan made of these steps: agent, words of the request, needs."""
    cast = (CastMember(name="qa", does="looks up facts"), CastMember(name="coder", does="SQL"))
    spans = [SpanValue(0, text.index(words), text.index(words) + len(words), words) for _, words, _ in steps]
    given = [
        {"agent": agent, "request": span, "needs": needs}
        for (agent, _, needs), span in zip(steps, spans, strict=True)
    ]  # fmt: skip
    plan = run(PlanRequest(request=text, cast=cast), context, lambda prompt: {"steps": given})
    return [(step.agent, step.request, step.needs) for step in plan.steps]


def test_a_pronoun_is_given_the_name_that_another_step_has(graph: Context) -> None:
    text = "What is the capital of Chad, and how many people live there?"
    nothing: list[int] = []
    steps = (("qa", "What is the capital of Chad", nothing), ("coder", "how many people live there", nothing))
    said = planned(text, graph, *steps)
    assert said[1] == ("coder", "Chad: how many people live there", ())
    bare = planned(text, Context(), *steps)
    assert bare[1][1] == "how many people live there", "without a store nothing is known by name"


def test_a_step_that_is_said_twice_is_done_once(graph: Context) -> None:
    text = "neighbours of Chad, how many of them are large"
    twice = ("qa", "neighbours of Chad", list[int]())
    said = planned(text, graph, twice, twice, ("coder", text, [2]))
    assert said == [("qa", "neighbours of Chad", ()), ("coder", text, (1,))]


def test_a_plan_needs_a_cast_and_a_request() -> None:
    with pytest.raises(UnderstudyError, match="needs a cast"):
        Planner().prepare(PlanRequest(request="x", cast=()), Context())
    with pytest.raises(UnderstudyError, match="request is empty"):
        Planner().prepare(PlanRequest(request="  ", cast=(CastMember(name="a", does="b"),)), Context())


def test_a_step_may_have_the_whole_of_a_long_request() -> None:
    backbone = Backbone.load(str(folder_of("default")))
    text = "My aunt told me at some length about her garden, her knees and her neighbours. " * 12 + "How large is Chad?"
    assert len(backbone.encode(text)) > 200
    cast = (CastMember(name="coder", does="SQL"),)
    prompt, record = Planner().prepare(PlanRequest(request=text, cast=cast), Context())
    step = {"agent": "coder", "request": SpanValue(0, 0, len(text), text), "needs": []}
    assert render(Example(prompt, record, {"steps": [step]}), backbone).decisions
