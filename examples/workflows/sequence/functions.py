"""The functions of team.yaml."""

from understudy import register


@register
def extract(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.splitlines()]


@register
def transform(rows: list[list[str]]) -> dict[str, float]:
    return {item: 2.5 * int(count) for item, count in rows if count.isdigit()}


@register
def load(costs: dict[str, float]) -> str:
    return f"{len(costs)} orders, {sum(costs.values())}"
