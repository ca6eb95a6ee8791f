"""What an evaluation found: verdicts, tables for the terminal and for Markdown, and one JSON object."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from .evaluation import Rate
from .examination import Outcome
from .paired import LEVEL, Paired
from .rivals import TRAINED
from .sheets import Sheet

SHARES = {
    "right": "right", "right_of_answerable": "right of the answerable", "answered": "answered",
    "right_of_answered": "right of the answered", "false_answers": "false answers", "plan_right": "plan right",
}  # fmt: skip
LEGEND = (
    "Shares with their 95 % Wilson interval. *Right*: of all questions, those answered rightly and those abstained "
    "from where no source says it; *of the answerable*: without the latter. *Answered*: of the answerable, neither "
    "abstained from nor failed. *False answers*: of what no source says, answered all the same. *Seconds*: a question; "
    "the mean of those to a role, which are asked together, the median of the team's, which are asked one by one. A "
    "trained head abstains under a confidence that its learning chose as well; what stands in its place has no such "
    "threshold, and abstains only by what it writes."
)
NONE = "–"
VERDICT = (
    "*More than*: percentage points by which the trained head is right more often on the same questions, with "
    "Newcombe's 95 % interval; *p* by McNemar's exact test. A trained head wins where it beats the best of the others "
    f"with p < {LEVEL:g}. Where some questions cannot be answered the verdict on the others stands beside that on all, "
    "for a threshold helps with the former alone."
)


@dataclass(frozen=True)
class Verdict:
    """Whether the trained head of a part beats the best of its rivals.

    Attributes:
        answerable: the same of the answerable questions alone, whose best rival may be another; None where all are, or
            none is.
    """

    part: str
    rival: str
    mine: Rate
    theirs: Rate
    paired: Paired
    answerable: Verdict | None = None

    @property
    def sentence(self) -> str:
        """In words; a second sentence is on the answerable questions."""
        return self._said(self.part) + (f". {self.answerable._said('Of the answerable it')}" if self.answerable else "")

    def _said(self, who: str) -> str:
        said = "wins" if self.paired.wins else "does not win"
        apart = "do not overlap" if self.paired.apart else "overlap"
        chance = self.paired.chance if "<" in self.paired.chance else f"= {self.paired.chance}"
        return (
            f"{who} {said}: {self.mine.cell} right, the best rival ({self.rival}) {self.theirs.cell}; "
            f"{self.paired.points} points, McNemar's exact test p {chance}; the two shares' intervals {apart}"
        )

    def as_json(self) -> dict[str, Any]:
        """As an object; where there are unanswerable questions ``answerable`` is one too."""
        found = {"best_rival": self.rival, "right": self.mine.as_json(), "rival_right": self.theirs.as_json(),
                 **self.paired.as_json()}  # fmt: skip
        return found | ({"answerable": self.answerable.as_json()} if self.answerable else {})


def verdict_of(outcomes: Sequence[Outcome]) -> Verdict | None:
    """The verdict on one part: the trained head beside the rival that is right most often; None without a rival.

    Of several that are right equally often the one from which it differs least surely is taken. Where some questions
    are unanswerable the verdict on the others is in it.
    """
    found = _verdict_of(outcomes)
    able = [one.where(lambda question: not question.unanswerable, one.part) for one in outcomes]
    if found is None or not 0 < len(able[0].questions) < len(outcomes[0].questions):
        return found
    return replace(found, answerable=_verdict_of(able))


def _verdict_of(outcomes: Sequence[Outcome]) -> Verdict | None:
    """The verdict on all their questions."""
    trained = next((one for one in outcomes if one.rival == TRAINED), None)
    pairs = [(one, Paired.of(trained.right, one.right)) for one in outcomes if trained and one.rival != TRAINED]
    if trained is None or not pairs:
        return None
    best, paired = max(pairs, key=lambda pair: (sum(pair[0].right), pair[1].p))
    return Verdict(trained.part, best.rival, Rate.of(trained.right), Rate.of(best.right), paired)


def by_part(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """The outcomes of each part, in order."""
    parts: dict[str, list[Outcome]] = {}
    for one in outcomes:
        parts.setdefault(one.part, []).append(one)
    return parts


def verdicts_of(outcomes: Sequence[Outcome]) -> list[Verdict]:
    """The verdict on every part that has rivals."""
    return [verdict for some in by_part(outcomes).values() if (verdict := verdict_of(some))]


def losers(verdicts: Sequence[Verdict]) -> str:
    """The parts that do not win, in a sentence."""
    lost = [verdict.part for verdict in verdicts if not verdict.paired.wins]
    return f"Not beyond the best of the others: {', '.join(lost)}" if lost else "All beyond the best of the others"


def sheets_of(outcomes: Sequence[Outcome]) -> list[Sheet]:
    """One table with all parts side by side where the trained heads alone were asked; else one a part, with rivals."""
    parts = by_part(outcomes)
    if all(len(some) == 1 for some in parts.values()):
        alone = [some[0] for some in parts.values()]
        sheet = _sheet("Trained heads", [(one.part, one) for one in alone], None)
        counts = ("questions", *(str(len(one.questions)) for one in alone))
        none = ("unanswerable", *(str(_unanswerable(one)) for one in alone))
        return [replace(sheet, rows=(counts, none, *sheet.rows))]
    sheets = []
    for some in parts.values():
        trained = next((one for one in some if one.rival == TRAINED), None)
        sheets.append(_sheet(_heading(some[0]), [(one.rival, one) for one in some], trained))
    return sheets


def _unanswerable(one: Outcome) -> int:
    return sum(question.unanswerable for question in one.questions)


def _heading(one: Outcome) -> str:
    none = _unanswerable(one)
    return f"{one.part} ({len(one.questions)}{f', {none} unanswerable' if none else ''})"


def _sheet(title: str, named: Sequence[tuple[str, Outcome]], trained: Outcome | None) -> Sheet:
    """Figures down, outcomes across; figures that none of them has are left out."""
    lines = [_lines(one, trained) for _, one in named]
    rows = [(name, *(some[name] for some in lines)) for name in lines[0]]
    kept = tuple(row for row in rows if any(cell != NONE for cell in row[1:]))
    return Sheet(title, ("", *(name for name, _ in named)), kept)


def _lines(one: Outcome, trained: Outcome | None) -> dict[str, str]:
    """What is told of an outcome: name → cell."""
    rates, suggested = one.rates, sum(len(judged.places) for judged in one.judged)
    if not rates["false_answers"].total:
        rates["right_of_answerable"] = Rate(0, 0)  # is what the first line says
    failed = sum(judged.failed for judged in one.judged)
    paired = None if trained in (None, one) else Paired.of(trained.right, one.right)
    return {
        **{told: rates[name].cell for name, told in SHARES.items()},
        "failed": f"{failed} of {len(one.judged)}" if failed else NONE,
        "suggested that was visited": f"{one.visited} of {suggested}" if suggested else NONE,
        "suggested that is unknown": f"{one.unknown} of {suggested}" if suggested else NONE,
        "seconds": f"{one.typical:.2g}",
        "valid at the first try": one.calls.cell if one.calls else NONE,
        "seconds a call": f"{one.call_seconds:.2g}" if one.calls else NONE,
        "trained head more than, points": paired.points if paired else NONE,
        "p": paired.chance if paired else NONE,
    }


def report_of(about: Mapping[str, Any], rivals: Mapping[str, str], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The JSON object: what was asked, who was compared, and for each part the figures of each and the verdict."""
    parts: dict[str, Any] = {}
    for name, some in by_part(outcomes).items():
        parts[name] = {
            "questions": len(some[0].questions),
            "unanswerable": _unanswerable(some[0]),
            "rivals": {one.rival: one.as_json() for one in some},
        }
        if verdict := verdict_of(some):
            parts[name]["verdict"] = verdict.as_json()
    lost = [name for name, part in parts.items() if not part.get("verdict", {"wins": True})["wins"]]
    return {**about, "rivals": dict(rivals), "parts": parts, "not_won": lost}


def markdown(about: Mapping[str, Any], rivals: Mapping[str, str], outcomes: Sequence[Outcome]) -> str:
    """The whole report of a team; it lists what the trained heads got wrong (the others' is in the JSON)."""
    verdicts = verdicts_of(outcomes)
    lines = [f"# {about['subject']}", ""]
    lines += [f"- {key}: {value}" for key, value in about.items() if key != "subject" and value != []]
    lines += ["", LEGEND, ""]
    if len(rivals) > 1:
        lines += [VERDICT, "", *(f"- *{name}*: {what}" for name, what in rivals.items()), ""]
    lines += ["## Figures", ""]
    for sheet in sheets_of(outcomes):
        lines += [sheet.markdown(), ""]
    if verdicts:
        lines += ["## Verdicts", "", *(f"- {verdict.sentence}" for verdict in verdicts), "", losers(verdicts), ""]
    lines += ["## Wrong answers of the trained heads", ""]
    trained = [one for one in outcomes if one.rival == TRAINED]
    for some in trained:
        if rows := some.as_json()["wrong"]:
            lines += [wrong_sheet(some.part, rows).markdown(), ""]
    return "\n".join(lines)


def wrong_sheet(title: str, rows: Sequence[Mapping[str, Any]]) -> Sheet:
    """Wrong answers as a table: where, the request, what was wanted, what was given."""
    return Sheet(title, ("where", "request", "wanted", "given", "answered"), tuple(
        (str(row["where"]), _plain(row["request"]), _plain(row["wanted"]), _plain(row["given"]),
         "yes" if row["answered"] else "no")
        for row in rows
    ))  # fmt: skip


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(to_jsonable_python(value, fallback=str), ensure_ascii=False)


def write(folder: Path, report: Mapping[str, Any], text: str) -> None:
    """``report.json`` and ``report.md`` in ``folder``, which is made where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = to_jsonable_python(report, fallback=str)
    (folder / "report.json").write_text(json.dumps(plain, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(text.rstrip() + "\n", encoding="utf-8")
