"""Who could play a team's roles in place of the trained heads, with all else the same: prompts, grammars, tools."""

from __future__ import annotations

import importlib.util
import os
import random
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .agents.letters import described
from .core.errors import UnderstudyError

if TYPE_CHECKING:
    from .agents.agent import Agent
    from .agents.role import Role
    from .core.heads import Head
    from .core.prompts import Example
    from .endpoint import Endpoint
    from .workflows.team import Team

TRAINED = "trained head"
NO_HEAD = "no head"
UNTRAINED = "untrained head"
OTHER = "other role's head"
RULES = "rules"
DEMONSTRATIONS = 8
"""Shown to a prompted model for a shipped role, whose examples are drawn; of a learned role it sees them all."""


@dataclass(frozen=True)
class Seat:
    """Who answers for a role: a decoder, the name of a head in its bank, the confidence under which it abstains."""

    decoder: Any
    head: str = ""
    threshold: float = 0.0


@dataclass(frozen=True)
class Prompted:
    """A model behind an OpenAI-compatible address, which is shown demonstrations."""

    url: str
    model: str


class Rivals:
    """All who are compared on one team, the trained heads first.

    Args:
        team: a loaded team, all of whose agents are learned.
        ablate: whether no head, an untrained one and another role's take part.
        rules: a Python file with a class ``Rules``, whose ``decode(calls)`` gives replies with ``values``.
        against: a prompted model.

    Attributes:
        told: who takes part → what that is.

    Raises:
        UnderstudyError: the file of rules cannot be used.
    """

    def __init__(
        self, team: Team, *, ablate: bool = True, rules: Path | None = None, against: Prompted | None = None
    ) -> None:
        self.team = team
        self.told: dict[str, str] = {TRAINED: "the role's own head"}
        self._fixed: dict[str, Any] = {}  # rivals that need no head of their own → their decoder
        if ablate:
            self.told |= {
                NO_HEAD: "the bare backbone",
                UNTRAINED: "random tensors, in every layer as large as the trained ones",
                OTHER: "the next role's head: " + ", ".join(
                    f"{name} with {other.head}'s" for name in team.agents if (other := self._next(name))),
            }  # fmt: skip
            for agent in team.agents.values():
                if agent.member.head is not None:
                    self._put_untrained(agent.head, agent.member.head)
        if rules is not None:
            self._fixed[RULES] = Ruled(load_rules(rules), str(rules))
            self.told[RULES] = f"{rules.name}: plain code in the head's place, same prompt and same record"
        if against is not None:
            from .endpoint import Endpoint

            shown = {agent.head: demonstrations(agent.member.role) for agent in team.agents.values()}
            key = os.environ.get("OPENAI_API_KEY") or None
            name = f"{against.model}, few-shot"
            self._fixed[name] = Served(Endpoint(against.url, against.model, shown, key=key))
            self.told[name] = (
                f"the model at {against.url}, shown demonstrations of the role ({DEMONSTRATIONS} training examples "
                "of a shipped one), same record"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Who takes part, in order."""
        return tuple(self.told)

    def seat(self, rival: str, agent: str) -> Seat | None:
        """Who answers for ``agent`` where ``rival`` plays; None where there is nobody, as no other role's head."""
        member = self.team[agent].member
        heads = self.team.resources
        if rival == TRAINED:
            return Seat(heads, member.role.name, member.threshold)
        if rival == NO_HEAD:
            return Seat(heads)
        if rival == UNTRAINED:
            return Seat(heads, _untrained_name(member.role.name))
        if rival == OTHER:
            other = self._next(agent)
            return None if other is None else Seat(heads, other.head)
        return Seat(self._fixed[rival], member.role.name)

    def agent(self, rival: str, agent: str) -> Agent | None:
        """The agent with that rival in its head's place."""
        seat = self.seat(rival, agent)
        return None if seat is None else self.team[agent].played_by(seat.decoder, seat.head, seat.threshold)

    def values(self, rival: str, agent: str, examples: Sequence[Example]) -> list[Mapping[str, Any]]:
        """What that rival fills into the records of examples, in order."""
        from .agents.gatherer import Call

        seat = self.seat(rival, agent)
        assert seat is not None
        replies = seat.decoder.decode([Call(one.prompt, one.record, seat.head) for one in examples])
        return [reply.values for reply in replies]

    def served(self, rival: str) -> Served | None:
        """The prompted model, where the rival is one."""
        decoder = self._fixed.get(rival)
        return decoder if isinstance(decoder, Served) else None

    @property
    def refused(self) -> list[str]:
        """What was said of each call to a prompted model that failed otherwise than by an answer that is not valid."""
        return [said for one in self._fixed.values() if isinstance(one, Served) for said in one.refused]

    def _next(self, name: str) -> Any:
        """The next agent of the team, after the last the first, that has another role; None where there is none."""
        agents = list(self.team.agents.values())
        at = list(self.team.agents).index(name)
        others = (one for one in (*agents[at + 1 :], *agents[:at]) if one.head != agents[at].head and one.learned)
        return next(others, None)

    def _put_untrained(self, role: str, folder: Path) -> None:
        from .core.heads import Head

        self.team.resources.put_head(replace(untrained(Head.load(folder)), name=_untrained_name(role)))


def _untrained_name(role: str) -> str:
    return f"untrained {role}"


def untrained(head: Head, seed: int = 0) -> Head:
    """A head of random tensors whose products weigh in every layer what those of ``head`` do (Frobenius norm).

    What else it has learned, the readouts of its choices and the pointers of its spans, is left out.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    pairs = {}
    for site, (down, up) in head.pairs.items():
        a, b = torch.randn(down.shape, generator=generator), torch.randn(up.shape, generator=generator)
        scale = torch.linalg.norm(down @ up) / torch.linalg.norm(a @ b).clamp(min=1e-12)
        pairs[site] = (a, b * scale)
    return replace(head, pairs=pairs, prior={}, readouts={}, pointers={})


def demonstrations(role: Role) -> tuple[Example, ...]:
    """What a prompted model is shown of a role: its demonstrations, or some training examples of a shipped one."""
    from .agents.generators import GENERATORS

    if role.demonstrations:
        return role.examples()
    if role.name not in GENERATORS:
        return ()
    rng = random.Random(f"few-shot:{role.name}")
    return tuple(GENERATORS[role.name](rng) for _ in range(DEMONSTRATIONS))


def load_rules(path: Path) -> Any:
    """An instance of the class ``Rules`` of a Python file. Raises UnderstudyError where there is none or it fails."""
    if not path.is_file():
        raise UnderstudyError("there is no such file", where=str(path))
    name = f"understudy_rules_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UnderstudyError("this is no Python file", where=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
        rules = module.Rules()
    except Exception as error:  # whatever a stranger's file does
        what = f"the rules cannot be loaded ({described(error)})"
        raise UnderstudyError(what, where=str(path), mend="give it a class Rules with decode(calls)") from error
    if not callable(getattr(rules, "decode", None)):
        raise UnderstudyError("the class Rules has no decode(calls)", where=str(path))
    return rules


@dataclass(frozen=True)
class RuleReply:
    """What rules answered; they are as sure as they say, and as fast as nothing."""

    values: Mapping[str, Any]
    confidence: float = 1.0
    tokens: int = 0
    seconds: float = 0.0


@dataclass(eq=False)
class Ruled:
    """Rules as a decoder; what goes wrong in them is told with their file."""

    rules: Any
    where: str

    def decode(self, calls: Sequence[Any], /) -> Sequence[RuleReply]:
        """The replies to ``calls``. Raises UnderstudyError for whatever the rules raise, or do not give."""
        try:
            replies = self.rules.decode(calls)
            return [RuleReply(reply.values, getattr(reply, "confidence", 1.0)) for reply in replies]
        except Exception as error:
            raise UnderstudyError(f"the rules failed ({described(error)})", where=self.where) from error


class Served:
    """A prompted model as a decoder, with what it took.

    Attributes:
        refused: what was said of each call that failed otherwise than by an answer that is not valid.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.refused: list[str] = []
        self._broken: UnderstudyError | None = None

    @property
    def taken(self) -> tuple[int, int, float]:
        """Calls whose first answer was valid, calls that were answered, and the sum of their seconds."""
        return self.endpoint.valid_first, self.endpoint.calls, self.endpoint.seconds

    def submit(self, call: Any, owner: str = "") -> Future[Any]:
        """Put one call in the line; up to four are asked at the same time."""
        future = self.endpoint.submit(call, owner)
        future.add_done_callback(self._note)
        return future

    def decode(self, calls: Sequence[Any], /) -> list[Any]:
        """The replies to ``calls``. Raises UnderstudyError for the first that stays invalid or fails."""
        return [future.result() for future in [self.submit(call) for call in calls]]

    def require_working(self) -> None:
        """Raise UnderstudyError where no call was answered and one failed: the address, key or model is not right."""
        if self._broken is not None:
            raise self._broken

    def _note(self, future: Future[Any]) -> None:
        from .endpoint_values import InvalidAnswer

        if future.cancelled():
            return
        error = future.exception()
        if error is None or isinstance(error, InvalidAnswer):
            return
        self.refused.append(str(error))
        if not self.endpoint.calls and isinstance(error, UnderstudyError):
            self._broken = error
