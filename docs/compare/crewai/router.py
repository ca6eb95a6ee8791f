"""A router: a request is classified, and one of three agents answers it."""

from crewai.flow.flow import Flow, listen, router, start
from pydantic import BaseModel


class State(BaseModel):
    request: str = ""


class Desk(Flow[State]):
    @start()
    @router()
    def classify(self) -> str:
        words = self.state.request.lower().split()
        return "billing" if "invoice" in words else "technical" if "error" in words else "general"

    @listen("billing")
    def ask_accounts(self) -> str:
        return f"Accounts will look into: {self.state.request}"

    @listen("technical")
    def ask_support(self) -> str:
        return f"Have you tried again? {self.state.request}"

    @listen("general")
    def ask_anybody(self) -> str:
        return f"Thank you for writing: {self.state.request}"


if __name__ == "__main__":
    print(Desk().kickoff(inputs={"request": "The invoice is wrong"}))
