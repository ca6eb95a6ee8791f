"""A time limit: a step that is late is given up, and its error route goes on."""

import asyncio

from crewai.flow.flow import Flow, listen, router, start
from pydantic import BaseModel


class State(BaseModel):
    city: str = ""
    report: str = ""


async def forecast(city: str) -> str:
    await asyncio.sleep(30)
    return f"sun in {city}"


class Weather(Flow[State]):
    @start()
    @router()
    async def ask_forecast(self) -> str:
        try:
            self.state.report = await asyncio.wait_for(forecast(self.state.city), 0.1)
        except TimeoutError:
            return "late"
        return "in time"

    @listen("late")
    def yesterday(self) -> str:
        return f"forecast was late; yesterday there was rain in {self.state.city}"

    @listen("in time")
    def show(self) -> str:
        return self.state.report


if __name__ == "__main__":
    print(Weather().kickoff(inputs={"city": "Bern"}))
