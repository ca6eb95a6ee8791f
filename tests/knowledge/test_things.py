import pytest

from understudy.knowledge.things import is_value, named, thing


@pytest.mark.parametrize(
    ("columns", "column"),
    [(["city", "size"], "city"), (["size", "Name"], "Name"), (["id", "title", "name"], "name"), (["x", "id"], "id")],
)
def test_a_column_names_the_row(columns: list[str], column: str) -> None:
    assert named([dict.fromkeys(columns, "x")], columns) == column


def test_a_naming_column_with_gaps_names_nothing() -> None:
    assert named([{"city": "Lima", "title": ""}, {"city": "Cusco", "title": "x"}], ["city", "title"]) == "city"


@pytest.mark.parametrize(
    "cell",
    ["33", "-1.5", "1,285,216 km²", "12 %", "33 million", "$5.00", "2020-05-01", "2020-05-01T10:00Z", "1.5.2020",
     "10:30", "https://a.org/b;c", "true", "one two three four five six seven eight nine"],
)  # fmt: skip
def test_a_value_is_no_name(cell: str) -> None:
    assert is_value(cell)


@pytest.mark.parametrize("cell", ["Lima", "7 Eleven", "B2", "one two three four five six seven eight", "São Tomé"])
def test_a_name_is_no_value(cell: str) -> None:
    assert not is_value(cell)


def test_a_cell_with_several_values_gives_a_fact_each() -> None:
    row = {"name": "Peru", "borders": "Chile; Brazil;", "link": "https://a.org/x;y", "on": True, "at": {"x": 1}}
    piece, facts = thing(row, "name", "Peru", "a.csv#Peru", {"k": 1})
    assert piece.text == "borders: Chile; Brazil. link: https://a.org/x;y. on: true."
    assert [(f.relation, f.object, f.literal) for f in facts] == [
        ("borders", "Chile", False), ("borders", "Brazil", False), ("link", "https://a.org/x;y", True),
        ("on", "true", True),
    ]  # fmt: skip
    assert piece.metadata == {"k": 1, "borders": ["Chile", "Brazil"]}, "so that a filter can ask for one of them"


def test_a_semicolon_in_prose_parts_nothing() -> None:
    prose = "It lies on the long coast of the Pacific; many people live there."
    piece, (fact,) = thing({"n": "Lima", "about": prose}, "n", "Lima", "s", {})
    assert (fact.object, fact.literal) == (prose, True) and piece.text == f"about: {prose}"
