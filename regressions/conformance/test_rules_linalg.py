"""Rules of inverses, systems, determinants, powers and factorisations."""

import numpy as np
import pytest

from engine import gradient
from engine.errors import DifferentiationError
from engine.rules import triangular
from engine.rules.triangular import cholesky_pullback, half_lower, solved

from . import oracle
from .rule_rows import Row, projected, pulled_back, row, row_tests

RNG = np.random.default_rng(19)


def real(*shape):
    return RNG.uniform(-2, 2, shape)


def complex_(*shape):
    return real(*shape) + 1j * real(*shape)


def regular(*shape):
    """Square matrices far from singular."""
    return real(*shape) + 3 * np.eye(shape[-1])


V, W, M, N, T = real(3), real(3), real(2, 3), real(3, 2), real(2, 2, 3)
CV, CM, CN = complex_(3), complex_(2, 3), complex_(3, 2)
Q = regular(3, 3)
CQ = Q + 1j * real(3, 3)
STACK = regular(2, 2, 2)
TURNING = np.array([[1.0, -2.0, 0.3], [1.5, 0.7, 0.2], [0.1, -0.4, 3.0]])  # two complex eigenvalues
REAL_EIGENVALUES = np.array([[1.0, 0.4, -0.2], [0.3, 2.5, 0.6], [0.2, -0.1, 4.0]])
SINGULAR = np.array([[1.0, 2.0, 0.5], [2.0, 4.0, 1.0], [0.3, -1.0, 0.7]])
DEFICIENT = real(4, 2) @ real(2, 3)  # of rank 2
LADDER = real(4, 4) @ np.diag([3.0, 2.0, 0.4, 0.1]) @ real(4, 4)
FACTOR = np.array([[3, 0, 0], [1, 2, 0], [-1, 1, 4]])
LARGE_SINGULAR = real(7, 7) * np.array([1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0])[:, None] / 2

ROWS = [
    *[row(np.linalg.matrix_power, Q, n, zero=n == 0) for n in (0, 1, 2, 3, 5, -2)],
    *[row(np.linalg.matrix_power, x, n) for x in (CQ, STACK) for n in (3, -1)],
    *[row(np.trace, x) for x in (Q, M, CQ, N)],
    row(np.trace, T, 1, 2, 0),
    row(np.trace, T, 0, -1, -2),
    *[row(np.linalg.inv, x) for x in (Q, STACK, CQ, Q[::-1].T)],
    *[row(np.linalg.solve, a, b) for a, b in (
        (Q, V), (Q, N), (STACK, real(2, 2, 3)), (CQ, CV), (Q, CN), (STACK, real(2, 2)), (regular(2, 2), STACK))],
    *[row(solved, a, b) for a, b in ((Q, N), (STACK, real(2, 2, 3)), (CQ, CN))],
    *[row(half_lower, x) for x in (Q, CQ, STACK)],
    *[row(cholesky_pullback, d, FACTOR, single=False) for d in (Q, CQ)],
    row(np.linalg.tensorsolve, regular(6, 6).reshape(2, 3, 3, 2), real(2, 3)),
    row(np.linalg.tensorsolve, np.moveaxis(regular(6, 6).reshape(2, 3, 6), 2, 1), real(2, 3), axes=(1,)),
    row(np.linalg.tensorinv, regular(6, 6).reshape(2, 3, 3, 2)),
    row(np.linalg.tensorinv, regular(6, 6).reshape(6, 3, 2), ind=1),
    *[row(np.linalg.det, x) for x in (Q, STACK, CQ, SINGULAR, SINGULAR + 1j * SINGULAR, real(3, 1, 1))],
    *[row(np.linalg.det, x, smooth=False) for x in (LARGE_SINGULAR, LARGE_SINGULAR * complex_(7, 7))],
    *[row(np.linalg.slogdet, x) for x in (Q, STACK, CQ, -Q)],
    *[row(np.linalg.cond, x) for x in (Q, M, STACK, CQ)],
    *[row(np.linalg.cond, x, p=p) for x in (Q, CQ) for p in (2, -2, 1, -1, "fro", np.inf)],
    *[row(np.linalg.pinv, x) for x in (M, N, Q, CM, real(2, 3, 2))],
    *[row(np.linalg.pinv, LADDER + t * LADDER.T, cut) for t in (0, 1j) for cut in (0.1, 0.3)],
    *[row(np.linalg.pinv, x, 0.35, single=False) for x in (real(4, 3), complex_(3, 4), real(2, 3, 4))],
    *[row(np.linalg.lstsq, a, b, rcond=None, single=False) for a, b in (
        (real(5, 3), real(5)), (real(5, 3), real(5, 2)), (M, real(2)), (M, real(2, 2)), (Q, V),
        (complex_(4, 2), complex_(4)), (real(4, 2), complex_(4, 2)), (CM, real(2)))],
    row(np.linalg.lstsq, LADDER, real(4), rcond=0.1, single=False),
    *[row(np.linalg.svd, x, full_matrices=False) for x in (M, N, Q, real(2, 2, 3))],
    *[row(np.linalg.svd, x) for x in (Q, STACK, M, N)],
    *[row(np.linalg.svd, x, compute_uv=False) for x in (M, N, CM, real(2, 3, 2))],
    *[row(np.linalg.qr, x) for x in (N, Q, CN, STACK, M, CM, real(2, 2, 4))],
    *[row(np.linalg.qr, x, "r") for x in (N, M, CQ)],
    *[row(np.linalg.qr, x, mode="complete") for x in (Q, M, N)],
    *[row(np.linalg.eigvals, x, single=False) for x in (Q, CQ, TURNING, STACK, CQ[None])],
    row(np.linalg.eig, REAL_EIGENVALUES, single=False),
    row(np.linalg.eigvals, REAL_EIGENVALUES),
]  # fmt: skip
if hasattr(np.linalg, "svdvals"):  # NumPy 2
    ROWS += [
        *[row(np.linalg.svdvals, x) for x in (M, CQ, STACK)],
        *[row(np.linalg.trace, x) for x in (Q, T, CM)],
        row(np.linalg.trace, T, offset=1),
        *[row(np.linalg.diagonal, x) for x in (Q, T)],
        row(np.linalg.diagonal, T, offset=-1),
    ]

test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)


# -- factorisations of symmetric matrices (convention 7), and losses that do not see the gauge -------------------------

H = real(3, 3)
CH = complex_(3, 3)
WEIGHTS = real(3, 3)


def symmetric(a):
    return (a + np.conj(np.swapaxes(a, -1, -2))) / 2


def positive(a):
    return a @ np.conj(np.swapaxes(a, -1, -2)) + np.eye(np.shape(a)[-2])


programs = oracle.Table()


@programs.at(H)
def cholesky(a):
    return np.sum(np.linalg.cholesky(positive(a)) * WEIGHTS)


@programs.at(CH)
def cholesky_of_complex(a):
    return np.sum(np.real(np.linalg.cholesky(positive(a)) * (WEIGHTS + 1j * WEIGHTS.T)))


@programs.at(real(2, 3, 3))
def cholesky_of_a_stack(a):
    return np.sum(np.linalg.cholesky(positive(a)) * WEIGHTS)


@programs.at(H)
def eigenvalues(a):
    return np.sum(np.linalg.eigvalsh(symmetric(a)) * WEIGHTS[0])


@programs.at(H)
def eigenvectors(a):
    w, v = np.linalg.eigh(symmetric(a))
    return np.sum(v * v * WEIGHTS) + np.sum(np.sin(w))


@programs.at(CH)
def eigenvectors_of_complex(a):
    v = np.linalg.eigh(symmetric(a))[1]
    return np.sum(np.abs(v) ** 2 * WEIGHTS)


@programs.at(H)
def logarithm_by_eigenvectors(a):
    w, v = np.linalg.eigh(positive(a))
    return np.sum(np.matmul(v * np.log(w), v.T) * WEIGHTS)


@programs.at(complex_(2, 3))
def singular_vectors_of_complex(a):
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return np.sum(np.real(np.matmul(u * np.sqrt(s), vh) * WEIGHTS[:2])) + np.sum(np.abs(u) ** 2 * WEIGHTS[:2, :2])


@programs.at(complex_(3, 2))
def singular_vectors_of_a_high_complex(a):
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return np.sum(np.imag(np.matmul(u * s**2, vh) * WEIGHTS[:, :2])) + np.sum(np.abs(vh) ** 2 * WEIGHTS[:2, :2])


test_program, test_gradient_of_program, test_pullback_of_program, test_pushforward, test_second_order_of_program = (
    oracle.checks_of(programs)
)


def test_the_cotangent_of_a_symmetric_matrix_is_symmetric():
    for function in (np.linalg.cholesky, np.linalg.eigvalsh):
        (g,) = gradient(lambda a, f=function: np.sum(f(a) * WEIGHTS[0]), positive(H))
        np.testing.assert_allclose(g, g.T, rtol=1e-14)


def test_equal_eigenvalues_alone_have_a_derivative():
    def by_unpacking(a):
        w, v = np.linalg.eigh(a)
        return np.sum(w**2)

    for f in (by_unpacking, lambda a: np.sum(np.linalg.eigvalsh(a) ** 2), lambda a: np.sum(np.linalg.eigh(a)[0] ** 2)):
        np.testing.assert_allclose(gradient(f, 2.0 * np.eye(2))[0], 4.0 * np.eye(2))


def test_eigenvectors_of_equal_eigenvalues_have_none():
    """Convention 8, also where rounding has pulled the two apart."""
    turn = np.linalg.qr(H)[0]
    for a in (np.eye(3), turn @ np.diag([1.0, 1.0, 2.0]) @ turn.T):
        (g,) = gradient(lambda a: np.sum(np.linalg.eigh(a)[1] * WEIGHTS), symmetric(a))
        assert np.all(np.isnan(g))


@pytest.mark.parametrize(
    "program, remedy",
    [
        (lambda x: np.sum(np.linalg.svd(x[:1])[2]), "full_matrices=False"),
        (lambda x: np.sum(np.linalg.qr(x.T[:, :1], "complete")[0]), "reduced"),
        (lambda x: np.sum(np.linalg.qr(x, "raw")[0]), "reduced"),
        (lambda x: np.sum(np.real(np.linalg.eigh(positive(x + 1j * x[::-1]))[1])), "phase"),
        (lambda x: np.sum(np.real(np.linalg.svd(x + 1j * x[::-1], full_matrices=False)[2])), "phase"),
        (lambda x: np.sum(np.real(np.linalg.eig(x[:, :2] + 1j * x[::-1, :2])[1])), "phase"),
        (lambda x: np.linalg.norm(x[0], x[0, 0]), "write it out"),
    ],
)
def test_what_a_rule_does_not_cover_is_refused_with_a_way_out(program, remedy):
    with pytest.raises(DifferentiationError, match=remedy):
        gradient(program, M + 3)


def test_a_norm_of_a_singular_matrix_and_the_determinant_of_one_are_exact():
    args = (np.ones((2, 2)),)
    np.testing.assert_allclose(pulled_back(Row(np.linalg.det, args), 1.0)[0], [[1, -1], [-1, 1]])
    np.testing.assert_allclose(projected(pulled_back(Row(np.linalg.det, (np.zeros((2, 2)),)), 1.0), args)[0], 0)


@pytest.mark.parametrize("make", [real, complex_])
@pytest.mark.parametrize("shape", [(4, 4), (7, 7), (2, 9, 9)])
def test_cholesky_is_pulled_back_by_blocks_as_at_once(make, shape, monkeypatch):
    factor, d = np.tril(make(*shape)), make(*shape)
    diagonal = np.einsum("...ii->...i", factor)
    diagonal[...] = 1 + np.abs(diagonal)
    at_once = cholesky_pullback(d, factor)
    for block in (1, 2, 3):
        monkeypatch.setattr(triangular, "BLOCK", block)
        np.testing.assert_allclose(cholesky_pullback(d, factor), at_once, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("make", [real, complex_])
def test_systems_are_solved_by_blocks_as_at_once(make, monkeypatch):
    """Triangles, of either side; what only looks like one from its corner; blocks on a diagonal that are none."""
    a = make(7, 7) + 3 * np.eye(7)
    corner, blocks = a.copy(), np.tril(a)
    corner[0, -1] = corner[-1, 0] = 0
    blocks[0, 1] = blocks[4, 5] = 2
    monkeypatch.setattr(triangular, "BLOCK", 2)
    for matrix in (np.tril(a), np.triu(a), np.tril(a).T, corner, blocks, blocks.T, a):
        b = make(7, 3)
        np.testing.assert_allclose(matrix @ solved(matrix, b), b, rtol=1e-11, atol=1e-11)
    assert solved(np.tril(a).astype(np.complex64), real(7, 1).astype(np.float32)).dtype == np.complex64
    with pytest.raises(np.linalg.LinAlgError):
        solved(np.tril(a) * (np.arange(7) != 3), b)
    assert np.all(np.isnan(solved(np.tril(a) + np.where(np.eye(7, k=6), np.nan, 0), b)))
