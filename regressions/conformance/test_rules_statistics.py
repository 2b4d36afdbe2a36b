"""Statistics of samples: covariances, correlations, cumulative forms, differences, derivatives on a grid."""

import numpy as np
import pytest

from engine import gradient

from .rule_rows import row, row_tests

RNG = np.random.default_rng(31)
M = RNG.normal(size=(3, 5))
V = RNG.normal(size=5)
Z = M + 1j * RNG.normal(size=(3, 5))
POINTS = np.array([0.0, 0.4, 1.5, 1.9, 3.0])

ROWS = [
    row(np.cov, M),
    row(np.cov, V),
    row(np.cov, V, M),
    row(np.cov, Z),
    row(np.cov, M.T, None, False),
    row(np.cov, M, None, True, True),
    row(np.cov, M, ddof=0),
    row(np.cov, M, fweights=np.array([1, 2, 1, 3, 1])),
    row(np.cov, M, aweights=np.abs(V)),
    row(np.cov, M, aweights=np.abs(V), fweights=np.array([1, 2, 1, 3, 1]), ddof=2),
    row(np.corrcoef, M),
    row(np.corrcoef, V, M),
    row(np.corrcoef, M.T, None, False),
    row(np.corrcoef, V, zero=True),
    row(np.ediff1d, M),
    row(np.ediff1d, V, 1.5, np.array([0.3, 0.4])),
    row(np.gradient, V),
    row(np.gradient, M),
    row(np.gradient, M, axis=1, edge_order=2),
    row(np.gradient, M, 0.3, axis=0),
    row(np.gradient, M, 0.3, POINTS),
    row(np.gradient, V, POINTS, edge_order=2),
    row(np.gradient, V[::-1], 0.7),
    row(np.corrcoef, Z),
]
if hasattr(np, "cumulative_sum"):
    ROWS += [row(f, V) for f in (np.cumulative_sum, np.cumulative_prod)]
    ROWS += [
        row(f, x, axis=axis, include_initial=True)
        for f in (np.cumulative_sum, np.cumulative_prod)
        for x in (M, Z)
        for axis in (0, -1)
    ]

_, test_composition, _, test_gradient, test_second_order = row_tests(ROWS)


@pytest.mark.parametrize(
    "f",
    [
        lambda v: np.gradient(v, [0.0, 1.0, 3.0, 4.0]),
        lambda v: np.average(v, weights=[1.0, 2.0, 1.0, 3.0]),
        lambda v: np.interp([0.5, 1.5, 9.0], [0.0, 1.0, 2.0, 3.0], v),
    ],
)
def test_constant_lists_stand_for_arrays(f):
    """Each is a linear map A, read off at the unit vectors: the gradient of |A v|² is 2 Aᵀ A v."""
    v = np.array([0.3, 1.1, -0.4, 0.8])
    matrix = np.stack([np.ravel(f(unit)) for unit in np.eye(4)], axis=1)
    np.testing.assert_allclose(gradient(lambda v: np.sum(f(v) ** 2), v)[0], 2 * matrix.T @ matrix @ v, rtol=1e-12)


def test_weights_in_lists():
    def f(x):
        return np.cov(x, fweights=[1, 2, 1], aweights=[1.0, 2.0, 3.0])

    def by_arrays(x):
        return np.cov(x, fweights=np.array([1, 2, 1]), aweights=np.array([1.0, 2.0, 3.0]))

    x = np.array([0.3, 1.1, -0.4])
    np.testing.assert_array_equal(gradient(lambda x: f(x) * 1.0, x)[0], gradient(lambda x: by_arrays(x) * 1.0, x)[0])
