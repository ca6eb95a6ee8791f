"""Extract, transform, load: one step after the other."""

from crewai.flow.flow import Flow, listen, start
from pydantic import BaseModel


class State(BaseModel):
    text: str = ""


class Sequence(Flow[State]):
    @start()
    def extract(self) -> list[list[str]]:
        return [line.split(",") for line in self.state.text.splitlines()]

    @listen(extract)
    def transform(self, rows: list[list[str]]) -> dict[str, float]:
        return {item: 2.5 * int(count) for item, count in rows if count.isdigit()}

    @listen(transform)
    def load(self, costs: dict[str, float]) -> str:
        return f"{len(costs)} orders, {sum(costs.values())}"


if __name__ == "__main__":
    print(Sequence().kickoff(inputs={"text": "tea,4\nmilk,?\nbread,2"}))
