"""What may come next: only runs of the source, only what a grammar accepts."""

from itertools import pairwise

import pytest

from understudy.core.constraints import Guided, Substring, number_grammar, text_grammar
from understudy.core.markers import Markers

END = 99


def runs(sources: list[list[int]], limit: int, nothing: tuple[int, ...] = ()) -> dict[tuple[int, ...], object]:
    """Every text that the automaton accepts, found by walking all of it, with its places."""
    found: dict[tuple[int, ...], object] = {}
    front: list[tuple[int, ...]] = [()]
    while front:
        run = front.pop()
        automaton = Substring(sources, END, limit, nothing)
        for token in run:
            automaton.advance(token)
        for token in automaton.allowed():
            if token == END:
                automaton.advance(END)
                found[run] = automaton.places()
            else:
                front.append((*run, token))
    return found


def slices(sources: list[list[int]], limit: int) -> dict[tuple[int, ...], object]:
    """Every run of every source, with the first place in each source that has it; without any automaton."""
    found: dict[tuple[int, ...], dict[int, tuple[int, int, int]]] = {}
    for s, ids in enumerate(sources):
        for i in range(len(ids)):
            for j in range(i + 1, min(len(ids), i + limit) + 1):
                found.setdefault(tuple(ids[i:j]), {}).setdefault(s, (s, i, j - 1))
    return {run: tuple(places.values()) for run, places in found.items()}


SOURCES: list[list[list[int]]] = [
    [[1, 2, 3]], [[1, 1, 1, 2]], [[1, 2, 1, 3, 1, 2]], [[7]], [[1, 2], [2, 1, 2]], [[], [4, 5], [5, 4], [4, 5, 6]],
]  # fmt: skip


@pytest.mark.parametrize("sources", SOURCES)
@pytest.mark.parametrize("limit", [1, 2, 9])
def test_exactly_the_runs_of_the_sources_are_accepted_and_found(sources: list[list[int]], limit: int) -> None:
    assert runs(sources, limit) == slices(sources, limit)


@pytest.mark.parametrize("nothing", [(8,), (8, 9), (1, 8)])
@pytest.mark.parametrize("sources", SOURCES)
def test_nothing_is_taken_whole_or_not_at_all(sources: list[list[int]], nothing: tuple[int, ...]) -> None:
    for limit in (1, 9):
        assert runs(sources, limit, nothing) == {**slices(sources, limit), nothing: ()}


@pytest.mark.parametrize("limit", [1, 2, 9])
def test_runs_begin_and_end_where_they_may(limit: int) -> None:
    """[1 2] is one value and [3] the other: whole values alone, however short the limit is."""
    sources, found = [[9, 1, 2, 8, 3], [1, 2]], set()
    front: list[tuple[int, ...]] = [()]
    while front:
        run = front.pop()
        automaton = Substring(sources, END, limit, (), [{1, 4}, None], [{2, 4}, None])
        for token in run:
            automaton.advance(token)
        assert automaton.allowed(), run
        for token in automaton.allowed():
            if token == END:
                found.add((run, automaton.places()[:1]))
            else:
                front.append((*run, token))
    whole = {((1, 2), ((0, 1, 2),)), ((1, 2, 8, 3), ((0, 1, 4),)), ((3,), ((0, 4, 4),))}
    parts = {((1,), ((1, 0, 0),)), ((2,), ((1, 1, 1),))}
    assert found >= (whole if limit == 9 else {((3,), ((0, 4, 4),)), ((1, 2), ((0, 1, 2),))})
    assert found <= whole | parts, "a run that cuts a value"


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
