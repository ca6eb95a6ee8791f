"""Plain rules in a head's place: the same prompt and record, keywords instead of weights.

They see what a head sees: linked values, retrieved passages, candidates. Who wrote them had read the desk questions.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from understudy.core.fields import Record, SpanValue
from understudy.core.prompts import Prompt

FIGURES = r"how many|how big|how large|average|mean\b|total|altogether|sum\b|\bcount\b|number of|popul|\barea|" \
    r"\bsize|inhabitants|people|million|thousand|more than|less than|fewer|over \d|under \d|bigger|larger|smaller|" \
    r"(larg|bigg|small|high|low|great|old|long|new|few)est|\bmost\b|\bleast\b|\bcode"  # fmt: skip
LIKING = r"\b(loved?|liked?|adored?|enjoy|favou?rite|fond|fan|recommend|suggest|next(?! to)|similar|trip|holiday|great)"
AROUND = r"neighbou?r|countries (next to|around|near)|\bborder|touch"
DISLIKE = r"\bnot\b|n't|hate|awful|disappoint|dislike|bad|terrible|boring|worst"
STOP = set("a an the of in is are was do does did to for on at by with what which who where when how much many i me my "
           "it its and or be can you tell give name please that there this from country countries".split())  # fmt: skip
SAME = {word: one for one, words in {
    "population": "people inhabitants populous", "area": "big bigger biggest large larger largest small smallest size",
    "border": "borders neighbour neighbours neighbors bordering next share around touches", "capital": "city",
    "speak": "speaks spoken language languages hear official", "pay": "pays money currency use uses cash",
    "lie": "lies part located world", "drive": "cars road traffic side keep keeps drivers",
}.items() for word in words.split()}  # fmt: skip


@dataclass(frozen=True)
class RuleReply:
    values: dict[str, Any]
    confidence: float = 1.0
    tokens: int = 0
    seconds: float = 0.0


class Rules:
    def decode(self, calls: Sequence[Any], /) -> list[RuleReply]:
        by_role = {"plan": plan, "SQL": write_sql, "answer": find, "recommend": rank}
        return [RuleReply(by_role[call.prompt.role](call.prompt, call.record)) for call in calls]


def kind_of(text: str) -> str:
    return "liking" if re.search(LIKING, text.lower()) else "figures" if re.search(FIGURES, text.lower()) else "looking"


def plan(prompt: Prompt, record: Record) -> dict[str, Any]:
    """Keywords choose one agent; two questions of two kinds are two steps; so is a neighbourhood with a condition."""
    cast: dict[str, str] = {}
    for name, _, does in (line.partition(": ") for line in prompt.part("cast").split("; ")):
        figures, liking = (re.search(words, does) for words in (r"figure|number|SQL|table", r"suggest|recommend"))
        cast.setdefault("figures" if figures else "liking" if liking else "looking", name)
    request, some = prompt.part("request"), next(iter(cast.values()))
    def step(kind: str, text: str, needs: Sequence[int] = ()) -> dict[str, Any]:
        at = request.index(text)
        return {"agent": cast.get(kind, some), "request": SpanValue(0, at, at + len(text), text), "needs": [*needs]}

    parts = [part for part in re.split(r",? (?:and|plus)(?: also)? ", request) if len(part.split()) > 2]
    if len(parts) == 2 and kind_of(parts[0]) != kind_of(parts[1]) and not re.search(r"that border", request.lower()):
        return {"steps": [step(kind_of(part), part) for part in parts]}
    around = re.search(AROUND, request.lower())
    if around and (kind_of(request) == "figures" or re.search(r"\beuro|\buse|\bpay|drive", request)):
        return {"steps": [step("looking", request), step("figures", request, [1])]}
    return {"steps": [step(kind_of(request), request)]}


def write_sql(prompt: Prompt, record: Record) -> dict[str, Any]:
    """Templates over the linked values, the numbers and the numeric column that the words of the request name."""
    parts = dict(prompt.message)
    words = re.findall(r"[a-z]+", parts["request"].lower())
    asked, text = set(words) | {SAME[word] for word in words if word in SAME}, " ".join(words)
    tables = (one.split(": ", 1) for one in parts["tables"].split("; "))
    table, listed = max(tables, key=lambda one: sum(len(word) > 3 and word in " ".join(one) for word in asked))
    columns = listed.split(", ")
    numeric = [column.removesuffix(" number") for column in columns if column.endswith(" number")]
    figure = max(numeric, key=lambda column: sum(part in asked for part in column.split("_")), default="")
    sure = bool(asked & set(figure.split("_")))
    numbers = [number for number in parts.get("numbers", "").split(", ") if number]
    where = [parts["given"].split(": ")[0].split("; ")[0]] if "given" in parts else []
    for condition in parts["values"].split("; ") if "values" in parts else ():
        if condition.split()[0] not in [one.split()[0] for one in where]:
            where.append(condition)
    top = re.search(r"\b(most|largest|biggest|highest|greatest|top|oldest|longest)\b", text)
    low = re.search(r"\b(least|smallest|lowest|fewest)\b", text)
    if figure and numbers and not (top or low):
        sign = "<" if re.search(r"fewer|less|under|below|smaller", text) else ">"
        both = "between" in words and len(numbers) > 1
        where.append(f"{figure} BETWEEN {numbers[0]} AND {numbers[1]}" if both else f"{figure} {sign} {numbers[0]}")
    shown, tail = columns[0].removesuffix(" number"), ""
    if re.search(r"\b(average|mean)\b", text):
        shown = f"AVG( {figure})"
    elif figure and re.search(r"\b(total|sum|altogether|together|combined)\b", text):
        shown = f"SUM( {figure})"
    elif (top or low) and figure:
        limit = next((number for number in numbers if number.isdigit() and int(number) <= 100), "1")
        tail = f" ORDER BY {figure}{' DESC' if top else ''} LIMIT {limit}"
    elif sure and where and where[0].startswith(f"{shown} =") and not numbers:
        shown = figure
    elif re.search(r"how many|number of|\bcount\b", text):
        shown = "COUNT(*)"
    return {"sql": f"SELECT {shown} FROM {table}" + (f" WHERE {' AND '.join(where)}" if where else "") + tail}


def _stems(text: str) -> set[str]:
    words = [word for word in re.findall(r"\w+", text.lower()) if word not in STOP]
    return {re.sub(r"(ies|es|s|ing|ed)$", "", SAME.get(word, word)) for word in words}


def find(prompt: Prompt, record: Record) -> dict[str, SpanValue | None]:
    """Of the sentence that shares most with the question (BM25's idf) the names not asked; of a fact its objects."""
    asked = _stems(prompt.part("question"))
    said = [(number, match.start(), match.group().rstrip(" ."), passage.title)
            for number, passage in enumerate(prompt.passages)
            for match in re.finditer(r"[^.]+\.?", passage.text)]  # fmt: skip
    seen = Counter(word for _, _, text, title in said for word in _stems(f"{title} {text}"))
    weight = {word: math.log(1 + len(said) / (0.5 + seen[word])) for word in asked}
    scores = [sum(weight[word] for word in asked & _stems(f"{title} {text}")) for _, _, text, title in said]
    best = max(range(len(said)), key=scores.__getitem__, default=None)
    if best is None or scores[best] < 0.5 * sum(weight.values()):
        return {"answer": None}
    number, at, text, _ = said[best]
    names = r"((?:[A-Z][\w'-]*|\d[\d,.]*|left|right)(?:(?:, | and | )(?:[A-Z]|\d)[\w'-]*)*)"
    names = r": (.+)" if prompt.passages[number].source == "graph" else names
    found = [run for run in re.finditer(names, text) if _stems(run[1]) and not _stems(run[1]) & asked]
    spans = [SpanValue(number, at + run.start(1), at + run.end(1), run[1]) for run in found]
    return {"answer": spans[0] if spans else None}


def rank(prompt: Prompt, record: Record) -> dict[str, Any]:
    """Liked is what stands in no clause with a word of dislike; candidates by the number of facts shared with it."""
    mentioned, candidates = _facts(prompt.part("mentioned")), _facts("; ".join(dict(record.fields)["places"].shown))
    clauses = re.split(r"[.,;!?]|\bbut\b", prompt.part("request").lower())
    bad = {name for name in mentioned for clause in clauses if name.lower() in clause and re.search(DISLIKE, clause)}
    liked = [name for name in mentioned if name not in bad] or list(mentioned)
    known = {fact for name in liked for fact in mentioned[name]}
    return {"liked": liked, "places": {
        name: sum(f in known or f.split("|")[-1] in liked for f in facts) for name, facts in candidates.items()}}


def _facts(listed: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, _, facts in (line.partition(": ") for line in listed.split("; ")):
        groups = [re.match(r"((?:[a-z]+ )+)(.*)", group) for group in facts.split(", ")]
        found[name] = [f"{group[1].strip()}|{end}" for group in groups if group for end in group[2].split(" + ")]
    return found
