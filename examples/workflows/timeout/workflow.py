"""A time limit: a step that is late is given up, and its error route goes on."""

import asyncio

from understudy import Workflow


async def forecast(city: str) -> str:
    await asyncio.sleep(30)
    return f"sun in {city}"


def yesterday(input: str, error: dict[str, str]) -> str:
    return f"{error['step']} was late; yesterday there was rain in {input}"


flow = Workflow("timeout")
flow.step(forecast, seconds=0.1, on_error="yesterday")
flow.step(yesterday, after=[])

if __name__ == "__main__":
    print(flow.run_sync("Bern").value)
