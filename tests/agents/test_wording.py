"""Requests in capitals are read in small letters by every role, and what they name is found all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy.agents.coder import Coder
from understudy.agents.messages import CastMember, PlanRequest, Task
from understudy.agents.planner import Planner
from understudy.agents.qa import Reader
from understudy.agents.recommender import Recommender
from understudy.agents.role import Context
from understudy.agents.tools import SqlTool
from understudy.agents.wording import as_read
from understudy.core.fields import SpanValue
from understudy.knowledge import KnowledgeStore


@pytest.mark.parametrize(
    ("request_", "read"),
    [
        ("WHICH CURRENCY FOR PERU STOP", "which currency for peru stop"),
        ("AREA OF PERU IN km2 PLEASE", "area of peru in km2 please"),
        ("Which currency has  PERU?", "Which currency has PERU?"),
        ("THE UN?", "THE UN?"),
        ("3.5 > 2", "3.5 > 2"),
    ],
)
def test_only_a_request_in_capitals_is_put_in_small_letters(request_: str, read: str) -> None:
    assert as_read(request_) == read


TELEGRAM = "NEIGHBOURS OF CHAD WANTED STOP"


@pytest.fixture
def graph() -> Iterator[Context]:
    with KnowledgeStore.open(":memory:", "hashed") as store:
        store.add_facts([("Chad", "borders", "Niger"), ("Chad", "lies_in", "Africa"), ("Niger", "lies_in", "Africa")])
        yield Context(store)


def test_the_planner_s_words_are_those_that_it_read(graph: Context) -> None:
    message = PlanRequest(request=TELEGRAM, cast=(CastMember(name="qa", does="facts"),))
    prompt, _ = Planner().prepare(message, graph)
    assert prompt.part("request") == TELEGRAM.lower()
    step = {"agent": "qa", "request": SpanValue(0, 0, 18, "neighbours of chad"), "needs": []}
    plan = Planner().finish({"steps": [step]}, message, graph)
    assert plan.model_dump()["steps"][0]["request"] == "neighbours of chad"


def test_reader_and_recommender_read_it_so_and_find_what_it_names(graph: Context) -> None:
    prompt, _ = Reader().prepare(Task(request=TELEGRAM), graph)
    assert prompt.part("question") == TELEGRAM.lower()
    assert prompt.passages and "Chad" in prompt.passages[0].text
    prompt, _ = Recommender().prepare(Task(request=TELEGRAM), graph)
    assert prompt.part("request") == TELEGRAM.lower()


def test_the_coder_links_its_values(tmp_path: Path) -> None:
    (tmp_path / "lands.csv").write_text("name,population,code\nChad,5,TD\nNiger,6,IN\n", encoding="utf-8")
    tool = SqlTool(tmp_path / "lands.csv")
    prompt, _ = Coder().prepare(Task(request="POPULATION IN CHAD, CODE TD, WANTED"), Context(tools={"sql": tool}))
    assert prompt.part("request") == "population in chad, code td, wanted"
    assert prompt.part("values") == "name = 'Chad'; code = 'TD'"
