"""Any causal LM as a backbone: its sites, its texts, and clear words where it cannot be loaded."""

import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from huggingface_hub import try_to_load_from_cache
from torch import nn
from transformers import AutoModelForCausalLM, PretrainedConfig
from transformers import PreTrainedTokenizerFast as Fast
from transformers.pytorch_utils import Conv1D

from understudy.core.backbone import Backbone, find_sites
from understudy.core.errors import UnderstudyError


def test_every_linear_layer_of_the_body_is_a_site(any_backbone: Backbone) -> None:
    model = any_backbone.model
    layers = {name: m for name, m in model.named_modules() if isinstance(m, nn.Linear | Conv1D)}
    heads = {name for name, m in layers.items() if m is model.get_output_embeddings()}
    assert len(heads) == 1, "the output embedding is a linear layer of every one of these"
    assert list(any_backbone.sites) == [name for name in layers if name not in heads]
    assert len(any_backbone.sites) >= 8
    for site, (wide, out) in any_backbone.sites.items():
        with torch.no_grad():
            assert layers[site](torch.zeros(1, wide)).shape == (1, out)


def test_a_tied_output_is_left_alone(backbones: Callable[..., Backbone]) -> None:
    for architecture, tied in (("llama", True), ("gpt2", True), ("qwen2", False)):
        model = backbones(architecture).model
        assert (model.get_output_embeddings().weight is model.get_input_embeddings().weight) is tied
        assert not any("lm_head" in site for site in backbones(architecture).sites)


def test_the_model_is_frozen(any_backbone: Backbone) -> None:
    assert not any(p.requires_grad for p in any_backbone.model.parameters()) and not any_backbone.model.training


def test_hidden_and_logits_are_the_model(any_backbone: Backbone) -> None:
    ids = torch.arange(9, 20).unsqueeze(0)
    with torch.no_grad():
        states = any_backbone.hidden(ids)
        assert states.shape == (1, 11, any_backbone.width)
        torch.testing.assert_close(any_backbone.logits(states), any_backbone.model(ids).logits, atol=1e-4, rtol=1e-4)


def test_a_model_without_a_linear_layer_is_refused(tokenizer: Fast) -> None:
    class Bag(nn.Module):
        config = PretrainedConfig()

        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(9, 4)
            self.out = nn.Linear(4, 9)

        def get_output_embeddings(self) -> nn.Module:
            return self.out

    assert find_sites(Bag()) == {}  # type: ignore[arg-type]
    with pytest.raises(UnderstudyError, match="backbone bag: Bag has no adaptable Linear or Conv1D"):
        Backbone.of(Bag(), tokenizer, "bag")  # type: ignore[arg-type]


def test_the_digest_tells_weights_apart(new_backbone: Callable[..., Backbone]) -> None:
    one, same, other = new_backbone(seed=1), new_backbone(seed=1), new_backbone(seed=2)
    assert one.digest() == same.digest() != other.digest()
    assert len({one.digest(), new_backbone("qwen2", seed=1).digest()}) == 2
    with torch.no_grad():
        next(iter(same.model.base_model.layers.parameters())).view(-1)[0] += 1e-3
    assert one.digest() != same.digest()


def test_a_word_has_the_same_ids_wherever_it_stands(either: Backbone) -> None:
    assert either.encode("euro") == either.encode(" euro")
    assert tuple(either.encode_with_offsets("the euro")[0]) == either.encode("the") + either.encode("euro")
    for text in ("euro", "two words", "", "你好 🦊", "a  b"):
        assert either.decode(either.encode(text)) == text


def test_the_memory_of_texts_is_bounded(either: Backbone) -> None:
    for number in range(50_010):
        either._encoded.setdefault(f"#{number}", (1,))
    first = either.encode("something new")
    assert len(either._encoded) == 1 and either.encode("something new") == first
    assert either.encode("#7") != (1,)


def test_offsets_are_those_of_the_text(either: Backbone) -> None:
    for text in ("The euro, twice.", " 你好 🦊!", "e\u0301 a"):
        ids, offsets = either.encode_with_offsets(text)
        assert len(ids) == len(offsets)
        for token, (start, end) in zip(ids, offsets, strict=True):
            said = either.decode([token])
            if "\ufffd" not in said and end - start == len(said):
                assert text[start:end] == said


# ---- loading


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every attempt to reach a network fails at once, and is noted."""
    tried: list[object] = []

    def refuse(_: socket.socket, address: object) -> None:
        tried.append(address)
        raise OSError("no network here")

    def resolve(host: object, *_: object, **__: object) -> None:
        tried.append(host)
        raise socket.gaierror("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return tried


def test_a_name_that_nothing_has_fails_at_once_without_the_network(offline: list[object], tmp_path: Path) -> None:
    began = time.process_time()
    for name in ("mikro", "no such model", str(tmp_path / "missing"), "./here/nothing", "../up", "a/b/c"):
        with pytest.raises(UnderstudyError, match="cannot be loaded.*give 'default'") as caught:
            Backbone.load(name)
        assert repr(name) in str(caught.value)
    assert not offline and time.process_time() - began < 5


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The hub's local cache, with a model in it as the hub's own client would leave it."""
    folder = tmp_path / "models--owner--name"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("0a1b")
    (folder / "snapshots" / "0a1b").mkdir(parents=True)
    return folder / "snapshots" / "0a1b"


def test_a_cached_hub_model_needs_no_network(
    cache: Path, offline: list[object], new_backbone: Callable[..., Backbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = new_backbone()
    made.model.save_pretrained(cache)
    made.tokenizer.save_pretrained(cache)
    found = "understudy.core.backbone.try_to_load_from_cache"
    monkeypatch.setattr(found, partial(try_to_load_from_cache, cache_dir=cache.parents[2]))
    again = Backbone.load("owner/name")
    assert again.name == "owner/name" and again.digest() == made.digest()
    assert not offline


def test_a_hub_id_that_is_not_here_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, bool]] = []

    def read(source: str, local: bool) -> object:
        asked.append((source, local))
        raise OSError("we cannot connect\nand many more lines")

    monkeypatch.setattr("understudy.core.backbone._read", read)
    with pytest.raises(UnderstudyError, match=r"'owner/some-name\.v2' cannot be loaded \(we cannot connect\)"):
        Backbone.load("owner/some-name.v2")
    assert asked == [("owner/some-name.v2", False)]


def test_a_folder_is_read_without_the_network(
    offline: list[object], new_backbone: Callable[..., Backbone], tmp_path: Path
) -> None:
    for architecture, plain in (("gpt2", True), ("phi", False)):
        made = new_backbone(architecture, plain)
        made.model.save_pretrained(tmp_path / architecture)
        made.tokenizer.save_pretrained(tmp_path / architecture)
        again = Backbone.load(str(tmp_path / architecture))
        assert again.digest() == made.digest() and again.sites == made.sites and again.markers == made.markers
    assert not offline


@pytest.mark.parametrize("harm", ["cut weights", "no weights", "cut config", "no tokenizer", "empty"])
def test_a_broken_folder_is_named(
    harm: str, offline: list[object], new_backbone: Callable[..., Backbone], tmp_path: Path
) -> None:
    made = new_backbone()
    made.model.save_pretrained(tmp_path)
    made.tokenizer.save_pretrained(tmp_path)
    weights, config = tmp_path / "model.safetensors", tmp_path / "config.json"
    if harm == "cut weights":
        weights.write_bytes(weights.read_bytes()[:5000])
    elif harm == "no weights":
        weights.unlink()
    elif harm == "cut config":
        config.write_text(config.read_text()[:40])
    elif harm == "no tokenizer":
        for file in tmp_path.glob("tokenizer*"):
            file.unlink()
    else:
        for file in tmp_path.iterdir():
            file.unlink()
    with pytest.raises(UnderstudyError, match="cannot be loaded") as caught:
        Backbone.load(str(tmp_path))
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)
    assert not offline


def test_pickled_weights_are_not_opened(new_backbone: Callable[..., Backbone], tmp_path: Path) -> None:
    made = new_backbone()
    made.model.save_pretrained(tmp_path)
    made.tokenizer.save_pretrained(tmp_path)
    torch.save(made.model.state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    assert AutoModelForCausalLM.from_pretrained(tmp_path) is not None, "transformers itself would open them"
    with pytest.raises(UnderstudyError, match="cannot be loaded"):
        Backbone.load(str(tmp_path))
