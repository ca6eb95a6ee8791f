"""``understudy evaluate`` as a person runs it: a small travel desk beside rules, a learned role, a prompted model."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.faces.learned import TEAM
from understudy.cli import app

runner = CliRunner()
COUNTRIES = {"Peru", "Chile", "Bolivia", "Ecuador", "Brazil", "France", "Spain", "Kenya"}

QUESTIONS: list[dict[str, Any]] = [
    {"id": "count", "role": "coder", "request": "How many countries are in South America?", "values": [5]},
    {"role": "coder", "request": "How many countries are there?", "values": [8]},
    {"id": "lima", "role": "qa", "request": "What is the capital of Peru?", "values": ["Lima"]},
    {"role": "qa", "request": "Who wrote the anthem of Chile?", "unanswerable": True},
    {"role": "planner", "request": "What is the capital of Peru?", "plans": [["qa"]]},
    {"role": "planner", "request": "How many countries are there?", "plans": [["coder"]]},
    {"role": "recommender", "request": "I loved Peru. Where next?", "liked": ["Peru"]},
    {"request": "How many countries are there?", "expect": {"answer": "8"}, "plans": [["coder"]]},
    {"request": "How many people live in neighbours of Peru?", "values": [8], "plans": [["qa", "coder"]]},
]

RULES = '''
from __future__ import annotations
from dataclasses import dataclass
from understudy.core.fields import SpanValue

@dataclass(frozen=True)
class Reply:
    values: dict

class Rules:
    """Plans a step for qa or the coder, counts all countries, reads nothing, likes all that is mentioned."""
    def decode(self, calls):
        return [Reply(getattr(self, {"SQL": "sql"}.get(call.prompt.role, call.prompt.role))(call)) for call in calls]
    def plan(self, call):
        request = call.prompt.part("request")
        agent = "coder" if "How many" in request else "qa"
        return {"steps": [{"agent": agent, "request": SpanValue(0, 0, len(request), request), "needs": []}]}
    def sql(self, call):
        return {"sql": "SELECT COUNT(*) FROM countries"}
    def answer(self, call):
        return {"answer": None}
    def recommend(self, call):
        record = dict(call.record.fields)
        liked = record["liked"].item.options
        return {"liked": list(liked), "places": {name: float(at) for at, name in enumerate(record["places"].options)}}
'''


def call(*arguments: str | Path) -> Result:
    return runner.invoke(app, ["evaluate", *map(str, arguments)], env={"COLUMNS": "160"})


def told(*arguments: str | Path, code: int = 0) -> Any:
    """The one JSON object on stdout, and nothing else there."""
    done = call(*arguments, "--json")
    assert done.exit_code == code, (done.output, done.exception)
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


def lines_of(file: Path, lines: list[dict[str, Any]]) -> Path:
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    """The travel desk with a few countries, in a folder of its own."""
    whole, folder = checkout / "examples" / "travel_desk", tmp_path_factory.mktemp("desk")
    (folder / "data").mkdir()
    (folder / "team.yaml").write_text((whole / "team.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    for name in ("briefs", "countries", "triples"):
        with (whole / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        with (folder / "data" / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *(row for row in rows if row[0] in COUNTRIES)])
    (folder / "plain.py").write_text(RULES, encoding="utf-8")
    lines_of(folder / "questions.jsonl", QUESTIONS)
    return folder


@pytest.fixture(scope="module")
def compared(desk: Path) -> dict[str, Any]:
    """What is told of all questions with all rivals."""
    more = ("--ablate", "--rules", desk / "plain.py", "--report", desk / "out")
    found: dict[str, Any] = told(desk / "team.yaml", desk / "questions.jsonl", *more)
    return found


def test_every_part_is_asked_of_every_rival(compared: dict[str, Any]) -> None:
    rivals = ["trained head", "no head", "untrained head", "other role's head", "rules"]
    assert list(compared["rivals"]) == rivals
    assert list(compared["parts"]) == ["planner", "coder", "qa", "recommender", "team", "team: two roles or more"]
    for part in compared["parts"].values():
        assert list(part["rivals"]) == rivals
        for figures in part["rivals"].values():
            assert figures["right"]["total"] == part["questions"] == len(figures["wrong"]) + figures["right"]["right"]
            assert figures["seconds"]["value"] > 0 and figures["failed"] == 0
    assert compared["parts"]["qa"]["rivals"]["no head"]["seconds"]["of"] == "mean"
    assert compared["parts"]["team"]["rivals"]["no head"]["seconds"]["of"] == "median"


def test_what_rules_say_is_counted_as_it_must(compared: dict[str, Any]) -> None:
    """The rules' answers are known, so that every figure of theirs is."""
    rules = {name: part["rivals"]["rules"] for name, part in compared["parts"].items()}
    counts = {
        name: (one["right"]["right"], one["answered"]["right"], one["answered"]["total"]) for name, one in rules.items()
    }
    assert counts == {
        "planner": (2, 2, 2), "coder": (1, 2, 2), "qa": (1, 0, 1), "recommender": (1, 1, 1), "team": (2, 2, 2),
        "team: two roles or more": (1, 1, 1),
    }  # fmt: skip
    assert rules["qa"]["right_of_answerable"]["right"] == rules["qa"]["false_answers"]["right"] == 0
    assert rules["qa"]["right_of_answered"]["total"] == 0 and rules["qa"]["false_answers"]["total"] == 1
    assert (rules["team"]["plan_right"]["right"], rules["team"]["plan_right"]["total"]) == (1, 2)
    assert rules["recommender"]["suggested"] == {"places": 3, "visited": 0, "unknown": 0}
    (wrong,) = rules["coder"]["wrong"]
    assert (wrong["id"], wrong["wanted"], wrong["answered"]) == ("count", {"values": [5]}, True)
    assert wrong["given"] == "8 [SELECT COUNT(*) FROM countries]" and wrong["where"].endswith("questions.jsonl:1")


def test_the_verdict_is_named(compared: dict[str, Any]) -> None:
    """Two questions cannot tell anybody apart, whoever is right: p is a half at the least."""
    for part in compared["parts"].values():
        verdict = part["verdict"]
        assert verdict["wins"] is False and verdict["p"] >= 0.5
        best = max(one["right"]["right"] for name, one in part["rivals"].items() if name != "trained head")
        assert verdict["rival_right"]["right"] == best == part["rivals"][verdict["best_rival"]]["right"]["right"]
    assert compared["not_won"] == list(compared["parts"])


def test_the_report_has_figures_and_wrong_answers(compared: dict[str, Any], desk: Path) -> None:
    written = json.loads((desk / "out" / "report.json").read_text(encoding="utf-8"))
    assert written == compared
    text = (desk / "out" / "report.md").read_text(encoding="utf-8")
    for words in (
        "### qa (2, 1 unanswerable)", "| right |", "## Verdicts", "coder does not win", "*rules*: plain.py",
        "## Wrong answers of the trained heads", "Not beyond the best of the others: planner, coder",
    ):  # fmt: skip
        assert words in text
    for name, part in compared["parts"].items():
        for wrong in part["rivals"]["trained head"]["wrong"]:
            assert f"| {wrong['where']} |" in text, name


def test_the_trained_heads_alone_are_shown_side_by_side(desk: Path, tmp_path: Path) -> None:
    some = lines_of(tmp_path / "some.jsonl", [one for one in QUESTIONS if one.get("role") in ("coder", "planner")])
    done = call(desk / "team.yaml", some)
    assert done.exit_code == 0, (done.output, done.exception)
    for word in ("planner", "coder", "questions", "confident errors"):
        assert word in done.stdout
    assert "win" not in done.stdout


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ({"role": "coda", "request": "a", "values": ["b"]}, "the team has no agent 'coda'; did you mean 'coder'?"),
        ({"role": "planner", "request": "a", "values": ["b"]}, "planner gives a plan; give it plans, expect"),
        ({"role": "qa", "request": {"req": "a"}, "values": ["b"]}, "it takes request"),
        ({"request": "a", "valus": ["b"]}, "there is no field 'valus'"),
        ({"takes": {"text": "a"}, "gives": {}}, "the line has no 'request', only takes, gives"),
    ],
)
def test_a_bad_line_is_told_before_anything_is_loaded(
    desk: Path, tmp_path: Path, line: dict[str, Any], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.workflows.resources.Resources.make_ready", lambda self: pytest.fail("loaded"))
    file = lines_of(tmp_path / "bad.jsonl", [QUESTIONS[0], line])
    done = call(desk / "team.yaml", file)
    assert done.exit_code == 2
    assert "bad.jsonl:2: " in done.stderr and what in done.stderr


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--against", "localhost:8000", "--model", "x"), "'localhost:8000' is no address of an API"),
        (("--against", "https://api.example/v1?key=a", "--model", "x"), "the url goes on behind '?' or '#'"),
        (("--against", "http://localhost:1"), "--against and --model belong together"),
        (("--model", "x"), "--against and --model belong together"),
        (("--report", "plain.py"), "this is a file"),
        (("--rules", "nowhere.py"), "nowhere.py: there is no such file"),
        (("--rules", "broken.py"), "the rules cannot be loaded (ZeroDivisionError: division by zero)"),
        (("--rules", "empty.py"), "give it a class Rules with decode(calls)"),
    ],
)
def test_a_bad_call_is_refused(desk: Path, words: tuple[str, ...], what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    for name in ("make_ready", "put_head"):
        monkeypatch.setattr(f"understudy.workflows.resources.Resources.{name}", lambda *_: pytest.fail("loaded"))
    (desk / "broken.py").write_text("1 / 0", encoding="utf-8")
    (desk / "empty.py").write_text("", encoding="utf-8")
    done = call("team.yaml", "questions.jsonl", "--ablate", *words)
    assert done.exit_code == 2 and what in " ".join(done.stderr.split())


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory, checkout: Path, tiny_backbone: Path) -> Path:
    """A folder with the triage role, learned on a tiny backbone, and a team of it."""
    folder = tmp_path_factory.mktemp("learned")
    (folder / "team.yaml").write_text(TEAM.format(backbone=tiny_backbone), encoding="utf-8")
    role = checkout / "examples" / "triage" / "role.yaml"
    done = runner.invoke(app, ["learn", str(role), "--out", str(folder / "heads"), "--backbone", str(tiny_backbone)])
    assert done.exit_code == 0, (done.output, done.exception)
    return folder


@pytest.fixture
def there(learned: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The commands run in the folder."""
    monkeypatch.chdir(learned)
    return learned


def ask(*arguments: str) -> Any:
    return json.loads(runner.invoke(app, [*arguments, "--json"]).stdout)


def test_a_role_is_counted_as_asking_it_gives(there: Path) -> None:
    texts = ["I was charged twice", "The app crashes", "How do I add a user?", "Refund me"]
    given = [ask("ask", "triage", text) for text in texts]
    right = [{"takes": {"text": text}, "gives": dict(one["output"])} for text, one in zip(texts, given, strict=True)]
    right[0]["gives"]["urgent"] = not right[0]["gives"]["urgent"]
    lines_of(there / "questions.jsonl", right)
    figures = told("triage", "questions.jsonl", "--report", "out")
    assert figures["cases"] == 4
    assert (figures["whole"]["right"], figures["fields"]["urgent"]["right"]) == (3, 3)
    assert figures["fields"]["queue"]["right"] == 4
    assert figures["answered"]["right"] == sum(not one["abstained"] for one in given)
    wrong = [error["where"] for error in figures["confident_errors"]]
    assert wrong == ([] if given[0]["abstained"] else ["questions.jsonl:1"])
    assert [(one["where"], one["request"]) for one in figures["wrong"]] == [("questions.jsonl:1", {"text": texts[0]})]
    assert json.loads((there / "out" / "report.json").read_text(encoding="utf-8")) == figures
    text = (there / "out" / "report.md").read_text(encoding="utf-8")
    assert "| all fields right | 3/4 | 75.0% |" in text and f'| questions.jsonl:1 | {{"text": "{texts[0]}"}} |' in text
    assert "of 4" in call("triage", "questions.jsonl").stdout
    refused = call("triage", "questions.jsonl", "--ablate")
    assert refused.exit_code == 2 and "others are compared on a team" in refused.stderr


def test_a_field_that_the_role_does_not_give_is_named(there: Path) -> None:
    lines_of(there / "wrong.jsonl", [{"takes": {"text": "a"}, "gives": {"kue": "bug"}}])
    done = call("triage", "wrong.jsonl")
    assert done.exit_code == 2
    assert "wrong.jsonl:1" in done.stderr and "'kue'" in done.stderr


def test_a_team_of_a_learned_role(there: Path) -> None:
    """One role has no other's head; what is expected is judged alone and in the workflow alike; abstaining is told."""
    manifest = there / "heads" / "triage" / "head.json"
    learned = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(learned | {"threshold": 0.0}), encoding="utf-8")
    queue = ask("run", "team.yaml", "I was charged twice")["output"]["queue"]
    lines_of(there / "team.jsonl", [
        {"request": "I was charged twice", "expect": {"queue": queue}},
        {"request": {"text": "I was charged twice"}, "expect": {"queue": {"lacks": queue}}},
        {"role": "sorter", "request": "I was charged twice", "expect": {"queue": queue}},
    ])  # fmt: skip
    found = told("team.yaml", "team.jsonl", "--ablate")
    assert list(found["parts"]) == ["sorter", "team"]
    for part, right in (("sorter", 1), ("team", 1)):
        figures = found["parts"][part]["rivals"]
        assert list(figures) == ["trained head", "no head", "untrained head"]
        assert figures["trained head"]["right"]["right"] == right
    (wrong,) = found["parts"]["team"]["rivals"]["trained head"]["wrong"]
    assert wrong["where"] == "team.jsonl:2" and wrong["answered"]
    manifest.write_text(json.dumps(learned | {"threshold": 1.1}), encoding="utf-8")
    sorter = told("team.yaml", "team.jsonl")["parts"]["sorter"]["rivals"]["trained head"]
    assert sorter["right"]["right"] == 0 and sorter["wrong"][0]["answered"] is False


Server = Callable[[Callable[[int], tuple[int, str]]], str]


@pytest.fixture
def server() -> Iterator[Server]:
    """Serves what a function gives for the number of the request, (status, content); gives the address."""
    servers = []

    def serve(answer: Callable[[int], tuple[int, str]]) -> str:
        count = iter(range(1000))

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                status, content = answer(next(count))
                body = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}/v1"

    yield serve
    for one in servers:
        one.shutdown()
        one.server_close()


def test_a_prompted_model_stands_beside(there: Path, server: Server) -> None:
    """Its first answer is not valid and its second is, so that one of three calls was not valid at once."""
    bug = json.dumps({"queue": "bug", "urgent": "no"})
    url = server(lambda number: (200, "no" if number == 0 else bug))
    lines = [{"role": "sorter", "request": text, "expect": {"queue": "bug"}} for text in ("a", "b", "c")]
    lines_of(there / "model.jsonl", lines)
    found = told("team.yaml", "model.jsonl", "--against", url, "--model", "parrot")
    figures = found["parts"]["sorter"]["rivals"]
    assert list(figures) == ["trained head", "parrot, few-shot"]
    assert figures["parrot, few-shot"]["right"]["right"] == 3
    calls = figures["parrot, few-shot"]["calls"]
    assert (calls["valid_first"]["right"], calls["valid_first"]["total"]) == (2, 3) and calls["seconds"] > 0
    assert found["refused"] == [] and "calls" not in figures["trained head"]


def test_a_prompted_model_that_refuses_is_asked_one_question_of_a_role(there: Path, server: Server) -> None:
    asked: list[int] = []
    url = server(lambda number: asked.append(number) or (403, ""))  # type: ignore[func-returns-value]
    lines = [{"role": "sorter", "request": text, "expect": {"queue": "bug"}} for text in "abcdefgh"]
    done = call("team.yaml", lines_of(there / "model.jsonl", lines), "--against", url, "--model", "parrot")
    assert done.exit_code == 2 and "403" in done.stderr and asked == [0]


def test_at_ctrl_c_the_calls_that_wait_are_given_up(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    closed: list[str] = []
    monkeypatch.setattr("understudy.examination.examine", interrupted)
    monkeypatch.setattr("understudy.endpoint.Endpoint.close", lambda self: closed.append(self.model))
    lines_of(there / "model.jsonl", [{"request": "a", "expect": {"queue": "bug"}}])
    done = call("team.yaml", "model.jsonl", "--against", "http://localhost/v1", "--model", "parrot")
    assert (done.exit_code, closed) == (130, ["parrot"])


def test_a_refused_first_call_ends_it_and_a_later_one_is_counted(there: Path, server: Server) -> None:
    lines_of(there / "model.jsonl", [{"request": text, "expect": {"queue": "bug"}} for text in ("a", "b", "c")])
    done = call("team.yaml", "model.jsonl", "--against", server(lambda number: (401, "")), "--model", "parrot")
    assert done.exit_code == 2 and "401" in done.stderr
    bug = json.dumps({"queue": "bug", "urgent": "no"})
    url = server(lambda number: (404, "") if number == 1 else (200, bug))
    found = told("team.yaml", "model.jsonl", "--against", url, "--model", "parrot")
    figures = found["parts"]["team"]["rivals"]["parrot, few-shot"]
    assert figures["failed"] == 1 and figures["right"]["right"] == 2 and len(found["refused"]) == 1
    assert "404" in figures["wrong"][0]["given"]
