"""The fifteen workflows of examples/workflows: both forms of each are free of mistakes and do the same."""

from __future__ import annotations

import asyncio
import importlib.util
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from understudy import Task, Team, Workflow
from understudy.team_tests import read_tests, run_test
from understudy.testing import Harness
from understudy.testing.run import Run
from understudy.workflows import check
from understudy.workflows.calls import load_functions
from understudy.workflows.events import StepEmitted, StepFinished

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "workflows"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/workflow.py"))
FORMS = ("Python", "YAML")


def module(name: str) -> Any:
    """The workflow.py of an example, as a module."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / name / "workflow.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def form(name: str, kind: str) -> Workflow | Team:
    """An example in one of its forms, as a harness takes it."""
    if kind == "Python":
        made: Workflow = module(name).flow
        return made
    load_functions(EXAMPLES / name / "functions.py")
    return Team.load(EXAMPLES / name / "team.yaml")


@dataclass(frozen=True)
class Case:
    """What an example is given and gives; ``python`` and ``yaml`` read the result of a run of each form."""

    name: str
    request: Any
    result: Any
    yaml_request: Any = None
    answers: dict[str, Any] = field(default_factory=dict)
    python: Callable[[Run], Any] = lambda run: run.value
    yaml: Callable[[Run], Any] = lambda run: run.value

    def said(self, kind: str, **staged: Any) -> tuple[Any, Run]:
        """What the form makes of the request, and its run."""
        request = self.request if kind == "Python" or self.yaml_request is None else self.yaml_request
        answers = {step: iter(one) if isinstance(one, list) else one for step, one in self.answers.items()}
        made = form(self.name, kind)
        own = made.agents if isinstance(made, Team) else {}
        run = Harness(made, own, **staged).run_sync(request, answers=answers)
        assert run.status == "completed", run.error
        return (self.python if kind == "Python" else self.yaml)(run), run


def of(key: str) -> Callable[[Run], Any]:
    return lambda run: run.output[key]


def tasks(name: str, cases: dict[str, Any], **how: Any) -> list[Case]:
    return [Case(name, Task(request=request), result, request, **how) for request, result in cases.items()]


def texts(name: str, cases: dict[str, Any], **how: Any) -> list[Case]:
    return [Case(name, request, result, **how) for request, result in cases.items()]


NOTICE = "published: We are open on Monday."
CASES = [
    *texts("sequence", {"tea,4\nmilk,?\nbread,2": "2 orders, 15.0", "": "0 orders, 0"}),
    *tasks("router", {
        "The invoice is wrong": "Accounts will look into: The invoice is wrong",
        "There is an error": "Have you tried again? There is an error",
        "Hello": "Thank you for writing: Hello",
    }),
    *texts("draft_critique", {"tea": "On tea, an example, an end", "an end": "On an end, an example"},
           python=of("draft"), yaml=of("draft")),
    *tasks("expert_vote", {"Free tea!!!": "spam", "FREE tea": "fine", "Hello!!!": "fine", "FREE TEA": "spam"},
           python=of("vote"), yaml=of("vote")),
    *texts("approval", {"Monday": NOTICE}, answers={"allowed": "yes"}),
    *texts("approval", {"Monday": "left in the drawer"}, answers={"allowed": "no"}),
    *texts("nested_team", {"Bo": "Guten morgen bo! Yours, Ada"}),
    *texts("fallback", {"What is tea?": "offline answer to: What is tea?"}),
    *texts("timeout", {"Bern": "forecast was late; yesterday there was rain in Bern"}),
    *texts("streaming_chat", {"You: ": ["hello", "1: you said hello", "more", "3: you said more", "bye"]},
           answers={"you": ["hello", "more", "bye"]},
           python=lambda run: _talk(run), yaml=lambda run: list(run.output["talk"])),
    Case("batch", list(range(1000)), "990 done, 10 failed", {"numbers": list(range(1000))}),
    *texts("fan_out_fan_in", {"tea": "A history of tea; Tea for all; Ten facts about tea"}),
    *tasks("planner_worker_reviewer", {"tea": ["facts about tea", "a text about tea"]},
           python=lambda run: [piece.answer for piece in run.output["work"]],
           yaml=lambda run: list(run.output["work"])),
    *tasks("debate", {"Will it rain?": "Will it rain? No, after 1 rounds"}, python=of("verdict"), yaml=of("verdict")),
    *[Case("reminder", {"matter": "water", "at": 0.0}, f"water: {result}", answers={"done": answer})
      for answer, result in (("yes", "done"), ("no", "still open"))],
]  # fmt: skip


def _talk(run: Run) -> list[str]:
    pairs = zip_longest(run.steps["you"].outputs, run.steps["reply"].outputs)
    return [said for pair in pairs for said in pair if said is not None]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Functions that an example registers are gone after its test: the names are those of others, too."""
    from understudy.workflows import calls

    names, order = dict(calls._registered), list(calls._order)
    yield
    calls._registered.clear()
    calls._registered.update(names)
    calls._order[:] = order


def one(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def test_every_example_has_a_case() -> None:
    assert len(NAMES) == 15
    assert {case.name for case in CASES} | {"map_reduce"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_form_has_a_mistake(name: str) -> None:
    assert module(name).flow.check() == []
    load_functions(EXAMPLES / name / "functions.py")
    assert check(EXAMPLES / name / "team.yaml") == []


@pytest.mark.parametrize("name", NAMES)
def test_the_tests_of_the_file_pass(name: str, monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    monkeypatch.chdir(checkout)
    team = form(name, "YAML")
    assert isinstance(team, Team)
    for test in read_tests(EXAMPLES / name / "team.yaml"):
        assert run_test(team, test).differences == ()


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{str(case.result)[:20]}")
def test_both_forms_give_the_same(case: Case, kind: str) -> None:
    said, _ = case.said(kind)
    assert said == case.result


@pytest.mark.parametrize("kind", FORMS)
def test_the_files_of_a_folder_are_counted(kind: str, tmp_path: Path) -> None:
    for name, text in {"a.txt": "tea Tea milk", "b.txt": "milk", "c.md": "not this"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    run = Harness(form("map_reduce", kind)).run_sync(str(tmp_path))
    assert dict(run.output) == {"milk": 2, "tea": 2}
    assert len(run.steps["count_words" if kind == "Python" else "count"].output) == 2


@pytest.mark.parametrize("kind", FORMS)
def test_a_draft_is_written_three_times_at_most(kind: str) -> None:
    said, run = one("draft_critique").said(kind, steps={"criticise": lambda draft: "more"})
    assert run.path == ["write", "criticise"] * 3
    assert said == "On tea, more, more"


@pytest.mark.parametrize("kind", FORMS)
def test_who_fails_is_tried_three_times_before_another_is_asked(kind: str) -> None:
    _, run = one("fallback").said(kind)
    run.assert_path("remote", "local")
    assert run.steps["remote"].attempts == 3


@pytest.mark.parametrize("kind", FORMS)
def test_the_late_step_is_given_up_after_its_seconds(kind: str) -> None:
    _, run = one("timeout").said(kind)
    run.assert_path("forecast", "yesterday")
    assert run.usage.seconds == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("kind", FORMS)
def test_eight_items_are_under_way_at_once(kind: str) -> None:
    under_way: list[int] = []
    now = 0

    async def root(number: int) -> float:
        nonlocal now
        now += 1
        under_way.append(now)
        await asyncio.sleep(1)
        now -= 1
        if number % 100 == 0:
            raise ValueError(number)
        return 1.0

    said, run = one("batch").said(kind, steps={"root" if kind == "Python" else "roots": root})
    assert said == "990 done, 10 failed"
    assert max(under_way) == 8
    assert run.usage.seconds == pytest.approx(1000 / 8)


@pytest.mark.parametrize("kind", FORMS)
def test_sources_are_read_side_by_side(kind: str) -> None:
    met = asyncio.Barrier(3)

    async def source(topic: str) -> list[str]:
        await met.wait()
        return ["the same"]

    said, _ = one("fan_out_fan_in").said(kind, steps=dict.fromkeys(("library", "archive", "web"), source))
    assert said == "the same"


@pytest.mark.parametrize("kind", FORMS)
def test_words_are_shown_before_the_answer_is_there(kind: str) -> None:
    _, run = one("streaming_chat").said(kind)
    shown = [
        event.part if isinstance(event, StepEmitted) else "."
        for event in run.events
        if isinstance(event, StepEmitted | StepFinished) and event.step == "reply"
    ]
    assert shown == ["1:", "you", "said", "hello", ".", "3:", "you", "said", "more", "."]


@pytest.mark.parametrize("kind", FORMS)
def test_work_that_never_passes_is_planned_three_times(kind: str) -> None:
    _, run = one("planner_worker_reviewer").said(kind, steps={"review": lambda answers: False})
    assert run.path.count("plan") == 3
    assert [len(work) for work in run.steps["work"].outputs] == [1, 2, 2]


@pytest.mark.parametrize("kind", FORMS)
def test_both_speak_in_every_round_knowing_the_rounds_before(kind: str) -> None:
    _, run = one("debate").said(kind)
    assert run.steps["optimist"].outputs == [f"Will it rain? Yes, after {rounds} rounds" for rounds in (0, 1)]
    assert len(run.steps["pessimist"].outputs) == 2


@pytest.mark.parametrize("kind", FORMS)
def test_nobody_is_asked_before_the_time_has_come(kind: str) -> None:
    harness = Harness(form("reminder", kind))
    asked = harness.run_sync({"matter": "water", "at": time.time() + 3600})
    assert asked.status == "waiting" and asked.questions[0].question == "Is it done?"
    assert 3500 < harness.clock.elapsed <= 3600
    assert harness.resume_sync(answers={"done": "yes"}).value == "water: done"


@pytest.mark.parametrize("kind", FORMS)
def test_an_inner_team_is_a_run_of_its_own(kind: str) -> None:
    _, run = one("nested_team").said(kind)
    run.assert_path("greet", "translators", "sign")
    assert [inner.path for inner in run.steps["translators"].runs] == [["translate", "polish"]]


def test_what_waits_goes_on_in_another_process(python: Any, command: Any, tmp_path: Path) -> None:
    here = EXAMPLES / "approval"
    begun = python(here / "workflow.py", "begin")
    assert begun.stdout == "May it go out?\n", begun.stderr
    assert module("approval").flow.resume_sync(
        "monday", journal=tmp_path / "approval.db", answers={"allowed": "yes"}
    ).value == NOTICE  # fmt: skip

    files = (here / "team.yaml", "--functions", here / "functions.py", "--journal", "team.db")
    command("run", *files, "Monday", "--run-id", "monday")
    team = form("approval", "YAML")
    assert isinstance(team, Team)
    assert team.resume_sync("monday", journal=tmp_path / "team.db", answers={"allowed": "yes"}).value == NOTICE


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("approval", "reminder", "streaming_chat")])
def test_the_file_runs_as_a_program(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, checkout: Path
) -> None:
    from benchmarks.compare import file_of, play, said

    monkeypatch.chdir(checkout)
    monkeypatch.setattr("sys.argv", [])
    monkeypatch.setattr("sys.stdin", None)
    (printed,) = play({name: str(file_of(name, "Python"))}, None).values()
    cases = [case for case in CASES if case.name == name]
    expected = cases[0].result if cases else {"and": 2, "milk": 2, "more": 1, "tea": 3}
    assert said(printed) == ["; ".join(expected) if isinstance(expected, list) else str(expected)]
