"""The examples of examples/meta_learning: one inner step learns a sine wave, and a new algorithm is one short file."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import sinusoid
from understudy.core.meta.learner import ALGORITHMS, Tasks, Tensors
from understudy.core.meta.start import Start

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "meta_learning"


def squared_errors(text: str) -> list[float]:
    """Before and after the inner step, as printed."""
    return [float(found) for found in re.findall(r"squared error (\S+)", text)]


def test_the_sinusoid_begins_to_learn(capsys: pytest.CaptureFixture[str]) -> None:
    text = (FOLDER / "sinusoid.py").read_text(encoding="utf-8")
    assert text.count("range(2000)") == 1
    code = text.replace("range(2000)", "range(100)")
    assert sum(map(bool, map(str.strip, code.partition('"""\n\n')[2].splitlines()))) <= 20
    threads = torch.get_num_threads()
    try:
        exec(compile(code, "sinusoid.py", "exec"), {"__name__": "__main__"})
    finally:
        torch.set_num_threads(threads)
    before, after = squared_errors(capsys.readouterr().out)
    assert after < 0.93 * before  # 0.96 before the first outer step


def test_heads_learn_a_start_that_is_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = (FOLDER / "heads.py").read_text(encoding="utf-8")
    assert text.count("range(8)") == text.count("steps=4") == 1
    code = text.replace("range(8)", "range(1)").replace("steps=4", "steps=1")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "heads.py", "exec"), {"__name__": "__main__", "__file__": str(FOLDER / "heads.py")})
    losses = [float(found) for found in re.findall(r"inner steps: loss (\S+)", capsys.readouterr().out)]
    start = Start.load(tmp_path / "build" / "start.safetensors")
    assert len(losses) == 2 and max(losses) < 3
    assert start.rates is not None and {round(float(rate), 6) for rate in start.rates.values()} == {0.1}
    assert any(bool(tensor.any()) for name, tensor in start.tensors.items() if name.endswith("|up")), "it has moved"


@pytest.mark.slow
def test_the_sinusoid_learns(python: Any) -> None:
    done = python(FOLDER / "sinusoid.py")
    before, after = squared_errors(done.stdout)
    assert before > 2 and after < 1, done


@pytest.fixture
def sign_maml() -> Iterator[Any]:
    """The file is run, and what it registers is taken away again."""
    yield runpy.run_path(str(FOLDER / "own_algorithm.py"))["SignMAML"]
    ALGORITHMS.pop("sign_maml", None)


def lines(targets: list[float]) -> Tasks:
    """Tasks to come near a number: on the support it is the target, on the query one more."""
    wanted = torch.tensor(targets).unsqueeze(1)

    def near(to: torch.Tensor) -> Any:
        def loss(parameters: Tensors) -> torch.Tensor:
            return (parameters["w"] - to).square().sum(1)

        return loss

    return Tasks(near(wanted), near(wanted + 1), len(targets))


def test_an_algorithm_of_ones_own_is_what_it_says(sign_maml: Any) -> None:
    learner = sign_maml({"w": torch.zeros(1, 1)}, inner_rate=0.5, steps=2)
    assert learner.adapt(lines([3.0, -8.0]))["w"].tolist() == [[1.0], [-1.0]]
    metrics = learner.outer_step(lines([3.0, -8.0]))
    assert metrics["loss"] == pytest.approx((9 + 36) / 2)
    assert learner.start["w"].grad.tolist() == [[pytest.approx((2 * (1 - 4) + 2 * (-1 + 7)) / 2)]]


@pytest.fixture
def forgotten() -> Iterator[None]:
    yield
    ALGORITHMS.pop("sign_maml", None)


@pytest.mark.usefixtures("forgotten")
def test_an_algorithm_of_ones_own_is_in_the_tables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file, out = FOLDER / "own_algorithm.py", tmp_path / "sign.json"
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 30
    given = ["--with", str(file), "--algorithm", "sign_maml", "--iterations", "2", "--seeds", "1", "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["sinusoid", *given])
    threads = torch.get_num_threads()
    try:
        sinusoid.main()
    finally:
        torch.set_num_threads(threads)
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["algorithm"] == "sign_maml" and found["mean"]["1"][0] > 0
