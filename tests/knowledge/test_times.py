import sqlite3
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from understudy.core.errors import UnderstudyError
from understudy.knowledge.times import VALID, instant, moment

TEXT = st.sampled_from(["", "2009", "2010", "2009-01", "2009-02", "2009-01-01", "2009-01-02"]) | st.datetimes(
    datetime(2008, 12, 31), datetime(2010, 1, 2)
).map(moment)


@pytest.mark.parametrize(
    "written, told",
    [
        ("", ""),
        ("2009", "2009"),
        (" 2009-01 ", "2009-01"),
        ("2009-01-20", "2009-01-20"),
        ("2009-01-20T12:00", "2009-01-20T12:00:00Z"),
        ("2009-01-20T12:00:00.75Z", "2009-01-20T12:00:00Z"),
        ("2009-01-20T01:30:00+02:00", "2009-01-19T23:30:00Z"),
        ("0999-01-01T00:00:00", "0999-01-01T00:00:00Z"),
        (date(2009, 1, 20), "2009-01-20"),
        (datetime(2009, 1, 20, 12, tzinfo=timezone(timedelta(hours=-5))), "2009-01-20T17:00:00Z"),
    ],
)
def test_moments_are_written_in_one_way(written: str | date, told: str) -> None:
    assert moment(written) == told and moment(told) == told


@pytest.mark.parametrize(
    "written", ["20", "2009-13", "2009-02-30", "yesterday", "0000", "9999-12-31T23:59:59-01:00", " "]
)
def test_what_is_no_date_is_told_with_its_place(written: str) -> None:
    with pytest.raises(UnderstudyError, match=r"^facts\.csv:3: not a date or time.*write 2009"):
        moment(written, where="facts.csv:3")


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))
def test_texts_sort_as_the_times_do(one: datetime, other: datetime) -> None:
    one, other = one.replace(microsecond=0), other.replace(microsecond=0)
    assert (moment(one) < moment(other)) == (one < other) and instant(one) == moment(one)


def begins(text: str) -> datetime:
    """The oracle: what a text means."""
    return datetime.fromisoformat(text + "0000-01-01"[len(text) :]).replace(tzinfo=UTC)


@given(TEXT, TEXT, TEXT.filter(bool))
@example("2009-01-01", "", "2009")
@example("", "2009-01-01T00:00:00Z", "2009-01")
@settings(max_examples=300, deadline=None)
def test_validity_is_half_open_however_exactly_the_times_are_told(since: str, until: str, asked: str) -> None:
    sql = f"SELECT {VALID} FROM (SELECT ? AS valid_from, ? AS valid_until) f"
    # SQLite counts places from left to right: those of VALID stand before those of the fact.
    with sqlite3.connect(":memory:") as connection:
        (holds,) = connection.execute(sql, (instant(asked), instant(asked), since, until)).fetchone()
    expected = (not since or begins(since) <= begins(asked)) and (not until or begins(asked) < begins(until))
    assert bool(holds) == expected
