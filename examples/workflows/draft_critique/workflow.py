"""Draft and critique: a text is written anew until the critic is content, at most three times."""

from collections.abc import Sequence

from understudy import Workflow
from understudy.workflows import Ref


def write(input: str, advice: Sequence[str]) -> str:
    return ", ".join([f"On {input}", *advice])


def criticise(draft: str) -> str:
    return next((part for part in ("an example", "an end") if part not in draft), "good")


flow = Workflow("draft_critique", output={"draft": Ref("write")})
advice = flow.growing("advice")
draft = flow.step(write)
review = flow.step(criticise, into=advice)
flow.route(review, draft, when=review != "good", at_most=2)
flow.route(review, "$end")

if __name__ == "__main__":
    print(flow.run_sync("tea").output["draft"])
