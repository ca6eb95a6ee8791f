"""What a diagram shows of a workflow, read back from its Mermaid by a reader of its own; and what it is saved as."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy import Message, Team, UnderstudyError, Workflow
from understudy.workflows.diagram import Diagram, diagram
from understudy.workflows.expressions import Expression
from understudy.workflows.graph import END, Graph, Question, Route, Step


@dataclass(frozen=True)
class Flowchart:
    """A Mermaid flowchart: the label of each node, the (from, to, label, dashed) of each edge, node → subgraph."""

    nodes: dict[str, str]
    edges: list[tuple[str, str, str, bool]]
    within: dict[str, str]


_NODE = re.compile(r'(\w+)(?:\(\[|\(|\[\[|\[|\{\{|>)"([^"]*)"(?:\]\)|\)|\]\]|\]|\}\})(?::::(\w+))?')
_EDGE = re.compile(r'(\w+) (-->|-\.->)(?:\|"([^"]*)"\|)? (\w+)')
_SUBGRAPH = re.compile(r'subgraph (\w+)\["([^"]*)"\]')
_OTHER = re.compile(r"direction TB|class \w+ \w+|classDef \w+ stroke:#[0-9a-f]{6},stroke-width:1.5px")


def read_mermaid(text: str) -> Flowchart:
    """The flowchart. Raises ValueError for a line that is of no known form, or an edge between unknown nodes."""
    first, *lines = text.splitlines()
    if first != "flowchart TD":
        raise ValueError(first)
    made, open_ = Flowchart({}, [], {}), []
    for line in map(str.strip, lines):
        if found := _SUBGRAPH.fullmatch(line):
            _add(made, found[1], found[2], open_)
            open_.append(found[1])
        elif line == "end":
            open_.pop()
        elif found := _NODE.fullmatch(line):
            _add(made, found[1], found[2], open_)
        elif found := _EDGE.fullmatch(line):
            if not {found[1], found[4]} <= set(made.nodes):
                raise ValueError(line)
            made.edges.append((found[1], found[4], decoded(found[3] or ""), found[2] == "-.->"))
        elif not _OTHER.fullmatch(line):
            raise ValueError(line)
    if open_:
        raise ValueError(f"open: {open_}")
    return made


def _add(made: Flowchart, name: str, label: str, open_: list[str]) -> None:
    if name in made.nodes or name in ("end", "graph", "style", "class", "default", "subgraph"):
        raise ValueError(name)
    made.nodes[name] = decoded(label)
    if open_:
        made.within[name] = open_[-1]


def decoded(label: str) -> str:
    """What a reader sees of a label. Raises ValueError for a mark that Mermaid or HTML could take for its own."""
    text = label.replace("<br/>", "\n")
    bare = re.sub(r"#\d+;", "", text)
    if found := re.search(r"[^\w\s,.=/…]", bare):
        raise ValueError(f"{found[0]!r} in {label!r}")
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text).replace("\N{ZERO WIDTH SPACE}", "")


class Order(Message):
    item: str
    count: int
    note: str = ""


def price(order: Order) -> float:
    return 2.5 * order.count


def desk() -> Workflow:
    """A workflow with one of everything."""
    flow = Workflow("desk", takes=Order)
    flow.step(price)
    allowed = flow.ask("Pay this?", choices=["yes", "no"], name="allowed")
    flow.step("payer", name="pay", after=[], on_error="sorry")
    flow.step("sorry", after=[])
    flow.step(lambda pay: [pay], name="rows", after=["pay"])
    rows = flow.growing("rows")
    flow.each(rows, agent="clerk", name="left", after=["rows"], at_once=3, failure="collect")
    flow.sleep(60, name="right", after=["rows"])
    both = flow.step("judge", name="both", after=["left", "right"], merge="majority")
    flow.route(allowed, "pay", when=allowed == "yes", at_most=2)
    flow.route(allowed, "price", at_most=1)
    flow.route(allowed, END)
    flow.route(both, "both", when=both.again, at_most=3)
    flow.route(both, END)
    flow.route("sorry", END)
    return flow


def one(**fields: Any) -> Graph:
    """A graph of a single step."""
    return Graph("one", {"a": Step("a", **fields)}, "a")


def label_of(graph: Graph, step: str = "a") -> list[str]:
    return read_mermaid(graph.diagram().mermaid).nodes[f"step_{step}"].split("\n")


def test_every_kind_of_step_says_who_does_it() -> None:
    nodes = read_mermaid(desk().diagram().mermaid).nodes
    assert nodes == {
        "run_start": "start\ntakes item, count",
        "step_price": "price\nfunction",
        "step_allowed": "allowed\nasks a person: Pay this?\nyes / no",
        "step_pay": "pay\nagent payer",
        "step_sorry": "sorry\nagent",
        "step_rows": "rows\nfunction",
        "step_left": "left\nagent clerk\nfor each rows, 3 at once, without those that fail",
        "step_right": "right\nwaits 60 seconds",
        "step_both": "both\nagent judge\njoins left, right by majority",
        "run_end": "end",
    }


def test_every_way_on_is_an_edge_with_its_condition() -> None:
    edges = read_mermaid(desk().diagram().mermaid).edges
    assert edges == [
        ("run_start", "step_price", "", False),
        ("step_price", "step_allowed", "", False),
        ("step_allowed", "step_pay", "if allowed == 'yes', at most 2 times", False),
        ("step_allowed", "step_price", "else, at most once", False),
        ("step_allowed", "run_end", "else", False),
        ("step_pay", "step_rows", "", False),
        ("step_pay", "step_sorry", "on error", True),
        ("step_sorry", "run_end", "", False),
        ("step_rows", "step_left", "", False),
        ("step_rows", "step_right", "", False),
        ("step_left", "step_both", "", False),
        ("step_right", "step_both", "", False),
        ("step_both", "step_both", "if both.again, at most 3 times", False),
        ("step_both", "run_end", "else", False),
    ]


@pytest.mark.parametrize(
    "fields, lines",
    [
        ({"agent_from": Expression.parse("item.agent")}, ["agent from item.agent"]),
        ({"agent_from": price}, ["agent from price"]),
        ({"call": price, "each": Expression.parse("input.rows"), "failure": "all_or_nothing"},
         ["function price", "for each input.rows, 8 at once, all or nothing"]),
        ({"call": lambda: 1}, ["function"]),
        ({"sleep": Expression.parse("input.pause")}, ["waits input.pause seconds"]),
        ({"sleep": Expression.constant(1)}, ["waits 1 second"]),
        ({"ask": Question(Expression.parse("plan.question"))}, ["asks a person: plan.question"]),
        ({"agent": "b", "join": ("x", "y"), "merge": price}, ["agent b", "joins x, y by price"]),
        ({"agent": "b", "join": ("x", "y")}, ["agent b", "joins x, y"]),
        ({"workflow": Workflow("child")}, ["workflow child"]),
        ({}, ["nobody does it"]),
    ],
)
def test_the_words_of_a_step(fields: dict[str, Any], lines: list[str]) -> None:
    assert label_of(one(**fields)) == ["a", *lines]


def test_the_end_says_what_is_given() -> None:
    graph = Graph("one", {"a": Step("a", agent="a")}, "a", output={"text": Expression.parse("a.text")})
    assert read_mermaid(graph.diagram().mermaid).nodes["run_end"] == "end\ngives text"


def test_a_step_that_is_not_there_is_drawn_as_such() -> None:
    graph = one(agent="a", routes=(Route("b"),), on_error="c")
    made = read_mermaid(graph.diagram().mermaid)
    assert made.nodes["step_b"] == "b\nthere is no such step"
    assert made.edges[1:] == [("step_a", "step_b", "", False), ("step_a", "step_c", "on error", True)]


def nested() -> Workflow:
    child = Workflow("child")
    child.step(price, name="a")
    flow = Workflow("outer")
    flow.step("first", name="a")
    flow.step(child, name="b")
    return flow


def test_a_child_workflow_is_a_box_or_shown_with_its_steps() -> None:
    shut = read_mermaid(nested().diagram().mermaid)
    assert shut.nodes["step_b"] == "b\nworkflow child"
    assert not shut.within
    made = read_mermaid(nested().diagram(inside=True).mermaid)
    assert made.nodes["step_b"] == "b, workflow child"
    assert made.within == dict.fromkeys(["step_b_run_start", "step_b_step_a", "step_b_run_end"], "step_b")
    assert ("step_b_run_start", "step_b_step_a", "", False) in made.edges
    assert ("step_a", "step_b", "", False) in made.edges


def test_a_workflow_within_itself_is_shown_once() -> None:
    flow = Workflow("circle")
    flow.step("first", name="a")
    flow.step(flow, name="again")
    made = read_mermaid(flow.diagram(inside=True).mermaid)
    assert [name for name in made.nodes if name.endswith("again")] == ["step_again", "step_again_step_again"]


def test_names_that_look_alike_to_mermaid_stay_apart() -> None:
    steps = {name: Step(name, agent="x", routes=(Route("a-b"),)) for name in ("a-b", "a b", "a_b", "end", "style")}
    made = read_mermaid(Graph("g", steps, "end").diagram().mermaid)
    assert len(made.nodes) == 1 + len(steps)
    assert sorted(label.split("\n")[0] for label in made.nodes.values()) == sorted([*steps, "start"])


AWKWARD = 'Is "1 < 2" & `so` on?\n1. *x* __y__ $$z$$ fa:fa-car \\n <b>|{}[]()#35; &lt; %% style: #fff;'


def test_awkward_marks_are_written_so_that_nothing_reads_them() -> None:
    asked = one(ask=Question(Expression.constant(AWKWARD)))
    assert label_of(asked)[1] == f"asks a person: {AWKWARD}".replace("\n", " ")
    text = asked.diagram().mermaid
    assert "$$" not in text.replace("\N{ZERO WIDTH SPACE}", "") and "#36;#8203;#36;" in text


def test_long_texts_are_shortened() -> None:
    long = Step("a" * 500, agent="b" * 500, routes=(Route(END, Expression.constant("c" * 500)),))
    made = read_mermaid(Graph("g", {long.name: long}, long.name).diagram().mermaid)
    title, agent = made.nodes[f"step_{long.name}"].split("\n")
    assert title == "a" * 59 + "…"
    assert agent == "agent " + "b" * 59 + "…"
    assert made.edges[1][2] == "if '" + "c" * 58 + "…"


def test_team_graph_and_workflow_give_the_same_diagram(checkout: Path) -> None:
    team = Team.load(checkout / "examples" / "travel_desk" / "team.yaml")
    assert team.diagram() == team.workflow.diagram() == team.workflow.graph().diagram()
    assert isinstance(team.diagram(), Diagram)
    assert "for each plan.steps, 4 at once" in read_mermaid(team.diagram().mermaid).nodes["step_work"]


def test_it_is_saved_by_its_ending(tmp_path: Path) -> None:
    drawn = desk().diagram()
    assert drawn.save(tmp_path / "a.svg").read_bytes() == drawn.svg.encode()
    assert drawn.save(str(tmp_path / "a.MMD")).read_bytes() == drawn.mermaid.encode()
    assert drawn.save(tmp_path / "a.md").read_bytes() == f"```mermaid\n{drawn.mermaid}```\n".encode()
    with pytest.raises(UnderstudyError, match=r"a\.png.*\.svg, \.mmd or \.md"):
        drawn.save(tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_notebooks_show_the_svg() -> None:
    drawn = desk().diagram()
    assert drawn._repr_svg_() == drawn.svg
    assert drawn.svg in drawn._repr_html_()
    assert repr(drawn) == "Diagram('desk', 10 boxes)"


def test_it_is_a_value() -> None:
    with pytest.raises(AttributeError):
        desk().diagram().chart = None  # type: ignore[misc, assignment]
    assert desk().diagram() == desk().diagram()
    assert desk().diagram() != nested().diagram()


WRITES = "import sys, test_diagram as t; d = t.desk().diagram(); sys.stdout.write(d.mermaid + d.svg)"


def test_the_same_workflow_has_the_same_texts_in_every_process() -> None:
    texts = []
    for seed in ("1", "2"):
        path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        env = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run([sys.executable, "-c", WRITES], env=env, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        texts.append(done.stdout)
    assert texts[0] == texts[1]
    assert texts[0].startswith("flowchart TD")


names = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=6)


@given(st.lists(names, min_size=1, max_size=6, unique=True), st.data())
@settings(max_examples=60, deadline=None)
def test_any_graph_has_all_its_ways_in_mermaid(steps: list[str], data: st.DataObject) -> None:
    targets = st.sampled_from([*steps, END])
    routes = st.builds(Route, targets, st.none() | names.map(Expression.constant), st.none() | st.integers(1, 3))
    made = {
        name: Step(name, agent=name, routes=tuple(data.draw(st.lists(routes, max_size=3))),
                   on_error=data.draw(st.none() | st.sampled_from(steps)))
        for name in steps
    }  # fmt: skip
    found = read_mermaid(diagram(Graph("any", made, steps[0])).mermaid)
    order = [name for name in found.nodes if name.startswith("step_")]
    assert len(order) == len(steps)
    known = {**dict(zip(order, steps, strict=True)), "run_start": "$start", "run_end": END}
    ways = Counter((known[source], known[target], dashed) for source, target, _, dashed in found.edges)
    wanted = Counter(
        (name, target, False) for name, step in made.items() for route in step.routes or [Route(END)]
        for target in route.targets
    )  # fmt: skip
    wanted.update((name, step.on_error, True) for name, step in made.items() if step.on_error is not None)
    assert ways == wanted + Counter([("$start", steps[0], False)])
