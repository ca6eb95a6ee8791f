"""Group patterns: who speaks when, what each is given, and where it ends."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.workflows.groups import ASKED, Own, Planner, Said, Speaker, Turn, adder, answers, ran
from understudy.agents.messages import CastMember, Filled, Finding, Message, Task
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import WorkflowError
from understudy.workflows.patterns import debate, handoff, planner_worker_reviewer, round_robin, selector, vote
from understudy.workflows.refs import Ref


class Words(Message, message_name="patterns.Words"):
    answers: tuple[str, ...]


# Round robin.


def test_all_speak_in_turn_and_hear_what_was_said() -> None:
    one, own = Speaker("one"), Own("own", lambda turn: Said(text=f"own{len(turn.talk)}"))

    def third(talk: Sequence[Any], request: str, input: Task) -> Finding:
        assert (request, input) == ("why?", ASKED)
        return Finding(answer=f"third{len(talk)}", values=("3",))

    output = ran(round_robin([one, third], rounds=2))
    assert answers(output["talk"]) == ["one1", "third1", "one3", "third3"]
    assert output["last"].answer == "third3"
    # A Task has what the request had, and the values of what was said.
    assert [task.given for task in one.heard] == [("first",), ("first", "one1", "3")]
    output = ran(round_robin([third, own], rounds=1))
    assert answers(output["talk"]) == ["third0", "own1"]
    assert own.heard == [Turn(request="why?", talk=(Finding(answer="third0", values=("3",)),))]


def test_the_answers_may_be_had_as_texts() -> None:
    reader = Own("reader", lambda words: Finding(answer="; ".join(words.answers)))
    reader.takes = Words  # type: ignore[assignment]
    assert ran(round_robin([Speaker("one"), reader], rounds=2))["last"].answer == "one1; one1; one3"
    output = ran(debate([Speaker("one"), reader], lambda answers: ", ".join(answers), 2))
    assert output["verdict"] == "one1, , one2, one1; "
    output = ran(planner_worker_reviewer(Planner(), [Speaker("qa"), adder], reader, 1))
    assert output["review"].answer == "qa0; why? qa0"


def test_an_agent_may_be_named_and_given_to_the_run() -> None:
    agents = {name: Speaker(name) for name in ("one", "two")}
    assert answers(ran(round_robin(["one", "two"], rounds=1), agents=agents)["talk"]) == ["one1", "two2"]


@pytest.mark.parametrize(
    "until",
    [Ref("talk")[-1].answer == "one3", lambda talk: len(talk) == 3, lambda said: said.answer == "one3"],
    ids=["condition", "talk", "last"],
)
def test_a_talk_ends_when_its_until_holds(until: Any) -> None:
    flow = round_robin([Speaker("one"), Speaker("two")], rounds=9, until=until)
    assert answers(ran(flow)["talk"]) == ["one1", "two2", "one3"]


def test_a_text_is_no_until() -> None:
    with pytest.raises(WorkflowError, match="a text is no condition: 'DONE'"):
        round_robin([Speaker("one"), Speaker("two")], rounds=2, until="DONE")  # type: ignore[arg-type]


# Selector.


def test_a_function_chooses_who_speaks_by_name_by_scores_or_nobody() -> None:
    seen: list[Any] = []

    def choose(talk: Sequence[Any], cast: Sequence[CastMember]) -> Any:
        seen.append([member.does for member in cast])
        return ["two", {"one": 0.3, "two": 0.2}, {"two": 0.5, "one": 0.5}, {"agent": "two"}, None][len(talk)]

    output = ran(selector([Speaker("one"), Speaker("two")], choose, turns=9))
    assert answers(output["talk"]) == ["two1", "one2", "one3", "two4"]
    assert seen == [["speaks as one", "speaks as two"]] * 5


def test_an_agent_chooses_who_speaks() -> None:
    def pick(turn: Turn) -> Message:
        return Said(text="", agent=turn.cast[len(turn.talk) % 2].name)

    chooser = Own("chooser", pick)
    output = ran(selector([Speaker("one"), Speaker("two")], chooser, turns=3))
    assert answers(output["talk"]) == ["one1", "two2", "one3"]
    assert [len(turn.talk) for turn in chooser.heard] == [0, 1, 2]  # not asked once the turns are used up


def test_a_selected_talk_ends_when_its_until_holds() -> None:
    flow = selector([Speaker("one"), Speaker("two")], lambda talk: "one", turns=9, until=lambda talk: len(talk) == 2)
    assert answers(ran(flow)["talk"]) == ["one1", "one2"]


@pytest.mark.parametrize("choice", ["tow", {"one": 0.1, "tow": 0.9}, {"agent": "tow"}, Said(text="", agent="tow")])
def test_who_chooses_a_stranger_is_told_the_cast(choice: Any) -> None:
    result = selector([Speaker("one"), Speaker("two")], lambda talk: choice, turns=2).run_sync(ASKED)
    assert result.status == "failed"
    assert result.error == "step chosen: 'tow' is not of the cast: one, two; did you mean 'two'?"


# Handoff.


def passing(name: str, *to: str | None) -> Own:
    return Own(name, lambda turn: Said(text=f"{name}{len(turn.talk)}", to=to[len(turn.talk)]))


def test_who_speaks_hands_on_until_nobody_is_named() -> None:
    way = ("desk", "tech", "bill", "tech", None)
    flow = handoff([passing(name, *way) for name in ("bill", "desk", "tech")], start="tech")
    assert answers(ran(flow)["talk"]) == ["tech0", "desk1", "tech2", "bill3", "tech4"]
    # A plain answer names nobody; the first begins.
    assert answers(ran(handoff([Speaker("one"), Speaker("two")]))["talk"]) == ["one1"]


def test_functions_hand_on_too() -> None:
    def desk(talk: Sequence[Any], cast: Sequence[CastMember]) -> dict[str, str]:
        return {"text": "not mine", "next": cast[1].name}

    def tech(talk: Sequence[Any]) -> str:
        return talk[-1]["text"] + ", mine"

    assert ran(handoff([desk, tech], field="next"))["last"] == "not mine, mine"


def test_it_is_handed_on_at_most_so_often() -> None:
    def made(at_most: int) -> Workflow:
        return handoff([passing("a", "b", "", "b"), passing("b", "", "a", "", None)], at_most=at_most)

    assert answers(ran(made(3))["talk"]) == ["a0", "b1", "a2", "b3"]
    result = made(2).run_sync(ASKED)
    assert result.status == "failed" and len(result.output["talk"]) == 3
    assert "after 2 handoffs, which is all it may be" in str(result.error)


def test_who_hands_on_to_a_stranger_is_told_the_cast() -> None:
    flow = handoff([passing("desk", "teck"), passing("tech")])
    assert flow.run_sync(ASKED).error == "step following: 'teck' is not of the cast: desk, tech; did you mean 'tech'?"
    with pytest.raises(WorkflowError, match="'bill' is not of the cast: desk, tech"):
        handoff([passing("desk"), passing("tech")], start="bill")


# Debate and vote.


def test_a_debate_goes_in_rounds_and_the_judge_has_the_last_word() -> None:
    class Slow(Speaker):
        async def handle(self, message: Task) -> Message:
            await asyncio.sleep(0.01)
            return await super().handle(message)

    slow = Slow("slow")
    quick = Own("quick", lambda turn: Finding(answer=f"quick{len(turn.talk)}", values=("q",)))

    def judge(talk: Sequence[Sequence[Finding]], request: str) -> str:
        return f"{request} {talk[-1][1].answer}"

    output = ran(debate([slow, quick], judge, 2))
    assert output["verdict"] == "why? quick1"
    assert [answers(said) for said in output["talk"]] == [["slow1", "quick0"], ["slow3", "quick1"]]
    assert [task.given for task in slow.heard] == [("first",), ("first", "slow1", "q")]
    assert [len(turn.talk) for turn in quick.heard] == [0, 1]
    assert len(ran(debate([Speaker("one"), Speaker("two")], Speaker("judge"), 1))["talk"]) == 1


def test_experts_vote_and_hear_nothing_of_each_other() -> None:
    experts = [Speaker("a", answer="x", confidence=0.5), Speaker("b", answer="y", confidence=0.9),
               Speaker("c", answer="y", confidence=0.8), Speaker("d", answer="x", abstained=True)]  # fmt: skip
    output = ran(vote(experts))
    assert output["vote"] == "y"
    assert {member: said.answer for member, said in output["votes"].items()} == dict(zip("abcd", "xyyx", strict=True))
    assert all(expert.heard == [ASKED] for expert in experts)
    assert ran(vote(experts[:3], "best"))["vote"].confidence == 0.9
    assert ran(vote(experts, "union", by="values"))["vote"] == ["a1", "b1", "c1"]
    assert ran(vote(experts, lambda votes: sorted(votes)))["vote"] == ["a", "b", "c", "d"]


def test_votes_are_known_by_member_whatever_its_name() -> None:
    output = ran(vote([Speaker("qa-bot"), Speaker("question"), Speaker("b.c")]))
    assert list(output["votes"]) == ["qa-bot", "question", "b.c"]


def test_functions_vote_and_who_fails_may_be_passed_over() -> None:
    def broken(request: str) -> str:
        raise ValueError("no idea")

    def sure(request: str) -> str:
        return request.upper()

    assert "no idea" in str(vote([broken, sure]).run_sync(ASKED).error)
    assert ran(vote([broken, sure], failure="collect")) == {"vote": "WHY?", "votes": {"broken": None, "sure": "WHY?"}}

    def also(request: str) -> str:
        raise ValueError("nor I")

    assert "nobody gave an answer" in str(vote([broken, also], failure="collect").run_sync(ASKED).error)
    with pytest.raises(WorkflowError, match="did you mean 'majority'"):
        vote([broken, sure], "mojority")


# Planner, workers, reviewer.


def test_a_plan_is_worked_through_and_passes() -> None:
    qa, reviewer = Speaker("qa"), Speaker("reviewer")
    output = ran(planner_worker_reviewer(Planner(), [qa, adder], reviewer, 2))
    assert answers(output["work"]) == ["qa0", "why? qa0"]
    assert [task.given for task in reviewer.heard] == [("first", "qa0", "why? qa0")]
    assert output["review"].answer == "reviewer3"


def test_the_work_goes_back_to_the_planner_at_most_so_often() -> None:
    seen: list[Any] = []

    def plan(talk: Sequence[Any], cast: Sequence[CastMember], request: str) -> dict[str, Any]:
        seen.append([*answers(talk), cast[0].does])
        return {"steps": [{"agent": "adder", "request": f"{request}{len(talk)}", "needs": ()}]}

    def review(work: Sequence[Finding], plan: Any, talk: Sequence[Any]) -> Said:
        return Said(text=work[0].answer.strip(), approved=len(talk) == 2)

    output = ran(planner_worker_reviewer(plan, [adder], review, 5))
    assert seen == [["Adds up."], ["why?0", "Adds up."], ["why?0", "why?1", "Adds up."]]
    assert output["review"] == Said(text="why?2", approved=True)
    output = ran(planner_worker_reviewer(plan, [adder], review, 1))
    assert output["review"] == Said(text="why?1")
    assert ran(planner_worker_reviewer(plan, [adder], lambda work: "fine", 1, until=lambda said: said == "fine"))


def test_a_plan_for_strangers_and_a_review_that_says_nothing_are_failures() -> None:
    def plan() -> dict[str, Any]:
        return {"steps": [{"agent": "ader", "request": "r"}]}

    result = planner_worker_reviewer(plan, [adder, Speaker("qa")], lambda work: True, 1).run_sync(ASKED)
    assert "'ader' is not of the cast: adder, qa; did you mean 'adder'?" in str(result.error)
    result = planner_worker_reviewer(Planner(), [adder, Speaker("qa")], lambda work: "fine", 1).run_sync(ASKED)
    assert "a review of type str does not say whether the work passes" in str(result.error)


def test_a_worker_may_be_a_function_of_its_own_message() -> None:
    async def turner(turn: Turn) -> Message:
        return Said(text=f"{turn.request} {turn.tone}")

    def plan() -> dict[str, Any]:
        return {"steps": [{"agent": "turner", "request": "r", "talk": (), "tone": "sharp"}]}

    assert answers(ran(planner_worker_reviewer(plan, [turner], lambda work: True, 1))["work"]) == ["r sharp"]


def test_a_worker_may_be_an_object_that_is_awaited_but_no_workflow() -> None:
    class Later:
        async def __call__(self, request: str) -> str:
            return f"later {request}"

    def plan() -> dict[str, Any]:
        return {"steps": [{"agent": "Later", "request": "r"}]}

    assert answers(ran(planner_worker_reviewer(plan, [Later()], lambda work: True, 1))["work"]) == ["later r"]
    with pytest.raises(WorkflowError, match="inner is a workflow, and a plan names agents and functions"):
        planner_worker_reviewer(plan, [Workflow("inner")], lambda work: True, 1)


class Sorted(Filled, message_name="patterns.Sorted"):
    queue: str


def test_learned_roles_vote_by_what_they_say_and_who_abstains_does_not() -> None:
    def one(request: str) -> Sorted:
        return Sorted(queue="bug", confidence=0.1, abstained=True)

    def two(request: str) -> Sorted:
        return Sorted(queue="billing", confidence=0.7)

    def three(request: str) -> Sorted:
        return Sorted(queue="billing", confidence=0.6)

    def four(request: str) -> Sorted:
        return Sorted(queue="bug", confidence=0.9)

    told = vote([one, four, two, three], "majority").run_sync(Task(request="x"))
    assert told.output["vote"].queue == "billing"
    flow = Workflow("joined", takes=Task)
    begun = flow.step(lambda request: request, name="begun", input={"request": flow.input.request})
    sides = [flow.step(role, input={"request": flow.input.request}, after=begun) for role in (four, two, three)]
    flow.step(lambda found: found, name="found", after=sides, merge="union")
    assert [one.queue for one in flow.run_sync(Task(request="x")).value] == ["bug", "billing"]
