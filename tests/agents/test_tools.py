"""The SQL tool: it reads CSV files and databases, and can change nothing."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest

from understudy.agents.tools import Rows, SqlTool, ToolError, identifier, open_tool

CSV = """Name,Area (km²),languages,code,order
Chad,1284000,"Arabic, French",007,1
Niger,1267000,"French, Hausa",012,2
Mali,1240192,French,,3
Kenya,,"English, Swahili",044,4
Somalia,637657,"Arabic, Somali",045,5
"""


@pytest.fixture
def table(tmp_path: Path) -> SqlTool:
    path = tmp_path / "countries.csv"
    path.write_text(CSV, encoding="utf-8")
    return SqlTool(path)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "a b.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE rivers (name TEXT, length_km REAL);"
            "INSERT INTO rivers VALUES ('Chari', 1400), ('Logone', 965);"
        )
    connection.close()
    return path


def test_a_csv_has_a_schema(table: SqlTool) -> None:
    assert table.schema().text() == "countries: name, area_km2 number, languages list, code, c_order number"
    assert table.values("countries", "languages") == ("Arabic", "French", "Hausa", "English", "Swahili", "Somali")


def test_codes_are_told_from_other_texts(tmp_path: Path) -> None:
    (tmp_path / "lands.csv").write_text("name,iso2,money\nPeru,PE,sol\nMali,ML,franc\nChad,,franc\n", encoding="utf-8")
    assert SqlTool(tmp_path / "lands.csv").schema().text() == "lands: name, iso2 2 letters, money"


def test_numbers_are_numbers_and_empty_cells_are_null(table: SqlTool) -> None:
    assert table.execute("SELECT SUM( area_km2) FROM countries").rows == ((4428849,),)
    assert table.execute("SELECT name FROM countries WHERE area_km2 IS NULL").rows == (("Kenya",),)
    assert table.execute("SELECT code FROM countries WHERE name = 'Chad'").rows == (("007",),)


def test_given_values_are_bound(table: SqlTool) -> None:
    sql = "SELECT name FROM countries WHERE name IN (:given)"
    assert table.execute(sql, ("Mali", "Chad", "x' OR '1'='1")).rows == (("Chad",), ("Mali",))
    assert table.execute(sql).empty
    assert table.execute("SELECT ':given' FROM countries WHERE name = 'Chad'", ("Mali",)).rows == ((":given",),)


def test_given_values_find_their_column_and_spelling(table: SqlTool) -> None:
    assert table.given(("chad", "MALI", "Atlantis")) == ({"countries": "name"}, ("Chad", "Mali", "Atlantis"))
    assert table.given(("nowhere",)) == ({}, ("nowhere",))
    assert table.given(()) == ({}, ())


def test_empty() -> None:
    assert Rows(("a",), ()).empty
    assert Rows(("AVG(a)",), ((None,),)).empty
    assert not Rows(("COUNT(*)",), ((0,),)).empty


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM rivers",
        "INSERT INTO rivers VALUES ('x', 1)",
        "UPDATE rivers SET name = 'x'",
        "DROP TABLE rivers",
        "CREATE TABLE other (a)",
        "ATTACH DATABASE 'other.db' AS other",
        "PRAGMA query_only = OFF",
        "PRAGMA table_info(rivers)",
        "BEGIN",
        "SELECT 1; DELETE FROM rivers",
        "SELECT load_extension('x')",
        "VACUUM INTO 'copy.db'",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT COUNT(*) FROM c",
        "SELECT nothing FROM rivers",
        "",
    ],
)
def test_nothing_but_reading_is_allowed(database: Path, sql: str) -> None:
    before = hashlib.sha256(database.read_bytes()).hexdigest()
    tool = SqlTool(database)
    with pytest.raises(ToolError):
        tool.execute(sql)
    assert tool.execute("SELECT COUNT(*) FROM rivers").rows == ((2,),)
    tool.close()
    assert hashlib.sha256(database.read_bytes()).hexdigest() == before
    assert {path.name for path in database.parent.iterdir()} == {database.name}


def test_a_csv_cannot_be_changed_either(table: SqlTool) -> None:
    with pytest.raises(ToolError, match="not authorized"):
        table.execute("DELETE FROM countries")
    assert table.execute("SELECT COUNT(*) FROM countries").rows == ((5,),)


def test_what_takes_too_long_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    path.write_text("a\n" + "\n".join(f"v{number}" for number in range(3000)), encoding="utf-8")
    tool = SqlTool(path, seconds=0.05)
    with pytest.raises(ToolError, match="longer than 0.05 s"):
        tool.execute("SELECT COUNT(*) FROM many a, many b, many c")
    assert tool.execute("SELECT COUNT(*) FROM many").rows == ((3000,),)


def test_rows_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    path.write_text("a\n" + "\n".join(map(str, range(1500))), encoding="utf-8")
    found = SqlTool(path).execute("SELECT a FROM many")
    assert (len(found.rows), found.more) == (1000, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a,b\n1\n", "1 cells in a row of 2"), ("a,b\n", "no rows"), ("", "no rows")],
)
def test_broken_tables_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ToolError, match=message) as error:
        SqlTool(path)
    assert "t.csv" in str(error.value)


def test_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot be found"):
        SqlTool(tmp_path / "none.csv")
    path = tmp_path / "t.db"
    path.write_bytes(b"no database, but a text that is long enough to be mistaken for one" * 40)
    with pytest.raises(ToolError, match="cannot be read"):
        SqlTool(path)
    with pytest.raises(ToolError, match="use {sql: FILE}"):
        open_tool({"shell": "x"}, tmp_path)


def test_identifiers() -> None:
    assert identifier("Área (km²)") == "area_km2"
    assert identifier("2024") == "c_2024"
    assert identifier("order") == "c_order"
    assert identifier("!!!") == "column"
    assert identifier("a", ("a", "a_2")) == "a_3"


def test_every_table_of_a_database_is_in_the_schema(database: Path) -> None:
    tool = open_tool({"sql": database.name}, database.parent)
    assert isinstance(tool, SqlTool)
    assert tool.schema().text() == "rivers: name, length_km number"
    assert tool.index.link("how long is the Chari")[0].sql() == "name = 'Chari'"
