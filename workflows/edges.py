"""Edges: whether what each step gives is what those it leads to take, by their annotations and message types.

Only what is certain is a mistake: of what is not annotated, or cannot be decided before the run, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from .expressions import Expression
from .fitting import Fit, field_kinds, fit, misfits, needs_of
from .function_names import name_of, place_of
from .functions import fill
from .graph import Graph, Step
from .inference import field_of, in_words, names_of, never, no_list, no_number
from .kinds import ANYTHING, TRUTH, WHOLE, Constant, Fields, Kind, Many, Mapped, Plain, Row, members
from .outputs import Arrival, Outputs, takes_of
from .roads import Roads
from .templates import unfilled
from .values import hint

Found = Iterator[tuple[str, str, str, str]]
"""Mistakes: the path, what is wrong, why, and how to mend it."""


def mismatches(graph: Graph, agents: Mapping[str, Any], roads: Roads) -> Found:
    """The mistakes along the edges of ``graph``; ``agents``: those that are known, by name."""
    edges = _Edges(graph, Outputs(graph, agents), roads)
    for step in graph.steps.values():
        yield from edges.check(step)
    for key, expression in graph.output.items():
        yield from edges.expression(f"output.{key}", expression, None)


class _Edges:
    """The edges of one graph."""

    def __init__(self, graph: Graph, outputs: Outputs, roads: Roads) -> None:
        self.graph = graph
        self.outputs = outputs
        self.roads = roads
        self.kinds: dict[str, Kind] = {}
        errors = ("error",) if graph.guarded else ()
        self.names = dict.fromkeys(("input", "team", *errors, *graph.lists, *graph.steps))
        self.branches = any(len(route.targets) > 1 for step in graph.steps.values() for route in step.routes)
        words = ("name", "does", "cast")
        every = [one for step in graph.steps.values() for _, one in step.expressions()]
        every += graph.output.values()
        used = {path[:2] for one in every for path in one.paths() if path[0] == "team"}
        self.own_team = any(path[1:] and path[1] not in words for path in used)

    def check(self, step: Step) -> Found:
        at = f"steps.{step.name}"
        for path, expression in step.expressions():
            yield from self.expression(f"{at}.{path}", expression, step)
        yield from self.shapes(step)
        for arrival in self.outputs.arriving(step):
            if arrival.mistake:
                yield f"{at}.merge", arrival.mistake, "", "choose another rule, or give a function"
        takes, doer = None, ""
        if step.call is not None:
            yield from self.function(step)
        elif step.agent is not None:
            takes, doer = takes_of(self.outputs.agents.get(step.agent)), f"agent {step.agent}"
        elif step.workflow is not None:
            takes, doer = takes_of(step.workflow), f"workflow {getattr(step.workflow, 'name', step.name)}"
        if takes is not None:
            yield from self.message(step, takes, doer)

    def expression(self, path: str, expression: Expression, step: Step | None) -> Found:
        """What is certain to go wrong when the expression is evaluated; its kind is kept."""
        told: list[tuple[str, str]] = []
        outside = ".routes[" in path or path.endswith(".each")
        seen = None if step is None or outside else step
        self.kinds[path] = self.outputs.read(expression, seen, lambda what, mend: told.append((what, mend)))
        for what, mend in dict.fromkeys(told):
            yield path, what, "", mend

    def shapes(self, step: Step) -> Found:
        """Expressions that do not give what the step is for: a list, a number, a name."""
        at = f"steps.{step.name}"
        if step.each is not None and never(no_list, kind := self.kinds[f"{at}.each"]):
            lists = [name for name in names_of(kind) if not never(no_list, field_of(kind, name) or ANYTHING)]
            what = f"step {step.name} goes over {step.each}, which is no list: it is {in_words(kind)}"
            yield f"{at}.each", what, "", _near(str(step.each), lists, "give it a list")
        if step.sleep is not None and never(no_number, kind := self.kinds[f"{at}.sleep"]):
            what = f"step {step.name} sleeps for {step.sleep}, which is no number of seconds: it is {in_words(kind)}"
            yield f"{at}.sleep", what, "", "give it a number"
        if isinstance(step.agent_from, Expression):
            kind = self.kinds[f"{at}.agent_from"]
            if fit(kind, Plain(str)) is Fit.NEVER:
                what = f"step {step.name} is given to {step.agent_from}, which is no name: it is {in_words(kind)}"
                yield f"{at}.agent_from", what, "", "give the name of an agent"

    # What a function takes.

    def function(self, step: Step) -> Found:
        at, signature = f"steps.{step.name}", self.outputs.signature(step)
        assert step.call is not None
        own = name_of(step.call)
        doer = f"function {own}" if own else f"the function of step {step.name} ({place_of(step.call)})"
        if step.input:
            for key in step.input:
                if key in signature.unnamed:
                    yield f"{at}.input.{key}", f"{doer} takes '{key}' by its place only", "", \
                        f"take the / out of its parameters, or let step {step.name} have no input"
                elif key not in signature.takes and not signature.open:
                    yield f"{at}.input.{key}", f"{doer} takes no '{key}'", "", hint(key, signature.takes) or ""
                else:
                    wanted = signature.takes.get(key, ANYTHING)
                    yield from self.given(step, key, wanted, f"{doer} takes {wanted} as '{key}'", field=False)
            for key in signature.required:
                if key not in step.input and key not in signature.unnamed:
                    yield f"{at}.input", f"{doer} needs '{key}'", "", f"add {key}: …"
            if step.call is fill:
                yield from unfilled(step.input, self.kinds.get(f"{at}.input.template", ANYTHING), f"{at}.input")
            return
        for parameter, name in self.taken(step):
            wanted = signature.takes.get(parameter, ANYTHING)
            if name is None:
                yield from self.value(step, parameter, wanted)
            elif name not in self.known(step):
                mend = f"{hint(name, self.known(step))}; or give step {step.name} an input"
                yield at, f"nothing is named '{name}', which {doer} takes", "", mend
            elif name in self.graph.steps and not self.roads.leads(name, step.name):
                why = f"no way leads from {name} to {step.name}"
                yield at, f"step {step.name} reads '{name}', which cannot have run", why, "lead there first"
            else:
                yield from self.named(step, parameter, name, wanted)

    def known(self, step: Step) -> Mapping[str, None]:
        """The names that the parameters of the function of ``step`` may have."""
        if step.each is None:
            return self.names
        return {**self.names, "item": None, "index": None}

    def taken(self, step: Step) -> Iterator[tuple[str, str | None]]:
        """Which parameters get something, and by which name; None: what the step is given (see :class:`Parameters`)."""
        how, known = step.parameters, self.known(step)
        for name in how.optional:
            if name in known and (name not in self.graph.steps or self.roads.leads(name, step.name)):
                yield name, name
        if len(how.needed) > 1:
            yield from ((name, name) for name in how.needed)
        elif how.value is None:
            return
        elif how.needed:
            by_name = step.each is None and not how.positional and how.value in known
            if by_name and how.value in self.graph.steps and not self.roads.leads(how.value, step.name):
                by_name = False
            yield how.value, how.value if by_name else None
        elif not any(name in known for name in how.optional):
            yield how.value, None

    def value(self, step: Step, parameter: str, wanted: Kind) -> Found:
        """What the step is given, or its item."""
        at = f"steps.{step.name}"
        if step.each is not None:
            kind = self.outputs.item(step)
            fits = fit(kind, wanted)
            if fits is Fit.NEVER or (fits is Fit.PARTLY and self.always(step, step.each)):
                takes = f"step {step.name} takes {wanted} as '{parameter}'"
                mend = _mend_partly(step, kind, wanted) if fits is Fit.PARTLY else _MEND
                yield at, f"an item of {step.each} is {said(kind)}, and {takes}", "", mend
            return
        if parameter in self.graph.steps and self.branches:
            return  # it may be given what a step beside it gave
        for arrival in self.outputs.arriving(step):
            yield from self.arrived(step, arrival, parameter, wanted)

    def arrived(self, step: Step, arrival: Arrival, parameter: str, wanted: Kind) -> Found:
        at, fits = f"steps.{step.name}", fit(arrival.kind, wanted)
        if fits >= Fit.PERHAPS or (fits is Fit.PARTLY and not arrival.certain):
            return
        names = " and ".join(arrival.origins)
        if len(arrival.origins) > 1 and step.merge is None and fit(Many(ANYTHING), wanted) is Fit.NEVER:
            what = f"steps {names} both write what step {step.name} takes as '{parameter}', which is {wanted}, no list"
            yield at, what, "two writers without a merge rule", _MERGE
            return
        what = f"{arrival} gives {said(arrival.kind)}, and step {step.name} takes {wanted} as '{parameter}'"
        if fits is Fit.PARTLY:
            yield at, what, "", _mend_partly(step, arrival.kind, wanted)
            return
        origin = arrival.origins[0] if arrival.origins else "input"
        parts = _fitting(arrival.kind, wanted) if len(arrival.origins) < 2 and not arrival.failed else []
        mend = _near(origin, parts)
        if len(parts) == 1:
            mend += f" give step {step.name} the input {parameter}: {origin}.{parts[0]}"
        yield at, what, "", mend

    def named(self, step: Step, parameter: str, name: str, wanted: Kind) -> Found:
        """The parameter ``parameter`` gets what is called ``name``."""
        kind = self.outputs.names(step)(name)
        fits = fit(kind, wanted)
        certain = name in self.graph.steps and step.name in self.roads.certain(name)
        if fits is Fit.NEVER or (fits is Fit.PARTLY and certain):
            whose = f"step {name} gives" if name in self.graph.steps else f"'{name}' is"
            what = f"{whose} {said(kind)}, and step {step.name} takes {wanted} as '{parameter}'"
            mend = _mend_partly(step, kind, wanted) if fits is Fit.PARTLY else _MEND
            yield f"steps.{step.name}", what, "", mend

    def given(self, step: Step, key: str, wanted: Kind, takes: str, *, field: bool) -> Found:
        """The argument ``key`` of the step's input."""
        path, expression = f"steps.{step.name}.input.{key}", step.input[key]
        kind = self.kinds[path]
        fits = fit(kind, wanted, field=field)
        if fits is Fit.NEVER or (fits is Fit.PARTLY and self.always(step, expression)):
            what = f"{takes}, and {expression} is {said(kind)}"
            names = [name for name in _fitting(kind, wanted) if expression.names()]
            mend = _mend_partly(step, kind, wanted) if fits is Fit.PARTLY else _near(str(expression), names)
            yield path, what, "", mend

    def always(self, step: Step, expression: Expression) -> bool:
        """Whether the expression is the output of a step, whatever that is."""
        return expression.text in self.graph.steps and step.name in self.roads.certain(expression.text)

    # What an agent takes, or a workflow as a step.

    def message(self, step: Step, takes: type, doer: str) -> Found:
        at, needs = f"steps.{step.name}", needs_of(takes)
        if step.input:
            if needs is None:
                return
            for key in step.input:
                if key not in needs:
                    yield f"{at}.input.{key}", f"{doer} takes no '{key}'", "", hint(key, needs) or ""
                else:
                    wanted = needs[key][0]
                    yield from self.given(step, key, wanted, f"{doer} takes {wanted} as '{key}'", field=True)
            for key, (_, required) in needs.items():
                if required and key not in step.input:
                    yield f"{at}.input", f"{doer} needs '{key}'", "", f"add {key}: …"
            return
        if step.each is not None:
            yield from self.by_name(step, takes, doer, self.outputs.item(step), f"an item of {step.each}")
            return
        for arrival in self.outputs.arriving(step):
            if len(arrival.origins) > 1 and step.merge is None:
                names = " and ".join(arrival.origins)
                what = f"steps {names} both write what {doer} takes, which is one {Plain(takes)}"
                yield at, what, "two writers without a merge rule", _MERGE
            else:
                yield from self.by_name(step, takes, doer, arrival.kind, str(arrival))

    def by_name(self, step: Step, takes: type, doer: str, value: Kind, origin: str) -> Found:
        """A message from a value of another type: its fields are looked up by name (see :mod:`.arguments`)."""
        needs = needs_of(takes)
        if needs is None or len(members(value)) > 1 or fit(value, Plain(takes)) >= Fit.PERHAPS:
            return
        if step.workflow is not None and fit(value, Plain(str)) > Fit.NEVER:
            # A text stands for the one field that is needed.
            needed = [name for name, (_, required) in needs.items() if required]
            if len(needed) != 1 and fit(value, Plain(str)) is Fit.ALWAYS:
                what = f"{origin} gives {said(value)}, and {doer} takes {Plain(takes)}: {', '.join(needs)}"
                yield f"steps.{step.name}", what, "", f"give step {step.name} an input"
            return
        for name, (wanted, required) in needs.items():
            if name == "given" and step.each is not None and "needs" in names_of(value):
                continue  # it is what the needed items gave
            for place, where in ((value, origin), (self.outputs.input, "the input")):
                found = _part(place, name)
                if found is ANYTHING:
                    break
                if found is not None:
                    if fit(found, wanted, field=True) is Fit.NEVER:
                        what = f"{doer} takes {wanted} as '{name}', and that of {where} is {said(found)}"
                        yield f"steps.{step.name}", what, "", f"give step {step.name} the input {name}: …"
                    break
            else:
                if required and name not in ("name", "does", "cast") and not self.own_team:
                    names = [*names_of(value), *names_of(self.outputs.input)]
                    lack = f"neither {origin} nor the input has" if origin != "the input" else "the input does not have"
                    near = hint(name, names) or ""
                    mend = f"{near} " if near.startswith("did") else ""
                    what = f"{doer} takes {Plain(takes)} and needs '{name}', which {lack}"
                    yield f"steps.{step.name}", what, "", f"{mend}give step {step.name} the input {name}: …"


_MEND = "change what one of them says, or put a step between them"
_MERGE = "give it a merge, such as majority, best or concat, or say by its input what it takes of each"


def _near(origin: str, names: list[str], otherwise: str = _MEND) -> str:
    """The fields of ``origin`` that are perhaps meant."""
    meant = " or ".join(f"{origin}.{name}" for name in names)
    return f"did you mean {meant}?" if 0 < len(names) < 4 else otherwise


def said(kind: Kind) -> str:
    """``kind`` as an annotation would say it."""
    return type(kind.value).__name__ if isinstance(kind, Constant) else str(kind)


def _mend_partly(step: Step, kind: Kind, wanted: Kind) -> str:
    odd = str(misfits(kind, wanted))
    odd = "None" if "None" in odd else odd
    return f"let step {step.name} take {odd} as well, or lead there by a route with a condition (when)"


def _part(place: Kind, name: str) -> Kind | None:
    """The field ``name`` where fields are looked up by name: lists have none, of mappings the keys are not known."""
    if isinstance(place, Many | Row):
        return None if issubclass(place.cls, Sequence | Set) else ANYTHING
    return ANYTHING if isinstance(place, Mapped) else field_of(place, name)


def _fitting(kind: Kind, wanted: Kind) -> list[str]:
    """The fields of ``kind`` that are what is wanted."""
    fields = field_kinds(kind.cls) if isinstance(kind, Plain) else dict(kind.fields) if isinstance(kind, Fields) else {}
    numbers = fit(TRUTH, wanted) is Fit.ALWAYS and fit(WHOLE, wanted) is Fit.ALWAYS
    return [name for name, one in fields.items() if fit(one, wanted) is Fit.ALWAYS and not (numbers and one == TRUTH)]
