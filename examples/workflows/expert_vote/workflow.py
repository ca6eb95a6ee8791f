"""A vote: three experts judge a text side by side, and the majority decides."""

from understudy import Task
from understudy.workflows import patterns


def by_words(request: str) -> str:
    return "spam" if "free" in request.lower() else "fine"


def by_case(request: str) -> str:
    return "spam" if request.isupper() else "fine"


def by_marks(request: str) -> str:
    return "spam" if request.count("!") > 2 else "fine"


flow = patterns.vote([by_words, by_case, by_marks], "majority")

if __name__ == "__main__":
    print(flow.run_sync(Task(request="Free tea!!!")).output["vote"])
