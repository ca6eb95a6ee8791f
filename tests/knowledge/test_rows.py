import pytest

from understudy.core.errors import UnderstudyError
from understudy.knowledge.readings import Reading
from understudy.knowledge.rows import comma_separated, json_lines, json_rows, number, tab_separated

READERS = {"csv": comma_separated, "tsv": tab_separated, "json": json_rows, "jsonl": json_lines}


def read(text: str, kind: str = "csv") -> Reading:
    return READERS[kind](text.encode(), f"a.{kind}", f"a.{kind}")


def test_a_row_with_title_and_text_is_a_passage_and_its_other_columns_are_metadata() -> None:
    (peru, _) = read('Title,text,area,code,note\nPeru,"Lima, the capital.",1285.5,007,\nChile,Santiago.,3,x,y\n').pieces
    assert (peru.title, peru.text, peru.source, peru.start, peru.end) == (
        "Peru", "Lima, the capital.", "a.csv#Peru", 0, 18,
    )  # fmt: skip
    assert peru.metadata == {"area": 1285.5, "code": "007"}
    lines = '{"title": "Peru", "text": "One.", "n": 1, "on": true, "at": {"x": [1]}, "no": null}\n\n'
    (piece,) = read(lines, "jsonl").pieces
    assert piece.metadata == {"n": 1, "on": True, "at": {"x": [1]}}


def test_a_title_names_its_row_where_only_it_has_that() -> None:
    rows = "title,text\nPeru,One.\nPeru,Two.\n1,Three.\n,Four.\nChile,\nLima,Six.\n"
    assert [p.source for p in read(rows).pieces] == ["a.csv#1", "a.csv#2", "a.csv#3", "a.csv#4", "a.csv#Lima"]


def test_any_other_table_is_about_things() -> None:
    reading = read("Country,Capital City,population\nPeru,Lima,33 million\nChile,Santiago,\n", "csv")
    assert [(p.title, p.text, p.source, p.metadata) for p in reading.pieces] == [
        ("Peru", "Capital City: Lima. population: 33 million.", "a.csv#Peru",
         {"Country": "Peru", "Capital City": "Lima", "population": "33 million"}),
        ("Chile", "Capital City: Santiago.", "a.csv#Chile", {"Country": "Chile", "Capital City": "Santiago"}),
    ]  # fmt: skip
    assert [(str(f), f.literal, f.source) for f in reading.facts] == [
        ("Peru capital city Lima", False, "a.csv#Peru"),
        ("Peru population 33 million", True, "a.csv#Peru"),
        ("Chile capital city Santiago", False, "a.csv#Chile"),
    ]
    assert reading.facts[0].relation == "capital_city"


def test_tabs_part_cells_and_a_column_without_name_is_left_out() -> None:
    reading = read("\tcity\tcountry\n0\tLima\tPeru, South America\n", "tsv")
    assert [str(f) for f in reading.facts] == ["Lima country Peru, South America"]


@pytest.mark.parametrize(
    "text",
    [
        '[{"name": "Peru", "n": 3, "borders": ["Chile", "Brazil"]}]',
        '{"source": "atlas", "rows": [{"name": "Peru", "n": 3, "borders": ["Chile", "Brazil"]}]}',
        '{"name": "Peru", "n": 3, "borders": ["Chile", "Brazil"]}',
    ],
)
def test_json_is_a_list_of_rows_an_object_around_one_or_one_row(text: str) -> None:
    reading = read(text, "json")
    assert [(str(f), f.literal) for f in reading.facts] == [
        ("Peru n 3", True), ("Peru borders Chile", False), ("Peru borders Brazil", False),
    ]  # fmt: skip
    assert reading.pieces[0].text == "n: 3. borders: Chile; Brazil."
    assert reading.metadata == ({"source": "atlas"} if "atlas" in text else {})


@pytest.mark.parametrize("text", ["{}", "[]", "[{}, {}]", '{"name": "Peru"}'])
def test_rows_that_tell_nothing_are_no_passages(text: str) -> None:
    reading = read(text, "json")
    assert not reading.pieces and not reading.facts


def test_rows_of_json_may_be_facts() -> None:
    (fact,) = read('{"subject": "Peru", "relation": "founded", "object": 1821}', "jsonl").facts
    assert (str(fact), fact.literal, fact.source) == ("Peru founded 1821", True, "a.jsonl#1")


def test_half_a_surrogate_pair_and_infinity_become_storable() -> None:
    (piece,) = read('{"title": "x", "text": "a\\ud800b", "n": 1e999}', "jsonl").pieces
    assert piece.text == "a\ufffdb" and piece.metadata == {"n": "inf"}


@pytest.mark.parametrize(
    ("cell", "value"),
    [("12", 12), ("-1.5", -1.5), ("0", 0), ("007", "007"), ("1e5", "1e5"), ("1" * 16, "1" * 16), ("+3", "+3")],
)
def test_a_number_is_what_reads_as_one(cell: str, value: object) -> None:
    assert number(cell) == value and type(number(cell)) is type(value)


def test_line_ends_and_marks_of_windows_are_read() -> None:
    reading = comma_separated(b'\xef\xbb\xbftitle,text\r\nPeru,"one\r\ntwo"\r\n\r\n', "a.csv", "a.csv")
    assert [(p.title, p.text) for p in reading.pieces] == [("Peru", "one\r\ntwo")]


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("csv", "title,text\nPeru,one,two\n", "a.csv:2: 3 cells under 2 columns; quote cells that hold a comma"),
        ("csv", 'title,text\n"Peru,x\n', "a.csv:2: not a CSV row"),
        ("csv", "name\nPeru\n", "a.csv:1: the only column is name"),
        ("csv", "x,y,x\n1,2,3\n", "a.csv:1: the column x stands twice"),
        (
            "csv",
            "subject,predicate,object\nPeru,borders,Chile\n",
            "a.csv:1: the columns are subject, predicate, object",
        ),
        ("csv", "city,country\n,Peru\n", "a.csv#1: the row has no name in its column city"),
        ("tsv", "a\tb\nx\n", "a.tsv:2: 1 cells under 2 columns; quote cells that hold a tab"),
        ("json", '{"a": 1,\n "b" 2}', "a.json:2:6: not JSON"),
        ("json", "[" * 100_000, "not JSON: it is nested too deeply"),
        ("json", "9" * 5000, "not JSON: Exceeds the limit"),
        ("json", '{"name": NaN}', "a.json: not JSON: NaN is no value"),
        ("json", '[{"name": "x"}, 3]', "a.json: row 2 is no object"),
        ("json", '"x"', "a.json: neither an object nor a list"),
        ("jsonl", '{"title": "x", "text": "y"}\n{"title"\n', "a.jsonl:2:9: not JSON"),
        ("jsonl", '["x"]\n', "a.jsonl:1: the line holds no object"),
        ("jsonl", '{"title": "x", "text": "y"}\n{"title": "z"}\n', 'a.jsonl#2: the row has no "text"'),
        ("jsonl", '{"title": "x", "text": ["y"]}\n', 'a.jsonl#1: the row has no "text"'),
        ("jsonl", '{"name": {"x": 1}, "b": 2}\n', "a.jsonl#1: the row has no name"),
    ],
)
def test_a_malformed_table_is_told_with_its_place(kind: str, content: str, said: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        read(content, kind)
    assert said in str(caught.value)
