"""Builds the data of the travel desk from its sources.

    python examples/travel_desk/build_data.py --source DIR [--out examples/travel_desk/data]

``DIR`` holds ``countries.json`` (mledoze/countries), ``country-by-*.json`` (samayo/country-json: population, driving
side, government, independence, dish, temperature) and ``country-codes.csv`` (datasets/country-codes);
``data/SOURCES.md`` says which column comes from which. The same sources give the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import corrections as mend
from briefs import brief
from notes import NOTES, by_country, notes

COLUMNS = (
    "name", "capital", "continent", "area_km2", "population", "population_year", "languages", "currency",
    "currency_name", "driving_side", "iso2", "iso3",
)  # fmt: skip


@dataclass(frozen=True)
class Country:
    """One sovereign state: the columns of ``countries.csv`` and what only the graph and the briefs tell."""

    name: str
    capital: str
    continent: str
    area_km2: float
    population: int
    population_year: int
    languages: tuple[str, ...]
    currency: str
    currency_name: str
    driving_side: str
    iso2: str
    iso3: str
    region: str
    landlocked: bool
    neighbours: tuple[str, ...]
    has_land_border: bool
    demonyms: tuple[str, ...]
    aliases: tuple[str, ...]


def fold(text: str) -> str:
    """The text without case and diacritics: what two names are compared by."""
    marks = unicodedata.normalize("NFKD", text)
    return "".join(c for c in marks if not unicodedata.combining(c)).casefold()


def spelled(values: dict[str, Any], spellings: Sequence[str]) -> Any:
    """The value of the first spelling of a country that the file has. Raises KeyError when it has none."""
    for spelling in spellings:
        if spelling in values:
            return values[spelling]
    raise KeyError(f"no value for {spellings[0]} under any of its spellings")


def main_currency(iso3: str, listed: str, named: Sequence[str], users: Counter[str]) -> str:
    """The one currency of a country.

    ISO 4217 decides (``listed``, as country-codes has it); where it names several, the one that mledoze names as
    well and that the fewest countries use, which is the country's own; where it names none, mledoze's.
    """
    codes = [code for code in listed.split(",") if code]
    both = [code for code in codes if code in named]
    candidates = both or codes or list(named)
    return mend.CURRENCY.get(iso3) or min(candidates, key=lambda code: (users[code], code))


def aliases_of(record: dict[str, Any]) -> tuple[str, ...]:
    """Other names of a country in Latin letters: official, former and everyday ones, no two-letter codes."""
    iso3, name = record["cca3"], record["name"]["common"]
    found = [
        record["name"]["official"],
        *record["altSpellings"],
        *mend.SPELLINGS.get(iso3, ()),
        *mend.ALIASES.get(iso3, ()),
    ]
    kept: list[str] = []
    for alias in found:
        latin = all(ord(c) < 0x250 or c in "’‘" for c in alias) and alias[:1].isupper() and not set(",(") & set(alias)
        long_enough = len(alias) > 3 or alias in mend.ACRONYMS
        if latin and long_enough and alias not in mend.NOT_ALIASES and alias != name and alias not in kept:
            kept.append(alias)
    return tuple(kept)


def read(source: Path) -> list[Country]:
    """All sovereign states, by name, from the files in ``source``."""
    records = json.loads((source / "countries.json").read_text(encoding="utf-8"))
    population = by_country(source / "country-by-population.json", "population")
    side = by_country(source / "country-by-driving-side.json", "side")
    with (source / "country-codes.csv").open(encoding="utf-8", newline="") as file:
        codes = {row["ISO3166-1-Alpha-3"]: row for row in csv.DictReader(file)}
    sovereign = {r["cca3"]: r for r in records if r["unMember"] or r["cca3"] in mend.OBSERVERS}
    users = Counter(code for r in records for code in r["currencies"])
    names = {code: value["name"] for r in records for code, value in sorted(r["currencies"].items())}

    def country(record: dict[str, Any]) -> Country:
        iso3, name = record["cca3"], record["name"]["common"]
        spellings = (name, *mend.SPELLINGS.get(iso3, ()))
        people, year = mend.POPULATION.get(iso3) or (spelled(population, spellings), mend.POPULATION_YEAR)
        listed = codes[iso3]["ISO4217-currency_alphabetic_code"]
        currency = main_currency(iso3, listed, list(record["currencies"]), users)
        demonyms = tuple(d.strip() for d in record["demonyms"]["eng"]["m"].replace(" or ", ",").split(","))
        own = record["currencies"].get(currency, {}).get("name") or names.get(currency, "")
        currency_name = mend.CURRENCY_NAMES.get(currency) or own
        if " " not in currency_name and currency != "EUR":
            currency_name = f"{demonyms[0].split()[-1]} {currency_name}"
        continent, region = record["region"], record["subregion"]
        if continent == "Americas":
            continent = "South America" if region == "South America" else "North America"
        languages = dict.fromkeys(mend.LANGUAGES.get(tongue, tongue) for tongue in record["languages"].values())
        borders = [b for b in record["borders"] if b in sovereign and (iso3, b) not in mend.NO_BORDER]
        return Country(
            name=name,
            capital=mend.CAPITAL.get(iso3) or record["capital"][0],
            continent=continent,
            area_km2=record["area"],
            population=people,
            population_year=year,
            languages=tuple(languages),
            currency=currency,
            currency_name=currency_name[0].upper() + currency_name[1:],
            driving_side=mend.DRIVING_SIDE.get(iso3) or spelled(side, spellings),
            iso2=record["cca2"],
            iso3=iso3,
            region=mend.REGIONS.get(region, region),
            landlocked=record["landlocked"],
            neighbours=tuple(sorted((sovereign[b]["name"]["common"] for b in borders), key=fold)),
            has_land_border=bool({b for b in record["borders"] if (iso3, b) not in mend.NO_BORDER}),
            demonyms=demonyms,
            aliases=aliases_of(record),
        )

    return sorted((country(record) for record in sovereign.values()), key=lambda c: fold(c.name))


def triples(countries: Sequence[Country]) -> list[tuple[str, str, str]]:
    """The graph: facts, then kinds (``is_a``), then other names (``also_called``) that mean one thing."""
    facts: list[tuple[str, str, str]] = []
    kinds: dict[tuple[str, str, str], None] = {}
    names: list[tuple[str, str]] = []
    for c in countries:
        facts += [(c.name, "borders", other) for other in c.neighbours]
        facts += [(c.name, "speaks", language) for language in c.languages]
        facts += [(c.name, "pays_with", c.currency_name), (c.name, "lies_in", c.continent)]
        facts += [(c.name, "lies_in", c.region)] if c.region != c.continent else []
        facts.append((c.capital, "capital_of", c.name))
        kinds |= {(c.name, "is_a", "country"): None, (c.capital, "is_a", "city"): None}
        kinds |= {(c.currency_name, "is_a", "currency"): None, (c.continent, "is_a", "continent"): None}
        kinds |= {(language, "is_a", "language"): None for language in c.languages}
        kinds |= {(c.region, "is_a", "region"): None} if c.region != c.continent else {}
        names += [(c.name, alias) for alias in (*c.demonyms, *c.aliases)]
        names += [(c.capital, alias) for alias in mend.CAPITAL_ALIASES.get(c.iso3, ())]
        names += [(c.currency_name, c.currency), *_short(c.currency_name)]
    # An alias of two countries, or one that is also some country's name, would mislead a question.
    unique = dict.fromkeys(names)
    meanings = Counter(fold(alias) for _, alias in {(subject, fold(alias)) for subject, alias in unique})
    taken = {fold(c.name) for c in countries}
    kept = [(s, "also_called", a) for s, a in unique if meanings[fold(a)] == 1 and fold(a) not in taken]
    return [*facts, *kinds, *kept]


def _short(currency: str) -> list[tuple[str, str]]:
    """A currency as people call it at home: the zloty is the Polish złoty."""
    last = currency.rpartition(" ")[2]
    return [(currency, last)] if last.islower() and last != currency and last not in mend.NO_NAMES else []


def read_written() -> dict[str, str]:
    """The briefs that a person wrote: country name → text."""
    with Path(__file__).with_name("written_briefs.csv").open(encoding="utf-8", newline="") as file:
        return {row["title"]: row["text"] for row in csv.DictReader(file)}


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A CSV file with Unix line ends, so that the same rows are the same bytes everywhere."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def build(source: Path, out: Path) -> None:
    """Writes ``countries.csv``, ``triples.csv``, ``notes.csv`` and ``briefs.csv`` into ``out``."""
    countries = read(source)
    out.mkdir(parents=True, exist_ok=True)

    def cell(country: Country, column: str) -> object:
        value = getattr(country, column)
        return ", ".join(value) if isinstance(value, tuple) else value

    write(out / "countries.csv", COLUMNS, ([cell(c, column) for column in COLUMNS] for c in countries))
    write(out / "triples.csv", ("subject", "relation", "object"), triples(countries))
    write(out / "notes.csv", NOTES, notes(source))
    written = read_written()
    texts = ((c.name, written.get(c.name) or brief(c, turn)) for turn, c in enumerate(countries))
    write(out / "briefs.csv", ("title", "text"), texts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--source", type=Path, required=True, help="the folder of the source files")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "data", help="where the CSV files go")
    arguments = parser.parse_args()
    build(arguments.source, arguments.out)
