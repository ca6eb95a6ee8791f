"""``understudy test``: the tests of a team file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from .cli_learn import BackboneOption
from .cli_support import (
    FAILED,
    AllowOption,
    FunctionsOption,
    JsonOption,
    print_json,
    share_bar,
    stdout,
    use_functions,
)

if TYPE_CHECKING:
    from .team_tests import Outcome


def test(
    team: Annotated[Path, typer.Argument(metavar="TEAM", help="A team.yaml with tests.")],
    only: Annotated[
        str, typer.Option("-k", metavar="TEXT", help="Only tests with this in their name or request.",
                          show_default=False)
    ] = "",
    backbone: BackboneOption = None,
    functions: FunctionsOption = None,
    allow: AllowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the tests of a team file, and say in what the results differ from what is expected.

    Exit status 1 where a test fails. Persons are answered for by the tests themselves; a sleep takes no time.

    `understudy test team.yaml`

    `understudy test team.yaml -k Peru --json`
    """
    from .team_tests import needs_model, read_tests, request, run_test
    from .workflows.team import Team

    use_functions(functions)
    tests = read_tests(team, only, allow or ())
    loaded = Team.load(team, backbone, allow=allow or ())
    for one in tests:
        request(loaded, one)
    loaded.require_heads()
    outcomes = []
    try:
        with share_bar(as_json):
            if needs_model(loaded):
                loaded.make_ready()  # so that no step's seconds have the loading in them
        for done, one in enumerate(tests):
            with share_bar(as_json) as on_progress:
                on_progress(done / len(tests), f"{done + 1} of {len(tests)}: {one.name}")
                outcomes.append(run_test(loaded, one))
            if not as_json:
                stdout().print(outcome_view(outcomes[-1]), soft_wrap=True)
    finally:
        loaded.close()
    failed = sum(not one.passed for one in outcomes)
    if as_json:
        print_json({"team": loaded.name, "file": team, "passed": len(outcomes) - failed, "failed": failed,
                    "tests": [one.as_json() for one in outcomes]})
    else:
        stdout().print(summary_view(outcomes))
    if failed:
        raise typer.Exit(FAILED)


def outcome_view(outcome: Outcome) -> RenderableType:
    """A line: whether the test passed, its name, its seconds; below, in what the result differs."""
    passed = Text("passed  ", style="green") if outcome.passed else Text("failed  ", style="bold red")
    line = passed + Text(outcome.test.name) + Text(f"  {outcome.seconds:.2f} s", style="dim")
    if outcome.passed:
        return line
    wrong = [Text(f"        {one}", style="red") for one in outcome.differences]
    return Group(line, Text(f"        {outcome.test.where}", style="dim"), *wrong)


def summary_view(outcomes: list[Outcome]) -> Text:
    """How many passed, in what time."""
    passed = sum(one.passed for one in outcomes)
    many = "1 test" if len(outcomes) == 1 else f"{len(outcomes)} tests"
    style = "green" if passed == len(outcomes) else "red"
    seconds = sum(one.seconds for one in outcomes)
    return Text(f"{passed} of {many} passed", style=style) + Text(f"  {seconds:.2f} s", style="dim")
