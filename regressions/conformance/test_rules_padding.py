"""Rules of np.pad: every mode, every form of its options."""

import numpy as np
import pytest

from engine import gradient
from engine.errors import DifferentiationError
from engine.rules.padding import folded, padded, unfolded

from .oracle import Table, checks_of
from .rule_rows import assert_close, row, row_tests

RNG = np.random.default_rng(29)
A = RNG.uniform(-2, 2, (2, 3, 2))
M = A[..., 0].copy()
V = np.array([1.3, -0.4, 2.2])
Z = M + 1j * RNG.uniform(-1, 1, M.shape)
WIDTHS = ((1, 0), (2, 3))

ROWS = [
    *[row(np.pad, M, width) for width in (1, (1, 2), WIDTHS, [(0, 0), (0, 2)])],
    *[row(np.pad, np.array(0.7), 0, mode) for mode in ("constant", "edge", "mean")],
    row(np.pad, M, WIDTHS, "constant", constant_values=0.7),
    *[row(np.pad, x, 1, mode) for x in (V, M.T, A[::-1], Z) for mode in ("edge", "wrap", "linear_ramp", "mean")],
    *[row(np.pad, M, WIDTHS, mode) for mode in ("maximum", "minimum", "median", "mean", "linear_ramp")],
    *[row(np.pad, M, WIDTHS, mode, stat_length=n) for mode in ("maximum", "median", "mean")
      for n in (1, 2, ((1, 2), (3, 2)))],
    row(np.pad, M, WIDTHS, "linear_ramp", end_values=0.7),
    row(np.pad, M, WIDTHS, "linear_ramp", end_values=((1.0, 2.0), (0.3, 0.4))),
    *[row(np.pad, M, ((1, 0), (1, 2)), "reflect", reflect_type=kind) for kind in ("even", "odd")],
    *[row(np.pad, M, ((1, 2), (3, 0)), "symmetric", reflect_type=kind) for kind in ("even", "odd")],
    row(padded, M, WIDTHS, "constant", 0.7),
    row(padded, M, WIDTHS, "constant", np.array([0.7, 0.2])),
    row(padded, M, WIDTHS, "constant", np.array([[0.7, 0.2], [1.3, -0.4]])),
    row(padded, A, ((1, 1), (0, 2), (1, 3)), "constant", np.array([[0.7], [0.2], [1.3]])),
    *[row(padded, M, WIDTHS, "linear_ramp", 0, ends) for ends in (0.7, np.array([[1.0, 2.0], [0.3, 0.4]]))],
    row(folded, M, 1, 1, 1, "edge"),
    row(folded, RNG.uniform(-2, 2, (9, 2)), 0, 3, 4, "reflect"),
    row(folded, RNG.uniform(-2, 2, 9), 0, 3, 2, "wrap"),
    *[row(unfolded, M, axis, 2, 1, mode) for axis, mode in ((0, "wrap"), (1, "reflect"), (1, "symmetric"))],
    row(padded, V, ((2, 2),), "edge", 0),
    row(padded, M, ((1, 0), (2, 2)), "reflect", 0),
    row(padded, M, ((2, 5), (2, 7)), "symmetric", 0),
    row(padded, M, ((3, 0), (1, 4)), "wrap", 0),
    row(padded, Z, ((3, 0), (1, 4)), "wrap", 0),
]  # fmt: skip

test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)

PROGRAMS = Table()


@PROGRAMS.at(np.array([0.3, 1.2, -0.4]))
def borders_of_active_numbers(x):
    filled = np.pad(x * x, 2, constant_values=(x[0], x[1]))
    return np.sum(filled * np.arange(7.0) * filled)


@PROGRAMS.at(np.array([0.3, 1.2, -0.4]))
def ramps_to_active_numbers(x):
    ramp = np.pad(x * x, (2, 3), "linear_ramp", end_values=x[:2])
    return np.sum(ramp * np.arange(8.0) * ramp)


@PROGRAMS.at(M)
def a_function_of_the_user_fills_the_border(x):
    def fill(vector, width, axis, options):
        vector[: width[0]] = vector[width[0]] * vector[-width[1] - 1]
        vector[-width[1] :] = axis

    return np.sum(np.pad(x, 1, fill) ** 2 * np.arange(20.0).reshape(4, 5))


test_program, test_program_gradient, test_reverse, test_forward, test_program_second_order = checks_of(PROGRAMS)


@pytest.mark.parametrize("mode", ["mean", "maximum", "linear_ramp", "edge"])
def test_whole_numbers_are_padded_as_numpy_pads_them(mode):
    from engine.rules.padding import pad

    x = np.array([[1, 4, 8], [2, 2, 9]])
    assert_close(pad(x, (2, 1), mode), np.pad(x, (2, 1), mode))


def test_equals_share_the_cotangent_of_a_maximum():
    (got,) = gradient(lambda x: np.sum(np.pad(x, (0, 2), "maximum")), np.array([2.0, 1.0, 2.0]))
    np.testing.assert_array_equal(got, [2.0, 1.0, 2.0])


def test_odd_reflections_longer_than_the_array_are_refused():
    with pytest.raises(DifferentiationError, match="reflect_type='odd' by 5 elements of 3"):
        gradient(lambda x: np.sum(np.pad(x, 5, "reflect", reflect_type="odd")), V)
