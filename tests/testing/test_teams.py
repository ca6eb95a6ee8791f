"""Teams with scripted agents: no head, no backbone and no knowledge is needed."""

import asyncio
from pathlib import Path

import pytest

from understudy import Team, UnderstudyError, Workflow
from understudy.agents.messages import PlannedStep, Query, Task
from understudy.testing import Harness, Scripted, ScriptError
from understudy.workflows import calls

ROLE = """
schema: understudy/role/v1
role: triage
does: Sorts a customer's message.
takes: {text: text}
gives: {queue: [billing, bug], urgent: boolean}
demonstrations:
  - takes: {text: I was charged twice}
    gives: {queue: billing, urgent: true}
  - takes: {text: The page is blank}
    gives: {queue: bug, urgent: false}
"""

TEAM = """
schema: understudy/team/v1
team: desk
agents:
  triage: {role: ./triage.yaml}
  qa: qa
input: {text: text}
workflow:
  start: sort
  steps:
    sort: {agent: triage, input: {text: input.text}, then: answer}
    answer: {agent: qa, input: {request: input.text}, then: $end}
output: {queue: sort.queue, answer: answer.answer}
"""

FUNCTIONS = """
schema: understudy/team/v1
team: functions
agents: {slow: {call: slow}}
workflow: {steps: {say: {agent: slow}}}
output: {said: say.answer}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "triage.yaml").write_text(ROLE, encoding="utf-8")
    path = tmp_path / "team.yaml"
    path.write_text(TEAM, encoding="utf-8")
    return path


def test_a_team_runs_by_its_script_alone(desk: Path) -> None:
    team = Team.load(desk)
    with pytest.raises(UnderstudyError, match="has not been learned"):
        team.run_sync("I was charged twice")
    replies = {
        "triage": [Scripted({"queue": "billing", "urgent": True}, expect={"text": "I was charged twice"})],
        "qa": [{"answer": "We pay it back."}],
    }
    for source in (team, desk, str(desk)):
        run = Harness(source, replies).run_sync("I was charged twice")
        assert run.output == {"queue": "billing", "answer": "We pay it back."}
        assert run.path == ["sort", "answer"] and run.steps["sort"].output.urgent is True
    assert team.resources._backbone is None and team.resources._scheduler is None


def test_replies_are_checked_by_the_roles_of_the_file(desk: Path) -> None:
    with pytest.raises(ScriptError, match="triage: reply 1: queue"):
        Harness(desk, {"triage": [{"queue": "lost", "urgent": True}]})
    with pytest.raises(UnderstudyError, match="there is no agent 'triag'; did you mean 'triage'"):
        Harness(desk, {"triag": []})


def test_an_agent_without_a_script_is_refused_when_it_is_asked(desk: Path) -> None:
    with pytest.raises(ScriptError, match=r"qa: it has no script, and it was asked Task\(request='hello'\)"):
        Harness(desk, {"triage": [{"queue": "bug", "urgent": False}]}).run_sync("hello")


@pytest.mark.parametrize("given", [False, True])
def test_agents_that_are_functions_stand_by_themselves(
    given: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the time of the clock, too: it would never come to the end of a sleep that it waits for."""

    async def slow(request: str) -> str:
        await asyncio.sleep(3600)
        return request.upper()

    monkeypatch.setattr(calls, "_registered", {"slow": slow})
    path = tmp_path / "team.yaml"
    path.write_text(FUNCTIONS, encoding="utf-8")
    team = Team.load(path)
    harness = Harness(team, {"slow": team["slow"]} if given else {})
    run = harness.run_sync("hello")
    assert run.output == {"said": "HELLO"} and harness.clock.elapsed == 3600
    assert Harness(team, {"slow": ["Hi."]}).run_sync("hello").output == {"said": "Hi."}


def test_the_real_agent_is_asked_where_the_test_says_so(desk: Path) -> None:
    team = Team.load(desk)
    run = Harness(team, {"triage": team["triage"]}).run_sync("hello")
    assert run.status == "failed" and "the role 'triage' has not been learned" in str(run.error)


def test_a_planned_team_and_its_cast(checkout: Path) -> None:
    team = Team.load(checkout / "examples" / "travel_desk" / "team.yaml")
    plan = [PlannedStep(agent="coder", request="How many?"), PlannedStep(agent="qa", request="Where?", needs=(1,))]
    harness = Harness(team, {
        "planner": [Scripted({"steps": plan, "confidence": 1.0}, expect=lambda request: len(request.cast) >= 2)],
        "coder": lambda task: Query(
            answer="47", values=("47",), sql="SELECT 47", columns=("n",), rows=((47,),), attempts=1
        ),
        "qa": [Scripted("In Europe.", expect=Task(request="Where?", given=("47",)))],
    })  # fmt: skip
    run = harness.run_sync("How many countries, and where?")
    assert run.status == "completed" and "In Europe." in str(run.output)
    assert [item.answer for item in run.steps["work"].output] == ["47", "In Europe."]
    assert team.resources._backbone is None


def test_a_team_that_is_a_step(desk: Path) -> None:
    flow = Workflow("mail", takes=Task)
    flow.step(Team.load(desk), name="desk", input={"text": flow.input.request})
    flow.step(lambda desk: desk["answer"], name="last")
    run = Harness(flow, {"triage": [{"queue": "bug", "urgent": False}], "desk/qa": ["Yes."]}).run_sync("Why?")
    assert run.value == "Yes." and run.steps["desk"].runs[0].path == ["sort", "answer"]
