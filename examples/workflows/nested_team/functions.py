"""The functions of team.yaml."""

from understudy import register

WORDS = {"good": "guten", "morning": "morgen"}


@register
def translate(text: str) -> str:
    return " ".join(WORDS.get(word, word) for word in text.split())


@register
def polish(raw: str) -> str:
    return raw.capitalize()
