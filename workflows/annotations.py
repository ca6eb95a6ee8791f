"""Annotations: what a function says that it takes and gives, as kinds."""

from __future__ import annotations

import collections.abc as abc
import functools
import inspect
import sys
import typing
from asyncio import Future
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from .kinds import ANYTHING, NONE, Kind, kind_of, one_of


@dataclass(frozen=True)
class Signature:
    """What a function says of itself.

    Attributes:
        takes: parameter → kind; what is not annotated takes ANYTHING.
        gives: what it gives, once it is awaited.
        required: the parameters that have to be given.
        unnamed: those that cannot be given by name.
        open: it takes names that are not listed, or does not tell which it takes.
    """

    takes: Mapping[str, Kind] = field(default_factory=dict)
    gives: Kind = ANYTHING
    required: tuple[str, ...] = ()
    unnamed: frozenset[str] = frozenset()
    open: bool = True


def signature_of(function: Callable[..., Any]) -> Signature:
    """The signature of a function, a method, a partial, a class or an object that can be called.

    A decorator may change what goes in and out, so that of a function behind one nothing is believed. A text among the
    annotations that cannot be resolved says nothing. Never raises.
    """
    try:
        return _signature_of(function)
    except Exception:  # a __signature__ or __annotations__ of somebody's own making
        return Signature()


def _signature_of(function: Callable[..., Any]) -> Signature:
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return Signature(gives=_made_by(function))
    home = _home(function)
    if home is None or (hasattr(home, "__globals__") and typing.get_overloads(home)):
        return Signature()
    names = _names(home)
    takes: dict[str, Kind] = {}
    required: list[str] = []
    unnamed: list[str] = []
    more = False
    converts = isinstance(function, type) and issubclass(function, BaseModel)
    for name, one in signature.parameters.items():
        if one.kind in (one.VAR_KEYWORD, one.VAR_POSITIONAL):
            more = more or one.kind is one.VAR_KEYWORD
            continue
        said = one.annotation is not one.empty and not converts
        kind = kind_of(_resolved(one.annotation, names)) if said else ANYTHING
        takes[name] = one_of((kind, NONE)) if one.default is None and kind is not ANYTHING else kind
        if one.default is one.empty:
            required.append(name)
        if one.kind is one.POSITIONAL_ONLY:
            unnamed.append(name)
    if isinstance(function, type):
        gives = _made_by(function)
    elif signature.return_annotation is signature.empty:
        gives = ANYTHING
    else:
        gives = _awaited(_resolved(signature.return_annotation, names), inspect.iscoroutinefunction(function))
    return Signature(takes, gives, tuple(required), frozenset(unnamed), more)


def _home(function: Any) -> Any:
    """The function whose annotations those are; None where a decorator stands before it."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, type):
        return function if not hasattr(function, "__wrapped__") else None
    if not inspect.isroutine(function) and not hasattr(function, "__wrapped__"):
        function = type(function).__call__
    function = getattr(function, "__func__", function)
    return None if hasattr(function, "__wrapped__") else function


def _names(home: Any) -> dict[str, Any]:
    """The names that the annotations of ``home`` may use."""
    module = sys.modules.get(getattr(home, "__module__", None) or "")
    names = dict(getattr(home, "__globals__", None) or vars(module or typing))
    code = getattr(home, "__code__", None)
    for name, cell in zip(getattr(code, "co_freevars", ()), getattr(home, "__closure__", None) or (), strict=False):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # not bound yet
            continue
    return names


def _resolved(annotation: Any, names: dict[str, Any]) -> Any:
    """The annotation with the texts in it resolved; the text itself where it cannot be."""
    if isinstance(annotation, type):
        return annotation

    def carrier() -> None: ...

    carrier.__annotations__ = {"one": annotation}
    try:
        return typing.get_type_hints(carrier, names, include_extras=True)["one"]
    except Exception:  # whatever the text is of
        return annotation if not isinstance(annotation, str) else typing.Any


def _awaited(hint: Any, woven: bool) -> Kind:
    """What comes of a call: of a plain function that gives an awaitable, what that gives."""
    origin, inside = get_origin(hint) or hint, get_args(hint)
    if not woven and isinstance(origin, type) and issubclass(origin, abc.Awaitable | Future):
        return kind_of(inside[-1]) if inside else ANYTHING
    return kind_of(hint)


def _made_by(function: Any) -> Kind:
    """What calling a class gives; of anything else nothing is known."""
    if not isinstance(function, type) or type(function).__call__ is not type.__call__:
        return ANYTHING
    plain = function.__new__ in (object.__new__, getattr(function.__base__, "__new__", None))
    return kind_of(function) if plain or function.__module__ == "builtins" else ANYTHING
