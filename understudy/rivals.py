"""Who could play a team's roles in place of the trained heads, with all else the same: prompts, grammars, tools."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .address import completions, is_loopback
from .agents.sql import NOTHING

if TYPE_CHECKING:
    from .agents.agent import Agent
    from .agents.role import Role
    from .core.heads import Head
    from .core.prompts import Example
    from .served import Served
    from .workflows.team import Team

TRAINED = "trained head"
NO_HEAD = "no head"
UNTRAINED = "untrained head"
OTHER = "other role's head"
RULES = "rules"
DEMONSTRATIONS = 8
"""Shown to a prompted model for a shipped role, whose examples are drawn; of a learned role it sees them all."""
KEY = "OPENAI_API_KEY"
"""The environment variable with the key of a prompted model."""
_NO_ANSWER: Mapping[str, Mapping[str, Any]] = {"coder": {"sql": NOTHING}, "qa": {"answer": None}}
"""What a shipped role that may abstain writes then; an example of it is among those that are shown."""


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

    @property
    def key(self) -> str | None:
        """What ``$OPENAI_API_KEY`` holds, for an address of this machine or over https; None where there is nothing.

        Over plain http whoever is on the way could read it, so that another machine is asked without.

        Raises UnderstudyError where the url is no address.
        """
        url = completions(self.url)
        return os.environ.get(KEY) or None if url.startswith("https:") or is_loopback(url) else None


class Rivals:
    """All who are compared on one team, the trained heads first; a context manager that ends with :meth:`close`.

    Args:
        team: a loaded team, all of whose agents are learned.
        ablate: whether no head, an untrained one and another role's take part.
        rules: a Python file with a class ``Rules``, whose ``decode(calls)`` gives replies with ``values``.
        against: a prompted model.

    The rules and the address are looked at before anything of the team is loaded.

    Attributes:
        told: who takes part → what that is.

    Raises:
        UnderstudyError: the file of rules cannot be used; the address of the model is none, or its key is none.
    """

    def __init__(
        self, team: Team, *, ablate: bool = True, rules: Path | None = None, against: Prompted | None = None
    ) -> None:
        self.team = team
        self.told: dict[str, str] = {TRAINED: "the role's own head"}
        self._fixed: dict[str, Any] = {}  # rivals that need no head of their own → their decoder
        self._served: dict[str, Served] = {}  # those of them that are prompted
        others: dict[str, str] = {}
        if rules is not None:
            from .rules_file import load_rules

            self._fixed[RULES] = load_rules(rules)
            others[RULES] = f"{rules.name}: plain code in the head's place, same prompt and same record"
        if against is not None:
            others |= self._add_prompted(against)
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
        self.told |= others

    def _add_prompted(self, against: Prompted) -> dict[str, str]:
        """Take the model as a rival; its name and what it is."""
        from .endpoint import Endpoint
        from .served import Served

        shown = {agent.head: demonstrations(agent.member.role) for agent in self.team.agents.values()}
        name = f"{against.model}, few-shot"
        self._fixed[name] = self._served[name] = Served(Endpoint(against.url, against.model, shown, key=against.key))
        told = (
            f"the model at {against.url}, shown demonstrations of the role ({DEMONSTRATIONS} training examples "
            "of a shipped one), same record"
        )
        if against.key is None and os.environ.get(KEY):
            told += "; asked without the key, for it is another machine over plain http"
        return {name: told}

    def close(self) -> None:
        """Give up the calls that still wait for a prompted model; it cannot be asked any more."""
        for one in self._served.values():
            one.close()

    def __enter__(self) -> Rivals:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        return self._served.get(rival)

    @property
    def refused(self) -> list[str]:
        """What was said of each call to a prompted model that failed otherwise than by an answer that is not valid."""
        return [said for one in self._served.values() for said in one.refused]

    def _next(self, name: str) -> Any:
        """The next agent of the team, after the last the first, that has another role; None where there is none."""
        agents = list(self.team.agents.values())
        at = list(self.team.agents).index(name)
        others = (one for one in (*agents[at + 1 :], *agents[:at]) if one.head != agents[at].head)
        return next((one for one in others if self.team.resources.has_head(one.head)), None)

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
    drawn = [GENERATORS[role.name](rng) for _ in range(DEMONSTRATIONS)]
    none = _NO_ANSWER.get(role.name)
    while none is not None and all(one.values != none for one in drawn):
        drawn[-1] = GENERATORS[role.name](rng)
    return tuple(drawn)
