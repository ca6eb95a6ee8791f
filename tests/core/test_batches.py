"""Demonstrations as tensors, and the loss of what was decided."""

from collections.abc import Callable

import torch

from understudy.core.backbone import Backbone
from understudy.core.batches import collate, decision_losses, per_row, text_losses
from understudy.core.demonstrations import Decision, Rendered, render
from understudy.core.prompts import Example

ITEMS = [
    Rendered((10, 11, 12, 13, 14), 1, 2, (Decision(3, (13, 20)), Decision(4, ()))),
    Rendered((30, 31, 32), 0, 1, (Decision(2, (32, 33, 34)),)),
]


def test_rows_are_padded_and_decisions_point_one_token_back() -> None:
    batch = collate(ITEMS, pad=0)
    assert batch.ids.tolist() == [[10, 11, 12, 13, 14], [30, 31, 32, 0, 0]]
    assert batch.lengths.tolist() == [5, 3]
    assert batch.active.tolist() == [[0, 1, 1, 1, 1], [1, 1, 1, 1, 1]]
    assert (batch.row.tolist(), batch.at.tolist(), batch.target.tolist()) == ([0, 0, 1], [2, 3, 1], [13, 14, 32])
    assert batch.limited.tolist() == [True, False, True]
    assert batch.legal.tolist() == [[0, 0, 2, 2, 2], [13, 20, 32, 33, 34]]


def test_the_width_can_be_rounded_up() -> None:
    assert collate(ITEMS, 0, 4).ids.tolist() == [[10, 11, 12, 13, 14, 0, 0, 0], [30, 31, 32, 0, 0, 0, 0, 0]]
    assert collate(ITEMS, 0, 5).ids.shape == (2, 5)


def test_a_decision_is_judged_among_what_was_allowed(any_backbone: Backbone) -> None:
    backbone = any_backbone
    batch = collate(ITEMS, pad=0)
    with torch.no_grad():
        states = backbone.hidden(batch.ids)
        losses, right = decision_losses(backbone, batch, states)
        logits = backbone.model(batch.ids).logits
    expected = [
        -logits[0, 2, [13, 20]].log_softmax(0)[0],
        -logits[0, 3].log_softmax(0)[14],
        -logits[1, 1, [32, 33, 34]].log_softmax(0)[0],
    ]
    torch.testing.assert_close(losses, torch.stack(expected), atol=1e-4, rtol=1e-4)
    best = (
        [13, 20][int(logits[0, 2, [13, 20]].argmax())],
        int(logits[0, 3].argmax()),
        32 + int(logits[1, 1, 32:35].argmax()),
    )
    assert right.tolist() == [best[0] == 13, best[1] == 14, best[2] == 32]
    torch.testing.assert_close(per_row(losses, batch), torch.stack([expected[0] + expected[1], expected[2]]))


def test_padding_changes_no_loss(any_backbone: Backbone, everything: Example) -> None:
    long = render(everything, any_backbone)
    short = Rendered(long.ids[:20], 2, 3, (Decision(10, (long.ids[10], 9)), Decision(19, ())))
    with torch.no_grad():
        both = collate([short, long], any_backbone.markers.pad)
        together, _ = decision_losses(any_backbone, both, any_backbone.hidden(both.ids))
        one = collate([short], any_backbone.markers.pad)
        alone, _ = decision_losses(any_backbone, one, any_backbone.hidden(one.ids))
    torch.testing.assert_close(together[:2], alone, atol=1e-4, rtol=1e-4)


def test_language_modelling_reads_no_padding(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones()
    batch = collate(ITEMS, pad=0)
    with torch.no_grad():
        states = backbone.hidden(batch.ids)
        logits = backbone.model(batch.ids).logits.log_softmax(-1)
        losses = text_losses(backbone, batch, states, share=1.0, seed=0)
    pairs = [(b, t) for b, item in enumerate(ITEMS) for t in range(len(item.ids) - 1)]
    expected = -torch.stack([logits[b, t, ITEMS[b].ids[t + 1]] for b, t in pairs]).mean()
    torch.testing.assert_close(losses, expected, atol=1e-4, rtol=1e-4)
    draws = [float(text_losses(backbone, batch, states, 0.5, seed)) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
