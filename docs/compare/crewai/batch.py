"""A batch: a thousand items, eight at a time; those that fail are collected."""

import asyncio

from crewai.flow.flow import Flow, listen, start
from pydantic import BaseModel


class State(BaseModel):
    numbers: list[int] = []


def root(number: int) -> float:
    if number % 100 == 0:
        raise ValueError(f"cannot do {number}")
    return number**0.5


class Batch(Flow[State]):
    @start()
    async def roots(self) -> list[float | BaseException]:
        places = asyncio.Semaphore(8)

        async def limited(number: int) -> float:
            async with places:
                return await asyncio.to_thread(root, number)

        work = (limited(number) for number in self.state.numbers)
        return await asyncio.gather(*work, return_exceptions=True)

    @listen(roots)
    def sum_up(self, roots: list[float | BaseException]) -> str:
        failed = [one for one in roots if isinstance(one, BaseException)]
        return f"{len(roots) - len(failed)} done, {len(failed)} failed"


if __name__ == "__main__":
    print(Batch().kickoff(inputs={"numbers": list(range(1000))}))
