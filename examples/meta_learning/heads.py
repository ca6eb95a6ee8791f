"""A start for heads, learned by FOMAML from the demonstrations of three roles, and what a fourth makes of it.

Eight outer steps on three roles show the way and help no fourth yet; ``understudy train meta`` learns from hundreds of
tasks. Run it, then ``understudy learn ROLE.yaml --start build/start.safetensors``.
"""

import random
from pathlib import Path

from understudy import Backbone, Role
from understudy.core.meta.maml import fomaml
from understudy.core.meta.start import Start
from understudy.core.meta.tasks import head_tasks
from understudy.core.trunk import upper_sites

backbone, folder, rng = Backbone.load(), Path(__file__).parents[1], random.Random(0)
shown = {name: Role.load(folder / name / "role.yaml").examples() for name in ("clinic", "workshop", "school", "triage")}
sites = upper_sites(backbone)  # of the upper third of the layers, as `learn` adapts them


def episode(name):
    drawn = rng.sample(shown[name], 12)
    return drawn[:8], drawn[8:]  # what is shown, and what is asked then


learner = fomaml(Start.plain(backbone.sites).on(sites).tensors, steps=4, inner_rate=0.1, rate=0.003)
for step in range(8):
    tasks = head_tasks(backbone, [episode(name) for name in ("clinic", "workshop", "school")], sites)
    print(f"outer step {step}: loss {learner.outer_step(tasks)['loss']:.2f}", flush=True)
new = head_tasks(backbone, [(shown["triage"][:8], shown["triage"][8:])], sites)
for steps in (0, 4):
    print(f"triage, {steps} inner steps: loss {new.query(learner.adapt(new, steps)).item():.2f}")
Start.learned(learner).save(Path("build/start.safetensors"))
