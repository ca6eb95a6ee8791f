"""Every message about a team, a role or a workflow stands in the catalogue with its text, and is told as it stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.catalogue.case import Told, told
from tests.catalogue.cases import TOLD, cases, prepared
from tests.catalogue.templates import Template, templates

CASES = cases()
TEXTS: dict[str, list[str]] = json.loads(TOLD.read_text(encoding="utf-8"))
ELSEWHERE = {
    "workflows/expressions.py: an expression nested too deeply":
        "Python's stack has to be nearly full",
    "workflows/journal.py: it cannot be kept in the journal: {}": "what packs a value refuses it before",
    "workflows/langgraph.py: the run {} is no thread of LangGraph": "needs langgraph, see test_langgraph.py",
    "workflows/langgraph_notes.py: cannot read or write: {}": "needs langgraph, and a file that breaks meanwhile",
    "workflows/saving.py: the team would not load the same: {}":
        "says a mistake of understudy's own: tests/workflows/test_saving_refusals.py",
    "workflows/team.py: another agent is called '{}'": "needs a backbone that learns",
    "workflows/team_folder.py: another head is called '{}': {}": "needs two learned heads of one name",
}  # fmt: skip
"""Wordings that no case provokes, and why."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Told]]:
    """What each case tells."""
    said = {}
    for name, provoke in CASES.items():
        folder: Path = tmp_path_factory.mktemp("case")
        with prepared(folder):
            said[name] = told(provoke, folder)
    return said


def test_every_case_tells_its_text(found: dict[str, list[Told]]) -> None:
    said = {name: [one.text for one in each] for name, each in found.items()}
    wrong = [f"{name}\n  told     {one}\n  expected {TEXTS.get(name)}" for name, one in said.items()
             if one != TEXTS.get(name)]
    assert not wrong, "\n".join([*wrong, "where that is meant: python -m tests.catalogue"])
    assert list(TEXTS) == list(CASES)


def test_every_case_tells_something(found: dict[str, list[Told]]) -> None:
    assert [name for name, each in found.items() if not each] == []


def test_every_wording_of_the_source_is_told_by_a_case(found: dict[str, list[Told]]) -> None:
    whats = {one.what for each in found.values() for one in each}
    missing = [str(one) for one in templates() if not any(map(one.matches, whats)) and str(one) not in ELSEWHERE]
    assert not missing, "add a case to tests/catalogue:\n" + "\n".join(missing)


def test_what_is_told_elsewhere_is_in_the_source_and_in_no_case(found: dict[str, list[Told]]) -> None:
    whats = {one.what for each in found.values() for one in each}
    known = {str(one): one for one in templates()}
    assert [one for one in ELSEWHERE if one not in known] == []
    assert [one for one in ELSEWHERE if any(map(known[one].matches, whats))] == []


def test_a_wording_fits_what_it_says_and_nothing_else() -> None:
    one = Template("a.py", "there is no step '{}'")
    assert one.matches("there is no step 'a'") and not one.matches("there is no agent 'a'")


def test_the_scan_finds_the_messages_of_every_kind() -> None:
    found = {str(one) for one in templates()}
    assert {
        "workflows/checks.py: step {} cannot be reached",  # yielded
        "workflows/schema.py: the key 'schema' is missing",  # reported
        "workflows/shapes.py: expected {} (a mapping), found {}",  # reported as expected
        "workflows/team_document.py: the workflow '{}' has no file",  # raised by a name
        "workflows/yaml_document.py: a null byte",  # made a problem
        "workflows/expressions.py: a call other than len(…) in the expression '{}'",  # refused
    } <= found
    assert len(found) > 250
