"""``import understudy`` and the composing floors stay light; heavy libraries come when something needs them."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]

HEAVY = {"torch", "transformers", "faiss", "networkx", "sklearn", "scipy", "peft", "llguidance"}
# What files, tables and consoles need, but composing and sending does not.
NOT_FOR_ORCHESTRATION = HEAVY | {
    "numpy", "tokenizers", "safetensors", "ruamel", "rich", "typer", "tenacity", "jsonschema", "langgraph",
    "langchain_core",
}  # fmt: skip
ORCHESTRATION = ["Agent", "Demonstration", "Envelope", "Finding", "Journal", "Message", "MessageBus", "Role", "Task",
                 "Team", "Workflow"]  # fmt: skip
LIGHT_MODULES = [
    "understudy",
    "understudy.cli",
    "understudy.core.errors",
    "understudy.core.fields",
    "understudy.core.prompts",
    "understudy.agents.messages",
    "understudy.agents.bus",
    "understudy.agents.role",
    "understudy.agents.agent",
    "understudy.workflows.graph",
    "understudy.workflows.engine",
    "understudy.workflows.journal",
    "understudy.workflows.runner",
    "understudy.workflows.schema",
    "understudy.workflows.team",
]


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_heavy_libraries_are_not_imported(python: Command, module: str) -> None:
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    assert HEAVY & set(json.loads(done.stdout)) == set()


def test_names_of_orchestration_load_nothing_heavy(python: Command) -> None:
    code = f"""
import json, sys
from understudy import {', '.join(ORCHESTRATION)}
print(json.dumps(sorted(sys.modules)))
"""
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert NOT_FOR_ORCHESTRATION & loaded == set()
    # What reads and checks team files comes with the first file.
    assert {"understudy.workflows.schema", "understudy.workflows.yaml_document"} & loaded == set()


def test_names_of_the_core_load_and_are_typed(checkout: Path) -> None:
    """A checker sees the names that are loaded on first use."""
    from understudy import core

    typed = (checkout / "core" / "__init__.py").read_text(encoding="utf-8").split("_homes = ")[0]
    assert sorted(core._homes) == sorted(core.__all__)
    for name, home in core._homes.items():
        lines = [line for line in typed.splitlines() if f"from .{home} import" in line]
        assert any(name in line.split("import ")[1].split(", ") for line in lines), name
        assert getattr(core, name) is getattr(importlib.import_module(f"understudy.core.{home}"), name)
        assert name in dir(core)
    with pytest.raises(AttributeError, match="no attribute 'Stage'"):
        _ = core.Stage  # type: ignore[attr-defined]


def test_public_names_load_and_are_listed() -> None:
    import understudy

    for name in understudy.__all__:
        assert getattr(getattr(understudy, name), "__name__", "END") == name
        assert name in dir(understudy)
    with pytest.raises(AttributeError, match="no attribute 'Stage'"):
        _ = understudy.Stage  # type: ignore[attr-defined]


def test_public_names_are_typed(checkout: Path) -> None:
    """A checker sees the same names that are loaded on first use."""
    import understudy

    tree = ast.parse((checkout / "understudy" / "__init__.py").read_text(encoding="utf-8"))
    (typed,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    imports = [node for node in typed.body if isinstance(node, ast.ImportFrom)]
    seen = {name.name: node.module for node in imports for name in node.names}
    assert seen == dict(understudy._homes)
    assert sorted(understudy._homes) == understudy.__all__


def test_every_kind_of_event_is_public() -> None:
    """Whoever watches a run tells events apart by their types."""
    import understudy
    from understudy.workflows.events import KINDS

    for name in KINDS:
        assert getattr(understudy, name) is KINDS[name]


def test_names_of_events_load_nothing_heavy(python: Command) -> None:
    code = "import json, sys; from understudy import END, StepEmitted; print(json.dumps(sorted(sys.modules)))"
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    assert NOT_FOR_ORCHESTRATION & set(json.loads(done.stdout)) == set()


def test_import_time_is_in_the_order_of_its_own_dependencies(python: Command, checkout: Path) -> None:
    """benchmarks/imports.py measures the promised 1.5; here only an accident (a heavy import) must fail."""
    done = python(checkout / "benchmarks" / "imports.py", "--repeats", "3", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ratio"] < 4
    assert sys.version_info >= (3, 11)


@pytest.mark.parametrize(("given", "found"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_wait_without_spinning_unless_told_otherwise(
    python: Command, monkeypatch: pytest.MonkeyPatch, given: str | None, found: str
) -> None:
    if given is None:
        monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    else:
        monkeypatch.setenv("OMP_WAIT_POLICY", given)
    done = python("-c", "import os, understudy; print(os.environ['OMP_WAIT_POLICY'])")
    assert done.stdout.strip() == found
