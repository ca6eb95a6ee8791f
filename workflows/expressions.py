"""Expressions: what a workflow says about the messages of earlier steps, such as ``plan.steps``.

The language is a small part of Python's, compiled once from ``ast`` and never evaluated as Python: names,
attributes, indexes, ``len``, comparisons, ``in``, ``and``/``or``/``not``, numbers, strings, lists, mappings,
``true``, ``false`` and ``null``. It can neither call nor import anything, and names with a leading underscore
are out of reach.

On a list an attribute is taken of every element (``work.answer``), and lists found in this way are joined
(``work.sources``).

>>> Expression.parse("plan.confidence > 0.5 and len(plan.steps) == 2").evaluate(
...     {"plan": {"confidence": 0.9, "steps": ["a", "b"]}})
True
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from .refs import Ref
from .values import UNTAKEN, ExpressionError, attribute, element, hint, kind, length, settled, untaken

__all__ = ["Expression", "ExpressionError", "Ref", "Scope"]

LONGEST = 2_000
"""Characters in the longest expression that is read."""

WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None}
"""Constants by the names that YAML and JSON give them."""

Scope = Mapping[str, Any]
Node = Callable[[Scope], Any]


@dataclass(frozen=True)
class Expression:
    """A compiled expression. Two are equal when their texts are.

    Make one with :meth:`parse` (from text), :meth:`constant` or :meth:`of` (from what was written in Python).
    """

    text: str
    _node: Node = field(repr=False, compare=False)
    _offsets: Mapping[str, int] = field(repr=False, compare=False)
    _paths: tuple[tuple[str, ...], ...] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> Expression:
        """Compile ``text``. Raises ExpressionError, with the offset of what is wrong."""
        return _Compiler(text).expression()

    @classmethod
    def constant(cls, value: Any) -> Expression:
        """The expression whose value is always ``value`` (any JSON value)."""
        return cls(repr(value), _Constant(value), {}, ())

    @classmethod
    def of(cls, value: Any) -> Expression:
        """From what was written in Python: a :class:`Ref`, an expression, or any value as a constant."""
        if isinstance(value, Expression):
            return value
        return cls.parse(str(value)) if isinstance(value, Ref) else cls.constant(value)

    def evaluate(self, scope: Scope) -> Any:
        """The value in ``scope`` (name → message, mapping, list or plain value). Raises ExpressionError."""
        try:
            value = self._node(scope)
            return settled(value) if getattr(scope, "met", False) else value
        except ExpressionError as error:
            if error.where is not None:
                raise
            where = f"expression '{self.text}'"
            raise ExpressionError(error.what, where=where, mend=error.mend, offset=error.offset) from None

    @property
    def is_constant(self) -> bool:
        """Whether it was made by :meth:`constant`, rather than from a text."""
        return isinstance(self._node, _Constant)

    def names(self) -> frozenset[str]:
        """The names that a scope must have for this expression to be evaluated."""
        return frozenset(self._offsets)

    def offset_of(self, name: str) -> int:
        """Where ``name`` first stands in the text, in characters. Raises KeyError where it does not."""
        return self._offsets[name]

    def paths(self) -> tuple[tuple[str, ...], ...]:
        """Each name with the attributes taken of it, as in ``("plan", "steps")``, for a check of types."""
        return self._paths

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[Any, ...]:
        # Compiled nodes are closures, which cannot cross a process boundary; the text can.
        if isinstance(self._node, _Constant):
            return (Expression.constant, (self._node.value,))
        return (Expression.parse, (self.text,))


@dataclass(frozen=True)
class _Constant:
    value: Any

    def __call__(self, scope: Scope) -> Any:
        return self.value


COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right, ast.NotIn: lambda left, right: left not in right,
}

REFUSED: Mapping[type[ast.AST], str] = {
    ast.Lambda: "lambda", ast.JoinedStr: "f-strings", ast.BinOp: "arithmetic", ast.IfExp: "if … else",
    ast.ListComp: "comprehensions", ast.SetComp: "comprehensions", ast.DictComp: "comprehensions",
    ast.GeneratorExp: "comprehensions", ast.NamedExpr: "assignment", ast.Starred: "*", ast.Slice: "slices",
    ast.Set: "sets", ast.UnaryOp: "arithmetic",
}


class _Compiler:
    """Turns one text into nested closures, refusing all that is not in the language."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.offsets: dict[str, int] = {}
        self.paths: list[tuple[str, ...]] = []

    def expression(self) -> Expression:
        if len(self.text) > LONGEST:
            raise ExpressionError(f"an expression of {len(self.text)} characters is too long",
                                  mend=f"at most {LONGEST}")
        # Every space is made a plain one, so that offsets stay those of the text as written.
        self.line = "".join(" " if mark.isspace() else mark for mark in self.text)
        self.lead = len(self.line) - len(self.line.lstrip())
        if not self.line.strip():
            raise ExpressionError("an empty expression")
        self.bytes = self.line.lstrip().encode("utf-8", "surrogatepass")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)  # '1or 2' is fine or an error, never a warning
                tree = ast.parse(self.line.strip(), mode="eval")
            node = self.node(tree.body)
        except SyntaxError as error:
            offset = self.lead + max((error.offset or 1) - 1, 0)
            raise ExpressionError(f"cannot read the expression '{self.text.strip()[:80]}'", offset=offset,
                                  mend="write for example plan.steps, len(work) > 1 or not review.approved; "
                                       "a constant is {value: …}") from None
        except (RecursionError, MemoryError):
            raise ExpressionError("an expression nested too deeply") from None
        except ValueError as error:  # null bytes, surrogates, numbers of thousands of digits
            raise ExpressionError(f"cannot read the expression: {str(error).split(';')[0]}") from None
        return Expression(self.text.strip(), node, self.offsets, tuple(self.paths))

    def offset(self, node: ast.AST) -> int:
        before = self.bytes[: getattr(node, "col_offset", 0)]
        return self.lead + len(before.decode("utf-8", "replace"))

    def refuse(self, node: ast.AST, what: str) -> NoReturn:
        raise ExpressionError(f"{what} in the expression '{self.text.strip()[:80]}'", offset=self.offset(node),
                              mend="it may have names, attributes, indexes, len(…), comparisons, and/or/not, "
                                   "constants")

    def node(self, node: ast.expr) -> Node:
        match node:
            case ast.Constant(value=value):
                if value is not None and not isinstance(value, str | int | float):
                    self.refuse(node, f"a constant {value!r} that JSON does not have")
                return lambda scope: value
            case ast.Name(id=name) if name in WORDS:
                return lambda scope: WORDS[name]
            case ast.Name(id=name):
                self.paths.append((name,))
                return self.name(node, name)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Subscript(value=value, slice=key):
                inner, index = self.node(value), self.node(key)
                return lambda scope: element(inner(scope), index(scope))
            case ast.Call(func=ast.Name(id="len"), args=[argument], keywords=[]):
                sized = self.node(argument)
                return lambda scope: length(sized(scope))
            case ast.Call():
                self.refuse(node, "a call other than len(…)")
            case ast.BoolOp(op=op, values=values):
                return self.junction([self.node(value) for value in values], isinstance(op, ast.And))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                denied = self.node(operand)
                return lambda scope: not denied(scope)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return lambda scope: -number
            case ast.Compare(left=left, ops=ops, comparators=rights):
                sides = [self.node(side) for side in (left, *rights)]
                return self.comparison(sides, [type(op) for op in ops])
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                parts = [self.node(part) for part in elements]
                return lambda scope: [part(scope) for part in parts]
            case ast.Dict(keys=keys, values=values) if all(isinstance(key, ast.Constant) for key in keys):
                left_right = zip(keys, values, strict=True)
                named = [(self.node(key), self.node(value)) for key, value in left_right if key is not None]
                return lambda scope: {key(scope): value(scope) for key, value in named}
        self.refuse(node, REFUSED.get(type(node), type(node).__name__.lower()))

    def name(self, node: ast.expr, name: str) -> Node:
        if name.startswith("_"):
            self.refuse(node, f"the private name '{name}'")
        offset = self.offsets.setdefault(name, self.offset(node))

        def look_up(scope: Scope) -> Any:
            if name not in scope:
                if untaken(scope, name):
                    return UNTAKEN
                raise ExpressionError(f"no value named '{name}'", mend=hint(name, scope), offset=offset)
            return scope[name]

        return look_up

    def attribute(self, node: ast.Attribute) -> Node:
        chain: list[str] = []
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            if root.attr.startswith("_"):
                self.refuse(root, f"the private attribute '{root.attr}'")
            chain.insert(0, root.attr)
            root = root.value
        if isinstance(root, ast.Name) and root.id not in WORDS:
            self.paths.append((root.id, *chain))
            inner = self.name(root, root.id)
        else:
            inner = self.node(root)

        def follow(scope: Scope) -> Any:
            value = inner(scope)
            for name in chain:
                value = attribute(value, name)
            return value

        return follow

    def junction(self, parts: Sequence[Node], all_of: bool) -> Node:
        def decide(scope: Scope) -> Any:
            value: Any = all_of
            for part in parts:
                value = part(scope)
                if bool(value) != all_of:
                    return value
            return value

        return decide

    def comparison(self, sides: Sequence[Node], ops: Sequence[type[ast.cmpop]]) -> Node:
        if any(op not in COMPARE for op in ops):
            raise ExpressionError(f"'is' in the expression '{self.text.strip()[:80]}'",
                                  mend="compare with == or !=")

        def compare(scope: Scope) -> bool:
            left = sides[0](scope)
            for op, side in zip(ops, sides[1:], strict=True):
                right = side(scope)
                try:
                    holds = bool(COMPARE[op](left, right))
                except TypeError:
                    raise ExpressionError(f"cannot compare {kind(left)} with {kind(right)}") from None
                if not holds:
                    return False
                left = right
            return True

        return compare
