"""Trunk: the layers below the first adapted one, which no head changes, are run once and kept.

The arguments of the first adapted layer are caught by a hook, whatever its architecture calls them; every later pass
begins there. Some rows are checked against the whole model, and where they differ nothing is kept. A last layer that
looks Llama-like is run at the decisions alone (:mod:`.last_layer`), where that gave the same in a trial, without heads
and with large random ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from .backbone import Backbone
from .bank import CallContext, HeadStack, active
from .last_layer import able, last_layer

TOLERANCE = 1e-4
TRIAL_RANK, TRIAL_SIZE = 4, 4.0
CHECKED = 4
"""Rows on which the trunk is compared with the whole model: it holds for all or for none."""
_FINAL_NORMS = ("norm", "ln_f", "final_layer_norm", "final_layernorm")


_SPARSE: WeakKeyDictionary[nn.Module, dict[bool, bool]] = WeakKeyDictionary()
"""Last layers that were tried, without an attention mask and with one."""


class _Caught(Exception):
    """The first adapted layer was reached; nothing above it need run."""


def layers_of(backbone: Backbone) -> tuple[str, nn.ModuleList] | None:
    """Name and layers of the transformer: the module list with as many members as the configuration says."""
    count = int(backbone.model.config.num_hidden_layers)
    for name, module in backbone.model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return name, module
    return None


def layer_of(site: str, layers: str) -> int | None:
    """The number of the layer in which ``site`` lies; None where it lies outside the list named ``layers``."""
    found = re.match(rf"{re.escape(layers)}\.(\d+)\.", site)
    return int(found[1]) if found else None


def upper_sites(backbone: Backbone, share: float = 1 / 3) -> tuple[str, ...]:
    """The sites in the upper ``share`` of the layers; all of them where the model's layers cannot be told."""
    found = layers_of(backbone)
    if found is None:
        return tuple(backbone.sites)
    name, layers = found
    first = len(layers) - max(1, round(len(layers) * share))
    inside = {site: layer_of(site, name) for site in backbone.sites}
    return tuple(site for site, layer in inside.items() if layer is not None and layer >= first)


@dataclass
class Trunk:
    """What the first adapted layer was called with, for N rows.

    Attributes:
        layers: the layers from the first adapted one on.
        norm: what comes after the last.
        first: [N, T, D] the hidden states that enter.
        positional, keywords: the layer's other arguments.
        context: what says which heads are active.
        sparse: the last layer is run at the decisions alone.
    """

    layers: list[nn.Module]
    norm: nn.Module
    first: Tensor
    positional: tuple[Any, ...]
    keywords: dict[str, Any]
    context: CallContext
    sparse: bool = False

    @classmethod
    def of(
        cls, backbone: Backbone, ids: Tensor, sites: Iterable[str], precision: torch.dtype = torch.float32
    ) -> Trunk | None:
        """The trunk under the heads on ``sites`` for ids [N, T]; None where there is none, or it was not found.

        ``precision`` (autocast) is that of the passes that will begin here; the check is made in fp32.
        """
        found, sites = layers_of(backbone), tuple(sites)
        if found is None:
            return None
        name, layers = found
        numbers = [layer_of(site, name) for site in sites]
        if not numbers or None in numbers or (lowest := min(n for n in numbers if n is not None)) == 0:
            return None
        body: Any = backbone.model.base_model
        norms = [getattr(body, name, None) for name in _FINAL_NORMS]
        norm = next((one for one in norms if isinstance(one, nn.Module)), None)
        if norm is None:
            return None
        with torch.no_grad(), active(backbone.context, None):
            few = ids[:CHECKED]
            caught = _catch(backbone, layers[lowest], few)
            if caught is None:
                return None
            trunk = cls(list(layers[lowest:]), norm, *caught, backbone.context)
            whole = backbone.hidden(few, use_cache=False)
            rows = torch.arange(len(few)).flip(0).repeat(2)  # not as they came, and not as many
            if not torch.allclose(trunk.hidden(rows), whole[rows], atol=TOLERANCE, rtol=TOLERANCE):
                return None
            trunk.sparse = trunk._tried(rows, {site: backbone.sites[site] for site in sites})
            with torch.autocast("cpu", precision, enabled=precision != torch.float32):
                caught = _catch(backbone, layers[lowest], ids)
        return None if caught is None else replace(trunk, first=caught[0], positional=caught[1], keywords=caught[2])

    def hidden(self, rows: Tensor) -> Tensor:
        """Last hidden states [B, T, D] of the caught ``rows`` [B], with the heads that are active now."""
        normed: Tensor = self.norm(self._run(self.layers, rows)[0])
        return normed

    def decided(self, rows: Tensor, row: Tensor, at: Tensor) -> Tensor:
        """The same at the positions ``at`` [M] of the rows ``row`` [M] of ``rows`` alone: [M, D]."""
        if not self.sparse:
            return self.hidden(rows)[row, at]
        states, keywords = self._run(self.layers[:-1], rows)
        normed: Tensor = self.norm(last_layer(self.layers[-1], states, row, at, keywords, self.context))
        return normed

    def _tried(self, rows: Tensor, sites: Mapping[str, tuple[int, int]]) -> bool:
        """Whether the last layer gives at each position what it gives when it is run whole; looked at once a layer."""
        last, masked = self.layers[-1], self.keywords.get("attention_mask") is not None
        known = _SPARSE.setdefault(last, {})
        if self.first.shape[1] < 2:
            return False  # the first token sees itself alone, whatever its query is: nothing can be told from it
        if masked not in known:
            known[masked] = able(last, self.keywords) and self._alike(rows, sites)
        return known[masked]

    def _alike(self, rows: Tensor, sites: Mapping[str, tuple[int, int]]) -> bool:
        stack, source = HeadStack.random(sites, 1, TRIAL_RANK).to(self.first.device), torch.Generator().manual_seed(0)
        for tensor in (*stack.down.values(), *stack.up.values()):
            tensor.copy_(TRIAL_SIZE * torch.randn(tensor.shape, generator=source))
        places = torch.meshgrid(torch.arange(len(rows)), torch.arange(self.first.shape[1]), indexing="ij")
        row, at = (one.flatten() for one in places)
        for pairs in (None, stack.grouped()):
            with active(self.context, pairs):
                whole, self.sparse = self.hidden(rows)[row, at], True
                try:
                    decided = self.decided(rows, row, at)
                except Exception:  # it is made otherwise than it looks, and may say so by any error: it is run whole
                    return False
            if not torch.allclose(decided, whole, atol=TOLERANCE, rtol=TOLERANCE):
                return False
        return True

    def _run(self, layers: Sequence[nn.Module], rows: Tensor) -> tuple[Tensor, dict[str, Any]]:
        """The states after ``layers``, and with which keywords each was called."""
        count = len(self.first)
        states = self.first[rows]
        positional = _rows(self.positional, rows, count)
        keywords = {name: _rows(value, rows, count) for name, value in self.keywords.items()}
        for layer in layers:
            out: Any = layer(states, *positional, **keywords)
            states = out if isinstance(out, Tensor) else out[0]
        return states, keywords


def _catch(backbone: Backbone, layer: nn.Module, ids: Tensor) -> tuple[Tensor, tuple[Any, ...], dict[str, Any]] | None:
    caught: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def note(module: nn.Module, positional: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        caught.append((positional, keywords))
        raise _Caught

    handle = layer.register_forward_pre_hook(note, with_kwargs=True)
    try:
        backbone.hidden(ids, use_cache=False)
    except _Caught:
        pass
    finally:
        handle.remove()
    if not caught:
        return None
    positional, keywords = caught[0]
    if not positional or not isinstance(positional[0], Tensor):
        return None
    return positional[0].detach(), positional[1:], dict(keywords)


def _rows(value: Any, rows: Tensor, count: int) -> Any:
    """What belongs to the rows is picked for them; what is the same for all stays."""
    if isinstance(value, Tensor) and value.ndim > 1 and len(value) == count and count > 1:
        return value[rows]
    if isinstance(value, tuple | list):
        return type(value)(_rows(one, rows, count) for one in value)
    return value
