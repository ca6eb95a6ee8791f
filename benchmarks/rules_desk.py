"""Plain rules in the place of a head: the same prompt, the same record, keywords instead of weights.

They see what a head sees (linked values, retrieved passages, candidates with their facts), so that what the rest of
the desk does is no part of the difference.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.core.fields import SpanValue
from understudy.core.prompts import Prompt

FIGURES = r"how many|how big|how large|average|mean\b|total|altogether|sum\b|count|number of|population|populous|area|" \
    r"size|inhabitants|people|million|thousand|more than|less than|fewer|over \d|under \d|bigger|larger|smaller|" \
    r"(larg|bigg|small|high|low|great|old|long|new|few)est|\bmost\b|\bleast\b|code"  # fmt: skip
LIKING = r"\b(love|like|adore|enjoy|favou?rite|fond|fan|recommend|suggest|next|similar|trip|holiday|fantastic|great time)"
AROUND = r"(neighbou?rs?|countries (next to|around|bordering|near)|that (border|touche?s?)|border(s|ing)?|touches)"
DISLIKE = r"\bnot\b|n't|hate|awful|disappoint|dislike|bad|terrible|boring|worst"
STOP = set("a an the of in is are was do does did to for on at by with what which who where when how much many i me my "
           "it its and or be can you tell give name please that there this from".split())  # fmt: skip
SAME = {"people": "population", "inhabitants": "population", "populous": "population", "big": "area", "bigger": "area",
        "biggest": "area", "large": "area", "larger": "area", "largest": "area", "small": "area", "smallest": "area",
        "size": "area", "greatest": "area", "smaller": "area"}  # fmt: skip


@dataclass(frozen=True)
class RuleReply:
    """What the rules answer, in the shape of a decoder's reply."""

    values: dict[str, Any]
    confidence: float = 1.0
    tokens: int = 0
    seconds: float = 0.0


class Rules:
    """A decoder without weights; which role is asked, the prompt says."""

    def decode(self, calls: Sequence[Any], /) -> list[RuleReply]:
        """One reply a call, in order."""
        by_role = {"plan": plan, "SQL": write_sql, "answer": find, "recommend": rank}
        return [RuleReply(by_role[call.prompt.role](call.prompt, call.record)) for call in calls]


def plan(prompt: Prompt, record: Any) -> dict[str, Any]:
    """Keywords choose one agent; a neighbourhood with figures is two steps; so are two questions of two kinds."""
    cast: dict[str, str] = {}
    for line in prompt.part("cast").split("; "):
        name, does = line.split(": ", 1) if ": " in line else (line, "")
        figures = re.search(r"figure|number|statistic|sql|table|count|average|sum", does.lower())
        kind = "figures" if figures else "liking" if re.search(r"suggest|recommend|liked", does.lower()) else "looking"
        cast.setdefault(kind, name)
    some = next(iter(cast.values()))
    request = prompt.part("request")

    def kind_of(text: str) -> str:
        return "liking" if re.search(LIKING, text.lower()) else "figures" if re.search(FIGURES, text.lower()) else "looking"

    def step(kind: str, text: str, needs: Sequence[int] = ()) -> dict[str, Any]:
        start = request.index(text)
        return {"agent": cast.get(kind, some), "request": SpanValue(0, start, start + len(text), text), "needs": [*needs]}

    parts = [part for part in re.split(r",? (?:and|plus)(?: also)? |[.;] ", request) if len(part.split()) > 2]
    if len(parts) == 2 and kind_of(parts[0]) != kind_of(parts[1]) and not re.search(AROUND, request.lower()):
        return {"steps": [step(kind_of(part), part) for part in parts]}
    whole = kind_of(request)
    if re.search(AROUND, request.lower()) and (whole == "figures" or re.search(r"\beuro|\buse|\bpay|drive", request)):
        return {"steps": [step("looking", request), step("figures", request, [1])]}
    return {"steps": [step(whole, request)]}


def write_sql(prompt: Prompt, record: Any) -> dict[str, Any]:
    """Templates over the linked values, the numbers and the numeric column that the words of the request name."""
    parts = dict(prompt.message)
    words = re.findall(r"[a-z]+", parts["request"].lower())
    asked = set(words) | {SAME[word] for word in words if word in SAME}
    tables = [table.split(": ", 1) for table in parts["tables"].split("; ")]
    table, listed = max(tables, key=lambda one: sum(any(w in one[0] + one[1] for w in (word, word[:-1])) and len(word) > 3
                                                      for word in asked))  # fmt: skip
    columns = listed.split(", ")
    numeric = [column.removesuffix(" number") for column in columns if column.endswith(" number")]
    named = sorted(numeric, key=lambda column: -sum(part in asked for part in column.split("_")))
    figure = named[0] if named else ""
    sure = any(part in asked for part in figure.split("_"))
    text = " ".join(words)
    conditions = [value for value in parts.get("values", "").split("; ") if value]
    numbers = [number for number in parts.get("numbers", "").split(", ") if number]
    where: list[str] = [parts["given"].split(": ")[0].split("; ")[0]] if "given" in parts else []
    where += conditions[:1] if not where else [value for value in conditions if not value.startswith(where[0].split()[0])][:1]
    top = re.search(r"\b(most|largest|biggest|highest|greatest|top|oldest|longest)\b", text)
    low = re.search(r"\b(least|smallest|lowest|fewest)\b", text)
    if figure and numbers and not (top or low):
        if "between" in words and len(numbers) > 1:
            where.append(f"{figure} BETWEEN {numbers[0]} AND {numbers[1]}")
        elif sign := "<" if re.search(r"fewer|less|under|below|smaller", text) else \
                ">" if re.search(r"more|over|above|larger|bigger|least", text) else "":  # fmt: skip
            where.append(f"{figure} {sign} {numbers[0]}")
    shown, tail = columns[0].split(" ")[0], ""
    if re.search(r"\b(average|mean)\b", text):
        shown = f"AVG( {figure})"
    elif figure and re.search(r"\b(total|sum|altogether|together|combined)\b", text):
        shown = f"SUM( {figure})"
    elif (top or low) and figure:
        limit = next((number for number in numbers if number.isdigit() and int(number) <= 100), "1")
        tail = f" ORDER BY {figure}{' DESC' if top else ''} LIMIT {limit}"
    elif re.search(r"how many|number of|count", text) and not (sure and conditions and "name =" in conditions[0]):
        shown = "COUNT(*)"
    elif sure and where and not numbers:
        shown = figure
    return {"sql": f"SELECT {shown} FROM {table}" + (f" WHERE {' AND '.join(where)}" if where else "") + tail}


def find(prompt: Prompt, record: Any) -> dict[str, SpanValue | None]:
    """The sentence that shares most with the question (BM25's idf); of a fact the objects, else the words not asked."""
    asked = _stems(prompt.part("question"))
    sentences = [(number, match.start(), match.group().rstrip(" ."))
                 for number, passage in enumerate(prompt.passages)
                 for match in re.finditer(r"[^.]+\.?", passage.text)]  # fmt: skip
    seen = Counter(word for _, _, sentence in sentences for word in _stems(sentence))
    weight = {word: math.log(1 + len(sentences) / (1 + seen[word])) for word in asked}
    scored = [(sum(weight[word] for word in asked & _stems(text + " " + prompt.passages[number].title)), number, at, text)
              for number, at, text in sentences]  # fmt: skip
    best, number, at, text = max(scored, key=lambda one: one[0], default=(0.0, 0, 0, ""))
    if not text or best < 0.6 * sum(weight.values()):
        return {"answer": None}
    if prompt.passages[number].source == "graph" and ": " in text:
        start = text.index(": ") + 2
    else:
        runs = [run for run in re.finditer(r"[^\W\d_][\w'-]*(?:(?:, | and | )[A-Z][\w'-]*)*|\d[\d,.]*", text)
                if not _stems(run.group()) & asked and run.group().lower() not in STOP]  # fmt: skip
        run = max(runs, key=lambda run: (run.group()[0].isupper() or run.group()[0].isdigit(), len(run.group())), default=None)
        if run is None:
            return {"answer": None}
        at, text, start = at + run.start(), run.group(), 0
    return {"answer": SpanValue(number, at + start, at + len(text), text[start:])}


def _stems(text: str) -> set[str]:
    return {re.sub(r"(ies|es|s|ing|ed)$", "", word) for word in re.findall(r"\w+", text.lower()) if word not in STOP}


def rank(prompt: Prompt, record: Any) -> dict[str, list[str]]:
    """Liked is what stands in no clause with a word of dislike; candidates by the number of facts shared with it."""
    mentioned, candidates = (_facts(prompt.part(part)) for part in ("mentioned", "candidates"))
    clauses = re.split(r"[.,;!?]|\bbut\b", prompt.part("request"))
    bad = {name for name in mentioned for clause in clauses if name.lower() in clause.lower() and re.search(DISLIKE, clause)}
    liked = [name for name in mentioned if name not in bad] or list(mentioned)
    known = {fact for name in liked for fact in mentioned[name]}
    score = {name: sum(f in known or f.split(" ", 1)[-1] in liked for f in facts) for name, facts in candidates.items()}
    return {"liked": liked, "places": sorted(candidates, key=lambda name: (-score[name], name))[:3]}


def _facts(listed: str) -> Mapping[str, list[str]]:
    """``Peru: speaks Spanish + Quechua, borders Chile`` → Peru: ["speaks Spanish", "speaks Quechua", "borders Chile"]."""
    found: dict[str, list[str]] = {}
    for line in listed.split("; "):
        name, _, facts = line.partition(": ")
        found[name] = []
        for group in facts.split(", ") if facts else []:
            first, *others = group.split(" + ")
            words = re.match(r"((?:[a-z]+ )+)(.*)", first)
            relation, end = (words[1].strip(), words[2]) if words else ("", first)
            found[name] += [f"{relation} {other}" for other in (end, *others)]
    return found

