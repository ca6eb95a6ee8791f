"""Sine waves of any height and phase: after MAML, one inner step on ten points finds which one it is.

Finn, Abbeel, Levine 2017, sec. 5.1, made short. Run: ``python examples/meta_learning/sinusoid.py``
"""

import torch
from torch import nn

from understudy.core.meta.learner import Tasks
from understudy.core.meta.maml import MAML
from understudy.core.meta.tasks import module_tasks, start_of

torch.set_num_threads(1)
torch.manual_seed(0)
network = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))


def waves(tasks: int, shots: int, asked: int) -> Tasks:
    x = torch.rand(tasks, shots + asked, 1) * 10 - 5
    height, phase = torch.rand(tasks, 1, 1) * 4.9 + 0.1, torch.rand(tasks, 1, 1) * torch.pi
    y = height * torch.sin(x - phase)
    return module_tasks(network, (x[:, :shots], y[:, :shots]), (x[:, shots:], y[:, shots:]), nn.functional.mse_loss)


learner = MAML(start_of(network), steps=1, inner_rate=0.01, rate=0.003)
for _ in range(2000):
    learner.outer_step(waves(25, 10, 10))
new = waves(1000, 10, 100)
for steps in (0, 1):
    print(f"{steps} inner steps: mean squared error {new.query(learner.adapt(new, steps)).mean():.2f}")
