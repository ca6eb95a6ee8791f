"""The harness: what a run was given and gave, the way it took, persons, and where a script does not fit the run."""

import asyncio
from typing import Any

import pytest

from understudy import Finding, Limits, Message, Task, UnderstudyError, Workflow, effect_key, emit
from understudy.agents.agent import Agent
from understudy.agents.role import Role
from understudy.testing import FakeClock, Harness, Scripted, ScriptedAgent, ScriptError
from understudy.workflows.events import RunFinished, StepStarted


class Brief(Message):
    topic: str


class Text(Message):
    text: str


def review() -> Workflow:
    """A draft that is reviewed, and written again once at most."""
    flow = Workflow("review", takes=Task)
    draft = flow.step("writer", name="draft", input={"request": flow.input.request})
    verdict = flow.ask(draft.answer, choices=["good", "again"], name="verdict")
    flow.route(verdict, draft, when=verdict == "again", at_most=1)
    flow.route(verdict, "send")
    flow.step(lambda draft: f"sent: {draft.answer}", name="send", after=[])
    return flow


def writer(*replies: Any) -> dict[str, Any]:
    return {"writer": ScriptedAgent("writer", replies, takes=Task, gives=Finding)}


def test_the_way_of_a_run_and_what_each_step_was_given_and_gave() -> None:
    harness = Harness(review(), writer("one", "two"))
    run = harness.run_sync("write", answers={"verdict": iter(["again", "good"])})
    assert run.status == "completed" and run.value == "sent: two"
    assert run.path == ["draft", "verdict", "draft", "verdict", "send"]
    run.assert_path("draft", "verdict", "draft", "verdict", "send")
    assert [finding.answer for finding in run.steps["draft"].outputs] == ["one", "two"]
    assert run.steps["draft"].input == {"request": "write"} and run.steps["draft"].begun == 2
    assert run.steps["verdict"].outputs == ["again", "good"]
    assert run.steps["verdict"].inputs[0]["question"] == "one"
    assert list(run.steps) == ["draft", "verdict", "send"] and len(run.steps) == 3
    assert harness.agents["writer"].asked == [Task(request="write")] * 2
    assert isinstance(run.events[-1], RunFinished) and run.repeated == []
    assert run.output == {"value": "sent: two"} and run.result.run == "run-1"


def test_another_way_is_told_readably() -> None:
    run = Harness(review(), writer("one")).run_sync("write", answers={"verdict": "good"})
    with pytest.raises(ScriptError) as caught:
        run.assert_path("draft", "send")
    assert str(caught.value).splitlines()[1:] == ["  expected draft → send", "  it went  draft → verdict → send"]
    with pytest.raises(ScriptError, match="there is no step 'drft'; did you mean 'draft'"):
        run.steps["drft"]
    flow = Workflow("short")
    flow.step(lambda value: 1 / 0, name="first")
    flow.step(lambda value: value, name="second")
    run = Harness(flow).run_sync(1)
    with pytest.raises(ScriptError, match="the run did not come to step 'second'; it went: first"):
        run.steps["second"]
    assert "second" not in run.steps and "ZeroDivisionError" in str(run.steps["first"].error)
    with pytest.raises(ScriptError, match="failed: step first: ZeroDivisionError"):
        run.assert_path("first", "second")


def test_items_and_an_each_without_any() -> None:
    flow = Workflow("items")
    many = flow.each(flow.input, do=lambda item: item * 2, name="many", failure="collect")
    flow.step(lambda many: many, name="last", input={"many": many})
    harness = Harness(flow)
    run = harness.run_sync([1, None, 3])
    assert run.steps["many"].inputs == [[1, None, 3]] and run.steps["many"].output == [2, None, 6]
    assert "TypeError" in str(run.steps["many"].error) and run.steps["many"].begun == 3
    run = harness.run_sync([])
    assert run.path == ["many", "last"] and run.steps["many"].output == [] and run.steps["many"].error is None


def test_steps_side_by_side_are_in_the_order_in_which_they_were_entered() -> None:
    flow = Workflow("beside")
    first = flow.step(lambda value: value, name="first")
    left = flow.sleep(20, name="left", after=first)
    right = flow.sleep(10, name="right", after=first)
    flow.step(lambda left, right: left + right, name="both", after=[left, right])
    run = Harness(flow).run_sync(1)
    assert run.path == ["first", "left", "right", "both"] and run.value == 2


def test_what_was_shown_early() -> None:
    def show(value: Any) -> Any:
        emit("a")
        emit("b")
        return value

    flow = Workflow("parts")
    flow.step(show)
    assert Harness(flow).run_sync(1).steps["show"].emitted == ("a", "b")


def test_functions_take_the_place_of_steps() -> None:
    keys = []

    def pay(draft: Any) -> str:
        keys.append(effect_key())
        return f"paid for {draft.answer}"

    run = Harness(review(), writer("one"), steps={"send": pay, "verdict": lambda draft: "good"}).run_sync("write")
    assert run.value == "paid for one" and keys == ["run-1/send/1"]
    with pytest.raises(UnderstudyError, match="review: what is given for the step 'send' cannot be called"):
        Harness(review(), steps={"send": "sent"})  # type: ignore[dict-item]
    with pytest.raises(UnderstudyError, match="review: there is no step 'sennd'; did you mean 'send'"):
        Harness(review(), steps={"sennd": pay})


def test_a_question_that_nobody_answers_leaves_the_run_waiting(caplog: pytest.LogCaptureFixture) -> None:
    harness = Harness(review(), writer("one", "two"))
    run = harness.run_sync("write")
    assert run.status == "waiting" and run.questions[0].choices == ("good", "again")
    assert run.path == ["draft", "verdict"]  # and the script may be used up later
    run = harness.resume_sync(answers={"verdict": iter(["again"])})
    assert run.status == "waiting"
    run = harness.resume_sync("run-1", answers={"verdict": lambda question: question.choices[0]})
    assert run.value == "sent: two" and run.path.count("draft") == 2
    assert not caplog.records
    for name in ("run-2", "other"):
        with pytest.raises(UnderstudyError, match=f"there is no run '{name}'; there is: run-1"):
            harness.resume_sync(name)
    with pytest.raises(UnderstudyError, match="there is no run yet; run it first"):
        Harness(review()).resume_sync()


def test_a_person_may_take_days_and_a_question_be_checked() -> None:
    harness = Harness(review(), writer("one"))
    run = harness.run_sync("write", answers={"verdict": Scripted("good", expect="one", delay=3 * 86400)})
    assert run.status == "completed" and harness.clock.elapsed == 3 * 86400
    with pytest.raises(ScriptError, match="(?s)'verdict' asks something else.*: expected 'three', got 'two'"):
        Harness(review(), writer("two")).run_sync("write", answers={"verdict": Scripted("good", expect="three")})


def test_why_a_run_failed_is_told_beside_what_it_did_not_come_to() -> None:
    harness = Harness(review(), writer(TimeoutError("busy")))
    with pytest.raises(ScriptError) as caught:
        harness.run_sync("write", answers={"verdict": "good"})
    assert str(caught.value).splitlines()[1:] == [
        "  the answer to 'verdict' was not asked for",
        "  the run ended as failed: step draft: TimeoutError: busy",
    ]


def test_an_async_function_answers() -> None:
    async def answer(question: Any) -> str:
        await asyncio.sleep(60)
        return "good"

    harness = Harness(review(), writer("one"))
    assert harness.run_sync("write", answers={"verdict": answer}).status == "completed"
    assert harness.clock.elapsed == 60


def test_answers_that_do_not_fit() -> None:
    with pytest.raises(ScriptError, match=r"the answer 'fine': .*'fine' is no answer to: one; choose one of"):
        Harness(review(), writer("one")).run_sync("write", answers={"verdict": "fine"})
    with pytest.raises(ScriptError, match="the answer to 'verdict': KeyError: 'gone'"):
        Harness(review(), writer("one")).run_sync("write", answers={"verdict": lambda question: {}["gone"]})
    with pytest.raises(UnderstudyError, match="no step 'verdct' asks anybody; did you mean 'verdict'"):
        Harness(review(), writer("one")).run_sync("write", answers={"verdct": "good"})
    flow = Workflow("asks", takes=Task)
    ask = flow.ask("Go on?", choices=["yes", "no"], name="first")
    flow.route(ask, "second", when=ask == "yes")
    flow.route(ask, "$end")
    flow.ask("Sure?", name="second", after=[])
    with pytest.raises(ScriptError, match="the answer to 'second' was not asked for"):
        Harness(flow).run_sync("?", answers={"first": "no", "second": "yes"})


def test_a_person_grants_more_than_the_limit() -> None:
    flow = Workflow("long", limits=Limits(messages=1, on_exceed="ask"))
    flow.step(lambda value: value + 1, name="first")
    flow.step(lambda value: value + 1, name="second")
    assert Harness(flow).run_sync(1, answers={"$limits": True}).value == 3
    run = Harness(flow).run_sync(1)
    assert run.status == "waiting" and run.questions[0].step == "$limits"


def test_scripts_are_used_up_by_each_run_or_by_all_within_the_block() -> None:
    flow = Workflow("one", takes=Task)
    flow.step("writer")
    with pytest.raises(ScriptError) as caught:
        Harness(flow, writer("one", "two")).run_sync("write")
    assert str(caught.value).splitlines() == [
        "one: the script and the run do not fit",
        "  writer: 1 of its 2 replies was not asked for:",
        "    reply 2, Finding(answer='two')",
    ]
    with Harness(flow, writer("one", "two")) as harness:
        assert [harness.run_sync("write").value.answer for _ in range(2)] == ["one", "two"]
    with pytest.raises(ScriptError, match="reply 3"), Harness(flow, writer("one", "two", "three")) as harness:
        harness.run_sync("write")
        harness.run_sync("write")
    with pytest.raises(KeyError), Harness(flow, writer("one")):
        raise KeyError("of the test")


def test_a_script_that_does_not_fit_fails_though_the_run_goes_on() -> None:
    flow = Workflow("guarded", takes=Task)
    flow.step("writer", name="first", on_error="rescue")
    flow.step(lambda error: "rescued", name="rescue", after=[])
    with pytest.raises(ScriptError, match=r"(?s)writer: reply 1 expects.*Task.request: expected 'read', got 'write'"):
        Harness(flow, writer(Scripted("one", expect="read"))).run_sync("write")
    with pytest.raises(ScriptError, match=r"writer: it has no script, and it was asked Task\(request='write'\)"):
        Harness(flow, writer()).run_sync("write")
    assert Harness(flow, writer(ValueError("down"))).run_sync("write").value == "rescued"


def test_names_of_agents_are_checked() -> None:
    with pytest.raises(UnderstudyError, match="review: there is no agent 'wrter'; did you mean 'writer'"):
        Harness(review(), {"wrter": []})
    flow = Workflow("chosen")
    flow.each(flow.input, agent=lambda item: item, input={"request": "hello"})
    cast = {name: ScriptedAgent(name, [name], takes=Task, gives=Finding) for name in ("anna", "bob")}
    run = Harness(flow, cast).run_sync(["bob", "anna"])
    assert [finding.answer for finding in run.value] == ["bob", "anna"]


class Silent:
    """A decoder that must not be asked."""

    def decode(self, calls: Any) -> Any:
        raise AssertionError("a model was asked")


def test_an_agent_that_needs_a_model_is_refused_unless_it_is_asked_for() -> None:
    flow = Workflow("model", takes=Brief)
    role = Role("writer", "Writes.", Brief, Text)
    real = Agent("writer", role, "", Silent())
    flow.step(real)
    with pytest.raises(ScriptError, match="writer: it has no script, and it was asked Brief"):
        Harness(flow).run_sync("write")
    assert Harness(flow, {"writer": ["one"]}).run_sync("write").value == Text(text="one")
    with pytest.raises(ScriptError, match="no Text"):
        Harness(flow, {"writer": [Task(request="x")]})
    run = Harness(flow, {"writer": real}).run_sync("write")
    assert run.status == "failed" and "a model was asked" in str(run.error)


def test_agents_of_the_test_itself_are_left_as_they_are() -> None:
    class Echo:
        name, takes, gives = "echo", Task, Finding

        async def handle(self, message: Any) -> Finding:
            await asyncio.sleep(5)
            return Finding(answer=message.request)

    flow = Workflow("echo", takes=Task)
    flow.step(Echo())
    harness = Harness(flow)
    assert harness.run_sync("hello").value.answer == "hello" and harness.clock.elapsed == 5


def test_the_message_and_the_workflow_are_checked() -> None:
    with pytest.raises(UnderstudyError, match="requst"):
        Harness(review(), writer("one")).run_sync({"request": "x", "requst": "x"})
    flow = Workflow("broken")
    flow.step("nobody")
    with pytest.raises(UnderstudyError, match="there is no agent 'nobody'"):
        Harness(flow).run_sync(1)


def report() -> Workflow:
    inner = Workflow("drafting", takes=Brief)
    inner.step("writer", name="draft", input={"request": inner.input.topic})
    inner.ask("Good?", choices=["yes", "no"], name="approve")
    inner.step(lambda draft: draft.answer, name="text")
    flow = Workflow("report", takes=Brief)
    flow.step(inner, name="report")
    flow.step(lambda text: f"<{text}>", name="wrap")
    return flow


def test_workflows_that_are_steps() -> None:
    with pytest.raises(UnderstudyError, match="there is no agent 'raport/writer'; did you mean 'report/writer'"):
        Harness(report(), {"raport/writer": []})
    for name in ("writer", "report/writer"):
        for asking in ("approve", "report/approve"):
            harness = Harness(report(), {name: ScriptedAgent("writer", ["bees"], takes=Task, gives=Finding)})
            run = harness.run_sync("b", answers={asking: Scripted("yes", delay=60)})
            assert run.value == "<bees>" and run.path == ["report", "wrap"] and harness.clock.elapsed == 60
            (child,) = run.steps["report"].runs
            assert child.path == ["draft", "approve", "text"] and child.steps["text"].output == "bees"
            assert child.steps["draft"].begun == 1 and child.result.run == "run-1/report/1"
    harness = Harness(report(), writer("bees"), steps={"report/text": lambda value: "wasps"})
    run = harness.run_sync("b")
    assert run.status == "waiting" and [question.step for question in run.questions] == ["report/approve"]
    run = harness.resume_sync(answers={"approve": "yes"})
    assert run.value == "<wasps>" and run.repeated == []
    assert Harness(report(), steps={"report": lambda brief: "flies"}).run_sync("b").value == "<flies>"


async def test_several_harnesses_at_once_share_a_clock() -> None:
    clock = FakeClock()
    flow = Workflow("sleep")
    flow.sleep(60)
    runs = await asyncio.gather(*(Harness(flow, clock=clock).run(number) for number in range(3)))
    assert [run.value for run in runs] == [0, 1, 2] and clock.elapsed == 60
    with pytest.raises(UnderstudyError, match="write: await harness.run"):
        Harness(flow).run_sync(1)


def test_events_tell_what_began() -> None:
    run = Harness(review(), writer("one")).run_sync("write", answers={"verdict": "good"}, run_id="mine")
    assert [event.key for event in run.events if isinstance(event, StepStarted)] == ["mine/draft/1", "mine/send/1"]
