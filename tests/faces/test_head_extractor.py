from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Passage
from understudy.head_extractor import HeadExtractor
from understudy.knowledge import KnowledgeStore

SURE = {
    "SUBJECT is the capital of OBJECT.": ("capital_of", 0.9, False),
    "OBJECT is the capital of SUBJECT.": ("capital_of", 0.6, False),
    "SUBJECT borders OBJECT.": ("borders", 0.5, True),
}


class Scripted:
    """A role that knows some sentences and sees no relation in any other."""

    def __init__(self, takes: Sequence[str] = ("text",), gives: Sequence[str] = ("relation",)) -> None:
        self.asked: list[str] = []
        fields = (SimpleNamespace(model_fields=dict.fromkeys(names)) for names in (takes, gives))
        self.role = SimpleNamespace(name="scripted", **dict(zip(("takes", "gives"), fields, strict=True)))

    def message(self, text: str) -> str:
        return text

    def answer(self, messages: Sequence[str]) -> list[Any]:
        self.asked += messages
        found = [SURE.get(text, ("none", 0.9, False)) for text in messages]
        return [
            SimpleNamespace(output=SimpleNamespace(relation=relation), confidence=sure, abstained=shy)
            for relation, sure, shy in found
        ]


def told(solo: Scripted, text: str, least: float | None = None, most_names: int = 5) -> list[str]:
    extractor = HeadExtractor(solo, least, most_names)  # type: ignore[arg-type]
    with KnowledgeStore.open(":memory:", "hashed", extractor) as store:
        store.add_passages([Passage("A journey", text)])
        return [str(fact) for fact in store.all_facts()]


def test_the_role_is_asked_about_each_pair_of_names_of_a_sentence_both_ways() -> None:
    solo = Scripted()
    told(solo, "Quito is the capital of Ecuador. A ship from Peru reached Chile.")
    assert solo.asked[:2] == ["SUBJECT is the capital of OBJECT.", "OBJECT is the capital of SUBJECT."]
    assert solo.asked[2:] == ["A ship from SUBJECT reached OBJECT.", "A ship from OBJECT reached SUBJECT."]


def test_of_two_directions_the_surer_one_is_told() -> None:
    assert told(Scripted(), "Quito is the capital of Ecuador.") == ["Quito capital of Ecuador"]


def test_what_the_role_is_shy_of_is_no_fact_unless_a_confidence_is_enough() -> None:
    assert told(Scripted(), "Now Ecuador borders Colombia.") == []
    assert told(Scripted(), "Ecuador borders Colombia.") == []
    assert told(Scripted(), "Ecuador borders Colombia.", least=0.4) == ["Ecuador borders Colombia"]


def test_a_sentence_with_many_names_is_passed_over() -> None:
    solo = Scripted()
    told(solo, "We saw Ada, then Bob, then Eve, then Tom.", most_names=3)
    assert solo.asked == []


def test_a_role_of_another_kind_is_refused() -> None:
    for solo in (Scripted(takes=("text", "more")), Scripted(gives=("label",))):
        with pytest.raises(UnderstudyError, match="cannot extract facts"):
            HeadExtractor(solo)  # type: ignore[arg-type]
