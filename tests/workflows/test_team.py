"""Teams: loaded from YAML, taught, run; with a random backbone, since what counts here is who is asked what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from understudy.agents.messages import Message
from understudy.agents.role import Context, Role
from understudy.core.backbone import Backbone
from understudy.core.bank import HeadStack
from understudy.core.decoding import Call, Decoder
from understudy.core.errors import UnderstudyError
from understudy.core.heads import Head
from understudy.core.release import Shape, new_backbone
from understudy.core.vocabulary import train_tokenizer
from understudy.workflows.expressions import Ref
from understudy.workflows.graph import END
from understudy.workflows.problems import InvalidFile
from understudy.workflows.roles import RoleFinder
from understudy.workflows.schema import check
from understudy.workflows.team import Team
from understudy.workflows.team_graph import graph_of

ROOT = Path(__file__).resolve().parents[2]
DESK = ROOT / "examples" / "travel_desk" / "team.yaml"
TRIAGE = ROOT / "examples" / "triage" / "role.yaml"

MOOD = """\
schema: understudy/role/v1
role: mood
does: Says how a customer feels.
takes: {text: text, queue: text}
gives: {mood: [calm, angry]}
demonstrations:
- {takes: {text: I want my money back now, queue: billing}, gives: {mood: angry}}
- {takes: {text: Thank you for the help, queue: howto}, gives: {mood: calm}}
- {takes: {text: This is the third time, queue: bug}, gives: {mood: angry}}
- {takes: {text: "No hurry, just asking", queue: howto}, gives: {mood: calm}}
"""

CHAIN = """\
schema: understudy/team/v1
team: front-desk
agents:
  sorter: {role: ./triage.yaml, does: sorts what comes in}
  listener: ./mood.yaml
input: {text: text}
workflow:
  start: sort
  steps:
    sort: {agent: sorter, input: {text: input.text}, routes: [{to: feel, when: sort.queue != 'none'}, {to: $end}]}
    feel: {agent: listener, input: {text: input.text, queue: sort.queue}}
output: {queue: sort.queue, mood: feel.mood, kind: {value: chain}}
"""


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    texts = [TRIAGE.read_text(), MOOD]
    return new_backbone(Shape(400, 32, 2, 2, 64), train_tokenizer(texts, 400), "tiny")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "triage.yaml").write_text(TRIAGE.read_text())
    (tmp_path / "mood.yaml").write_text(MOOD)
    return tmp_path


@pytest.fixture
def load(folder: Path, backbone: Backbone) -> Callable[[str], Team]:
    def loaded(text: str) -> Team:
        (folder / "team.yaml").write_text(text)
        return Team.load(folder / "team.yaml", backbone)

    return loaded


ALONE = "schema: understudy/team/v1\nteam: solo\nagents: {sorter: ./triage.yaml}\n"


def test_the_travel_desk_loads_without_anything_heavy(python: Callable[..., Any]) -> None:
    code = f"""
import sys
from understudy.workflows.team import Team
team = Team.load({str(DESK)!r})
assert list(team.agents) == ["planner", "coder", "qa", "recommender"], team
assert [member.name for member in team.cast] == ["coder", "qa", "recommender"]
assert team["qa"].member.options == {{"passages": 5}}
assert team.message("hello").request == "hello"
heavy = [name for name in ("torch", "transformers", "faiss", "networkx") if name in sys.modules]
assert not heavy, heavy
"""
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


def test_a_planned_team_needs_no_workflow() -> None:
    written = Team.load(DESK).workflow.graph()
    meant = graph_of({"team": "desk", "agents": {"boss": "planner", "qa": "qa"}})
    assert meant.steps["plan"].agent == "boss"
    assert meant.steps["work"].each == written.steps["work"].each
    assert meant.steps["work"].agent_from == written.steps["work"].agent_from
    assert meant.steps["work"].input == written.steps["work"].input
    assert meant.steps["answer"] == written.steps["answer"] and meant.steps["answer"].routes[0].to == END
    assert meant.output == written.output
    assert meant.check() == []


def test_a_role_that_is_not_learned_says_how_to_learn_it(load: Callable[[str], Team], folder: Path) -> None:
    team = load(ALONE)
    with pytest.raises(UnderstudyError, match=r"agent sorter: the role 'triage' has not been learned; "
                                              r"learn it with: understudy learn .*triage\.yaml"):
        team.run_sync("I was charged twice")
    with pytest.raises(UnderstudyError, match="has not been learned"):
        team["sorter"].require_head()


def test_a_role_is_usable_as_soon_as_it_is_learned(load: Callable[[str], Team], folder: Path) -> None:
    team = load(ALONE)
    told: list[tuple[float, str]] = []
    report = team.learn(Role.load(folder / "triage.yaml"), lambda share, what: told.append((share, what)))
    assert report.demonstrations == 16 and 0 <= report.accuracy <= 1
    assert told[0][0] == 0 and told[-1] == (1.0, "done")
    assert all(before <= after for (before, _), (after, _) in zip(told, told[1:], strict=False))
    result = team.run_sync("I was charged twice")
    assert result.status == "completed", result.error
    assert result.output["queue"] in ("billing", "bug", "howto") and isinstance(result.output["urgent"], bool)
    assert result.steps[0].agent == "sorter" and result.usage.calls == 1
    assert not (folder / "heads").exists()


def test_an_agent_answers_with_the_head_of_its_role(load: Callable[[str], Team]) -> None:
    team = load(ALONE)
    torch.manual_seed(0)
    stack = HeadStack.random(team.backbone.sites, 1, 4)
    up = {site: torch.randn_like(tensor) for site, tensor in stack.up.items()}
    team.resources.put_head(Head.of_stack("triage", HeadStack(stack.down, up)))
    prompt, record = team["sorter"].role.prepare(team.message("The app crashes"), Context())
    with_head, bare = Decoder(team.backbone, team.bank).decode([Call(prompt, record, "triage"), Call(prompt, record)])
    result = team.run_sync("The app crashes")
    assert result.output["queue"] == with_head.values["queue"]
    assert with_head.confidence != pytest.approx(bare.confidence)
    assert result.usage.tokens == with_head.tokens


def test_a_saved_head_is_found_by_name(load: Callable[[str], Team], folder: Path) -> None:
    team = load(ALONE)
    team.learn(Role.load(folder / "triage.yaml"), save=folder / "heads")
    first = team.run_sync("It crashes").output
    (folder / "triage.yaml").unlink()
    again = load(ALONE.replace("./triage.yaml", "triage"))
    assert again["sorter"].member.head == folder / "heads" / "triage"
    assert again.run_sync("It crashes").output == first
    with pytest.raises(InvalidFile, match="did you mean 'triage'"):
        load(ALONE.replace("./triage.yaml", "triag"))


def test_heads_beside_the_team_come_before_those_of_the_working_folder(folder: Path) -> None:
    (folder / "desk").mkdir()
    for place in (folder, folder / "desk"):
        (place / "heads" / "triage").mkdir(parents=True)
        (place / "heads" / "triage" / "head.json").write_text("{}")
    assert RoleFinder(folder / "desk").head("triage") == folder / "desk" / "heads" / "triage"
    assert RoleFinder(folder / "other").head("triage") == folder / "heads" / "triage"
    assert RoleFinder(folder).head("../triage") is None
    (folder / "model" / "heads" / "planner").mkdir(parents=True)
    (folder / "model" / "heads" / "planner" / "head.json").write_text("{}")
    assert RoleFinder(folder, "./model").head("planner") == folder / "model" / "heads" / "planner"
    assert RoleFinder(folder).names() == ("planner", "coder", "qa", "recommender", "triage")


def test_a_chain_of_two_learned_roles(load: Callable[[str], Team], folder: Path) -> None:
    team = load(CHAIN)
    for name in ("triage", "mood"):
        team.learn(Role.load(folder / f"{name}.yaml"))
    result = team.run_sync({"text": "It crashes"}, run_id="one", journal=folder / "runs.db")
    assert result.status == "completed", result.error
    assert [step.agent for step in result.steps] == ["sorter", "listener"]
    assert result.steps[1].input["queue"] == result.output["queue"]
    assert result.output["mood"] in ("calm", "angry") and result.output["kind"] == "chain"
    resumed = team.resume_sync("one", journal=folder / "runs.db")
    assert resumed.output == result.output
    assert team["sorter"].does == "sorts what comes in"
    assert team["listener"].does == "Says how a customer feels."


def test_a_role_that_no_agent_has_joins_the_team(load: Callable[[str], Team], folder: Path) -> None:
    team = load(ALONE)
    team.learn(Role.load(folder / "mood.yaml"))
    assert "mood" in team and team["mood"].learned
    assert not team["sorter"].learned


def test_a_head_for_another_backbone_is_refused(load: Callable[[str], Team], folder: Path, backbone: Backbone) -> None:
    load(ALONE).learn(Role.load(folder / "triage.yaml"), save=folder / "heads")
    other = new_backbone(Shape(400, 32, 2, 2, 64), backbone.tokenizer, "other", seed=1)
    result = Team.load(folder / "team.yaml", other).run_sync("It crashes")
    assert result.status == "failed" and "made for another backbone (tiny " in str(result.error)


@pytest.mark.parametrize(("request_", "what"), [
    ({"txt": "a"}, "text: Field required"),
    ({"text": "a", "more": "b"}, "more: Extra inputs"),
    ({"text": 5}, "text: Input should be a valid string"),
])
def test_requests_that_do_not_fit(load: Callable[[str], Team], request_: Any, what: str) -> None:
    with pytest.raises(UnderstudyError, match=f"solo: {what}"):
        load(ALONE).message(request_)


def test_a_text_alone_needs_one_field(load: Callable[[str], Team]) -> None:
    with pytest.raises(UnderstudyError, match=r"it takes 2 fields \(text, queue\)"):
        load(ALONE.replace("triage.yaml", "mood.yaml")).message("a")


def test_messages_and_refs_pass(load: Callable[[str], Team]) -> None:
    team = load(ALONE)

    class Other(Message, message_name="test_team.Other"):
        text: str

    assert team.message(Other(text="a")) == team.message("a") == team.takes(text="a")
    assert team[Ref("item").agent] is not None and str(team[Ref("item").agent]) == "item.agent"
    with pytest.raises(UnderstudyError, match="there is no agent 'sortr'; did you mean 'sorter'"):
        _ = team["sortr"]


async def test_run_sync_refuses_a_running_loop(load: Callable[[str], Team]) -> None:
    with pytest.raises(UnderstudyError, match=r"await team\.run"):
        load(ALONE).run_sync("a")


def test_knowledge_is_read_in_when_it_is_first_needed(load: Callable[[str], Team], folder: Path) -> None:
    (folder / "notes.md").write_text("# Lima\n\nLima is the capital of Peru.\n")
    team = load(ALONE + 'knowledge: {store: build/desk.db, add: ["*.md"]}\n')
    assert not (folder / "build").exists()
    store = team.resources.store
    assert store is not None and "Lima" in store.search("capital of Peru")[0].text
    assert (folder / "build" / "desk.db").exists()
    team.close()


MEANING = [
    ("queue: sort.queue}}", "quue: sort.queue}}",
     ["feel.input: agent listener needs 'queue'",
      "feel.input.quue: agent listener takes no 'quue'; did you mean 'queue'?"]),
    ("feel: {agent", "lost: {call: combine, input: {steps: sort.queue, finding: sort}}\n    feel: {agent",
     ["lost.input.finding: function combine takes no 'finding'; did you mean 'findings'?",
      "lost.input: function combine needs 'findings'"]),
    ("{to: $end}", "{to: sort}", ["sort.routes: the loop sort → sort has no limit"]),
    ("feel: {agent", "lost: {agent: sorter, input: {text: input.text}}\n    feel: {agent",
     ["lost: step lost cannot be reached"]),
    ("text: input.text}, routes", "text: feel.mood}, routes",
     ["sort.input.text: step sort reads 'feel', which cannot have run"]),
]


@pytest.mark.parametrize(("old", "new", "expected"), MEANING, ids=[expected[0][:30] for _, _, expected in MEANING])
def test_mistakes_in_what_a_workflow_means(folder: Path, old: str, new: str, expected: list[str]) -> None:
    assert old in CHAIN
    (folder / "team.yaml").write_text(CHAIN)
    assert check(folder / "team.yaml") == []
    (folder / "team.yaml").write_text(CHAIN.replace(old, new))
    found = [str(problem) for problem in check(folder / "team.yaml")]
    for line in expected:
        assert any(f"workflow.steps.{line}" in one for one in found), found


def test_fields_that_no_message_can_have(folder: Path) -> None:
    (folder / "team.yaml").write_text(CHAIN.replace("input: {text: text}\n", "input: {text: text, copy: text}\n"))
    assert "input: a field cannot be called 'copy'" in str(check(folder / "team.yaml")[0])
    (folder / "mood.yaml").write_text(MOOD.replace("takes: {text: text, queue", "takes: {text: text, copy")
                                      .replace("queue:", "copy:"))
    assert "a field cannot be called 'copy'" in str(check(folder / "mood.yaml")[0])
