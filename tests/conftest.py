"""Fixtures that every floor's tests may use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # each core has a process of its own
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as `import understudy` does, before any test imports torch
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a script; those we start would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
CHECKOUT = Path(__file__).resolve().parent.parent

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the repository."""
    return CHECKOUT


@pytest.fixture
def python(tmp_path: Path) -> Command:
    """Runs this Python in an empty folder, with the checkout importable: ``python("-c", "import understudy")``."""

    def call(
        *arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 240
    ) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=cwd or tmp_path,
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "120", **(env or {})},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )

    return call


@pytest.fixture
def command(python: Command) -> Command:
    """Runs ``understudy …`` as a person does, in a process of its own."""

    def call(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        return python("-m", "understudy", *arguments, **options)

    return call


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a decoder with random weights, for what must work whatever a head has learned."""
    from understudy.core.meta.start import Start
    from understudy.core.release import Shape, new_backbone, save
    from understudy.core.vocabulary import train_tokenizer

    tokenizer = train_tokenizer((CHECKOUT / "docs" / "roles.md").read_text(encoding="utf-8").splitlines(), 600)
    shape = Shape(vocabulary=len(tokenizer), width=32, layers=2, heads=2, inner=64)
    backbone = new_backbone(shape, tokenizer, "tiny")
    folder = tmp_path_factory.mktemp("backbones") / "tiny"
    save(backbone, Start.plain(backbone.sites, rank=2), {"schema": "understudy/backbone/v1", "name": "tiny"}, folder)
    return folder
