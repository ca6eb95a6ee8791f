"""Shapes of the patterns in a team file: the usual groups of agents, with the parameters that they have in Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .common_shapes import AGENT_NAME, COUNT, EXPRESSION, FIELDS, FUNCTION, LIMITS
from .merging import MERGES
from .shapes import Either, Exactly, Items, Key, Keys, OneOf, Report, TextShape
from .yaml_document import KeyPath

CALL = Keys("a function", {"call": Key(FUNCTION, "a registered function", True)})


@dataclass(frozen=True)
class MemberShape(Either):
    """An agent's name, or a function; an agent is not described where it takes part."""

    def check(self, value: Any, path: KeyPath, report: Report) -> None:
        if isinstance(value, dict) and "call" not in value:
            report.expected(path, value, self.what, "describe it under the team's agents, and write its name here")
        else:
            super().check(value, path, report)


MEMBER = MemberShape("an agent's name or {call: FUNCTION}", (AGENT_NAME, CALL))
MEMBERS = Items(MEMBER, 1, "a list of agents", "agent")
FIELD = TextShape("a field's name")

AGENTS = Key(MEMBERS, "who takes part, by name; a registered function is {call: NAME}", True)
UNTIL = Key(EXPRESSION, "when it ends: an expression over what was said, looked at after each turn")
OF_A_STEP = {
    "takes": Key(FIELDS, "of a step: the fields of the message that it takes; {request: text} where left out"),
    "limits": Key(LIMITS, "of a step: what its run may use"),
}
"""What a pattern that is the whole workflow has from its team: ``input`` and ``limits``."""

PATTERNS: Mapping[str, Keys] = {
    "round_robin": Keys("a round robin", {
        "agents": AGENTS,
        "rounds": Key(COUNT, "how often each speaks, at most", True),
        "until": UNTIL,
    } | OF_A_STEP),
    "selector": Keys("a selector", {
        "agents": AGENTS,
        "choose": Key(MEMBER, "who says who speaks next", True),
        "turns": Key(COUNT, "how many turns there are, at most", True),
        "until": UNTIL,
        "field": Key(FIELD, "where its reply has the name; agent where left out"),
    } | OF_A_STEP),
    "handoff": Keys("a handoff", {
        "agents": AGENTS,
        "start": Key(AGENT_NAME, "who begins; the first where left out"),
        "at_most": Key(COUNT, "how many handoffs there are, at most; 8 where left out"),
        "field": Key(FIELD, "where a reply has the name of who goes on; to where left out"),
    } | OF_A_STEP),
    "debate": Keys("a debate", {
        "agents": AGENTS,
        "judge": Key(MEMBER, "who has the last word", True),
        "rounds": Key(COUNT, "how often all speak", True),
    } | OF_A_STEP),
    "vote": Keys("a vote", {
        "agents": AGENTS,
        "rule": Key(Either("a rule's name or {call: FUNCTION}", (OneOf(tuple(MERGES), "a rule"), CALL)),
                    "how one answer is made of theirs; majority where left out"),
        "by": Key(FIELD, "the field of the answers that is counted"),
        "failure": Key(OneOf(("fail_fast", "collect"), "a failure mode"),
                       "what happens when one fails; collect: it has no vote"),
    } | OF_A_STEP),
    "planner_worker_reviewer": Keys("a planner with workers and a reviewer", {
        "planner": Key(MEMBER, "who gives the steps, each for one of the workers", True),
        "workers": Key(MEMBERS, "who does the steps, by name", True),
        "reviewer": Key(MEMBER, "who says whether the work passes", True),
        "at_most": Key(COUNT, "how often it is planned anew, at most", True),
        "until": Key(EXPRESSION, "when the work passes, as an expression; by what the review says where left out"),
    } | OF_A_STEP),
}

DOES = {
    "round_robin": "all speak in turn",
    "selector": "somebody chooses who speaks next",
    "handoff": "who speaks says who goes on",
    "debate": "all answer, hear each other and answer again, and a judge decides",
    "vote": "all answer the same, and a rule makes one answer of theirs",
    "planner_worker_reviewer": "a plan is made and worked through, and made anew until it passes",
}

PATTERN = Keys("a pattern", {name: Key(shape, DOES[name]) for name, shape in PATTERNS.items()}, Exactly(
    tuple(PATTERNS), "no pattern is named", "a pattern is one of the usual groups of agents",
    f"write one of: {', '.join(PATTERNS)}",
))
