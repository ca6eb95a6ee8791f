"""Rows of their own lengths in one buffer."""

import torch

from understudy.core.cache import RowCache


def states(*values: float) -> torch.Tensor:
    """[B, 1 head, 1 token, 2] states, one row for each value."""
    return torch.tensor(values).view(-1, 1, 1, 1).expand(-1, 1, 1, 2).clone()


def test_each_row_writes_where_it_is_told_and_sees_the_width_asked_for() -> None:
    cache = RowCache(layers=1, rows=2, slots=4)
    cache.plan(torch.tensor([[0], [2]]), width=3)
    keys, values = cache.update(states(1, 2), -states(1, 2), 0)
    assert keys[..., 0].tolist() == [[[1, 0, 0]], [[0, 0, 2]]]
    assert torch.equal(values, -keys)


def test_padding_is_never_seen() -> None:
    cache = RowCache(layers=1, rows=2, slots=4)
    cache.plan(torch.tensor([[0], [cache.waste]]), width=4)
    keys, _ = cache.update(states(1, 9), states(1, 9), 0)
    assert keys[..., 0].tolist() == [[[1, 0, 0, 0]], [[0, 0, 0, 0]]]


def test_rows_leave_and_the_others_keep_theirs() -> None:
    cache = RowCache(layers=1, rows=3, slots=2)
    cache.plan(torch.zeros(3, 1, dtype=torch.long), width=1)
    cache.update(states(1, 2, 3), states(1, 2, 3), 0)
    cache.keep(torch.tensor([2, 0]))
    cache.plan(torch.ones(2, 1, dtype=torch.long), width=2)
    keys, _ = cache.update(states(8, 9), states(8, 9), 0)
    assert keys[..., 0].tolist() == [[[3, 8]], [[1, 9]]]


def test_room_grows_and_what_was_written_stays() -> None:
    cache = RowCache(layers=1, rows=1, slots=2)
    cache.plan(torch.tensor([[1]]), width=2)
    cache.update(states(5), states(5), 0)
    cache.reserve(2)
    assert cache.capacity == 2
    cache.reserve(3)
    assert cache.capacity == 4 == cache.waste
    cache.plan(torch.tensor([[3]]), width=4)
    keys, _ = cache.update(states(6), states(6), 0)
    assert keys[..., 0].tolist() == [[[0, 5, 0, 6]]]
