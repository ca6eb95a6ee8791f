"""What an install would put on a machine: all of understudy.*, its data, and nothing else."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

FLOORS = ("core", "knowledge", "agents", "workflows")
DATA = (("understudy/schemas", "*.json"), ("understudy/scaffolds", "*"), ("core/backbones", "*"), ("agents/heads", "*"))


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel built offline from a copy, so that no left-over build folder can add to it."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(checkout / name, copy / name)
    for folder in ("understudy", *FLOORS):
        shutil.copytree(checkout / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tests", "examples", "benchmarks"):
        (copy / name).mkdir()
        (copy / name / "__init__.py").write_text("", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", "."],
        cwd=copy,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (copy / "dist").glob("*.whl")
    return zipfile.ZipFile(built)


def installed_as(checkout: Path, file: Path) -> str:
    """Where a file of the checkout lies in the wheel."""
    relative = file.relative_to(checkout).as_posix()
    return relative if relative.startswith("understudy/") else f"understudy/{relative}"


def test_every_module_is_in_it(wheel: zipfile.ZipFile, checkout: Path) -> None:
    wanted = {
        installed_as(checkout, file) for folder in ("understudy", *FLOORS) for file in (checkout / folder).rglob("*.py")
    }
    assert wanted - set(wheel.namelist()) == set()


def test_every_data_file_is_in_it(wheel: zipfile.ZipFile, checkout: Path) -> None:
    wanted = {
        installed_as(checkout, file)
        for folder, pattern in DATA
        for file in (checkout / folder).rglob(pattern)
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert any(name.startswith("understudy/schemas/") for name in wanted)
    assert (wanted | {"understudy/py.typed"}) - set(wheel.namelist()) == set()


def test_nothing_else_is_in_it(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"understudy"}
    for name in wheel.namelist():
        assert not {"tests", "examples", "benchmarks", "__pycache__"} & set(name.split("/")), name


def test_the_metadata(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
    text = wheel.read(metadata).decode()
    requirements = [line for line in text.splitlines() if line.startswith("Requires-Dist: ")]
    assert requirements
    for line in requirements:  # a cap or a pin in a library breaks the installs of others
        assert not {"<", "==", "~="} & set(line.split(";")[0].split()) and "==" not in line.split(";")[0], line
        assert "<" not in line.split(";")[0], line
    assert "License-Expression: Apache-2.0" in text
    assert any(name.endswith("/LICENSE") for name in names)
    (scripts,) = [name for name in names if name.endswith("entry_points.txt")]
    parser = configparser.ConfigParser()
    parser.read_string(wheel.read(scripts).decode())
    assert parser["console_scripts"]["understudy"] == "understudy.cli:main"


def test_the_installed_copy_runs_from_anywhere(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Unpacked as pip would, far from the checkout: the floors are found inside the package."""
    site = tmp_path / "site"
    wheel.extractall(site)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import understudy, understudy.core.errors as e, understudy.cli;"
        "print(understudy.__file__); print(e.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(site)], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert all(line.startswith(str(site)) for line in done.stdout.splitlines()), done.stdout
