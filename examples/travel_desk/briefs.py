"""The short passage on one country: its facts as plain sentences, worded differently from country to country."""

from __future__ import annotations

from typing import TYPE_CHECKING

import corrections as mend

if TYPE_CHECKING:
    from build_data import Country

PLACES = (
    "{The} {is_} {a} country in {region}, and {its} capital is {capital}.",
    "{capital} is the capital of {the}, {a} country in {region}.",
    "{The} {lies} in {region}. Its capital city is {capital}.",
    "The capital of {the} is {capital}. The {country} {lies_one} in {region}.",
)
MONEY = (
    "People speak {languages} and pay with the {currency}.",
    "The currency is the {currency}. The official language is {languages}.",
    "{languages} is spoken, and the money is the {currency}.",
    "Its people speak {languages}. They use the {currency}.",
)
ROADS = (
    "Cars drive on the {side}.",
    "Traffic keeps to the {side}.",
    "People drive on the {side} side of the road.",
    "Drivers keep {side}.",
)


def listed(items: tuple[str, ...]) -> str:
    """``A``, ``A and B`` or ``A, B and C``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def named(name: str) -> str:
    """The name as it stands inside a sentence, with the article where English wants one."""
    return f"the {name}" if name in mend.ARTICLE else name


def in_sentence(currency: str) -> str:
    """A currency inside a sentence: ``Euro`` → ``euro``; names with a people in them keep the capital."""
    return currency[0].lower() + currency[1:] if currency in ("Euro", "Pound sterling") else currency


def land(country: Country, told: bool) -> str:
    """Where the country ends: its neighbours when they are few, else how many there are.

    ``told`` says that an earlier sentence has it as landlocked.
    """
    name = named(country.name)
    count = len(country.neighbours)
    if not country.has_land_border:
        return "It has no land borders."
    if country.landlocked and not told and 0 < count <= 3:
        return f"It is landlocked and borders {listed(tuple(named(n) for n in country.neighbours))}."
    if 0 < count <= 3:
        return f"It borders {listed(tuple(named(n) for n in country.neighbours))}."
    have = "have" if country.name in mend.PLURAL else "has"
    shore = f"{have} no coast" if country.landlocked else f"{have} a coast"
    return f"{name[0].upper() + name[1:]} {shore} and {count} neighbours."


def brief(country: Country, turn: int) -> str:
    """Four or five sentences of at most 45 words together; ``turn`` chooses the wording."""
    languages = country.languages[:3]
    several = len(languages) > 1
    name = named(country.name)
    plural = country.name in mend.PLURAL
    region = country.region
    region = f"the {region}" if region in ("Caribbean", "Micronesian islands") else region
    if country.continent not in region:
        region = f"{region} ({country.continent})"
    words = {
        "the": name,
        "The": name[0].upper() + name[1:],
        "is_": "are" if plural else "is",
        "lies": "lie" if plural else "lies",
        "lies_one": "lies",
        "its": "their" if plural else "its",
        "a": "a landlocked" if country.landlocked else "a",
        "country": "landlocked country" if country.landlocked else "country",
        "region": region,
        "capital": country.capital,
        "languages": listed(languages) if len(country.languages) <= 3 else f"{', '.join(languages)} and others",
        "currency": in_sentence(country.currency_name),
        "side": country.driving_side,
    }
    place = PLACES[turn % 4].format(**words)
    money = MONEY[turn // 4 % 4].format(**words)
    if several or len(country.languages) > 3:
        money = money.replace("official language is", "official languages are").replace(" is spoken", " are spoken")
    return " ".join((place, money, land(country, told=turn % 4 != 2), ROADS[turn // 2 % 4].format(**words)))
