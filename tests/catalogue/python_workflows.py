"""Mistakes in workflows that are composed in Python, and in what is done with them before a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from tests.catalogue.functions import Given, Odd, half, later, number, pair, positional, text, texts
from understudy.agents.messages import Finding, Message, Task
from understudy.agents.retry import Retry
from understudy.agents.role import Role
from understudy.workflows.diagram import diagram
from understudy.workflows.expressions import Expression
from understudy.workflows.flow import Workflow
from understudy.workflows.functions import same
from understudy.workflows.graph import END, Graph, Route, Step
from understudy.workflows.limits import Budget, Limits
from understudy.workflows.merging import merged
from understudy.workflows.patterns import debate, handoff, planner_worker_reviewer, round_robin, vote
from understudy.workflows.patterns.members import among
from understudy.workflows.patterns.planner_worker_reviewer import passes
from understudy.workflows.problems import Problem
from understudy.workflows.refs import Ref
from understudy.workflows.team import Team

LAST = (Route(END),)


def step(name: str, *to: Any, **more: Any) -> Step:
    """A step of a function that leads to others, or to the end."""
    routes = tuple(one if isinstance(one, Route) else Route(one) for one in to)
    return Step(name, call=more.pop("call", text), routes=routes or LAST, **more)


def graph(*steps: Step, first: str | None = None, **more: Any) -> Callable[[Path], list[Problem]]:
    """The check of a graph of these steps."""
    return lambda folder: Graph("flow", {one.name: one for one in steps}, first or steps[0].name, **more).check()


def flow(build: Callable[[Workflow], Any], **options: Any) -> Callable[[Path], Any]:
    """The check of the workflow that ``build`` adds steps to."""

    def check(folder: Path) -> list[Problem]:
        made = Workflow("flow", **options)
        build(made)
        return made.check()

    return check


def chain(*doers: Any, **inputs: Any) -> Callable[[Path], Any]:
    """The check of steps one after the other: ``a``, ``b``, …; ``inputs``: those of the last."""

    def build(made: Workflow) -> None:
        for place, doer in enumerate(doers):
            last = place == len(doers) - 1
            made.step(doer, name="abcdef"[place], input=inputs or None if last else None)

    return flow(build)


def joined(doers: Sequence[Any], last: Any, **more: Any) -> Callable[[Path], Any]:
    """The check of steps side by side, and a ``last`` after them."""

    def build(made: Workflow) -> None:
        top = made.step(text, name="top")
        sides = [made.step(doer, name=name, after=top) for name, doer in zip(("left", "right"), doers, strict=True)]
        made.step(last, name="both", after=sides, **more)

    return flow(build)


def agent(name: str, takes: Any = Task, gives: Any = Finding) -> Any:
    """An agent that takes and gives messages of these types."""

    class Played:
        async def handle(self, message: Message) -> Message:
            return message

    made: Any = Played()
    made.name, made.takes, made.gives = name, takes, gives
    return made


def _inside_itself(folder: Path) -> list[Problem]:
    made = Workflow("flow")
    made.step(made)
    return made.check()


async def _in_a_loop(folder: Path) -> None:
    made = Workflow("flow")
    made.step(text)
    made.run_sync("a")


TOP = step("top", Route(("left", "right")))
CASES: dict[str, Callable[[Path], Any]] = {
    # Names and doers.
    "graph/no start": graph(step("a"), first="b"),
    "graph/route": graph(step("a", "bb"), step("b")),
    "graph/join": graph(step("a", join=("bb",)), step("b")),
    "graph/on_error": graph(step("a", on_error="bb"), step("b")),
    "graph/on_error itself": graph(step("a", on_error="a")),
    "graph/doers": graph(Step("a", call=text, agent="qa", routes=LAST)),
    "graph/into": graph(step("a", into="a")),
    "graph/agent": lambda folder: Graph("flow", {"a": Step("a", agent="qb", routes=LAST)}, "a").check({"qa": 1}),
    "graph/at_once": graph(step("a", at_once=0)),
    "graph/retry": graph(step("a", retry=3)),
    "graph/at_most": graph(step("a", Route("a", at_most=0), END)),
    "graph/budget": graph(step("a"), limits=Limits(agents={"a": Budget(tokens=5)})),
    "graph/merge": graph(step("a", "b"), step("b", merge="list")),
    "graph/merge rule": graph(TOP, step("left", "b"), step("right", "b"),
                              step("b", join=("left", "right"), merge="majorty")),
    "graph/merge kind": graph(TOP, step("left", "b"), step("right", "b"), step("b", join=("left", "right"), merge=3)),
    "graph/merge async": graph(TOP, step("left", "b"), step("right", "b"),
                               step("b", join=("left", "right"), merge=later)),
    "graph/value": graph(step("a", input={"value": Expression.parse("inptu")})),
    "graph/output": graph(step("a"), output={"x": Expression.parse("aa")}),
    "graph/cannot have run": graph(step("a", "b", input={"value": Expression.parse("b")}), step("b")),
    # Roads.
    "roads/not reached": graph(step("a"), step("b")),
    "roads/no end": graph(step("a", Route("b", at_most=1)), step("b", Route("a", at_most=1))),
    "roads/no limit": graph(step("a", Route(END, Expression.parse("input")), "a")),
    "roads/no limit by on_error": graph(step("a", on_error="b"), step("b", "a")),
    "roads/no limit by on_error alone": graph(step("a", on_error="b"), step("b", on_error="a")),
    "roads/join": graph(step("a", "b"), step("b", join=("a", "c")), step("c")),
    "roads/join left incomplete": graph(
        TOP, step("left", "b"), step("right", "b"), step("b", "c", join=("left", "right")),
        step("c", Route("b", at_most=1), END)),
    "roads/meet": graph(TOP, step("left", "b"), step("right", "b"), step("b")),
    "roads/meet twice": graph(step("top", Route(("b", "b"))), step("b")),
    "roads/twice at the start": lambda folder: Graph(
        "flow", {"a": step("a", "b"), "b": step("b")}, ("a", "b")).check(),  # type: ignore[arg-type]
    "roads/errors meet": graph(step("top", Route(("left", "right"))), step("left", on_error="b"),
                               step("right", on_error="b"), step("b")),
    "roads/inside itself": _inside_itself,
    # Types.
    "types/argument": chain(number, text),
    "types/field": chain(Given, text),
    "types/part": chain(lambda: None, number, text),
    "types/perhaps": chain(Odd.perhaps, text),
    "types/name": chain(number, pair),
    "types/named": flow(lambda made: (made.step(number, name="said"), made.step(text, name="b"))),
    "types/input": chain(number, text, said=Ref("a")),
    "types/input unknown": chain(number, text, sad="x"),
    "types/input missing": chain(number, pair, left="x"),
    "types/input by place": chain(number, positional, said="x"),
    "types/cannot have run": flow(lambda made: (made.step(pair, name="a"), made.step(number, name="left"),
                                                made.step(number, name="right"))),
    "types/each": flow(lambda made: (made.step(number, name="a"), made.each(Ref("a"), do=text, name="b"))),
    "types/item": flow(lambda made: (made.step(texts, name="a"), made.each(Ref("a"), do=half, name="b"))),
    "types/sleep": flow(lambda made: (made.step(text, name="a"), made.sleep(Ref("a"), name="b"))),
    "types/agent_from": flow(lambda made: (made.step(number, name="a"), made.step(Ref("a"), name="b"))),
    "types/two writers": joined((text, text), text),
    "types/two writers for an agent": joined((text, text), agent("qa", Given)),
    "types/merge": joined((text, text), text, merge="sum"),
    "types/agent": flow(lambda made: (made.step(Odd.made, name="a"), made.step(agent("qa", Given), name="b")),
                        takes=Task),
    "types/agent's input": chain(number, agent("qa", Given), given="x", no="x"),
    "types/agent's input missing": chain(number, agent("qa", Given), other="x"),
    "types/workflow's text": flow(lambda made: (made.step(text, name="a"), made.step(_inner(Pair), name="b"))),
    # Composing.
    "compose/no steps": flow(lambda made: None),
    "compose/step": flow(lambda made: made.step(text, name="a", after="b")),
    "compose/error": flow(lambda made: made.step(text, name="error", on_error=END)),
    "compose/routes and after": flow(lambda made: (
        made.step(text, name="a"), made.step(text, name="b", after="a"), made.route("a", END))),
    "compose/each": flow(lambda made: made.each(made.input)),
    "compose/condition": flow(lambda made: made.route("a", END, when="a > 1")),
    "compose/name": flow(lambda made: made.step(text, name="my step")),
    "compose/doer": flow(lambda made: made.step(5)),  # type: ignore[arg-type]
    "compose/two agents": flow(lambda made: (made.step(agent("qa")), made.step(agent("qa")))),
    "compose/loop": _in_a_loop,
    "compose/condition of Python": lambda folder: bool(Ref("a") > 1),
    "compose/loop over a Ref": lambda folder: list(Ref("a")),
    "compose/diagram": lambda folder: diagram(Graph("flow", {"a": step("a")}, "a")).save(folder / "flow.png"),
    "compose/merge": lambda folder: merged("majorty", {}),
    # Groups of agents.
    "group/members": lambda folder: round_robin([text], rounds=1),
    "group/rounds": lambda folder: round_robin([text, number], rounds=0),
    "group/twice": lambda folder: round_robin([text, text], rounds=1),
    "group/needs": lambda folder: debate([agent("qa", Odd), agent("qb")], agent("judge"), rounds=1),
    "group/start": lambda folder: handoff(["qa", "qb"], start="qc"),
    "group/cast": lambda folder: among({"qa": "qa"}, 5),
    "group/rule": lambda folder: vote([text, number], rule="majorty"),
    "group/worker": lambda folder: planner_worker_reviewer("plan", [_inner(Task)], "review", at_most=1),
    "group/review": lambda folder: passes(5),  # type: ignore[arg-type]
    # Teams.
    "team/agent": lambda folder: Team.of("desk", agents={"qa": "qa"})["qb"],
    "team/role": lambda folder: Team.of("desk", agents={"qa": "no-such-role"}),
    "team/function": lambda folder: Team.of("desk", agents={"qa": text}),
    "team/no workflow": lambda folder: Team.of("desk", agents={"qa": "qa", "qb": "qa"}),
    "team/stranger": lambda folder: Team.of("desk", _stranger(), agents={"qa": "qa"}),
    "team/workflow": lambda folder: Team.of("desk", _named("qb"), agents={"qa": "qa"}),
    "team/mistake": lambda folder: Team.of("my desk", agents={"qa": "qa"}),
    "team/head": lambda folder: Team.of("desk", agents={"mood": _role(folder)}).require_heads(),
    "team/shipped head": lambda folder: Team.of("desk", agents={"qa": "qa"}, backbone="none").require_heads(),
    # What a file cannot say.
    "save/ending": lambda folder: Team.of("desk", agents={"qa": "qa"}).save(folder / "desk.json"),
    "save/other file": lambda folder: _write(folder, "desk.yaml") and _desk().save(folder / "desk.yaml"),
    "save/changed": lambda folder: _changed(folder),
    "save/chooser": lambda folder: _saved(folder, lambda made: made.each(
        Expression.constant(["a"]), agent=_chosen)),
    "save/function": lambda folder: _saved(folder, lambda made: made.step(number)),
    "save/several": lambda folder: _saved(folder, lambda made: (made.step(number), made.step(later))),
    "save/constant": lambda folder: _saved(folder, lambda made: made.step(same, input={"value": (1, 2)})),
    "save/merge": lambda folder: _saved(folder, lambda made: made.step(
        "qa", after=[made.step("qa", name="a", after=[]), made.step("qa", name="b", after="input")],
        merge=_chosen)),
    "save/retry": lambda folder: _saved(folder, lambda made: made.step("qa", retry=Retry(on=(ValueError,)))),
    "save/field": lambda folder: _saved(folder, lambda made: made.ask("Who?", gives=Mapped)),
    "save/default": lambda folder: _saved(folder, lambda made: made.ask("Who?", gives=Defaulted)),
    "save/name": lambda folder: _saved(folder, lambda made: made.step("qa", name="_own")),
    "save/workflow": lambda folder: _saved(folder, lambda made: made.step(_inner(Task))),
    "save/outside": lambda folder: Team.of("desk", agents={"qa": {"role": "qa", "tools": ["notes.csv"]}},
                                           folder=folder).save(_made(folder / "new") / "desk.yaml"),
    "save/class": lambda folder: Team.of("desk", agents={"qa": _role_class(folder)}).save(folder / "desk.yaml"),
    "save/role": lambda folder: Team.of("desk", agents={"mood": _role(folder)}).save(folder / "desk.yaml"),
    "save/other role": lambda folder: _other_role(folder),
}  # fmt: skip


class Pair(Message, message_name="test_catalogue.Pair"):
    """Two fields that are needed."""

    left: str
    right: str


class Mapped(Message, message_name="test_catalogue.Mapped"):
    """A field of a type that a file cannot say."""

    of: dict[str, int]


class Defaulted(Message, message_name="test_catalogue.Defaulted"):
    """A field that need not be given."""

    mood: Literal["glad", "sad"] = "glad"


def _inner(takes: type[Message]) -> Workflow:
    made = Workflow("inner", takes)
    made.step(later)
    return made


def _stranger() -> Workflow:
    made = Workflow("flow")
    made.step(agent("qa"))
    return made


def _named(name: str) -> Workflow:
    made = Workflow("flow")
    made.step(name)
    return made


def _desk() -> Team:
    return Team.of("desk", agents={"qa": "qa"})


def _role(folder: Path) -> Role:
    return replace(Role.load(folder / "mood.yaml"), demonstrations=())


class Moods(Role):
    """A role with code of its own."""


def _role_class(folder: Path) -> Role:
    role = _role(folder)
    return Moods(role.name, role.does, role.takes, role.gives, role.record)


def _chosen(item: Any) -> Any:
    return Task(request="a")


def _other_role(folder: Path) -> None:
    (_made(folder / "roles") / "mood.yaml").write_text("role: other\n", encoding="utf-8")
    Team.of("desk", agents={"mood": _role(folder)}).save(folder / "desk.yaml")


def _write(folder: Path, name: str) -> bool:
    return bool((folder / name).write_text("team: other\n", encoding="utf-8"))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _changed(folder: Path) -> None:
    file = folder / "saved.yaml"
    team = _desk()
    team.save(file)
    file.write_text(file.read_text(encoding="utf-8") + "does: more\n", encoding="utf-8")
    team.save(file)


def _saved(folder: Path, build: Callable[[Workflow], Any]) -> None:
    made = Workflow("flow", Task)
    build(made)
    Team.of("desk", made, agents={"qa": "qa"}).save(folder / "desk.yaml")
