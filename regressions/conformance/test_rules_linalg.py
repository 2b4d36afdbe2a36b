"""Rules of products, inverses, determinants, factorisations, convolution and interpolation."""

import operator

import numpy as np
import pytest

from engine import gradient
from engine.errors import DifferentiationError
from engine.rules.products import explicit

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
SINGULAR = np.array([[1.0, 2.0, 0.5], [2.0, 4.0, 1.0], [0.3, -1.0, 0.7]])

PAIRS = (
    (V, W), (M, V), (V, N), (M, N), (T, V), (V, real(2, 3, 2)), (T, N), (M, real(2, 3, 2)), (T, real(2, 3, 2)),
    (real(2, 1, 2, 3), real(3, 3, 1)), (CM, CN), (CV, CV[::-1]), (CM, V), (M, CN), (M[:, ::-1], N[::-1]),
    (np.zeros((0, 3)), N), (np.zeros((2, 0)), np.zeros((0, 3))),
)  # fmt: skip
DOTS = (
    (V, W), (M, V), (V, N), (M, N), (T, V), (V, real(2, 3, 2)), (T, N), (M, real(2, 3, 2)), (T, real(2, 3, 2)),
    (CM, CN), (CV, CV[::-1]), (0.7, M), (M, np.array(0.7)), (0.7, 1.3), (CM, real(2, 3, 2)),
)  # fmt: skip
SUBSCRIPTS = (
    ("ij,jk->ik", M, N), ("ij,jk", M, N), ("i,i", V, W), ("i,j->ij", V, W), ("ij->ji", M), ("ij->", M), ("ij->i", M),
    ("ii", Q), ("ii->i", Q), ("iij->j", real(2, 2, 3)), ("ijk,ij->k", T, real(2, 2)), ("...ij,jk->...ik", T, N),
    ("...i,...i->...", T, V), ("i...,...->i...", real(3, 2), real(1, 2)), ("ij,jk,kl->il", M, N, T[0]),
    ("ij,j,k->i", M, V, W), ("ij,jk->ik", CM, CN), ("i,i", CV, V), ("ij,ij->", M, T[1]), ("...", M),
    (" ij , jk -> ki ", M, N),
)  # fmt: skip


ROWS = [
    *[row(f, a, b, zero=not (np.size(a) and np.size(b))) for f in (operator.matmul, np.matmul) for a, b in PAIRS],
    *[row(np.dot, a, b) for a, b in DOTS],
    *[row(np.vdot, a, b) for a, b in ((V, W), (M, M[::-1]), (CV, CV[::-1]), (CM, M), (0.7, 1.3))],
    *[row(np.inner, a, b) for a, b in ((V, W), (M, M[::-1]), (T, V), (CM, CM[::-1]), (0.7, M))],
    *[row(np.outer, a, b) for a, b in ((V, W), (M, W), (CV, V), (0.7, W))],
    *[row(np.tensordot, a, b, axes) for a, b, axes in (
        (M, N, 1), (M, T[1], 2), (T, real(2, 3), ((0, 2), (0, 1))), (M, N, (-1, 0)), (V, W, 0), (CM, CN, ([1], [0])))],
    *[row(np.kron, a, b) for a, b in ((V, W), (M, N), (V, M), (CM, V), (0.7, V))],
    *[row(np.cross, a, b) for a, b in ((V, W), (real(2, 3), V), (CV, V))],
    row(np.cross, N, N[::-1], axis=0),
    row(np.linalg.multi_dot, [M, N, T[0]]),
    row(np.linalg.multi_dot, (V, N, M, W)),
    *[row(np.linalg.matrix_power, Q, n, zero=n == 0) for n in (0, 1, 2, 3, 5, -2)],
    *[row(np.trace, x) for x in (Q, M, CQ)],
    row(np.trace, T, 1, 2, 0),
    *[row(np.einsum, *args) for args in SUBSCRIPTS],
    row(np.einsum, "ij,jk,kl->il", M, N, T[0], optimize=True),
    *[row(np.linalg.inv, x) for x in (Q, STACK, CQ)],
    *[row(np.linalg.solve, a, b) for a, b in (
        (Q, V), (Q, N), (STACK, real(2, 2, 3)), (CQ, CV), (Q, CN), (STACK, real(2, 2)))],
    *[row(np.linalg.det, x) for x in (Q, STACK, CQ, SINGULAR, SINGULAR + 1j * SINGULAR)],
    *[row(np.linalg.slogdet, x) for x in (Q, STACK, CQ)],
    *[row(np.linalg.pinv, x) for x in (M, N, Q, CM, real(2, 3, 2))],
    *[row(np.linalg.svd, x, full_matrices=False) for x in (M, N, Q, real(2, 2, 3))],
    row(np.linalg.svd, Q),
    *[row(np.linalg.svd, x, compute_uv=False) for x in (M, N, CM)],
    *[row(np.linalg.qr, x) for x in (N, Q, CN, STACK)],
    *[row(np.convolve, a, v, mode) for mode in ("full", "same", "valid")
      for a, v in ((real(4), V), (V, real(4)), (real(2), real(4)), (CV, real(2)))],
    *[row(np.correlate, a, v, mode) for mode in ("full", "same", "valid")
      for a, v in ((real(4), V), (V, real(4)), (real(2), real(4)), (CV, complex_(2)))],
    row(np.interp, np.array([-0.3, 0.4, 1.1, 2.7, 3.5]), np.array([0.0, 1.0, 2.0, 3.0]), real(4)),
    row(np.interp, np.array([-0.3, 0.4, 3.5]), np.array([0.0, 1.0, 3.0]), V, 0.7, -0.4),
    row(np.interp, 0.4, np.array([0.0, 1.0, 3.0]), V),
]  # fmt: skip

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


@pytest.mark.parametrize(
    "subscripts, ndims, expected",
    [
        ("ij,jk", [2, 2], (["ij", "jk"], "ik")),
        ("ba", [2], (["ba"], "ab")),
        ("...i,...ij->...j", [2, 4], (["Bi", "ABij"], "ABj")),
        ("A...", [2], (["AB"], "BA")),
    ],
)
def test_subscripts_are_spelled_out(subscripts, ndims, expected):
    assert explicit(subscripts, ndims) == expected
