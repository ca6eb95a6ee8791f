"""The classifier on sentence vectors, against scikit-learn, and how it is mixed with the language model."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional as F

from understudy.core.backbone import Backbone
from understudy.core.prompts import Passage, Prompt
from understudy.core.readout import (
    BUCKETS,
    LEXICAL,
    MIXES,
    Readout,
    bags,
    choose_mix,
    features,
    fit,
    learn_readouts,
    mixed,
    text_of,
    vectors_of,
)


def clouds(per: int = 6, wide: int = 12, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Three clouds of unit vectors less their mean, and whose each is."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(3, wide, generator=generator)
    targets = torch.arange(3).repeat(per)
    vectors = F.normalize(centres[targets] + 0.6 * torch.randn(3 * per, wide, generator=generator), dim=-1)
    return vectors - vectors.mean(0), targets


def test_without_names_it_is_ridge_logistic_regression() -> None:
    vectors, targets = clouds()
    kept = torch.ones(2, len(targets))
    kept[1, :4] = 0
    strengths, pulls = torch.tensor([9.0, 0.4]), torch.zeros(2)
    nothing = torch.zeros(3, 12)
    weights, biases = fit(vectors, torch.zeros(2, 12), targets, kept, nothing, strengths, pulls, steps=600)
    weights, biases = weights[1], biases[1]  # of two settings in one batch
    for fold in range(2):
        some = kept[fold].bool()
        theirs = LogisticRegression(C=1 / 0.4, max_iter=2000, tol=1e-8)
        theirs.fit(vectors[some].numpy(), targets[some].numpy())
        mine = (vectors @ weights[fold] + biases[fold]).softmax(-1).numpy()
        apart = np.abs(mine - theirs.predict_proba(vectors.numpy())).max()
        assert apart < 0.05, "their bias is free, ours is not quite"
    only = vectors[kept[1].bool()]
    beyond = weights[1] - only.t() @ torch.linalg.lstsq(only.t(), weights[1]).solution
    assert float(beyond.abs().max()) < 1e-3, "a fold's weights are made of what it has seen"


def test_names_are_the_prior() -> None:
    vectors, targets = clouds()
    names = torch.stack([vectors[targets == label].mean(0) for label in range(3)])
    nobody = torch.zeros(1, len(targets))
    weights, biases = fit(vectors, torch.zeros(1, 12), targets, nobody, names, torch.tensor([0.1]), torch.tensor([4.0]))
    weights, biases = weights[0], biases[0]
    torch.testing.assert_close(weights[0], 4.0 * names.t(), atol=1e-4, rtol=1e-4)
    assert float(((vectors @ weights[0] + biases[0]).argmax(-1) == targets).float().mean()) == 1.0


def test_a_fold_is_blind_to_what_it_leaves_out() -> None:
    vectors, targets = clouds()
    out = torch.arange(len(targets)) % 6
    kept = torch.stack([out != fold for fold in range(6)]).float()
    moved = torch.where((out == 2).unsqueeze(1), -3 * vectors, vectors)
    other = torch.where(out == 2, (targets + 1) % 3, targets)
    fits = []
    for some, wanted in ((vectors, targets), (moved, other)):
        means = (kept @ some) / kept.sum(1, keepdim=True)
        fits.append(fit(some, means, wanted, kept, torch.zeros(3, 12), torch.tensor([0.1]), torch.zeros(1))[0][0])
    same = [torch.allclose(one, two, atol=1e-5) for one, two in zip(*fits, strict=True)]
    assert same == [fold == 2 for fold in range(6)]


def test_there_is_a_readout_for_each_fold_and_one_that_has_seen_all(backbones: Callable[..., Backbone]) -> None:
    vectors, targets = clouds(wide=backbones().width + BUCKETS)
    out = torch.arange(len(targets)) % 6
    readouts = learn_readouts(backbones(), vectors, ("red", "green", "blue"), targets, out, 6)
    assert len(readouts) == 7 and {readout.options for readout in readouts} == {("red", "green", "blue")}
    assert (readouts[-1].scores(vectors).argmax(-1) == targets).float().mean() > 0.9


@pytest.mark.parametrize(
    ("lm", "own", "expected"),
    [
        ([[0.9, 0.1], [0.1, 0.9]], [[0.2, 0.8], [0.8, 0.2]], "lm"),
        ([[0.9, 0.1], [0.1, 0.9]], [[0.5, 0.5], [0.5, 0.5]], "readout"),  # better, but not plainly
        ([[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.1], [0.1, 0.9]], "readout"),
    ],
)
def test_the_mix_goes_to_who_is_right(lm: list[list[float]], own: list[list[float]], expected: str) -> None:
    nothing = torch.tensor([[0.5, 0.5]] * 2).log()
    of_lm, of_readout, _ = choose_mix(torch.tensor(lm).log(), nothing, torch.tensor(own).log(), torch.tensor([0, 1]))
    assert (of_lm > of_readout) is (expected == "lm")


def test_a_biased_language_model_is_corrected_by_what_it_says_of_nothing() -> None:
    lm = torch.tensor([[0.999, 0.001], [0.5, 0.5], [0.999, 0.001]]).log()
    nothing = torch.tensor([[0.98, 0.02]] * 3).log()
    misled = torch.tensor([[0.05, 0.95], [0.95, 0.05], [0.05, 0.95]]).log()
    targets = torch.tensor([0, 1, 0])
    assert choose_mix(lm, nothing, misled, targets) == (1.0, 0.0, 1.0)
    assert mixed(lm, nothing, misled, (1.0, 0.0, 1.0)).argmax(-1).tolist() == [0, 1, 0]
    assert MIXES[0] == (1.0, 0.0, 0.0)


def test_scores_are_log_probabilities_and_the_vector_is_of_the_message(backbones: Callable[..., Backbone]) -> None:
    readout = Readout(("a", "b"), torch.randn(4, 2), torch.zeros(2), torch.ones(4))
    vectors = torch.randn(3, 4)
    torch.testing.assert_close(readout.scores(vectors).exp().sum(-1), torch.ones(3))
    with_bags = torch.cat([vectors, torch.randn(3, 5)], dim=1)
    torch.testing.assert_close(readout.scores(with_bags), readout.scores(vectors), msg="it was learned before bags")
    prompt = Prompt((Passage("", "evidence"),), (), (("text", "I was"), ("more", " "), ("rest", "charged")), "Sorts.")
    assert text_of(prompt) == "I was charged"
    found = vectors_of(backbones(), [prompt, Prompt(message=(("text", "I was charged"),))])
    torch.testing.assert_close(found[0], found[1])


def test_sentence_vectors_do_not_depend_on_their_company(any_backbone: Backbone) -> None:
    texts = ["I was charged twice", "euro", "", "How do I reset my password? " * 4]
    together = any_backbone.embed(texts)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(4))
    for text, vector in zip(texts, together, strict=True):
        torch.testing.assert_close(any_backbone.embed([text])[0], vector, atol=1e-5, rtol=1e-4)


def test_bags_know_which_tokens_a_text_has() -> None:
    found = bags([(5, 9, 9), (9, 5, 9), (5, 9), (), (7,)])
    torch.testing.assert_close(found[0], found[1])
    torch.testing.assert_close(found.norm(dim=1), torch.tensor([1.0, 1.0, 1.0, 0.0, 1.0]))
    twice, once = 1 + np.log(2), 1.0
    assert float(found[0] @ found[2]) == pytest.approx((twice + once) / np.hypot(twice, once) / np.sqrt(2), abs=1e-5)
    assert abs(float(found[0] @ found[4])) < 1e-6
    assert found.shape == (5, BUCKETS)


def test_tokens_are_spread_over_buckets_and_signs() -> None:
    found = bags([(token,) for token in range(8192)])
    assert int((found != 0).sum(1).max()) == 1
    filled = (found != 0).sum(0)
    assert 8 <= int(filled.min()) and int(filled.max()) <= 24, "16 tokens for each of 512 buckets"
    assert abs(float(found.sum()) / 8192) < 0.05


def test_features_are_the_sentence_vector_and_the_bag(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones()
    texts = ["I was charged", "twice"]
    found = features(backbone, texts)
    torch.testing.assert_close(found[:, : backbone.width], backbone.embed(texts))
    torch.testing.assert_close(found[:, backbone.width :], LEXICAL * bags([backbone.encode(text) for text in texts]))


def test_leaving_one_out_says_nothing_where_nothing_can_be_told(backbones: Callable[..., Backbone]) -> None:
    generator = torch.Generator().manual_seed(0)
    vectors = 1e-3 * torch.randn(12, backbones().width + BUCKETS, generator=generator)
    targets = torch.arange(12) % 2
    readouts = learn_readouts(backbones(), vectors, ("red", "blue"), targets, torch.arange(12), 12)
    own = torch.stack([readouts[at].scores(vectors[at]) for at in range(12)])
    assert float((own[torch.arange(12), targets].exp()).mean()) == pytest.approx(0.5, abs=0.02), "not below chance"
