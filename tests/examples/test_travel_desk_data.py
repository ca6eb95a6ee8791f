"""The travel desk's data, checked against itself and against what everybody can look up."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from understudy.knowledge import KnowledgeStore
from understudy.knowledge.text import fold

DESK = Path(__file__).resolve().parents[2] / "examples" / "travel_desk"
DATA = DESK / "data"

# The alphabetic codes of ISO 4217 as datasets/country-codes lists them (2026-05).
ISO_4217 = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK
    MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF
    SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU
    UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG""".split()
)
CONTINENTS = {"Africa": 54, "Asia": 47, "Europe": 45, "North America": 23, "Oceania": 14, "South America": 12}


def table(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


COUNTRIES = table("countries.csv")
TRIPLES = [(r["subject"], r["relation"], r["object"]) for r in table("triples.csv")]
BRIEFS = table("briefs.csv")
NOTES = {row["name"]: row for row in table("notes.csv")}
NAMES = {row["name"] for row in COUNTRIES}


def related(relation: str) -> list[tuple[str, str]]:
    return [(subject, other) for subject, r, other in TRIPLES if r == relation]


def test_all_sovereign_states_are_there_once() -> None:
    assert len(COUNTRIES) == len(NAMES) == 195
    assert Counter(row["continent"] for row in COUNTRIES) == CONTINENTS
    assert {"Palestine", "Vatican City", "Türkiye", "South Sudan"} <= NAMES


def test_no_cell_is_missing() -> None:
    assert [
        (row["name"], column) for row in COUNTRIES for column, cell in row.items() if not (cell or "").strip()
    ] == []
    assert [row for rows in (BRIEFS, table("triples.csv")) for row in rows if not all(row.values())] == []


@pytest.mark.parametrize("column", ["iso2", "iso3", "name", "capital"])
def test_what_names_a_country_names_one(column: str) -> None:
    assert [value for value, count in Counter(row[column] for row in COUNTRIES).items() if count > 1] == []


def test_codes_have_their_form() -> None:
    for row in COUNTRIES:
        assert len(row["iso2"]) == 2 and len(row["iso3"]) == 3 and (row["iso2"] + row["iso3"]).isupper(), row
        assert row["currency"] in ISO_4217, row
        assert row["driving_side"] in ("left", "right"), row


def test_numbers_are_numbers_of_a_country() -> None:
    for row in COUNTRIES:
        assert 0.4 <= float(row["area_km2"]) < 17_200_000 and 500 < int(row["population"]) < 1_500_000_000, row
        assert 2018 <= int(row["population_year"]) <= 2026, row
        assert int(row["population"]) / float(row["area_km2"]) < 27_000, row
    assert 7.4e9 < sum(int(row["population"]) for row in COUNTRIES) < 7.7e9, "the world of 2018, without Taiwan"


def test_a_currency_has_one_name() -> None:
    assert len({(r["currency"], r["currency_name"]) for r in COUNTRIES}) == len({r["currency"] for r in COUNTRIES})


def test_borders_are_symmetric_and_between_rows() -> None:
    borders = related("borders")
    assert len(borders) == len(set(borders))
    assert {name for pair in borders for name in pair} <= NAMES
    assert [(a, b) for a, b in borders if a == b or (b, a) not in set(borders)] == []


def test_the_graph_repeats_the_table() -> None:
    for row in COUNTRIES:
        name = row["name"]
        assert [other for a, other in related("pays_with") if a == name] == [row["currency_name"]]
        assert [a for a, other in related("capital_of") if other == name] == [row["capital"]]
        assert [other for a, other in related("speaks") if a == name] == row["languages"].split(", ")
        assert row["continent"] in [other for a, other in related("lies_in") if a == name]
    assert len(TRIPLES) == len(set(TRIPLES))


def test_every_entity_has_a_kind_and_every_other_name_means_one_thing() -> None:
    kinds = {subject for subject, _ in related("is_a")}
    ends = {end for a, relation, b in TRIPLES if relation not in ("is_a", "also_called") for end in (a, b)}
    assert ends == kinds
    aliases: dict[str, set[str]] = {}
    for subject, alias in related("also_called"):
        assert subject in kinds
        aliases.setdefault(fold(alias), set()).add(subject)
    assert {alias: of for alias, of in aliases.items() if len(of) > 1} == {}
    assert not set(aliases) & {fold(name) for name in NAMES}


def test_a_language_or_region_is_never_called_like_a_country() -> None:
    kinds: dict[str, set[str]] = {}
    for subject, kind in related("is_a"):
        kinds.setdefault(subject, set()).add(kind)
    mixed = {subject: sorted(of) for subject, of in kinds.items() if len(of) > 1}
    assert set(map(tuple, mixed.values())) <= {("city", "country")}
    assert sorted(mixed) == ["Djibouti", "Luxembourg", "Monaco", "Singapore", "Vatican City"]


def test_briefs_are_short_and_say_what_the_table_says() -> None:
    assert [row["title"] for row in BRIEFS] == [row["name"] for row in COUNTRIES]
    for brief, row in zip(BRIEFS, COUNTRIES, strict=True):
        text = brief["text"]
        assert 3 <= len(re.findall(r"[.?!](?= [^a-z]|$)", text)) <= 7 and text.endswith("."), text
        assert len(text.split()) <= (85 if row["name"] in NOTES else 45), text
        for fact in (row["capital"], row["driving_side"]):
            assert fact.casefold() in text.casefold(), (fact, text)
        assert any(language in text for language in row["languages"].split(", ")), text
        assert fold(row["currency_name"]) in fold(text), text


def test_the_written_briefs_say_what_only_the_notes_hold() -> None:
    assert len(NOTES) >= 60
    told = {row["title"]: row["text"] for row in BRIEFS}
    for name, note in NOTES.items():
        text = told[name].casefold()
        for column in ("official_name", "government", "independent_since", "dish"):
            assert note[column].casefold() in text, (name, column)
        assert re.search(rf"(?<![\d-]){note['temperature_c']}( °c| degrees)", text), name
        assert ("landlocked" in text) == (note["landlocked"] == "yes"), name
        neighbours = {other for subject, other in related("borders") if subject == name}
        named = {other for other in neighbours if other in told[name]}
        count = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")
        counted = {str(len(neighbours)), *count[len(neighbours) : len(neighbours) + 1], "single", "only"}
        assert named == neighbours or counted & set(re.findall(r"\w+", text)), (name, neighbours - named)


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("Peru", {"capital": "Lima", "continent": "South America", "currency": "PEN", "driving_side": "right"}),
        ("Portugal", {"capital": "Lisbon", "languages": "Portuguese", "currency": "EUR", "iso3": "PRT"}),
        ("Bulgaria", {"currency": "EUR"}),
        ("Croatia", {"currency": "EUR", "capital": "Zagreb"}),
        ("Switzerland", {"currency": "CHF", "languages": "French, German, Italian, Romansh"}),
        ("Japan", {"driving_side": "left", "currency_name": "Japanese yen"}),
        ("Vanuatu", {"driving_side": "right"}),
        ("Eritrea", {"population": "3192760"}),
        ("Vatican City", {"area_km2": "0.44", "population_year": "2019"}),
        ("Panama", {"currency": "PAB"}),
        ("Eswatini", {"capital": "Mbabane", "currency": "SZL"}),
    ],
)
def test_facts_that_anyone_can_look_up(name: str, facts: dict[str, str]) -> None:
    (row,) = [row for row in COUNTRIES if row["name"] == name]
    assert {column: row[column] for column in facts} == facts


def test_the_sources_name_every_column_and_licence() -> None:
    text = (DATA / "SOURCES.md").read_text(encoding="utf-8")
    for said in (*COUNTRIES[0], "ODbL", "MIT", "PDDL", "CC BY 4.0", "mledoze/countries", "samayo/country-json"):
        assert said in text, said


def test_questions_find_their_brief() -> None:
    asked = (
        "What is the capital of {name}?",
        "{capital} is the capital of which country?",
        "Which currency is used in {name}?",
    )
    with KnowledgeStore.open() as store:
        store.add(DATA / "briefs.csv", DATA / "triples.csv")
        assert store.entities("country") == sorted(NAMES) and store.check() == []
        missed = [
            q.format(**c) for q in asked for c in COUNTRIES if store.search(q.format(**c), 1)[0].title != c["name"]
        ]
        assert missed == []
        euro = set(store.neighbours("euro", "pays_with"))
        assert [n for n in store.neighbours("France", "borders") if n in euro] == [
            "Andorra", "Belgium", "Germany", "Italy", "Luxembourg", "Monaco", "Spain",
        ]  # fmt: skip
        for text, name in [
            ("the US", "United States"),
            ("Turkey's", "Türkiye"),
            ("Burma", "Myanmar"),
            ("Swiss", "Switzerland"),
            ("zloty", "Polish złoty"),
        ]:
            assert [m.entity for m in store.link(text)] == [name]
        for text in ("francs and dollars", "a real adventure", "the som"):
            assert store.link(text) == [], "a name of several currencies, or an everyday word, names none"
        assert store.link("tell us all about it") == []


def sources(folder: Path) -> Path:
    """Three countries in the form of the sources, to see the rules of the build at work."""

    def country(name: str, iso3: str, borders: list[str], currencies: dict[str, Any], **more: Any) -> dict[str, Any]:
        names = {"name": {"common": name, "official": f"Republic of {name}"}, "altSpellings": [iso3[:2], "Shared"]}
        codes = {"cca2": iso3[:2], "cca3": iso3, "unMember": True, "currencies": currencies, "borders": borders}
        place = {"capital": [f"{name} City"], "region": "Americas", "subregion": "South America", "landlocked": False}
        people = {"languages": {"spa": "Spanish"}, "demonyms": {"eng": {"f": f"{name}ish", "m": f"{name}ish"}}}
        return {**names, **codes, **place, **people, "area": 10, **more}

    peso, dollar = {"name": "peso"}, {"name": "United States dollar"}
    rows = [
        country("Zeta", "ZET", ["ALP", "DEP"], {"ZZP": peso, "USD": dollar}),
        country("Alpha", "ALP", ["ZET"], {"USD": dollar}, subregion="Caribbean"),
        country("Depend", "DEP", ["ZET"], {"USD": dollar}, unMember=False),
    ]
    folder.mkdir()
    (folder / "countries.json").write_text(json.dumps(rows))
    fields = {"population": ("population", 1000), "driving-side": ("side", "left"),
              "government-type": ("government", ""), "independence-date": ("independence", 1900),
              "national-dish": ("dish", ""), "yearly-average-temperature": ("temperature", 9.6)}  # fmt: skip
    for field, (key, value) in fields.items():
        entries = [{"country": row["name"]["common"], key: value} for row in rows]
        (folder / f"country-by-{field}.json").write_text(json.dumps(entries))
    (folder / "country-codes.csv").write_text(
        'ISO3166-1-Alpha-3,ISO4217-currency_alphabetic_code\nZET,"USD,ZZP"\nALP,USD\nDEP,USD\n'
    )
    return folder


def test_the_build_follows_its_rules_and_repeats_itself(tmp_path: Path) -> None:
    source = sources(tmp_path / "source")
    for out in ("one", "two"):
        command = [sys.executable, str(DESK / "build_data.py"), "--source", str(source), "--out", str(tmp_path / out)]
        subprocess.run(command, check=True, env={"PYTHONDONTWRITEBYTECODE": "1"})
    files = {name: (tmp_path / "one" / name).read_bytes() for name in ("countries.csv", "triples.csv", "briefs.csv")}
    assert files == {name: (tmp_path / "two" / name).read_bytes() for name in files}
    rows = list(csv.DictReader(files["countries.csv"].decode().splitlines()))
    assert [(r["name"], r["continent"], r["currency"], r["currency_name"]) for r in rows] == [
        ("Alpha", "North America", "USD", "United States dollar"),
        ("Zeta", "South America", "ZZP", "Zetaish peso"),
    ]
    facts = files["triples.csv"].decode()
    assert "Zeta,borders,Alpha" in facts and "Depend" not in facts
    assert "Alphaish" in facts and "Shared" not in facts, "a name of two countries names neither"
