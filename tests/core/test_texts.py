"""Sentences of a data folder: only what may be shipped, evenly by family, nothing twice."""

import json
from pathlib import Path

import pytest
import zstandard

from understudy.core.errors import UnderstudyError
from understudy.core.texts import read_sentences, sentences_of, teacher_source, text_sources, validation_texts


def write(file: Path, lines: list[dict[str, str]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    file.write_bytes(zstandard.ZstdCompressor().compress(text.encode()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tasks = tmp_path / "tasks" / "meta_train"
    for name, family, licence, count in (
        ("big", "one", "permissive", 300), ("small", "two", "permissive", 20), ("shy", "three", "unknown", 50),
        ("kept", "wikisql", "permissive", 50),
    ):  # fmt: skip
        write(tasks / f"{name}.jsonl.zst", [{"input": f"{name} input {n}", "output": "x"} for n in range(count)])
        about = {
            "task": name, "family": family, "licence_class": licence, "source": f"from {name}", "licence": "MIT",
            "labels": [f"{name} label"],
        }  # fmt: skip
        (tasks / f"{name}.json").write_text(json.dumps(about), encoding="utf-8")
    book = [{"text": f"It was page {n} of the book.\n\nShe said _no_ again, {n}!", "split": "train"} for n in range(90)]
    write(
        tmp_path / "pretrain" / "books_1860_1928.jsonl.zst",
        [*book, {"text": "A valid page, it was.", "split": "valid"}],
    )
    write(
        tmp_path / "pretrain" / "wikitext2_valid_test.jsonl.zst",
        [{"text": "Not to be shipped at all.", "split": "train"}],
    )
    return tmp_path


def test_only_what_may_be_shipped_is_read(folder: Path) -> None:
    found = read_sentences(folder, 400)
    assert len(found) == len(set(found))
    starts = {sentence.split()[0] for sentence in found}
    assert starts == {"big", "small", "It", "She"}, (
        "no unknown licence, no withheld family, no valid split, no WikiText"
    )
    assert "small label" in found and any(sentence.startswith("She said no again, ") for sentence in found)
    assert found == read_sentences(folder, 400) != read_sentences(folder, 400, seed=1)


def test_families_are_drawn_evenly_until_they_run_out(folder: Path) -> None:
    found = read_sentences(folder, 100, of_tasks=0.6)
    of_small = sum(sentence.startswith("small") for sentence in found)
    of_big = sum(sentence.startswith("big") for sentence in found)
    assert (of_small, of_big) == (21, 39)


def test_sentences_are_cut_cleaned_and_bounded() -> None:
    text = "User: I want a coffee, please.\nAssistant: OK. *Your* order is ready now! " + "long " * 60
    assert sentences_of(text) == ["I want a coffee, please.", "Your order is ready now!"]
    assert sentences_of("1234567890123.") == []


def test_the_manifest_names_all_that_was_read(folder: Path) -> None:
    found = text_sources(folder)
    assert [one.get("texts of task") or one["text"] for one in found] == ["big", "small", "books_1860_1928"]
    assert found[0]["source"] == "from big" and all(one["licence"] for one in found)
    assert len(found[2]["sha256"]) == 64


def test_the_teacher_is_named_with_its_licence(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: apache-2.0\n---\n\n# all-small-encoder\n", encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    found = teacher_source(tmp_path)
    assert (found["teacher"], found["licence"], len(found["sha256"])) == ("all-small-encoder", "apache-2.0", 64)
    assert teacher_source(tmp_path / "nowhere")["licence"] == "not stated"


def test_validation_texts_are_of_documents_that_training_leaves_out(folder: Path) -> None:
    with pytest.raises(UnderstudyError, match="no texts are kept from training"):
        validation_texts(folder, 10)
    kept = [{"text": f"This page number {n} of a book was kept from training.", "split": "valid"} for n in range(60)]
    learned = {"text": "This page number 3 of a book was kept from training.", "split": "train"}
    write(folder / "pretrain" / "rust_book.jsonl.zst", [*kept, learned])
    found = validation_texts(folder, 40)
    assert len(found) == len(set(found)) == 40 and all(text.endswith("kept from training.") for text in found)
    assert found == validation_texts(folder, 40)
    assert learned["text"] not in validation_texts(folder, 60), "what stands in both is no test"
