"""Omniglot's zip files: the 20 one-shot runs and the minimal background sets, as small pictures.

Lake, Salakhutdinov, Tenenbaum 2015. Pictures are 28×28 means of the 105×105 drawings, ink 1 and paper 0.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ..core.errors import UnderstudyError

SIDE = 28


@dataclass(frozen=True)
class Run:
    """One run: ``shown`` [C, 1, 28, 28], one of each class; ``asked`` [C, 1, 28, 28], of the classes ``right`` [C]."""

    shown: Tensor
    asked: Tensor
    right: Tensor


def background(file: Path) -> list[Tensor]:
    """The alphabets of a background set, in the order of their names: pictures [characters, drawers, 28, 28]."""
    with _opened(file) as archive:
        drawings: dict[str, dict[str, list[str]]] = {}
        for name in sorted(n for n in archive.namelist() if n.endswith(".png") and not n.startswith("__")):
            *_, alphabet, character, _ = name.split("/")
            drawings.setdefault(alphabet, {}).setdefault(character, []).append(name)
        if not drawings:
            raise UnderstudyError("there are no drawings in it", where=str(file))
        found = []
        for alphabet, characters in drawings.items():
            if len({len(names) for names in characters.values()}) != 1:
                what = f"the characters of {alphabet} were not drawn equally often"
                raise UnderstudyError(what, where=str(file))
            rows = [torch.stack([_picture(archive, name) for name in names]) for names in characters.values()]
            found.append(torch.stack(rows))
    return found


def one_shot_runs(file: Path) -> list[Run]:
    """The runs, in the order of their names."""
    with _opened(file) as archive:
        labels = [n for n in archive.namelist() if n.endswith("class_labels.txt") and not n.startswith("__")]
        folders = sorted(name.removesuffix("class_labels.txt") for name in labels)
        if not folders:
            raise UnderstudyError("there are no runs in it", where=str(file))
        return [_run(archive, folder) for folder in folders]


def _run(archive: zipfile.ZipFile, folder: str) -> Run:
    """A run's labels are lines of two names: what is asked, and the picture of its class."""
    pairs = [line.split() for line in archive.read(f"{folder}class_labels.txt").decode().splitlines() if line.strip()]
    classes = sorted({shown for _, shown in pairs})
    root = folder.rstrip("/").rpartition("/")[0]

    def pictures(names: list[str]) -> Tensor:
        return torch.stack([_picture(archive, f"{root}/{name}".lstrip("/")) for name in names]).unsqueeze(1)

    right = torch.tensor([classes.index(shown) for _, shown in pairs])
    return Run(pictures(classes), pictures([asked for asked, _ in pairs]), right)


def _opened(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile) as error:
        mend = "get Omniglot's zip files; docs/data.md says where they lie"
        raise UnderstudyError(f"the drawings cannot be read ({error})", where=str(file), mend=mend) from None


def _picture(archive: zipfile.ZipFile, name: str) -> Tensor:
    """[28, 28], ink 1."""
    with Image.open(io.BytesIO(archive.read(name))) as image:
        pixels = torch.frombuffer(bytearray(image.convert("L").tobytes()), dtype=torch.uint8).float()
        drawing = 1 - pixels.view(1, image.height, image.width) / 255
    return adaptive_avg_pool2d(drawing, SIDE)[0]
