"""Do answers come from the data? Facts of the desk are changed, and the questions about them asked again.

    python -m benchmarks.counterfactual

Facts are changed in table, graph and briefs alike (Estonia's capital becomes Narva). Of the questions of
tests/data/travel_desk_questions.jsonl that this concerns, and of a plain one for each fact, those that were answered
right before should now be answered with what the data says now. Who has learned the world by heart, or reads something
else, answers otherwise; who doubts what is new abstains.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.questions import DESK, FRESH, database, reference_values
from understudy.agents.messages import Task
from understudy.core.errors import UnderstudyError
from understudy.core.intervals import wilson
from understudy.judging import Judged, judge_role
from understudy.questions import Question, read_questions
from understudy.rivals import TRAINED, Rivals
from understudy.workflows.team import Team


@dataclass(frozen=True)
class Change:
    """In everything that is told of ``name``, ``old`` becomes ``new``; ``column``: of the table or the notes."""

    name: str
    column: str
    old: str
    new: str


CHANGES = tuple(Change(*change) for change in (
    ("Kyrgyzstan", "capital", "Bishkek", "Karakol"), ("Estonia", "capital", "Tallinn", "Narva"),
    ("Australia", "capital", "Canberra", "Ballarat"), ("Myanmar", "capital", "Naypyidaw", "Mandalay"),
    ("Switzerland", "languages", "Italian", "Danish"), ("Andorra", "languages", "Catalan", "Occitan"),
    ("Haiti", "languages", "Haitian Creole", "Papiamento"), ("Singapore", "languages", "Tamil", "Tagalog"),
    ("United Arab Emirates", "currency_name", "United Arab Emirates dirham", "Gulf dinar"),
    ("Montenegro", "currency_name", "Euro", "Montenegrin perper"),
    ("Poland", "currency_name", "Polish złoty", "Polish mark"),
    ("El Salvador", "currency_name", "United States dollar", "Salvadoran colón"),
    ("Kenya", "independent_since", "1963", "1948"), ("Finland", "independent_since", "1917", "1922"),
    ("United States", "independent_since", "1776", "1801"), ("Iceland", "independent_since", "1944", "1931"),
    ("Jamaica", "independent_since", "1962", "1974"), ("United Kingdom", "driving_side", "left", "right"),
    ("Guyana", "driving_side", "left", "right"), ("Türkiye", "driving_side", "right", "left"),
    ("Laos", "driving_side", "right", "left"),
    ("Malaysia", "government", "constitutional monarchy", "federal republic"),
    ("Thailand", "government", "constitutional monarchy", "sultanate"),
    ("Nigeria", "government", "federal republic", "kingdom"), ("Tunisia", "government", "republic", "principality"),
    ("Egypt", "temperature_c", "23", "31"), ("Canada", "temperature_c", "-4", "11"),
    ("Norway", "temperature_c", "2", "17"),
    ("Ghana", "temperature_c", "28", "19"), ("Senegal", "dish", "thieboudienne", "peanut soup"),
    ("Netherlands", "dish", "stamppot", "pea soup"), ("Romania", "dish", "mămăligă", "plum dumplings"),
    ("Vietnam", "population", "95540395", "71204118"), ("Mongolia", "area_km2", "1564110", "820450"),
))  # fmt: skip


COLUMNS = ("capital", "languages", "currency_name", "driving_side", "population", "area_km2")
_RELATIONS = {"capital": "capital_of", "languages": "speaks", "currency_name": "pays_with"}


def _rewritten(text: str, old: str, new: str) -> str:
    """The text with ``old`` replaced as a word of its own, with a capital where it had one."""
    for one, other in ((old, new), (old[:1].upper() + old[1:], new[:1].upper() + new[1:]), (old.lower(), new.lower())):
        pieces = text.split(one)
        found = pieces[0]
        for before, piece in zip(pieces, pieces[1:], strict=False):
            whole = not (before[-1:].isalnum() or piece[:1].isalnum() or one.isdigit() and before.endswith("-"))
            found += (other if whole else one) + piece
        text = found
    return text


def alter(folder: Path, changes: Sequence[Change] = CHANGES) -> None:
    """Make the changes in the CSV files of ``folder``. Raises UnderstudyError where one finds nothing to change."""
    done: set[tuple[Change, str]] = set()
    for name in ("countries", "notes", "triples", "briefs"):
        file = folder / f"{name}.csv"
        with file.open(encoding="utf-8", newline="") as opened:
            rows = list(csv.DictReader(opened))
        fields = list(rows[0])
        for change in changes:
            for row in rows:
                if name == "triples":
                    ends = (row["subject"], row["object"])
                    told = _RELATIONS.get(change.column)
                    if row["relation"] == told and set(ends) == {change.name, change.old}:
                        row["subject"], row["object"] = (change.new if end == change.old else end for end in ends)
                        done.add((change, name))
                elif name == "briefs" and row["title"] == change.name:
                    text = _rewritten(row["text"], change.old, change.new)
                    done |= {(change, name)} if text != row["text"] else set()
                    row["text"] = text
                elif row.get("name") == change.name and change.column in fields:
                    value = _rewritten(row[change.column], change.old, change.new)
                    done |= {(change, name)} if value != row[change.column] else set()
                    row[change.column] = value
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, fields, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    for change in changes:
        places = {name for one, name in done if one == change}
        needed = {"countries"} if change.column in ("population", "area_km2") else {"briefs"}
        if not places & {"countries", "notes"} or not needed <= places:
            raise UnderstudyError(f"this finds nothing to change: {change}", where=str(folder))


_ASKED = {
    "capital": "What is the capital of {e}?", "languages": "Which languages do they speak in {e}?",
    "currency_name": "What is the currency of {e}?", "independent_since": "When did {e} become independent?",
    "driving_side": "On which side do they drive in {e}?", "government": "What kind of state is {e}?",
    "temperature_c": "What is the mean temperature in {e}?", "dish": "What is the national dish of {e}?",
    "population": "What is the population of {e}?", "area_km2": "What is the area of {e}?",
}  # fmt: skip


def plainly(changes: Sequence[Change] = CHANGES) -> list[Question]:
    """A plain question for each change, beside those of the file, which are harder."""
    asked = []
    for change in changes:
        table = "countries" if change.column in COLUMNS else "notes"
        sql = f"SELECT {change.column} FROM {table} WHERE name = '{change.name}'"
        role = "coder" if change.column in ("population", "area_km2") else "qa"
        also: tuple[tuple[str, ...], ...] = ()
        if change.column == "temperature_c":
            also = ((f"{change.old} °C",), (f"{change.old} degrees Celsius",), (f"{change.old} degrees",))
        asked.append(Question(f"plain {change.name} {change.column}", role, _ASKED[change.column].format(e=change.name),
                              also=also, reference=(sql,)))  # fmt: skip
    return asked


def concerned(before: Path, after: Path, questions: Sequence[Question]) -> list[tuple[Question, Question]]:
    """The questions to one role whose right values the changes have changed, as they were and as they are."""
    old, new = database(before), database(after)
    pairs = []
    for one in questions:
        if one.role not in ("qa", "coder") or not one.reference:
            continue
        values = reference_values(one, new)
        if not values or values == reference_values(one, old):
            continue
        also: tuple[tuple[str | int | float, ...], ...] = one.also
        for change in CHANGES:
            if change.name in " ".join(one.reference):
                also = tuple(tuple(_rewritten(str(v), change.old, change.new) for v in some) for some in also)
        was = replace(one, values=reference_values(one, old))
        pairs.append((_split(was), _split(replace(one, values=values, also=also))))
    return pairs


def _split(one: Question) -> Question:
    """Languages, which the table has in one cell, as the values that they are."""
    return replace(one, values=tuple(
        part for value in one.values for part in (value.split(", ") if isinstance(value, str) else [value])
    ))  # fmt: skip


async def _judged(team: Team, questions: Sequence[Question]) -> list[Judged]:
    rivals = Rivals(team, ablate=False)

    async def ask(one: Question) -> Judged:
        agent = rivals.agent(TRAINED, one.role)
        assert agent is not None, f"{one.role} has no head"
        return judge_role(one, await agent.handle(Task(request=one.request)))

    return list(await asyncio.gather(*map(ask, questions)))


def measure() -> tuple[int, list[dict[str, object]]]:
    """How many questions were answered right before the changes, and those of them that do not follow.

    Such a one is ``answered`` otherwise, or else abstained from: whatever is then ``given`` was not dared.
    """
    with tempfile.TemporaryDirectory() as folder:
        desk = Path(folder) / "desk"
        shutil.copytree(DESK, desk)
        alter(desk / "data")
        pairs = concerned(DESK / "data", desk / "data", [*read_questions(FRESH), *plainly()])
        before = asyncio.run(_judged(_loaded(DESK), [old for old, _ in pairs]))
        kept = [new for (_, new), judged in zip(pairs, before, strict=True) if judged.right]
        after = asyncio.run(_judged(_loaded(desk), kept))
    return len(kept), [
        {"id": one.id, "request": one.request, "wanted": list(one.values), "given": judged.given,
         "answered": judged.answered}
        for one, judged in zip(kept, after, strict=True) if not judged.right
    ]  # fmt: skip


def _loaded(folder: Path) -> Team:
    team = Team.load(folder / "team.yaml")
    team.make_ready()
    return team


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    count, astray = measure()
    low, high = wilson(count - len(astray), count)
    if options.json:
        print(json.dumps({"changed": len(CHANGES), "right before": count, "astray": astray, "interval": [low, high]}))
        return
    otherwise = sum(bool(one["answered"]) for one in astray)
    doubted = len(astray) - otherwise
    print(f"{len(CHANGES)} facts changed; of {count} questions answered right before, {count - len(astray)} follow the "
          f"data (95 % interval {low:.0%} to {high:.0%}), {doubted} are abstained from, and {otherwise} answered "
          "otherwise")  # fmt: skip
    for one in astray:
        dared = "given" if one["answered"] else "abstained, at"
        print(f"  {one['id']}: {one['request']}  wanted {one['wanted']}, {dared} {one['given']}")


if __name__ == "__main__":
    main()
