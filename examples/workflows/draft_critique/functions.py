"""The functions of team.yaml."""

from collections.abc import Sequence

from understudy import register


@register
def write(topic: str, advice: Sequence[str]) -> str:
    return ", ".join([f"On {topic}", *advice])


@register
def criticise(draft: str) -> str:
    return next((part for part in ("an example", "an end") if part not in draft), "good")
