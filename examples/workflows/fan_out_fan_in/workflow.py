"""Fan out, fan in: three sources are read side by side, and what they have is put together."""

from understudy import Workflow


def library(topic: str) -> list[str]:
    return [f"A history of {topic}", f"{topic.title()} for all"]


def archive(topic: str) -> list[str]:
    return [f"A history of {topic}"]


def web(topic: str) -> list[str]:
    return [f"Ten facts about {topic}"]


def list_up(titles: list[str]) -> str:
    return "; ".join(sorted(titles))


flow = Workflow("fan_out_fan_in")
flow.step(library, after=flow.input)
flow.step(archive, after=flow.input)
flow.step(web, after=flow.input)
flow.step(list_up, after=["library", "archive", "web"], merge="union")

if __name__ == "__main__":
    print(flow.run_sync("tea").value)
