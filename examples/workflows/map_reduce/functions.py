"""The functions of team.yaml."""

from collections import Counter
from pathlib import Path

from understudy import register


@register
def find(folder: str) -> list[str]:
    return sorted(str(path) for path in Path(folder).glob("*.txt"))


@register
def count_words(file: str) -> dict[str, int]:
    return dict(Counter(Path(file).read_text(encoding="utf-8").lower().split()))


@register
def add_up(counts: list[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))
