"""Answers: what a test has persons say when a run asks them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import UnderstudyError
from ..workflows.questions import OpenQuestion, checked
from ..workflows.values import UNSET
from .differences import brief, differences
from .scripted import Scripted
from .staging import best


class Answers:
    """What persons answer, by the step that asks (``approve``, or ``report/approve`` for the one in a workflow that is
    a step), or by the key of a question; ``$limits`` for a limit used up.

    An answer is a value, given as often as it is asked for; an iterator, of which each question takes the next; a
    function of the question; or one of them as :class:`Scripted`, with the text that is expected or the time that the
    person takes. A question without an answer stays open.
    """

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = dict(answers)
        self._used: set[str] = set()
        self.mistakes: list[str] = []

    def unused(self) -> list[str]:
        """The answers that nobody has asked for."""
        return [f"the answer to '{name}' was not asked for" for name in self._answers if name not in self._used]

    async def __call__(self, question: OpenQuestion) -> Any:
        """The answer; UNSET where there is none."""
        name = question.key if question.key in self._answers else best(self._answers, question.step)
        if name is None:
            return UNSET
        self._used.add(name)
        answer = self._answers[name]
        if isinstance(answer, Scripted):
            if answer.expect is not None and (wrong := differences(answer.expect, question.question, "the question")):
                self.mistakes.append("\n  ".join([f"'{name}' asks something else than expected:", *wrong]))
            if answer.delay:
                await asyncio.sleep(answer.delay)
            answer = answer.reply
        try:
            if isinstance(answer, Iterator):
                answer = next(answer, UNSET)
            elif callable(answer):
                answer = answer(question)
                answer = await answer if inspect.isawaitable(answer) else answer
            return answer if answer is UNSET else checked(question, answer)
        except UnderstudyError as error:
            self.mistakes.append(f"the answer {brief(answer)}: {error}")
        except Exception as error:
            self.mistakes.append(f"the answer to '{name}': {type(error).__name__}: {error}")
        return UNSET

