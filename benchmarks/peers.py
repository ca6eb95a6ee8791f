"""PEFT and transformers' Trainer doing what the bank does, so that both stand in one run; None without PEFT."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from understudy.core.backbone import Backbone
from understudy.core.demonstrations import Rendered, render
from understudy.core.heads import Head
from understudy.core.prompts import Example


def plain_copy(backbone: Backbone) -> Any:
    """The same model without our hooks."""
    config: Any = copy.deepcopy(backbone.model.config)
    config._attn_implementation = "sdpa"  # what everyone has
    model: Any = type(backbone.model)(config)
    model.load_state_dict(backbone.model.state_dict())
    return model.float().eval()


def peft_models(backbone: Backbone, heads: Sequence[Head]) -> tuple[Any, Any] | None:
    """The first head as PEFT's one adapter, and all as adapters a0, a1, … of another copy; None without PEFT."""
    try:
        import peft
    except ImportError:
        return None
    made = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, head in enumerate(heads):
            head.save(Path(folder) / str(number))
        for count in (1, len(heads)):
            model: Any = peft.PeftModel.from_pretrained(plain_copy(backbone), f"{folder}/0", adapter_name="a0")
            for number in range(1, count):
                model.load_adapter(f"{folder}/{number}", adapter_name=f"a{number}")
            made.append(model.eval())
    return made[0], made[1]


class PeftRole:
    """One role by PEFT's LoRA and the Trainer, on the same rows and the same decisions.

    Args:
        folder: for the Trainer's files.
    """

    def __init__(self, backbone: Backbone, folder: Path, rank: int = 8) -> None:
        self.backbone, self.folder, self.rank = backbone, folder, rank

    def until(
        self, learned: Sequence[Example], unseen: Sequence[Example], right: int, grid: Sequence[int]
    ) -> dict[str, Any] | None:
        """Train anew with more and more steps until ``right`` of ``unseen`` are answered right."""
        try:
            import peft
            from transformers import Trainer, TrainingArguments
        except ImportError:
            return None
        logging.disable(logging.WARNING)
        rows = [render(example, self.backbone) for example in learned]
        asked = [render(example, self.backbone) for example in unseen]
        found: dict[str, Any] = {}
        for steps in grid:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                config = peft.LoraConfig(r=self.rank, lora_alpha=self.rank, target_modules=list(self.backbone.sites))
                model: Any = peft.get_peft_model(plain_copy(self.backbone), config)
                arguments = TrainingArguments(
                    output_dir=str(self.folder), max_steps=steps, per_device_train_batch_size=len(rows),
                    learning_rate=3e-3, lr_scheduler_type="constant", report_to=[], use_cpu=True, save_strategy="no",
                    logging_strategy="no", disable_tqdm=True, seed=0, max_grad_norm=0.0,
                )  # fmt: skip
                trainer = Trainer(model=model, args=arguments, train_dataset=[_row(one, rows) for one in rows])
                began = time.perf_counter()
                with contextlib.redirect_stdout(io.StringIO()):
                    trainer.train()
                seconds = time.perf_counter() - began
            found = {"seconds": seconds, "steps": steps, "right": sum(_right(model.eval(), one) for one in asked)}
            if found["right"] >= right:
                break
        logging.disable(logging.NOTSET)
        return found


def _row(one: Rendered, rows: Sequence[Rendered]) -> dict[str, Tensor]:
    """Padded ids, and labels where something was decided."""
    wide = max(len(row.ids) for row in rows)
    ids = torch.zeros(wide, dtype=torch.long)
    ids[: len(one.ids)] = torch.tensor(one.ids)
    labels = torch.full((wide,), -100)
    for decision in one.decisions:
        labels[decision.at] = one.ids[decision.at]
    return {"input_ids": ids, "labels": labels}


def _right(model: Any, one: Rendered) -> bool:
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([one.ids])).logits[0]
    return all(
        one.ids[d.at] == d.allowed[int(logits[d.at - 1, torch.tensor(d.allowed)].argmax())] for d in one.decisions
    )
