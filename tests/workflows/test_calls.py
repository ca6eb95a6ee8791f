"""Functions that YAML may name: understudy's own, registered ones, those of packages and of --functions."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import understudy
from understudy.agents.messages import Finding, PlannedStep, Source
from understudy.cli import app
from understudy.core.errors import UnderstudyError
from understudy.workflows import calls
from understudy.workflows.calls import CALLS, combine, declared, load_functions
from understudy.workflows.functions import FUNCTIONS
from understudy.workflows.vector import Vector

A, B = (Source(title=name, text=name, source="graph") for name in "AB")


def step(*needs: int) -> PlannedStep:
    return PlannedStep(agent="qa", request="?", needs=needs)


def test_the_steps_that_others_read_are_sources_and_no_answers() -> None:
    first = Finding(answer="Spain, Italy", values=("Spain", "Italy"), sources=(A,), confidence=0.5)
    second = Finding(answer="Italy", values=("Italy",), sources=(B, A), confidence=0.9)
    found = combine([step(), step(1)], [first, second])
    assert found == Finding(answer="Italy", values=("Italy",), sources=(A, B), confidence=0.5)


def test_independent_parts_are_all_answered() -> None:
    parts = [Finding(answer="Lima", values=("Lima",)), Finding(answer="yen", values=("yen", "Lima"), abstained=True)]
    found = combine([step(), step()], parts)
    assert found.answer == "Lima; yen" and found.values == ("Lima", "yen") and found.abstained


def test_what_rests_on_a_doubtful_step_is_doubtful() -> None:
    sure = Finding(answer="7", values=("7",), confidence=0.9)
    unsure = Finding(answer="Spain", values=("Spain",), abstained=True, confidence=0.4)
    assert combine([step(), step(1)], [unsure, sure]).abstained
    assert combine([step(), step(1)], [None, sure]).abstained
    assert not combine([step(), step(1)], [sure, sure]).abstained


def test_a_step_that_failed_is_left_out() -> None:
    assert combine([step(), step()], [None, Finding(answer="yen")]).answer == "yen"
    assert combine([step()], [None]).abstained


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(calls, "_registered", {})
    declared.cache_clear()
    yield
    declared.cache_clear()


@pytest.mark.parametrize(("name", "arguments", "expected"), [
    ("same", {"value": [1]}, [1]),
    ("record", {"a": 1, "b": None}, {"a": 1, "b": None}),
    ("merge", {"mappings": [{"a": 1, "b": 2}, None, PlannedStep(agent="qa", request="?"), {"a": 3}]},
     {"a": 3, "b": 2, "agent": "qa", "request": "?", "needs": ()}),
    ("merge", {"mappings": []}, {}),
    ("fill", {"template": "{n} of {items}, {x.y} {n}", "n": 2, "items": ("tea", 1)}, "2 of tea, 1, {x.y} 2"),
    ("join_texts", {"texts": ["a", None, "b"]}, "a\nb"),
    ("join_texts", {"texts": Vector.of(["a", "b"]), "between": ", "}, "a, b"),
    ("split_text", {"text": " a \n\nb"}, ["a", "b"]),
    ("split_text", {"text": "a, b,,c", "by": ","}, ["a", "b", "c"]),
    ("split_text", {"text": " a  b", "by": ""}, ["a", "b"]),
    ("chunks", {"items": Vector.of("abc"), "size": 2}, [["a", "b"], ["c"]]),
    ("chunks", {"items": [], "size": 2}, []),
    ("count", {"values": ["b", "a", "b", None, 1]}, {"b": 2, "a": 1, "1": 1}),
    ("total", {"numbers": [1, None, 2.5]}, 3.5),
    ("first", {"values": [None, 0, 1]}, 0),
    ("first", {"values": []}, None),
    ("best", {"values": [None, {"confidence": 0.5}, {"confidence": 0.7, "x": 1}, {"confidence": 0.7, "x": 2}]},
     {"confidence": 0.7, "x": 1}),
    ("best", {"values": [{"n": 1}, {"n": 2}], "by": "n"}, {"n": 2}),
    ("best", {"values": [None]}, None),
])
def test_functions_of_understudy(name: str, arguments: Mapping[str, Any], expected: Any) -> None:
    found = CALLS[name](**arguments)
    assert found == expected and type(found) is type(expected)
    assert name != "count" or list(found) == list(expected)


@pytest.mark.parametrize(("name", "arguments", "expected"), [
    ("fill", {"template": "{itm}", "item": 1}, "the template has {itm}, which is not given; did you mean 'item'?"),
    ("merge", {"mappings": [5]}, "merge takes mappings, not a number"),
    ("chunks", {"items": [1], "size": 0}, "chunks of 0 items; give a size of at least 1"),
    ("best", {"values": [{"n": 1}], "by": "m"}, "a mapping has no 'm'"),
])
def test_what_they_refuse(name: str, arguments: Mapping[str, Any], expected: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        CALLS[name](**arguments)
    assert expected in str(caught.value)


def test_each_is_in_the_documentation() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "teams.md").read_text(encoding="utf-8")
    own = page[page.index("understudy's own:") : page.index("those of the person")]
    assert [name for name in FUNCTIONS if f"`{name}`" not in own] == []


def price(count: int) -> float:
    return 2.5 * count


def test_functions_are_registered_in_three_ways() -> None:
    assert understudy.register("price", price) is price
    assert understudy.register(price) is price
    assert understudy.register("double-price")(lambda count: 2 * price(count))(2) == 10
    assert CALLS["price"](2) == 5 and CALLS["double-price"](2) == 10
    assert "price" in CALLS and {"price", "double-price", "combine"} <= set(CALLS) and len(CALLS) == len(list(CALLS))
    understudy.register("price", round)
    assert CALLS["price"] is round, "a later one takes its place"


@pytest.mark.parametrize(("arguments", "expected"), [
    (("os.system", price), "a function cannot be registered as 'os.system'"),
    (("", price), "a function cannot be registered as ''"),
    ((lambda: 1,), "a function cannot be registered as '<lambda>'"),
    (("fill", price), "the function 'fill' is one of understudy's own; register it otherwise"),
    (("price", 5), "what is registered as 'price' cannot be called"),
    ((5, price), "a function cannot be registered as 5"),
])
def test_what_cannot_be_registered(arguments: tuple[Any, ...], expected: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        understudy.register(*arguments)
    assert expected in str(caught.value) and not calls._registered


def test_an_unknown_function_says_how_to_register_it() -> None:
    with pytest.raises(UnderstudyError, match=r"no registered function 'wish'; register it: understudy.register"):
        CALLS["wish"]
    with pytest.raises(UnderstudyError, match=r"did you mean 'record'\? or register it: "):
        CALLS["recrod"]


def package(folder: Path, name: str, points: str, code: str = "") -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[understudy.calls]\n{points}\n")
    (folder / f"{name}_calls.py").write_text(code)


def test_functions_of_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, "taxes", "tax = taxes_calls:tax\nrate = taxes_calls:RATE\nfill = taxes_calls:tax\n"
            "gone = taxes_calls:gone\nboth = taxes_calls:tax",
            "RATE = 0.2\ndef tax(sum: float) -> float: return sum * RATE")
    package(tmp_path, "tolls", "both = tolls_calls:toll\nbad = tolls_calls:toll", "raise OSError('no licence')")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "tax" in CALLS and {"tax", "both", "bad"} <= set(CALLS)
    assert "taxes_calls" not in sys.modules, "a package is imported when its function is asked for"
    assert CALLS["tax"](10.0) == 2.0 and CALLS["fill"] is FUNCTIONS["fill"]
    understudy.register("tax", price)
    assert CALLS["tax"] is price
    for name, expected in (
        ("both", "the function 'both' is declared by taxes and tolls; uninstall one of them"),
        ("bad", "understudy.calls: tolls_calls:toll: the function 'bad' cannot be loaded: OSError: no licence"),
        ("gone", "the function 'gone' cannot be loaded: AttributeError"),
        ("rate", "understudy.calls: taxes_calls:RATE: 'rate' is no function"),
    ):
        with pytest.raises(UnderstudyError) as caught:
            CALLS[name]
        assert expected in str(caught.value)


def test_a_function_that_cannot_be_loaded_is_a_mistake_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from understudy.workflows.schema import check_text

    package(tmp_path, "broke", "bad = broke_calls:bad", "raise OSError('no licence')")
    monkeypatch.syspath_prepend(str(tmp_path))
    head = "schema: understudy/team/v1\nteam: t\n"
    (found,) = check_text(f"{head}workflow: {{steps: {{a: {{sleep: 1, then: b}}, b: {{call: bad}}}}}}\n")
    assert (found.line, found.path) == (3, "workflow.steps.b.call") and "no licence" in str(found)
    (found,) = check_text(head + "agents: {a: {call: bad}}\n")
    assert (found.line, found.path) == (3, "agents.a.call") and "no licence" in str(found)


CODE = """\
from __future__ import annotations
from dataclasses import dataclass
import understudy

@dataclass
class Rates:
    each: float = 2.5

class Bill(understudy.Message, message_name="test_calls.Bill"):
    sum: float

@understudy.register
def bill(count: int) -> Bill:
    return Bill(sum=Rates().each * count)

understudy.register("tip", lambda bill: bill.sum / 10)
"""


def test_a_file_of_functions(tmp_path: Path) -> None:
    (tmp_path / "functions.py").write_text(CODE)
    assert load_functions(tmp_path / "functions.py") == ("bill", "tip")
    assert CALLS["tip"](CALLS["bill"](4)) == 1.0
    assert load_functions(str(tmp_path / "functions.py")) == ("bill", "tip"), "again is no mistake"


@pytest.mark.parametrize(("name", "text", "expected"), [
    ("none.py", None, "none.py: the file of functions does not exist"),
    ("functions.txt", CODE, "functions.txt: the file of functions is not a .py file"),
    ("functions.py", "def bill(): return 1\n",
     "functions.py: the file registers no function; write @understudy.register"),
    ("functions.py", "x = 1\ny = x / 0\n", "functions.py:2: ZeroDivisionError: division by zero"),
    ("functions.py", "x = 1\ny = = 2\n", "functions.py:2: SyntaxError"),
    ("functions.py", "import sys\nsys.exit(3)\n", "functions.py:2: SystemExit: 3"),
])
def test_files_that_are_none(tmp_path: Path, name: str, text: str | None, expected: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UnderstudyError) as caught:
        load_functions(tmp_path / name)
    assert expected in str(caught.value)


def test_functions_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("functions.py").write_text(CODE)
    Path("team.yaml").write_text("""\
schema: understudy/team/v1
team: shop
input: {count: integer}
workflow:
  steps:
    bill: {call: bill, input: {count: input.count}, then: sure}
    sure: {ask: Pay?, choices: [yes, no], then: tip}
    tip: {call: tip, input: {bill: bill}}
output: {sum: bill.sum, tip: tip}
""")
    Path("request.json").write_text('{"count": 4}')
    mine = ["--functions", "functions.py", "--json"]

    def called(*words: str) -> Any:
        calls._registered.clear()
        done = CliRunner().invoke(app, list(words))
        return done.exit_code, json.loads(done.stdout.splitlines()[-1]), done.stderr

    code, said, _ = called("check", "team.yaml", "--json")
    paths = [one["path"] for one in said["problems"]]
    assert code == 2 and paths == ["workflow.steps.bill.call", "workflow.steps.tip.call"]
    assert called("check", "team.yaml", *mine)[:2] == (0, {"ok": True, "files": ["team.yaml"], "problems": []})
    code, said, told = called("run", "team.yaml", "--input", "request.json", "--run-id", "r", *mine)
    assert (code, said["status"]) == (0, "waiting") and "resume team.yaml r --functions functions.py --answer" in told
    code, said, _ = called("resume", "team.yaml", "r", "--answer", "sure=yes", *mine)
    assert (code, said["output"]) == (0, {"sum": 10.0, "tip": 1.0})
    assert called("replay", "team.yaml", "r", *mine)[1]["output"] == said["output"]
    code, said, _ = called("fork", "team.yaml", "r", "--step", "sure", "--output", "no", *mine)
    assert code == 0 and said["output"]["tip"] == 1.0
    code, said, _ = called("run", "team.yaml", "--input", "request.json", "--functions", "none.py", "--json")
    assert code == 2 and said["error"]["what"] == "the file of functions does not exist"
