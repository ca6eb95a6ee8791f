"""The nested team as CrewAI's tutorials write it: the inner team is a crew of agents with tasks.

Not counted in the table. Agents of a crew need a model; ``Plain`` stands in for one, and calls a function.
"""

from collections.abc import Callable

from crewai import Agent, BaseLLM, Crew, Process, Task
from crewai.flow.flow import Flow, listen, start
from pydantic import BaseModel

WORDS = {"good": "guten", "morning": "morgen"}


class Plain(BaseLLM):
    function: Callable[[str], str]

    def call(self, messages, *args, **kwargs) -> str:
        return f"Final Answer: {self.function(messages[-1]['content'])}"


def translate(prompt: str) -> str:
    text = prompt.partition("Text: ")[2].partition(".")[0]
    return " ".join(WORDS.get(word, word) for word in text.split())


def polish(prompt: str) -> str:
    return prompt.partition("working with:")[2].strip().splitlines()[0].capitalize()


translator = Agent(
    role="Translator",
    goal="Translate texts into German, word by word",
    backstory="You have translated letters for twenty years.",
    llm=Plain(model="plain", function=translate),
)
editor = Agent(
    role="Editor",
    goal="Make translations read well",
    backstory="You have an eye for spelling.",
    llm=Plain(model="plain", function=polish),
)
translation = Task(
    description="Translate into German. Text: {text}.",
    expected_output="The German text, and nothing else",
    agent=translator,
)
polishing = Task(
    description="Polish the translation",
    expected_output="The polished text, and nothing else",
    agent=editor,
    context=[translation],
)
translators = Crew(
    agents=[translator, editor],
    tasks=[translation, polishing],
    process=Process.sequential,
)


class State(BaseModel):
    name: str = ""


class Letter(Flow[State]):
    @start()
    def greet(self) -> str:
        return f"good morning {self.state.name}"

    @listen(greet)
    def ask_translators(self, text: str) -> str:
        return translators.kickoff(inputs={"text": text}).raw

    @listen(ask_translators)
    def sign(self, translation: str) -> str:
        return f"{translation}! Yours, Ada"


if __name__ == "__main__":
    print(Letter().kickoff(inputs={"name": "Bo"}))
