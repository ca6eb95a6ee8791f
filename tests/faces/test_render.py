"""What a person reads of a run."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from understudy.render import output_view, run_view, source_view, sources_of, step_view

FRANCE = {"title": "France", "text": "France borders: Andorra, Belgium, Germany", "source": "graph"}


def printed(view: Any) -> str:
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(view)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def step(**changes: Any) -> dict[str, Any]:
    base = {"name": "work", "agent": "qa", "index": 0, "input": {"request": "neighbours of France"}}
    return {**base, "output": {"answer": "Andorra"}, "seconds": 0.25, "attempts": 1, "sources": [], **changes}


def test_a_step_says_who_was_asked_what_and_how_long_it_took() -> None:
    text = printed(step_view(step()))
    first = text.splitlines()[0]
    assert first.startswith("work 1 · qa neighbours of France")
    assert first.rstrip().endswith("0.25 s")
    assert "Andorra" in text.splitlines()[1]


def test_repeated_attempts_are_told() -> None:
    assert "2 attempts, 0.25 s" in printed(step_view(step(attempts=2)))


def test_a_plan_names_agents_and_needs() -> None:
    plan = {
        "steps": [
            {"agent": "qa", "request": "neighbours of France", "needs": []},
            {"agent": "coder", "request": "which use the euro", "needs": [1]},
        ]
    }
    lines = printed(output_view(plan)).splitlines()
    assert lines[0].split() == ["1", "qa", "neighbours", "of", "France"]
    assert lines[1].split() == ["2", "coder", "which", "use", "the", "euro", "after", "1"]


def test_a_query_shows_its_sql_and_its_rows() -> None:
    query = {
        "answer": "2",
        "sql": "SELECT name, population_year, population FROM countries",
        "columns": ["name", "population_year", "population"],
        "rows": [[f"Land {number}", 2023, 1_000_000 + number] for number in range(20)],
    }
    text = printed(output_view(query))
    assert text.startswith("SELECT name, population_year, population FROM countries")
    assert "Land 7" in text and "Land 8" not in text
    assert "1,000,007" in text and " 2023 " in text
    assert "12 rows more" in text


def test_an_empty_result_says_so() -> None:
    assert "no rows" in printed(output_view({"sql": "SELECT 1 WHERE 0", "columns": ["1"], "rows": []}))


def test_a_ranking_gives_reasons() -> None:
    ranking = {
        "answer": "Spain",
        "liked": ["Portugal"],
        "places": [{"name": "Spain", "score": 0.5, "reasons": ["borders Portugal", "pays with EUR"]}],
    }
    text = printed(output_view(ranking))
    assert "liked: Portugal" in text
    assert "1 Spain borders Portugal; pays with EUR" in text


def test_a_source_shows_its_span_with_the_words_around_it() -> None:
    source = {**FRANCE, "text": "x" * 200 + " Paris is the capital " + "y" * 200, "start": 201, "end": 206}
    view = source_view(source)
    assert "Paris" in view.plain and view.plain.startswith("↳ France (graph): …")
    bold = [view.plain[span.start : span.end] for span in view.spans if "bold" in str(span.style)]
    assert bold == ["Paris"]
    assert len(view.plain) < 200


def test_sources_are_found_once_however_deep() -> None:
    output = {"results": [{"sources": [FRANCE]}, {"sources": [FRANCE, {**FRANCE, "title": "Spain"}]}]}
    assert [source["title"] for source in sources_of(output)] == ["France", "Spain"]


def test_abstention_is_told() -> None:
    assert "(abstained)" in printed(output_view({"answer": "not in my sources", "abstained": True}))


@pytest.mark.parametrize("hostile", ["[red]not markup[/red]", "[/]", "[link=x]"])
def test_markup_in_a_users_text_is_text(hostile: str) -> None:
    assert hostile in printed(output_view({"answer": hostile}))
    assert hostile in printed(output_view({"field": hostile}))
    assert hostile in printed(step_view(step(input={"request": hostile})))


def test_an_answer_of_plain_fields_stands_on_its_line() -> None:
    run = {"run": "r1", "status": "completed", "output": {"queue": "refund", "urgent": True}, "steps": [], "usage": {}}
    assert "answer  queue: refund, urgent: yes" in printed(run_view(run))
    run["output"] = {"queue": "refund", "places": [{"name": "Spain"}]}
    assert "queue: refund" not in printed(run_view(run))


def test_a_completed_run_ends_with_its_answer_and_cost() -> None:
    run = {
        "run": "r1",
        "status": "completed",
        "output": {"answer": "Andorra", "sources": [{**FRANCE, "start": 16, "end": 23}]},
        "steps": [step()],
        "usage": {"seconds": 1.5, "calls": 3, "tokens": 40},
        "error": None,
    }
    text = printed(run_view(run, "Which?"))
    assert text.splitlines()[0].startswith("Which? ─")
    assert "answer  Andorra" in text
    assert text.rstrip().endswith("run r1 completed: 1.50 s, 3 calls, 40 tokens")


def test_doubt_stands_on_the_last_line_too() -> None:
    run = {"run": "r1", "status": "completed", "output": {"answer": "Andorra", "abstained": True}, "steps": [step()],
           "usage": {}, "error": None}  # fmt: skip
    assert "answer  Andorra  (not sure: a step abstained)" in printed(run_view(run))
    run["output"] = {"answer": "Andorra", "abstained": False}
    assert "not sure" not in printed(run_view(run))


def test_a_learned_role_says_that_it_abstained_under_its_fields() -> None:
    told = printed(output_view({"queue": "billing", "abstained": True, "confidence": 0.314}))
    assert "queue billing" in told and "(abstained: only 31% sure)" in told
    assert "confidence" not in told
    sure = printed(output_view({"queue": "billing", "abstained": False, "confidence": 0.9}))
    assert sure.split() == ["queue", "billing"]


def test_a_run_whose_output_has_no_place_for_doubt_says_who_abstained() -> None:
    def run(*outputs: dict[str, Any], output: Any = "billing") -> str:
        steps = [step(name="sort", output=one) for one in outputs]
        return printed(run_view({"run": "r", "status": "completed", "output": output, "steps": steps, "usage": {}}))

    unsure, sure = ({"queue": "billing", "abstained": is_so, "confidence": 0.5} for is_so in (True, False))
    assert "abstained on the way: sort\n" in run(unsure, unsure)
    assert "abstained on the way" not in run(unsure, sure)
    assert "abstained on the way" not in run(unsure, output={"answer": "billing", "abstained": True})
    lone = run(unsure, output=unsure)
    assert "answer  queue: billing\n" in lone.replace(" \n", "\n") and "on the way" not in lone
    assert "(abstained: only 50% sure)" in lone.partition("answer")[2]


def test_fields_of_that_name_that_are_no_heads_doubt_are_shown_as_they_are() -> None:
    for sure in ("low", None, True):
        told = printed(output_view({"queue": "billing", "abstained": True, "confidence": sure}))
        assert "abstained yes" in " ".join(told.split()) and "confidence" in told


def test_what_was_said_in_a_talk_is_read_as_it_was_said() -> None:
    def finding(answer: str, **more: Any) -> dict[str, Any]:
        return {"answer": answer, "values": [answer], "sources": [], "abstained": False, "confidence": 1.0, **more}

    talk = [finding("a draft, rather long"), finding("not yet", abstained=True)]
    told = printed(output_view({"talk": talk, "verdict": finding("good")}))
    assert "a draft, rather long; not yet (abstained)" in told and "good" in told
    assert "values" not in told and "confidence" not in told


def test_a_failed_run_gives_its_reason() -> None:
    run = {"run": "r1", "status": "failed", "output": None, "steps": [], "usage": {}, "error": "step work: no head"}
    assert "failed: step work: no head" in printed(run_view(run))
