"""What people liked: lines of films rated high, and what they say of each film, its times, cosines and neighbours.

The lines are of MovieTweetings (MIT), four films that somebody rated 8 or higher and four options, of which one was
rated so too and three are drawn by popularity; see :mod:`benchmarks.recommendation`.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from understudy.agents.recommender import Facts
from understudy.core.errors import UnderstudyError

TASK, GENRES = "movietweetings_next_liked", "movietweetings_genre"


@dataclass(frozen=True)
class Line:
    """Films that somebody liked, options in alphabetical order, as the role gives them, and the one also liked."""

    liked: tuple[str, ...]
    options: tuple[str, ...]
    answer: str

    @property
    def together(self) -> tuple[str, ...]:
        """All that was liked."""
        return (*self.liked, self.answer)

    @property
    def films(self) -> tuple[str, ...]:
        """All that is named."""
        return (*self.liked, *self.options)

    def third(self, salt: str = "") -> int:
        """0, 1 or 2, by a hash of what was liked."""
        digest = hashlib.sha256("; ".join((salt, *self.together)).encode()).hexdigest()
        return int(digest[:8], 16) % 3


def read_compressed(file: Path) -> list[dict[str, str]]:
    """The lines ``{"input", "output"}`` of a file. Raises UnderstudyError where it or zstandard is missing."""
    try:
        import zstandard
    except ImportError:
        raise UnderstudyError("the data needs zstandard", mend="pip install 'understudy[train]'") from None
    try:
        raw = file.read_bytes()
        with zstandard.ZstdDecompressor().stream_reader(raw) as stream:
            return [json.loads(line) for line in io.TextIOWrapper(stream, encoding="utf-8")]
    except (OSError, ValueError, zstandard.ZstdError) as error:
        mend = "docs/data.md says what the data folder holds; give its folder tasks"
        raise UnderstudyError(f"the file cannot be read ({error})", where=str(file), mend=mend) from None


def line_of(text: str, answer: str, where: str = "") -> Line:
    """A line of the task. Raises UnderstudyError where it is not ``Liked: A; B`` above ``Options: C; D``."""
    liked, _, options = text.removeprefix("Liked: ").partition("\nOptions: ")
    line = Line(tuple(liked.split("; ")), tuple(sorted(options.split("; "))), answer)
    if not text.startswith("Liked: ") or answer not in line.options:
        raise UnderstudyError("the line is not 'Liked: …' and 'Options: …' with one of the options", where=where)
    return line


def read(folder: Path) -> tuple[list[Line], dict[str, list[str]]]:
    """The lines of the task, and film → genres. Raises UnderstudyError for what cannot be read."""
    files = [folder / "meta_train" / f"{name}.jsonl.zst" for name in (TASK, GENRES)]
    lines, genres = map(read_compressed, files)
    return (
        [line_of(one["input"], one["output"], f"{files[0]}:{at}") for at, one in enumerate(lines, 1)],
        {one["input"]: one["output"].split(", ") for one in genres},
    )


class Liking:
    """What is liked how often, and what with what, in some lines."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.times: Counter[str] = Counter()
        self.both: dict[str, Counter[str]] = defaultdict(Counter)
        for line in lines:
            self.times.update(line.together)
            for film in line.together:
                self.both[film].update(other for other in line.together if other != film)

    def cosine(self, film: str, other: str) -> float:
        """Of the lines that like the one and those that like the other; 0 where one is not known."""
        times = self.both[film][other] if film in self.both else 0
        return times / math.sqrt(self.times[film] * self.times[other]) if times else 0.0

    def neighbours(self, film: str, most: int) -> list[str]:
        """The films with the greatest cosines, the greatest first; by name where they are equal."""
        return sorted(self.both.get(film, ()), key=lambda other: (-self.cosine(film, other), other))[:most]

    def facts(self, films: Iterable[str], genres: Mapping[str, Sequence[str]], most: int) -> Facts:
        """The facts of each film: its ``most`` nearest neighbours, then its genres."""
        return {
            film: [*(("liked together with", other) for other in self.neighbours(film, most)),
                   *(("has genre", genre) for genre in genres.get(film, ()))]
            for film in films
        }  # fmt: skip
