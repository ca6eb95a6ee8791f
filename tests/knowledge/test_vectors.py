import numpy as np
import pytest

from understudy.knowledge.vectors import VectorIndex


def unit(rows: int, width: int) -> np.ndarray:
    data = np.random.default_rng(0).normal(size=(rows, width)).astype(np.float32)
    return data / np.linalg.norm(data, axis=1, keepdims=True)


@pytest.mark.parametrize("limit", [100, 20])
def test_search_is_the_order_of_inner_products(limit: int) -> None:
    data, ids = unit(50, 16), np.arange(50, dtype=np.int64) * 7
    index = VectorIndex(16, limit)
    index.add(ids[:10], data[:10])
    index.add(ids[10:], data[10:])
    query = unit(51, 16)[-1]
    found = index.search(query, 10)
    order = np.argsort(-(data @ query))[:10]
    assert index.exact == (limit == 100) and index.code_size == (64 if index.exact else 16)
    np.testing.assert_allclose([s for _, s in found], (data @ query)[order], atol=1e-6 if index.exact else 0.02)
    np.testing.assert_allclose(index.vectors(ids[::-1]), data[::-1], atol=1e-7 if index.exact else 0.02)
    assert not index.exact or [i for i, _ in found] == ids[order].tolist()
    assert len(set(ids[order].tolist()) & {i for i, _ in found}) >= 9


@pytest.mark.parametrize("limit", [100, 20])
def test_only_what_is_allowed_is_found(limit: int) -> None:
    data, ids = unit(50, 16), np.arange(50, dtype=np.int64)
    index = VectorIndex(16, limit)
    index.add(ids, data)
    allowed = np.array([30, 4, 17, 999])
    assert {i for i, _ in index.search(data[0], 10, allowed)} == {4, 17, 30}
    assert len(index.search(data[0], 2, allowed)) == 2 and index.search(data[0], 2, []) == []


@pytest.mark.parametrize("limit", [100, 1])
def test_removed_is_gone(limit: int) -> None:
    index = VectorIndex(4, limit)
    index.add(np.array([3, 9]), unit(2, 4))
    assert index.remove(np.array([3, 5])) == 1 and len(index) == 1 and index.ids().tolist() == [9]
    assert [i for i, _ in index.search(unit(1, 4)[0], 5)] == [9]
    with pytest.raises(KeyError, match="does not have"):
        index.vectors(np.array([3]))


def test_an_empty_index_finds_nothing() -> None:
    index = VectorIndex(4)
    index.add(np.array([], dtype=np.int64), np.zeros((0, 4), dtype=np.float32))
    assert index.search(unit(1, 4)[0], 3) == [] and len(index) == 0 and index.remove(np.array([1])) == 0
    assert index.ids().tolist() == [] and index.vectors(np.array([], dtype=np.int64)).shape == (0, 4)
    with pytest.raises(KeyError):
        index.vectors(np.array([1]))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="D=4"):
        VectorIndex(4).add(np.array([1]), unit(1, 5))


@pytest.mark.parametrize("limit", [100, 20])
def test_likeness_and_spread_are_those_of_all_that_is_there(limit: int) -> None:
    data, ids, query = unit(60, 8), np.arange(60, dtype=np.int64), unit(61, 8)[-1]
    index, near = VectorIndex(8, limit), 1e-6 if limit == 100 else 0.02
    assert index.spread(query) == 0.0 and index.likeness(query, []) == {}
    index.add(ids[:15], data[:15])
    index.add(ids[15:], data[15:])
    assert index.spread(query) == pytest.approx((data @ query).std(), abs=near)
    index.remove(np.array([3, 40, 40, 99]))
    kept = np.delete(ids, [3, 40])
    assert index.spread(query) == pytest.approx((data[kept] @ query).std(), abs=near)
    assert index.likeness(query, [7, 2]) == pytest.approx({7: data[7] @ query, 2: data[2] @ query}, abs=near)
    index.remove(kept)
    assert len(index) == 0 and index.spread(query) == 0.0
