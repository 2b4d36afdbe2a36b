"""Rules of histograms, sets, np.i0, the Kaiser window, and views of complex numbers as pairs."""

import mpmath
import numpy as np
import pytest

from engine import gradient
from engine.errors import MutationError
from engine.rules import histograms, modified_bessel, sets

from .oracle import TIERS, Table, checks_of, tier
from .rule_rows import row, row_tests

RNG = np.random.default_rng(43)
V = np.array([0.31, 1.72, -0.63, 0.85, 1.24, 0.05])
W = np.array([0.71, 1.43, 0.52, 0.97, 1.28, 0.84])
POINTS = np.array([[-0.9, 0.3], [0.8, -0.7], [0.1, 0.95], [-0.4, 0.05], [0.5, -0.25], [-0.25, 0.6]])
EDGES = np.array([-0.5, 0.0, 0.4, 1.13])
Z = V + 1j * W

ROWS = [
    *[row(np.histogram, V, bins=b, range=r, weights=w, density=d, single=False, zero=not d)
      for b, r in ((3, None), (4, (-0.5, 1.0)), (EDGES, None)) for w in (None, W) for d in (False, True)
      if d or b is not EDGES and r is None],
    row(np.histogram, V, "sturges", density=True),
    *[row(np.histogram_bin_edges, x, 4) for x in (V, V[:1], W.reshape(2, 3))],
    row(histograms.counted, V, 3, None, W),
    row(histograms.counted, V, EDGES, None, W + 1j * V),
    row(histograms.counted_in_boxes, POINTS, (2, 3), None, W),
    *[row(np.histogramdd, POINTS, bins=b, range=r, density=d, weights=W)
      for b, r in ((3, None), ((2, 3), ((-1.0, 1.0), None)), ((np.array([-1.0, 0.2, 0.9]), 2), None))
      for d in (False, True) if d or r is None and b == 3],
    *[row(np.histogram2d, V, W, bins=b, density=True) for b in (3, (2, 3), np.array([-0.6, 0.4, 1.2, 2.0]))
      if not isinstance(b, np.ndarray)],
    row(np.union1d, V, W),
    *[row(np.setdiff1d, V, np.array([9.0]), *unique) for unique in ((), (True,))],
    *[row(np.setxor1d, V, W, assume_unique=u) for u in (False, True)],
    *[row(f, V) for name in ("unique_values", "unique_counts", "unique_inverse", "unique_all")
      if (f := getattr(np, name, None))],
    *[row(f, x, single=False) for f in (np.sort_complex, np.real_if_close) for x in (V, Z)],
    *[row(sets.as_pairs, z) for z in (Z, Z.reshape(2, 3), Z.reshape(2, 3)[::-1])],
    *[row(sets.as_complex, x) for x in (V, V.reshape(3, 2))],
    *[row(np.i0, x) for x in (V, np.array([7.5, 8.5, -20.0]), np.array(0.3), 1.3)],
    *[row(modified_bessel.i1, x) for x in (V, np.array([7.5, 8.5, -20.0]), np.array(0.3))],
    *[row(np.kaiser, m, beta) for m in (7, 4, 2) for beta in (3.0, 14.0)],
    row(np.kaiser, 1, 3.0, zero=True),
]  # fmt: skip

test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)

PROGRAMS = Table()


@PROGRAMS.at(W)
def weights_in_bins(w):
    sums, edges = np.histogram(V, 3, weights=w)
    inside = np.histogram(V, EDGES, weights=w * w)[0]
    boxes = np.histogramdd(POINTS, (2, 3), weights=w)[0]
    grid, x, y = np.histogram2d(V, POINTS[:, 0], (np.array([-1.0, 0.4, 1.2]), 2), weights=w)
    total = np.sum(sums**2 * edges[1:]) + np.sum(inside**3) + np.sum(np.sin(boxes))
    return total + np.sum(grid**2) + np.sum(np.histogram(V, [0.0, 1.0], density=True, weights=w)[0] * w[0])


@PROGRAMS.at(V)
def densities_of_data_whose_bins_follow(x):
    density, edges = np.histogram(x, 3, density=True)
    of_pairs, *_ = np.histogramdd([x, x * x], 2, density=True)
    return np.sum(density * edges[1:] ** 2) + np.sum(of_pairs**2)


@PROGRAMS.at(V)
def in_both_arrays(x):
    common, i, j = np.intersect1d(x[1:], x[::-1], return_indices=True)
    return np.sum(common**2 * (1 + i + 2 * j)) + np.sum(np.setdiff1d(x, x[:2]) ** 3)


@PROGRAMS.at(Z, V)
def pairs_and_complex_numbers_in_one_memory(z, x):
    parts = (z * z).view(float)
    total = np.sum(parts**2 * np.arange(12.0)) + np.sum(np.abs(x.view(complex)) ** 3)
    return total + np.sum(x.view(np.ndarray) * x.view(x.dtype))


test_program, test_gradient_of_program, test_pullback_of_program, test_pushforward, test_second_order_of_program = (
    checks_of(PROGRAMS)
)


@pytest.mark.parametrize("tier_name", TIERS)
def test_a_view_that_lies_is_refused_by_name(tier_name):
    with tier(tier_name):
        for kind in (np.int64, np.float32, np.matrix):
            with pytest.raises(MutationError, match=r"ndarray.view"):
                gradient(lambda x, kind: np.sum(x.view(kind) * 1.0), V, kind)
        bits = np.arange(3)
        assert gradient(lambda x: x[0] * bits.view(np.uint8)[8], V)[0][0] == 1.0


@pytest.mark.parametrize("tier_name", TIERS)
def test_pairs_of_an_array_that_is_written_to(tier_name):
    def f(x):
        buffer = np.zeros(6)
        buffer[1:3] = x[:2]
        return np.sum(np.real(buffer.view(complex) ** 2))

    with tier(tier_name):
        np.testing.assert_allclose(gradient(f, V)[0], [-2 * V[0], 2 * V[1], 0, 0, 0, 0])


@pytest.mark.parametrize("x", [1e-8, 0.3, 5.0, 7.99, 8.01, 30.0, 700.0])
def test_the_derivative_of_i0_to_the_last_digits(x):
    for sign in (1, -1):
        np.testing.assert_allclose(modified_bessel.i1(sign * x), sign * float(mpmath.besseli(1, x)), rtol=1e-14)
    assert modified_bessel.i1(np.float32(x if x < 80 else 1)).dtype == np.float32


def test_numbers_that_are_equal_share_in_a_set():
    np.testing.assert_allclose(gradient(lambda x: np.sum(np.union1d(x, x) ** 2), V)[0], 2 * V)
    np.testing.assert_allclose(gradient(lambda x: np.union1d(x, 0.31)[2] * 2, V)[0], [1.0, 0, 0, 0, 0, 0])


@pytest.mark.skipif(not hasattr(np, "row_stack"), reason="gone from this NumPy")
@pytest.mark.filterwarnings("ignore:`row_stack`")
@pytest.mark.parametrize("tier_name", TIERS)
def test_row_stack_is_vstack(tier_name):
    with tier(tier_name):
        np.testing.assert_allclose(gradient(lambda x: np.sum(np.row_stack([x, x * x]) ** 2), V)[0], 2 * V + 4 * V**3)
