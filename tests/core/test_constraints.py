"""What may come next: only runs of the source, only what a grammar accepts."""

from itertools import pairwise

import pytest

from understudy.core.constraints import Guided, Substring, number_grammar, text_grammar
from understudy.core.markers import Markers

END = 99


def runs(ids: list[int], limit: int) -> set[tuple[int, ...]]:
    """Every text that the automaton accepts, found by walking all of it."""
    found: set[tuple[int, ...]] = set()
    front: list[tuple[int, ...]] = [()]
    while front:
        run = front.pop()
        automaton = Substring(ids, END, limit)
        for token in run:
            automaton.advance(token)
        for token in automaton.allowed():
            if token == END:
                found.add(run)
            else:
                front.append((*run, token))
    return found


@pytest.mark.parametrize("ids", [[1, 2, 3], [1, 1, 1, 2], [1, 2, 1, 3, 1, 2], [7]])
@pytest.mark.parametrize("limit", [1, 2, 9])
def test_exactly_the_runs_of_the_source_are_accepted(ids: list[int], limit: int) -> None:
    expected = {tuple(ids[i:j]) for i in range(len(ids)) for j in range(i + 1, min(len(ids), i + limit) + 1)}
    assert runs(ids, limit) == expected


def test_the_place_of_a_run_is_its_first_in_the_source() -> None:
    ids = [1, 2, 1, 3, 1, 3]
    automaton = Substring(ids, END, 9)
    places = []
    for token in (1, 3, 1):
        assert token in automaton.allowed()
        automaton.advance(token)
        places.append(automaton.place())
    assert places == [(0, 0), (2, 3), (2, 4)]
    automaton.advance(END)
    assert automaton.place() == (2, 4)


def test_a_guided_text_may_end_at_its_limit_and_not_before_it_is_whole(tokenizer: object) -> None:
    end = Markers.of(tokenizer).end  # type: ignore[arg-type]
    guided = Guided(tokenizer, 'start: " " ("ab" "c")+', end, 1)  # type: ignore[arg-type]
    said = ""
    for _ in range(20):
        allowed = guided.allowed()
        if list(allowed) == [end]:
            break
        assert end not in allowed or said.strip() in {"abc" * n for n in range(1, 9)}
        token = next(i for i in allowed if i != end)
        said += tokenizer.decode([token])  # type: ignore[attr-defined]
        guided.advance(token)
    assert said.strip() == "abc", "past its limit a text ends at the first place where the grammar lets it"


def test_special_tokens_are_never_text(tokenizer: object) -> None:
    marks = Markers.of(tokenizer)  # type: ignore[arg-type]
    others = {marks.pad, marks.passage[0], marks.role[0], marks.field[0], marks.item[0], marks.none[0]}
    for lark in (text_grammar(9), number_grammar(False), 'start: " " /.*/'):
        guided = Guided(tokenizer, lark, marks.end, 9)  # type: ignore[arg-type]
        assert not others & set(guided.allowed())


def test_the_languages_are_named_by_ids_of_the_vocabulary(plain_tokenizer: object) -> None:
    end = Markers.of(plain_tokenizer).end  # type: ignore[arg-type]
    allowed = list(Guided(plain_tokenizer, text_grammar(9), end, 9).allowed())  # type: ignore[arg-type]
    assert all(one < other for one, other in pairwise(allowed))
    assert max(allowed) < len(plain_tokenizer)  # type: ignore[arg-type]
