"""The functions of team.yaml."""

import time

from understudy import register


@register
def until(at: float) -> float:
    return max(0.0, at - time.time())


@register
def note(matter: str, done: str) -> str:
    return f"{matter}: {'done' if done == 'yes' else 'still open'}"
