"""The functions of team.yaml."""

from understudy import register


@register
def root(number: int) -> float:
    if number % 100 == 0:
        raise ValueError(f"cannot do {number}")
    return number**0.5


@register
def sum_up(roots: list[float | None]) -> str:
    failed = sum(one is None for one in roots)
    return f"{len(roots) - failed} done, {failed} failed"
