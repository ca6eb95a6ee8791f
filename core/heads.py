"""Head: one role's tensors with its manifest and its demonstrations, saved in PEFT's adapter format."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from .bank import HeadStack
from .errors import UnderstudyError
from .pointer import Pointer
from .pointer import tensors_of as pointer_tensors
from .readout import Readout, tensors_of

_PREFIX = "base_model.model."
READOUT = "readout.safetensors"


@dataclass(frozen=True)
class Head:
    """What makes a role of the shared backbone.

    Attributes:
        name: the role's name.
        pairs: site → (A [in, R], B [R, out]); the scale is folded in (alpha = rank).
        backbone: name and digest of the backbone that it was made for.
        activation: ``row`` (active everywhere) or ``marker`` (from the role marker on, activated LoRA).
        invocation: token ids of the role marker, from which an activated head works.
        threshold: confidence under which the role abstains.
        prior: field → option → log-probability to subtract from the option's score.
        readouts: field → the classifier that takes part in its choice.
        pointers: field → the model that finds its span in the message.
        role: the role's own document (name, does, takes, gives, demonstrations), so that it can be learned again.
        report: what learning measured.
    """

    name: str
    pairs: Mapping[str, tuple[Tensor, Tensor]]
    backbone: Mapping[str, str] = field(default_factory=dict)
    activation: str = "row"
    invocation: tuple[int, ...] = ()
    threshold: float = 0.0
    prior: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    readouts: Mapping[str, Readout] = field(default_factory=dict)
    pointers: Mapping[str, Pointer] = field(default_factory=dict)
    role: Mapping[str, Any] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_stack(cls, name: str, stack: HeadStack, index: int = 0, **more: Any) -> Head:
        """Head number ``index`` of a stack of learned tensors."""
        pairs = {
            site: (stack.down[site][index].detach().clone(), stack.up[site][index].detach().clone())
            for site in stack.down
        }
        return cls(name, pairs, **more)

    def stack(self) -> HeadStack:
        """The head as a stack of one, the start of further learning."""
        return HeadStack(
            {site: down.unsqueeze(0) for site, (down, _) in self.pairs.items()},
            {site: up.unsqueeze(0) for site, (_, up) in self.pairs.items()},
        )

    @property
    def rank(self) -> int:
        """R; 0 for a head without tensors."""
        return next((int(down.shape[1]) for down, _ in self.pairs.values()), 0)

    def save(self, folder: str | Path) -> int:
        """Write the head into ``folder`` in one move (a crash leaves the old or the new one); returns its bytes."""
        folder = Path(folder)
        _recover(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            tensors = {}
            for site, (down, up) in self.pairs.items():
                tensors[f"{_PREFIX}{site}.lora_A.weight"] = down.t().contiguous()
                tensors[f"{_PREFIX}{site}.lora_B.weight"] = up.t().contiguous()
            save_file(tensors, draft / "adapter_model.safetensors", metadata={"format": "pt"})
            if self.readouts or self.pointers:
                save_file(tensors_of(self.readouts) | pointer_tensors(self.pointers), draft / READOUT)
            config = {
                "peft_type": "LORA",
                "task_type": "CAUSAL_LM",
                "base_model_name_or_path": self.backbone.get("name", ""),
                "r": self.rank,
                "lora_alpha": self.rank,
                "lora_dropout": 0.0,
                "bias": "none",
                "inference_mode": True,
                "target_modules": sorted(self.pairs),
            }
            if self.activation == "marker" and self.invocation:
                config["alora_invocation_tokens"] = list(self.invocation)
            (draft / "adapter_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
            manifest = {
                "schema": "understudy/head/v1",
                "name": self.name,
                "backbone": dict(self.backbone),
                "activation": self.activation,
                "threshold": self.threshold,
                "prior": self.prior,
                "readouts": {
                    path: {"options": list(readout.options), "mix": list(readout.mix)}
                    for path, readout in self.readouts.items()
                },
                "pointers": {
                    path: {"longest": pointer.longest, "part": pointer.part} for path, pointer in self.pointers.items()
                },
                "role": self.role,
                "report": self.report,
            }
            (draft / "head.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
            size = sum(file.stat().st_size for file in draft.iterdir())
            os.chmod(draft, 0o755)
            if folder.exists():
                old = _old(folder)
                shutil.rmtree(old, ignore_errors=True)
                folder.rename(old)
                draft.rename(folder)
                shutil.rmtree(old, ignore_errors=True)
            else:
                draft.rename(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            _recover(folder)
            raise
        return size

    @classmethod
    def load(cls, folder: str | Path) -> Head:
        """Read a head. Raises UnderstudyError when files are missing or broken, naming the file."""
        folder = Path(folder)
        _recover(folder)
        mend = "learn the role again: understudy learn ROLE.yaml"
        for file in ("head.json", "adapter_model.safetensors"):
            if not (folder / file).is_file():
                raise UnderstudyError("the head's file is missing", where=str(folder / file), mend=mend)
        try:
            manifest = json.loads((folder / "head.json").read_text(encoding="utf-8"))
            tensors = load_file(folder / "adapter_model.safetensors")
            config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
            weights = load_file(folder / READOUT) if (folder / READOUT).is_file() else {}
        except (SafetensorError, OSError, ValueError) as error:
            raise UnderstudyError(f"the head's file is broken ({error})", where=str(folder), mend=mend) from error
        pairs = {}
        try:
            for name, tensor in tensors.items():
                if name.endswith(".lora_A.weight"):
                    site = name[len(_PREFIX) : -len(".lora_A.weight")]
                    up = tensors[f"{_PREFIX}{site}.lora_B.weight"]
                    pairs[site] = (tensor.t().float().contiguous(), up.t().float().contiguous())
            known = {key: manifest[key] for key in ("backbone", "activation", "threshold", "prior", "role", "report")}
            readouts = {
                path: Readout(
                    tuple(about["options"]), weights[f"{path}|weight"], weights[f"{path}|bias"],
                    weights[f"{path}|mean"], tuple(about["mix"]),
                )
                for path, about in manifest.get("readouts", {}).items()
            }  # fmt: skip
            pointers = {
                path: Pointer(weights[f"{path}|points"], weights[f"{path}|offsets"], about["longest"], about["part"])
                for path, about in manifest.get("pointers", {}).items()
            }
            marker = tuple(config.get("alora_invocation_tokens") or ())
            head = cls(manifest["name"], pairs, readouts=readouts, pointers=pointers, invocation=marker, **known)
        except (KeyError, TypeError) as error:
            raise UnderstudyError(f"the head's file lacks {error}", where=str(folder), mend=mend) from error
        if not pairs:
            raise UnderstudyError("the head's file holds no tensors", where=str(folder), mend=mend)
        return head


def _old(folder: Path) -> Path:
    """Where the former head lies for the moment between the two moves of a save."""
    return folder.with_name(f".{folder.name}-old")


def _recover(folder: Path) -> None:
    """Put the former head back after a save that was cut off between its two moves."""
    if not folder.exists() and _old(folder).exists():
        _old(folder).rename(folder)
