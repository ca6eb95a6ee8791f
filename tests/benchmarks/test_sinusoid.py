"""The sinusoid benchmark: its waves, its written-out network, and a run that stops and goes on."""

import json
import math
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import mse_loss

from benchmarks import sinusoid
from benchmarks.sinusoid import batches, errors, interval, network, starts, waves
from understudy.core.meta.maml import MAML
from understudy.core.meta.recurrent import Recurrent
from understudy.core.meta.tasks import module_tasks, outputs


def test_the_written_out_network_is_the_module_and_gives_the_same_gradients() -> None:
    tasks = next(batches(2))
    data = tasks.data
    generic = module_tasks(
        network(), (data["support_x"], data["support_y"]), (data["query_x"], data["query_y"]), mse_loss
    )
    start = {name: tensor * 20 for name, tensor in starts(2).items()}
    own = {name: tensor.repeat_interleave(25, 0) for name, tensor in start.items()}
    torch.testing.assert_close(sinusoid.forward(own, data["query_x"]), outputs(network(), own, data["query_x"]))
    torch.testing.assert_close(tasks.query(own), generic.query(own))
    written, plain = MAML(start, steps=2, inner_rate=0.1), MAML(start, steps=2, inner_rate=0.1)
    assert written.descend(tasks)["loss"] == pytest.approx(plain.descend(generic)["loss"], rel=1e-5)
    for name, tensor in written.start.items():
        torch.testing.assert_close(tensor.grad, plain.start[name].grad, rtol=1e-4, atol=1e-6)


def test_waves_are_those_of_the_paper() -> None:
    x, y = waves(torch.Generator().manual_seed(3), 2000, points=40)
    assert x.shape == y.shape == (2000, 40, 1)
    assert -5 <= float(x.min()) < -4.99 and 4.99 < float(x.max()) <= 5
    highest = y.abs().amax((1, 2))
    assert float(highest.max()) <= 5 and 4.9 < float(highest.max()) and float(highest.min()) < 0.15
    # At every point of one wave, y = a sin x − b cos x; a and b tell amplitude and phase.
    ab = torch.linalg.lstsq(torch.cat([x.sin(), -x.cos()], 2), y).solution.squeeze(2)
    amplitude, phase = ab.norm(dim=1), torch.atan2(ab[:, 1], ab[:, 0])
    assert 0.1 <= float(amplitude.min()) + 1e-3 and float(amplitude.max()) <= 5.001
    assert -1e-3 <= float(phase.min()) < 0.02 and 3.12 < float(phase.max()) <= math.pi + 1e-3
    assert float(amplitude.mean()) == pytest.approx(2.55, abs=0.1)


def test_starts_are_small_and_without_biases() -> None:
    made = starts(3)
    assert [tuple(t.shape) for t in made.values()] == [
        (3, 40, 1), (3, 40), (3, 40, 40), (3, 40), (3, 1, 40), (3, 1),
    ]  # fmt: skip
    for name, tensor in made.items():
        if name.endswith("bias"):
            assert not tensor.any()
        else:
            assert 0 < float(tensor.abs().max()) <= 0.02
            assert not torch.equal(tensor[0], tensor[1])
    assert torch.equal(made["2.weight"][:2], starts(2)["2.weight"])


def test_a_seed_s_tasks_are_the_same_alone_beside_others_and_in_a_run_that_begins_later() -> None:
    three, one, later = batches(3), batches(1), batches(1, 99)
    for number in range(102):
        wide, narrow = next(three), next(one)
        assert torch.equal(wide.data["query_x"][:25], narrow.data["query_x"])
        assert not torch.equal(wide.data["query_x"][:25], wide.data["query_x"][25:50])
        assert wide.count == 75 and narrow.count == 25
        if number >= 99:
            assert torch.equal(next(later).data["support_y"], narrow.data["support_y"])


def test_errors_are_of_each_seed_and_after_each_number_of_steps() -> None:
    start = {name: t * 30 for name, t in starts(2).items()}
    found, medians = errors(MAML(start), 2, tasks=100)
    assert list(found) == list(medians) == ["0", "1", "5", "10"]
    assert medians["0"][0] < found["0"][0], "a few waves are much higher than most"
    alone, _ = errors(MAML({name: t[1:] for name, t in start.items()}), 1, tasks=100)
    for steps, pair in found.items():
        assert pair[1] == pytest.approx(alone[steps][0], rel=1e-4) and pair[0] != pair[1]
    flat, _ = errors(MAML(starts(1)), 1)
    assert flat["0"][0] == pytest.approx((4.9**2 / 12 + 2.55**2) / 2, rel=0.1), "E(A²) / 2, of one that knows nothing"
    assert flat["10"][0] < flat["1"][0] < flat["0"][0], "by its last bias alone"


def test_what_adapts_a_state_is_asked_by_it() -> None:
    found, _ = errors(Recurrent(starts(2)), 2, tasks=50)
    assert all(len(pair) == 2 and min(pair) > 0 for pair in found.values())
    assert found["1"] != found["0"], "it has read the support"


def test_the_interval_is_student_s() -> None:
    mean, half = interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert mean == 3 and half == pytest.approx(2.776 * math.sqrt(2.5) / math.sqrt(5))
    assert math.isnan(interval([1.0])[1]) and math.isnan(interval([1.0, math.nan, 3.0])[0])


def test_a_run_goes_on_from_its_checkpoint_and_reaches_what_a_whole_one_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sinusoid, "errors", partial(errors, tasks=20))
    whole, parted = tmp_path / "whole.json", tmp_path / "parted.json"
    sinusoid.run("fomaml", 12, 2, whole, {"inner_rate": 0.02})
    sinusoid.run("fomaml", 5, 2, parted, {"inner_rate": 0.02})
    sinusoid.run("fomaml", 12, 2, parted, {"inner_rate": 0.02})
    found: list[dict[str, Any]] = [json.loads(file.read_text()) for file in (whole, parted)]
    assert found[0]["mse"] == found[1]["mse"] and len(found[0]["mse"]["1"]) == 2
    assert found[0]["settings"]["inner_rate"] == 0.02 and found[0]["settings"]["second_order"] is False
    assert found[0]["seconds"] > 0 and found[0]["iterations"] == 12
    assert '"1": [' in capsys.readouterr().out


def test_what_went_astray_is_null() -> None:
    assert sinusoid.shown(math.nan) is None and sinusoid.shown(0.5) == 0.5


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--algorithm", "mamml"], "no algorithm 'mamml'; did you mean 'maml'? there is anil, dynamic, "),
        (["--algorithm", "xyzzy"], "no algorithm 'xyzzy'; there is anil, dynamic, "),
        (["--with", "none.py"], "argument --with: there is no file 'none.py'"),
        (["--settings", "{steps: 1}"], "argument --settings: '{steps: 1}' is not JSON (Expecting property name"),
        (["--settings", "[1]"], "argument --settings: '[1]' is JSON, but no object; give names and values"),
        (["--settings", '{"stepz": 1}'], "--settings: MAML has no setting 'stepz'; did you mean 'steps'?"),
        (["--settings", '{"steps": "many"}'], "--settings: steps is 'many'"),
        (["--settings", '{"start": {}}'], "--settings: "),
        (["--seeds", "11"], "argument --seeds: '11' is not a whole number from 1 to 10"),
        (["--iterations", "0"], "argument --iterations: '0' is not a whole number from 1 to"),
    ],
)
def test_what_cannot_be_run_is_told_with_the_command(
    given: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["sinusoid", *given])
    with pytest.raises(SystemExit) as left:
        sinusoid.main()
    told = capsys.readouterr().err
    assert left.value.code == 2 and told.startswith("usage: python -m benchmarks.sinusoid ") and said in told


def test_an_algorithm_that_cannot_learn_waves_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["sinusoid", "--algorithm", "prototype", "--out", str(tmp_path / "out.json")])
    threads = torch.get_num_threads()
    with pytest.raises(SystemExit) as left:
        sinusoid.main()
    torch.set_num_threads(threads)
    assert left.value.code == 1 and "sinusoid: prototypes need classes; give" in capsys.readouterr().err


def test_help_has_the_algorithms_and_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        sinusoid.command().parse_args(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert set(sinusoid.algorithms()) <= set(told.replace(",", " ").split())
    for default in ("maml", "70000", "5", "build/sinusoid/ALGORITHM.json", "{}"):
        assert f"(default: {default})" in told
    assert "None" not in told and "SUPPRESS" not in told
