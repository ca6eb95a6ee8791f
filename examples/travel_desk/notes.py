"""What the written briefs tell beside the columns of ``countries.csv``: facts that no table of the team has.

``notes.csv`` holds them for the tests, and for whoever writes or checks a brief; the team reads the briefs alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NOTES = ("name", "official_name", "government", "independent_since", "dish", "temperature_c", "landlocked")

WRITTEN = (
    "ARG", "AUS", "AUT", "BEL", "BOL", "BWA", "BRA", "BGR", "KHM", "CAN", "CHL", "COL", "CRI", "HRV", "CUB", "CYP",
    "ECU", "EGY", "EST", "FIN", "FRA", "GEO", "GHA", "GRC", "GTM", "HUN", "ISL", "IDN", "IRL", "ITA", "JAM", "JPN",
    "JOR", "KEN", "LAO", "LBN", "LUX", "MDG", "MYS", "MLT", "MEX", "MNG", "MAR", "NPL", "NLD", "NZL", "NGA", "NOR",
    "PAK", "PAN", "PRY", "PER", "POL", "PRT", "ROU", "SEN", "SGP", "SVN", "ZAF", "KOR", "ESP", "SWE", "CHE", "TZA",
    "THA", "TUN", "UGA", "UKR", "GBR", "USA", "URY", "UZB", "VNM",
)  # fmt: skip
"""The countries with a written brief, by ISO 3166-1 alpha-3 code."""

# Dates of country-json that are legends, or that other sources give otherwise, are left out; so are these.
EARLIEST = 1776
NO_DATE = frozenset({"AUT", "CHL", "IRL", "ITA", "LBN", "LUX", "NPL"})
NO_GOVERNMENT = frozenset({"CUB", "MDG", "VNM", "NPL"})  # country-json: out of date, or no common word for it
GOVERNMENT = {
    "Federation Constitutional Monarchy": "federal constitutional monarchy",
    "Constitutional Monarchy, Federation": "federal constitutional monarchy",
}

# Where country-json's first dish is not the one taken (its spelling, or the one that is known), or none is.
DISH: dict[str, str] = {
    "AUS": "", "CAN": "", "IDN": "nasi goreng", "LAO": "tam mak hoong", "JPN": "sushi", "ITA": "pasta",
    "GBR": "fish and chips", "USA": "hamburger", "ISL": "hákarl", "NZL": "pavlova", "GTM": "fiambre", "CYP": "fasolada",
    "GRC": "moussaka", "FIN": "karjalanpaisti", "POL": "bigos", "THA": "pad thai", "UZB": "osh", "BGR": "banitsa",
    "HRV": "Istrian stew", "JAM": "ackee and saltfish", "LUX": "judd mat gaardebounen",
}  # fmt: skip


def by_country(path: Path, field: str) -> dict[str, Any]:
    """One file of country-json: country name → value."""
    return {row["country"]: row[field] for row in json.loads(path.read_text(encoding="utf-8"))}


def notes(source: Path) -> list[Sequence[object]]:
    """The rows of ``notes.csv``, by name, from mledoze/countries and country-json in ``source``."""
    records = {r["cca3"]: r for r in json.loads((source / "countries.json").read_text(encoding="utf-8"))}
    government = by_country(source / "country-by-government-type.json", "government")
    since = by_country(source / "country-by-independence-date.json", "independence")
    dishes = by_country(source / "country-by-national-dish.json", "dish")
    warmth = by_country(source / "country-by-yearly-average-temperature.json", "temperature")
    rows: list[Sequence[object]] = []
    for iso3 in (code for code in WRITTEN if code in records):
        record = records[iso3]
        name = record["name"]["common"]
        kind = "" if iso3 in NO_GOVERNMENT else GOVERNMENT.get(government[name]) or government[name].lower()
        year = since[name] or 0
        date: object = year if year >= EARLIEST and iso3 not in NO_DATE else ""
        first = (dishes[name] or "").split(",")[0].split("(")[0].strip()
        dish = DISH.get(iso3, first[:1].lower() + first[1:])
        row = (name, record["name"]["official"], kind, date, dish, round(warmth[name]),
               "yes" if record["landlocked"] else "no")  # fmt: skip
        rows.append(row)
    return sorted(rows, key=lambda row: str(row[0]))
