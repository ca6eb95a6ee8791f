"""Public tasks as examples: only what may be shipped, family by family, episodes in balance."""

import hashlib
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

zstandard = pytest.importorskip("zstandard")

from understudy.core.corpora import WITHHELD, Corpus, episode, read_asked, read_corpora, sample, sources  # noqa: E402
from understudy.core.errors import UnderstudyError  # noqa: E402
from understudy.core.fields import Choice, Span  # noqa: E402

ABOUT = {
    "description": "Sort messages (short ones), carefully.", "labels": ["good", "bad", "ugly"],
    "licence_class": "permissive", "licence": "CC-BY-4.0", "source": "somewhere",
}  # fmt: skip


def write(folder: Path, task: str, family: str, lines: list[tuple[str, str]], **more: Any) -> bytes:
    """One task as docs/data.md lays it out."""
    tasks = folder / "tasks" / more.pop("split", "meta_train")
    tasks.mkdir(parents=True, exist_ok=True)
    about = {**ABOUT, "task": task, "family": family, **more}
    (tasks / f"{task}.json").write_text(json.dumps(about), encoding="utf-8")
    text = "".join(json.dumps({"input": a, "output": b}, ensure_ascii=False) + "\n" for a, b in lines)
    raw: bytes = zstandard.ZstdCompressor().compress(text.encode())
    (tasks / f"{task}.jsonl.zst").write_bytes(raw)
    return raw


def labelled(count: int, labels: tuple[str, ...] = ("good", "bad", "ugly")) -> list[tuple[str, str]]:
    return [(f"méssage {i} is 你好", labels[i % len(labels)]) for i in range(count)]


SPANS = [(f"I live in town{i} now", f"town{i}") for i in range(50)] + [("nowhere at all", "none")] * 10


def test_tasks_are_read(tmp_path: Path) -> None:
    raw = write(tmp_path, "sort_a", "sort", labelled(60))
    write(tmp_path, "find_b", "find", SPANS, labels=None)
    found = {corpus.name: corpus for corpus in read_corpora(tmp_path)}
    assert set(found) == {"sort_a", "find_b"}
    sort = found["sort_a"]
    assert sort.lines == tuple(labelled(60)) and sort.labels == ("good", "bad", "ugly")
    assert sort.description == "Sort messages"
    assert sources([sort]) == [
        {
            "task": "sort_a",
            "source": "somewhere",
            "licence": "CC-BY-4.0",
            "lines": 60,
            "sha256": hashlib.sha256(raw).hexdigest(),
        }
    ]


def test_what_may_not_be_used_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "kept", "fine", labelled(60))
    write(tmp_path, "closed", "fine", labelled(60), licence_class="research")
    for family in sorted(WITHHELD)[:3]:
        write(tmp_path, f"of_{family}", family, labelled(60))
    write(tmp_path, "few", "fine", labelled(39))
    write(tmp_path, "free_text", "fine", [(f"ask {i}", f"a long reply {i}") for i in range(60)], labels=None)
    write(tmp_path, "too_long", "fine", [("word " * 60, "good")] * 60)
    held = tmp_path / "tasks" / "held_out"
    held.mkdir()
    (held / "secret.json").write_text("not even json")
    assert [corpus.name for corpus in read_corpora(tmp_path)] == ["kept"]


def test_long_lines_and_lines_past_the_most_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "sort", "sort", [*labelled(50), ("x" * 300, "good"), ("", "bad"), ("no answer", ""), *labelled(50)])
    assert len(read_corpora(tmp_path)[0].lines) == 100
    assert len(read_corpora(tmp_path, most=45)[0].lines) == 45
    assert len(read_corpora(tmp_path, longest=300)[0].lines) == 101


def test_a_folder_without_tasks_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="no tasks found.*docs/data.md") as caught:
        read_corpora(tmp_path)
    assert str(tmp_path / "tasks" / "meta_train") in str(caught.value)


def test_a_family_split_by_domain_asks_for_the_domain_too(tmp_path: Path) -> None:
    for domain in ("home", "work_trip", "food"):
        write(tmp_path, f"clinc150_{domain}", "clinc150", labelled(60))
    found = read_corpora(tmp_path)
    assert [corpus.name for corpus in found][-1] == "clinc150_domain" and len(found) == 4
    assert set(found[-1].labels) == {"home", "work trip", "food"}
    assert Counter(output for _, output in found[-1].lines) == {"home": 60, "work trip": 60, "food": 60}


def corpus(lines: list[tuple[str, str]], labels: tuple[str, ...] = (), family: str = "f", name: str = "t") -> Corpus:
    return Corpus(name, family, "Do it", labels, tuple(lines), "s", "l", "d")


def test_a_labelled_line_is_a_choice_with_the_right_one_among_the_options() -> None:
    many = tuple(f"label {i}" for i in range(30))
    task = corpus(labelled(60, many), many)
    sizes = set()
    for seed in range(40):
        example = task.example(random.Random(seed))
        assert example is not None
        ((name, field),) = example.record.fields
        assert isinstance(field, Choice) and example.values[name] in field.options
        assert list(field.options) == sorted(set(field.options)) and example.prompt.role == "Do it"
        assert (example.prompt.part("text"), example.values[name]) in task.lines
        sizes.add(len(field.options))
    assert min(sizes) == 2 and max(sizes) == 10
    assert task.example(random.Random(0), ("text", "no label")) is None


def test_a_line_of_spans_is_a_span_or_none() -> None:
    task = corpus(SPANS)
    found = task.example(random.Random(0), ("I live in Lima now", "Lima"))
    assert found is not None and isinstance(found.record.fields[0][1], Span)
    value = found.values["answer"]
    assert (value.start, value.end, value.text, value.source) == (10, 14, "Lima", 0)
    nothing = task.example(random.Random(0), ("nowhere", "none"))
    assert nothing is not None and nothing.values["answer"] is None
    assert task.example(random.Random(0), ("I live in Lima", "Paris")) is None


def test_families_are_drawn_evenly_whatever_their_size() -> None:
    big = [corpus(labelled(60), ("good", "bad", "ugly"), "big", f"b{i}") for i in range(9)]
    blimp = [corpus([("x", "good")], ("good", "bad"), f"blimp_{i}") for i in range(9)]
    small = corpus([("only this", "good")], ("good", "bad"), "small")
    rng = random.Random(1)
    drawn = Counter(sample([*big, *blimp, small], rng).prompt.part("text")[:4] for _ in range(600))
    assert 150 < drawn["only"] < 250 and 150 < drawn["x"] < 250


def test_episodes_are_balanced_and_hold_to_one_schema() -> None:
    labels = tuple(f"label {i}" for i in range(9))
    lopsided = labelled(90, labels) + [(f"more {i}", "label 0") for i in range(500)]
    task = corpus(lopsided, labels)
    for seed in range(20):
        found = episode(task, random.Random(seed), 12)
        assert found is not None and len(found) == 12
        assert len({example.record for example in found}) == 1
        ((_, field),) = found[0].record.fields
        assert isinstance(field, Choice) and 2 <= len(field.options) <= 6
        counts = Counter(example.values["label"] for example in found)
        assert set(counts) == set(field.options) and max(counts.values()) - min(counts.values()) <= 1
        assert len({example.prompt.part("text") for example in found}) == 12, "no line comes twice"
        assert all((e.prompt.part("text"), e.values["label"]) in task.lines for e in found)


def test_an_episode_that_a_task_cannot_give_is_none() -> None:
    assert episode(corpus(labelled(60, ("good",)), ("good", "bad")), random.Random(0), 6) is None
    assert episode(corpus(SPANS[:5]), random.Random(0), 6) is None
    spans = episode(corpus(SPANS), random.Random(0), 6)
    assert spans is not None and len(spans) == 6


def test_what_is_asked_was_never_trained_on(tmp_path: Path) -> None:
    write(tmp_path, "trained", "sort", labelled(60))
    write(tmp_path, "withheld", "trec_like", labelled(60), licence_class="unknown")
    write(tmp_path, "kept", sorted(WITHHELD - {"medquad"})[0], labelled(60))
    write(tmp_path, "medical", "medquad", labelled(60))
    write(tmp_path, "few", "small", labelled(50), licence_class="unknown")
    write(tmp_path, "written", "free", [(f"say {i}", f"words {i} more") for i in range(80)], labels=None,
          licence_class="unknown")  # fmt: skip
    write(tmp_path, "apart", "far", labelled(60), split="held_out", transfer="cross-source")
    assert {corpus.name for corpus in read_asked(tmp_path, "choosing")} == {"withheld", "kept"}
    (held,) = read_asked(tmp_path, "held_out")
    assert (held.name, held.transfer) == ("apart", "cross-source")
    assert {corpus.name for corpus in read_asked(tmp_path, "choosing", ["kept"])} == {"kept"}
    trained = {corpus.name for corpus in read_corpora(tmp_path)}
    assert trained == {"trained"}, "what is trained on is none of these"
