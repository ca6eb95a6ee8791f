"""One role by itself, outside any team: learned from its examples, asked, and measured."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core.errors import UnderstudyError

if TYPE_CHECKING:
    from .agents.gatherer import Decoder, Reply
    from .agents.messages import Message
    from .agents.role import Context, Role
    from .core.fields import Record
    from .core.heads import Head
    from .core.prompts import Prompt


@dataclass(frozen=True)
class Answer:
    """What a role gave: the message, how sure it was, whether it would rather not say.

    ``confidence`` is the product of the probabilities of all its choices; under the head's threshold the role
    abstains. ``seconds`` is the wall time of the batches in which it was answered.
    """

    output: Message
    confidence: float
    abstained: bool
    seconds: float
    tokens: int

    def as_json(self) -> dict[str, Any]:
        """The object that ``ask --json`` prints."""
        from .agents.messages import filled

        return {
            "output": filled(self.output),
            "confidence": round(self.confidence, 4),
            "abstained": self.abstained,
            "seconds": round(self.seconds, 4),
        }


@dataclass(frozen=True)
class Solo:
    """A role with its head on a backbone."""

    role: Role
    head: Head
    decoder: Decoder
    context: Context

    def message(self, takes: str | Mapping[str, Any], where: str | None = None) -> Message:
        """The message that this role takes, from its fields, or from a text where it takes one field.

        Raises UnderstudyError with the field that is missing, unknown or of the wrong type.
        """
        from .agents.requests import message_from

        return message_from(self.role.takes, takes, where or f"role {self.role.name}")

    def answer(self, messages: Sequence[Message]) -> list[Answer]:
        """Answer all messages, in order; what is ready to be decoded at the same time is decoded in one batch."""

        async def all_of_them() -> list[Answer]:
            return list(await asyncio.gather(*map(self._answer, messages)))

        return asyncio.run(all_of_them())

    async def _answer(self, message: Message) -> Answer:
        from .agents.gatherer import Call
        from .agents.gatherer import ask as ask_decoder

        replies: list[Reply] = []

        async def ask(prompt: Prompt, record: Record) -> Reply:
            replies.append(await ask_decoder(self.decoder, Call(prompt, record, self.head.name)))
            return replies[-1]

        output = await self.role.handle(message, self.context, ask)
        confidence = min((reply.confidence for reply in replies), default=1.0)
        return Answer(
            output,
            confidence,
            bool(getattr(output, "abstained", False)) or confidence < self.head.threshold,
            sum(reply.seconds for reply in replies),
            sum(reply.tokens for reply in replies),
        )


def open_solo(subject: str) -> Solo:
    """The learned role ``subject``: its name, the folder of its head, or its role.yaml.

    Raises UnderstudyError where it was never learned, with the names of the roles that were.
    """
    from .agents.role import Context, Role, role_from_document, role_named
    from .workflows.resources import Resources
    from .workflows.roles import RoleFinder

    finder = RoleFinder(Path.cwd())
    path = Path(subject)
    if path.suffix in (".yaml", ".yml"):
        subject = Role.load(path).name
    folder = path if (path / "head.json").is_file() else finder.head(subject)
    if folder is None:
        raise UnderstudyError(f"there is no learned role {subject!r}", mend=finder.suggestion(subject))

    from .core.heads import Head

    head = Head.load(folder)
    role = role_from_document(dict(head.role), folder, where=str(folder)) if head.role else role_named(head.name)
    resources = Resources(head.backbone.get("name", "default"), Path.cwd())
    resources.name_head(head.name, folder)
    return Solo(role, head, resources, Context())
