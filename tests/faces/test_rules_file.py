"""A stranger's rules in a head's place: what they give, and what is said where they do not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from understudy.core.errors import UnderstudyError
from understudy.rules_file import Ruled, load_rules


@dataclass(frozen=True)
class Given:
    values: dict[str, Any]


def test_what_rules_raise_is_told_with_their_file() -> None:
    def decode(calls: Any) -> Any:
        return [Given({"x": 1 / call}) for call in calls]

    ruled = Ruled(SimpleNamespace(decode=decode), "rules.py")
    (reply,) = ruled.decode([2])
    assert (reply.values, reply.confidence, reply.tokens) == ({"x": 0.5}, 1.0, 0)
    with pytest.raises(UnderstudyError, match=r"^rules\.py: the rules failed \(ZeroDivisionError.*; its decode"):
        ruled.decode([0])


def test_rules_of_a_file_may_be_dataclasses_with_late_types(tmp_path: Path) -> None:
    lines = (
        "from __future__ import annotations", "from dataclasses import dataclass", "@dataclass", "class Reply:",
        "    values: dict[str, int]", "class Rules:", "    def decode(self, calls): return map(Reply, calls)",
    )  # fmt: skip
    (tmp_path / "mine.py").write_text("\n".join(lines), encoding="utf-8")
    assert [reply.values for reply in load_rules(tmp_path / "mine.py").decode([{"a": 1}])] == [{"a": 1}]


@pytest.mark.parametrize(
    ("name", "text", "what", "mend"),
    [
        ("nowhere.py", None, "there is no such file", "give a Python file"),
        ("rules.txt", "class Rules: pass", "this is no Python file", "ends in .py"),
        ("rules.py", "class Rules: pass", "has no decode", "decode(calls)"),
        ("rules.py", "class Rule: pass", "cannot be loaded (AttributeError", "decode(calls)"),
        ("rules.py", "class Rules", "cannot be loaded (SyntaxError", "decode(calls)"),
        ("rules.py", "raise SystemExit(3)", "cannot be loaded (SystemExit", "decode(calls)"),
    ],
)
def test_a_file_that_cannot_be_used_says_how_to_mend_it(
    tmp_path: Path, name: str, text: str | None, what: str, mend: str
) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(UnderstudyError) as caught:
        load_rules(file)
    assert caught.value.where == str(file) and what in caught.value.what and mend in (caught.value.mend or "")
