"""docs/tables.md: what was measured, from the JSON of the work folder, beside what was published."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import UnderstudyError
from . import heads_section
from .kept import kept

TABLES = ("sinusoid", "omniglot", "banking", "heads", "speed")
NOT_RUN = "not run"
ASTRAY, LARGEST = "astray", 10.0
"""A mean squared error that one who knows nothing does not reach (4.3)."""
COMMAND = "understudy train tables"
ITERATIONS = 70_000
"""Of the sinusoid, as Finn et al. 2017 took."""
SGD_PAPER = "Li et al. 2017 (Meta-SGD)"
RERUN = "a later re-run by others"
SINUSOID_PUBLISHED = {
    "maml": f"1.13 ± 0.18, {SGD_PAPER}; 0.93 ± 0.02, {RERUN}",
    "meta_sgd": f"0.90 ± 0.16, {SGD_PAPER}",
    "maml++": f"0.34 ± 0.01, {RERUN}",
}
"""5 shots, one step."""
SINUSOID_ROWS = ("maml", "fomaml", "maml++", "reptile", "anil", "meta_sgd", "meta_sgd_tensor")
OMNIGLOT_ROWS = {
    "prototype": "prototype", "maml": "MAML", "anil": "ANIL", "prototype-varied": "prototype, pictures varied",
}  # fmt: skip
BANKING_ROWS = {
    "tfidf": "TF-IDF + logistic regression",
    "embedding-prototype": "our embedding, nearest prototype",
    "embedding-regression": "our embedding + logistic regression",
    "prototype": "prototype, start of the fold's train classes",
    "fomaml": "FOMAML, start of the fold's train classes",
}
STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
"""Degrees of freedom → the 97.5 % quantile of Student's t."""


def read(file: Path) -> dict[str, Any] | None:
    """What a measurement wrote; None where it was not run. Raises UnderstudyError where it is something else."""
    if not file.exists():
        return None
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UnderstudyError(f"this is not JSON ({error})", where=str(file), mend="delete it, and measure") from None
    if not isinstance(found, dict):
        raise UnderstudyError("this is no measurement", where=str(file), mend="delete it, and measure")
    return found


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half of its 95 % interval (Student's t); nan for a single value."""
    if len(values) < 2:
        return values[0], math.nan
    degrees = len(values) - 1
    quantile = STUDENT.get(degrees, 1.96 + 2.5 / degrees)
    return statistics.mean(values), quantile * statistics.stdev(values) / math.sqrt(len(values))


def wilson(wrong: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    z = 1.959964
    share, width = wrong / of, z * math.sqrt(wrong * (of - wrong) / of + z * z / 4)
    middle = share * of + z * z / 2
    return (middle - width) / (of + z * z), (middle + width) / (of + z * z)


def sinusoid(work: Path) -> list[str]:
    """Mean squared error after one step on five points."""
    rows, about = [], ""
    names = [*SINUSOID_ROWS, *sorted(f.stem for f in (work / "sinusoid").glob("*.json") if f.stem not in SINUSOID_ROWS)]
    for name in names:
        found = read(work / "sinusoid" / f"{name}.json")
        command = f"`python -m benchmarks.sinusoid --algorithm {name}{_asked(found)} --out {work}/sinusoid/{name}.json`"
        published = SINUSOID_PUBLISHED.get(name, "not quoted")
        if found is None:
            rows.append([name, NOT_RUN, "", "", published, "", "", "", "", command])
            continue
        cells = [_error(found["mse"].get(steps)) for steps in ("1", "5", "10")]
        steps = str(found.get("settings", {}).get("steps", 1))
        spent = [steps, str(found["seeds"]), f"{found['iterations']:,}", f"{found['seconds']:.0f}"]
        rows.append([name, *cells, published, *spent, command])
        about = "Mean over seeds ± half of its 95 % interval (Student's t); seconds by the clock, whatever ran beside. "
        about += f"*{ASTRAY}*: the mean is above {LARGEST:.0f}, by a few waves, after more steps than it learned with. "
        about += "recurrent is a network of its own, of which a step is a reading of the five points; hypernetwork "
        about += "writes the weights of the same network with one of its own, and takes a step from there."
    head = ["algorithm", "one step", "five steps", "ten steps", "published (one step)", "learned with steps", "seeds",
            "iterations", "seconds", "command"]
    said = "Sinusoid as Finn et al. 2017: mean squared error on new waves, of which five points were seen."
    return ["## Sinusoid, 5 shots", "", f"{said} {about}".strip(), "", *_table(head, rows)]


def omniglot(work: Path) -> list[str]:
    """Wrong answers of the 400 decisions."""
    rows = []
    for name, title in OMNIGLOT_ROWS.items():
        for background in ("small1", "small2"):
            found = read(work / "omniglot" / f"{name}-{background}.json")
            command = f"`{COMMAND} --only omniglot --data DIR --rows {name}`"
            if found is None:
                rows.append([title, background, NOT_RUN, "", "not quoted", "", "", "", command])
                continue
            low, high = wilson(found["wrong"], found["of"])
            error = f"{100 * found['wrong'] / found['of']:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
            steps = f"{found['iterations']:,} of {found['tasks']} tasks, {found['width']} filters"
            spent = [str(found["seed"]), steps, f"{found['seconds'] / 60:.0f}"]
            rows.append([title, background, error, f"{found['wrong']} of {found['of']}", "not quoted", *spent, command])
    head = ["algorithm", "background", "wrong", "decisions", "published", "seed", "steps", "minutes", "command"]
    said = [
        "Lake's 20 one-shot runs: one of 20 characters of an unseen alphabet, after one drawing of each. Learned "
        "from a minimal background set of five alphabets, in tasks of 20 characters of one of them (one alphabet of "
        "small2 has 17, and is filled up with those of another). Every decision is made by itself: batch norm takes "
        "its statistics from the 20 drawings shown. Wilson's 95 % interval over decisions. *Varied*: pictures that are "
        "learned on are turned by up to 10°, scaled by up to a tenth and moved by up to two pixels.", "",
        "The figures of Lake, Salakhutdinov, Tenenbaum 2019 (arXiv:1902.03477) are not quoted, as its tables were not "
        "read for this page.",
    ]  # fmt: skip
    return ["## Omniglot, 20-way 1-shot within an alphabet", "", *said, "", *_table(head, rows)]


def banking(work: Path) -> list[str]:
    """Right answers, mean of folds."""
    rows, backbone = [], ""
    for name, title in BANKING_ROWS.items():
        found = read(work / "banking" / f"{name}.json")
        command = f"`{COMMAND} --only banking --data DIR --rows {name}`"
        if found is None:
            rows.append([title, NOT_RUN, "", "not quoted", "", "", command])
            continue
        cells = [_plus_minus(*interval([100 * share for share in found["right"][shots]]), 1) for shots in ("1", "5")]
        rows.append([title, *cells, "not quoted", str(found["seed"]), f"{found['seconds']:.0f}", command])
        backbone = f" Backbone: {found['backbone']}; {found['episodes']} episodes a fold."
    head = ["row", "1 shot, % right", "5 shots, % right", "published", "seed", "seconds", "command"]
    said = [
        "Five class-disjoint folds, 5 sentences of each class asked; mean of folds ± half of its 95 % interval "
        f"(Student's t over folds). No weight of the backbone has seen BANKING77.{backbone} A fold's own start is a "
        "linear map of the vectors and a linear head, learned on its train classes; the best step on its valid classes "
        "is taken and thrown away after.", "",
        "The figures of Dopierre, Gravier, Logerais 2021 (arXiv:2105.12995) are not quoted, as its tables were not "
        "read for this page.",
    ]  # fmt: skip
    return ["## BANKING77, 5-way", "", *said, "", *_table(head, rows)]


def heads(work: Path) -> list[str]:
    """What each algorithm makes of the start of heads."""
    found = {name: read(work / "heads" / f"{name}.json") for name in heads_section.ROWS}
    backbone = next((one["backbone"] for one in found.values() if one), "")
    said = heads_section.SAID + (f" Backbone: {backbone}." if backbone else "")
    made = heads_section.rows(found, f"{COMMAND} --only heads --data DIR", NOT_RUN)
    return ["## Starts of heads", "", said, "", *_table(heads_section.HEAD, made)]


def speed(work: Path) -> list[str]:
    """Ratios in one run."""
    found = read(work / "speed.json")
    command = f"`python -m benchmarks.meta_learning --out {work}/speed.json`"
    head = ["workload", "way", "milliseconds an outer step", "times as long as ours", "goal"]
    rows: list[list[str]] = []
    for workload in (found or {}).get("workloads", []):
        for way, milliseconds in workload["milliseconds"].items():
            ratio = milliseconds / workload["milliseconds"][workload["ours"]]
            goal = f"at least {workload['goal']}" if way == workload["sequential"] else ""
            rows.append([workload["name"], way, f"{milliseconds:.2f}", f"{ratio:.1f}", goal])
    said = f"Second-order MAML, medians in one run. {(found or {}).get('machine', '')}".strip()
    return ["## Speed", "", said, "", *(_table(head, rows) if rows else [NOT_RUN]), "", command]


SECTIONS = {"sinusoid": sinusoid, "omniglot": omniglot, "banking": banking, "heads": heads, "speed": speed}


def markdown(work: Path, names: Sequence[str] = TABLES, before: str = "") -> str:
    """The whole document, or some of its tables; what was not measured is as it was in the page of ``before``."""
    written = f"Written by `{COMMAND} --only all --data DIR --as-measured --work {work}`."
    lines = ["# Meta-learning beside published tables", "", f"{written} A row that was not run says so.", ""]
    for name in names:
        lines += [*SECTIONS[name](work), ""]
    return "\n".join([*kept(lines, before, NOT_RUN), ""] if before else lines)


def figures(work: Path, names: Sequence[str] = TABLES) -> dict[str, Mapping[str, Any]]:
    """The measurements themselves: table → file's name → what it says."""
    files = {name: [work / "speed.json"] if name == "speed" else sorted((work / name).glob("*.json")) for name in names}
    return {name: {f.stem: found for f in some if (found := read(f))} for name, some in files.items()}


def _asked(found: Mapping[str, Any] | None) -> str:
    """The options of a measurement that was not made as the command makes it by itself."""
    if found is None:
        return ""
    iterations = "" if found["iterations"] == ITERATIONS else f" --iterations {found['iterations']}"
    given = found.get("given")
    return iterations + (f" --settings '{json.dumps(given)}'" if given else "")


def _error(values: Sequence[float | None] | None) -> str:
    if values is None:
        return ""
    known = [value for value in values if value is not None]
    if len(known) < len(values) or statistics.mean(known) > LARGEST:
        return ASTRAY
    return _plus_minus(*interval(known))


def _plus_minus(mean: float, half: float, digits: int = 2) -> str:
    return f"{mean:.{digits}f}" if math.isnan(half) else f"{mean:.{digits}f} ± {half:.{digits}f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
