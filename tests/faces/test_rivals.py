"""Who plays in a head's place: random tensors of the same weight, another role's head, a model shown demonstrations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from understudy.agents.generators import GENERATORS
from understudy.agents.role import Role, role_named
from understudy.agents.sql import NOTHING
from understudy.core.errors import UnderstudyError
from understudy.core.heads import Head
from understudy.rivals import (
    DEMONSTRATIONS,
    NO_HEAD,
    OTHER,
    TRAINED,
    Prompted,
    Rivals,
    Seat,
    demonstrations,
    untrained,
)


def test_an_untrained_head_is_random_and_as_large() -> None:
    generator = torch.Generator().manual_seed(7)
    sites = {"one": (8, 6), "two": (6, 5)}
    pairs = {
        name: (torch.randn(wide, 3, generator=generator) * 9, torch.randn(3, out, generator=generator))
        for name, (wide, out) in sites.items()
    }
    learned: dict[str, Any] = {"readouts": {"kind": object()}, "pointers": {"answer": object()}}
    head = Head("qa", pairs, prior={"answer": {"yes": -1.0}}, threshold=0.4, **learned)
    other = untrained(head)
    for site, (down, up) in pairs.items():
        new = other.pairs[site][0] @ other.pairs[site][1]
        assert torch.linalg.norm(new).item() == pytest.approx(torch.linalg.norm(down @ up).item(), rel=1e-4)
        assert abs(torch.nn.functional.cosine_similarity(new.flatten(), (down @ up).flatten(), dim=0)) < 0.5
    assert not (other.prior or other.readouts or other.pointers), "nothing that was learned is left"
    again = untrained(replace(head, name="x"))
    assert all(torch.equal(again.pairs[site][0], other.pairs[site][0]) for site in sites)


def test_a_prompted_model_is_shown_what_is_the_same_every_time(checkout: Path) -> None:
    for name in GENERATORS:
        shown = demonstrations(role_named(name))
        assert len(shown) == DEMONSTRATIONS and shown == demonstrations(role_named(name))
    triage = Role.load(checkout / "examples" / "triage" / "role.yaml")
    assert demonstrations(triage) == triage.examples()


def test_a_prompted_model_is_shown_how_to_abstain() -> None:
    assert NOTHING in [one.values["sql"] for one in demonstrations(role_named("coder"))]
    assert None in [one.values["answer"] for one in demonstrations(role_named("qa"))]


SAFE = ("https://api.example/v1", "HTTPS://api.example/v1", "http://localhost:8000/v1", "http://127.0.0.1/v1",
        "http://127.8.8.8:1/v1", "http://[::1]:8000/v1")  # fmt: skip
OPEN = ("http://api.example/v1", "http://10.0.0.7:8000/v1", "http://localhost.example/v1", "http://127.0.0.1.example/v1",
        "http://0.0.0.0:8000/v1")  # fmt: skip


@pytest.mark.parametrize("url", [*SAFE, *OPEN])
def test_the_key_goes_over_plain_http_to_this_machine_alone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr("understudy.endpoint.Endpoint", lambda *_, key: given.append(key))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    team: Any = SimpleNamespace(agents={}, resources=None)
    told = Rivals(team, ablate=False, against=Prompted(url, "tiny")).told["tiny, few-shot"]
    assert given == (["sk-secret"] if url in SAFE else [None])
    assert ("asked without the key" in told) is (url in OPEN)
    monkeypatch.setenv("OPENAI_API_KEY", "")
    assert Prompted(url, "tiny").key is None
    with pytest.raises(UnderstudyError, match="no address"):
        _ = Prompted("localhost:8000", "tiny").key


def test_what_waits_for_a_model_is_given_up_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    monkeypatch.setattr("understudy.endpoint.Endpoint", lambda *_, key: SimpleNamespace(close=lambda: closed.append(1)))
    team: Any = SimpleNamespace(agents={}, resources=None)
    with pytest.raises(KeyboardInterrupt), Rivals(team, against=Prompted("http://localhost/v1", "tiny")):
        assert not closed
        raise KeyboardInterrupt
    assert closed


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

    heads: Any = SimpleNamespace(has_head=lambda name: name in ("qa", "coder"))
    agents["fourth"] = SimpleNamespace(name="fourth", head="function", learned=True, member=agents["first"].member)
    rivals = Rivals(Some(agents=agents, resources=heads))  # type: ignore[arg-type]
    seats = [rivals.seat(OTHER, name) for name in roles]
    assert [seat.head for seat in seats if seat] == ["coder", "coder", "qa"]
    assert rivals.seat(TRAINED, "first") == Seat(heads, "qa", 0.3)
    assert rivals.seat(NO_HEAD, "first") == Seat(heads, "", 0.0)
    assert "first with coder's, second with coder's, third with qa's" in rivals.told[OTHER]
    alone = Some(agents={"first": agents["first"], "second": agents["second"]}, resources=heads)
    assert Rivals(alone).seat(OTHER, "first") is None  # type: ignore[arg-type]
