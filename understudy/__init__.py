"""understudy: agents that learn their role from a few demonstrations.

Public names are loaded on first use (PEP 562), so that ``import understudy`` costs no more than its light parts:
no torch, transformers, faiss or networkx is imported here.

>>> import understudy
>>> understudy.UnderstudyError("no such team", where="desk.yaml", mend="look at the name").mend
'look at the name'
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

_here = Path(__file__).resolve().parent
if not (_here / "core").is_dir():
    # In a bare checkout the floors lie beside this folder; installed, they lie inside it.
    __path__ = [*__path__, str(_here.parent)]

# Read by OpenMP when torch is loaded. Its threads otherwise wait by spinning, and beside another busy process a role
# that takes 5 seconds to learn takes 100.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .agents.agent import Agent
    from .agents.bus import MessageBus
    from .agents.cancellation import check_cancelled
    from .agents.emitting import Token
    from .agents.messages import Envelope, Filled, Finding, Message, Task
    from .agents.retry import Retry
    from .agents.role import Demonstration, Role
    from .core.backbone import Backbone
    from .core.bank import HeadBank
    from .core.errors import UnderstudyError
    from .core.heads import Head
    from .knowledge.store import KnowledgeStore
    from .workflows.calls import register
    from .workflows.children import ChildEvent
    from .workflows.drain import Drain
    from .workflows.effects import effect_key, emit
    from .workflows.events import (
        Event,
        LetterDied,
        LetterSent,
        LimitReached,
        NoteKept,
        QuestionAnswered,
        RunAccepted,
        RunFinished,
        RunResumed,
        RunSuspended,
        StepEdited,
        StepEmitted,
        StepFailed,
        StepFinished,
        StepStarted,
        TimerFired,
    )
    from .workflows.graph import END, Workflow
    from .workflows.journal import Journal
    from .workflows.limits import Budget, Limits
    from .workflows.outcome import Result
    from .workflows.questions import OpenQuestion
    from .workflows.team import Team

_homes = {
    "Agent": "agents.agent",
    "Backbone": "core.backbone",
    "Budget": "workflows.limits",
    "ChildEvent": "workflows.children",
    "Demonstration": "agents.role",
    "Drain": "workflows.drain",
    "END": "workflows.graph",
    "Envelope": "agents.messages",
    "Event": "workflows.events",
    "Filled": "agents.messages",
    "Token": "agents.emitting",
    "Finding": "agents.messages",
    "Head": "core.heads",
    "HeadBank": "core.bank",
    "Journal": "workflows.journal",
    "KnowledgeStore": "knowledge.store",
    "LetterDied": "workflows.events",
    "LetterSent": "workflows.events",
    "LimitReached": "workflows.events",
    "Limits": "workflows.limits",
    "Message": "agents.messages",
    "MessageBus": "agents.bus",
    "NoteKept": "workflows.events",
    "OpenQuestion": "workflows.questions",
    "QuestionAnswered": "workflows.events",
    "Result": "workflows.outcome",
    "Retry": "agents.retry",
    "Role": "agents.role",
    "RunAccepted": "workflows.events",
    "RunFinished": "workflows.events",
    "RunResumed": "workflows.events",
    "RunSuspended": "workflows.events",
    "StepEdited": "workflows.events",
    "StepEmitted": "workflows.events",
    "StepFailed": "workflows.events",
    "StepFinished": "workflows.events",
    "StepStarted": "workflows.events",
    "Task": "agents.messages",
    "Team": "workflows.team",
    "TimerFired": "workflows.events",
    "UnderstudyError": "core.errors",
    "Workflow": "workflows.graph",
    "check_cancelled": "agents.cancellation",
    "effect_key": "workflows.effects",
    "emit": "workflows.effects",
    "register": "workflows.calls",
}

__all__ = [
    "Agent",
    "Backbone",
    "Budget",
    "ChildEvent",
    "Demonstration",
    "Drain",
    "END",
    "Envelope",
    "Event",
    "Filled",
    "Finding",
    "Head",
    "HeadBank",
    "Journal",
    "KnowledgeStore",
    "LetterDied",
    "LetterSent",
    "LimitReached",
    "Limits",
    "Message",
    "MessageBus",
    "NoteKept",
    "OpenQuestion",
    "QuestionAnswered",
    "Result",
    "Retry",
    "Role",
    "RunAccepted",
    "RunFinished",
    "RunResumed",
    "RunSuspended",
    "StepEdited",
    "StepEmitted",
    "StepFailed",
    "StepFinished",
    "StepStarted",
    "Task",
    "Team",
    "TimerFired",
    "Token",
    "UnderstudyError",
    "Workflow",
    "check_cancelled",
    "effect_key",
    "emit",
    "register",
]


def __getattr__(name: str) -> object:
    if name in _homes:
        value = getattr(importlib.import_module(f".{_homes[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
