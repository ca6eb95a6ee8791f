"""The shipped recommender on what people liked in public film ratings, beside popularity and item-kNN.

    python -m benchmarks.recommendation --data DIR

DIR holds meta_train/movietweetings_next_liked.jsonl.zst (four films that somebody rated 8 or higher, and four options,
of which one was rated so too and three are drawn by popularity: chance is 25 %) and movietweetings_genre.jsonl.zst
(MovieTweetings, MIT). A hash of each line puts two thirds of them into the learning part and asks the others. From the
learning part alone come popularity, the cosines of item-kNN and the facts of the recommender: each film is "liked
together with" its ``NEIGHBOURS`` nearest films, and has its genres. The genre of most films is not known.

``NEIGHBOURS`` is chosen within the learning part (:func:`choosing`, three folds), by how often a film with the most
shared facts was liked: what a head that counts without a mistake would reach. The table of it is printed, losers and
all: of 2, 5, 10, 20, 40 and 80 the best was 20. No weight is asked for it.

The shipped backbone has seen lines of this task: they are among the public tasks of its mixture
(:mod:`understudy.mixture`), as a span to be copied from the text, in another prompt than the recommender's; those that
are asked too. The recommender's head learned from invented worlds alone. The arms with a head and the one without share
the backbone, and can be compared with each other.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress

from benchmarks.liking import TASK, Liking, Line, read
from benchmarks.questions import DESK
from benchmarks.shares import write_part
from understudy.agents.recommender import Facts, compose, ranked, shared
from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Example
from understudy.evaluation import Rate
from understudy.paired import Paired
from understudy.rivals import TRAINED, Rivals
from understudy.sheets import Sheet
from understudy.workflows.team import Team

ROLE = "recommender"
TRIED = (2, 5, 10, 20, 40, 80)
NEIGHBOURS = 20
HIGHEST = 9  # the grade that no count exceeds
FOLDS = 3  # of Line.third
BATCH = 50  # questions between two moves of the bar
GENRES_ALONE = f"{TRAINED}, genres alone"
COUNTED, POPULAR, NEAREST, RANDOM = "shared facts, counted", "popularity", "item-kNN", "random"
TOLD = {
    GENRES_ALONE: "the role's own head, which is shown no fact but genres",
    COUNTED: "plain rules: the option with the most facts in common with what was liked, up to 9 as the grades go",
    POPULAR: "the option that was liked most often in the learning part",
    NEAREST: "the option with the greatest sum of cosines with the four films, over all lines of the learning part",
    RANDOM: "any option",
}

Grader = Callable[[Line], Mapping[str, float]]


def counts(line: Line, facts: Facts) -> dict[str, float]:
    """How many facts each option has in common with what was liked, as the grades of the role count them."""
    return {name: min(HIGHEST, len(shared(name, line.liked, facts))) for name in line.options}


def is_right(line: Line, grades: Mapping[str, float]) -> bool:
    """Whether the first place is the film that was liked; of equal grades the role takes the first in order."""
    return ranked({name: grades[name] for name in line.options})[0] == line.answer


def split(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """The lines to learn from, two thirds, and those that are asked."""
    return [line for line in lines if line.third()], [line for line in lines if not line.third()]


def named(films: Iterable[str]) -> list[str]:
    """Each film once."""
    return list(dict.fromkeys(films))


def choosing(learning: Sequence[Line], genres: Mapping[str, Sequence[str]]) -> dict[int, Rate]:
    """Each number of neighbours → how often the most shared facts are right, over folds of the learning part."""
    right: dict[int, list[bool]] = {most: [] for most in TRIED}
    for fold in range(FOLDS):
        liking = Liking(line for line in learning if line.third("fold") != fold)
        asked = [line for line in learning if line.third("fold") == fold]
        films = named(film for line in asked for film in line.films)
        for most in TRIED:
            facts = liking.facts(films, genres, most)
            right[most] += [is_right(line, counts(line, facts)) for line in asked]
    return {most: Rate.of(flags) for most, flags in right.items()}


def example(line: Line, facts: Facts) -> Example:
    """What the recommender is asked of a line."""
    wish = f"I liked {', '.join(line.liked[:-1])} and {line.liked[-1]}. Which of these next?"
    prompt, record = compose(line.liked, line.options, facts, wish)
    return Example(prompt, record)


def asked_of(rivals: Rivals, rival: str, examples: Sequence[Example], step: Callable[[int], None]) -> list[Any]:
    """The grades that a rival gives in each example."""
    found: list[Any] = []
    for start in range(0, len(examples), BATCH):
        some = examples[start : start + BATCH]
        found += [values["places"] for values in rivals.values(rival, ROLE, some)]
        step(len(some))
    return found


def plain_rivals(liking: Liking, facts: Facts) -> dict[str, Grader]:
    """Those who need no backbone."""
    rng = random.Random(TASK)
    return {
        COUNTED: lambda line: counts(line, facts),
        POPULAR: lambda line: {name: liking.times[name] for name in line.options},
        NEAREST: lambda line: {name: sum(liking.cosine(name, film) for film in line.liked) for name in line.options},
        RANDOM: lambda line: {name: rng.random() for name in line.options},
    }


def rows_of(
    lines: Sequence[Line], graded: Mapping[str, Sequence[Mapping[str, float]]], facts: Facts
) -> list[dict[str, Any]]:
    """What each one who graded the options of ``lines`` reached, the trained head first.

    ``right``: of all; ``told apart``: of the lines whose options differ in their shared facts; ``counted``: of these,
    those where the first place shares most; ``lead``: of the trained head.
    """
    shares = [counts(line, facts) for line in lines]
    apart = [at for at, one in enumerate(shares) if len(set(one.values())) > 1]
    rows: list[dict[str, Any]] = []
    ours: list[bool] = []
    for who, grades in graded.items():
        right = [is_right(*pair) for pair in zip(lines, grades, strict=True)]
        ours = ours or right
        most = [shares[at][ranked(grades[at])[0]] == max(shares[at].values()) for at in apart]
        told = Rate.of(right[at] for at in apart)
        rows.append({"who": who, "right": Rate.of(right), "lead": Paired.of(ours, right), "told apart": told,
                     "counted": Rate.of(most)})  # fmt: skip
    return rows


def sheet_of(rows: Sequence[Mapping[str, Any]]) -> Sheet:
    """The rows as a table; shares of the trained head beside the others' with McNemar's p."""
    first = rows[0]
    columns = (
        "who", f"right, of {first['right'].total}", f"{first['who']}: points more, p",
        f"right, of {first['told apart'].total} whose shared facts differ", "of these, most facts first",
    )  # fmt: skip
    cells = tuple(
        (row["who"], row["right"].cell, "–" if row is first else f"{row['lead'].points}, {row['lead'].chance}",
         row["told apart"].cell, row["counted"].cell) for row in rows
    )  # fmt: skip
    return Sheet("Which film was liked too, of four", columns, cells)


def choice_sheet(chosen: Mapping[int, Rate]) -> Sheet:
    """What each number of neighbours reached within the learning part."""
    rows = tuple((f"{most}{', chosen' if most == NEIGHBOURS else ''}", f"{100 * one.right / one.total:.1f} %", one.cell)
                 for most, one in chosen.items())  # fmt: skip
    total = next(iter(chosen.values())).total
    return Sheet(f"Neighbours a film, by shared facts on {total} lines of the learning part, three folds",
                 ("neighbours", "right", "with its interval"), rows)  # fmt: skip


def unknown(lines: Sequence[Line], liking: Liking, genres: Mapping[str, Any]) -> dict[str, Rate]:
    """How many of the films that are asked for, offered and liked the learning part never has; and have no genre."""
    kinds = {"answers": [line.answer for line in lines], "options": [film for line in lines for film in line.options],
             "liked films": [film for line in lines for film in line.liked]}  # fmt: skip
    found = {f"{kind} never liked in the learning part": Rate.of(film not in liking.times for film in films)
             for kind, films in kinds.items()}  # fmt: skip
    return found | {"options without a genre": Rate.of(film not in genres for film in kinds["options"])}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], epilog="example: python -m benchmarks.recommendation --data DIR"
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder tasks that docs/data.md describes")
    parser.add_argument("--backbone", default=None, help="in place of the team's: default, a folder, a hub id")
    parser.add_argument("--n", type=int, default=500, help="questions at most (500)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--no-write", action="store_true", help="leave docs/figures.md as it is")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    if options.n < 1:
        parser.error("--n is less than 1")
    try:
        lines, genres = read(options.data)
    except UnderstudyError as error:
        parser.error(str(error))
    learning, asked = split(lines)
    asked = asked[: options.n]
    chosen, liking = choosing(learning, genres), Liking(learning)
    films = named(film for line in asked for film in line.films)
    facts, few = (liking.facts(films, genres, most) for most in (NEIGHBOURS, 0))
    team = Team.load(DESK / "team.yaml", options.backbone)
    rivals = Rivals(team)
    arms = {rival: (rival, facts) for rival in rivals.names} | {GENRES_ALONE: (TRAINED, few)}
    graded: dict[str, list[Any]] = {}
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        shown = bar.add_task("asking", total=len(asked) * len(arms))
        for name, (rival, read_facts) in arms.items():
            bar.update(shown, description=name)
            examples = [example(line, read_facts) for line in asked]
            graded[name] = asked_of(rivals, rival, examples, lambda count: bar.update(shown, advance=count))
    for name, grade in plain_rivals(liking, facts).items():
        graded[name] = [grade(line) for line in asked]
    missing = unknown(asked, liking, genres)
    rows = rows_of(asked, graded, facts)
    sheets = [sheet_of(rows), choice_sheet(chosen)]
    if options.json:
        found = {"learning": len(learning), "rows": rows, "neighbours": chosen, "unknown": missing}
        print(json.dumps(found, default=lambda one: one.as_json()))
    else:
        for sheet in sheets:
            sheet.show(Console(width=160))
        print("; ".join(f"{kind}: {one.cell}" for kind, one in missing.items()))
    if not options.no_write:
        command = "python -m benchmarks.recommendation --data DIR" + (f" --n {options.n}" if options.n != 500 else "")
        write_part("recommendation", "The recommender on films that people liked", command,
                   words(rivals, len(learning), missing), sheets)  # fmt: skip


def words(rivals: Rivals, learning: int, missing: Mapping[str, Rate]) -> str:
    """What was done, for whoever reads the tables."""
    backbone, told = rivals.team.backbone, {**rivals.told, **TOLD}
    who = "\n".join(f"- *{name}*: {text}" for name, text in told.items())
    absent = "; ".join(f"{kind} {one.cell}" for kind, one in missing.items())
    return (
        f"Backbone {backbone.name} {backbone.digest()}; {time.strftime('%Y-%m-%d')}, {platform.machine()}, "
        f"{torch.get_num_threads()} thread(s). MovieTweetings (MIT): lines of four films that somebody liked and four "
        f"options; three options are drawn by popularity, chance is 25 %. {learning} lines to learn from; others are "
        f"asked. {absent}. The backbone's public tasks contained lines of this task, in another form; the "
        f"recommender's head learned from none. Shares with their 95 % Wilson interval.\n\n{who}"
    )


if __name__ == "__main__":
    main()
