"""A team within a team: translating and polishing are a workflow of their own, one step of another."""

from understudy import Workflow

WORDS = {"good": "guten", "morning": "morgen"}


def translate(text: str) -> str:
    return " ".join(WORDS.get(word, word) for word in text.split())


def polish(raw: str) -> str:
    return raw.capitalize()


def greet(name: str) -> str:
    return f"good morning {name}"


def sign(translation: str) -> str:
    return f"{translation}! Yours, Ada"


translators = Workflow("translators")
translators.step(translate)
translators.step(polish)

flow = Workflow("nested_team")
flow.step(greet)
flow.step(translators)
flow.step(sign)

if __name__ == "__main__":
    print(flow.run_sync("Bo").value)
