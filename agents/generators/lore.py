"""What texts tell beside the relations of a graph: dishes, dates, governments, prices; and how it is asked for."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .names import foreign, person, syllables

_FOODS = (
    "lentil stew", "grilled trout", "rye bread", "lamb pie", "noodle soup", "fried dumplings", "rice with beans",
    "pickled herring", "potato cakes", "roast goose", "cheese tart", "pepper soup", "cabbage rolls", "smoked eel",
)  # fmt: skip
_STATES = (
    "republic", "republic", "kingdom", "federal republic", "constitutional monarchy", "sultanate", "principality",
    "federation", "presidential republic", "absolute monarchy", "military state",
)  # fmt: skip
_FORMS = ("Republic", "Kingdom", "Commonwealth", "United Provinces", "Free State", "Federal Republic")
_STYLES = ("Confederation", "People's Democratic Republic", "Democratic Republic", "Arab Republic", "Union")
_BELONGING = ("ish", "ian", "ic", "ese", "i", "")
_EPITHETS = ("Old", "Little", "Silent", "Golden", "Iron")
_FIGURES = ("Lady", "Giant", "Friend", "Corner", "Door")
_COLOURS = ("dark green", "red", "pale blue", "yellow", "white", "black", "silver", "brown", "orange")
_MONEY = ("euros", "dollars", "pounds", "francs")
PARTS = (
    "Western Europe", "Eastern Africa", "Southern Asia", "Central America", "Northern Europe", "Caribbean", "Polynesia",
    "Middle Africa", "Central Asia", "Southeast Europe", "Western Asia", "Melanesia", "Southern Africa", "Eastern Asia",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def dish(rng: random.Random) -> str:
    made = syllables(rng).lower() if rng.random() < 0.4 else foreign(rng)
    with_it = f"{made} with {rng.choice(('rice', 'beans', 'lamb', 'corn'))}"
    return rng.choice((made, f"{made} {foreign(rng)}", rng.choice(_FOODS), with_it))


def _year(rng: random.Random) -> str:
    return str(rng.randint(1770, 2019))


def _degrees(rng: random.Random) -> str:
    return f"{rng.randint(-6, 31)}{rng.choice((' °C', ' °C', ' degrees Celsius', ' degrees'))}"


def full(rng: random.Random) -> str:
    """An official name: Kingdom of Tarv, Tarvish Confederation, Tarvian People's Republic."""
    if rng.random() < 0.5:
        return f"{rng.choice(_FORMS)} of {syllables(rng)}"
    return f"{syllables(rng)}{rng.choice(_BELONGING)} {rng.choice((*_FORMS, *_STYLES))}"


@dataclass(frozen=True)
class Lore:
    """A kind of thing that texts tell.

    Attributes:
        name: what it is called.
        value: draws one.
        told: sentences; ``{it}`` the thing, ``{v}`` the value.
        asked: questions; ``{e}`` the thing.
        places: whether it is told of countries and towns alone; else of whatever is no person.
        nouns: what else columns and figures are called that tell the same, or nearly so.
    """

    name: str
    value: Callable[[random.Random], str]
    told: tuple[str, ...]
    asked: tuple[str, ...]
    places: bool = False
    nouns: tuple[str, ...] = ()

    def told_by(self, nouns: Iterable[str]) -> bool:
        """Whether one of these nouns of columns or figures tells it: the price per night tells the price."""
        return any(f" {mine} " in f" {noun} " for noun in nouns for mine in (self.name, *self.nouns))


LORE = (
    Lore("dish", dish, (
        "its national dish is {v}", "{v} is the national dish", "the dish that everyone orders is {v}",
        "{it} is known for {v}, its national dish", "on the table you find {v}, the dish of the nation",
        "cooks are proud of {v}, which passes for the national dish", "the country's favourite plate is {v}",
        "try {v}, the national dish",
    ), (
        "what is the national dish of {e}", "national dish {e}", "what is {e}'s national dish",
        "what does one eat in {e}", "which food is {e} known for", "what should I taste in {e}",
        "name the dish that {e} is famous for", "typical food of {e}", "a dish from {e}", "what to eat in {e}",
        "what would I get for dinner in {e}", "{e} - what is the food",
    ), places=True, nouns=("dishes", "food", "cuisine")),
    Lore("independence", _year, (
        "{it} became independent in {v}", "{it} has been independent since {v}", "independence came in {v}",
        "independent since {v}, {it} keeps its own laws", "it won its independence in {v}",
        "its independence dates from {v}", "{it} has governed itself since {v}", "since {v} it has been its own master",
        "its own flag has flown since {v}, the year of independence",
    ), (
        "when did {e} become independent", "since when is {e} independent", "year of independence of {e}",
        "{e} independence", "when did {e} get its independence", "in which year was {e} freed",
        "how long has {e} been on its own", "independence of {e}: when", "from what year on did {e} govern itself",
    ), places=True),
    Lore("government", lambda rng: rng.choice(_STATES), (
        "{it} is a {v}", "it is governed as a {v}", "a {v}, {it} has two chambers",
        "the form of state is that of a {v}",
        "by its constitution {it} is a {v}", "{it}, a {v}, is at peace", "politically it is a {v}",
    ), (
        "what kind of state is {e}", "form of government of {e}", "how is {e} governed",
        "what government does {e} have", "is {e} a monarchy", "is {e} a republic or a kingdom", "{e} political system",
        "who rules {e}, a king or a parliament", "what type of government is there in {e}",
    ), places=True),
    Lore("temperature", _degrees, (
        "the mean temperature over the year is {v}", "on average it is {v} there", "a usual year averages {v}",
        "the thermometer shows {v} in the yearly mean", "its average temperature is {v}",
        "the air has {v} on average", "all year round the average is {v}",
    ), (
        "how warm does {e} get", "average temperature of {e}", "what is the mean temperature in {e}",
        "how cold does it get in {e} on average", "{e} temperature", "what temperatures can I expect in {e}",
        "is it hot in {e}", "how many degrees does {e} have in the yearly mean", "climate in {e}: how warm",
    ), places=True),
    Lore("official name", full, (
        "officially it is the {v}", "its full name is {v}", "in treaties it signs as the {v}",
        "{it}, in full the {v}, is old",
        "the official name is {v}", "on paper it is called the {v}",
    ), (
        "what is the official name of {e}", "full name of {e}", "{e}'s official name", "what is {e} called officially",
        "how is {e} named on paper", "the long form of the name {e}",
    ), places=True, nouns=("full name",)),
    Lore("founder", person, (
        "it was founded by {v}", "its founder was {v}", "{v} founded it", "{it} goes back to {v}, who founded it",
    ), (
        "who founded {e}", "founder of {e}", "by whom was {e} founded", "who was the founder of {e}", "who set up {e}",
    )),
    Lore("beginning", _year, (
        "it began in {v}", "it was begun in {v}", "the year of its beginning is {v}", "since {v} it has been there",
        "it dates from {v}",
    ), (
        "when was {e} begun", "from what year is {e}", "how old is {e}", "since when is there {e}",
        "when did {e} start",
        "what year does {e} date from",
    ), nouns=("year", "age")),
    Lore("colour", lambda rng: rng.choice(_COLOURS), (
        "its colour is {v}", "it is painted {v}", "{it} is {v} all over", "people know it by its {v} coat",
    ), (
        "what colour is {e}", "colour of {e}", "which colour does {e} have", "how is {e} painted",
    ), nouns=("colours", "color", "colors")),
    Lore("nickname", lambda rng: f"the {rng.choice(_EPITHETS)} {rng.choice(_FIGURES)}", (
        "its nickname is {v}", "it is nicknamed {v}", "people call it {v}", "locals say {v} for short",
    ), (
        "what is the nickname of {e}", "nickname of {e}", "what do people call {e}", "how is {e} nicknamed",
    )),
    Lore("price", lambda rng: f"{rng.randint(2, 900)} {rng.choice(_MONEY)}", (
        "it costs {v}", "the price is {v}", "you pay {v} for it", "a ticket is {v}", "for {v} it is yours",
    ), (
        "how much does {e} cost", "price of {e}", "what does {e} cost", "how expensive is {e}", "what do I pay for {e}",
    ), nouns=("cost", "value")),
    Lore("day", lambda rng: rng.choice(_DAYS), (
        "it is closed on {v}", "the day of rest is {v}", "on {v} nobody is there",
    ), (
        "on what day is {e} closed", "which day is {e} shut", "when is {e} closed", "closing day of {e}",
    ), nouns=("weekday",)),
    Lore("phone", lambda rng: f"{rng.randint(100, 999)} {rng.randint(1000, 9999)}", (
        "its telephone number is {v}", "you can call it on {v}", "the number to ring is {v}",
    ), (
        "what is the phone number of {e}", "telephone of {e}", "how can I call {e}", "{e} phone",
    ), nouns=("telephone",)),
)  # fmt: skip

NEVER = (
    "who presides over {e}", "the highest mountain of {e}", "how much is a hotel room in {e}",
    "what will the weather be in {e} tomorrow", "who won the last election in {e}", "what is the anthem of {e}",
    "how many goals did {e} score", "which museums are there in {e}", "is a visa needed for {e}",
    "who is the king of {e}",
    "what is the flag of {e} like", "is {e} safe", "name a famous singer from {e}", "which airline flies to {e}",
    "what is the longest river in {e}", "when is the next holiday in {e}", "who designed the logo of {e}",
    "what is the unemployment rate of {e}", "the email address of {e}", "who is married to {e}",
    "what does {e} look like", "what is the motto of {e}", "how tall is the mayor of {e}", "which shoes does {e} wear",
    "what is the best restaurant near {e}", "what did {e} say yesterday", "who is the trainer of {e}'s football team",
    "how long is the flight to {e}", "what is the tallest building in {e}", "where can I buy {e}",
    "when was the last war of {e}", "which university is the best in {e}", "what is the mobile network of {e}",
    "which plug fits in {e}", "what is the minimum wage in {e}", "where was {e} born", "who invented {e}",
    "what animal stands for {e}", "who will win in {e}", "what time is it in {e}", "what is the dialling code of {e}",
)  # fmt: skip
"""What no text of these worlds tells, however well it knows the thing."""


def a_lore(rng: random.Random, maker: str, count: int) -> list[Lore]:
    """``count`` kinds of lore that fit things named by ``maker``."""
    able: Sequence[Lore] = [one for one in LORE if maker in ("country", "place") or not one.places]
    if maker == "country" and rng.random() < 0.75:
        able = [one for one in able if one.places]
    return rng.sample(list(able), min(count, len(able)))


def tell(rng: random.Random, lore: Lore, name: str, value: str) -> str:
    """A sentence that tells it, without its stop."""
    return rng.choice(lore.told).format(it=rng.choice((name, "it", "it")), v=value)


def ask(rng: random.Random, lore: Lore, name: str) -> str:
    """A question for it."""
    return rng.choice(lore.asked).format(e=name)


def ask_in_vain(rng: random.Random, name: str) -> str:
    """A question about ``name`` that nothing answers."""
    return rng.choice(NEVER).format(e=name)
