"""Map and reduce: the words of every file of a folder are counted, side by side, and added up."""

import asyncio
from collections import Counter
from pathlib import Path

from crewai.flow.flow import Flow, listen, start
from pydantic import BaseModel


class State(BaseModel):
    folder: str = ""


def count_words(file: str) -> dict[str, int]:
    return dict(Counter(Path(file).read_text(encoding="utf-8").lower().split()))


class WordCount(Flow[State]):
    @start()
    def find(self) -> list[str]:
        return sorted(str(path) for path in Path(self.state.folder).glob("*.txt"))

    @listen(find)
    async def count_all(self, files: list[str]) -> list[dict[str, int]]:
        return await asyncio.gather(*(asyncio.to_thread(count_words, file) for file in files))

    @listen(count_all)
    def add_up(self, counts: list[dict[str, int]]) -> dict[str, int]:
        total: Counter[str] = Counter()
        for one in counts:
            total.update(one)
        return dict(sorted(total.items()))


if __name__ == "__main__":
    print(WordCount().kickoff(inputs={"folder": "examples/workflows/map_reduce/texts"}))
