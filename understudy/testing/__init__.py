"""What tests of workflows and teams are written with: scripted agents, a clock that a test moves, a harness for runs.

It works in any test, plain or async, of pytest or another runner; no plugin is needed, and no model is loaded.
"""

from .answers import Answers
from .clock import FakeClock, Standstill
from .harness import Harness
from .run import Run, StepLog
from .scripted import Scripted, ScriptedAgent, ScriptError

__all__ = [
    "Answers", "FakeClock", "Harness", "Run", "Scripted", "ScriptedAgent", "ScriptError", "Standstill", "StepLog",
]  # fmt: skip
