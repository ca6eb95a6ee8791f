"""The page of the documentation runs, and the package is light: no pytest, no model."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_the_examples_of_the_page_run(checkout: Path) -> None:
    page = (checkout / "docs" / "testing.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", page, re.MULTILINE)
    first, scripted = (re.sub(r"(?m)^    ", "", block) for block in blocks[:2])
    scope: dict[str, object] = {}
    exec(first + scripted, scope)
    tests = [value for name, value in scope.items() if name.startswith("test_") and callable(value)]
    assert len(tests) == 1
    tests[0]()


def test_it_imports_neither_pytest_nor_what_is_heavy(python: Command) -> None:
    done = python("-c", "import json, sys, understudy.testing; print(json.dumps(sorted(sys.modules)))")
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert "understudy.testing.harness" in loaded
    heavy = {"pytest", "torch", "transformers", "faiss", "networkx", "numpy", "tenacity", "ruamel", "rich", "typer"}
    assert heavy & loaded == set()
