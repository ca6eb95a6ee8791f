"""What a test of a team expects of a run, and in what the run differs from it, as lines that a person reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .core.errors import UnderstudyError
from .evaluation import MATCHERS, meets
from .questions import met_by_all
from .workflows.references import OF_A_RUN

STATUSES = ("completed", "failed", "partial", "waiting")

LONGEST = 100
"""Characters of a value that a line shows."""


def check_expected(expect: Mapping[str, Any], outputs: Sequence[str], where: str) -> None:
    """Raise UnderstudyError for what cannot be compared, or what anything would meet."""
    for name, value in expect.items():
        of_run = name in OF_A_RUN and name not in outputs
        if of_run and name == "status" and value not in STATUSES:
            raise UnderstudyError(f"there is no status '{value}'", where=where, mend=f"one of: {', '.join(STATUSES)}")
        if of_run and name == "path":
            _check_path(value, where)
        elif _wrong(value):
            raise UnderstudyError(f"{name}: {_wrong(value)}", where=where, mend=f"write one of {', '.join(MATCHERS)}")
        elif met_by_all({name: value}):
            mend = "write what it must be, or contain"
            raise UnderstudyError(f"what is expected of '{name}' is met by any output", where=where, mend=mend)


def differences(
    expect: Mapping[str, Any], run: Mapping[str, Any], path: Sequence[str], outputs: Sequence[str] = ()
) -> Iterator[str]:
    """In what a run (as ``run --json`` has it) is not as expected; ``outputs``: the fields that the team declares."""
    ours = {name: value for name, value in expect.items() if name in OF_A_RUN and name not in outputs}
    wanted = ours.get("status", "completed")
    if run["status"] != wanted:
        yield f"the run {_ended(run)}" + (f"; expected: {wanted}" if "status" in ours else "")
    if "error" in ours:
        yield from _unlike(ours["error"], run.get("error") or "", "error")
    if "path" in ours:
        yield from _other_way(ours["path"], path)
    if run["status"] == wanted:
        yield from _unlike({name: value for name, value in expect.items() if name not in ours}, run["output"], "")


def shown(value: Any) -> str:
    """A value as a line shows it: fields as JSON, the text of an only one bare."""
    if isinstance(value, Mapping) and len(value) == 1 and isinstance(only := next(iter(value.values())), str):
        value = only
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _ended(run: Mapping[str, Any]) -> str:
    if run["status"] == "waiting":
        asked = ", ".join(f"{one['step']} asks '{one['question']}'" for one in run.get("questions", ()))
        return f"waits for an answer: {asked}; give it under answers"
    return f"{run['status']}: {run['error']}" if run.get("error") else str(run["status"])


def _unlike(expected: Any, output: Any, path: str) -> Iterator[str]:
    if isinstance(expected, Mapping) and not any(name in MATCHERS for name in expected):
        if not isinstance(output, Mapping):
            yield f"{path or 'the output'}: expected the fields {', '.join(expected)}, got {_value(output)}"
            return
        for name, wanted in expected.items():
            at = f"{path}.{name}" if path else str(name)
            if name in output:
                yield from _unlike(wanted, output[name], at)
            else:
                yield f"{at}: there is no such field, only {', '.join(map(str, output)) or 'none'}"
    elif not meets(expected, output, path):
        spelt = isinstance(output, bool) and isinstance(expected, str) and expected.lower() in ("yes", "no")
        mend = f"; a boolean is written true or false, and '{expected}' is a text" if spelt else ""
        yield f"{path}: expected {_wanted(expected)}, got {_value(output)}{mend}"


def _wanted(expected: Any) -> str:
    if not isinstance(expected, Mapping):
        return f"to contain {_value(expected)}" if isinstance(expected, str) else _value(expected)
    words = {"contains": "to contain", "lacks": "not to contain", "any_of": "to contain one of", "equals": ""}
    several = {name: value if isinstance(value, list) and words[name] else [value] for name, value in expected.items()}
    return " and ".join(f"{words[name]} {', '.join(map(_value, parts))}".strip() for name, parts in several.items())


def _other_way(expected: Any, path: Sequence[str]) -> Iterator[str]:
    if isinstance(expected, Mapping):
        for name, steps in expected.items():
            for step in [steps] if isinstance(steps, str) else steps:
                if (step in path) is (name == "lacks"):
                    word = "not through" if name == "lacks" else "through"
                    yield f"path: expected to go {word} {step}, went {' → '.join(path)}"
    elif list(path) != ([expected] if isinstance(expected, str) else list(expected)):
        wanted = [expected] if isinstance(expected, str) else expected
        yield f"path: expected {' → '.join(wanted)}, went {' → '.join(path) or 'nowhere'}"


def _check_path(value: Any, where: str) -> None:
    steps = value.values() if isinstance(value, Mapping) else [value]
    named = [[one] if isinstance(one, str) else one for one in steps]
    known = not isinstance(value, Mapping) or set(value) <= {"contains", "lacks"}
    if not (named and known and all(isinstance(one, list) and one for one in named)):
        mend = "write path: [a, b], {contains: a} or {lacks: b}"
        raise UnderstudyError("path: this is no way through the steps", where=where, mend=mend)


def _wrong(expected: Any) -> str:
    """What is wrong with matchers, anywhere in what is expected; "" where nothing is."""
    if not isinstance(expected, Mapping):
        return ""
    used = [name for name in expected if name in MATCHERS]
    if used and len(used) < len(expected):
        return "matchers and fields are mixed"
    if "any_of" in used and not isinstance(expected["any_of"], list):
        return "any_of takes a list"
    return "" if used else next((wrong for value in expected.values() if (wrong := _wrong(value))), "")


def _value(value: Any) -> str:
    return f"'{shown(value)}'" if isinstance(value, str) else shown([value])[1:-1]
