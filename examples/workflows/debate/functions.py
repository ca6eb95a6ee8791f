"""The functions of team.yaml."""

from collections.abc import Sequence

from understudy import register


@register
def optimist(request: str, talk: Sequence[Sequence[str]]) -> str:
    return f"{request} Yes, after {len(talk)} rounds"


@register
def pessimist(request: str, talk: Sequence[Sequence[str]]) -> str:
    return f"{request} No, after {len(talk)} rounds"


@register
def judge(talk: Sequence[Sequence[str]]) -> str:
    return min(talk[-1], key=len)
