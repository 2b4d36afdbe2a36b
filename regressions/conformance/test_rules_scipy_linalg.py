"""Rules of scipy.linalg and scipy.integrate, and what of them and of scipy.sparse is refused by name."""

import numpy as np
import pytest
from scipy import integrate as si
from scipy import linalg as sl
from scipy import sparse

from engine import gradient
from engine.errors import DifferentiationError

from . import oracle
from .rule_rows import row, row_tests

RNG = np.random.default_rng(31)


def real(*shape):
    return RNG.uniform(-1, 1, shape)


A = real(3, 3) + 3 * np.eye(3)
CA = A + 1j * real(3, 3)
V, N, W = real(3), real(3, 2), real(3, 3)
SAMPLES, TIMES = real(2, 5), np.cumsum(RNG.uniform(0.3, 1, 5))

ROWS = [
    *[row(f, a) for f in (sl.inv, sl.det) for a in (A, CA)],
    row(sl.norm, A),
    row(sl.norm, V, 3),
    *[row(sl.solve, a, b) for a, b in ((A, V), (A, N), (CA, V))],
    *[row(sl.solve_triangular, A, V, trans=t, lower=low, unit_diagonal=unit)
      for t in (0, "T", 2) for low in (False, True) for unit in (False, True)],
    row(sl.solve_triangular, CA, N, trans="C"),
    *[row(sl.svdvals, a) for a in (A, N)],
    *[row(f, A) for f in (sl.expm, sl.sqrtm, sl.cosm, sl.sinm, sl.coshm, sl.sinhm)],
    *[row(f, CA) for f in (sl.expm, sl.sqrtm)],
    *[row(sl.logm, a, single=False) for a in (A, CA)],  # SciPy warns of a logarithm in single precision
    row(sl.toeplitz, V),
    row(sl.toeplitz, V, N[:, 0]),
    row(sl.toeplitz, V + 1j * N[:, 0]),
    row(sl.block_diag, A, N, V),
    *[row(f, SAMPLES, x, axis=axis) for f in (si.trapezoid, si.cumulative_trapezoid)
      for x, axis in ((None, 0), (None, -1), (TIMES, 1), (TIMES * np.ones((2, 1)) + real(2, 5) * 0.1, -1))],
    row(si.cumulative_trapezoid, SAMPLES, TIMES, initial=0),
    *[row(si.simpson, y, x=x, axis=axis) for y, x, axis in ((SAMPLES, None, 1), (SAMPLES, None, 0), (SAMPLES, TIMES, 1),
      (real(4, 2), TIMES[:4], 0), (real(6), None, -1), (real(6), np.append(TIMES, 9.0), -1))],
    row(si.simpson, real(5), TIMES),
    row(si.simpson, real(2, 4), TIMES[:4] * np.ones((2, 1)) + real(2, 4) * 0.1),
    *[row(si.romb, y, 0.3, axis) for y, axis in ((SAMPLES, 1), (real(9, 2), 0), (real(3), -1), (real(2), -1))],
]  # fmt: skip

test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)

programs = oracle.Table()


def positive(a):
    return a @ a.T + np.eye(3)


@programs.at(real(3, 3))
def upper_factor(a):
    return np.sum(sl.cholesky(positive(a)) * W)


@programs.at(real(3, 3))
def lower_factor(a):
    return np.sum(sl.cholesky(positive(a), lower=True) * W)


test_program, test_gradient_of_program, test_pullback_of_program, test_pushforward, test_second_order_of_program = (
    oracle.checks_of(programs)
)


@pytest.mark.parametrize(
    "program, says",
    [
        (lambda x: np.sum(sparse.hstack([sparse.csr_array(x)])), "coo_array"),
        (lambda x: si.solve_ivp(lambda t, y: x @ y, (0, 1), V).y[0, -1], "Runge-Kutta"),
    ],
)
@pytest.mark.parametrize("tier_name", oracle.TIERS)
def test_refused_by_name(program, says, tier_name):
    with oracle.tier(tier_name), pytest.raises(DifferentiationError, match=says):
        gradient(program, A)
