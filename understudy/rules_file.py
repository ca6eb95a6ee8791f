"""Rules: a Python file's class ``Rules`` in a head's place, same prompts and same records."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .agents.letters import described
from .core.errors import UnderstudyError

_MEND = "give it a class Rules with decode(calls), which gives a reply with values for each call"


@dataclass(frozen=True)
class RuleReply:
    """What rules answered; they are as sure as they say, and as fast as nothing."""

    values: Mapping[str, Any]
    confidence: float = 1.0
    tokens: int = 0
    seconds: float = 0.0


@dataclass(eq=False)
class Ruled:
    """Rules as a decoder; what goes wrong in them is told with their file."""

    rules: Any
    where: str

    def decode(self, calls: Sequence[Any], /) -> Sequence[RuleReply]:
        """The replies to ``calls``. Raises UnderstudyError for whatever the rules raise, or do not give."""
        try:
            replies = self.rules.decode(calls)
            return [RuleReply(reply.values, getattr(reply, "confidence", 1.0)) for reply in replies]
        except Exception as error:
            what = f"the rules failed ({described(error)})"
            mend = "its decode(calls) must give a reply with values for each call"
            raise UnderstudyError(what, where=self.where, mend=mend) from error


def load_rules(path: Path) -> Ruled:
    """The class ``Rules`` of a Python file, which is run. Raises UnderstudyError where there is none or it fails."""
    where = str(path)
    if not path.is_file():
        raise UnderstudyError("there is no such file", where=where, mend="give a Python file with a class Rules")
    name = f"understudy_rules_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UnderstudyError("this is no Python file", where=where, mend="give one whose name ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
        rules = module.Rules()
    except (Exception, SystemExit) as error:  # whatever a stranger's file does
        raise UnderstudyError(f"the rules cannot be loaded ({described(error)})", where=where, mend=_MEND) from error
    if not callable(getattr(rules, "decode", None)):
        raise UnderstudyError("the class Rules has no decode(calls)", where=where, mend=_MEND)
    return Ruled(rules, where)
