"""Who plays in a head's place: random tensors of the same weight, a stranger's rules, shown demonstrations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from understudy.agents.generators import GENERATORS
from understudy.agents.role import Role, role_named
from understudy.core.errors import UnderstudyError
from understudy.core.heads import Head
from understudy.examination import Outcome, is_place
from understudy.judging import Judged
from understudy.knowledge import KnowledgeStore
from understudy.questions import Question
from understudy.rivals import (
    DEMONSTRATIONS,
    NO_HEAD,
    OTHER,
    TRAINED,
    Rivals,
    Ruled,
    Seat,
    demonstrations,
    load_rules,
    untrained,
)


def test_an_untrained_head_is_random_and_as_large() -> None:
    generator = torch.Generator().manual_seed(7)
    sites = {"one": (8, 6), "two": (6, 5)}
    pairs = {
        name: (torch.randn(wide, 3, generator=generator) * 9, torch.randn(3, out, generator=generator))
        for name, (wide, out) in sites.items()
    }
    head = Head("qa", pairs, prior={"answer": {"yes": -1.0}}, threshold=0.4)
    other = untrained(head)
    for site, (down, up) in pairs.items():
        new = other.pairs[site][0] @ other.pairs[site][1]
        assert torch.linalg.norm(new).item() == pytest.approx(torch.linalg.norm(down @ up).item(), rel=1e-4)
        assert abs(torch.nn.functional.cosine_similarity(new.flatten(), (down @ up).flatten(), dim=0)) < 0.5
    assert not other.prior, "nothing that was learned is left"
    again = untrained(replace(head, name="x"))
    assert all(torch.equal(again.pairs[site][0], other.pairs[site][0]) for site in sites)


def test_a_prompted_model_is_shown_what_is_the_same_every_time(checkout: Path) -> None:
    for name in GENERATORS:
        shown = demonstrations(role_named(name))
        assert len(shown) == DEMONSTRATIONS and shown == demonstrations(role_named(name))
    triage = Role.load(checkout / "examples" / "triage" / "role.yaml")
    assert demonstrations(triage) == triage.examples()


def test_another_roles_head_is_the_next_of_another_role() -> None:
    roles = {"first": "qa", "second": "qa", "third": "coder"}
    agents = {
        name: SimpleNamespace(name=name, head=role, learned=True,
                              member=SimpleNamespace(role=SimpleNamespace(name=role), head=None, threshold=0.3))
        for name, role in roles.items()
    }  # fmt: skip

    class Some(SimpleNamespace):
        def __getitem__(self, name: str) -> Any:
            return self.agents[name]

    rivals = Rivals(Some(agents=agents, resources="heads"))  # type: ignore[arg-type]
    seats = [rivals.seat(OTHER, name) for name in roles]
    assert [seat.head for seat in seats if seat] == ["coder", "coder", "qa"]
    assert rivals.seat(TRAINED, "first") == Seat("heads", "qa", 0.3)
    assert rivals.seat(NO_HEAD, "first") == Seat("heads", "", 0.0)
    assert "first with coder's, second with coder's, third with qa's" in rivals.told[OTHER]
    alone = Some(agents={"first": agents["first"], "second": agents["second"]}, resources="heads")
    assert Rivals(alone).seat(OTHER, "first") is None  # type: ignore[arg-type]


@dataclass(frozen=True)
class Given:
    values: dict[str, Any]


def test_what_rules_raise_is_told_with_their_file() -> None:
    def decode(calls: Any) -> Any:
        return [Given({"x": 1 / call}) for call in calls]

    ruled = Ruled(SimpleNamespace(decode=decode), "rules.py")
    (reply,) = ruled.decode([2])
    assert (reply.values, reply.confidence, reply.tokens) == ({"x": 0.5}, 1.0, 0)
    with pytest.raises(UnderstudyError, match=r"^rules\.py: the rules failed \(ZeroDivisionError"):
        ruled.decode([0])


def test_rules_of_a_file_may_be_dataclasses_with_late_types(tmp_path: Path) -> None:
    lines = (
        "from __future__ import annotations", "from dataclasses import dataclass", "@dataclass", "class Rules:",
        "    found: dict[str, int] | None = None", "    def decode(self, calls):", "        return list(calls)",
    )  # fmt: skip
    (tmp_path / "mine.py").write_text("\n".join(lines), encoding="utf-8")
    assert load_rules(tmp_path / "mine.py").decode("ab") == ["a", "b"]
    (tmp_path / "none.py").write_text("class Rules: pass", encoding="utf-8")
    with pytest.raises(UnderstudyError, match="no decode"):
        load_rules(tmp_path / "none.py")


def test_what_can_be_suggested_is_of_a_kind_with_what_was_liked() -> None:
    with KnowledgeStore.open(":memory:") as store:
        store.add_facts([
            ("Peru", "is_a", "country"), ("Chile", "is_a", "country"), ("Chile", "also_called", "Chili"),
            ("Lima", "is_a", "city"), ("Lima", "capital_of", "Peru"), ("Anna", "knows", "Ben"),
        ])  # fmt: skip
        assert is_place(store, ["Peru"], "Chile")
        assert not is_place(store, ["Peru"], "Chili"), "suggested under another name"
        assert not is_place(store, ["Peru"], "Lima") and not is_place(store, ["Peru"], "Atlantis")
        assert is_place(store, ["Ben"], "Anna") and not is_place(store, ["Ben"], "Ben")
    assert is_place(None, ["Ben"], "anything")


def test_an_outcome_counts_each_thing_apart() -> None:
    asked = [Question(str(at), "qa", "?", values=("a",)) for at in range(4)]
    asked += [Question("n", "qa", "?", unanswerable=True)] * 3
    judged = [
        Judged(True, "a"), Judged(False, "b"), Judged(False, "", abstained=True), Judged(False, "", failed=True),
        Judged(True, "", abstained=True), Judged(False, "b"), Judged(False, "", failed=True),
    ]  # fmt: skip
    outcome = Outcome("qa", "trained head", tuple(asked), tuple(judged), (0.1,) * 6 + (9.0,), False)
    counts = {name: (rate.right, rate.total) for name, rate in outcome.rates.items()}
    assert counts == {
        "right": (2, 7), "right_of_answerable": (1, 4), "answered": (2, 4), "right_of_answered": (1, 2),
        "false_answers": (1, 3), "plan_right": (0, 0),
    }  # fmt: skip
    assert [question.id for question, _ in outcome.confident_errors] == ["1", "n"]
    assert outcome.typical == 0.1 and outcome.as_json()["failed"] == 2
    assert outcome.where(lambda one: one.unanswerable, "rest").rates["right"].total == 3
