"""A backbone's folder: saved, loaded again, and read by transformers alone."""

import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM
from transformers import PreTrainedTokenizerFast as Fast

from understudy.core.backbone import Backbone
from understudy.core.meta.start import Start
from understudy.core.release import NANO, Shape, new_backbone, save


def test_what_is_saved_is_loaded_again(tokenizer: Fast, tmp_path: Path) -> None:
    backbone = new_backbone(Shape(len(tokenizer), 32, 2, 2, 48, context=256), tokenizer, "tiny", seed=3)
    start = Start.plain(backbone.sites, rank=2, seed=1)
    save(backbone, start, {"schema": "understudy/backbone/v1", "name": "größe"}, tmp_path / "deep" / "tiny")
    again = Backbone.load(str(tmp_path / "deep" / "tiny"))
    assert again.digest() == backbone.digest(), "the one in memory is now the rounded one that was written"
    assert (again.max_tokens, again.width, again.markers) == (256, 32, backbone.markers)
    assert json.loads((tmp_path / "deep" / "tiny" / "manifest.json").read_text(encoding="utf-8"))["name"] == "größe"
    assert Start.of_backbone(tmp_path / "deep" / "tiny", again.sites).tensors.keys() == start.tensors.keys()
    ids = torch.arange(9, 20).unsqueeze(0)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "deep" / "tiny", dtype=torch.float32)
    with torch.no_grad():
        torch.testing.assert_close(again.logits(again.hidden(ids)), plain(ids).logits)
    assert again.encode("Lima 42") == backbone.encode("Lima 42")


def test_a_seed_is_a_backbone(tokenizer: Fast) -> None:
    shape = Shape(len(tokenizer), 32, 2, 2, 48)
    one, same, other = (new_backbone(shape, tokenizer, "x", seed).digest() for seed in (1, 1, 2))
    assert one == same != other


def test_the_shipped_shape_is_small() -> None:
    embedding = NANO.vocabulary * NANO.width
    layer = 4 * NANO.width**2 + 3 * NANO.width * NANO.inner
    assert 2 * (embedding + NANO.layers * layer) < 20e6, "in bf16 it must stay under 20 MB"
