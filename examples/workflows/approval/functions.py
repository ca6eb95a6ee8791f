"""The functions of team.yaml."""

from understudy import register


@register
def write(topic: str) -> str:
    return f"We are open on {topic}."
