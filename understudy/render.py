"""A run as a person reads it: the plan, who did what, the answer with what it rests on, the time of each step.

All functions are pure: :func:`run_object` makes the object that ``run --json`` prints, the others take it and give
something that rich can print.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from .workflows.outcome import Result

_ROWS_SHOWN = 8
_DOUBT = {"abstained", "confidence"}  # what a learned role gives beside its own fields
_FINDING = {"answer", "values", "sources", "abstained", "confidence"}
_CONTEXT = 60  # characters of a source shown on each side of the quoted span


def run_object(result: Result) -> dict[str, Any]:
    """The object that ``run --json`` prints: run, status, output, steps with their sources, usage, error."""
    plain = to_jsonable_python(
        {
            "run": result.run,
            "status": result.status,
            "output": result.output,
            "steps": [
                {
                    "name": step.name,
                    "agent": step.agent,
                    "index": step.index,
                    "input": step.input,
                    "output": step.output,
                    "seconds": round(step.seconds, 4),
                    "attempts": step.attempts,
                    "error": step.error,
                }
                for step in result.steps
            ],
            "usage": result.usage,
            "error": result.error,
            "questions": result.questions,
        },
        fallback=plainly,
    )
    for step in plain["steps"]:
        step["sources"] = list(sources_of(step["output"]))
    return dict(plain)


def plainly(value: Any) -> Any:
    """What JSON lacks: a growing list as a list, anything else as its text."""
    return list(value) if isinstance(value, Sequence) else str(value)


def run_view(run: Mapping[str, Any], title: str | None = None) -> Group:
    """The whole run. ``run`` has ``status``, ``output``, ``steps`` and ``usage`` as in ``run --json``."""
    parts: list[RenderableType] = [Rule(Text(title, style="bold"), align="left")] if title else []
    parts += [step_view(step) for step in run["steps"]]
    shown = any(_rests_on(step) for step in run["steps"])
    parts.append(outcome_view(run, sources=not shown))
    return Group(*parts)


def step_view(step: Mapping[str, Any]) -> Group:
    """One step: its name, its agent, what it was asked, its seconds, and below what it gave."""
    head = Table.grid(expand=True, padding=(0, 1))
    head.add_column(no_wrap=True)
    head.add_column(ratio=1)
    head.add_column(justify="right", no_wrap=True)
    name = Text(str(step["name"]), style="bold cyan")
    index = step.get("index")
    if index is not None:
        name.append(f" {index + 1}", style="bold cyan")
    if step.get("agent") and step["agent"] != step["name"]:
        name.append(f" · {step['agent']}", style="magenta")
    time = f"{step['seconds']:.2f} s"
    if (step.get("attempts") or 1) > 1:
        time = f"{step['attempts']} attempts, {time}"
    head.add_row(name, Text(_asked(step.get("input")), style="dim"), Text(time, style="dim"))
    if step.get("error"):
        return Group(head, Text(f"  {step['error']}", style="red"))
    if not step.get("agent"):
        return Group(head)  # a function: what it gave is seen where it is used
    return Group(head, Padding(output_view(step.get("output")), (0, 0, 0, 2), expand=False))


def outcome_view(run: Mapping[str, Any], *, sources: bool = True) -> Group:
    """How the run ended: the answer, with its ``sources`` or without, or the error; and what it took."""
    lines: list[RenderableType] = []
    if run["status"] == "completed":
        lines.append(_answer(run["output"], sources))
        lines += _abstained(run)
    elif run["status"] == "waiting":
        lines += [_question(question) for question in run.get("questions") or ()]
    elif run["status"] == "interrupted":
        lines.append(Text("interrupted: what was under way is recorded", style="bold yellow"))
    else:
        lines.append(Text(f"{run['status']}: {_error(run.get('error'))}", style="bold red"))
        if run.get("output"):
            lines.append(_answer(run["output"], sources))
    usage = run.get("usage") or {}
    taken = [f"{usage['seconds']:.2f} s"] if "seconds" in usage else []
    taken += [f"{usage[key]} {key}" for key in ("calls", "tokens") if key in usage]
    lines.append(Text(f"run {run['run']} {run['status']}: " + ", ".join(taken), style="dim"))
    return Group(*lines)


def _abstained(run: Mapping[str, Any]) -> list[Text]:
    """Which steps would rather not say, where the output has no place to tell it."""
    output = run["output"]
    if isinstance(output, Mapping) and "abstained" in output:
        return []
    last = {(step["name"], step.get("index")): step.get("output") for step in run["steps"]}
    names = {name: None for (name, _), gave in last.items() if isinstance(gave, Mapping) and gave.get("abstained")}
    return [Text(f"abstained on the way: {', '.join(names)}", style="yellow")] if names else []


def _question(question: Mapping[str, Any]) -> Text:
    line = Text(f"{question['step']} asks  ", style="bold yellow") + Text(str(question["question"]), style="bold")
    choices = ", ".join(_plain(choice) for choice in question.get("choices") or ())
    return line + Text(f"  ({choices})", style="dim") if choices else line


def output_view(output: Any) -> RenderableType:
    """What a step gave, by its shape: a plan, a query with its rows, a ranking, a finding, or plain fields."""
    if isinstance(output, Mapping):
        if "steps" in output:
            return _plan(output["steps"])
        if "sql" in output:
            return _query(output)
        if "places" in output:
            return _ranking(output)
        if "answer" in output:
            return _finding(output)
        if _doubted(output):
            return _filled(output)
        return fields_view(output)
    return Text("" if output is None else _plain(output))


def _filled(output: Mapping[str, Any]) -> RenderableType:
    fields = fields_view({name: value for name, value in output.items() if name not in _DOUBT})
    return Group(fields, _unsure(output)) if output["abstained"] else fields


def _doubted(output: Mapping[str, Any]) -> bool:
    """Whether it is what a learned role gave, or looks like it."""
    if not _DOUBT <= output.keys():
        return False
    sure = output["confidence"]
    return isinstance(output["abstained"], bool) and isinstance(sure, int | float) and not isinstance(sure, bool)


def _unsure(output: Mapping[str, Any]) -> Text:
    return Text(f"(abstained: only {output['confidence']:.0%} sure)", style="yellow")


def fields_view(values: Mapping[str, Any]) -> RenderableType:
    """Field names and values in two columns."""
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in values.items():
        table.add_row(Text(str(name)), Text(_plain(value)))
    return table


def source_view(source: Mapping[str, Any]) -> Text:
    """Title, place, and the words around the span with the span itself in bold."""
    title, place = str(source.get("title") or ""), str(source.get("source") or "")
    line = Text(f"↳ {title}" if title else "↳", style="green")
    if place:
        line.append(f" ({place})", style="dim green")
    text, start, end = str(source.get("text") or ""), source.get("start"), source.get("end")
    if not text:
        return line
    line.append(": ", style="dim")
    if start is None or end is None:
        line.append(_shortened(text, 2 * _CONTEXT), style="dim")
        return line
    left = max(0, start - _CONTEXT)
    right = min(len(text), end + _CONTEXT)
    line.append(("…" if left else "") + text[left:start], style="dim")
    line.append(text[start:end], style="bold green")
    line.append(text[end:right] + ("…" if right < len(text) else ""), style="dim")
    return line


def sources_of(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every source in an output, however deep, each once and in order."""
    seen: set[str] = set()
    for source in _walk(value):
        mark = repr(sorted(source.items(), key=lambda item: item[0]))
        if mark not in seen:
            seen.add(mark)
            yield source


def _walk(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if {"title", "text", "source"} <= value.keys():
            yield value
            return
        for inner in value.values():
            yield from _walk(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _walk(inner)


def _plan(steps: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", justify="right")
    table.add_column(style="magenta", no_wrap=True)
    table.add_column()
    for number, step in enumerate(steps, start=1):
        needs = step.get("needs") or ()
        after = Text(f"  after {', '.join(map(str, needs))}", style="dim") if needs else Text()
        table.add_row(str(number), Text(str(step.get("agent", ""))), Text(_plain(step.get("request"))) + after)
    return table


def _query(output: Mapping[str, Any]) -> RenderableType:
    parts: list[RenderableType] = [Text(str(output["sql"]), style="yellow")]
    rows, columns = output.get("rows") or (), output.get("columns") or ()
    if columns:
        table = Table(show_edge=False, pad_edge=False, header_style="dim")
        for number, column in enumerate(columns):
            figures = all(isinstance(row[number], int | float) for row in rows)
            table.add_column(Text(str(column)), justify="right" if figures else "left")
        for row in rows[:_ROWS_SHOWN]:
            table.add_row(*(Text(_plain(cell)) for cell in row))
        parts.append(table)
        if len(rows) > _ROWS_SHOWN:
            parts.append(Text(f"… {len(rows) - _ROWS_SHOWN} rows more", style="dim"))
    if not rows:
        parts.append(Text("no rows", style="dim"))
    return Group(*parts)


def _ranking(output: Mapping[str, Any]) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", justify="right")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(style="dim")
    for number, place in enumerate(output["places"], start=1):
        reasons = "; ".join(str(reason) for reason in place.get("reasons") or ())
        table.add_row(str(number), Text(str(place.get("name", ""))), Text(reasons))
    liked = ", ".join(str(name) for name in output.get("liked") or ())
    return Group(Text(f"liked: {liked}", style="dim"), table) if liked else table


def _finding(output: Mapping[str, Any]) -> RenderableType:
    answer = Text(_plain(output["answer"]))
    if output.get("abstained"):
        answer.append("  (abstained)", style="yellow")
    sources = [source_view(source) for source in sources_of(output.get("sources"))]
    return Group(answer, *sources[:3])


def _rests_on(step: Mapping[str, Any]) -> bool:
    """Whether the view of a step shows what its answer rests on: a source, a query, or reasons."""
    output = step.get("output")
    return bool(step.get("agent")) and isinstance(output, Mapping) and bool(
        output.get("sources") or output.get("sql") or output.get("places")
    )


def _answer(output: Any, with_sources: bool) -> RenderableType:
    line = Text("answer  ", style="bold green")
    if not isinstance(output, Mapping):
        return line + Text(_plain(output))
    main = output.get("answer", output)
    if isinstance(main, Mapping):
        if _doubted(main):
            told = _answer({name: value for name, value in main.items() if name not in _DOUBT}, with_sources)
            return Group(told, Padding(_unsure(main), (0, 0, 0, 2))) if main["abstained"] else told
        if main and not any(isinstance(value, Mapping | list | tuple) for value in main.values()):
            return line + Text(_plain(main), style="bold")
        return Group(line, Padding(output_view(main), (0, 0, 0, 2), expand=False))
    found = sources_of(output.get("sources")) if with_sources else ()
    sources = [Padding(source_view(source), (0, 0, 0, 2), expand=False) for source in found]
    line += Text(_plain(main), style="bold")
    if output.get("abstained"):
        line.append("  (not sure: a step abstained)", style="yellow")
    return Group(line, *sources[:5])


def _asked(value: Any) -> str:
    if isinstance(value, Mapping):
        for name in ("request", "text", "question", "message"):
            if isinstance(value.get(name), str):
                return str(value[name])
    return value if isinstance(value, str) else ""


def _error(error: Any) -> str:
    if isinstance(error, Mapping):
        return ": ".join(_plain(part) for part in error.values() if part)
    return _plain(error) if error else "no reason was recorded"


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)  # a year is written without a comma
    if isinstance(value, Mapping):
        if _FINDING <= value.keys():  # what was said: its values and confidence are in --json
            return f"{_plain(value['answer'])}{' (abstained)' if value['abstained'] else ''}"
        return ", ".join(f"{name}: {_plain(inner)}" for name, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        said = any(isinstance(inner, Mapping) and _FINDING <= inner.keys() for inner in value)
        return ("; " if said else ", ").join(_plain(inner) for inner in value)
    return str(value)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
