"""Batches of one width, drawn in the streams' shares."""

import random
from collections.abc import Callable

from understudy.core.backbone import Backbone
from understudy.core.batches import collate
from understudy.core.demonstrations import Rendered
from understudy.core.fields import Choice, Record
from understudy.core.prompts import Example, Prompt
from understudy.core.streams import WIDTH, Sorter, Stream

RECORD = Record((("queue", Choice(("bug", "billing"))),))


def draw(rng: random.Random) -> Example:
    word, queue = rng.choice((("charged", "billing"), ("crashes", "bug")))
    return Example(Prompt(message=(("text", f"{rng.choice(['the', 'my', 'a'])} {word}"),)), RECORD, {"queue": queue})


def lengthy(rng: random.Random) -> Example:
    """Messages of 20 to 90 tokens."""
    example = draw(rng)
    text = example.prompt.part("text") + " the" * rng.randrange(70)
    return Example(Prompt(message=(("text", text),)), RECORD, example.values)


def test_batches_have_one_shape_a_width_and_keep_the_shares(backbones: Callable[..., Backbone]) -> None:
    streams = {"short": Stream(0, 0.6, draw), "long": Stream(1, 0.4, lengthy)}

    def batches() -> list[tuple[list[str], list[Rendered]]]:
        sorter = Sorter(streams, backbones(), 640, 70)
        return [sorter.batch(seed) for seed in range(30)]

    found = batches()
    shapes = set()
    for names, items in found:
        assert len(names) == len(items) and max(len(item.ids) for item in items) <= 70
        batch = collate(items, 0, WIDTH)
        shapes.add(tuple(batch.ids.shape))
        assert batch.ids.shape[1] - WIDTH < min(len(item.ids) for item in items), (
            "rows of a width are of one length class"
        )
    assert shapes == {(20, 32), (10, 64), (7, 96)}
    drawn = [name for names, _ in found for name in names]
    assert drawn.count("short") / len(drawn) > 0.6, "of the long ones some are too long"
    assert batches() == found
