"""Omniglot's one-shot table on drawings made here: how they are read, what a task is, what a decision depends on."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

Image = pytest.importorskip("PIL.Image")

from understudy.core.errors import UnderstudyError  # noqa: E402
from understudy.core.meta.maml import MAML  # noqa: E402
from understudy.core.meta.prototype import Prototype  # noqa: E402
from understudy.core.meta.tasks import module_tasks, start_of  # noqa: E402
from understudy.meta_tables import omniglot  # noqa: E402
from understudy.meta_tables.convolutions import FourConvolutions, answers, episode_tasks  # noqa: E402
from understudy.meta_tables.omniglot import Row, draw, measure, vary, wrong_answers  # noqa: E402
from understudy.meta_tables.omniglot_images import background, one_shot_runs  # noqa: E402


def drawing(character: int, drawer: int, side: int = 56) -> bytes:
    """A bar whose place and direction are the character's, drawn a little elsewhere by each drawer; ink is black."""
    image = Image.new("1", (side, side), 1)
    at = 8 + 9 * (character // 2) + drawer % 3
    box = (at, 8, at + 4, 48) if character % 2 else (8, at, 48, at + 4)
    image.paste(0, box)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    folder = root / "images" / "omniglot"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "images_background_small1.zip", "w") as archive:
        for alphabet, characters in (("A", range(6)), ("B", range(2, 8))):
            for number, character in enumerate(characters):
                for drawer in range(4):
                    archive.writestr(f"set/{alphabet}/character{number:02}/{drawer}.png", drawing(character, drawer))
    with zipfile.ZipFile(folder / "all_runs.zip", "w") as archive:
        for run in ("run01", "run02"):
            pairs = [(f"{run}/test/item{i}.png", f"{run}/training/class{5 - i}.png") for i in range(6)]
            archive.writestr(f"{run}/class_labels.txt", "\n".join(" ".join(pair) for pair in pairs))
            for i in range(6):
                archive.writestr(f"{run}/test/item{i}.png", drawing(5 - i, 7))
                archive.writestr(f"{run}/training/class{i}.png", drawing(i, 6))
    return root


def test_drawings_are_read_as_means_with_ink_one(data: Path) -> None:
    alphabets = background(data / "images" / "omniglot" / "images_background_small1.zip")
    assert [alphabet.shape for alphabet in alphabets] == [(6, 4, 28, 28)] * 2
    assert float(alphabets[0][0, 0].sum()) == pytest.approx(4 * 40 / 4), "a quarter of the pixels, the share of ink"
    assert float(alphabets[0][0, 0, 5, 10]) == 1 and float(alphabets[0][0, 0, 20, 10]) == 0
    runs = one_shot_runs(data / "images" / "omniglot" / "all_runs.zip")
    assert len(runs) == 2 and runs[0].right.tolist() == [5, 4, 3, 2, 1, 0]
    assert runs[0].shown.shape == runs[0].asked.shape == (6, 1, 28, 28)


def test_what_cannot_be_read_says_so(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="cannot be read"):
        background(tmp_path / "missing.zip")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(UnderstudyError, match="no drawings"):
        background(tmp_path / "empty.zip")
    with pytest.raises(UnderstudyError, match="no runs"):
        one_shot_runs(tmp_path / "empty.zip")


def test_a_task_shows_one_drawer_and_asks_others(data: Path) -> None:
    alphabets = background(data / "images" / "omniglot" / "images_background_small1.zip")
    for seed in range(4):
        shown, classes, asked, right = draw(alphabets, torch.Generator().manual_seed(seed), ways=5)
        assert shown.shape == (5, 1, 28, 28) and asked.shape == (10, 1, 28, 28)
        assert classes.tolist() == [0, 1, 2, 3, 4] and right.tolist() == [0, 1, 2, 3, 4] * 2
        of = [all(bool((a == picture).all(3).all(2).any()) for picture in shown[:, 0]) for a in alphabets]
        assert any(of), "all are of one alphabet"


def test_an_alphabet_of_few_characters_is_filled_up_with_another(data: Path) -> None:
    alphabets = background(data / "images" / "omniglot" / "images_background_small1.zip")
    few = [alphabets[0][:2], alphabets[1][3:]]  # bars 0 and 1, bars 5, 6 and 7
    for seed in range(4):
        shown, classes, asked, right = draw(few, torch.Generator().manual_seed(seed), ways=5)
        assert len(shown) == 5 and classes.tolist() == [0, 1, 2, 3, 4]
        distances = (asked[:, None] - shown[None]).abs().flatten(2).sum(2)
        assert len({picture.numpy().tobytes() for picture in shown}) == 5, "five characters"
        assert distances.argmin(1).tolist() == right.tolist(), "each drawing lies nearest to its own character's"


def test_varied_pictures_keep_their_ink_nearly_and_move(data: Path) -> None:
    pictures = torch.zeros(8, 1, 28, 28)
    pictures[:, :, 10:18, 10:18] = 1
    varied = vary(pictures, torch.Generator().manual_seed(0))
    assert varied.shape == pictures.shape and not torch.equal(varied, pictures)
    assert all(0.7 < float(v.sum() / p.sum()) < 1.3 for v, p in zip(varied, pictures, strict=True))
    assert torch.equal(varied, vary(pictures, torch.Generator().manual_seed(0)))


def test_a_decision_does_not_depend_on_what_else_is_asked() -> None:
    network = FourConvolutions(4, 8).double()
    pictures = torch.rand(10, 1, 28, 28, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    together = network(pictures, 4)
    for asked in range(4, 10):
        alone = network(torch.cat([pictures[:4], pictures[asked : asked + 1]]), 4)
        torch.testing.assert_close(alone[4], together[asked])
    assert not torch.allclose(network(pictures)[5], together[5]), "statistics of all pictures are others"


def test_tasks_in_turn_are_those_of_any_module() -> None:
    network = FourConvolutions(3, 4).double()
    source = torch.Generator().manual_seed(0)
    classes = torch.arange(3)
    pictures = torch.rand(2, 3, 1, 28, 28, dtype=torch.float64, generator=source)
    tasks = episode_tasks(network, [(one, classes, one, classes) for one in pictures])
    side = (pictures, classes.repeat(2, 1))
    other = module_tasks(network, side, side, torch.nn.functional.cross_entropy)
    parameters = {n: t.repeat(2, *[1] * (t.ndim - 1)) for n, t in start_of(network).items()}
    torch.testing.assert_close(tasks.support(parameters), other.support(parameters))
    torch.testing.assert_close(tasks.query(parameters), tasks.support(parameters))


def test_a_network_that_knows_the_runs_is_never_wrong_and_a_shuffled_one_is(data: Path) -> None:
    runs = one_shot_runs(data / "images" / "omniglot" / "all_runs.zip")
    same = [replace(run, asked=run.shown, right=torch.arange(6)) for run in runs]
    network = FourConvolutions(6, 8)
    learner = Prototype(start_of(network))
    assert wrong_answers(learner, network, same) == [0, 0], "the nearest prototype of a picture is itself"
    turned = [replace(run, right=run.right.roll(1)) for run in same]
    assert wrong_answers(learner, network, turned) == [6, 6]
    episode = (same[0].shown, torch.arange(6), same[0].shown[:2], torch.arange(2))
    assert answers(network, learner.adapt(episode_tasks(network, [episode])), episode).tolist() == [0, 1]


SMALL = Row("maml", MAML, 2, width=4, settings={"steps": 1, "inner_rate": 0.1})


def test_a_row_that_was_stopped_goes_on_bit_by_bit(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses: list[float] = []
    whole = measure(SMALL, "small1", data, tmp_path / "whole.json", on_step=lambda n, of, loss: losses.append(loss))
    assert whole["of"] == 12 and sum(whole["wrong_by_run"]) == whole["wrong"] and len(losses) == 2
    assert json.loads((tmp_path / "whole.json").read_text(encoding="utf-8")) == whole
    monkeypatch.setattr(omniglot, "SAVE_SECONDS", 0.0)

    def stop(number: int, of: int, loss: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(SMALL, "small1", data, tmp_path / "parts.json", on_step=stop)
    rest: list[float] = []
    parts = measure(SMALL, "small1", data, tmp_path / "parts.json", on_step=lambda n, of, loss: rest.append(loss))
    assert rest == losses[1:] and parts["wrong_by_run"] == whole["wrong_by_run"]


@pytest.mark.slow
def test_prototypes_learn_to_tell_bars(data: Path, tmp_path: Path) -> None:
    before = measure(Row("prototype", Prototype, 0 + 1, width=8), "small1", data, tmp_path / "a.json")
    after = measure(Row("prototype", Prototype, 60, width=8), "small1", data, tmp_path / "b.json")
    assert after["wrong"] <= before["wrong"] and after["wrong"] <= 2
