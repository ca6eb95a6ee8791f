"""Files as llama.cpp runs them, as backbones: what is unpacked is what was packed."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest
import torch
from huggingface_hub import constants
from torch import Tensor
from transformers import AutoModelForCausalLM

from understudy.core import gguf as files
from understudy.core.backbone import Backbone
from understudy.core.errors import UnderstudyError
from understudy.workflows.resources import Resources

_NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
}  # fmt: skip


def turned(weight: Tensor, heads: int) -> Tensor:
    """Rows of a query or key as llama.cpp has them: the two halves that are turned together lie side by side."""
    return weight.view(heads, 2, -1, weight.shape[1]).transpose(1, 2).reshape(weight.shape)


def packed(backbone: Backbone, file: Path) -> None:
    """Write a Llama with a byte-level tokenizer as a GGUF file."""
    config = backbone.model.config
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(config.vocab_size)
    inner = json.loads(backbone.tokenizer.backend_tokenizer.to_str())["model"]
    words = sorted(inner["vocab"], key=inner["vocab"].__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    kinds = gguf.TokenType
    writer.add_token_types([kinds.CONTROL if word.startswith("<|") else kinds.NORMAL for word in words])
    writer.add_token_merges([" ".join(pair) for pair in inner["merges"]])
    writer.add_eos_token_id(backbone.tokenizer.eos_token_id)
    writer.add_bos_token_id(backbone.tokenizer.eos_token_id)
    for name, tensor in backbone.model.state_dict().items():
        part = name.removeprefix("model.").removesuffix(".weight")
        if part == "lm_head":
            continue  # tied
        called = {"embed_tokens": "token_embd", "norm": "output_norm"}.get(part)
        if called is None:
            _, depth, site = part.split(".", 2)
            called = f"blk.{depth}.{_NAMES[site]}"
            if site == "self_attn.q_proj":
                tensor = turned(tensor, config.num_attention_heads)
            elif site == "self_attn.k_proj":
                tensor = turned(tensor, config.num_key_value_heads)
        writer.add_tensor(f"{called}.weight", tensor.float().contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture(scope="module")
def original(new_backbone: Callable[..., Backbone]) -> Backbone:
    made = new_backbone("llama", plain=True, seed=3)
    for parameter in made.model.parameters():
        parameter.data = parameter.data.bfloat16().float()  # as it will be kept
    return made


@pytest.fixture
def file(original: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "home"))
    packed(original, tmp_path / "tiny.gguf")
    return tmp_path / "tiny.gguf"


def test_what_is_unpacked_is_what_was_packed(original: Backbone, file: Path) -> None:
    found = Backbone.load(str(file))
    assert found.name == str(file) and found.digest() == original.digest() and found.sites == original.sites
    ids = original.encode("the euro in Peru")
    assert found.encode("the euro in Peru") == ids and found.decode(ids) == "the euro in Peru"
    with torch.no_grad():
        states = [one.hidden(torch.tensor([ids])) for one in (found, original)]
    torch.testing.assert_close(*states, atol=1e-5, rtol=1e-4)


def test_it_is_unpacked_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path(constants.HF_HOME) / "understudy"
    sha = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    for age, name in ((90_000, "killed"), (60, "at-work")):
        (home / f".tiny-{sha}-{name}").mkdir(parents=True)
        os.utime(home / f".tiny-{sha}-{name}", (time.time() - age,) * 2)
    first = files.unpacked(file)
    assert sorted(one.name for one in home.iterdir()) == [f".tiny-{sha}-at-work", f"tiny-{sha}"]
    (home / f".tiny-{sha}-at-work").rmdir()
    assert first.parent == Path(constants.HF_HOME) / "understudy" and (first / "model.safetensors").is_file()
    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", None)
    assert files.unpacked(file) == first
    assert [one.name for one in first.parent.iterdir()] == [first.name], "no draft is left"


def test_another_file_of_the_same_name_has_its_own_folder(file: Path, new_backbone: Callable[..., Backbone]) -> None:
    first = files.unpacked(file)
    packed(new_backbone("llama", plain=True, seed=4), file)
    assert files.unpacked(file) != first


def test_a_cut_file_is_named_and_leaves_nothing(file: Path) -> None:
    for kept in (3, 2000, file.stat().st_size - 3000):
        cut = file.with_name(f"cut{kept}.gguf")
        cut.write_bytes(file.read_bytes()[:kept])
        with pytest.raises(UnderstudyError, match=rf"cut{kept}.gguf' cannot be loaded"):
            Backbone.load(str(cut))
    home = Path(constants.HF_HOME) / "understudy"
    assert not home.is_dir() or not list(home.iterdir())


def test_what_reads_such_files_is_asked_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "find_spec", lambda name: None)
    with pytest.raises(UnderstudyError, match=r'gguf and accelerate.*pip install "understudy\[gguf\]"'):
        Backbone.load(str(file))


def test_a_packaged_backbone_is_found_by_name(
    original: Backbone, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = files.Packaged("a_package_with_a_model", "tiny.gguf", "pip install a-package-with-a-model")
    monkeypatch.setitem(files.PACKAGED, "tiny", package)
    with pytest.raises(UnderstudyError, match="'tiny' is in a package.*pip install a-package-with-a-model"):
        Backbone.load("tiny")
    (tmp_path / "site" / package.module).mkdir(parents=True)
    (tmp_path / "site" / package.module / "__init__.py").write_text("raise RuntimeError('nobody may import this')")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    with pytest.raises(UnderstudyError, match="'tiny' is in a package"):  # which has no such file
        Backbone.load("tiny")
    file.rename(tmp_path / "site" / package.module / package.file)
    found = Backbone.load("tiny")
    assert found.name == "tiny" and found.digest() == original.digest()


def test_a_team_names_a_file_that_lies_beside_it(original: Backbone, file: Path) -> None:
    assert Resources("tiny.gguf", file.parent).backbone.digest() == original.digest()


def test_teams_with_files_of_one_name_have_their_own_backbone(file: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / file.name).write_bytes(file.read_bytes())
    here, other = Resources(file.name, file.parent), Resources(file.name, tmp_path / "other")
    assert here.beside == file and other.beside == tmp_path / "other" / file.name
    (tmp_path / "default").touch()
    assert Resources("default", tmp_path).beside is None, "a file that is no model"


def test_nothing_beside_the_file_is_read(original: Backbone, file: Path) -> None:
    foreign = {"auto_map": {"AutoTokenizer": ["evil.Tokenizer", None]}, "eos_token": "?", "tokenizer_class": "T5"}
    (file.parent / "tokenizer_config.json").write_text(json.dumps(foreign))
    (file.parent / "adapter_config.json").write_text("{}")
    (file.parent / "evil.py").write_text("raise RuntimeError('nobody may run this')")
    found = Backbone.load(str(file))
    assert found.digest() == original.digest() and found.tokenizer.eos_token == original.tokenizer.eos_token


def test_the_ending_may_be_in_capitals_and_a_folder_may_have_it(original: Backbone, file: Path, tmp_path: Path) -> None:
    loud = file.rename(tmp_path / "TINY.GGUF")
    assert Backbone.load(str(loud)).digest() == original.digest()
    original.model.save_pretrained(tmp_path / "folder.gguf")
    original.tokenizer.save_pretrained(tmp_path / "folder.gguf")
    assert Backbone.load(str(tmp_path / "folder.gguf")).digest() == original.digest()


def test_where_nothing_can_be_kept_it_says_so(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "taken"))
    with pytest.raises(UnderstudyError, match="weights cannot be kept here.*HF_HOME"):
        Backbone.load(str(file))
