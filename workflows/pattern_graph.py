"""The graph of a workflow that is a pattern: as it is made in Python, with what a file says of it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..agents.messages import Message
from .expressions import Expression
from .flow import Workflow
from .graph import Graph
from .limits import Limits


class PatternFlow(Workflow):
    """The workflow of a pattern in a file; ``pattern``: as it is written there."""

    pattern: Mapping[str, Any]

    @classmethod
    def written(cls, graph: Graph, pattern: Mapping[str, Any]) -> PatternFlow:
        """The workflow of ``graph``, which knows no agents of its own: a run has those of the team."""
        made = cls.of(graph)
        assert isinstance(made, PatternFlow)
        made.pattern = pattern
        return made


@dataclass(frozen=True)
class PatternGraph(Graph):
    """The graph of a team whose workflow is a pattern; ``pattern``: as it is written."""

    pattern: Mapping[str, Any] = field(default_factory=dict)


def pattern_graph(flow: PatternFlow, name: str, takes: type[Message] | None, output: Mapping[str, Expression],
                  limits: Limits) -> PatternGraph:
    """The graph of the team ``name`` whose workflow the pattern is.

    ``output`` speaks of what the pattern gives; all of that, where it is empty.
    """
    graph = flow.graph()
    spoken = {key: in_steps(one, graph) for key, one in output.items()} or graph.output
    return PatternGraph(name, graph.steps, graph.start, takes, spoken, limits, flow.pattern)


def in_steps(expression: Expression, graph: Graph) -> Expression:
    """An expression over the output of ``graph`` as one over its steps: ``last.answer`` as ``talk[-1].answer``."""
    other = {name: one for name, one in graph.output.items() if one.text != name and name in expression.names()}
    if not other:
        return expression

    class Spoken(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return ast.parse(other[node.id].text, mode="eval").body if node.id in other else node

    line = "".join(" " if mark.isspace() else mark for mark in expression.text).strip()
    return Expression.parse(ast.unparse(Spoken().visit(ast.parse(line, mode="eval"))))
