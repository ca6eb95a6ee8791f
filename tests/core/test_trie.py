"""The options' tree: what is fed, who sees whom, and scores as if every option were fed on its own."""

import math

import pytest
import torch
from torch import Tensor

from understudy.core.trie import Trie

END = 0
OPTIONS = [(5, 6, END), (5, END), (7, 6, 8, END), (7, 6, 9, END), (5, 6, 6, END)]


def logits_after(prefix: tuple[int, ...]) -> Tensor:
    """A made-up language model: its scores depend on all of the prefix."""
    seed = sum((i + 1) * 31**token for i, token in enumerate(prefix, 1)) % 2**31
    return torch.randn(10, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def nodes(trie: Trie) -> list[tuple[int, ...]]:
    """The prefix that each node stands for, read back from who sees whom."""
    return [tuple(int(trie.ids[j]) for j in row.nonzero().flatten()) for row in trie.sees]


def test_inner_nodes_see_their_ancestors_and_themselves_alone() -> None:
    trie = Trie(OPTIONS)
    assert nodes(trie) == [(5,), (5, 6), (7,), (7, 6), (7, 6, 8), (7, 6, 9), (5, 6, 6)]
    assert trie.inner == len(trie.ids) == 7
    assert trie.depths.tolist() == [len(node) - 1 for node in nodes(trie)]


def test_scores_are_those_of_each_option_on_its_own_and_sum_to_one() -> None:
    trie = Trie(OPTIONS)
    logits = torch.stack([logits_after(()), *map(logits_after, nodes(trie))])
    scores = trie.score(logits)
    for option, score in zip(OPTIONS, scores, strict=True):
        alone = 0.0
        for depth, token in enumerate(option):
            children = {o[depth] for o in OPTIONS if o[:depth] == option[:depth]}
            after = logits_after(option[:depth])
            alone += float(after[token]) - math.log(sum(math.exp(float(after[child])) for child in children))
        assert score == pytest.approx(alone, abs=1e-9)
    assert sum(map(math.exp, scores)) == pytest.approx(1)


def test_a_long_option_is_not_punished_for_its_length() -> None:
    long, short = Trie([(5, 6, 6, 6, 6, END), (7, END)]).score(torch.zeros(7, 10))
    assert long == pytest.approx(math.log(0.5)) and short == pytest.approx(math.log(0.5))
