"""The functions of team.yaml."""

from collections.abc import Sequence

from understudy import emit, register


@register
def reply(talk: Sequence[str]) -> str:
    answer = f"{len(talk)}: you said {talk[-1]}"
    for word in answer.split():
        emit(word)
    return answer
