"""What a pronoun in a step stands for is found outside it, and only where the step names nothing itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from understudy.agents.antecedents import antecedent
from understudy.knowledge import KnowledgeStore

FACTS = [
    ("Chad", "borders", "Niger"), ("Chad", "lies_in", "Africa"), ("Togo", "borders", "Ghana"),
    ("Togo", "speaks", "Ewe"), ("Ghana", "lies_in", "Africa"), ("Ghana", "speaks", "English"),
    ("Ukraine", "speaks", "Ukrainian"), ("Ukraine", "lies_in", "Europe"), ("Ukraine", "also_called", "Ukrainian"),
    ("Ukrainian", "is_a", "language"),
    ("Chad", "pays_with", "franc"), ("N'Djamena", "capital_of", "Chad"), ("Africa", "is_a", "continent"),
]  # fmt: skip


@pytest.fixture(scope="module")
def store() -> Iterator[KnowledgeStore]:
    with KnowledgeStore.open(":memory:", "hashed") as opened:
        opened.add_facts(FACTS)
        yield opened


@pytest.mark.parametrize(
    ("before", "step", "after", "meant"),
    [
        ("What is the capital of Chad, and ", "how many people live there", "?", "Chad"),
        ("Tell me the population of Ghana, and ", "which countries border it", ".", "Ghana"),
        ("Ghana and Togo: where are they, and ", "what do they speak", "?", "Ghana and Togo"),
        ("Chad, Ghana, and Togo. ", "Which of them is larger", "", "Chad and Ghana and Togo"),
        ("I come from Togo. Now, Chad's capital; and ", "its money", "?", "Chad"),
        ("", "How large is it", ", I mean Chad?", "Chad"),
        ("Of Chad I know little: ", "how is that country ruled", "?", "Chad"),
        ("I'm cooking Ukrainian tonight, so ", "what is their dish", "?", "Ukraine"),
        ("What is the capital of Chad in Africa, and ", "how many people live there", "?", "Chad"),
        ("Does chad use the franc? And ", "what are its neighbours", "?", "Chad"),
        ("N'Djamena is the capital of what, and ", "how many people live there", "?", "N'Djamena"),
        ("Is Chad larger than Togo, and ", "do they have a common border", "?", "Chad and Togo"),
        ("Chad's money, and ", "every country that borders it", "", "Chad"),
        ("Chad's money, and ", "which countries are its neighbours", "", "Chad"),
        ("Chad's capital and ", "population", "?", "Chad"),
        ("Chad: capital, ", "how many people", "", "Chad"),
        ("", "capital", " and population of Chad", "Chad"),
        ("Chad's capital, Togo's dish, ", "population", "", ""),
        ("Chad's capital and ", "the largest economy", "?", ""),
        ("Chad's capital and ", "number of countries", "?", ""),
        ("I loved Chad, ", "something similar please", "", ""),
        ("Chad's capital and ", "how many people live in one square kilometre", "", ""),
        # A step that names something, has no pronoun, or has one that stands for nothing.
        ("What is the capital of Chad, and ", "what do they speak in Togo", "?", ""),
        ("What is the capital of Chad, and ", "how many countries are there", "?", ""),
        ("What is the capital of Chad, and ", "are there countries without a coast", "?", ""),
        ("What is the capital of Chad, and ", "the largest country", "?", ""),
        ("", "how many people live there", "?", ""),
        ("I'm from Chad. ", "Which country has fondue as its dish", "?", ""),
        ("I'm from Chad. ", "List the landlocked countries and their capitals", ".", ""),
        ("I'm from Chad. ", "Who are they who eat fondue", "?", ""),
        ("Chad or Togo? ", "The former: how large is it", "?", ""),
        ("Which country in Africa has the fewest people, and ", "what do they eat there", "?", ""),
        ("I'm from Chad. ", "Hello there, list the largest", ".", ""),
        ("I'm from Chad. ", "Is it true, what they say of fondue", "?", "Chad"),
    ],
)
def test_the_name_is_found(store: KnowledgeStore, before: str, step: str, after: str, meant: str) -> None:
    assert antecedent(before + step + after, len(before), len(before + step), store) == meant


def test_letters_inside_words_are_no_pronouns(store: KnowledgeStore) -> None:
    before, step = "The capital of Chad and ", "an item of items, with theirs-like italics"
    assert antecedent(before + step, len(before), len(before + step), store) == ""
    assert antecedent(before + step + " of it", len(before), len(before + step) + 6, store) == "Chad"
