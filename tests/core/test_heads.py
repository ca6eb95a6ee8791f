"""A head as files: PEFT reads them, a crash leaves one of two whole heads, and broken files are named."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadStack, active
from understudy.core.errors import UnderstudyError
from understudy.core.heads import Head
from understudy.core.readout import Readout


def test_peft_loads_it_and_says_the_same(any_backbone: Backbone, new_head: Callable[..., Head], tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    head = new_head(any_backbone, "qa", seed=5, rank=3)
    head.save(tmp_path / "qa")
    any_backbone.model.save_pretrained(tmp_path / "base")
    plain = type(any_backbone.model).from_pretrained(tmp_path / "base", dtype=torch.float32)
    theirs = peft.PeftModel.from_pretrained(plain, str(tmp_path / "qa")).eval()
    ids = torch.randint(9, 300, (2, 7), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = theirs(input_ids=ids).logits
        with active(any_backbone.context, Head.load(tmp_path / "qa").stack().gather(torch.tensor([0, 0]))):
            ours = any_backbone.logits(any_backbone.hidden(ids))
        bare = any_backbone.model(input_ids=ids).logits
    assert float((expected - bare).abs().max()) > 0.1
    torch.testing.assert_close(ours, expected, atol=1e-5 * float(expected.abs().max()), rtol=1e-4)


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_an_activated_head_is_peft_s_activated_lora(
    architecture: str, backbones: Callable[..., Backbone], new_head: Callable[..., Head], tmp_path: Path
) -> None:
    peft = pytest.importorskip("peft")
    backbone = backbones(architecture)
    marker = backbone.markers.role
    new_head(backbone, "qa", seed=5, rank=3, activation="marker", invocation=marker).save(tmp_path / "qa")
    head = Head.load(tmp_path / "qa")
    assert head.invocation == marker and head.activation == "marker"
    backbone.model.save_pretrained(tmp_path / "base")
    plain = type(backbone.model).from_pretrained(tmp_path / "base", dtype=torch.float32)
    theirs = peft.PeftModel.from_pretrained(plain, str(tmp_path / "qa")).eval()
    before, after = [40, 41, 42, 43], [50, 51, 52]
    ids = torch.tensor([[*before, *marker, *after]])
    mask = torch.tensor([[0.0] * len(before) + [1.0] * (len(marker) + len(after))])
    with torch.no_grad():
        expected = theirs(input_ids=ids).logits
        with active(backbone.context, head.stack().gather(torch.tensor([0])), mask):
            ours = backbone.logits(backbone.hidden(ids))
        bare = backbone.model(input_ids=ids).logits
    torch.testing.assert_close(ours, expected, atol=1e-5 * float(expected.abs().max()), rtol=1e-4)
    torch.testing.assert_close(ours[:, : len(before)], bare[:, : len(before)])
    assert float((ours - bare)[:, len(before) :].abs().max()) > 0.1


def test_readouts_are_kept_in_a_file_of_their_own(
    backbones: Callable[..., Backbone], new_head: Callable[..., Head], tmp_path: Path
) -> None:
    readout = Readout(("bug", "größe"), torch.randn(4, 2), torch.randn(2), torch.randn(4), (0.5, 1.0, 0.0))
    new_head(backbones(), "qa", readouts={"queue": readout}).save(tmp_path / "qa")
    assert (tmp_path / "qa" / "readout.safetensors").is_file()
    (found,) = Head.load(tmp_path / "qa").readouts.items()
    assert found[0] == "queue" and (found[1].options, found[1].mix) == (readout.options, readout.mix)
    vectors = torch.randn(3, 4)
    assert torch.equal(found[1].scores(vectors), readout.scores(vectors))
    (tmp_path / "qa" / "readout.safetensors").unlink()
    with pytest.raises(UnderstudyError, match=r"lacks 'queue\|weight'"):
        Head.load(tmp_path / "qa")


def test_a_head_comes_back_as_it_was(
    backbones: Callable[..., Backbone], new_head: Callable[..., Head], tmp_path: Path
) -> None:
    head = new_head(
        backbones(), "größe", backbone={"name": "tiny", "digest": "0a"}, activation="marker", threshold=0.25,
        prior={"a": {"ü": -1.5}}, role={"does": "你好"}, report={"accuracy": 0.5, "losses": [1.0, 0.5]},
    )  # fmt: skip
    size = head.save(tmp_path / "deep" / "head")
    assert size == sum(file.stat().st_size for file in (tmp_path / "deep" / "head").iterdir())
    again = Head.load(tmp_path / "deep" / "head")
    for site, (down, up) in head.pairs.items():
        assert torch.equal(again.pairs[site][0], down) and torch.equal(again.pairs[site][1], up)
    for name in ("name", "backbone", "activation", "threshold", "prior", "role", "report", "rank"):
        assert getattr(again, name) == getattr(head, name)
    assert sorted(file.name for file in (tmp_path / "deep").iterdir()) == ["head"], "nothing else is left behind"


def test_a_head_of_a_stack_is_a_copy() -> None:
    stack = HeadStack.random({"a": (3, 5)}, heads=2, rank=2)
    head = Head.of_stack("second", stack, 1, threshold=0.5)
    kept = stack.down["a"][1].clone()
    stack.down["a"].zero_()
    assert torch.equal(head.pairs["a"][0], kept) and head.rank == 2 and head.threshold == 0.5
    assert torch.equal(head.stack().down["a"][0], kept)


@pytest.mark.parametrize("crash_at", ["save_file", "chmod", "first move", "second move"])
def test_a_crash_while_saving_leaves_the_old_head(
    backbones: Callable[..., Backbone],
    new_head: Callable[..., Head],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    crash_at: str,
) -> None:
    folder = tmp_path / "qa"
    new_head(backbones(), "qa", seed=1).save(folder)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if crash_at.endswith("move"):
            rename, moves = Path.rename, []

            def failing(self: Path, target: Path) -> Path:
                moves.append(self)
                if len(moves) == (1 if crash_at == "first move" else 2):
                    raise KeyboardInterrupt
                return rename(self, target)

            patched.setattr(Path, "rename", failing)
        else:
            patched.setattr(f"understudy.core.heads.{'os.chmod' if crash_at == 'chmod' else crash_at}", crash)
        with pytest.raises(KeyboardInterrupt):
            new_head(backbones(), "qa", seed=2).save(folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert [file.name for file in tmp_path.iterdir()] == ["qa"]
    new_head(backbones(), "qa", seed=2).save(folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} != before


def test_a_process_that_dies_between_the_two_moves_loses_nothing(
    backbones: Callable[..., Backbone], new_head: Callable[..., Head], tmp_path: Path
) -> None:
    new_head(backbones(), "qa", threshold=0.125).save(tmp_path / "qa")
    (tmp_path / "qa").rename(tmp_path / ".qa-old")  # what kill -9 would leave there
    assert Head.load(tmp_path / "qa").threshold == 0.125
    assert not (tmp_path / ".qa-old").exists()
    (tmp_path / "qa").rename(tmp_path / ".qa-old")
    new_head(backbones(), "qa", threshold=0.5).save(tmp_path / "qa")
    assert Head.load(tmp_path / "qa").threshold == 0.5


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def drop_key(file: Path) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    del document["activation"]
    file.write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "harm", "why"),
    [
        ("adapter_model.safetensors", cut, "broken"),
        ("adapter_model.safetensors", lambda file: file.write_bytes(b""), "broken"),
        ("head.json", cut, "broken"),
        ("head.json", drop_key, "lacks 'activation'"),
        ("head.json", lambda file: file.write_text("[]"), "lacks"),
        ("head.json", Path.unlink, "head.json: the head's file is missing"),
        ("adapter_model.safetensors", Path.unlink, "adapter_model.safetensors.*missing"),
    ],
)
def test_a_broken_file_is_named_and_how_to_mend_it(
    backbones: Callable[..., Backbone],
    new_head: Callable[..., Head],
    tmp_path: Path,
    file: str,
    harm: Callable[[Path], object],
    why: str,
) -> None:
    new_head(backbones(), "qa").save(tmp_path / "qa")
    harm(tmp_path / "qa" / file)
    with pytest.raises(UnderstudyError, match=why) as caught:
        Head.load(tmp_path / "qa")
    assert str(tmp_path / "qa") in str(caught.value) and "understudy learn" in str(caught.value)


def test_half_a_pair_is_refused(
    backbones: Callable[..., Backbone], new_head: Callable[..., Head], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    new_head(backbones(), "qa").save(tmp_path / "qa")
    file = tmp_path / "qa" / "adapter_model.safetensors"
    tensors = load_file(file)
    last = max(name for name in tensors if "lora_B" in name)
    save_file({name: tensor for name, tensor in tensors.items() if name != last}, file)
    with pytest.raises(UnderstudyError, match="lora_B"):
        Head.load(tmp_path / "qa")
    save_file({"other": torch.zeros(1)}, file)
    with pytest.raises(UnderstudyError, match="no tensors"):
        Head.load(tmp_path / "qa")


def test_the_heads_that_ship_are_small() -> None:
    """Between 0.1 and 2 MB each, in half precision: a head that was loaded and saved again would be twice as large."""
    from understudy.origin import HEADS

    folders = sorted(HEADS.glob("*/*/"))
    assert {folder.name for folder in folders} >= {"planner", "coder", "qa", "recommender"}
    for folder in folders:
        size = sum(file.stat().st_size for file in folder.iterdir())
        assert 100_000 < size < 2_000_000, (folder, size)
