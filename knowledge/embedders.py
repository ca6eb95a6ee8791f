"""Embedders of language models: the shipped backbone, any other backbone, any sentence encoder by folder or hub id.

A store keeps the name of its embedder, which says the space of its vectors, and the source that it is loaded from: a
store that is opened without an embedder finds its own again. torch is loaded when the first text is encoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import UnderstudyError
from .embedding import Embedder, HashedEmbedder, Vectors

if TYPE_CHECKING:
    from ..core.backbone import Backbone

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
DEFAULT = "default"
HASHED = "hashed"
_SHIPPED = Path(__file__).resolve().parent.parent / "core" / "backbones" / "nano"
# In tokens; sentence encoders have learned from passages of about this length.
_LONGEST = 256
_MEND = "give 'default', 'hashed', a folder with a model (config.json, safetensors), or owner/name on a hub in reach"


def embedder(source: str) -> Embedder:
    """The embedder of a source.

    Args:
        source: ``default`` (the shipped backbone), ``hashed`` (no model), a folder, or a hub id.

    Raises:
        UnderstudyError: when nothing of that name can be loaded.
    """
    if source == HASHED:
        return HashedEmbedder()
    if source.startswith(f"{HASHED}-"):
        return HashedEmbedder.named(source)
    return BackboneEmbedder(source) if source == DEFAULT or _is_decoder(source) else SentenceEncoder(source)


class _Model:
    """What the embedders of models share: a source, loaded when it is needed, and a space that its weights make.

    Args:
        source: ``default``, a folder, or a hub id.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The space: the model's weights make it."""
        return self._identity[0]

    @property
    def dimension(self) -> int:
        """The width D of a vector."""
        return self._identity[1]

    @cached_property
    def _identity(self) -> tuple[str, int]:
        raise NotImplementedError


class BackboneEmbedder(_Model):
    """Sentence vectors of a backbone: the mean of its last hidden states, without any head.

    Args:
        source: ``default``, a folder, or a hub id. It is loaded for this alone: a model that decodes for agents at the
            same time cannot be shared with it.

    Raises:
        UnderstudyError: when a folder is none of a model.
    """

    # The mean over a decoder's tokens knows less of a passage than the words in it do: in hybrid rankings it helps out.
    weight = 0.1

    def __init__(self, source: str = DEFAULT) -> None:
        super().__init__(source)
        self._backbone: Backbone | None = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 per text; a text without words gives zeros."""
        if not len(texts):
            return np.zeros((0, self.dimension), dtype=np.float32)
        with self._lock:
            found: Vectors = self._loaded().embed(list(map(_whole, texts))).numpy()
        found[[not text.strip() for text in texts]] = 0.0
        return found

    @cached_property
    def _identity(self) -> tuple[str, int]:
        folder = _SHIPPED if self.source == DEFAULT else Path(self.source)
        if folder.is_dir():
            return _fingerprint("backbone", folder)
        with self._lock:
            backbone = self._loaded()
        return f"backbone-{backbone.digest()}", backbone.width

    def _loaded(self) -> Backbone:
        if self._backbone is None:
            from ..core.backbone import Backbone

            self._backbone = Backbone.load(self.source)
        return self._backbone


class SentenceEncoder(_Model):
    """A transformers encoder: its last hidden states, pooled as its folder says (the mean unless it says the first).

    Args:
        source: a folder, or a hub id.

    Raises:
        UnderstudyError: when it cannot be loaded.
    """

    weight = 1.0

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self._model: Any = None
        self._tokenizer: Any = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 per text; a text without words gives zeros."""
        import torch

        found = np.zeros((len(texts), self.dimension), dtype=np.float32)
        order = sorted((i for i, text in enumerate(texts) if text.strip()), key=lambda i: len(texts[i]))
        with self._lock, torch.inference_mode():
            self._read()
            for start in range(0, len(order), 64):
                some = order[start : start + 64]
                inputs = self._tokenizer(
                    [_whole(texts[i]) for i in some],
                    padding=True,
                    truncation=True,
                    max_length=self._longest,
                    return_tensors="pt",
                )
                states = self._model(**inputs).last_hidden_state.float()
                mask = inputs["attention_mask"].unsqueeze(-1).float()
                pooled = states[:, 0] if self._takes_first else (states * mask).sum(1) / mask.sum(1).clamp(min=1)
                found[some] = torch.nn.functional.normalize(pooled, dim=-1).numpy()
        return found

    @cached_property
    def _identity(self) -> tuple[str, int]:
        if Path(self.source).is_dir():
            return _fingerprint("encoder", Path(self.source))
        with self._lock:
            self._read()
        config = self._model.config
        return f"encoder-{self.source}-{getattr(config, '_commit_hash', None) or 'unknown'}", int(config.hidden_size)

    @cached_property
    def _takes_first(self) -> bool:
        pooling = Path(self.source) / "1_Pooling" / "config.json"
        return pooling.is_file() and bool(_json(pooling).get("pooling_mode_cls_token"))

    @property
    def _longest(self) -> int:
        return min(_LONGEST, int(getattr(self._model.config, "max_position_embeddings", _LONGEST)))

    def _read(self) -> None:
        if self._model is not None:
            return
        from safetensors import SafetensorError
        from transformers import AutoModel, AutoTokenizer

        options: dict[str, Any] = {"local_files_only": Path(self.source).is_dir(), "trust_remote_code": False}
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(self.source, **options)
            self._model = AutoModel.from_pretrained(self.source, use_safetensors=True, **options).float().eval()
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise UnderstudyError(
                f"the sentence encoder cannot be loaded ({reason})", where=self.source, mend=_MEND
            ) from None


def _is_decoder(source: str) -> bool:
    """Whether the model writes text (its embedding is then a backbone's) rather than being an encoder."""
    config = Path(source) / "config.json"
    if Path(source).is_dir():
        if not config.is_file():
            raise UnderstudyError("no model lies here (config.json is missing)", where=source, mend=_MEND)
        kinds = _json(config).get("architectures") or []
    elif not _HUB_ID.fullmatch(source):  # nobody is asked over a network for what cannot be there
        raise UnderstudyError(f"there is no embedder {source!r}", mend=_MEND)
    else:
        from transformers import AutoConfig

        try:
            kinds = AutoConfig.from_pretrained(source).architectures or []
        except (OSError, ValueError):
            raise UnderstudyError(f"there is no embedder {source!r}", mend=_MEND) from None
    return any(str(kind).endswith(("ForCausalLM", "LMHeadModel")) for kind in kinds)


def _fingerprint(kind: str, folder: Path) -> tuple[str, int]:
    """Name and width of a model in a folder, from its files alone."""
    weights = sorted(folder.glob("*.safetensors"))
    config = folder / "config.json"
    if not weights or not config.is_file():
        raise UnderstudyError(
            "no model lies here (config.json and *.safetensors are needed)", where=str(folder), mend=_MEND
        )
    told = _json(config)
    sha = blake2b(digest_size=8)
    for file in weights:
        if file.name != "start.safetensors":  # what heads begin with is no part of the model
            with file.open("rb") as opened:
                while part := opened.read(1 << 20):
                    sha.update(part)
    width = told.get("hidden_size") or told.get("n_embd") or told.get("d_model")
    if not isinstance(width, int):
        raise UnderstudyError("the width of the model is not told (hidden_size)", where=str(config), mend=_MEND)
    return f"{kind}-{sha.hexdigest()}", width


def _whole(text: str) -> str:
    """``text`` without halves of surrogate pairs, which no tokenizer takes."""
    return text.encode(errors="replace").decode()


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnderstudyError(f"cannot be read: {error}", where=str(file)) from None
    return found if isinstance(found, dict) else {}
