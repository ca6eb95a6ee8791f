"""A role learned from a few demonstrations: learned start, random start, no head, and what needs no backbone.

    python -m benchmarks.learned_roles examples/triage/role.yaml examples/triage/messages.jsonl

Rivals that learn see the demonstrations of the role file only. scikit-learn (of the extra ``train``) is needed for
``TF-IDF + logistic regression``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from benchmarks.questions import DESK
from benchmarks.shares import write_part
from understudy.agents.role import Role
from understudy.comparison import CONFIDENT, Figures, Outcome, asked_with, learned, timed
from understudy.core.backbone import Backbone
from understudy.core.meta.start import Start
from understudy.evaluation import Rate
from understudy.objects import read_objects
from understudy.sheets import Sheet
from understudy.word_rules import WORDS, Answer, Values, majority, regression, require_words
from understudy.workflows.learning import Method, start_of

TRIAGE = DESK.parent / "triage"


def words(text: str) -> list[str]:
    """The words of a text, small, without punctuation."""
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


def tfidf(texts: Sequence[str], known: Sequence[str]) -> list[dict[str, float]]:
    """Each text as weights of its words, of length 1; rarity is counted in ``known``."""
    seen = Counter(word for text in known for word in set(words(text)))
    out = []
    for text in texts:
        counts = Counter(words(text))
        weights = {word: n * (math.log((1 + len(known)) / (1 + seen[word])) + 1) for word, n in counts.items()}
        norm = math.sqrt(sum(value * value for value in weights.values())) or 1.0
        out.append({word: value / norm for word, value in weights.items()})
    return out


def nearest(texts: Sequence[str], given: Sequence[Values], asked: Sequence[str]) -> list[Answer]:
    """The values of the demonstration with the greatest cosine of TF-IDF."""
    shown = tfidf(texts, texts)
    answers = []
    for one in tfidf(asked, texts):
        cosines = [sum(one.get(word, 0.0) * weight for word, weight in other.items()) for other in shown]
        best = max(range(len(cosines)), key=cosines.__getitem__)
        answers.append(Answer(given[best], cosines[best]))
    return answers


def compare(role: Role, backbone: Backbone, messages: Sequence[Values]) -> dict[str, Outcome]:
    """Every rival on the same messages."""
    require_words()
    start = start_of(backbone, Method())
    began = time.perf_counter()
    bare = asked_with(backbone, None, role, messages)
    bare_seconds = time.perf_counter() - began
    return {
        "head, learned start": learned(backbone, start, role, messages),
        "head, random start": learned(backbone, Start.plain(backbone.sites), role, messages),
        "no head": Outcome(bare, asking=bare_seconds),
        "majority": timed(majority, role, messages),
        "nearest demonstration": timed(nearest, role, messages),
        WORDS: timed(regression, role, messages),
    }


def summary(outcome: Outcome, wanted: Sequence[Values]) -> dict[str, Any]:
    """The figures of one rival: accuracy by field and whole, the share answered, errors made with confidence."""
    found = Figures.of(outcome, wanted)
    return {
        **found.fields,
        "whole": found.whole,
        "answered": found.answered,
        "wrong of those": found.wrong,
        "confident errors": found.confident_errors,
        "left out": found.left_out,
        "learning": found.learning,
        "asking": found.asking,
        "bytes": found.bytes,
    }


def sheet_of(title: str, found: Mapping[str, Mapping[str, Any]], fields: Sequence[str]) -> Sheet:
    """The figures as a table."""
    counted = (*fields, "whole", "answered", "wrong of those", "confident errors")
    columns = (*counted, "left-out", "learning", "a message", "size")

    def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
        size, left = row["bytes"], row["left out"]
        shown = (row[field].cell if isinstance(row[field], Rate) else str(row[field]) for field in counted)
        return (*shown, "–" if left is None else f"{100 * left:.0f} %",
                f"{row['learning']:.1f} s", f"{1000 * row['asking']:.0f} ms",
                "–" if size is None else f"{size / 1e6:.2f} MB")  # fmt: skip

    return Sheet(title, ("who", *columns), tuple((name, *cells(row)) for name, row in found.items()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0],
        epilog="example: python -m benchmarks.learned_roles examples/triage/role.yaml examples/triage/messages.jsonl",
    )
    parser.add_argument("role", type=Path, nargs="?", default=TRIAGE / "role.yaml", help="role.yaml (triage)")
    parser.add_argument("messages", type=Path, nargs="?", default=TRIAGE / "messages.jsonl", help="JSONL: takes, gives")
    parser.add_argument("--backbone", default="default", help="default, a folder, a hub id")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--no-write", action="store_true", help="leave docs/figures.md as it is")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    role = Role.load(options.role)
    lines = [line for _, line in read_objects(options.messages)]
    messages, wanted = [line["takes"] for line in lines], [line["gives"] for line in lines]
    backbone = Backbone.load(options.backbone)
    found = {name: summary(one, wanted) for name, one in compare(role, backbone, messages).items()}
    sheet = sheet_of(
        f"{role.name}: {len(role.demonstrations)} demonstrations, {len(messages)} messages", found, list(wanted[0])
    )
    if options.json:
        print(json.dumps(found, default=Rate.as_json))
    else:
        sheet.show(Console(width=200))
    if not options.no_write:
        named = "" if options.role == TRIAGE / "role.yaml" else f" {options.role} {options.messages}"
        write_part(
            f"learned role {role.name}", f"A role learned from demonstrations: {role.name}",
            f"python -m benchmarks.learned_roles{named}",
            f"Backbone {backbone.name} {backbone.digest()}, {time.strftime('%Y-%m-%d')}, {platform.machine()}, "
            f"{torch.get_num_threads()} thread(s). *Answered*: above the threshold that learning chose on left-out "
            f"demonstrations. *Confident errors*: wrong with a confidence of {CONFIDENT} or more (for the nearest "
            "demonstration its cosine), whatever the threshold. Shares with their 95 % Wilson interval.", [sheet],
        )  # fmt: skip


if __name__ == "__main__":
    main()
