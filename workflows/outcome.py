"""What a run came to: its output, and the result that its caller gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..agents.usage import Usage
from ..core.errors import UnderstudyError
from .graph import Graph
from .scope import Scope
from .state import State, StepRecord
from .vector import as_tuples

if TYPE_CHECKING:
    from .questions import OpenQuestion


@dataclass(frozen=True)
class Result:
    """How a run ended.

    Attributes:
        run: its id.
        status: ``completed``, ``failed`` or ``partial``; ``waiting`` for a person, or ``interrupted`` by a drain, and
            then to be resumed; ``running`` for one that was only looked at.
        output: by the workflow's ``output``, or what the last step gave; so far, where it did not complete.
        steps: what each effect did, in the order in which the steps were entered.
        usage: tokens and decoder calls of all effects; its seconds are those of the run.
        error: why it did not complete.
        value: what the step that finished last gave.
        questions: what a person has to answer before the run can go on.
    """

    run: str
    status: str
    output: Mapping[str, Any]
    steps: tuple[StepRecord, ...]
    usage: Usage
    error: str | None = None
    value: Any = None
    questions: tuple[OpenQuestion, ...] = ()


def result_of(state: State, questions: tuple[OpenQuestion, ...] = (), suspended: str | None = None) -> Result:
    """The result of a run in ``state``, finished or not; ``suspended`` says why it is not driven any more."""
    output = state.output
    if state.status == "running":
        scope = Scope({"input": state.input, "team": state.team}, state.outputs, state.lists)
        output, _ = output_so_far(state.graph, scope, state.last)
    return Result(
        state.run, suspended or state.status, output,
        tuple(sorted(state.records, key=lambda record: (record.order, record.index or 0))),
        replace(state.usage, seconds=state.seconds), state.error, state.last, questions,
    )  # fmt: skip


def output_so_far(graph: Graph, scope: Mapping[str, Any], last: Any) -> tuple[dict[str, Any], str | None]:
    """The output as far as there is one, and the first mistake in it."""
    if not graph.output:
        return _as_mapping(last), None
    output: dict[str, Any] = {}
    mistake = None
    for name, expression in graph.output.items():
        try:
            value = expression.evaluate(scope)
            output[name] = as_tuples(value) if graph.lists else value
        except UnderstudyError as error:
            mistake = mistake or f"output.{name}: {error}"
    return output, mistake


def _as_mapping(value: Any) -> dict[str, Any]:
    names = getattr(type(value), "model_fields", None)
    if names is not None:
        return {name: getattr(value, name) for name in names}
    if isinstance(value, Mapping):
        return dict(value)
    return {} if value is None else {"value": value}
