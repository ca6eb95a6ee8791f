import pytest

from understudy.core.errors import UnderstudyError
from understudy.knowledge.results import Fact
from understudy.knowledge.rows import comma_separated


def read(text: str) -> list[Fact]:
    reading = comma_separated(text.encode(), "t.csv", "t.csv")
    assert not reading.pieces
    return list(reading.facts)


def test_a_row_with_subject_relation_object_is_a_fact() -> None:
    (own, given) = read("subject,relation,object,source\nPeru,borders,Chile,\n,,,\nChile,borders to,Peru,atlas\n")
    assert own == Fact("Peru", "borders", "Chile", "t.csv#1")
    assert given == Fact("Chile", "borders_to", "Peru", "atlas")


def test_a_fact_has_its_time_and_may_be_a_value() -> None:
    (one, two) = read(
        "subject,relation,object,valid_from,valid_until,literal,extra\n"
        "Obama,president_of,US,2009-01-20,2017-01-20T12:00:00Z,,x\nPeru,motto,Firm and happy,,,TRUE,\n"
    )
    assert (one.valid_from, one.valid_until, one.literal) == ("2009-01-20", "2017-01-20T12:00:00Z", False)
    assert two == Fact("Peru", "motto", "Firm and happy", "t.csv#2", literal=True)


def test_an_object_without_a_letter_is_a_value() -> None:
    (fact,) = read("subject,relation,object\nPeru,sign,+\n")
    assert fact.literal


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("Peru,,Chile,,,", "t.csv#1: a fact lacks its subject"),
        ("...,borders,Chile,,,", "t.csv#1: a fact lacks its subject"),
        ("Peru,borders,Chile,20-05-01,,", "t.csv#1: not a date or time: '20-05-01'"),
        ("Peru,borders,Chile,,2020-02-30,", "t.csv#1: not a date or time: '2020-02-30'"),
        ("Peru,borders,Chile,2020-01-01,2019-01-01,", "t.csv#1: valid until 2019-01-01, but from 2020-01-01"),
        ("Peru,borders,Chile,,,maybe", "t.csv#1: literal is 'maybe'; write true or false"),
    ],
)
def test_a_malformed_fact_is_told_with_its_row(row: str, said: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        read(f"subject,relation,object,valid_from,valid_until,literal\n{row}\n")
    assert said in str(caught.value)
