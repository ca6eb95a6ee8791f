"""Extract, transform, load: one step after the other."""

from understudy import Workflow


def extract(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.splitlines()]


def transform(rows: list[list[str]]) -> dict[str, float]:
    return {item: 2.5 * int(count) for item, count in rows if count.isdigit()}


def load(costs: dict[str, float]) -> str:
    return f"{len(costs)} orders, {sum(costs.values())}"


flow = Workflow("sequence")
flow.step(extract)
flow.step(transform)
flow.step(load)

if __name__ == "__main__":
    print(flow.run_sync("tea,4\nmilk,?\nbread,2").value)
