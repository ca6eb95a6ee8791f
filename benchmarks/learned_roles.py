"""A role learned from a few demonstrations: learned start, random start, no head, and what needs no backbone.

    python -m benchmarks.learned_roles examples/triage/role.yaml examples/triage/messages.jsonl

Rivals that learn see the demonstrations of the role file only. scikit-learn (of the extra ``test``) is needed for
``TF-IDF + logistic regression``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from benchmarks.questions import DESK
from benchmarks.shares import Share, Sheet, write_part
from understudy.agents.role import Context, Role
from understudy.agents.role_document import as_given
from understudy.core.adaptation import adapt
from understudy.core.backbone import SHIPPED, Backbone
from understudy.core.bank import HeadBank
from understudy.core.decoding import Call, Decoder
from understudy.core.heads import Head
from understudy.core.meta.start import Start

TRIAGE = DESK.parent / "triage"
CONFIDENT = 0.9

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """The values of one message, and how sure of them the rival is, in [0, 1]."""

    values: Values
    confidence: float


@dataclass(frozen=True)
class Outcome:
    """What a rival answered to all messages, and what it took.

    Attributes:
        answers: in the order of the messages.
        threshold: confidence under which it abstains.
        learning: seconds to learn; ``asking``: seconds for all messages.
        bytes: of what was learned, on disk; None where nothing is kept.
        left_out: accuracy on left-out demonstrations, where the rival measures it.
    """

    answers: tuple[Answer, ...]
    threshold: float = 0.0
    learning: float = 0.0
    asking: float = 0.0
    bytes: int | None = None
    left_out: float | None = None


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


def majority(texts: Sequence[str], given: Sequence[Values], asked: Sequence[str]) -> list[Answer]:
    """The most frequent values of the demonstrations, as a whole."""
    (best, count), *_ = Counter(json.dumps(dict(one), sort_keys=True) for one in given).most_common(1)
    return [Answer(json.loads(best), count / len(given))] * len(asked)


def nearest(texts: Sequence[str], given: Sequence[Values], asked: Sequence[str]) -> list[Answer]:
    """The values of the demonstration with the greatest cosine of TF-IDF."""
    shown = tfidf(texts, texts)
    answers = []
    for one in tfidf(asked, texts):
        cosines = [sum(one.get(word, 0.0) * weight for word, weight in other.items()) for other in shown]
        best = max(range(len(cosines)), key=cosines.__getitem__)
        answers.append(Answer(given[best], cosines[best]))
    return answers


def regression(texts: Sequence[str], given: Sequence[Values], asked: Sequence[str]) -> list[Answer]:
    """TF-IDF (words and pairs) and logistic regression, one for each field."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    learned, new = vectors.fit_transform(texts), vectors.transform(asked)
    values: list[dict[str, Any]] = [{} for _ in asked]
    confidence = [1.0] * len(asked)
    for field in given[0]:
        labels = [json.dumps(one[field]) for one in given]
        if len(set(labels)) == 1:
            for one in values:
                one[field] = given[0][field]
            continue
        model = LogisticRegression(C=10.0, max_iter=1000).fit(learned, labels)
        for number, chances in enumerate(model.predict_proba(new)):
            best = int(chances.argmax())
            values[number][field] = json.loads(str(model.classes_[best]))
            confidence[number] *= float(chances[best])
    return [Answer(one, sure) for one, sure in zip(values, confidence, strict=True)]


def asked_with(backbone: Backbone, head: Head | None, role: Role, messages: Sequence[Values]) -> tuple[Answer, ...]:
    """What a head, or the bare backbone, answers to each message."""
    bank = HeadBank(backbone.sites)
    if head is not None:
        bank.add(head)
    prepared = [role.prepare(role.takes.model_validate(dict(one)), Context()) for one in messages]
    replies = Decoder(backbone, bank).decode([Call(*one, head.name if head else "") for one in prepared])
    kinds = dict(role.record.fields)
    return tuple(
        Answer({name: as_given(value, kinds[name]) for name, value in reply.values.items()}, reply.confidence)
        for reply in replies
    )


def learned(backbone: Backbone, start: Start, role: Role, messages: Sequence[Values]) -> Outcome:
    """Adapt a head from a start, then ask it."""
    began = time.perf_counter()
    head, report = adapt(backbone, role.examples(), start, role.name)
    taken = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        size = replace(head, role=role.document()).save(Path(folder) / "head")
    began = time.perf_counter()
    answers = asked_with(backbone, head, role, messages)
    return Outcome(answers, head.threshold, taken, time.perf_counter() - began, size, report.accuracy)


def timed(rule: Callable[..., list[Answer]], role: Role, messages: Sequence[Values]) -> Outcome:
    """A rival that reads the text of the demonstrations and needs no backbone."""
    def text(takes: Values) -> str:
        return "\n".join(str(value) for value in takes.values())

    began = time.perf_counter()
    answers = rule([text(one.takes) for one in role.demonstrations], [one.gives for one in role.demonstrations],
                   [text(one) for one in messages])  # fmt: skip
    return Outcome(tuple(answers), learning=time.perf_counter() - began)


def compare(role: Role, backbone: Backbone, messages: Sequence[Values]) -> dict[str, Outcome]:
    """Every rival on the same messages."""
    folder = SHIPPED / backbone.name
    start = Start.of_backbone(folder if folder.is_dir() else Path(backbone.name), backbone.sites)
    began = time.perf_counter()
    bare = asked_with(backbone, None, role, messages)
    bare_seconds = time.perf_counter() - began
    return {
        "head, learned start": learned(backbone, start, role, messages),
        "head, random start": learned(backbone, Start.plain(backbone.sites), role, messages),
        "no head": Outcome(bare, asking=bare_seconds),
        "majority": timed(majority, role, messages),
        "nearest demonstration": timed(nearest, role, messages),
        "TF-IDF + logistic regression": timed(regression, role, messages),
    }


def summary(outcome: Outcome, wanted: Sequence[Values]) -> dict[str, Any]:
    """The figures of one rival: accuracy by field and whole, the share answered, errors made with confidence."""
    pairs = list(zip(outcome.answers, wanted, strict=True))
    whole = [dict(answer.values) == dict(want) for answer, want in pairs]
    given = [answer.confidence >= outcome.threshold for answer in outcome.answers]
    return {
        **{field: Share.of([answer.values.get(field) == want[field] for answer, want in pairs]) for field in wanted[0]},
        "whole": Share.of(whole),
        "answered": Share.of(given),
        "wrong of those": sum(there and not right for there, right in zip(given, whole, strict=True)),
        "confident errors": sum(
            answer.confidence >= CONFIDENT and not right for (answer, _), right in zip(pairs, whole, strict=True)
        ),
        "left out": outcome.left_out,
        "learning": outcome.learning,
        "asking": outcome.asking / max(1, len(wanted)),
        "bytes": outcome.bytes,
    }


def sheet_of(title: str, found: Mapping[str, Mapping[str, Any]], fields: Sequence[str]) -> Sheet:
    """The figures as a table."""
    counted = (*fields, "whole", "answered", "wrong of those", "confident errors")
    columns = (*counted, "left-out", "learning", "a message", "size")

    def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
        size, left = row["bytes"], row["left out"]
        return (*(str(row[field]) for field in counted), "–" if left is None else f"{100 * left:.0f} %",
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
    lines = [json.loads(line) for line in options.messages.read_text(encoding="utf-8").splitlines() if line.strip()]
    messages, wanted = [line["takes"] for line in lines], [line["gives"] for line in lines]
    backbone = Backbone.load(options.backbone)
    found = {name: summary(one, wanted) for name, one in compare(role, backbone, messages).items()}
    sheet = sheet_of(
        f"{role.name}: {len(role.demonstrations)} demonstrations, {len(messages)} messages", found, list(wanted[0])
    )
    if options.json:
        print(json.dumps(found, default=Share.document))
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
