"""Texts: the plain sentences of a data folder that may be shipped, for self-supervised learning and distillation.

Beside the tasks (:mod:`.corpora`) the folder may hold ``pretrain/<name>.jsonl.zst`` with ``text`` and ``split`` a line;
docs/data.md says which of them may be shipped.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import zstandard

from .corpora import WITHHELD
from .errors import UnderstudyError


@dataclass(frozen=True)
class Source:
    """A file of plain texts: its share of the sentences that are drawn from texts, and under what it may be shipped."""

    share: float
    licence: str
    origin: str


SHIPPABLE = {
    "books_1860_1928": Source(0.5, "public domain", "English books of 1860 to 1928"),
    "dialogues_taskmaster4": Source(0.2, "CC-BY-4.0", "github.com/google-research-datasets/Taskmaster, TM-4"),
    "medquad_answers": Source(0.2, "CC-BY-4.0", "github.com/abachaa/MedQuAD"),
    "python_peps": Source(0.06, "public domain", "github.com/python/peps"),
    "rust_book": Source(0.04, "MIT or Apache-2.0", "github.com/rust-lang/book"),
}
CODE = {
    "rust_rfcs": Source(0.0, "MIT or Apache-2.0", "github.com/rust-lang/rfcs"),
    "tinyshakespeare": Source(0.0, "public domain", "the plays of Shakespeare, github.com/karpathy/char-rnn"),
    "code_thealgorithms_python": Source(0.0, "MIT", "github.com/TheAlgorithms/Python"),
    "code_keon_algorithms": Source(0.0, "MIT", "github.com/keon/algorithms"),
    "code_geekcomputers_python": Source(0.0, "MIT", "github.com/geekcomputers/Python"),
}
"""What is read as running text only: no sentences are taken from it."""
_Item = TypeVar("_Item")
LOOKED_AT = 60_000
"""Characters of a document that pairs of sentences are taken from."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_SPEAKER = re.compile(r"^(?:User|Assistant|[A-Z][a-z]+):\s*")


def _lines(file: Path) -> Iterator[dict[str, object]]:
    with file.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            yield json.loads(line)


def sentences_of(text: str, shortest: int = 12, longest: int = 160) -> list[str]:
    """The sentences of a running text, speakers' names and markup left out, those of another length dropped."""
    found = []
    for part in _SENTENCE.split(text):
        plain = " ".join(_SPEAKER.sub("", part).replace("_", "").replace("*", "").split())
        if shortest <= len(plain) <= longest and any(letter.isalpha() for letter in plain):
            found.append(plain)
    return found


def read_sentences(folder: str | Path, count: int, seed: int = 0, of_tasks: float = 0.6) -> list[str]:
    """``count`` different sentences, or as many as there are, drawn from tasks and texts that may be shipped.

    Args:
        folder: holds ``tasks/meta_train`` and, where there is one, ``pretrain``.
        of_tasks: share that comes from the inputs of tasks, sampled evenly by family; the rest from plain texts.
    """
    rng = random.Random(seed)
    pools = _task_pools(Path(folder), rng)
    wanted = int(count * of_tasks)
    found = dict.fromkeys(_evenly(pools, wanted))
    for name, source in SHIPPABLE.items():
        file = Path(folder) / "pretrain" / f"{name}.jsonl.zst"
        if file.exists():
            found.update(dict.fromkeys(_of_texts(file, int((count - wanted) * source.share), rng)))
    listed = list(found)
    rng.shuffle(listed)
    return listed


def validation_texts(folder: str | Path, count: int, seed: int = 0) -> list[str]:
    """Sentences of the documents that training leaves out (their split is not ``train``), as many of each source.

    Those that stand in a document of training too are left out.

    Raises:
        UnderstudyError: the folder has no such documents.
    """
    rng = random.Random(seed)
    pools = []
    for name in SHIPPABLE:
        file = Path(folder) / "pretrain" / f"{name}.jsonl.zst"
        if file.exists():
            pool, read = [], set()
            for line in _lines(file):
                some = sentences_of(str(line["text"]), shortest=40)
                if line.get("split", "train") == "train":
                    read.update(some)
                else:
                    pool += some
            pool = [sentence for sentence in dict.fromkeys(pool) if sentence not in read]
            rng.shuffle(pool)
            pools.append(pool)
    found = _evenly(pools, count)
    if len(found) < 20:
        where, mend = str(Path(folder) / "pretrain"), "docs/data.md says what it holds"
        raise UnderstudyError("no texts are kept from training here", where=where, mend=mend)
    rng.shuffle(found)
    return found


def read_documents(folder: str | Path) -> Iterator[str]:
    """Whole documents of training, text and code that may be shipped, file after file."""
    for name in (*SHIPPABLE, *CODE):
        file = Path(folder) / "pretrain" / f"{name}.jsonl.zst"
        for line in _lines(file) if file.exists() else ():
            if line.get("split", "train") == "train":
                yield str(line["text"])


def read_pairs(folder: str | Path, count: int, seed: int = 0) -> list[tuple[str, str]]:
    """At most ``count`` sentences with the one that follows them, from the plain texts that may be shipped."""
    rng = random.Random(seed)
    pools = []
    for name in SHIPPABLE:
        file = Path(folder) / "pretrain" / f"{name}.jsonl.zst"
        pool: list[tuple[str, str]] = []
        for line in _lines(file) if file.exists() else ():
            if line.get("split", "train") == "train":
                some = [sentences_of(part) for part in _SENTENCE.split(str(line["text"])[:LOOKED_AT]) if part.strip()]
                pool += [(one[0], two[0]) for one, two in zip(some, some[1:], strict=False) if one and two]
        rng.shuffle(pool)
        pools.append(pool)
    return _evenly(pools, count)


def text_sources(folder: str | Path, whole: bool = False) -> list[dict[str, str]]:
    """What the manifest of a backbone says of the plain texts that it was trained on; ``whole``: as documents too."""
    tasks = [
        {"texts of task": about["task"], "source": about["source"], "licence": about["licence"]}
        for about, _ in _shippable_tasks(Path(folder))
    ]
    known = SHIPPABLE | CODE if whole else SHIPPABLE
    files = {name: Path(folder) / "pretrain" / f"{name}.jsonl.zst" for name in known}
    return tasks + [
        {"text": name, "source": known[name].origin, "licence": known[name].licence,
         "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        for name, file in files.items() if file.exists()
    ]  # fmt: skip


def teacher_source(folder: str | Path) -> dict[str, str]:
    """What the manifest says of the encoder whose vectors were distilled."""
    file, readme = Path(folder) / "model.safetensors", Path(folder) / "README.md"
    digest = hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    licence = re.search(r"^license:\s*(\S+)", text, re.MULTILINE)
    name = re.search(r"^#\s+(\S+)", text, re.MULTILINE)
    return {
        "teacher": name[1] if name else Path(folder).name, "licence": licence[1] if licence else "not stated",
        "use": "its vectors of sentences and words were distilled", "sha256": digest,
    }  # fmt: skip


def _shippable_tasks(folder: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    for file in sorted((folder / "tasks" / "meta_train").glob("*.json")):
        about = json.loads(file.read_text(encoding="utf-8"))
        kept = about["family"] in WITHHELD or about["family"].startswith("blimp")
        if about["licence_class"] == "permissive" and not kept:
            yield about, file.with_suffix(".jsonl.zst")


def _task_pools(folder: Path, rng: random.Random) -> list[list[str]]:
    families: dict[str, list[str]] = {}
    for about, file in _shippable_tasks(folder):
        pool = families.setdefault(about["family"], [])
        for line in _lines(file):
            text = " ".join(str(line["input"]).split())
            if 4 <= len(text) <= 160:
                pool.append(text)
            elif len(text) > 160:
                pool.extend(sentences_of(str(line["input"]))[:3])
        pool.extend(str(label) for label in about.get("labels") or ())
    pools = [list(dict.fromkeys(pool)) for _, pool in sorted(families.items())]
    for pool in pools:
        rng.shuffle(pool)
    return pools


def _evenly(pools: Iterable[list[_Item]], wanted: int) -> list[_Item]:
    """As many from each pool as from any other, until the pools run out or enough are found."""
    pools = sorted((pool for pool in pools if pool), key=len)
    found: list[_Item] = []
    for number, pool in enumerate(pools):
        share = (wanted - len(found)) // (len(pools) - number)
        found += pool[:share]
    return found


def _of_texts(file: Path, wanted: int, rng: random.Random) -> list[str]:
    found: list[str] = []
    for line in _lines(file):
        if line.get("split", "train") == "train":
            some = sentences_of(str(line["text"]))
            found += rng.sample(some, min(len(some), 1000))
            if len(found) > 6 * wanted:
                break
    return rng.sample(found, min(len(found), wanted))
