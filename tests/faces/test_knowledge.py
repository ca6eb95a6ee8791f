"""``understudy knowledge`` as a person uses it: answers, mistakes in one sentence, exit codes, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from typer.testing import Result as Done

from understudy.cli import app
from understudy.knowledge import KnowledgeStore

Command = Callable[..., subprocess.CompletedProcess[str]]

BRIEFS = """title,text,lang,year
Peru,"Lima is the capital of Peru. It borders Chile.",en,2001
Chile,"Santiago is the capital of Chile.",en,2009
日本,東京は日本の首都です。,ja,2010
Escape,"A \x1b[31mred\x1b[0m [bold]text[/bold].",en,1999
"""
FACTS = """subject,relation,object,valid_from,valid_until
Peru,is_a,country,,
Peru,borders,Chile,,
Chile,borders,Argentina,,
Peru,also_called,Perú,,
Peru,also_called,Republic of Peru,,
Peru,head_of_state,Alan García,2006-07-28,2011-07-28
"""
COMMANDS = "add search show query paths stats documents check rebuild compact delete export evaluate".split()


class Desk:
    """A folder with files and a store, and the commands that are given there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "desk.db"
        (folder / "briefs.csv").write_text(BRIEFS, encoding="utf-8")
        (folder / "facts.csv").write_text(FACTS, encoding="utf-8")
        (folder / "notes" / "deep").mkdir(parents=True)
        (folder / "notes" / "visa.md").write_text("# Visas\n\nPeru asks for no visa.\n", encoding="utf-8")
        (folder / "notes" / "deep" / "sea.txt").write_text("Chile lies by the sea.\n", encoding="utf-8")

    def __call__(self, name: str, *words: str | Path) -> Done:
        line = ["knowledge", name, str(self.store), *map(str, words)]
        done = CliRunner().invoke(app, line, env={"COLUMNS": "80"})
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    def told(self, name: str, *words: str | Path, exit_code: int = 0) -> Any:
        done = self(name, *words, "--json")
        assert done.exit_code == exit_code, done.output
        return json.loads(done.stdout)

    def titles(self, *words: str | Path) -> list[str]:
        return [result["title"] for result in self.told("search", *words)["results"]]

    def bytes(self) -> bytes:
        return self.store.read_bytes()


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


@pytest.fixture
def desk(empty: Desk) -> Desk:
    assert empty("add", "briefs.csv", "facts.csv", "--embedder", "hashed").exit_code == 0
    return empty


def questions(desk: Desk, *rows: object) -> Path:
    path = desk.folder / "questions.jsonl"
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_add_takes_files_folders_and_globs(empty: Desk) -> None:
    done = empty("add", "briefs.csv", "facts.csv", "--embedder", "hashed")
    assert done.stdout == "2 documents, 4 passages, 6 new facts\n"
    assert empty("add", "briefs.csv", "facts.csv").stdout.endswith("; 2 unchanged\n")
    told = empty.told("add", "notes", "--namespace", "trips", "--set", "year=2020", "--set", "lang=en")
    assert (told["documents"], told["passages"], told["stats"]["documents"]) == (2, 2, 4)
    assert empty.told("add", "notes/**/*.txt")["documents"] == 1, "another namespace has documents of its own"
    assert empty.told("stats")["namespaces"] == ["default", "trips"]
    (found,) = empty.told("search", "visa", "--where", "year=2020", "--where", "lang=en", "--k", "1")["results"]
    assert (found["namespace"], found["metadata"]) == ("trips", {"year": 2020, "lang": "en"})


def test_patterns_find_what_sentences_state(empty: Desk) -> None:
    form = "{subject} is the capital of {object}=capital_of"
    empty("add", "briefs.csv", "--embedder", "hashed", "--pattern", form)
    answers = empty.told("query", "?city capital_of ?country")["answers"]
    assert [(a["city"], a["country"]) for a in answers] == [("Lima", "Peru"), ("Santiago", "Chile")]
    done = empty("add", "briefs.csv", "--pattern", form, "--extractor", "relations")
    assert done.exit_code == 2 and "two ways" in done.stderr
    done = empty("add", "briefs.csv", "--pattern", "is the capital of")
    assert done.exit_code == 2 and "not a pattern" in done.stderr


def test_documents_are_listed_with_what_they_support(desk: Desk) -> None:
    told = {row["name"]: (row["passages"], row["facts"]) for row in desk.told("documents")["documents"]}
    assert told["briefs.csv"] == (4, 0) and told["facts.csv"] == (0, 6)
    assert desk("documents", "--namespace", "none").stdout == ""


def test_add_says_what_is_nearly_the_same(desk: Desk) -> None:
    text = "Lima is the capital of Peru and lies by the sea as everybody who was there knows very well"
    (desk.folder / "again.csv").write_text(f"title,text\nA,{text}\nB,{text}!\n", encoding="utf-8")
    done = desk("add", "again.csv")
    assert done.exit_code == 0 and done.stderr == "nearly the same (100%): again.csv#B and again.csv#A\n"


def test_search_shows_passages_with_source_and_way(desk: Desk) -> None:
    done = desk("search", "Who borders Peru?", "--recipe", "graph")
    lines = done.stdout.splitlines()
    assert lines[0] == "1. Peru  briefs.csv#Peru" and lines[1] == "   Lima is the capital of Peru. It borders Chile."
    assert desk("search", "Peru", "--k", "1").stdout.splitlines()[-1] == "   Peru → briefs.csv#Peru"
    shown = desk("search", "red text", "--k", "1").stdout
    assert "[bold]text[/bold]" in shown and "\x1b" not in shown, "markup is text, and escapes are not obeyed"
    assert "東京は日本の首都です。" in desk("search", "日本").stdout


def test_search_answers_in_json(desk: Desk) -> None:
    told = desk.told("search", "capital of Peru", "--k", "2", "--recipe", "hybrid")
    assert (told["query"], told["recipe"], len(told["results"])) == ("capital of Peru", "hybrid", 2)
    best = told["results"][0]
    assert {"title", "text", "source", "span", "score", "path", "metadata", "document", "namespace"} <= best.keys()
    assert (best["source"], best["span"]) == ("briefs.csv#Peru", [0, len(best["text"])])
    (way,) = [r["path"] for r in desk.told("search", "Republic of Peru", "--k", "1")["results"]]
    assert [hop["name"] for hop in way] == ["Peru", "briefs.csv#Peru"]


def test_search_narrows(desk: Desk) -> None:
    assert set(desk.titles("capital", "--where", "year>=2001", "--where", "lang=en")) == {"Peru", "Chile"}
    assert desk.titles("capital", "--where", "title!=Peru", "--k", "1") == ["Chile"]
    assert desk.titles("capital", "--namespace", "elsewhere") == []
    assert len(desk.titles("capital", "--diversity", "1", "--k", "2")) == 2
    nothing = desk("search", "capital", "--where", "year>3000")
    assert (nothing.exit_code, nothing.stdout, nothing.stderr) == (0, "", "nothing found\n")


def test_as_of_takes_the_facts_of_a_time(desk: Desk) -> None:
    assert "Alan García (2006-07-28 to 2011-07-28)" in desk("show", "Peru", "--as-of", "2009").stdout
    assert "García" not in desk("show", "Peru", "--as-of", "2012").stdout
    ask = ("query", "Peru head_of_state ?who", "--as-of")
    assert desk(*ask, "2011-07-27").stdout == "who: Alan García\n"
    assert desk(*ask, "2011-07-28").stderr == "no answer\n"
    hops = [r["path"] for r in desk.told("search", "Alan García", "--recipe", "graph", "--as-of", "2012")["results"]]
    assert all(hop["relation"] == "" for way in hops for hop in way)


def test_many_questions_are_answered_a_line_each(desk: Desk) -> None:
    path = questions(desk, {"query": "capital of Peru"}, "", {"query": "日本", "id": 7}, {"query": "?!"})
    done = desk("search", "--queries", path, "--k", "1")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["query"] for row in rows] == ["capital of Peru", "日本", "?!"]
    assert [[result["title"] for result in row["results"]] for row in rows] == [["Peru"], ["日本"], []]


def test_show_query_and_paths(desk: Desk) -> None:
    assert desk("show", "Perú").stdout.splitlines() == [
        "Peru  country",
        "also called Perú, Republic of Peru",
        "Peru borders Chile  facts.csv#2",
        "Peru head of state Alan García (2006-07-28 to 2011-07-28)  facts.csv#6",
        "named in Peru  briefs.csv#Peru",
    ]
    told = desk.told("show", "Republic of Peru")
    assert told["entity"] == "Peru" and [fact["object"] for fact in told["facts"]] == ["Chile", "Alan García"]
    two = desk("query", "?a borders ?b . ?b borders ?c")
    assert two.stdout == "a: Peru  b: Chile  c: Argentina\n"
    assert desk("query", "Peru borders Chile").stdout == "yes\n"
    assert desk.told("query", "?x borders Argentina")["answers"] == [{"x": "Chile"}]
    assert desk("paths", "Argentina", "Perú").stdout == "Chile borders Argentina; Peru borders Chile\n"
    assert desk("paths", "Argentina", "Peru", "--longest", "1").stderr == "no way of at most 1 fact\n"
    (way,) = desk.told("paths", "Peru", "Argentina")["paths"]
    assert [fact["source"] for fact in way] == ["facts.csv#2", "facts.csv#3"]


def test_stats_compact_delete_and_rebuild(desk: Desk) -> None:
    stats = desk.told("stats")
    assert (stats["documents"], stats["passages"], stats["facts"]) == (2, 4, 6)
    assert stats["embedder"].startswith("hashed-") and stats["bytes"] == desk.store.stat().st_size
    assert "passages     4\n" in desk("stats").stdout
    gone = desk("delete", "facts.csv").stdout
    assert gone == "facts.csv is gone; 4 passages and 0 facts remain\n"
    told = desk.told("compact")
    assert told["bytes"] <= told["bytes_before"] and "MB now" in desk("compact").stdout
    assert desk.told("rebuild", "--embedder", "hashed-64-3")["embedder"] == "hashed-64-3"
    assert desk.told("stats")["dimension"] == 64 and desk.titles("capital of Peru", "--recipe", "dense")[0] == "Peru"
    assert "4 passages embedded by hashed-64-3" in desk("rebuild").stdout, "without a name it keeps its embedder"
    assert desk.told("check") == {"store": str(desk.store), "problems": []}


def test_check_finds_damage_and_fails(desk: Desk) -> None:
    assert desk("check").stdout == "all agrees\n"
    with KnowledgeStore.open(desk.store) as store:
        store._connection.execute("DELETE FROM vectors WHERE passage = 1")
    done = desk("check")
    assert done.exit_code == 1 and "1 passages have no vector" in done.stderr
    assert desk.told("check", exit_code=1)["problems"]


def test_a_broken_file_is_a_sentence(desk: Desk) -> None:
    whole = bytearray(desk.bytes())
    whole[8192:] = bytes(byte ^ 0x5A for byte in whole[8192:])
    desk.store.write_bytes(whole)
    for words in (["search", "Peru"], ["stats"], ["add", "notes"], ["rebuild"], ["check"]):
        done = desk(*words)
        assert done.exit_code in (1, 2) and "Traceback" not in done.stderr and done.stderr, words


@pytest.mark.parametrize("ending", ["graphml", "nt"])
def test_what_is_exported_can_be_added(desk: Desk, tmp_path: Path, ending: str) -> None:
    out = tmp_path / "out" / f"desk.{ending}"
    assert desk("export", out).stdout.startswith("6 facts in ") and out.is_file()
    other = tmp_path / "other.db"
    assert CliRunner().invoke(app, ["knowledge", "add", str(other), str(out), "--embedder", "hashed"]).exit_code == 0
    with KnowledgeStore.open(other) as store:
        assert {"Peru borders Chile", "Chile borders Argentina"} <= {str(fact) for fact in store.all_facts()}


def test_evaluate(desk: Desk) -> None:
    path = questions(
        desk,
        {"query": "capital of Peru", "titles": ["Peru"]},
        {"query": "Santiago", "sources": ["briefs.csv#Chile", "briefs.csv#日本"]},
    )
    told = desk.told("evaluate", path, "--recipe", "lexical", "--recipe", "auto")
    assert [score["recipe"] for score in told["recipes"]] == ["lexical", "auto"] and told["questions"] == 2
    assert told["recipes"][0]["recall"]["2"]["mean"] == 0.75
    lines = desk("evaluate", path).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["recipe", "lexical", "dense", "hybrid", "graph", "auto"]
    assert all(len(line) <= 80 for line in lines) and "75.0 [50.0–100.0]" in lines[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example(name: str) -> None:
    done = CliRunner().invoke(app, ["knowledge", name, "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0 and f"understudy knowledge {name} " in done.stdout.split("Usage", 1)[1].split("\n", 2)[2]


MISTAKES = {
    "show: an unknown entity": (["show", "Chili"], "did you mean Chile"),
    "paths: an unknown entity": (["paths", "Peru", "Argentine"], "did you mean Argentina"),
    "search: an unknown recipe": (["search", "Peru", "--recipe", "best"], "lexical, dense, hybrid, graph, auto"),
    "search: no condition": (["search", "Peru", "--where", "year"], "KEY=VALUE"),
    "search: no date": (["search", "Peru", "--as-of", "yesterday"], "2009-01-20"),
    "search: neither text nor file": (["search"], "TEXT or --queries"),
    "search: text and file": (["search", "Peru", "--queries", "questions.jsonl"], "TEXT or --queries"),
    "search: no such file": (["search", "--queries", "nope.jsonl"], "nope.jsonl"),
    "search: a line that is no JSON": (["search", "--queries", "questions.jsonl"], "questions.jsonl:2"),
    "search: a line without a query": (["search", "--queries", "unasked.jsonl"], "unasked.jsonl:1"),
    "query: no pattern": (["query", "?a borders"], "three terms"),
    "query: a quote that stays open": (["query", '?a borders "Peru'], "quote"),
    "add: no such path": (["add", "notes", "nope.csv"], "nope.csv"),
    "add: a bad file": (["add", "notes", "bad.graphml"], "bad.graphml"),
    "add: a key twice": (["add", "notes", "--set", "a=1", "--set", "a=2"], "KEY=VALUE"),
    "add: no value": (["add", "notes", "--set", "a"], "KEY=VALUE"),
    "add: a date in an old form": (["add", "notes", "dated.csv"], "not a date or time"),
    "add: another embedder": (["add", "notes", "--embedder", "hashed-64-3"], "understudy knowledge rebuild"),
    "add: an embedder that there is not": (["add", "notes", "--embedder", "notes"], "config.json"),
    "delete: no such document": (["delete", "brief.csv"], "briefs.csv"),
    "delete: of another namespace": (["delete", "briefs.csv", "--namespace", "x"], "in the namespace x"),
    "export: another ending": (["export", "desk.ttl"], ".graphml or .nt"),
    "evaluate: no evidence": (["evaluate", "unasked.jsonl"], "unasked.jsonl:1"),
    "evaluate: nothing asked": (["evaluate", "none.jsonl"], "no question"),
    "evaluate: an unknown recipe": (["evaluate", "asked.jsonl", "--recipe", "best"], "'best'"),
}


@pytest.mark.parametrize(("words", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence_and_changes_nothing(desk: Desk, words: list[str], said: str) -> None:
    questions(desk, {"query": "Peru"}, "{")
    (desk.folder / "unasked.jsonl").write_text('{"text": "Peru"}\n', encoding="utf-8")
    (desk.folder / "asked.jsonl").write_text('{"query": "Peru", "titles": ["Peru"]}\n', encoding="utf-8")
    (desk.folder / "none.jsonl").write_text("\n", encoding="utf-8")
    (desk.folder / "bad.graphml").write_text("<graphml><node", encoding="utf-8")
    (desk.folder / "dated.csv").write_text("subject,relation,object,valid_from\na,b,c,20.1.2009\n", encoding="utf-8")
    with KnowledgeStore.open(desk.store) as store:
        before = store.version, store.documents()
    done = desk(*words)
    assert done.exit_code == 2 and done.stdout == "", done.output
    assert done.stderr.startswith("error: ") and len(done.stderr.strip().splitlines()) == 1 and said in done.stderr
    assert desk.told(*words, exit_code=2)["error"]["what"] in done.stderr
    with KnowledgeStore.open(desk.store) as store:
        assert (store.version, store.documents()) == before and store.check() == []


@pytest.mark.parametrize("name", COMMANDS)
def test_without_a_store_nothing_is_made(empty: Desk, name: str) -> None:
    words = {"paths": ["a", "b"], "export": ["x.nt"], "evaluate": ["q.jsonl"], "add": ["nope.csv"]}
    questions(empty).rename(empty.folder / "q.jsonl").write_text('{"query": "a", "titles": ["a"]}\n', encoding="utf-8")
    given = words.get(name, [] if name in ("stats", "documents", "check", "rebuild", "compact") else ["x"])
    done = empty(name, *given)
    assert done.exit_code == 2 and done.stderr.startswith("error: ") and not empty.store.exists()
    assert name == "add" or "there is no store" in done.stderr


def test_something_else_is_no_store(empty: Desk) -> None:
    empty.store.write_text("This is a letter, and no database at all. " * 40, encoding="utf-8")
    before = empty.bytes()
    for words in (["stats"], ["add", "notes"], ["search", "x"]):
        done = empty(*words)
        assert done.exit_code == 2 and "cannot open the knowledge store" in done.stderr and empty.bytes() == before


SLOW = """
import sys, time
from pathlib import Path
from understudy.cli import main
from understudy.knowledge import changes, embedding

def waits(call):
    def waiting(*arguments, **options):
        found = call(*arguments, **options)
        Path("waits").touch()
        time.sleep(60)
        return found
    return waiting

if sys.argv.pop(1) == "embed":
    embedding.HashedEmbedder.encode = waits(embedding.HashedEmbedder.encode)
else:
    changes.Changes.pieces = waits(changes.Changes.pieces)
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for a child alone")
@pytest.mark.parametrize("during", ["embed", "write"])
def test_ctrl_c_leaves_the_store_as_it_was(desk: Desk, checkout: Path, during: str) -> None:
    with KnowledgeStore.open(desk.store) as store:
        before = store.version, store.passages(), store.all_facts()
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, during, "knowledge", "add", str(desk.store), "notes"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(checkout)},
    )
    give_up = time.monotonic() + 60
    while not Path("waits").exists():
        assert process.poll() is None and time.monotonic() < give_up
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1] == "stopped\n" and process.returncode == 130
    with KnowledgeStore.open(desk.store) as store:
        assert (store.version, store.passages(), store.all_facts()) == before and store.check() == []
    assert desk("add", "notes").exit_code == 0


def test_a_pipe_gets_a_line_an_answer_and_utf_8(desk: Desk, command: Command) -> None:
    long = "word " * 60
    (desk.folder / "long.csv").write_text(f"title,text\n東京,{long.strip()}\n", encoding="utf-8")
    assert desk("add", "long.csv").exit_code == 0
    done = command("knowledge", "search", desk.store, "word", "--k", "1", env={"COLUMNS": "40"})
    assert done.stdout.splitlines()[:2] == ["1. 東京  long.csv#東京", f"   {long.strip()}"] and not done.stderr
    plain = command("knowledge", "search", desk.store, "word", "--json", env={"PYTHONIOENCODING": "ascii"})
    assert json.loads(plain.stdout)["results"][0]["title"] == "東京"
