from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Passage
from understudy.knowledge import KnowledgeStore
from understudy.knowledge.evaluation import Question, evaluate, question, share
from understudy.knowledge.retrieval import RECIPES

TEXTS = {"Peru": "Lima lies in Peru.", "Chile": "Santiago lies in Chile.", "Japan": "Tokyo lies in Japan."}


@pytest.fixture
def store() -> Iterator[KnowledgeStore]:
    with KnowledgeStore.open(embedder="hashed") as opened:
        opened.add_passages([Passage(title, text) for title, text in TEXTS.items()])
        yield opened


def test_shares_by_hand(store: KnowledgeStore) -> None:
    asked = [
        Question("Lima Santiago", ("Peru", "Chile")),  # both
        Question("Lima Lima Tokyo", ("notes#Peru", "Chile")),  # one of two
        Question("Tokyo", ("Peru",)),  # none
        Question("Santiago", ("Chile", "notes#Chile")),  # one passage by both of its names
    ]
    (told,) = evaluate(store, asked, ["lexical"], (1, 2))
    assert told.recipe == "lexical" and told.seconds > 0
    assert {depth: found.mean for depth, found in told.recall.items()} == {1: 0.5, 2: 0.625}
    assert {depth: found.mean for depth, found in told.complete.items()} == {1: 0.25, 2: 0.5}
    assert all(found.low <= found.mean <= found.high for found in (*told.recall.values(), *told.complete.values()))


def test_every_recipe_is_asked_and_progress_told(store: KnowledgeStore) -> None:
    seen: list[tuple[int, int]] = []
    asked = [Question("Lima in Peru", ("Peru",)), Question("Tokyo in Japan", ("Japan",))]
    told = evaluate(store, asked, list(RECIPES), progress=lambda done, of: seen.append((done, of)))
    assert [score.recipe for score in told] == list(RECIPES) and seen == [(i, 10) for i in range(1, 11)]
    assert all(score.recall[2].mean == score.complete[5].mean == 1.0 for score in told)
    assert evaluate(store, asked, []) == []


def test_intervals_hold_the_mean_and_shrink() -> None:
    draw = np.random.default_rng(1)
    few, many = share(draw.integers(0, 2, 40)), share(draw.integers(0, 2, 4000))
    assert few.low < few.mean < few.high and few.high - few.low > 3 * (many.high - many.low)
    assert share([1.0, 1.0]) == share([1.0]) and share([1.0]).low == share([1.0]).high == 1.0
    wide = 1.96 * np.sqrt(many.mean * (1 - many.mean) / 4000)
    assert many.low == pytest.approx(many.mean - wide, abs=0.004) and share(draw.random(9)) != share(draw.random(9))


def test_questions() -> None:
    assert question({"query": "q", "titles": ["a", "b", "a"]}, "x:1") == Question("q", ("a", "b"))
    assert question({"query": "q", "sources": ["s"], "titles": ["t"]}, "x:1") == Question("q", ("s",))


@pytest.mark.parametrize(
    "row",
    [{}, {"query": "q"}, {"query": "q", "titles": []}, {"query": "q", "titles": "Peru"}, {"query": 1, "titles": ["a"]},
     {"query": "q", "sources": [1]}, {"titles": ["a"]}],
)  # fmt: skip
def test_what_is_no_question_is_told_with_its_place(row: dict[str, Any]) -> None:
    with pytest.raises(UnderstudyError, match=r"^questions\.jsonl:7: not a question with its evidence; write"):
        question(row, "questions.jsonl:7")


def test_no_questions_are_refused(store: KnowledgeStore) -> None:
    with pytest.raises(UnderstudyError, match="no question"):
        evaluate(store, [], ["lexical"])
