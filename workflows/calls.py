"""Functions that a YAML file may name under ``call``: registered ones only, never a dotted path.

There are those of :mod:`.functions`, those that were registered in this process, and those that installed packages
declare in the entry-point group ``understudy.calls``. A file cannot add any: the person who runs it does, in Python or
with ``--functions FILE.py``.

    >>> import understudy
    >>> @understudy.register
    ... def price(count: int) -> float:
    ...     return 2.5 * count
    >>> CALLS["price"](4)
    10.0
"""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar, cast, overload

from ..core.errors import UnderstudyError
from .functions import FUNCTIONS, combine
from .values import hint

__all__ = ["CALLS", "GROUP", "combine", "load_functions", "register"]

GROUP = "understudy.calls"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

F = TypeVar("F", bound=Callable[..., Any])

_registered: dict[str, Callable[..., Any]] = {}
_order: list[str] = []


@overload
def register(name: F, /) -> F: ...
@overload
def register(name: str, function: F, /) -> F: ...
@overload
def register(name: str, /) -> Callable[[F], F]: ...
def register(name: Any, function: Any = None, /) -> Any:
    """Let YAML files of this process name a function: ``register("price", price)``, or above it ``@register``.

    A later function of the same name takes its place. Its parameters are the inputs that a step may give; their types
    and that of the result are checked where it has annotations. Raises UnderstudyError for a name that no function can
    have or that is one of understudy's own, and for what cannot be called.
    """
    if callable(name):
        return _add(getattr(name, "__name__", ""), name)
    if function is None:
        return lambda decorated: _add(name, decorated)
    return _add(name, function)


def _add(name: Any, function: F) -> F:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        mend = 'register("NAME", function): a name has letters, digits, _ and -'
        raise UnderstudyError(f"a function cannot be registered as {name!r}", mend=mend)
    if name in FUNCTIONS:
        raise UnderstudyError(f"the function '{name}' is one of understudy's own", mend="register it otherwise")
    if not callable(function):
        raise UnderstudyError(f"what is registered as '{name}' cannot be called", mend="register a function")
    _registered[name] = function
    _order.append(name)
    return function


class Calls(Mapping[str, Callable[..., Any]]):
    """The registered functions by name. A package's is imported when it is asked for, not before."""

    def __getitem__(self, name: str) -> Callable[..., Any]:
        """The function. Raises UnderstudyError where there is none, or where its package cannot be imported."""
        for known in (FUNCTIONS, _registered):
            if name in known:
                return known[name]
        found = declared().get(name, ())
        if not found:
            raise UnderstudyError(f"there is no registered function '{name}'", mend=self.suggestion(name))
        if len(found) > 1:
            packages = " and ".join(sorted(point.dist.name if point.dist else point.value for point in found))
            raise UnderstudyError(f"the function '{name}' is declared by {packages}", mend="uninstall one of them")
        try:
            function = found[0].load()
        except Exception as error:
            what = f"the function '{name}' cannot be loaded: {type(error).__name__}: {error}"
            raise UnderstudyError(what, where=f"{GROUP}: {found[0].value}") from error
        if not callable(function):
            raise UnderstudyError(f"'{name}' is no function", where=f"{GROUP}: {found[0].value}")
        return cast("Callable[..., Any]", function)

    def __contains__(self, name: object) -> bool:
        return name in FUNCTIONS or name in _registered or name in declared()

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*FUNCTIONS, *_registered, *declared())))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def suggestion(self, name: str) -> str:
        """What to write instead of the unknown ``name``: one like it, or how to register it."""
        near, mend = hint(name, self) or "", "register it: understudy.register, or --functions FILE.py"
        return f"{near} or {mend}" if near.startswith("did") else mend


CALLS = Calls()
"""The registered functions by name."""


@cache
def declared() -> Mapping[str, tuple[EntryPoint, ...]]:
    """The functions that installed packages declare, by name, none of them imported."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=GROUP):
        if point not in found.get(point.name, ()):
            found[point.name] = (*found.get(point.name, ()), point)
    return found


def load_functions(file: Path | str) -> tuple[str, ...]:
    """Run a Python file that registers functions; their names.

    It runs as any program does: give only what you would run. Raises UnderstudyError where the file is not there,
    does not run or registers nothing.
    """
    file = Path(file)
    name = f"understudy_functions_{abs(hash(file.absolute()))}"
    here = str(file.absolute())
    spec = importlib.util.spec_from_file_location(name, file) if file.suffix == ".py" and file.is_file() else None
    if spec is None or spec.loader is None:
        what = "is not a .py file" if file.is_file() else "does not exist"
        raise UnderstudyError(f"the file of functions {what}", where=str(file), mend="--functions FILE.py")
    module = importlib.util.module_from_spec(spec)
    before = len(_order)
    sys.modules[name] = module  # where annotations of the file's classes are looked up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever a stranger's file does
        sys.modules.pop(name, None)
        lines = [one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == here]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        where = f"{file}:{line}" if line else str(file)
        raise UnderstudyError(f"{type(error).__name__}: {error}", where=where) from error
    if len(_order) == before:
        mend = "write @understudy.register above one"
        raise UnderstudyError("the file registers no function", where=str(file), mend=mend)
    return tuple(dict.fromkeys(_order[before:]))
