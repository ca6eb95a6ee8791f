"""What a function is called in messages: its name, or the place where it is written when it has none.

>>> name_of(len), name_of(partial(sorted, reverse=True)), name_of(lambda value: value)
('len', 'sorted', '')
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import PurePath
from typing import Any


def name_of(function: Callable[..., Any]) -> str:
    """The name: a method's with its class, a partial's that of its function, another object's that of its class.

    "" of a lambda.
    """
    if isinstance(function, partial):
        return name_of(function.func)
    name = str(getattr(function, "__qualname__", None) or type(function).__name__).rpartition("<locals>.")[2]
    return "" if name.endswith("<lambda>") else name


def place_of(function: Callable[..., Any]) -> str:
    """Where it is written, as ``orders.py:12``; "" where that is not known."""
    if isinstance(function, partial):
        return place_of(function.func)
    code = getattr(inspect.unwrap(function), "__code__", None)
    return "" if code is None else f"{PurePath(code.co_filename).name}:{code.co_firstlineno}"


def called(function: Callable[..., Any]) -> str:
    """``'name'``, or of one without a name ``'<lambda>' (orders.py:12)``."""
    return f"'{name}'" if (name := name_of(function)) else f"'<lambda>' ({place_of(function)})"
