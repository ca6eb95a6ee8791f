"""The circuit that is written down does what its description says, before any training."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast as Fast

from understudy.core.backbone import Backbone
from understudy.core.release import Shape, new_backbone


@pytest.fixture(scope="module")
def backbone(tokenizer: Fast) -> Backbone:
    made = new_backbone(Shape(len(tokenizer), 128, 3, 2, 96), tokenizer, "fresh", seed=2)
    made.model.set_attn_implementation("eager")
    return made


@pytest.fixture(scope="module")
def attend(backbone: Backbone) -> Callable[[list[int]], tuple[Tensor, ...]]:
    """Token ids → each layer's attention [heads, T, T]."""

    def call(ids: list[int]) -> tuple[Tensor, ...]:
        with torch.no_grad():
            found = backbone.model(torch.tensor([ids]), output_attentions=True).attentions
        return tuple(layer[0] for layer in found)

    return call


def distinct(count: int, seed: int) -> list[int]:
    ids: list[int] = (torch.randperm(300, generator=torch.Generator().manual_seed(seed))[:count] + 20).tolist()
    return ids


def share(hits: list[bool]) -> float:
    return sum(hits) / len(hits)


@pytest.mark.parametrize("length", [12, 300])
def test_the_first_layer_looks_one_and_two_tokens_back(
    attend: Callable[[list[int]], tuple[Tensor, ...]], length: int
) -> None:
    first = attend((distinct(60, 1) * 5)[:length])[0]
    for head, back in ((0, 1), (1, 2)):
        best = first[head].argmax(-1).tolist()
        assert share([best[i] == i - back for i in range(3, length)]) > 0.95


def test_the_second_layer_looks_at_what_followed_the_same_token(
    attend: Callable[[list[int]], tuple[Tensor, ...]],
) -> None:
    hits, after_two = [], []
    for seed in range(6):
        ids = distinct(60, seed)
        at = 7 + 5 * seed
        second = attend([*ids, ids[at], ids[at + 1]])[1]
        hits.append(int(second[0, 60].argmax()) == at + 1)
        after_two.append(int(second[1, 61].argmax()) == at + 2)
    assert share(hits) > 0.8 and share(after_two) > 0.8


def test_so_what_followed_before_becomes_likelier(backbone: Backbone) -> None:
    gains = []
    for seed in range(6):
        ids = distinct(40, seed)
        with torch.no_grad():
            logits = backbone.model(torch.tensor([[*ids, ids[9]]])).logits[0, -1].log_softmax(0)
        gains.append(float(logits[ids[10]] - logits[ids].mean()))
    assert min(gains) > 0, gains


def test_nothing_else_writes_yet(backbone: Backbone) -> None:
    layers = backbone.model.base_model.layers
    assert all(not layer.mlp.down_proj.weight.any() for layer in layers)
    assert not layers[2].self_attn.o_proj.weight.any()
    assert layers[0].self_attn.o_proj.weight.any() and layers[1].self_attn.o_proj.weight.any()
