"""What lies below the first adapted layer, run once: the same states and gradients as the whole model gives."""

from collections.abc import Callable

import pytest
import torch

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadStack, active
from understudy.core.trunk import Trunk, layer_of, upper_sites


def ids_of(seed: int = 0) -> torch.Tensor:
    return torch.randint(9, 300, (5, 11), generator=torch.Generator().manual_seed(seed))


def test_upper_sites_are_those_of_the_last_layers(any_backbone: Backbone) -> None:
    upper = upper_sites(any_backbone, 0.5)
    assert len(upper) * 2 == len(any_backbone.sites) and all(".1." in site for site in upper)
    assert upper_sites(any_backbone, 1.0) == tuple(any_backbone.sites)
    assert layer_of("model.layers.11.mlp", "model.layers") == 11 and layer_of("lm_head", "model.layers") is None


def test_states_and_gradients_are_those_of_the_whole_model(any_backbone: Backbone) -> None:
    backbone, ids, rows = any_backbone, ids_of(), torch.tensor([3, 3, 0, 4])
    stack = HeadStack.random({site: backbone.sites[site] for site in upper_sites(backbone)}, 2, 3).repeat(2)
    with torch.no_grad():
        for number, up in enumerate(stack.up.values()):
            up.normal_(generator=torch.Generator().manual_seed(number))
    trunk = Trunk.of(backbone, ids, stack.down)
    assert trunk is not None, f"no trunk was found in {backbone.name}"
    found = []
    for states in (lambda: trunk.hidden(rows), lambda: backbone.hidden(ids[rows])):
        with active(backbone.context, stack.grouped()):
            hidden = states()
        found.append((hidden.detach(), torch.autograd.grad(hidden.pow(2).sum(), list(stack.tensors().values()))))
    torch.testing.assert_close(found[0][0], found[1][0], atol=1e-5, rtol=1e-5)
    for mine, whole in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(mine, whole, atol=1e-3, rtol=1e-3)
    assert backbone.context.pairs is None


def test_there_is_none_under_the_first_layer(any_backbone: Backbone) -> None:
    assert Trunk.of(any_backbone, ids_of(), any_backbone.sites) is None


def test_where_it_does_not_give_the_same_nothing_is_kept(
    new_backbone: Callable[..., Backbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = new_backbone("gpt2")
    assert Trunk.of(backbone, ids_of(), upper_sites(backbone)) is not None
    plain = Backbone.hidden
    monkeypatch.setattr(Backbone, "hidden", lambda self, ids, **more: plain(self, ids, **more) + 1e-2)
    assert Trunk.of(backbone, ids_of(), upper_sites(backbone)) is None


def test_a_layer_that_is_never_called_leaves_no_trunk(new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone("llama")
    backbone.model.config.num_hidden_layers = 7  # no list of modules has as many
    assert Trunk.of(backbone, ids_of(), upper_sites(backbone)) is None
