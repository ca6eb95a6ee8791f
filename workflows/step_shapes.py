"""Shapes of a workflow in a team file: its steps and the ways between them."""

from __future__ import annotations

import keyword

from .common_shapes import AGENT_NAME, COUNT, EXPRESSION, FIELDS, FUNCTION, PATH, SECONDS
from .common_shapes import LIMITS as LIMITS
from .merging import MERGES
from .pattern_shapes import PATTERN
from .shapes import IDENTIFIER, Either, Exactly, Items, Key, Keys, Named, NumberShape, OneOf, TextShape
from .value_shapes import AnswersShape, ExpressionShape

END = "$end"
SCOPE_WORDS = ("input", "team", "item", "index", "len", "true", "false", "null", *keyword.kwlist)
"""Words that mean something in expressions, so that no step may be named by them."""

STEP_NAME = TextShape("a step's name")
STEP_NAMES = Either("a step's name or a list of them", (STEP_NAME, Items(STEP_NAME, 1, "a list of steps", "step")))

ROUTE = Keys("a route", {
    "to": Key(STEP_NAMES, f"the next step, or {END}; several run side by side", True),
    "when": Key(EXPRESSION, "the condition under which the route is taken"),
    "at_most": Key(COUNT, "how often it may be taken in one run"),
})

RETRY = Keys("a retry", {
    "attempts": Key(COUNT, "calls in all, the first among them; 3 where left out"),
    "wait": Key(NumberShape(0), "seconds before the second call; 0.1 where left out"),
    "factor": Key(NumberShape(1), "how many times as long each later pause is; 2 where left out"),
    "longest": Key(NumberShape(0), "seconds of the longest pause; 10 where left out"),
})

STEP = Keys("a step", {
    "agent": Key(AGENT_NAME, "the agent that does it"),
    "agent_from": Key(EXPRESSION, "an expression that gives the name of the agent, chosen from the cast"),
    "call": Key(FUNCTION, "the registered function that does it"),
    "team": Key(PATH, "the path of a team.yaml whose team does it, as a run of its own"),
    "pattern": Key(PATTERN, "the group of agents that does it, as a run of its own"),
    "ask": Key(TextShape("a question"), "the question that a person is asked, as it stands; the answer is the output"),
    "ask_from": Key(EXPRESSION, "an expression that gives the question"),
    "sleep": Key(ExpressionShape(numbers=True), "how many seconds to wait, a number or an expression"),
    "choices": Key(AnswersShape(), "what may be answered to the question"),
    "gives": Key(FIELDS, "the fields that the answer to the question has to give"),
    "input": Key(Named("input", EXPRESSION),
                 "the fields of the agent's or team's message or the function's arguments, as expressions"),
    "each": Key(EXPRESSION, "a list; the step runs once for each item"),
    "at_once": Key(COUNT, "how many items run at a time; 8 where left out"),
    "failure": Key(OneOf(("fail_fast", "collect", "all_or_nothing"), "a failure mode"),
                   "what happens to the others when one item fails; collect: null stands for it"),
    "after": Key(STEP_NAMES, "the steps that lead here; of several, all must have come"),
    "merge": Key(OneOf(tuple(MERGES), "a merge rule"), "how the outputs of several steps it comes after become one"),
    "then": Key(STEP_NAMES, f"the next step, or {END}; several run side by side"),
    "routes": Key(Items(Either("a step's name or a route", (STEP_NAME, ROUTE)), 1, "a list of routes"),
                  "the next step by condition, the first that holds; the short form is the step's name"),
    "on_error": Key(STEP_NAME, f"the step, or {END}, that is led to when this one has failed; else the run fails"),
    "retry": Key(Either("a number of attempts or a mapping", (COUNT, RETRY)), "how often it is tried, at most"),
    "seconds": Key(SECONDS, "how long it may take, or each item of it"),
    "into": Key(TextShape("a list's name", IDENTIFIER, "a name has letters, digits and _, and begins with a letter"),
                "a list that grows by the output, under this name in expressions"),
}, Exactly(
    ("agent", "agent_from", "call", "team", "pattern", "ask", "ask_from", "sleep"), "the step has no agent",
    "a step is done by one agent, function, team, group or person, or it waits",
    "add agent: NAME, agent_from: an expression that gives the name, call: FUNCTION, team: PATH, pattern: {…}, "
    "ask: QUESTION or sleep: SECONDS",
))

WORKFLOW = Keys("a workflow", {
    "start": Key(STEP_NAMES, "the first step, the first of the steps where left out; several begin side by side"),
    "steps": Key(Named("step", STEP, reserved=SCOPE_WORDS, least=1), "the steps by name"),
    "pattern": Key(PATTERN, "the group of agents that the whole workflow is, in place of steps"),
}, Exactly(("steps", "pattern"), "the workflow has no steps", "it has steps, or is a pattern",
           "add steps: {NAME: …}, or pattern: {…}"))
