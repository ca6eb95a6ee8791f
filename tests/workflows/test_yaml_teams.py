"""What is wrong with teams that are steps of teams."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workflows.yaml_teams import ROOT
from understudy.workflows.problems import InvalidFile
from understudy.workflows.schema import check
from understudy.workflows.team import Team

pytestmark = pytest.mark.usefixtures("yaml_functions")


def test_mistakes_of_a_team_are_reported_in_its_own_file(write: Callable[..., Path], tmp_path: Path) -> None:
    write("input: {text: text}\nworkflow: {steps: {s: {call: sam, input: {value: input.txt}}}}\n", "inner/team.yaml")
    file = write("""\
        workflow:
          steps:
            a: {team: inner/team.yaml, input: {txt: input.request}, then: b}
            b: {team: inner/team.yaml, input: {text: input.reqest}}
        """)
    assert [re.sub(r"[;,] .*", "", str(one)).replace(f"{tmp_path}/", "") for one in check(file)] == [
        "team.yaml:6:46: workflow.steps.b.input.text: input has no 'reqest'",
        "inner/team.yaml:4:30: workflow.steps.s.call: 'sam' is not a registered function",
        "inner/team.yaml:4:50: workflow.steps.s.input.value: input has no 'txt'",
    ]


def test_types_are_checked_into_and_out_of_a_team(write: Callable[..., Path]) -> None:
    write("input: {count: integer}\nworkflow: {steps: {s: {call: double, input: {value: input.count}}}}\n"
          "output: {twice: s}\n", "inner.yaml")
    file = write("""\
        workflow:
          steps:
            a: {team: inner.yaml, input: {cuont: input.request}, then: b}
            b: {team: inner.yaml, input: {count: {value: [1]}}, then: c}
            c: {call: same, input: {value: b.twise}}
        """)
    found = [str(one).partition("workflow.steps.")[2] for one in check(file)]
    assert [re.sub(r"[;,] .*", "", one) for one in found] == [
        "a.input: team desk needs 'count'",
        "a.input.cuont: team desk takes no 'cuont'",
        "b.input.count: team desk takes int as 'count'",
        "c.input.value: b has no 'twise': it is {twice: int}",
    ], found


def test_what_does_a_step_is_called_as_it_is_written(write: Callable[..., Path]) -> None:
    """In Python a team and a pattern are workflows; a file has no such step."""
    write("workflow: {steps: {s: {call: double, input: {value: {value: 1}}}}}\n", "inner.yaml")
    file = write("""\
        workflow:
          steps:
            a: {call: same, input: {value: input.request}, then: [left, right]}
            left: {call: same, input: {value: a}, on_error: sorry, then: met}
            right: {call: same, input: {value: a}, on_error: sorry, then: met}
            sorry: {call: same, input: {value: error.step}}
            met: {team: inner.yaml, after: [left, right], input: {x: a}, then: vote}
            vote:
              pattern: {vote: {agents: [{call: same}, {call: count}], takes: {q: {list: text}}}}
              input: {q: left.answer, x: a}
        """)
    found = [str(one).partition("workflow.steps.")[2] for one in check(file)]
    assert [one for one in found if "orkflow" in one] == [], found
    assert any("team desk takes no 'x'" in one for one in found), found
    assert any("the pattern of step vote takes no 'x'" in one for one in found), found
    (twice,) = (one for one in found if "may be reached twice" in one)
    assert twice.endswith("put the branches into a team of their own, which a step does with team: PATH and on_error")


def test_a_failure_that_no_step_leads_on_from_has_no_error(write: Callable[..., Path]) -> None:
    (found,) = check(write("workflow: {steps: {s: {call: same, input: {value: error.step}}}}\n"))
    assert "unknown name 'error' in 'error.step'; it is what went wrong where a step has 'on_error'" in str(found)


def test_a_team_is_no_part_of_itself(write: Callable[..., Path], tmp_path: Path) -> None:
    one = write("workflow: {steps: {s: {team: two.yaml}}}\n", "one.yaml")
    write("workflow: {steps: {s: {team: one.yaml}}}\n", "two.yaml")
    (found,) = check(one)
    assert str(found) == (
        f"{tmp_path / 'two.yaml'}:3:30: workflow.steps.s.team: the team is a part of itself: "
        "one.yaml → two.yaml → one.yaml; its runs would never end; let a third team have what both need"
    )
    with pytest.raises(InvalidFile, match="a part of itself"):
        Team.load(one)


@pytest.mark.parametrize(("path", "expected"), [
    ("innner.yaml", "the team file 'innner.yaml' does not exist; did you mean 'inner.yaml'?"),
    ("../inner.yaml", "the path '../inner.yaml' leads out of the folder"),
    ("role.yaml", "'role.yaml' is the file of a role, not of a team"),
])
def test_a_team_that_is_not_there(write: Callable[..., Path], tmp_path: Path, path: str, expected: str) -> None:
    write("agents: {a: qa}\n", "inner.yaml")
    (tmp_path / "role.yaml").write_text((ROOT / "examples" / "triage" / "role.yaml").read_text())
    file = write(f"workflow: {{steps: {{s: {{team: {path}, input: {{request: input.request}}}}}}}}\n")
    (found,) = check(file)
    assert (found.line, found.column) == (3, 30) and expected in str(found)


def test_many_teams_within_teams_are_checked_in_time(write: Callable[..., Path]) -> None:
    """Each names the next one twice, so that there are 2^12 ways down."""
    for number in range(12):
        step = f"{{team: t{number + 1}.yaml, input: {{request: input.request}}}}"
        write(f"workflow: {{steps: {{a: {step}, b: {step}}}}}\n".replace("}, b:", ", then: b}, b:"), f"t{number}.yaml")
    write("workflow: {steps: {s: {call: same, input: {value: input.request}}}}\n", "t12.yaml")
    assert check(write("agents: {q: qa}\n").with_name("t0.yaml")) == []
