"""A debate: two speak for two rounds, each hearing what was said, and a judge decides."""

from collections.abc import Sequence

from understudy import Task
from understudy.workflows import patterns


def optimist(request: str, talk: Sequence[Sequence[str]]) -> str:
    return f"{request} Yes, after {len(talk)} rounds"


def pessimist(request: str, talk: Sequence[Sequence[str]]) -> str:
    return f"{request} No, after {len(talk)} rounds"


def judge(talk: Sequence[Sequence[str]]) -> str:
    return min(talk[-1], key=len)


flow = patterns.debate([optimist, pessimist], judge, rounds=2)

if __name__ == "__main__":
    print(flow.run_sync(Task(request="Will it rain?")).output["verdict"])
