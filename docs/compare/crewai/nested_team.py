"""A team within a team: translating and polishing are a flow of their own, one step of another."""

from crewai.flow.flow import Flow, listen, start
from pydantic import BaseModel

WORDS = {"good": "guten", "morning": "morgen"}


class TranslationState(BaseModel):
    text: str = ""


class Translation(Flow[TranslationState]):
    @start()
    def translate(self) -> str:
        return " ".join(WORDS.get(word, word) for word in self.state.text.split())

    @listen(translate)
    def polish(self, raw: str) -> str:
        return raw.capitalize()


class State(BaseModel):
    name: str = ""


class Letter(Flow[State]):
    @start()
    def greet(self) -> str:
        return f"good morning {self.state.name}"

    @listen(greet)
    async def translators(self, text: str) -> str:
        return await Translation().kickoff_async(inputs={"text": text})

    @listen(translators)
    def sign(self, translation: str) -> str:
        return f"{translation}! Yours, Ada"


if __name__ == "__main__":
    print(Letter().kickoff(inputs={"name": "Bo"}))
