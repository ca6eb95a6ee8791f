"""Readout: a linear classifier on sentence vector and tokens, beside what the language model says of a choice.

    r(o | x) = log softmax_o( W_o · φ(x) + b_o ),       φ(x) = [ s(x) ; ν h(x) ] less the demonstrations' mean
    W, b     = argmin  Σ_k −r(o_k | x_k) + λ/2 · ‖W − κ E‖²,    E_o = the vector of the option's own name

(averaged over some λ and κ).

s is the message's sentence vector, which knows what words mean; h the bag of its tokens, hashed (Weinberger et al.
2009), which knows what they are, names and codes that the backbone has never seen too.

With few demonstrations the names of the options say much: they are the prior around which the weights are learned
(label semantics as in TARS, Halder et al. 2020; a Gaussian prior on logistic regression, Genkin et al. 2007). The
readout counts alone, unless left-out demonstrations say plainly that the language model, or both together, are better:

    log p(o) ∝ a · log p_LM(o) − c · log p_LM(o | nothing) + b · r(o)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .backbone import Backbone
from .hashing import BUCKETS, bucket
from .prompts import Prompt

LEXICAL = 0.7
"""ν: the bag's weight beside the sentence vector's."""
STRENGTHS = (0.03, 0.1, 0.4)
NAMES = (0.0, 2.0, 4.0, 10.0)
TRUST = 0.2
"""How far left-out demonstrations are trusted to tell settings apart: each counts by exp(−TRUST · log-loss on them).

On 27 tasks kept for choosing, 16 demonstrations each, the best of six settings was right in 56.3 %, the weighted mean
of twelve in 57.2 %; the mean log-loss fell from 1.076 to 1.05.
"""
Mix = tuple[float, float, float]
MIXES: tuple[Mix, ...] = (
    (1.0, 0.0, 0.0), (1.0, 0.0, 1.0), (0.0, 1.0, 0.0), (0.5, 0.5, 0.0), (1.0, 0.5, 0.0), (0.5, 1.0, 0.0),
    (1.0, 1.0, 0.0),
)  # fmt: skip
"""Weights (of the language model, of the readout, of the language model's prior) that are tried."""
ALONE: Mix = (0.0, 1.0, 0.0)
"""The readout alone: the mix where nothing is left out that could choose, and where nothing else is plainly better."""
BIAS = 10.0
"""Ridge of the biases. With free ones a fold is the less likely to say what it has left out, because that option is the
rarest of those that remain: leave-one-out found 3 of 12 where 10 of 10 unseen messages were right."""
MARGIN = 1.0
"""Nats for each left-out demonstration by which another mix must be better.

Measured on 23 tasks kept for choosing, 16 demonstrations each, means of families: the readout alone 55.4 % right, the
language model alone 37.5 %, and the mix of least log-loss on left-out demonstrations 47.2 % (with a margin of 0.1
49.8 %, of 0.5 53.0 %). A handful is too few to choose by: the language model too often wins by chance.
"""


@dataclass(frozen=True)
class Readout:
    """The classifier of one field.

    Attributes:
        options: the field's options, in the order of the columns.
        weight: [D, O]; bias: [O]; mean: [D], what is taken from every vector.
        mix: weights (a, b, c) of the equation above.
    """

    options: tuple[str, ...]
    weight: Tensor
    bias: Tensor
    mean: Tensor
    mix: Mix = (0.0, 1.0, 0.0)

    def scores(self, vectors: Tensor) -> Tensor:
        """Log-probabilities [..., O] of vectors [..., D] that :func:`features` made.

        Readouts of before the bag of tokens was there know the sentence vector alone, which stands first.
        """
        return ((vectors[..., : len(self.mean)] - self.mean) @ self.weight + self.bias).log_softmax(-1)


def text_of(prompt: Prompt) -> str:
    """What the sentence vector is taken of: the parts of the message."""
    return " ".join(text for _, text in prompt.message if text.strip())


def vectors_of(backbone: Backbone, prompts: Sequence[Prompt]) -> Tensor:
    """The vectors [N, D] of the prompts' messages."""
    return features(backbone, [text_of(prompt) for prompt in prompts])


def features(backbone: Backbone, texts: Sequence[str]) -> Tensor:
    """φ before its mean is taken away, [N, width + BUCKETS]: sentence vectors, hashed bags of tokens beside them."""
    return torch.cat([backbone.embed(texts), LEXICAL * bags([backbone.encode(text) for text in texts])], dim=1)


def bags(ids: Sequence[Sequence[int]]) -> Tensor:
    """Unit vectors [N, BUCKETS]: 1 + log of how often each token stands in the text, in its bucket, with its sign."""
    found = torch.zeros(len(ids), BUCKETS)
    for row, tokens in enumerate(ids):
        if tokens:
            token, count = torch.tensor(tokens).unique(return_counts=True)
            column, sign = bucket(token)
            found[row].index_add_(0, column, sign * (1 + count.log()))
    return F.normalize(found, dim=-1)


def fit(
    vectors: Tensor, means: Tensor, targets: Tensor, kept: Tensor, names: Tensor, strengths: Tensor, pulls: Tensor,
    steps: int = 120,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """One classifier for each setting and fold, all in one batch.

    Args:
        vectors: [K, D]; ``means`` [F, D] is what each fold takes from them.
        targets: [K] index of the right option.
        kept: [F, K] 1 where the fold learns from the demonstration.
        names: [O, D] vectors of the options' names, less their own mean.
        strengths: [S] λ; pulls: [S] κ.

    Returns:
        weights [S, F, D, O] and biases [S, F, O].
    """
    folds, options, settings = len(kept), len(names), len(strengths)
    prior = pulls.view(-1, 1, 1, 1) * names.t()
    # By the representer theorem W = κE + Xᵀα: the search is over [K, O] numbers, however wide the backbone is.
    centred = vectors - means.unsqueeze(1)
    gram, offset = centred @ centred.transpose(1, 2), centred @ prior
    counts, ridge = kept.unsqueeze(-1), strengths.view(-1, 1, 1, 1)
    alpha = torch.zeros(settings, folds, len(vectors), options)
    bias = torch.zeros(settings, folds, 1, options)
    adam = torch.optim.Adam([alpha, bias], lr=0.3, betas=(0.9, 0.99))
    wanted = F.one_hot(targets, options).float()
    for step in range(steps):
        adam.param_groups[0]["lr"] = 0.3 * (1 - step / steps)
        seen = alpha * counts
        wrong = ((gram @ seen + offset + bias).softmax(-1) - wanted) * counts
        alpha.grad = (gram @ (wrong + ridge * seen)) * counts
        bias.grad = wrong.sum(2, keepdim=True) + BIAS * bias
        adam.step()
    weights = prior + centred.transpose(1, 2) @ (alpha * counts)
    return weights, bias.squeeze(2)


def learn_readouts(
    backbone: Backbone, vectors: Tensor, options: Sequence[str], targets: Tensor, out: Tensor, folds: int
) -> list[Readout]:
    """A readout for each fold, without those left out of it, and, as the last, one that has learned from all.

    Each is the mean over all settings λ and κ, which count the more, the less the log-loss of the other folds on what
    they have left out is: a mean of log-probabilities, so that it is linear too.

    Args:
        vectors: [K, D] of the demonstrations; ``targets`` [K] their options; ``out`` [K] the fold that leaves each out.
    """
    named = features(backbone, list(options))
    named = named - named.mean(0)
    kept = torch.stack([out != fold for fold in range(folds)] + [torch.ones(len(out), dtype=torch.bool)]).float()
    means = (kept @ vectors) / kept.sum(1, keepdim=True)
    settings = [(strength, pull) for strength in STRENGTHS for pull in NAMES]
    strengths, pulls = torch.tensor(settings).t()
    weights, biases = fit(vectors, means, targets, kept, named, strengths, pulls)
    logits = torch.einsum("kd,skdo->sko", vectors - means[out], weights[:, out]) + biases[:, out]
    right = targets.view(1, -1, 1).expand(len(settings), -1, 1)
    losses = -logits.log_softmax(-1).gather(-1, right).squeeze(-1)
    counts = (-TRUST * (losses @ kept.t())).softmax(0)  # [settings, K] · [K, folds + 1]
    weights, biases = torch.einsum("sf,sfdo->fdo", counts, weights), torch.einsum("sf,sfo->fo", counts, biases)
    return [Readout(tuple(options), weights[fold], biases[fold], means[fold]) for fold in range(folds + 1)]


def choose_mix(lm: Tensor, nothing: Tensor, readout: Tensor, targets: Tensor) -> Mix:
    """The readout alone, or the mix with the least log-loss on left-out demonstrations where that is plainly less.

    [K, O] log-probabilities each, ``targets`` [K].
    """

    def loss(mix: Mix) -> float:
        return float(F.cross_entropy(mixed(lm, nothing, readout, mix), targets))

    best = min(MIXES, key=loss)
    return best if loss(best) < loss(ALONE) - MARGIN else ALONE


def mixed(lm: Tensor, nothing: Tensor, readout: Tensor, mix: Mix) -> Tensor:
    """The equation's right side, log-scores [..., O], not normalised."""
    of_lm, of_readout, of_prior = mix
    return of_lm * lm + of_readout * readout - of_prior * nothing


def tensors_of(readouts: Mapping[str, Readout]) -> dict[str, Tensor]:
    """All tensors under flat names, as they are saved."""
    flat: dict[str, Tensor] = {}
    for path, readout in readouts.items():
        flat |= {f"{path}|weight": readout.weight.contiguous(), f"{path}|bias": readout.bias.contiguous(),
                 f"{path}|mean": readout.mean.contiguous()}  # fmt: skip
    return flat
