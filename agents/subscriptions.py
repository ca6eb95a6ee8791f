"""Subscriptions: which mailboxes get what is published, by topic and by type of message."""

from __future__ import annotations

from .messages import Message

Subject = str | type[Message]
"""A topic, or a type of messages with its subtypes."""


class Subscriptions:
    """Names by subject. What an envelope finds is remembered until a subscription changes."""

    def __init__(self) -> None:
        self._names: dict[Subject, list[str]] = {}
        self._found: dict[tuple[str | None, type[Message]], tuple[str, ...]] = {}

    def add(self, name: str, subject: Subject) -> None:
        """Subscribe ``name`` to ``subject``; twice is once."""
        names = self._names.setdefault(subject, [])
        if name not in names:
            names.append(name)
        self._found.clear()

    def remove(self, name: str, subject: Subject) -> None:
        """End one subscription, if there is one."""
        names = self._names.get(subject, [])
        if name in names:
            names.remove(name)
        self._found.clear()

    def forget(self, name: str) -> None:
        """End all subscriptions of ``name``."""
        for subject in list(self._names):
            self.remove(name, subject)
        self._found.clear()

    def of(self, topic: str | None, kind: type[Message]) -> tuple[str, ...]:
        """Who gets a message of ``kind`` that is published to ``topic``, each once, in the order of subscription."""
        found = self._found.get((topic, kind))
        if found is None:
            subjects: list[Subject] = [*([] if topic is None else [topic]), *kind.__mro__]
            names = [name for subject in subjects for name in self._names.get(subject, ())]
            found = tuple(dict.fromkeys(names))
            if len(self._found) < 10_000:  # topics may be made up one by one
                self._found[topic, kind] = found
        return found
