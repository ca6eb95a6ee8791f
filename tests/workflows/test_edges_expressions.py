"""Types of what expressions read, in inputs, conditions and outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.workflows.edge_steps import Order, of, planned, priced, text, told
from understudy.agents.messages import Finding
from understudy.workflows.flow import Workflow
from understudy.workflows.refs import Ref, length
from understudy.workflows.schema import check_text


def test_paths_of_expressions() -> None:
    def build(path: str) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            flow.step(planned)
            flow.step(lambda value: value, name="use", input={"value": of(path)})

        return built

    wrong = {
        "planned.stepz": "planned has no 'stepz': it is Plan; did you mean 'steps'?",
        "planned.steps.requests": "planned.steps has no 'requests': it is tuple[PlannedStep, ...]; "
                                  "did you mean 'request'?",
        "planned.steps[0].needs.of": "planned.steps[0].needs has no 'of': it is tuple[int, ...]; ",
        "input.item.upper": "input.item has no 'upper': it is a text; ",
        "input['iten']": "input has no 'iten': it is Order; did you mean 'item'?",
        "planned[0]": "planned has no element 0: it is Plan; take one of its fields: steps, confidence",
        "planned.steps['request']": "planned.steps has no element 'request': it is tuple[PlannedStep, ...]; "
                                    "give its number, from 0",
        "input.count[0]": "input.count has no element 0: it is a whole number; ",
        "len(input.count) > 1": "input.count has no length: it is a whole number; ",
        "input.item > 3": "there is no order between input.item, a text and 3, a whole number; "
                          "compare two numbers, or two texts",
        "input.kind == 'newer'": "input.kind is never 'newer': it is 'new' | 'old'; did you mean 'new'?",
        "[input.iten, {'a': not input.cuont}]": "input has no 'iten': it is Order; did you mean 'item'?",
    }  # fmt: skip
    for path, what in wrong.items():
        assert told(build(path))[:1] == [f"steps.use.input.value: {what}"], path
    fine = (
        "planned.steps.needs", "planned.steps[-1].request", "len(planned.steps) > input.count", "input.item < 'm'",
        "planned.confidence >= 0.5 and planned.steps[0].agent == 'qa'", "{'a': [input.note, 1.5]}.a",
        "'a' in input.item", "input.note != null and input.note > 'a'", "input.kind == 'new' or not input.item",
        "input.kind == 'something else'",
        "team.whatever", "input.item[0]", "planned['steps']",
    )  # fmt: skip
    assert [told(build(path)) for path in fine] == [[]] * len(fine)


def test_a_field_of_a_type_that_derives_from_the_one_that_is_said() -> None:
    def found() -> Finding: ...

    def build(name: str) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            flow.step(found)
            flow.step(text, input={"said": of(f"found.{name}")})

        return built

    assert told(build("sql")) == [], "it may be a Query"
    assert told(build("sqll")) != []


def test_output_expressions() -> None:
    flow = Workflow("w", takes=Order, output={"cost": Ref("priced").total, "note": Ref("input").nte})
    flow.step(priced)
    assert [f"{one.path}: {one.what}" for one in flow.check()] == [
        "output.cost: priced has no 'total': it is a number", "output.note: input has no 'nte': it is Order",
    ]  # fmt: skip


def test_conditions() -> None:
    def build(flow: Workflow) -> None:
        plan = flow.step(planned)
        flow.route(plan, "$end", when=plan.confidnce > 0.5)
        flow.route(plan, "$end", when=length(plan.confidence) > 1)
        flow.route(plan, "$end")

    assert told(build) == [
        "steps.planned.routes[0].when: planned has no 'confidnce': it is Plan; did you mean 'confidence'?",
        "steps.planned.routes[1].when: planned.confidence has no length: it is a number; ",
    ]


@pytest.mark.parametrize(
    ("template", "given", "told"),
    [
        ("{answer} has {peces}", "answer: input.request, pieces: input.request", "{peces}, which is not given; did"),
        ("{a} and {a}", "", "{a}, which is not given; add a: …"),
        ("{answer} {{5}} {5}", "answer: input.request", None),
    ],
)
def test_what_a_template_lacks_is_found_before_the_run(template: str, given: str, told: str | None) -> None:
    more = f", {given}" if given else ""
    found = check_text(f"""\
schema: understudy/team/v1
team: desk
input: {{request: text}}
workflow:
  start: tell
  steps:
    tell: {{call: fill, input: {{template: {{value: "{template}"}}{more}}}, then: $end}}
""")
    assert [told in str(one) for one in found] == [True] if told else not found
    assert not found or "workflow.steps.tell.input.template" in str(found[0])
