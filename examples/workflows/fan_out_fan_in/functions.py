"""The functions of team.yaml."""

from understudy import register


@register
def library(topic: str) -> list[str]:
    return [f"A history of {topic}", f"{topic.title()} for all"]


@register
def archive(topic: str) -> list[str]:
    return [f"A history of {topic}"]


@register
def web(topic: str) -> list[str]:
    return [f"Ten facts about {topic}"]
