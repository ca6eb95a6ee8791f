import os
import subprocess
import sys

import numpy as np
import pytest

from understudy.knowledge.embedding import HashedEmbedder


def test_rows_have_length_one_and_a_text_without_words_is_zero() -> None:
    rows = HashedEmbedder(64).encode(["Lima is in Peru", "?!", ""])
    assert rows.shape == (3, 64) and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 0, 0], atol=1e-6)


def test_other_forms_are_nearer_than_other_words() -> None:
    a, b, c = HashedEmbedder().encode(["neighbouring countries", "neighbour country", "driving currency"])
    assert a @ b > 0.3 > a @ c


def test_the_same_in_every_process() -> None:
    code = (
        "from understudy.knowledge.embedding import HashedEmbedder;"
        "print(HashedEmbedder(32).encode(['Lima in Peru']).tobytes().hex())"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert told[0] == told[1] == HashedEmbedder(32).encode(["Lima in Peru"]).tobytes().hex()


def test_the_name_tells_spaces_apart() -> None:
    assert HashedEmbedder(32).name != HashedEmbedder(64).name != HashedEmbedder(64, (3,)).name


def test_no_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        HashedEmbedder(0)
