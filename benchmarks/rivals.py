"""Who is compared: the trained heads, and what stands in their place, with everything else the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.rules_desk import Rules
from understudy.agents.agent import Agent
from understudy.agents.messages import CastMember
from understudy.agents.role import Context
from understudy.agents.tools import open_tool
from understudy.core.backbone import Backbone
from understudy.core.bank import HeadBank
from understudy.core.decoding import Call, Decoder
from understudy.core.heads import Head
from understudy.core.prompts import Example
from understudy.workflows.team import Team

ROLES = ("planner", "coder", "qa", "recommender")
RIVALS: Mapping[str, str] = {
    "trained head": "the role's own head",
    "no head": "the bare backbone, same prompt and same grammar",
    "untrained head": "random tensors, in every layer as large as the trained ones",
    "other's head": "planner with qa's head, coder with planner's, qa with coder's, recommender with qa's",
    "rules": "keywords and templates (benchmarks/rules_desk.py), same prompt and same record; who wrote them "
    "had read the desk questions but none of the templates",
}
OTHER = {"planner": "qa", "coder": "planner", "qa": "coder", "recommender": "qa"}


def untrained(head: Head, seed: int = 0) -> Head:
    """A head of random tensors whose products weigh in every layer what those of ``head`` do (Frobenius norm)."""
    generator = torch.Generator().manual_seed(seed)
    pairs = {}
    for site, (down, up) in head.pairs.items():
        a, b = torch.randn(down.shape, generator=generator), torch.randn(up.shape, generator=generator)
        scale = torch.linalg.norm(down @ up) / torch.linalg.norm(a @ b).clamp(min=1e-12)
        pairs[site] = (a, b * scale)
    return replace(head, pairs=pairs)


@dataclass(frozen=True)
class Seat:
    """Who answers for a role: a decoder, the name of a head in its bank, the confidence under which it abstains."""

    decoder: Any
    head: str = ""
    threshold: float = 0.0


class Rivals:
    """All rivals on one team: its backbone, its heads and its knowledge.

    Args:
        team: a loaded team that has the four roles under their own names.
    """

    def __init__(self, team: Team) -> None:
        self.team = team
        self.rules = Rules()
        backbone: Backbone = team.backbone
        self.bank = HeadBank(backbone.sites)
        self.decoder = Decoder(backbone, self.bank)
        self.thresholds: dict[str, float] = {}
        self.bytes: dict[str, int] = {}
        for role in ROLES:
            folder = team[role].member.head
            assert folder is not None, f"{role} has no head"
            head = Head.load(folder)
            self.thresholds[role] = head.threshold
            self.bytes[role] = sum(file.stat().st_size for file in Path(folder).iterdir())
            self.bank.add(replace(head, name=role))
            self.bank.add(replace(untrained(head), name=f"untrained {role}"))
        self.contexts = {role: self._context(role) for role in ROLES}

    def seat(self, rival: str, role: str) -> Seat:
        """Who answers for ``role`` where ``rival`` plays. Raises KeyError for an unknown rival."""
        return {
            "trained head": Seat(self.decoder, role, self.thresholds[role]),
            "no head": Seat(self.decoder),
            "untrained head": Seat(self.decoder, f"untrained {role}"),
            "other's head": Seat(self.decoder, OTHER[role]),
            "rules": Seat(self.rules),
        }[rival]

    def agent(self, rival: str, role: str) -> Agent:
        """An agent of the team with that rival in its head's place."""
        seat = self.seat(rival, role)
        part = self.team[role].member.role
        return Agent(role, part, seat.head, seat.decoder, self.contexts[role], threshold=seat.threshold)

    def values(self, rival: str, role: str, examples: Sequence[Example]) -> list[Mapping[str, Any]]:
        """What that rival fills into the records of examples, in order."""
        seat = self.seat(rival, role)
        replies = seat.decoder.decode([Call(one.prompt, one.record, seat.head) for one in examples])
        return [reply.values for reply in replies]

    def _context(self, role: str) -> Context:
        member = self.team[role].member
        tools = [open_tool(dict(tool), self.team.resources.base) for tool in member.tools]
        cast: tuple[CastMember, ...] = self.team.cast
        return Context(self.team.resources.store, {tool.name: tool for tool in tools}, cast, member.options)
