"""Inference: the kind of an expression's value, and what is certain to go wrong when it is evaluated."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

from pydantic import BaseModel

from .expressions import WORDS, Expression
from .fitting import field_kinds
from .kinds import (
    ANYTHING,
    NONE,
    TRUTH,
    WHOLE,
    Constant,
    Fields,
    Kind,
    Many,
    Mapped,
    Plain,
    Row,
    kind_of_value,
    members,
    one_of,
    without_none,
)
from .values import hint
from .vector import Vector

Mistake = Callable[[str, str], None]
"""Is told what is wrong, and how to mend it."""

_SCALARS = (str, int, float, bool, bytes, type(None))


def kind_of_expression(expression: Expression, names: Callable[[str], Kind], mistake: Mistake) -> Kind:
    """The kind of what ``expression`` gives where ``names`` has the kind of each name."""
    if not expression.names():
        try:
            return kind_of_value(expression.evaluate({}))
        except Exception:  # told when it is evaluated
            return ANYTHING
    for path in expression.paths():
        if ".".join(path) == expression.text:
            return _Reader(names, mistake).follow(path)
    try:
        tree = ast.parse("".join(" " if mark.isspace() else mark for mark in expression.text).strip(), mode="eval")
    except SyntaxError:  # not made by parse
        return ANYTHING
    return _Reader(names, mistake).kind(tree.body)


class _Reader:
    """Walks over an expression once."""

    def __init__(self, names: Callable[[str], Kind], mistake: Mistake) -> None:
        self.names = names
        self.mistake = mistake

    def follow(self, path: tuple[str, ...]) -> Kind:
        kind, shown = self.names(path[0]), path[0]
        for name in path[1:]:
            kind, shown = self.field(kind, name, shown), f"{shown}.{name}"
        return kind

    def kind(self, node: ast.expr) -> Kind:
        match node:
            case ast.Constant(value=value):
                return kind_of_value(value)
            case ast.Name(id=name):
                return kind_of_value(WORDS[name]) if name in WORDS else self.names(name)
            case ast.Attribute(value=value, attr=name):
                return self.field(self.kind(value), name, ast.unparse(value))
            case ast.Subscript(value=value, slice=key):
                return self.element(self.kind(value), self.kind(key), ast.unparse(value))
            case ast.Call(args=[argument]):
                self.sized(self.kind(argument), ast.unparse(argument))
                return WHOLE
            case ast.BoolOp(values=values):
                return one_of([self.kind(value) for value in values])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.kind(operand)
                return TRUTH
            case ast.UnaryOp(operand=ast.Constant(value=int() | float() as number)):
                return kind_of_value(-number)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                sides = [(side, self.kind(side)) for side in (left, *rights)]
                for op, one, other in zip(ops, sides, sides[1:], strict=False):
                    self.compared(op, one, other)
                return TRUTH
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                return Many(one_of([self.kind(part) for part in parts]))
            case ast.Dict(keys=keys, values=values):
                kinds = [self.kind(value) for value in values]
                texts = [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
                return Fields(tuple(zip(texts, kinds, strict=True))) if len(texts) == len(keys) else Mapped(ANYTHING)
        return ANYTHING

    def field(self, kind: Kind, name: str, shown: str) -> Kind:
        found = field_of(kind, name)
        if found is None:
            known = [one for part in members(kind) for one in names_of(part)]
            self.mistake(f"{shown} has no '{name}': it is {in_words(kind)}", hint(name, known) or "")
        return ANYTHING if found is None else found

    def element(self, kind: Kind, key: Kind, shown: str) -> Kind:
        if isinstance(key, Constant) and isinstance(key.value, str):
            if all(isinstance(part, Many | Row) or _is(part, str) for part in members(kind)):
                self.mistake(f"{shown} has no element {key}: it is {in_words(kind)}", "give its number, from 0")
                return ANYTHING
            return self.field(kind, key.value, shown)
        number = key.value if isinstance(key, Constant) and isinstance(key.value, int) else None
        if number is None:
            return ANYTHING
        found = [_item(part, number) for part in members(kind)]
        if all(one is None for one in found):
            names = [one for part in members(kind) for one in names_of(part)]
            mend = f"take one of its fields: {', '.join(names[:12])}" if names else ""
            self.mistake(f"{shown} has no element {number}: it is {in_words(kind)}", mend)
        return one_of([one for one in found if one is not None])

    def sized(self, kind: Kind, shown: str) -> None:
        if all(_unsized(part) for part in members(kind)):
            self.mistake(f"{shown} has no length: it is {in_words(kind)}", "")

    def compared(self, op: ast.cmpop, one: tuple[ast.expr, Kind], other: tuple[ast.expr, Kind]) -> None:
        if isinstance(op, ast.Eq | ast.NotEq):
            for (node, kind), (_, said) in ((one, other), (other, one)):
                if isinstance(said, Constant) and isinstance(said.value, str):
                    self.chosen(node, kind, said.value)
        elif isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            left, right = _order(one[1]), _order(other[1])
            if left and right and (left != right or left == "nothing"):
                what = " and ".join(f"{ast.unparse(node)}, {in_words(kind)}" for node, kind in (one, other))
                self.mistake(f"there is no order between {what}", "compare two numbers, or two texts")

    def chosen(self, node: ast.expr, kind: Kind, said: str) -> None:
        """``said`` is compared with one of several choices: one that is like another is a slip of the pen."""
        parts = members(without_none(kind))
        choices = [part.value for part in parts if isinstance(part, Constant)]
        if not isinstance(node, ast.Constant) and len(choices) == len(parts) and said not in choices:
            near = hint(said, [choice for choice in choices if isinstance(choice, str)]) or ""
            if near.startswith("did"):
                self.mistake(f"{ast.unparse(node)} is never '{said}': it is {in_words(kind)}", near)


def in_words(kind: Kind) -> str:
    """``kind`` for an error about an expression."""
    plain = {str: "a text", int: "a whole number", float: "a number", bool: "a boolean", type(None): "nothing (null)"}
    if isinstance(kind, Constant):
        return plain.get(type(kind.value), repr(kind.value))
    return plain.get(kind.cls, str(kind)) if isinstance(kind, Plain) else str(kind)


def field_of(kind: Kind, name: str) -> Kind | None:
    """The kind of the field ``name``; None where there is certainly none. Of a list: the list of its items'."""
    found = [_field_of(part, name) for part in members(kind)]
    return one_of([one for one in found if one is not None]) if any(one is not None for one in found) else None


def _field_of(kind: Kind, name: str) -> Kind | None:
    match kind:
        case Row(items=items):
            return _field_of(Many(one_of(items), tuple), name)
        case Many(item=item, cls=cls):
            if item == NONE or not (issubclass(cls, list | tuple | Vector) or cls is Sequence):
                return ANYTHING  # nothing is in it, or it is perhaps no list
            found = field_of(item, name)
            return None if found is None else Many(joined(found))
        case Mapped(value=value):
            return value
        case Fields(fields=pairs):
            return dict(pairs).get(name)
        case Constant():
            return None
        case Plain(cls=cls) if issubclass(cls, _SCALARS):
            return None
        case Plain(cls=cls) if names := field_kinds(cls):
            if name in names or _in_a_subclass(cls, name):
                return names.get(name, ANYTHING)
            return None
    return ANYTHING


def joined(found: Kind) -> Kind:
    """What a list of ``found`` holds once the lists in it are joined."""
    parts: list[Kind] = []
    for part in members(found):
        if isinstance(part, Row):
            parts.extend(part.items)
        elif isinstance(part, Many):
            parts.append(part.item if issubclass(part.cls, list | tuple) else ANYTHING)
        else:
            parts.append(part)
    return one_of(parts)


def _in_a_subclass(cls: type, name: str) -> bool:
    """Whether a value of a class derived from ``cls`` may have the field."""
    derived: list[type] = type.__subclasses__(cls)
    return any(name in field_kinds(one) or _in_a_subclass(one, name) for one in derived)


def names_of(kind: Kind) -> list[str]:
    """The fields that are known of ``kind``; of a list, those of its items."""
    match kind:
        case Row(items=items):
            return [name for part in items for name in names_of(part)]
        case Many(item=item):
            return [name for part in members(item) for name in names_of(part)]
        case Fields(fields=pairs):
            return [name for name, _ in pairs]
        case Plain(cls=cls):
            return list(field_kinds(cls))
    return []


def _item(kind: Kind, number: int) -> Kind | None:
    """The element ``number``; None where there is certainly none."""
    match kind:
        case Many(item=item, cls=cls):
            return ANYTHING if issubclass(cls, set | frozenset) else item
        case Row(items=items):
            return items[number] if -len(items) <= number < len(items) else None
        case Constant(value=str()):
            return Plain(str)
        case Constant() | Mapped() | Fields():
            return None
        case Plain(cls=cls):
            if cls is str:
                return kind
            known = issubclass(cls, (*_SCALARS, BaseModel)) or is_dataclass(cls)
            return None if known else ANYTHING
    return ANYTHING


def _is(kind: Kind, cls: type) -> bool:
    return (isinstance(kind, Plain) and kind.cls is cls) or (isinstance(kind, Constant) and type(kind.value) is cls)


def _unsized(kind: Kind) -> bool:
    cls: Any = type(kind.value) if isinstance(kind, Constant) else kind.cls if isinstance(kind, Plain) else str
    return issubclass(cls, (int, float, type(None), BaseModel)) or is_dataclass(cls)


_ORDERS: Mapping[type, str] = {int: "number", float: "number", bool: "number", str: "text", type(None): "nothing"}


def _order(kind: Kind) -> str | None:
    """What ``kind`` may be ordered among; None where that is not known."""
    found = set()
    for part in members(kind):
        if isinstance(part, Constant):
            found.add(_ORDERS.get(type(part.value)))
        elif isinstance(part, Plain):
            found.add("nothing" if issubclass(part.cls, BaseModel) else _ORDERS.get(part.cls))
        else:
            found.add("nothing" if isinstance(part, Fields | Mapped) else None)
    return found.pop() if len(found) == 1 else None


def never(lacks: Callable[[Kind], bool], kind: Kind) -> bool:
    """Whether it holds of all that a value may be."""
    return all(lacks(part) for part in members(kind))


def no_list(kind: Kind) -> bool:
    """Whether it is certainly nothing that an ``each`` may go over."""
    if isinstance(kind, Many | Plain):
        return not any(_related(kind.cls, one) for one in (list, tuple, Vector))
    return isinstance(kind, Constant | Mapped | Fields)


def no_number(kind: Kind) -> bool:
    if isinstance(kind, Constant):
        return type(kind.value) is not int
    if isinstance(kind, Plain):
        return kind.cls is bool or issubclass(kind.cls, str | bytes | type(None) | BaseModel)
    return isinstance(kind, Many | Row | Mapped | Fields)


def _related(cls: type, other: type) -> bool:
    return issubclass(cls, other) or issubclass(other, cls)
