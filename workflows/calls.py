"""Functions that a YAML file may name under ``call``: registered ones only, never a dotted path."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..agents.messages import Finding, PlannedStep


def combine(steps: Sequence[PlannedStep], findings: Sequence[Finding | None]) -> Finding:
    """One finding from those of a plan's steps: what the steps found whose results no other step reads.

    Such steps answer the request, or each a part of it; the others only lead there, and are among the sources.
    The finding abstains where one of its parts does, or one on which a part rests, and is as confident as the least
    confident of them: who computes with a doubtful value has a doubtful result.
    """
    read = {number for step in steps for number in step.needs}
    last = [finding for number, finding in enumerate(findings, 1) if number not in read and finding is not None]
    sources = [source for finding in findings if finding is not None for source in finding.sources]
    return Finding(
        answer="; ".join(finding.answer for finding in last),
        values=tuple(dict.fromkeys(value for finding in last for value in finding.values)),
        sources=tuple(source for place, source in enumerate(sources) if source not in sources[:place]),
        abstained=not last or any(finding is None or finding.abstained for finding in findings),
        confidence=min((finding.confidence for finding in findings if finding is not None), default=0.0),
    )


CALLS: Mapping[str, Callable[..., Any]] = {"combine": combine}
"""The registered functions by name."""
