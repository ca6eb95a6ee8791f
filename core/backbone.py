"""Backbone: any transformers causal LM with its tokenizer, its adaptable sites found once and made bankable."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import try_to_load_from_cache
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast
from transformers.pytorch_utils import Conv1D
from transformers.utils import logging

from .attention import choose_kernel
from .bank import BankedLayer, CallContext, active
from .errors import UnderstudyError
from .gguf import PACKAGED, is_gguf, packaged, unpacked
from .markers import Markers

SHIPPED = Path(__file__).parent / "backbones"
DEFAULT = "nano"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_UNREADABLE = (OSError, ValueError, RuntimeError, SafetensorError)


@dataclass
class Backbone:
    """A frozen GPT and what the heads need to know of it.

    Attributes:
        name: folder or hub id, or the name of a shipped backbone.
        sites: adaptable linear layer → (in, out), in the order of the model.
        context: what the banked layers read during a forward pass.
        markers: the marks between the parts of a prompt, as token ids of this tokenizer.
    """

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    sites: dict[str, tuple[int, int]]
    context: CallContext
    markers: Markers
    _encoded: dict[str, tuple[int, ...]] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, name: str = "default") -> Backbone:
        """Load a shipped backbone by name (``default``), a packaged one, a folder, a GGUF file, or a hub id.

        Raises:
            UnderstudyError: nothing of that name can be loaded, or the model has no adaptable linear layer.
        """
        here = [SHIPPED / (DEFAULT if name == "default" else name), Path(name)]
        sources = [(str(folder), True) for folder in here if folder.is_dir()][:1]
        if not sources and (name in PACKAGED or is_gguf(name)):
            sources = [(str(packaged(name) if name in PACKAGED else name), True)]
        elif not sources and _HUB_ID.fullmatch(name) and not name.lower().endswith(".gguf"):
            sources = [*_cached(name), (name, False)]
        failed: Exception = FileNotFoundError("nothing here has that name")
        for source, local in sources:
            try:
                model, tokenizer = _read(source, local)
                return cls.of(model, tokenizer, DEFAULT if name == "default" else name)
            except _UNREADABLE as error:
                failed = error
        reason = next(iter(str(failed).strip().splitlines()), type(failed).__name__)
        mend = (
            "give 'default', 'smollm2', a folder with a transformers causal LM (safetensors), a .gguf file, or "
            "owner/name on a hub in reach"
        )
        raise UnderstudyError(f"backbone {name!r} cannot be loaded ({reason})", mend=mend) from failed

    @classmethod
    def of(cls, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, name: str = "given") -> Backbone:
        """Make a backbone of a model in memory: find its sites, install the banked layers, freeze it."""
        model.eval().requires_grad_(False)
        choose_kernel(model)
        sites = find_sites(model)
        if not sites:
            raise UnderstudyError(
                f"{type(model).__name__} has no adaptable Linear or Conv1D layer", where=f"backbone {name}"
            )
        context = CallContext()
        for site in sites:
            model.get_submodule(site).register_forward_hook(BankedLayer(site, context))
        return cls(name, model, tokenizer, sites, context, Markers.of(tokenizer))

    @property
    def max_tokens(self) -> int:
        """The longest sequence the model takes."""
        config: Any = self.model.config
        longest: Any = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", 1024)
        return int(longest)

    @property
    def width(self) -> int:
        """D, the width of the hidden states."""
        return int(self.model.config.hidden_size)

    def digest(self) -> str:
        """A short fingerprint of the weights: heads name the backbone they were made for by it."""
        sha = hashlib.sha256()
        for name, tensor in sorted(self.model.state_dict().items()):
            sha.update(name.encode())
            sha.update(tensor.flatten()[:64].float().numpy().tobytes())
            sha.update(str(tuple(tensor.shape)).encode())
        return sha.hexdigest()[:16]

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of ``text`` with a blank before it, so that a word has the same ids wherever it stands."""
        if text not in self._encoded:
            if len(self._encoded) > 50_000:
                self._encoded.clear()
            blank = text if text.startswith(" ") else " " + text
            self._encoded[text] = tuple(self.tokenizer.encode(blank, add_special_tokens=False))
        return self._encoded[text]

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Token ids and the characters [start, end) of ``text`` that each stands for (blanks before it not counted)."""
        batch: Any = self.tokenizer(" " + text, add_special_tokens=False, return_offsets_mapping=True)
        offsets = []
        for start, end in batch["offset_mapping"]:
            start, end = max(start - 1, 0), max(end - 1, 0)
            while start < end and text[start].isspace():
                start += 1
            offsets.append((start, end))
        return list(batch["input_ids"]), offsets

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids, without a leading blank."""
        text = self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(text).removeprefix(" ")

    def hidden(self, ids: Tensor, **more: Any) -> Tensor:
        """The last hidden states [B, T, D] of ids [B, T]; ``more`` (mask, positions, cache) goes to the transformer."""
        states: Tensor = self.model.base_model(input_ids=ids, **more).last_hidden_state
        return states

    @torch.no_grad()
    def embed(self, texts: Sequence[str], batch: int = 64) -> Tensor:
        """Sentence vectors [N, D] of unit length: the mean of the bare backbone's last hidden states over the text."""
        ids = [self.encode(text)[: self.max_tokens] or (self.markers.pad,) for text in texts]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        found = torch.zeros(len(ids), self.width)
        for start in range(0, len(order), batch):
            some = order[start : start + batch]
            wide = len(ids[some[-1]])
            rows = torch.tensor([(*ids[i], *[self.markers.pad] * (wide - len(ids[i]))) for i in some])
            inside = torch.arange(wide) < torch.tensor([[len(ids[i])] for i in some])
            with active(self.context, None):
                states = self.hidden(rows).float() * inside.unsqueeze(-1)
            found[torch.tensor(some)] = torch.nn.functional.normalize(states.sum(1), dim=-1)
        return found

    def logits(self, states: Tensor) -> Tensor:
        """Scores over the vocabulary [..., V] of hidden states [..., D]."""
        output: nn.Module = self.model.get_output_embeddings()
        scores: Tensor = output(states)
        return scores

    def token_scores(self, states: Tensor, tokens: Tensor) -> Tensor:
        """The score [P] of one token [P] for each state [P, D], without computing those of all others."""
        output = self.model.get_output_embeddings()
        scores: Tensor = (states.float() * nn.functional.embedding(tokens, output.weight).float()).sum(-1)
        bias = getattr(output, "bias", None)
        return scores if bias is None else scores + bias[tokens].float()


def _cached(name: str) -> list[tuple[str, bool]]:
    """The folder in the hub's local cache, so that what was fetched once is never asked for again."""
    config = try_to_load_from_cache(name, "config.json")
    return [(str(Path(config).parent), True)] if isinstance(config, str) else []


def _read(source: str, local: bool) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Model and tokenizer of a folder or GGUF file (``local``: the hub is not asked for anything) or of a hub id."""
    options: dict[str, Any] = {"local_files_only": local, "trust_remote_code": False}
    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    if local and is_gguf(source):
        source = str(unpacked(Path(source)))
    tokenizer: Any = AutoTokenizer.from_pretrained(source, **options)
    model: Any = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, use_safetensors=True, **options)
    return model, tokenizer


def find_sites(model: PreTrainedModel) -> dict[str, tuple[int, int]]:
    """Every Linear and Conv1D of the transformer's body → (in, out); the tied output embedding is left alone."""
    output = model.get_output_embeddings()
    sites: dict[str, tuple[int, int]] = {}
    for name, module in model.named_modules():
        if module is output:
            continue
        if isinstance(module, nn.Linear):
            sites[name] = (module.in_features, module.out_features)
        elif isinstance(module, Conv1D):
            wide, out = module.weight.shape
            sites[name] = (int(wide), int(out))
    return sites
