"""The four-convolution network of few-shot learning (Vinyals et al. 2016, sec. 4.1), without running statistics.

    4 × [3×3 convolution → batch norm → ReLU → 2×2 max pool] → linear

Batch norm takes its statistics from the pictures of the task that are shown, and from no other picture that is asked
(MetaBN: Bronskill et al. 2020, sec. 3.2): a decision does not depend on what else is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy, max_pool2d

from ..core.meta.learner import Tasks, Tensors

EPSILON = 1e-5
Episode = tuple[Tensor, Tensor, Tensor, Tensor]
"""Pictures shown [K, 1, 28, 28] and their classes [K]; pictures asked [Q, 1, 28, 28] and theirs [Q]."""


class ShownNorm(nn.Module):
    """Batch norm of [B, D, height, width] by the mean and variance of the first ``shown`` pictures."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, states: Tensor, shown: int) -> Tensor:
        """The same shape."""
        variance, mean = torch.var_mean(states[:shown], (0, 2, 3), correction=0, keepdim=True)
        scale = self.weight.view(1, -1, 1, 1) * (variance + EPSILON).rsqrt()
        return (states - mean) * scale + self.bias.view(1, -1, 1, 1)


class FourConvolutions(nn.Module):
    """Pictures [B, 1, 28, 28] → scores [B, classes]; the states before the last layer are [B, width].

    Args:
        width: filters of each convolution.
        seed: of the first weights.
    """

    def __init__(self, classes: int, width: int = 64, seed: int = 0) -> None:
        super().__init__()
        sizes = [1, width, width, width, width]
        self.convolutions = nn.ModuleList(nn.Conv2d(sizes[i], sizes[i + 1], 3, padding=1) for i in range(4))
        self.norms = nn.ModuleList(ShownNorm(width) for _ in range(4))
        self.head = nn.Linear(width, classes)
        source = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for layer in (*self.convolutions, self.head):
                assert isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None
                nn.init.xavier_uniform_(layer.weight, generator=source)
                layer.bias.zero_()

    def forward(self, pictures: Tensor, shown: int | None = None) -> Tensor:
        """``shown``: of how many pictures, from the first on, the statistics are; of all when left out."""
        states = pictures
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            states = norm(convolution(states), len(pictures) if shown is None else shown)
            states = max_pool2d(states.relu(), 2)
        scores: Tensor = self.head(states.flatten(1))
        return scores


def episode_tasks(network: nn.Module, episodes: Sequence[Episode]) -> Tasks:
    """N tasks of the network, one after the other: the pictures of one already fill a CPU."""

    def in_turn(parameters: Tensors, asking: bool) -> list[Tensor]:
        found = []
        for number, (shown, _, asked, _) in enumerate(episodes):
            own = {name: tensor[number] for name, tensor in parameters.items()}
            pictures = torch.cat([shown, asked]) if asking else shown
            scores: Tensor = functional_call(network, own, (pictures, len(shown)))
            found.append(scores[len(shown) :] if asking else scores)
        return found

    def support(parameters: Tensors) -> Tensor:
        pairs = zip(in_turn(parameters, False), episodes, strict=True)
        return torch.stack([cross_entropy(scores, episode[1]) for scores, episode in pairs])

    def query(parameters: Tensors) -> Tensor:
        pairs = zip(in_turn(parameters, True), episodes, strict=True)
        return torch.stack([cross_entropy(scores, episode[3]) for scores, episode in pairs])

    names = ("support_x", "support_y", "query_x", "query_y")
    data = {name: torch.stack([episode[i] for episode in episodes]) for i, name in enumerate(names)}
    return Tasks(
        support, query, len(episodes), data, cross_entropy, lambda parameters: torch.stack(in_turn(parameters, False))
    )


def answers(network: nn.Module, parameters: Tensors, episode: Episode) -> Tensor:
    """The classes [Q] that one adapted network (parameters [1, …]) gives for what is asked."""
    shown, _, asked, _ = episode
    own = {name: tensor[0] for name, tensor in parameters.items()}
    with torch.no_grad():
        scores: Tensor = functional_call(network, own, (torch.cat([shown, asked]), len(shown)))
    return scores[len(shown) :].argmax(1)
