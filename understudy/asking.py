"""A question of a run, asked at the console until its answer is one."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python
from rich.padding import Padding
from rich.text import Text

from .cli_support import complain, stderr, value_from
from .core.errors import UnderstudyError
from .render import output_view

if TYPE_CHECKING:
    from .workflows.questions import OpenQuestion


def answer_to(question: OpenQuestion) -> Any:
    """What the person at the console answers; asked again after an answer that the question does not allow.

    What is asked goes to stderr, so that stdout is that of the run. Raises EOFError where nobody answers any more.
    """
    from .workflows.questions import checked

    show(question)
    while True:
        try:
            return checked(question, _message(question) if question.gives else _value(question))
        except UnderstudyError as error:
            complain(str(UnderstudyError(error.what, mend=error.mend)))


def show(question: OpenQuestion) -> None:
    """The question, with what it is about and what may be answered."""
    console = stderr()
    console.print(Text(f"{question.step} asks  ", style="bold yellow") + Text(question.question, style="bold"))
    about = to_jsonable_python(question.about, fallback=str)
    if about is not None and str(about) not in question.question:
        console.print(Padding(output_view(about), (0, 0, 0, 2), expand=False))
    if question.choices:
        console.print(Text(f"  one of: {', '.join(map(shown, question.choices))}", style="dim"), soft_wrap=True)


def shown(choice: Any) -> str:
    """A choice as it is typed."""
    if isinstance(choice, bool):
        return "yes" if choice else "no"
    return choice if isinstance(choice, str) else json.dumps(choice, ensure_ascii=False)


def _value(question: OpenQuestion) -> Any:
    """Of a question with choices one of them; otherwise JSON, a text or @FILE, as after --answer."""
    text = _line("answer")
    alike = [choice for choice in question.choices if shown(choice).casefold() == text.casefold()]
    if alike:
        return next((choice for choice in alike if shown(choice) == text), alike[0])
    if question.choices and text not in ("true", "false"):
        mend = f"type one of: {', '.join(map(shown, question.choices))}"
        raise UnderstudyError(f"'{text}' is not among what may be answered", mend=mend)
    return value_from(text, "the answer")


def _message(question: OpenQuestion) -> Mapping[str, Any]:
    """The fields of a message, one line each; an empty line leaves the default of a field that has one."""
    from .agents.messages import message_type
    from .workflows.inference import in_words
    from .workflows.kinds import kind_of

    assert question.gives is not None
    given = {}
    for name, info in message_type(question.gives).model_fields.items():
        wanted = in_words(kind_of(info.annotation))
        text = _line(f"{name} ({wanted})", needed=info.is_required())
        if text:
            plain = {"yes": True, "no": False}.get(text.casefold(), text) if info.annotation is bool else text
            given[name] = plain if info.annotation is str or plain is not text else value_from(text, name)
    return given


def _line(prompt: str, needed: bool = True) -> str:
    """A line of the person, without the spaces around it. Raises EOFError where there is none."""
    while True:
        print(f"{prompt}: ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            print(file=sys.stderr)
            raise EOFError
        if line.strip() or not needed:
            return line.strip()
