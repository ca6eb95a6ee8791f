"""The functions of team.yaml."""

from collections.abc import Sequence

from understudy import register


@register
def planner(request: str, talk: Sequence[bool]) -> dict[str, list[dict[str, str]]]:
    agents = ["searcher", "writer"] if talk else ["searcher"]
    return {"steps": [{"agent": agent, "request": request} for agent in agents]}


@register
def searcher(request: str) -> str:
    return f"facts about {request}"


@register
def writer(request: str) -> str:
    return f"a text about {request}"


@register
def reviewer(answers: Sequence[str]) -> bool:
    return any(piece.startswith("a text") for piece in answers)
