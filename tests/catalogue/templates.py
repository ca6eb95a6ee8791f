"""The wordings of messages in the source: what is handed to an error or a report, with a gap for each value."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    *sorted((ROOT / "workflows").rglob("*.py")),
    *sorted((ROOT / "understudy" / "testing").rglob("*.py")),
    *(ROOT / "understudy" / name for name in ("cli_new.py", "expectations.py", "team_tests.py")),
]
ERRORS = re.compile(r"(Understudy|Workflow|Expression|Journal|Script|Message)Error")
REPORTS = {"add": 1, "expected": 2, "report": 2, "problem": 1, "Confined": 0, "Problem": 4, "note": 1,
           "refuse": 1}
"""Functions that note a mistake: which of their arguments says what is wrong; ``Row.add`` has its place before it."""

WITHIN = {"expected": "expected {}, found {}", "refuse": "{} in the expression '{}'"}
"""What a function says around the words that it is given."""


@dataclass(frozen=True)
class Template:
    """One wording, and where it stands; ``words`` has ``{}`` for each value."""

    file: str
    words: str

    def __str__(self) -> str:
        return f"{self.file}: {self.words}"

    def matches(self, what: str) -> bool:
        """Whether ``what`` was said by this wording."""
        return re.fullmatch(".*?".join(map(re.escape, self.words.split("{}"))), what, re.DOTALL) is not None


def templates() -> list[Template]:
    """All wordings of the source, but for those that only hand on what another says."""
    found: dict[Template, None] = {}
    for file in SOURCES:
        for words in _wordings(ast.parse(file.read_text(encoding="utf-8"))):
            if re.search("[a-z]", words.replace("{}", "")):
                found[Template(str(file.relative_to(ROOT)), words)] = None
    return list(found)


def _wordings(tree: ast.Module) -> Iterator[str]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for function in functions:
        inner = {id(part) for one in ast.walk(function) if one is not function and one in functions
                 for part in ast.walk(one)}
        own = [node for node in ast.walk(function) if id(node) not in inner]
        for node in own:
            said = _what(node)
            if said is not None:
                name = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
                yield from (WITHIN.get(name, "{}").replace("{}", words, 1) for words in _texts(said, own))


def _what(node: ast.AST) -> ast.expr | None:
    """The expression that says what is wrong, where ``node`` tells a mistake."""
    if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 4:
        return node.value.elts[1]
    if not isinstance(node, ast.Call) or not node.args:
        return None
    name = ast.unparse(node.func).rpartition(".")[2]
    if ERRORS.fullmatch(name):
        return node.args[0]
    place = REPORTS.get(name)
    if name == "add" and len(node.args) > 3:  # line, column, path
        place = 3
    reported = name not in ("add", "expected") or "report" in ast.unparse(node.func)
    if place is None or len(node.args) <= place or not reported:
        return None
    return node.args[place]


def _texts(said: ast.expr, own: list[ast.AST]) -> Iterator[str]:
    """The texts that ``said`` may be; a name's are those that the function ``own`` gives it."""
    if isinstance(said, ast.Constant) and isinstance(said.value, str):
        yield said.value
    elif isinstance(said, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in said.values)
    elif isinstance(said, ast.IfExp):
        yield from _texts(said.body, own)
        yield from _texts(said.orelse, own)
    elif isinstance(said, ast.Name):
        for node in own:
            if isinstance(node, ast.Assign):
                yield from _given(node.targets[0], node.value, said.id, own)


def _given(target: ast.expr, value: ast.expr, name: str, own: list[ast.AST]) -> Iterator[str]:
    if isinstance(target, ast.Name) and target.id == name and not isinstance(value, ast.Name):
        yield from _texts(value, own)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, part in zip(target.elts, value.elts, strict=True):
            yield from _given(one, part, name, own)
