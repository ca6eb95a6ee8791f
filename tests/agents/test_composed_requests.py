"""Requests put together from questions to one role: who does what, and with which words."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from understudy.agents.generators import composed_requests
from understudy.agents.generators.casts import FACTS, FIGURES
from understudy.agents.generators.parts import Request
from understudy.agents.generators.templates import parse


def requests(count: int) -> list[Request]:
    rng = random.Random(5)
    found: list[Request] = []
    while len(found) < count:
        drawn = composed_requests.request(rng)
        if drawn is not None:
            found.append(drawn[1])
    return found


def test_every_step_has_words_of_the_request_and_there_are_all_kinds_of_plans() -> None:
    drawn = requests(400)
    for one in drawn:
        assert all(part.words and part.words in one.text for part in one.parts), one
        assert not re.search(r"[\[\]{}]", one.text), one.text
    plans = Counter((tuple(part.kind for part in one.parts), bool(one.parts[-1].needs)) for one in drawn)
    for kinds, chained in (
        ((FIGURES,), False), ((FACTS,), False), ((FACTS, FIGURES), False), ((FIGURES, FACTS), False),
        ((FIGURES, FACTS), True), ((FACTS, FIGURES), True), ((FACTS, FACTS), False), ((FIGURES, FIGURES), False),
    ):  # fmt: skip
        assert plans[kinds, chained] > 2, (kinds, chained)


def test_the_last_step_of_a_chain_has_the_whole_request_and_two_wants_do_not_overlap() -> None:
    for one in requests(300):
        if one.parts[-1].needs:
            assert one.parts[-1].words == one.text != one.parts[0].words
        elif len(one.parts) == 2:
            first, second = (one.text.index(part.words) for part in one.parts)
            assert first + len(one.parts[0].words) <= second or second + len(one.parts[1].words) <= first


@pytest.mark.parametrize(
    ("line", "for_others"),
    [
        ("how many people has {*} || SELECT [population] FROM t WHERE [*] = {*}", False),
        ("codes of {*} || SELECT [two-letter code] FROM t WHERE [*] = {*}", False),
        ("money of {*} and {*2} || SELECT [currency] FROM t WHERE ( [*] = {*} OR [*] = {*2} )", True),
        ("capital of the largest || SELECT [capital] FROM t ORDER BY [area] DESC LIMIT 1", True),
        ("the largest || SELECT [*] FROM t ORDER BY [area] DESC LIMIT 1", False),
        ("capitals in {continent} || SELECT [*], [capital] FROM t WHERE [continent] = {continent}", False),
        ("money of {*} || SELECT [currency] FROM t WHERE [*] = {*}", True),
        ("tongues and money of {*} || SELECT [official languages], [currency] FROM t WHERE [*] = {*}", True),
        ("money and people of {*} || SELECT [currency], [population] FROM t WHERE [*] = {*}", False),
        ("who pays in {currency} || SELECT [*] FROM t WHERE [currency] = {currency}", False),
        ("the rainfall of {*} || SELECT NULL", True),
        ("{*} climate. also GDP {*2} || SELECT [GDP] FROM t WHERE [*] = {*2}", True),
        ("what does the largest land of {continent} eat || SELECT [*] FROM t WHERE [continent] = {continent}", True),
        ("who borders most || SELECT [*] FROM t ORDER BY [number of neighbours] DESC LIMIT 1", False),
    ],
)
def test_a_question_for_words_or_for_more_than_its_sql_is_no_request_for_figures(line: str, for_others: bool) -> None:
    (template,) = parse(f"## country\n{line}")
    assert composed_requests._for_others(template) is for_others


def test_the_words_that_ask_for_a_set_are_marked_whole() -> None:
    assert composed_requests._marked("how many of the neighbours of {*} drive left") == (
        "how many of [the neighbours of {*}] drive left"
    )
    assert composed_requests._marked("who of them drives left") == ""
    assert composed_requests._marked("are {*} and the neighbours of {*} alike") == "", "the name stands there twice"


def test_a_name_keeps_its_letter_where_a_second_want_begins() -> None:
    wants, kinds = ["Peru's dish", "What has Mali"], [FACTS, FIGURES]
    joined = [composed_requests.joined(random.Random(n), wants, kinds) for n in range(60)]
    texts = [one.text for one in joined if one is not None]
    assert len(texts) == 60 and all("Peru's dish" in text for text in texts)
    assert {"what has Mali" in text for text in texts} == {True, False}
