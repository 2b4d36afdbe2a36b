"""Rules of linspace, logspace, geomspace and arange in their bounds."""

import numpy as np
import pytest

from engine import gradient

from .rule_rows import row, row_tests

V = np.array([1.3, 0.4, 2.2])
W = np.array([[0.7, 1.9, 3.1], [2.0, 1.5, 0.6]])
Z = V + 1j * np.array([0.3, -0.5, 0.2])

ROWS = [
    row(np.arange, 0.7, 3.1, smooth=False),
    row(np.arange, 0.7, 3.1, 0.5),
    row(np.linspace, 0.7, 3.1),
    row(np.linspace, 0.7, 3.1, 1),
    row(np.linspace, 0.7, 3.1, 5, endpoint=False),
    row(np.linspace, V, 3.1, 4, True, True),
    row(np.linspace, V, W, 4, axis=1),
    row(np.linspace, V, W, 4, False, axis=-1),
    row(np.linspace, Z, 3.1, 4, retstep=True),
    row(np.linspace, V[::-1], 3.1, 4, dtype=complex, single=False),
    row(np.logspace, 0.7, 1.1, 5),
    row(np.logspace, 0.7, 1.1, 5, False),
    row(np.logspace, V, W, 4, True, 2.0, axis=-1),
    row(np.logspace, 0.7, 1.1, 4, True, 1.7),
    row(np.logspace, Z, 1.1, 4, True, 1.7),
    row(np.geomspace, 0.7, 3.1, 5),
    row(np.geomspace, -0.7, -3.1, 5, endpoint=False),
    row(np.geomspace, V, W, 4, axis=1),
    row(np.geomspace, Z, 3.1 + 1j, 4),
]
if np.lib.NumpyVersion(np.__version__) >= "1.25.0":
    ROWS.append(row(np.logspace, 0.7, V, 4, True, np.array([1.7, 2.5, 3.0]), axis=-1))

test_pullback, _no_compositions, test_single, test_gradient, test_second_order = row_tests(ROWS)


def test_the_points_are_numpys_own():
    seen = []

    def total(a):
        points = np.linspace(a, 1.1, 7)
        seen.append(points[-1])
        return points.sum()

    gradient(total, 0.3)
    assert seen[-1] == 1.1


def test_the_step_of_a_single_point_has_no_derivative():
    (got,) = gradient(lambda a: np.linspace(a, 2.0, 1, retstep=True)[1], 0.3)
    assert np.isnan(got)


def test_a_base_given_by_keyword_beside_active_bounds_is_seen():
    def total(x):
        return np.sum(np.logspace(x[0], 2.0, 3, base=x[1]))

    x, h = np.array([0.5, 3.0]), np.array([0.0, 1e-5])
    assert gradient(total, x)[0][1] == pytest.approx((total(x + h) - total(x - h)) / 2e-5, rel=1e-8)
