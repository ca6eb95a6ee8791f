"""Group patterns: who speaks when, what each is given, where it ends, and that nothing is said twice."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from understudy.agents.messages import CastMember, Finding, Message, Plan, PlannedStep, PlanRequest, Task
from understudy.workflows import patterns
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import WorkflowError
from understudy.workflows.limits import Limits
from understudy.workflows.patterns import debate, handoff, planner_worker_reviewer, round_robin, selector, vote
from understudy.workflows.refs import Ref

ASKED = Task(request="why?", given=("first",))


class Speaker:
    """Answers the shipped way: a Task with a Finding."""

    takes, gives = Task, Finding

    def __init__(self, name: str, **more: Any) -> None:
        self.name, self.does, self.more = name, f"speaks as {name}", more
        self.heard: list[Task] = []

    async def handle(self, message: Task) -> Message:
        self.heard.append(message)
        said = f"{self.name}{len(message.given)}"
        return Finding(**{"answer": said, "values": (said,), **self.more})


class Turn(Message, message_name="patterns.Turn"):
    request: str
    talk: tuple[Any, ...]
    cast: tuple[CastMember, ...] = ()
    tone: str = "plain"


class Words(Message, message_name="patterns.Words"):
    answers: tuple[str, ...]


class Said(Message, message_name="patterns.Said"):
    text: str
    to: str | None = None
    agent: str | None = None
    approved: bool = False


class Own:
    """Answers its users' own message; what it says is worked out by a function."""

    takes = Turn

    def __init__(self, name: str, say: Callable[[Turn], Any]) -> None:
        self.name, self.say = name, say
        self.heard: list[Turn] = []

    async def handle(self, message: Turn) -> Message:
        self.heard.append(message)
        return self.say(message)  # type: ignore[no-any-return]


def answers(talk: Sequence[Any]) -> list[str]:
    return [getattr(said, "answer", getattr(said, "text", said)) for said in talk]


def ran(flow: Workflow, message: Any = ASKED, **options: Any) -> Mapping[str, Any]:
    assert flow.check() == []
    result = flow.run_sync(message, **options)
    assert result.status == "completed", result.error
    return result.output


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
    assert ran(round_robin([Speaker("one"), reader], rounds=2))["last"].answer == "one1; one1; one2"
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


class Planner:
    name, takes = "planner", PlanRequest

    async def handle(self, message: PlanRequest) -> Message:
        first, second = (member.name for member in message.cast)
        later = PlannedStep(agent=second, request=message.request, needs=(1,))
        return Plan(steps=(PlannedStep(agent=first, request="look up"), later))


def adder(request: str, given: Sequence[str] = ()) -> str:
    """Adds up."""
    return f"{request} {'+'.join(given)}"


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


# What all have in common.


def groups(one: Any, two: Any, **more: Any) -> dict[str, Callable[[], Workflow]]:
    """Every pattern, to be made with the same two members."""

    def choose(talk: Sequence[Any]) -> str:
        return ("one", "two")[len(talk) % 2]

    def plan(talk: Sequence[Any]) -> dict[str, Any]:
        return {"steps": [{"agent": name, "request": str(len(talk)), "given": ()} for name in ("one", "two")]}

    def review(talk: Sequence[Any]) -> bool:
        return len(talk) == 1

    return {
        "round_robin": lambda: round_robin([one, two], rounds=2, **more),
        "selector": lambda: selector([one, two], choose, turns=4, **more),
        "handoff": lambda: handoff([one, two], at_most=3, **more),
        "debate": lambda: debate([one, two], lambda talk: "over", 2, **more),
        "planner_worker_reviewer": lambda: planner_worker_reviewer(plan, [one, two], review, 2, **more),
        "vote": lambda: vote([one, two], **more),
    }


class Handed(Finding, message_name="patterns.Handed"):
    to: str | None = None


class Actor(Speaker):
    """Notes what it says, hands on, and stays silent for ever at one point where it is told to."""

    def __init__(self, name: str, other: str, notes: list[str], stuck: int | None = None) -> None:
        super().__init__(name)
        self.other, self.notes, self.stuck, self.times = other, notes, stuck, 0

    async def handle(self, message: Task) -> Message:
        self.times += 1
        if self.times == self.stuck:
            self.notes.append("stuck")
            await asyncio.sleep(60)
        said = f"{self.name}: {message.request} {','.join(message.given)}"
        self.notes.append(said)
        return Handed(answer=said, values=(self.name,), to=self.other if len(message.given) < 4 else None)


@pytest.mark.parametrize("pattern", patterns.__all__)
def test_a_run_that_was_cut_goes_on_and_nothing_is_said_twice(pattern: str, tmp_path: Path) -> None:
    def flow(notes: list[str], stuck: int | None) -> Workflow:
        return groups(Actor("one", "two", notes, stuck), Actor("two", "one", notes))[pattern]()

    whole: list[str] = []
    expected = flow(whole, None).run_sync(ASKED).output
    journal, notes = tmp_path / "j.db", list[str]()
    stuck = 1 if pattern == "vote" else 2

    async def cut() -> None:
        task = asyncio.create_task(flow(notes, stuck).run(ASKED, journal=journal, run_id="r"))
        while "stuck" not in notes or len(notes) < (2 if pattern == "vote" else 3):
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cut())
    result = flow(notes, None).resume_sync("r", journal=journal)
    assert result.status == "completed", result.error
    assert result.output == expected
    notes.remove("stuck")
    assert sorted(notes) == sorted(whole)
    assert flow([], None).replay("r", journal=journal).output == expected


@pytest.mark.parametrize("pattern", patterns.__all__)
def test_the_limits_of_a_run_hold(pattern: str) -> None:
    limits = Limits(messages=2, on_exceed="partial")
    notes: list[str] = []
    made = groups(Actor("one", "two", notes), Actor("two", "one", notes), limits=limits, name="talk_show")[pattern]()
    result = made.run_sync(ASKED)
    assert (made.name, result.status, result.error) == ("talk_show", "partial", "the run used up its 2 messages")
    assert 1 <= len(result.steps) <= 2 and len(notes) <= 2


@pytest.mark.parametrize("pattern", ["round_robin", "selector", "handoff", "debate", "vote"])
def test_a_group_is_made_of_several_with_names_of_their_own(pattern: str) -> None:
    alone: dict[str, Callable[[], Workflow]] = {
        "round_robin": lambda: round_robin([adder], rounds=1), "handoff": lambda: handoff([adder]),
        "selector": lambda: selector([adder], adder, turns=1), "debate": lambda: debate([adder], adder, 1),
        "vote": lambda: vote([adder]),
    }  # fmt: skip
    with pytest.raises(WorkflowError, match="it needs 2 members and has 1"):
        alone[pattern]()
    with pytest.raises(WorkflowError, match="two of them are called 'one'"):
        groups(Speaker("one"), Speaker("one"))[pattern]()


def test_who_decides_is_nobody_else_of_the_same_name() -> None:
    one, two = Speaker("one"), Speaker("two")
    with pytest.raises(WorkflowError, match="two of them are called 'two'"):
        debate([one, two], Speaker("two"), 1)
    assert ran(debate([one, two], two, 1))["verdict"].answer == "two3"
    # Functions are called, not reached by name.
    assert ran(debate([one, lambda request: request], lambda request: request, 1))["verdict"] == "why?"


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (lambda: round_robin([adder, Speaker("one")], rounds=0), "rounds is 0"),
        (lambda: selector([adder, Speaker("one")], adder, turns=0), "turns is 0"),
        (lambda: handoff([adder, Speaker("one")], at_most=0), "at_most is 0"),
        (lambda: debate([adder, Speaker("one")], adder, -1), "rounds is -1"),
        (lambda: planner_worker_reviewer(Planner(), [adder], adder, 0), "at_most is 0"),
        (lambda: planner_worker_reviewer(Planner(), [], adder, 1), "it needs 1 members and has 0"),
    ],
)
def test_a_group_has_a_limit(made: Callable[[], Workflow], what: str) -> None:
    with pytest.raises(WorkflowError, match=what):
        made()


def test_what_an_agent_takes_has_to_come_from_somewhere() -> None:
    own = Own("own", lambda turn: Said(text=""))
    with pytest.raises(WorkflowError, match=r"own takes a patterns.Turn, and nobody gives its 'talk'"):
        vote([own, Speaker("one")])
    with pytest.raises(WorkflowError, match="nobody gives its 'request'; there is: talk, given, answers, text"):
        round_robin([own, Speaker("one")], rounds=1, takes=Said)


def test_a_group_may_be_a_member_of_another() -> None:
    def two(talk: Sequence[Any]) -> str:
        return f"so {talk[-1]['vote']}"

    panel = vote([Speaker("a", answer="yes"), Speaker("b", answer="yes")], name="panel")
    assert ran(round_robin([panel, two], rounds=1))["last"] == "so yes"


def test_the_request_may_be_of_any_type() -> None:
    first, second = (Own(name, lambda turn: Said(text=turn.tone)) for name in ("first", "second"))
    request = Turn(request="r", talk=("mine",), tone="sharp")
    output = ran(round_robin([first, second], rounds=1, takes=Turn), request)
    assert answers(output["talk"]) == ["sharp", "sharp"] and second.heard[0].talk == (Said(text="sharp"),)


def test_a_function_is_given_the_request_under_any_other_name() -> None:
    def first(task: Task, request: str) -> str:
        return f"{task.request} {request}"

    def second(talk: Sequence[Any], cast: Any = None, request: str = "", tone: str = "plain") -> str:
        return f"{talk[0]} {cast} {request} {tone}"

    assert ran(round_robin([first, second], rounds=1))["last"] == "why? why? None why? plain"
