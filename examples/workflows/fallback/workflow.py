"""A fallback: an agent is tried three times, then another one is asked."""

from understudy import Retry, Workflow


def remote(question: str) -> str:
    raise ConnectionError("no answer from the service")


def local(input: str) -> str:
    return f"offline answer to: {input}"


flow = Workflow("fallback")
flow.step(remote, retry=Retry(attempts=3, wait=0.01), on_error="local")
flow.step(local, after=[])

if __name__ == "__main__":
    print(flow.run_sync("What is tea?").value)
