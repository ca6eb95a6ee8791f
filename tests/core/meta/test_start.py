"""Where heads begin: saved, loaded, shipped with a backbone."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadStack, active
from understudy.core.errors import UnderstudyError
from understudy.core.meta.anil import ANIL
from understudy.core.meta.maml import MAML
from understudy.core.meta.maml_plus import MAMLPlus
from understudy.core.meta.meta_sgd import MetaSGD
from understudy.core.meta.reptile import Reptile
from understudy.core.meta.start import Start


def test_a_plain_start_changes_nothing_yet(any_backbone: Backbone) -> None:
    start = Start.plain(any_backbone.sites, rank=3)
    assert start.rates is None and len(start.stack()) == 1
    ids = torch.arange(9, 15).unsqueeze(0)
    with torch.no_grad(), active(any_backbone.context, start.stack().gather(torch.tensor([0]))):
        adapted = any_backbone.hidden(ids)
    torch.testing.assert_close(adapted, any_backbone.hidden(ids))
    assert all(bool(tensor.any()) == name.endswith("|down") for name, tensor in start.tensors.items())


def test_it_comes_back_from_its_file_in_bf16_with_its_rates(tmp_path: Path) -> None:
    tensors = HeadStack.random({"a.b": (3, 5), "c": (4, 2)}, 1, 2, seed=9).tensors()
    rates = {name: torch.tensor(0.01 * (i + 1)) for i, name in enumerate(tensors)}
    Start(tensors, rates).save(tmp_path / "start.safetensors")
    again = Start.load(tmp_path / "start.safetensors")
    assert again.rates is not None
    assert again.tensors.keys() == tensors.keys() == again.rates.keys()
    for name, tensor in tensors.items():
        assert torch.equal(again.tensors[name], tensor.to(torch.bfloat16).float())
        assert torch.equal(again.rates[name], rates[name])
    Start(tensors).save(tmp_path / "plain.safetensors")
    assert Start.load(tmp_path / "plain.safetensors").rates is None


def test_a_backbone_brings_its_own_or_a_plain_one(backbones: Callable[..., Backbone], tmp_path: Path) -> None:
    sites = backbones().sites
    assert Start.of_backbone(tmp_path, sites).tensors.keys() == Start.plain(sites).tensors.keys()
    Start.plain(sites, rank=2, seed=8).save(tmp_path / "start.safetensors")
    assert Start.of_backbone(tmp_path, sites).stack().down[next(iter(sites))].shape[-1] == 2


def test_a_start_of_some_layers_begins_at_nothing_in_the_others(backbones: Callable[..., Backbone]) -> None:
    sites = backbones().sites
    some = dict(list(sites.items())[:3])
    learned = Start.plain(some, rank=2, seed=9)
    rates = {name: torch.tensor(0.2 if name.endswith("down") else 0.6) for name in learned.tensors}
    whole = Start(learned.tensors, rates).over(sites)
    assert whole.tensors.keys() == Start.plain(sites, rank=2).tensors.keys() and whole.rates is not None
    for name, tensor in whole.tensors.items():
        if name in learned.tensors:
            assert torch.equal(tensor, learned.tensors[name])
        elif name.endswith("|up"):
            assert not bool(tensor.any())
    assert {float(whole.rates[name]) for name in whole.rates if name.endswith("|down")} == {float(torch.tensor(0.2))}
    assert Start(learned.tensors).over(some).rates is None
    with pytest.raises(UnderstudyError, match="another backbone"):
        whole.over(some)
    with pytest.raises(UnderstudyError, match="another backbone"):
        learned.over(dict.fromkeys(sites, (7, 7)))


def test_what_a_learner_has_learned_is_a_start(backbones: Callable[..., Backbone], tmp_path: Path) -> None:
    begun = Start.plain(backbones().sites, rank=2).tensors
    start = Start.learned(MAML(begun, inner_rate=0.25))
    assert start.rates is not None and {float(rate) for rate in start.rates.values()} == {0.25}
    assert all(torch.equal(tensor, begun[name]) for name, tensor in start.tensors.items())
    start.save(tmp_path / "new" / "start.safetensors")
    assert Start.load(tmp_path / "new" / "start.safetensors").tensors.keys() == begun.keys()
    by_tensor = Start.learned(MetaSGD(begun, by_tensor=True))
    assert by_tensor.rates is not None and len({float(rate) for rate in by_tensor.rates.values()}) > 1
    for other in (MetaSGD(begun), MAMLPlus(begun), Reptile(begun)):
        assert Start.learned(other).rates is None, "rates of elements or steps, or none at all"
    assert Start.learned(ANIL(begun)).rates is None, "rates of some tensors"
    with pytest.raises(UnderstudyError, match="this learner has no start of heads"):
        Start.learned(MAML({"w": torch.zeros(1, 2)}))
    with pytest.raises(UnderstudyError, match="this learner holds 2 starts"):
        Start.learned(MAML({name: tensor.repeat(2, 1, 1) for name, tensor in begun.items()}))
    rates = MetaSGD(begun).rates()
    with pytest.raises(UnderstudyError, match=r"the rates of .* are \[1, .*\], not one number"):
        Start(begun, rates).save(tmp_path / "start.safetensors")


def test_a_start_on_none_of_its_sites_is_refused(backbones: Callable[..., Backbone]) -> None:
    with pytest.raises(UnderstudyError, match="the start has none of these sites"):
        Start.plain(backbones().sites, rank=2).on(["nowhere"])
