"""Map and reduce: the words of every file of a folder are counted, side by side, and added up."""

from collections import Counter
from pathlib import Path

from understudy import Workflow


def find(folder: str) -> list[str]:
    return sorted(str(path) for path in Path(folder).glob("*.txt"))


def count_words(file: str) -> dict[str, int]:
    return dict(Counter(Path(file).read_text(encoding="utf-8").lower().split()))


def add_up(counts: list[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


flow = Workflow("map_reduce")
files = flow.step(find)
flow.each(files, do=count_words)
flow.step(add_up)

if __name__ == "__main__":
    print(flow.run_sync("examples/workflows/map_reduce/texts").value)
