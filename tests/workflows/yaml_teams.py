"""Functions that a team file may call, and a team file with a step of every kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema

from understudy.agents.messages import Message
from understudy.workflows.formats import json_schema

ROOT = Path(__file__).resolve().parents[2]
VALIDATOR = jsonschema.Draft202012Validator(json_schema("team"))
HEAD = "schema: understudy/team/v1\nteam: desk\n"


class Draft(Message, message_name="test_yaml_steps.Draft"):
    text: str
    good: bool = True


def draft(request: str, given: tuple[str, ...] = ()) -> str:
    """Drafts a text.

    With care.
    """
    return " ".join((request, *given))


def judge(text: str) -> Draft:
    return Draft(text=text, good=len(text) > 3)


async def double(value: int) -> int:
    return 2 * value


def broken(value: Any) -> int:
    raise ValueError(f"no {value}")


EVERY = """\
agents: {qa: qa}
input: {texts: {list: text}, seconds: number}
workflow:
  start: go
  steps:
    go: {call: same, input: {value: {value: [1, 2]}}, then: [one, two]}
    one:
      agent_from: team.cast[0].name
      each: input.texts
      at_once: 3
      failure: collect
      input: {request: item}
      retry: {attempts: 4, wait: 1, factor: 3, longest: 60}
      seconds: 2.5
      into: talk
      on_error: mend
      then: met
    two: {ask: 'May I?', choices: [yes, 1, true], on_error: $end, then: met}
    met: {call: same, after: [one, two], merge: dict, routes: [{to: [say, wait], when: met.two == 1, at_most: 2}, tell]}
    say: {ask_from: met.two, gives: {mood: [good, bad], note: text}, then: $end}
    wait: {sleep: 5}
    tell: {sleep: input.seconds, routes: [go2]}
    go2: {agent: qa, input: {request: 'talk[0].answer'}, retry: 2}
    mend: {call: record, input: {step: error.step}}
output: {talk: talk}
limits:
  seconds: 9
  messages: 8
  tokens: 7
  depth: 6
  on_exceed: ask
  agents: {qa: {seconds: 1, messages: 2, tokens: 3}}
"""
