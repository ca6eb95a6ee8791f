"""Tiny random backbones of five architectures, with our own tokenizer and with a plain byte-level one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, GPT2Config, GPTNeoXConfig, LlamaConfig, PhiConfig, Qwen2Config
from transformers import PreTrainedTokenizerFast as Fast

from understudy.core.backbone import Backbone
from understudy.core.fields import Choice, Earlier, Grammar, ListOf, Number, Record, Span, SpanValue, Text
from understudy.core.heads import Head
from understudy.core.prompts import Example, Passage, Prompt
from understudy.core.vocabulary import train_tokenizer

ARCHITECTURES = ("gpt2", "llama", "qwen2", "gpt_neox", "phi")
TEXTS = [
    "The neighbours of France use the euro; the capital of Peru is Lima and 42 is a number.",
    "I was charged twice this month. How do I reset my password? The application crashes at once.",
    "continent = 'South America' AND population > 5000000 ORDER BY area LIMIT 3",
] * 4


def _config(architecture: str, vocabulary: int, context: int) -> Any:
    common: dict[str, Any] = {
        "vocab_size": vocabulary, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 48, "max_position_embeddings": context, "initializer_range": 0.25,
        "bos_token_id": None, "eos_token_id": None, "pad_token_id": None,
    }  # fmt: skip
    if architecture == "gpt2":
        return GPT2Config(
            vocab_size=vocabulary, n_embd=32, n_layer=2, n_head=4, n_inner=48, n_positions=context,
            initializer_range=0.25, bos_token_id=None, eos_token_id=None,
        )  # fmt: skip
    if architecture == "gpt_neox":
        return GPTNeoXConfig(**common)
    if architecture == "phi":
        return PhiConfig(**common)
    kind = {"llama": LlamaConfig, "qwen2": Qwen2Config}[architecture]
    return kind(**common, num_key_value_heads=2, tie_word_embeddings=architecture == "llama")


@pytest.fixture(scope="session")
def tokenizer() -> Fast:
    """The project's own kind of tokenizer, with a token for each mark."""
    return train_tokenizer(TEXTS, 380)


@pytest.fixture(scope="session")
def plain_tokenizer() -> Fast:
    """A byte-level BPE as GPT-2's, which knows nothing of our marks."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=360,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(TEXTS, trainer)
    return Fast(tokenizer_object=inner, eos_token="<|endoftext|>", clean_up_tokenization_spaces=False)


@pytest.fixture(scope="session")
def new_backbone(tokenizer: Fast, plain_tokenizer: Fast) -> Callable[..., Backbone]:
    """``new_backbone("gpt2", plain=True)``: a fresh backbone of random weights."""

    def make(architecture: str = "llama", plain: bool = False, context: int = 1024, seed: int = 0) -> Backbone:
        words = plain_tokenizer if plain else tokenizer
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(_config(architecture, len(words), context))
        return Backbone.of(model, words, architecture)

    return make


@pytest.fixture(scope="session")
def backbones(new_backbone: Callable[..., Backbone]) -> Callable[..., Backbone]:
    """The same as ``new_backbone``, but each made once: for tests that leave the weights alone."""
    made: dict[tuple[str, bool], Backbone] = {}

    def get(architecture: str = "llama", plain: bool = False) -> Backbone:
        if (architecture, plain) not in made:
            made[architecture, plain] = new_backbone(architecture, plain)
        return made[architecture, plain]

    return get


@pytest.fixture(params=ARCHITECTURES)
def any_backbone(request: pytest.FixtureRequest, backbones: Callable[..., Backbone]) -> Backbone:
    """Each architecture in turn."""
    return backbones(request.param)


@pytest.fixture(params=["own marks", "plain marks"])
def either(request: pytest.FixtureRequest, backbones: Callable[..., Backbone]) -> Backbone:
    """A backbone with our own tokenizer, and one with a plain one."""
    return backbones("llama") if request.param == "own marks" else backbones("gpt2", plain=True)


@pytest.fixture(scope="session")
def new_head() -> Callable[..., Head]:
    """``new_head(backbone, "name", seed)``: a head whose tensors are all random, so that it matters."""

    def make(of: Backbone, /, name: str = "head", seed: int = 1, rank: int = 4, **more: Any) -> Head:
        generator = torch.Generator().manual_seed(seed)
        pairs = {
            site: (
                torch.randn(wide, rank, generator=generator) * 0.3,
                torch.randn(rank, out, generator=generator) * 0.3,
            )
            for site, (wide, out) in of.sites.items()
        }
        return Head(name, pairs, **more)

    return make


@pytest.fixture(scope="session")
def everything() -> Example:
    """One example with every kind of field, and texts in several scripts."""
    lima = "Lima is the capital\nof Peru."
    fox = "狐狸 🦊 naïve cafe\u0301 Zürich"
    request = "Which neighbours of France use the euro?"
    person = Record((("who", Choice(("qa", "coder"))), ("asks", Span(part="request")), ("needs", ListOf(Earlier()))))
    record = Record(
        (
            ("queue", Choice(("billing", "bug", "how to", "how to pay"))),
            ("capital", Span()),
            ("animal", Span(optional=True)),
            ("missing", Span(optional=True)),
            ("said", Text(24)),
            ("count", Number(integer=True)),
            ("share", Number()),
            ("sql", Grammar('start: "SELECT " COLUMN " FROM t"\nCOLUMN: "name" | "area"')),
            ("tags", ListOf(Choice(("a", "b", "c")), 1, 3, distinct=True)),
            ("steps", ListOf(person, 1, 4)),
            ("none", ListOf(Choice(("x", "y")))),
        )
    )
    france = request.index("neighbours of France")
    prompt = Prompt(
        (Passage("Peru", lima, "peru#1"), Passage("", fox, "fox#1")),
        ("Hello.\nYou again?",),
        (("request", request), ("note", "")),
        "Answers questions.",
    )
    values = {
        "queue": "how to",
        "capital": SpanValue(0, 12, 27, lima[12:27]),
        "animal": SpanValue(1, 3, 10, fox[3:10]),
        "missing": None,
        "said": "très 😀 bon, 你好",
        "count": -42,
        "share": 0.125,
        "sql": "SELECT area FROM t",
        "tags": ["c", "a"],
        "steps": [
            {"who": "qa", "asks": SpanValue(0, france, france + 20, request[france : france + 20]), "needs": []},
            {"who": "coder", "asks": SpanValue(0, 0, len(request), request), "needs": [1]},
            {"who": "qa", "asks": SpanValue(0, 0, 5, "Which"), "needs": [2, 1]},
        ],
        "none": [],
    }
    return Example(prompt, record, values)
