"""Group patterns: short functions that compose the usual groups of agents as ordinary workflows.

Each is meant to be read, used as it is, or copied and changed: it has no more than :class:`..flow.Workflow` offers.

    >>> from understudy import Task
    >>> from understudy.workflows import patterns
    >>> def writer(talk, request):
    ...     return f"{request}, draft {len(talk) // 2 + 1}"
    >>> def critic(talk):
    ...     return "good" if len(talk) > 2 else "not yet"
    >>> flow = patterns.round_robin([writer, critic], rounds=3, until=lambda talk: talk[-1] == "good")
    >>> flow.run_sync(Task(request="a poem")).output["talk"]
    ('a poem, draft 1', 'not yet', 'a poem, draft 2', 'good')
"""

from .debate import debate
from .handoff import handoff
from .planner_worker_reviewer import planner_worker_reviewer
from .round_robin import round_robin
from .selector import selector
from .vote import vote

__all__ = ["debate", "handoff", "planner_worker_reviewer", "round_robin", "selector", "vote"]
