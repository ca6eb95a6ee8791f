"""What people say round a request changes nothing of what is asked."""

from __future__ import annotations

import random
from typing import Any

import pytest

from understudy.agents.generators import planning, querying, reading, wrappers
from understudy.agents.generators.domains import DOMAINS, GEOGRAPHY
from understudy.agents.generators.worlds import make_table

KINDS = (wrappers.ANY, wrappers.TWO, wrappers.TASTE, wrappers.COUNTRY, wrappers.NAMED)


def test_there_are_many_of_each_kind_and_none_twice() -> None:
    for kind, least in zip(KINDS, (250, 60, 50, 60, 200), strict=True):
        lines = wrappers.read()[kind]
        assert len(lines) == len(set(lines)) >= least, kind


def test_a_request_goes_on_in_small_letters_and_names_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def said(line: str, request: str) -> str:
        monkeypatch.setattr(wrappers, "read", lambda: {wrappers.ANY: (line,)})
        return wrappers.wrapped(random.Random(0), request, wrappers.ANY)

    assert said("Quick one: @", "Which is larger?") == "Quick one: which is larger?"
    assert said("Quick one: @", "Peru or Chile?") == "Quick one: Peru or Chile?"
    assert said("I am at a quiz. @", "Which is larger?") == "I am at a quiz. Which is larger?"
    assert said("@, if I may ask", "Which is larger?") == "Which is larger, if I may ask"
    assert said("@ Thanks!", "Which is larger?") == "Which is larger? Thanks!"
    assert said("@ thanks", "Which is larger?") == "Which is larger thanks"


def test_only_countries_are_asked_about_with_a_traveller_s_words() -> None:
    assert wrappers.COUNTRY in wrappers.questions(GEOGRAPHY)
    assert all(wrappers.questions(domain) == (wrappers.ANY,) for domain in DOMAINS if domain is not GEOGRAPHY)


def test_what_is_beside_the_point_names_values_that_the_request_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrappers, "read", lambda: {wrappers.NAMED: ("I live in {*}. @", "@ Soy de {capital}.")})
    rng = random.Random(1)
    linked = 0
    for _ in range(60):
        world = make_table(rng, GEOGRAPHY, 5)
        name = world.names[0]
        around = wrappers.beside_the_point(rng, f"How large is {name}?", world)
        assert around is None or around[1] == f"How large is {name}?" and name not in around[0] + around[2]
        linked += around is not None and any(world.index.link(said) for said in (around[0], around[2]))
    assert linked > 30
    other = make_table(rng, next(domain for domain in DOMAINS if domain is not GEOGRAPHY), 5)
    assert wrappers.beside_the_point(rng, "How many?", other) is None


def some(monkeypatch: pytest.MonkeyPatch, module: Any, part: str, rate: float) -> list[tuple[str, Any]]:
    monkeypatch.setattr(wrappers, "RATE", rate)
    monkeypatch.setattr(wrappers, "read", lambda: dict.fromkeys(KINDS, ("Hark! @ So be it.",)))
    rng = random.Random(5)
    examples = [module.example(rng) for _ in range(150)]
    return [(one.prompt.part(part), one) for one in examples]


@pytest.mark.parametrize(("module", "part"), [(planning, "request"), (querying, "request"), (reading, "question")])
def test_all_roles_hear_them(monkeypatch: pytest.MonkeyPatch, module: Any, part: str) -> None:
    assert sum("hark! " in text.lower() for text, _ in some(monkeypatch, module, part, 1.0)) > 140
    assert not any("hark! " in text.lower() for text, _ in some(monkeypatch, module, part, 0.0))


def test_they_belong_to_steps_with_the_whole_request_and_to_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = chained = apart = 0
    for text, example in some(monkeypatch, planning, "request", 1.0):
        steps = example.values["steps"]
        for step in steps:
            span = step["request"]
            assert text[span.start : span.end] == span.text and span.text.strip()
        words = [step["request"].text for step in steps]
        if len(steps) == 1:
            alone += words == [text]
        elif any(step["needs"] for step in steps):
            chained += words[-1] == text
        else:
            apart += not any("hark" in one.lower() or "so be it" in one.lower() for one in words)
    assert alone + chained + apart == 150 and min(alone, chained, apart) > 5, (alone, chained, apart)


def test_a_line_that_is_no_wrapper_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("any || no place", "some || Hello! @", "any || @ twice @"):
        monkeypatch.setattr(wrappers, "text_of", lambda name, text=text: f"two || Two: @\n{text}\n")
        with pytest.raises(ValueError, match="wrappers.txt:2"):
            wrappers.read.__wrapped__()
