"""A team within a team: translating and polishing are a graph of their own, one step of another."""

from typing import TypedDict

from langgraph.graph import START, StateGraph

WORDS = {"good": "guten", "morning": "morgen"}


class TranslationState(TypedDict):
    text: str
    raw: str
    translation: str


class State(TypedDict):
    name: str
    text: str
    translation: str
    letter: str


def translate(state: TranslationState) -> dict:
    return {"raw": " ".join(WORDS.get(word, word) for word in state["text"].split())}


def polish(state: TranslationState) -> dict:
    return {"translation": state["raw"].capitalize()}


def greet(state: State) -> dict:
    return {"text": f"good morning {state['name']}"}


def sign(state: State) -> dict:
    return {"letter": f"{state['translation']}! Yours, Ada"}


translation = StateGraph(TranslationState).add_sequence([translate, polish])
translation.add_edge(START, "translate")

builder = StateGraph(State)
builder.add_node(greet)
builder.add_node("translators", translation.compile())
builder.add_node(sign)
builder.add_edge(START, "greet")
builder.add_edge("greet", "translators")
builder.add_edge("translators", "sign")
graph = builder.compile()

if __name__ == "__main__":
    print(graph.invoke({"name": "Bo"})["letter"])
