"""Rules of sliding windows and strides."""

import numpy as np
import pytest

from engine import gradient
from engine.errors import DifferentiationError
from engine.rules.windows import as_strided, from_windows, sliding_window_view

from .oracle import Table, checks_of
from .rule_rows import row, row_tests

RNG = np.random.default_rng(31)
A = RNG.uniform(-2, 2, (2, 4, 3))
M = A[0].copy()
V = np.array([1.3, -0.4, 2.2, 0.9])
Z = M + 1j * RNG.uniform(-1, 1, M.shape)

ROWS = [
    *[row(sliding_window_view, x, 2) for x in (V, V[::-1], V[:2])],
    row(sliding_window_view, V, (3,)),
    *[row(sliding_window_view, x, (2, 3)) for x in (M, Z)],
    row(sliding_window_view, M.T, (2, 1)),
    *[row(sliding_window_view, A, 2, axis) for axis in (1, -1)],
    row(sliding_window_view, A, (1, 3), (0, 1)),
    row(sliding_window_view, M, (2, 2), (0, 0)),
    row(from_windows, np.ones((3, 2)) * [1.0, 2.0], np.zeros(4), 2, None),
    row(as_strided, V),
    row(as_strided, V, (3, 2), (8, 8), single=False),
    row(as_strided, V, (2, 3), (16, 0), single=False),
    row(as_strided, M, (2, 2), (8, 24), single=False),
]

test_pullback, _no_compositions, test_single, test_gradient, test_second_order = row_tests(ROWS)


PROGRAMS = Table()


@PROGRAMS.at(M)
def strides_over_views(x):
    backwards, columns = x[0, ::-1], x[:, ::2]
    total = np.sum(as_strided(backwards, (2, 2), (-8, -8)) ** 2 * np.array([[1.0, 2.0], [3.0, 4.0]]))
    return total + np.sum(as_strided(columns, (2, 2), (24, 48)) ** 3 * np.array([[1.0, 2.0], [3.0, 4.0]]))


@PROGRAMS.at(M)
def windows_over_an_array_that_was_written(x):
    y = np.zeros((4, 3))
    y[1:] = x[:3] * x[1:]
    windows = sliding_window_view(y, (2, 2))
    return np.sum(windows**2 * np.arange(24.0).reshape(3, 2, 2, 2))


test_program, test_program_gradient, test_reverse, test_forward, test_program_second_order = checks_of(PROGRAMS)


def test_strides_beyond_the_argument_are_refused():
    whole = np.arange(6.0)
    with pytest.raises(DifferentiationError, match="beyond the elements"):
        gradient(lambda x: np.sum(as_strided(x, (2,), (16,))), whole[:2])
