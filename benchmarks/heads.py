"""What many heads on one backbone cost: decoding, adaptation and memory, each as a ratio within one run.

    python -m benchmarks.heads

Every pair takes turns, so that a slow minute of the machine falls on both, and the figures are medians. Which weights a
backbone has does not matter here; the shipped one is used unless another is named.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

import psutil
import torch
from rich.console import Console
from torch import Tensor

from benchmarks.made_roles import LABELS, WORDS, role
from benchmarks.peers import peft_models
from benchmarks.shares import Sheet, write_part
from benchmarks.trainer import against_trainer
from understudy.core.adaptation import adapt, adapt_many
from understudy.core.backbone import Backbone
from understudy.core.bank import HeadBank, HeadStack, active
from understudy.core.decoding import Call, Decoder
from understudy.core.fields import Choice, Record, Text
from understudy.core.folds import Cohort
from understudy.core.heads import Head
from understudy.core.meta.start import Start
from understudy.core.prompts import Passage, Prompt
from understudy.core.running import Prefixes
from understudy.core.scheduler import Scheduler
from understudy.core.teaching import teach
from understudy.core.trunk import upper_sites

HEADS = 16
PASSES = 24


def heads_of(backbone: Backbone, count: int, activation: str = "row", rank: int = 8) -> list[Head]:
    """Heads with random tensors, small enough that texts stay texts."""
    found = []
    for number in range(count):
        stack = HeadStack.random(backbone.sites, 1, rank, seed=number)
        generator = torch.Generator().manual_seed(number)
        for up in stack.up.values():
            up.copy_(torch.randn(up.shape, generator=generator) * 0.02)
        found.append(Head.of_stack(f"head {number}", stack, activation=activation))
    return found


def in_turns(arms: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each arm, taken in turns after one round that does not count."""
    taken: dict[str, list[float]] = {name: [] for name in arms}
    for turn in range(repeats + 1):
        for name, arm in arms.items():
            gc.collect()
            began = time.perf_counter()
            arm()
            if turn:
                taken[name].append(time.perf_counter() - began)
    return {name: median(values) for name, values in taken.items()}


def passes(backbone: Backbone, repeats: int) -> dict[str, float]:
    """Decoding passes over 16 rows of one token each behind 128 that are in the cache already."""
    bank = HeadBank(backbone.sites)
    heads = heads_of(backbone, HEADS)
    for head in heads:
        bank.add(head)
    ids = torch.randint(20, 2000, (HEADS, 128), generator=torch.Generator().manual_seed(0))
    mixed, one = bank.gather([head.name for head in heads]), bank.gather([heads[0].name])

    def decode(model: Any, pairs: Any = None, **more: Any) -> Callable[[], None]:
        with torch.no_grad(), active(backbone.context, pairs):
            cache = model(input_ids=ids, use_cache=True, **more).past_key_values

        def run() -> None:
            with torch.no_grad(), active(backbone.context, pairs):
                token = ids[:, -1:]
                for _ in range(PASSES):
                    out = model(input_ids=token, past_key_values=cache, use_cache=True, **more)
                    token = out.logits[:, -1:].argmax(-1)
            cache.crop(-PASSES)

        return run

    bare = backbone.model
    arms = {
        "bare backbone": decode(bare), "one head": decode(bare, one), "16 heads": decode(bare, mixed),
    }  # fmt: skip
    theirs = peft_models(backbone, heads)
    if theirs is not None:
        single, many = theirs
        arms["PEFT, one adapter"] = decode(single)
        arms["PEFT, 16 adapters"] = decode(many, adapter_names=[f"a{number}" for number in range(HEADS)])
    return in_turns(arms, repeats)


def adaptation(backbone: Backbone, repeats: int) -> dict[str, dict[str, float]]:
    """Sixteen tasks of eight demonstrations: in one batch, and one after the other; leave-one-out left out of both."""
    start = Start.plain(backbone.sites)
    roles = {f"role {n}": role(n) for n in range(HEADS)}
    cohorts = [Cohort.of(name, examples, backbone, folds=0) for name, examples in roles.items()]

    def together(of: Start) -> None:
        teach(backbone, cohorts, of, 4)

    def in_line(of: Start) -> None:
        for cohort in cohorts:
            teach(backbone, [cohort], of, 4)

    return {
        layers: in_turns(
            {"16 tasks in one batch": partial(together, of), "one after the other": partial(in_line, of)}, repeats
        )
        for layers, of in (("top third", start.on(upper_sites(backbone))), ("all layers", start))
    }


def one_role(backbone: Backbone, repeats: int) -> dict[str, float]:
    """One role from eight demonstrations of some 32 tokens."""
    start = Start.plain(backbone.sites)
    examples = role(1, 8, 24)
    cohort = [Cohort.of("role", examples, backbone, 0)]
    top = start.on(upper_sites(backbone))
    return in_turns(
        {
            "two steps, all layers": lambda: teach(backbone, cohort, start, 2),
            "two steps, top third, cached": lambda: teach(backbone, cohort, top, 2),
            "default recipe (top third), leave-one-out": lambda: adapt(backbone, examples, start),
            "the same on all layers": lambda: adapt(backbone, examples, start, layers="all"),
        },
        repeats,
    )


def agents(backbone: Backbone, repeats: int) -> dict[str, float]:
    """Sixteen agents that ask at the same time: met in one batch, and one after the other."""
    bank = HeadBank(backbone.sites)
    for head in heads_of(backbone, HEADS):
        bank.add(head)
    record = Record((("said", Text(24)),))
    calls = [
        Call(Prompt(message=(("text", role(n, 1)[0].prompt.part("text")),), role="say"), record, f"head {n}")
        for n in range(HEADS)
    ]
    scheduler = Scheduler(backbone, bank, batch=HEADS)
    alone = Decoder(backbone, bank, batch=1)
    tokens = sum(reply.tokens for reply in alone.decode(calls))
    arms = {"met in one batch": lambda: scheduler.decode(calls), "one after the other": lambda: alone.decode(calls)}
    found = in_turns(arms, repeats)
    scheduler.close()
    return found | {"tokens": tokens}


def transcript(backbone: Backbone, repeats: int) -> dict[str, float]:
    """Six roles that read the same transcript of 512 tokens, heads active on the row and from the role marker on."""
    words = random.Random(0).choices([word for some in WORDS.values() for word in some], k=600)
    text = " ".join(words)
    while len(backbone.encode(text)) > 512:
        text = text.rsplit(" ", 1)[0]
    prompt = Prompt((Passage("", text),), (), (("text", "what is it about"),), "sort")
    record = Record((("queue", Choice(LABELS)),))
    arms: dict[str, Callable[[], object]] = {}
    for activation in ("row", "marker"):
        bank = HeadBank(backbone.sites)
        for head in heads_of(backbone, 6, activation):
            bank.add(head)
        calls = [Call(prompt, record, f"head {n}") for n in range(6)]
        arms[activation] = partial(_afresh, backbone, bank, calls)
    return in_turns(arms, repeats)


def _afresh(backbone: Backbone, bank: HeadBank, calls: Sequence[Call]) -> object:
    return Decoder(backbone, bank, prefixes=Prefixes()).decode(calls)


def bank_cost(backbone: Backbone) -> dict[str, float]:
    """Microseconds to add each of a thousand heads, growth among them, and a head's bytes."""
    bank = HeadBank(backbone.sites)
    head = heads_of(backbone, 1)[0]
    taken = []
    for number in range(1000):
        began = time.perf_counter()
        bank.add(Head(f"head {number}", head.pairs))
        taken.append((time.perf_counter() - began) * 1e6)
    size = sum(tensor.numel() * tensor.element_size() for pair in head.pairs.values() for tensor in pair)
    return {
        "early": median(taken[:100]), "late": median(taken[-100:]), "mean": sum(taken) / 1000, "longest": max(taken),
        "bytes": float(size),
    }  # fmt: skip


def peak(task: Callable[[], object]) -> float:
    """Megabytes by which the process grew at most while ``task`` ran, looked at every few milliseconds."""
    import threading

    process, done = psutil.Process(), threading.Event()
    before, most = process.memory_info().rss, [0]

    def watch() -> None:
        while not done.wait(0.005):
            most[0] = max(most[0], process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    task()
    done.set()
    thread.join()
    return max(0, most[0] - before) / 1e6


def equal(backbone: Backbone) -> float:
    """The largest difference between 16 heads in one batch and one at a time, relative to the largest state."""
    stack_of = heads_of(backbone, HEADS)
    bank = HeadBank(backbone.sites)
    for head in stack_of:
        bank.add(head)
    ids = torch.randint(20, 2000, (HEADS, 24), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        with active(backbone.context, bank.gather([head.name for head in stack_of])):
            together = backbone.hidden(ids)
        worst = 0.0
        for number, head in enumerate(stack_of):
            with active(backbone.context, bank.gather([head.name])):
                alone: Tensor = backbone.hidden(ids[number : number + 1])
            worst = max(worst, float((alone - together[number : number + 1]).abs().max() / together.abs().max()))
    return worst


def sheets(found: Mapping[str, Any]) -> list[Sheet]:
    """All tables."""

    def table(title: str, times: Mapping[str, float], base: str) -> Sheet:
        rows = tuple(
            (name, f"{1000 * seconds:.1f} ms", f"{seconds / times[base]:.2f} ×")
            for name, seconds in times.items() if name != "tokens"
        )  # fmt: skip
        return Sheet(title, ("what", "median", f"of: {base}"), rows)

    out = [
        table(f"{PASSES} decoding passes of 16 rows", found["passes"], "bare backbone"),
        *(
            table(f"16 tasks × 8 demonstrations adapt, 4 steps, {layers}", times, "one after the other")
            for layers, times in found["adaptation"].items()
        ),
        table("One role from 8 demonstrations", found["one role"], "two steps, all layers"),
        table("16 agents ask at once", found["agents"], "one after the other"),
        table("Six roles read the same 512 tokens", found["transcript"], "row"),
    ]
    rows = tuple(
        (who, f"{one['seconds']:.2f}", f"{one['steps']:.0f}", f"{one['right']:.0f} of 9",
         f"{one['reached']} of {one['of']}")
        for who, one in found["trainer"].items()
    )
    title = "Until 8 of 9 unseen messages are right, or 32 steps (medians of 5 roles)"
    out.append(Sheet(title, ("who", "seconds of learning", "steps", "right", "roles that got there"), rows))
    bank = found["bank"]
    out.append(Sheet("The bank", ("what", "figure"), (
        ("adding a head, median of the first 100", f"{bank['early']:.0f} µs"),
        ("adding a head, median of the last 100 of 1,000", f"{bank['late']:.0f} µs"),
        ("adding a head, mean of 1,000, growth among them", f"{bank['mean']:.0f} µs"),
        ("adding a head, the longest of 1,000", f"{bank['longest'] / 1000:.0f} ms"),
        ("bytes of a head in memory", f"{bank['bytes'] / 1e6:.2f} MB"),
        ("16 roles with all their folds, peak memory over the loaded backbone", f"{found['peak']:.0f} MB"),
        ("16 heads in a batch against one at a time, largest relative difference", f"{found['equal']:.1e}"),
    )))  # fmt: skip
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--backbone", default="default", help="default, a folder, a hub id")
    parser.add_argument("--repeats", type=int, default=7, help="timed rounds of each pair (7)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-write", action="store_true", help="leave docs/figures.md as it is")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    backbone, n = Backbone.load(options.backbone), options.repeats
    roles = {f"role {number}": role(number) for number in range(HEADS)}
    found: dict[str, Any] = {
        # First, while the process is as small as it gets.
        "peak": peak(lambda: adapt_many(backbone, roles, Start.plain(backbone.sites))),
        "equal": equal(backbone),
        "passes": passes(backbone, n),
        "adaptation": adaptation(backbone, max(3, n // 2)),
        "one role": one_role(backbone, n),
        "agents": agents(backbone, max(3, n // 2)),
        "transcript": transcript(backbone, n),
        "bank": bank_cost(backbone),
        "trainer": against_trainer(backbone),
    }
    tables = sheets(found)
    if options.json:
        print(json.dumps(found))
    else:
        for sheet in tables:
            sheet.show(Console(width=120))
    if not options.no_write:
        words = (
            f"Backbone {backbone.name} {backbone.digest()}, {time.strftime('%Y-%m-%d')}, {platform.machine()} "
            f"({torch.backends.cpu.get_cpu_capability()}), "
            f"{torch.get_num_threads()} thread(s), torch {torch.__version__}. Medians of rounds taken in turns."
        )
        given = f" --repeats {n}" if n != 7 else ""
        command = f"python -m benchmarks.heads{given}"
        write_part("heads", "Many heads on one backbone", command, words, tables)


if __name__ == "__main__":
    main()
