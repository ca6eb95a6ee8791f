"""A batch: a thousand items, eight at a time; those that fail are collected."""

from understudy import Workflow


def root(number: int) -> float:
    if number % 100 == 0:
        raise ValueError(f"cannot do {number}")
    return number**0.5


def sum_up(roots: list[float | None]) -> str:
    failed = sum(one is None for one in roots)
    return f"{len(roots) - failed} done, {failed} failed"


flow = Workflow("batch")
flow.each(flow.input, do=root, at_once=8, failure="collect")
flow.step(sum_up)

if __name__ == "__main__":
    print(flow.run_sync(list(range(1000))).value)
