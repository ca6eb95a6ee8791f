import numpy as np
import pytest

from understudy.knowledge.vectors import VectorIndex


def unit(rows: int, width: int) -> np.ndarray:
    data = np.random.default_rng(0).normal(size=(rows, width)).astype(np.float32)
    return data / np.linalg.norm(data, axis=1, keepdims=True)


def test_search_is_the_exact_order_of_inner_products() -> None:
    data, ids = unit(50, 16), np.arange(50, dtype=np.int64) * 7
    index = VectorIndex(16)
    index.add(ids, data)
    query = unit(51, 16)[-1]
    found = index.search(query, 10)
    order = np.argsort(-(data @ query))[:10]
    assert [i for i, _ in found] == ids[order].tolist()
    np.testing.assert_allclose([s for _, s in found], (data @ query)[order], rtol=1e-5)


def test_removed_is_gone() -> None:
    index = VectorIndex(4)
    index.add(np.array([3, 9]), unit(2, 4))
    assert index.remove(np.array([3])) == 1 and len(index) == 1
    assert [i for i, _ in index.search(unit(1, 4)[0], 5)] == [9]


def test_an_empty_index_finds_nothing() -> None:
    index = VectorIndex(4)
    index.add(np.array([], dtype=np.int64), np.zeros((0, 4), dtype=np.float32))
    assert index.search(unit(1, 4)[0], 3) == [] and len(index) == 0 and index.remove(np.array([1])) == 0


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="D=4"):
        VectorIndex(4).add(np.array([1]), unit(1, 5))
