"""The recipe itself, in small: text first, then rehearsals, and a folder that anyone can load."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

zstandard = pytest.importorskip("zstandard")

from understudy import training  # noqa: E402
from understudy.cli import app  # noqa: E402
from understudy.core.backbone import Backbone  # noqa: E402
from understudy.core.heads import Head  # noqa: E402
from understudy.core.meta.start import Start  # noqa: E402
from understudy.core.meta.training import MetaRecipe  # noqa: E402
from understudy.core.pretraining import Recipe  # noqa: E402
from understudy.core.release import SMALL, Shape, new_backbone  # noqa: E402
from understudy.core.texts import CODE, SHIPPABLE, read_documents, read_pairs  # noqa: E402
from understudy.training import PRESETS, Preset, train_backbone  # noqa: E402

SENTENCE = "The {} keeper of lantern number {} walked slowly along the harbour wall that evening."
ABOUT = {"task": "sort", "family": "sort", "description": "Sort messages", "labels": ["fruit", "tool"],
         "licence": "MIT", "licence_class": "permissive", "source": "here"}  # fmt: skip


def write(file: Path, lines: list[dict[str, str]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    raw = "".join(json.dumps(line) + "\n" for line in lines).encode()
    file.write_bytes(zstandard.ZstdCompressor().compress(raw))


@pytest.fixture(autouse=True)
def uncompiled() -> Iterator[None]:
    """Compiling takes a minute; tests/core/test_fused.py says that it changes nothing."""
    with torch.compiler.set_stance("force_eager"):
        yield


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    words = {"fruit": ("apple", "pear", "plum"), "tool": ("saw", "drill", "file")}
    lines = [{"input": f"the {words[label][i % 3]} number {i}", "output": label} for i in range(50) for label in words]
    write(folder / "tasks" / "meta_train" / "sort.jsonl.zst", lines)
    (folder / "tasks" / "meta_train" / "sort.json").write_text(json.dumps(ABOUT), encoding="utf-8")
    for name in ("rust_book", "code_keon_algorithms"):
        said = [" ".join(SENTENCE.format(word, i) for i in range(20)) for word in ("old", "young")]
        documents = [{"split": "train", "text": text} for text in said] + [{"split": "valid", "text": "kept apart"}]
        write(folder / "pretrain" / f"{name}.jsonl.zst", documents)
    return folder


def test_documents_and_pairs_are_of_the_training_split(data: Path) -> None:
    documents = list(read_documents(data))
    assert len(documents) == 4 and not any("kept apart" in text for text in documents), "code is read as text too"
    pairs = read_pairs(data, 30)
    assert len(pairs) == 30 and all(first in documents[0] + documents[1] for first, _ in pairs)
    numbers = [(int(first.split()[6]), int(second.split()[6])) for first, second in pairs]
    assert all(second == first + 1 for first, second in numbers)
    assert not set(CODE) & set(SHIPPABLE)


def test_a_backbone_is_trained_from_text_and_rehearsals(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "threshold", lambda backbone, head: 0.5)
    clock = iter(range(10**6))
    monkeypatch.setattr("understudy.core.pretraining.time.perf_counter", lambda: float(next(clock)))
    shape = Shape(vocabulary=600, width=32, layers=3, heads=2, inner=64, context=768)
    recipe = Recipe(minutes=0.2, rows_tokens=640, text_until=0.5, text_rows=2, heads_alone=0.1)
    tiny = Preset("tiny", shape, recipe, MetaRecipe(minutes=0.05, tasks=1), continued=recipe, rank=2)
    out, work = data.parent / "made", data.parent / "work"
    steps: list[int] = []
    train_backbone(tiny, data, out, work, on_pretraining=lambda standing: steps.append(standing.tokens))
    assert steps[0] == 2 * 768, "text in whole rows came first"
    assert (work / "text.safetensors").exists()
    backbone = Backbone.load(str(out))
    assert backbone.width == 32 and {p.dtype for p in backbone.model.parameters()} == {torch.float32}
    assert Start.load(out / "start.safetensors").rates
    assert Head.load(out / "heads" / "qa").threshold == 0.5
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    named = {source.get("text") or source.get("task") for source in manifest["data"]}
    assert {"rust_book", "code_keon_algorithms", "sort"} <= named and manifest["recipe"]["shares"]["missing words"]
    assert not any(str(name).startswith("masked_words") for name in named), "no file: made of the texts"


def test_the_small_preset_has_the_size_that_it_says() -> None:
    words = Backbone.load("default").tokenizer
    backbone = new_backbone(SMALL, words, "small")
    count = sum(p.numel() for p in backbone.model.parameters())
    assert 15e6 < count < 19e6 and 2 * count <= 40e6, "parameters, and bytes in bf16"
    assert backbone.max_tokens == 1024 and PRESETS["small"].pretraining.text_until > 0


def test_a_device_that_is_not_there_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.chdir(data.parent)
    for device in ("cuda", "tpu"):
        done = CliRunner().invoke(app, ["train", "backbone", "--data", str(data), "--device", device])
        assert done.exit_code == 2 and f"cannot train on '{device}'" in " ".join(done.output.split())
