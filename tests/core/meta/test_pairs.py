"""Examples as vectors, and networks side by side that are what each would be alone."""

import pytest
import torch

from understudy.core.errors import UnderstudyError
from understudy.core.meta.pairs import ask, networks, sizes_of, vectors
from understudy.core.meta.tasks import start_of


def test_the_sizes_of_a_module_are_those_of_its_first_and_last_tensor() -> None:
    assert sizes_of(start_of(torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Linear(8, 2)))) == (3, 2)


def test_numbers_stay_and_labels_are_one_hot() -> None:
    assert vectors(torch.tensor([[2, 0]]), 3, torch.float64).tolist() == [[[0, 0, 1], [1, 0, 0]]]
    assert vectors(torch.ones(2, 5), 1, torch.float32).shape == (2, 5, 1)
    assert vectors(torch.ones(2, 5, 3, 4), 12, torch.float32).shape == (2, 5, 12)
    with pytest.raises(UnderstudyError, match="examples of 2 numbers were given to a network that reads 3"):
        vectors(torch.ones(1, 1, 2), 3, torch.float32)


def test_each_network_answers_its_own_tasks_and_leaves_the_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    weights = networks(lambda: torch.nn.Linear(2, 3), 2, 7, torch.float32)
    assert torch.equal(torch.random.get_rng_state(), before)
    values = torch.arange(12.0).view(6, 2)
    found = ask(torch.nn.Linear(2, 3), weights, values)
    for start, rows in enumerate((slice(0, 3), slice(3, 6))):
        alone = networks(lambda: torch.nn.Linear(2, 3), 1, 7 + start, torch.float32)
        torch.testing.assert_close(found[rows], values[rows] @ alone["weight"][0].T + alone["bias"][0])
