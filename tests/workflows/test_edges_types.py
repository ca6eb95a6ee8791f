"""Which types never fit, which do or may, and that pydantic agrees."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    NamedTuple,
    NewType,
    Protocol,
    TypedDict,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BeforeValidator, TypeAdapter, ValidationError

from tests.workflows.edge_steps import Bill, Order, chain, gives, takes, told
from understudy.agents.messages import Finding, Message
from understudy.workflows.fitting import Fit, fit
from understudy.workflows.kinds import kind_of, kind_of_value

T = TypeVar("T")
Euros = NewType("Euros", float)


class Sized(Protocol):
    size: int


class Shape(TypedDict):
    item: str
    count: int


class Pair(NamedTuple):
    left: int
    right: int


@dataclass(frozen=True)
class Note:
    text: str


NEVER: list[tuple[Any, Any]] = [
    (int, str), (str, int), (float, int), (str, bool), (None, str), (str, None), (Order, str), (str, Order),
    (Order, Bill), (list[str], str), (str, list[str]), (list[int], list[str]), (list[str], Sequence[int]),
    (tuple[int, str], tuple[int, int]), (tuple[int, str], tuple[int, str, int]), (list[Order], tuple[Bill, ...]),
    (dict[str, int], dict[str, str]), (Order, dict), (dict, str), (dict[str, int], list[str]), (list[int], dict),
    (Literal["a"], Literal["b"]), (Literal["a", "b"], int), (int | str, Order), (int, str | Order), (Shape, int),
    (list[list[int]], list[list[str]]), (Note, str), (Note, Order), (Euros, str), (Awaitable[int], str),
    (Annotated[int, "euros"], str), (list, dict), (tuple, str), (int, Pair), (list[str], set[str]),
]  # fmt: skip
PERHAPS: list[tuple[Any, Any]] = [
    (int, float), (bool, int), (int, bool), (int, float | None), (Finding, Message), (Message, Finding), (dict, Order),
    (dict[str, Any], Order), (Order, Any), (Any, Order), (Order, object), (Order, T), (T, int), (int, Sized),
    (Any, Sized), (list[Any], list[int]), (list, list[int]), (list[int], list), (list[int], list[float]),
    (tuple[int, ...], list[int]), (list[int], tuple[int, ...]), (tuple[int, int], Sequence[int]), (list[int], Iterable),
    (tuple[int, ...], tuple[int, int]), (str, Sequence[str]), (str, Literal["a"]), (Literal["a"], str),
    (Literal[1], float), (Sequence[int], list[int]), (Iterable[int], Sequence[int]), (Shape, dict), (dict, Shape),
    (Shape, Mapping[str, Any]), (Euros, float), (float, Euros), (Pair, tuple), (tuple[int, int], Pair), (Note, Note),
    ("Nowhere", int), (int, "Nowhere"), (list[ForwardRef("Nowhere")], list[int]), (Awaitable[int], int),
    (dict, Iterable[str]),
    (Annotated[int, BeforeValidator(str)], str), (str, Callable[..., Any] | str), (None, int | None), (Any | None, Any),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted"), NEVER, ids=str)
def test_types_that_never_fit(given: Any, wanted: Any) -> None:
    assert [one.split(";")[0].split(" gives ")[0] for one in told(chain(gives(given), takes(wanted)))] == [
        "steps.taken: step given"
    ]


@pytest.mark.parametrize(("given", "wanted"), PERHAPS, ids=str)
def test_types_that_fit_or_may_are_not_told_of(given: Any, wanted: Any) -> None:
    assert told(chain(gives(given), takes(wanted))) == []


SCALARS = (int, float, bool, str, None, Order, Any, Literal["a"], Literal["b", 1])
HINTS = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.one_of(
        inner.map(lambda one: list[one]), inner.map(lambda one: tuple[one, ...]), inner.map(lambda one: dict[str, one]),
        inner.map(lambda one: Sequence[one]), st.tuples(inner, inner).map(lambda two: tuple[two]),
        st.tuples(inner, inner).map(lambda two: two[0] | two[1] if two[0] is not two[1] else two[0]),
    ),
    max_leaves=4,
)  # fmt: skip


def value_of(hint: Any, draw: Callable[[Any], Any]) -> Any:
    """A value that ``hint`` says, with something in every collection."""
    origin, inside = get_origin(hint), get_args(hint)
    if hint is Any:
        return draw(st.sampled_from(["a", 1, 0.5, None, True, ["a"], {"a": 1}]))
    if hint is None or hint is type(None):
        return None
    if hint is Order:
        return Order(item="a", count=1)
    if origin is Literal:
        return draw(st.sampled_from(inside))
    if origin in (Union, UnionType):
        return value_of(draw(st.sampled_from(inside)), draw)
    if origin is dict:
        return {"a": value_of(inside[1], draw)}
    if origin is tuple and inside[1:] != (...,):
        return tuple(value_of(one, draw) for one in inside)
    if origin is not None:
        made = [value_of(inside[0], draw) for _ in range(draw(st.integers(1, 2)))]
        return tuple(made) if origin is tuple else made
    return draw(st.sampled_from({int: [0, 1, 7], float: [0.5, 1.0], bool: [True, False], str: ["a", "1", "x"]}[hint]))


def takes_it(hint: Any, value: Any, strict: bool) -> bool:
    try:
        TypeAdapter(hint).validate_python(value, strict=strict)
    except ValidationError:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(HINTS, HINTS, st.data())
def test_pydantic_agrees_on_what_never_fits(given_hint: Any, wanted_hint: Any, data: st.DataObject) -> None:
    value = value_of(given_hint, data.draw)
    given_kind, wanted = kind_of(given_hint), kind_of(wanted_hint)
    for field in (False, True):
        said, known = fit(given_kind, wanted, field=field), fit(kind_of_value(value), wanted, field=field)
        if takes_it(wanted_hint, value, strict=not field):
            assert said > Fit.NEVER and known > Fit.NEVER
        elif field:
            assert said < Fit.ALWAYS and known < Fit.ALWAYS
