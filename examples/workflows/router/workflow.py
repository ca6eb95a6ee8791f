"""A router: a request is classified, and one of three agents answers it."""

from understudy import Task, Workflow


def classify(task: Task) -> str:
    words = task.request.lower().split()
    return "billing" if "invoice" in words else "technical" if "error" in words else "general"


def billing(input: Task) -> str:
    return f"Accounts will look into: {input.request}"


def technical(input: Task) -> str:
    return f"Have you tried again? {input.request}"


def general(input: Task) -> str:
    return f"Thank you for writing: {input.request}"


flow = Workflow("router", takes=Task)
topic = flow.step(classify)
flow.route(topic, flow.step(billing, after=[]), when=topic == "billing")
flow.route(topic, flow.step(technical, after=[]), when=topic == "technical")
flow.route(topic, flow.step(general, after=[]))

if __name__ == "__main__":
    print(flow.run_sync(Task(request="The invoice is wrong")).value)
