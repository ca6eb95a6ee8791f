"""A backbone's folder: weights, tokenizer, start and manifest, as it ships and as it is rebuilt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from .backbone import Backbone
from .initialisation import look_back
from .markers import SPECIAL
from .meta.start import Start


@dataclass(frozen=True)
class Shape:
    """The size of a decoder: RoPE, RMSNorm, gated MLP, tied embeddings (a Llama configuration)."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    inner: int
    context: int = 1024


NANO = Shape(vocabulary=8192, width=256, layers=6, heads=4, inner=688)
SMALL = Shape(vocabulary=8192, width=384, layers=8, heads=6, inner=1024)


def new_backbone(
    shape: Shape, tokenizer: PreTrainedTokenizerFast, name: str, seed: int = 0, words: Tensor | None = None
) -> Backbone:
    """A backbone that has learned nothing yet, ready to be trained.

    Args:
        words: [V, D] the directions in which its embedding begins (:func:`.distillation.vocabulary_vectors`).
    """
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=shape.context,
        attention_bias=True,
        rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0},
        tie_word_embeddings=True,
        pad_token_id=SPECIAL.index("<|pad|>"),
        eos_token_id=SPECIAL.index("<|end|>"),
        bos_token_id=None,
    )
    model = AutoModelForCausalLM.from_config(config)
    if words is not None:
        embedding = model.get_input_embeddings().weight
        with torch.no_grad():
            embedding.copy_(words * embedding.norm(dim=1).mean())
    look_back(model, seed)
    return Backbone.of(model, tokenizer, name)


def save(backbone: Backbone, start: Start, manifest: Mapping[str, Any], folder: Path) -> None:
    """Write a folder that :meth:`Backbone.load` and any transformers program can load."""
    folder.mkdir(parents=True, exist_ok=True)
    backbone.model.set_attn_implementation("sdpa")
    backbone.model.bfloat16().save_pretrained(folder)
    backbone.model.float()
    backbone.tokenizer.save_pretrained(folder)
    start.save(folder / "start.safetensors")
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
