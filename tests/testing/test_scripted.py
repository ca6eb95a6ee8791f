"""Scripted agents: what they say, what they were asked, and how a script that does not fit is told."""

from typing import Any

import pytest

from understudy import Finding, Message, Retry, Task, UnderstudyError, Workflow, emit
from understudy.agents.messages import PlanRequest
from understudy.testing import Scripted, ScriptedAgent, ScriptError
from understudy.workflows.events import StepEmitted
from understudy.workflows.graph import WorkflowError


def coder(*replies: Any, **options: Any) -> ScriptedAgent:
    return ScriptedAgent("coder", list(replies), **{"takes": Task, "gives": Finding, **options})


def asking(**options: Any) -> Workflow:
    flow = Workflow("asking", takes=Task)
    flow.step("coder", **options)
    return flow


def run(agent: ScriptedAgent, request: str = "2 + 2", **options: Any) -> Any:
    return asking(**options).run_sync(Task(request=request), agents={"coder": agent})


def test_it_gives_the_replies_in_order_and_remembers_what_it_was_asked() -> None:
    agent = coder(Finding(answer="4"), {"answer": "6", "values": ["6"]}, "8")
    answers = [run(agent, f"{number} + {number}").value for number in (2, 3, 4)]
    assert answers == [Finding(answer="4"), Finding(answer="6", values=("6",)), Finding(answer="8")]
    assert agent.asked == [Task(request="2 + 2"), Task(request="3 + 3"), Task(request="4 + 4")]
    assert (agent.unused(), agent.mistakes()) == ((), ())
    agent.verify()


async def test_a_function_answers_plain_or_async() -> None:
    async def later(task: Task) -> str:
        return task.request.upper()

    agent = coder(lambda task: task.request * 2, later)
    assert [(await agent.handle(Task(request="a"))).answer for _ in range(2)] == ["aa", "A"]  # type: ignore[attr-defined]
    always = ScriptedAgent("coder", lambda task: Finding(answer=task.request))
    with always:
        for _ in range(3):
            assert await always.handle(Task(request="b")) == Finding(answer="b")
    assert len(always.asked) == 3


def test_errors_are_raised_and_may_be_retried() -> None:
    failed = run(coder(ValueError("no such table")))
    assert (failed.status, failed.error) == ("failed", "step coder: ValueError: no such table")
    agent = coder(TimeoutError, lambda task: ConnectionError("reset"), "4")
    result = run(agent, retry=Retry(attempts=3, wait=0))
    assert (result.status, result.steps[0].attempts, len(agent.asked)) == ("completed", 3, 3)


async def test_parts_are_shown_and_tokens_counted() -> None:
    agent = coder(Scripted("4", emit=["fo", "ur"], tokens=12))
    events = [event async for event in asking().stream(Task(request="?"), agents={"coder": agent})]
    assert [event.part for event in events if isinstance(event, StepEmitted)] == ["fo", "ur"]
    result: Any = events[-1]
    assert (result.usage.tokens, result.usage.calls) == (12, 1)
    emit("nobody watches")


@pytest.mark.parametrize(
    "expect",
    [
        Task(request="2 + 2"), {"request": "2 + 2"}, {}, "2 + 2", Task, lambda task: task.request.startswith("2"),
        lambda task: None,
    ],
)  # fmt: skip
def test_what_is_expected_is_asked(expect: Any) -> None:
    with coder(Scripted("4", expect=expect)) as agent:
        assert run(agent).status == "completed"


def _asserting(task: Task) -> None:
    assert task.request == "3", "another sum"


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        (Task(request="3 + 3"), "Task.request: expected '3 + 3', got '2 + 2'"),
        ({"request": "3 + 3"}, "Task.request: expected '3 + 3', got '2 + 2'"),
        ({"requst": "2 + 2"}, "Task: it has no field 'requst'; did you mean 'request'?"),
        ("3 + 3", "Task.request: expected '3 + 3', got '2 + 2'"),
        (Task(request="2 + 2", given=("1",)), "Task.given: expected 1 items, got 0: ()"),
        (Finding, "Task: expected a Finding, got Task(request='2 + 2')"),
        (Finding(answer="4"), "Task: expected Finding(answer='4'), got Task(request='2 + 2')"),
        (lambda task: task.request == "3", "Task: <lambda> does not hold of Task(request='2 + 2')"),
        (_asserting, "Task: AssertionError: another sum"),
    ],
)  # fmt: skip
def test_another_message_fails_with_what_differs(expect: Any, told: str) -> None:
    with pytest.raises(ScriptError) as caught, coder(Scripted("4", expect=expect)) as agent:
        result = run(agent)
        assert result.status == "failed" and told in result.error
    assert str(caught.value).splitlines()[0] == "coder: reply 1 expects something else than what was asked:"
    assert told in str(caught.value).splitlines()[1]
    assert isinstance(caught.value, AssertionError)


def test_long_texts_are_shown_under_each_other() -> None:
    expected = "The total of the first three orders of this week"
    agent = coder(Scripted("4", expect=f"{expected} is wanted by noon"))
    run(agent, f"{expected} is wanted by night")
    with pytest.raises(ScriptError) as caught:
        agent.verify()
    lines = [line.strip() for line in str(caught.value).splitlines()]
    assert f"- {expected} is wanted by noon" in lines and f"+ {expected} is wanted by night" in lines
    assert any(line.startswith("?") and "^" in line for line in lines)


def test_a_script_that_is_used_up_fails_though_the_run_goes_on() -> None:
    flow = Workflow("many", takes=Task)
    flow.each(flow.input.given, agent="coder", input={"request": flow.item}, failure="collect", at_once=1)
    agent = coder("one")
    result = flow.run_sync(Task(request="?", given=("a", "b")), agents={"coder": agent})
    assert result.status == "completed"
    with pytest.raises(ScriptError, match=r"coder: its script of 1 reply is used up, and it was asked Task\(req.*'b"):
        agent.verify()
    with pytest.raises(ScriptError, match="it has no script, and it was asked"), coder() as silent:
        run(silent)


def test_replies_that_nobody_asked_for_are_named() -> None:
    replies = ["4", Scripted({"answer": "6"}, expect="?"), OSError("full")]
    with pytest.raises(ScriptError) as caught, coder(*replies) as agent:
        run(agent)
    assert str(caught.value).splitlines() == [
        "coder: 2 of its 3 replies were not asked for:",
        "  reply 2, Finding(answer='6')",
        "  reply 3, OSError('full')",
    ]


def test_the_error_of_the_test_itself_goes_first() -> None:
    with pytest.raises(KeyError), coder("4"):
        raise KeyError("of the test")


def test_replies_have_the_type_that_the_agent_gives() -> None:
    with pytest.raises(ScriptError, match=r"coder: reply 2, Task\(request='x'\), is no Finding"):
        coder("4", Task(request="x"))
    with pytest.raises(ScriptError, match="reply 1: answr"):
        coder({"answer": "4", "answr": "4"})
    with pytest.raises(ScriptError, match="reply 1: it takes|reply 1: a request"):
        coder(4)
    agent = coder(lambda task: Task(request="x"))
    run(agent)
    with pytest.raises(ScriptError, match="reply 1, Task.* is no Finding"):
        agent.verify()
    unknown = ScriptedAgent("coder", ["4"], takes=Task)
    run(unknown)
    with pytest.raises(ScriptError, match="reply 1, '4', is no message; say what it gives="):
        unknown.verify()
    for script in ("4", Finding(answer="4"), {"answer": "4"}, None):
        with pytest.raises(UnderstudyError, match="is no script; give replies="):
            ScriptedAgent("coder", script)  # type: ignore[arg-type]


async def test_it_takes_only_what_it_says() -> None:
    agent = coder("4")
    with pytest.raises(ScriptError, match="it takes Task, and was asked Finding"):
        await agent.handle(Finding(answer="4"))


def test_its_types_are_known_to_the_checks_before_a_run() -> None:
    class Words(Message):
        words: str

    def count(words: Words) -> int:
        return len(words.words)

    flow = Workflow("typed", takes=Task)
    flow.step("coder", name="write")
    flow.step(count)
    agent = coder("4")
    with pytest.raises(WorkflowError, match="Finding"):
        flow.run_sync(Task(request="?"), agents={"coder": agent})
    assert agent.asked == []
    fitting = coder(Words(words="four"), gives=Words)
    assert flow.run_sync(Task(request="?"), agents={"coder": fitting}).value == 4
    planner = coder("4", takes=PlanRequest)
    assert planner.takes is PlanRequest
