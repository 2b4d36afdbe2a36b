"""Rules of scipy.linalg's factorisations, matrix equations and structured matrices, in every form that SciPy gives."""

import numpy as np
import pytest
from scipy import linalg as sl

from engine import gradient
from engine.errors import DifferentiationError
from engine.rules.scipy import equations

from .oracle import TIERS, Table, checks_of, tier
from .rule_rows import KEEPS_SINGLE, row, row_tests

RNG = np.random.default_rng(59)


def real(*shape):
    return RNG.uniform(-1, 1, shape)


def imaginary(*shape):
    return real(*shape) + 1j * real(*shape)


A, Z = real(3, 3) + 2 * np.diag([1.0, 2.0, 3.0]), imaginary(3, 3) + np.diag([2.0, 3.0, 5.0])
TALL, WIDE = real(4, 2) + np.eye(4, 2), real(2, 4) + np.eye(2, 4)
ZTALL, ZWIDE = imaginary(4, 2) + np.eye(4, 2), imaginary(2, 4) + np.eye(2, 4)
V, N, ZV = real(3), real(3, 2), imaginary(3)
STABLE = real(3, 3) - 3 * np.eye(3)
CONTRACTION = real(3, 3) / 3
BAND = real(4, 5) + np.array([[0.0], [0.0], [4.0], [0.0]])
HALF = np.abs(real(2, 5)) + np.array([[0.0], [3.0]])
W3, W4 = real(3, 3), real(4, 4)

ROWS = [
    *[row(sl.svd, a, full_matrices=False) for a in (A, TALL, WIDE)],
    *[row(sl.svd, a, compute_uv=False) for a in (A, Z, WIDE)],
    row(sl.svd, A),
    *[row(sl.qr, a, mode="economic") for a in (A, Z, TALL, ZWIDE)],
    *[row(sl.qr, a, mode="r") for a in (A, TALL, WIDE)],
    *[row(sl.qr, a, mode="economic", pivoting=True) for a in (A, TALL)],
    *[row(sl.qr, a, mode="r", pivoting=True) for a in (A, WIDE + np.array([0.0, 1.0, 3.0, 0.0]))],
    *[row(sl.rq, a, mode="economic") for a in (A, Z, WIDE, ZWIDE)],
    *[row(sl.rq, a, mode="r") for a in (A, WIDE)],
    row(sl.eig, A, single=False),
    *[row(sl.eigvals, a, single=False) for a in (A, Z)],
    row(sl.eigvalsh_tridiagonal, real(4), real(3)),
    row(sl.eigh_tridiagonal, real(4), real(3), True),
    row(sl.eigh_tridiagonal, real(4), real(3), True, select="i", select_range=(1, 2)),
    row(sl.eigvalsh_tridiagonal, real(4), real(3), select="v", select_range=(-0.5, 9.0)),
    *[row(sl.eigvals_banded, real(3, 5), lower=low) for low in (False, True)],
    row(sl.eigvals_banded, real(2, 4) + 1j * real(2, 4) * np.array([[1.0], [0.0]]), select="i", select_range=(1, 3)),
    row(sl.eig_banded, real(3, 5), True, True),
    *[row(sl.lu, a, permute_l=p) for a in (A, Z, TALL, WIDE, ZTALL) for p in (False, True)],
    row(sl.lu, A, p_indices=True),
    *[row(sl.lu_factor, a) for a in (A, Z)],
    *[row(sl.lu_solve, sl.lu_factor(a), b, trans) for trans in (0, 1, 2) for a, b in ((A, V), (Z, N))],
    *[row(sl.cho_solve, (np.tril(A), True), b) for b in (V, N)],
    row(sl.cho_solve, (np.triu(Z), False), V),
    *[row(sl.pinv, a) for a in (A, TALL, ZWIDE)],
    row(sl.pinv, TALL, return_rank=True),
    *[row(sl.lstsq, a, b) for a, b in ((TALL, real(4)), (WIDE, real(2)), (ZTALL, real(4, 2)))],
    row(sl.lstsq, TALL, real(4), lapack_driver="gelsy"),
    *[row(sl.polar, a, side=side) for a in (A, Z, TALL, ZTALL, WIDE, ZWIDE) for side in ("right", "left")],
    row(sl.orthogonal_procrustes, real(4, 3), real(4, 3)),
    *[row(sl.orth, a) for a in (A, TALL)],
    row(sl.subspace_angles, real(4, 2), real(4, 2)),
    row(sl.subspace_angles, real(4, 1), real(4, 2)),
    *[row(f, a) for f in (sl.tanm, sl.tanhm) for a in (A / 3,)],
    row(sl.signm, A - 3.9 * np.eye(3), single=False),  # SciPy computes it in double precision
    row(sl.fractional_matrix_power, A @ A, 0.37, single=False),
    *[row(sl.expm_frechet, A, W3, compute_expm=c) for c in (True, False)],
    *[row(sl.solve, A, b, transposed=t) for b in (V, N) for t in (False, True)],
    *[row(sl.solve, A, V, assume_a=k) for k in ("gen",)],
    row(sl.solve_sylvester, A, real(2, 2) + 9 * np.eye(2), N),
    row(sl.solve_sylvester, Z, imaginary(2, 2) + 9 * np.eye(2), N),
    *[row(sl.solve_continuous_lyapunov, a, q) for a, q in ((STABLE, W3), (Z, W3))],
    *[row(sl.solve_discrete_lyapunov, a, q) for a, q in ((CONTRACTION, W3), (CONTRACTION * (1 + 1j), W3))],
    row(sl.solve_discrete_lyapunov, CONTRACTION, W3, "bilinear"),
    *[row(sl.solve_banded, (1, 2), BAND, b) for b in (real(5), real(5, 2))],
    row(sl.solve_banded, (1, 2), BAND * (1 + 0.3j) + 0.1j, imaginary(5)),
    *[row(sl.solveh_banded, HALF, b) for b in (real(5), real(5, 2))],
    row(sl.solveh_banded, HALF[::-1] + 0, real(5), lower=True),
    row(sl.solveh_banded, HALF + 0.2j * np.array([[1.0], [0.0]]), imaginary(5)),
    row(sl.cholesky_banded, HALF),
    row(sl.cholesky_banded, HALF[::-1] + 0, lower=True),
    *[row(sl.cho_solve_banded, (band, low), real(5)) for band, low in ((HALF, False), (HALF[::-1] + 0, True))],
    *[row(sl.solve_toeplitz, c, b) for c, b in
      ((V + [9, 0, 0], real(3)), ((V + [9, 0, 0], real(3)), N), (ZV + [9, 0, 0], imaginary(3)))],
    *[row(sl.matmul_toeplitz, c, x) for c, x in ((V, real(3)), ((real(4), V), N), ((imaginary(2), ZV), imaginary(3)))],
    row(equations.toeplitz_solution, V + [9, 0, 0], real(3), V),
    *[row(equations.toeplitz_product, real(4), V, x) for x in (real(3), N)],
    *[row(sl.solve_circulant, c + [9, 0, 0], b) for c, b in ((V, real(3)), (V, N), (ZV, imaginary(3)))],
    *[row(sl.hankel, *c) for c in ((V,), (V, real(4)))],
    *[row(sl.circulant, c) for c in (V, ZV)],
    *[row(sl.convolution_matrix, V, n, mode) for n in (2, 5) for mode in ("full", "same", "valid")],
    *[row(sl.companion, a) for a in (V, real(4), imaginary(3))],
    row(sl.leslie, V, real(2)),
    *[row(sl.fiedler, a) for a in (V, real(4))],
    *[row(sl.fiedler_companion, real(n) + 2) for n in (6, 5, 3)],
    row(sl.khatri_rao, N, real(4, 2)),
    *[row(sl.diagsvd, V, m, n) for m, n in ((3, 4), (5, 3), (3, 3))],
]  # fmt: skip

test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)

PROGRAMS = Table()


def symmetric(a):
    return a + np.conj(a.T)


def positive(a):
    return a @ np.conj(a.T) + np.eye(len(a))


@PROGRAMS.at(A)
def eigenvectors_of_a_symmetric_matrix(a):
    w, v = sl.eigh(symmetric(a))
    chosen, vectors = sl.eigh(symmetric(a), lower=False, subset_by_index=[1, 2])
    total = np.sum(w**2 * np.arange(3.0)) + np.sum(v**2 * W3) + np.sum(chosen**3) + np.sum(vectors**2 * N)
    between = sl.eigvalsh(symmetric(a), subset_by_value=[0.0, 100.0])
    return total + np.sum(between**3) + np.sum(sl.eigh(symmetric(a), eigvals_only=True) ** 3)


@PROGRAMS.at(A, W3)
def eigenvectors_of_a_generalised_problem(a, b):
    w, v = sl.eigh(symmetric(a), positive(b))
    low = sl.eigh(symmetric(a), positive(b), eigvals_only=True, subset_by_index=(0, 1))
    return (
        np.sum(w**2 * np.arange(3.0)) + np.sum(v**2 * W3) + np.sum(low**3) + sl.eigvalsh(symmetric(a), positive(b))[1]
    )


@PROGRAMS.at(Z)
def eigenvectors_of_hermitian_matrices(z):
    w, v = sl.eigh(symmetric(z), positive(np.conj(z)))
    return np.sum(w * np.arange(3.0)) + np.sum(np.abs(v) ** 2 * W3)


@PROGRAMS.at(real(4), real(3))
def eigenvectors_of_a_tridiagonal_matrix(d, e):
    w, v = sl.eigh_tridiagonal(d, e)
    return np.sum(w**2 * np.arange(4.0)) + np.sum(v**2 * W4)


@PROGRAMS.at(real(4), real(3), real(3, 5))
def some_eigenvectors_of_bands(d, e, band):
    w, v = sl.eigh_tridiagonal(d, e, select="i", select_range=(1, 2))
    total = np.sum(w**2) + np.sum(v**2 * W4[:, :2]) + np.sum(v[:, 0] * v[0, 0] * W4[0])
    for low in (False, True):
        w, v = sl.eig_banded(band, low)
        total = total + np.sum(w**3) + np.sum(v**2 * np.arange(5.0))
        w, v = sl.eig_banded(band, lower=low, select="v", select_range=(-0.3, 5.0))
        total = total + np.sum(w**3) + np.sum(v[:, 0] ** 2 * np.arange(5.0))
    return total


@PROGRAMS.at(real(2, 4) + 1j * real(2, 4) * np.array([[0.0], [1.0]]))
def eigenvectors_of_a_hermitian_band(band):
    w, v = sl.eig_banded(band, True)
    return np.sum(w**3) + np.sum(np.abs(v) ** 2 * W4)


@PROGRAMS.at(Z)
def spaces_and_phases(z):
    w, v = sl.eig(z)
    u, s, vh = sl.svd(z)
    shared = (u[:, :1] @ vh[:1]) * W3
    return np.sum(np.abs(v) ** 2 * W3) + np.sum(np.real(w**2)) + np.sum(np.real(shared)) + np.sum(s**2 * V)


@PROGRAMS.at(TALL)
def complements_of_a_range(a):
    q, r = sl.qr(a)
    rest = sl.null_space(a.T)
    return np.sum((q[:, 2:] @ q[:, 2:].T) * W4) + np.sum((rest @ rest.T) * W4) + np.sum(r**3)


@PROGRAMS.at(V, real(2))
def the_range_of_a_matrix_without_full_rank(x, y):
    return np.sum(sl.orth(np.outer(x, y))[:, 0] ** 2 * np.arange(3.0))


@PROGRAMS.at(A)
def cholesky_factors_packed(a):
    c, lower = sl.cho_factor(positive(a), True, overwrite_a=True)
    solved = sl.cho_solve((c, lower), V)
    upper = sl.cho_factor(positive(a))
    inverse = sl.pinvh(positive(a), lower=False)
    return np.sum(np.tril(c) ** 3 * W3) + np.sum(solved**2) + np.sum(upper[0] ** 2 * W3) + np.sum(inverse**2)


@PROGRAMS.at(A, V)
def systems_by_the_kind_of_their_matrix(a, b):
    total = 0.0
    for kind in ("sym", "her", "pos"):
        total = total + np.sum(sl.solve(positive(a), b, assume_a=kind) ** 2)
    total = total + np.sum(sl.solve(positive(a), b, lower=True, assume_a="pos") ** 3)
    return total + np.sum(sl.solve(a, b * 1, False, True, True) ** 2) + np.sum(sl.inv(a * 1, overwrite_a=True) ** 2)


@PROGRAMS.at(Z, V)
def systems_of_hermitian_matrices(z, b):
    x = sl.solve(positive(z), b, assume_a="her") + sl.solve(z + z.T, b, assume_a="sym")
    return np.sum(np.abs(x) ** 2)


@PROGRAMS.at(A, N, W3[:2, :2])
def riccati_equations(a, b, r):
    q = positive(a)
    x = sl.solve_continuous_are(a, b, q, positive(r))
    y = sl.solve_discrete_are(a / 4, b, q, positive(r))
    return np.sum(x**2 * symmetric(W3)) + np.sum(y * symmetric(W3))


test_program, test_gradient_of_program, test_pullback_of_program, test_pushforward, test_second_order_of_program = (
    checks_of(PROGRAMS)
)


@pytest.mark.skipif(not KEEPS_SINGLE, reason="stacks of matrices came with a SciPy for NumPy 2")
@pytest.mark.parametrize("tier_name", TIERS)
def test_a_stack_is_each_of_its_matrices(tier_name):
    stack = np.stack([A, A.T + np.eye(3)])

    def f(a):
        total = np.sum(sl.inv(a) ** 2) + np.sum(sl.det(a) ** 2) + np.sum(sl.svd(a)[1] ** 3) + np.sum(sl.lu(a)[1] ** 2)
        return total + np.sum(sl.solve(a, V) ** 2) + np.sum(sl.solve_triangular(a, N) ** 2) + np.sum(sl.expm(a))

    with tier(tier_name):
        each = np.stack([gradient(f, a)[0] for a in stack])
        np.testing.assert_allclose(gradient(f, stack)[0], each, rtol=1e-10)


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize(
    "program, says",
    [
        (lambda z: np.real(sl.svd(z)[0][0, 0]), "phase"),
        (lambda z: np.sum(np.real(sl.eig(z)[1])), "phase"),
        (lambda z: np.real(sl.null_space(z[:2])[0, 0] * 1j), "rotation|phase"),
        (lambda z: np.abs(sl.eig(z, left=True)[1][0, 0]), "a.conj"),
        (lambda z: np.real(sl.eigvals(z, z + 1)[0]), "np.linalg.solve"),
        (lambda z: np.real(sl.schur(z)[0][0, 0]), "basis"),
        (lambda z: np.real(sl.funm(z, np.exp)[0, 0]), "expm"),
        (lambda z: np.real(sl.qr(z, mode="raw")[0][0][0, 0]), "economic"),
    ],
)
def test_what_is_no_function_of_the_matrix_is_refused(program, says, tier_name):
    with tier(tier_name), pytest.raises(DifferentiationError, match=says):
        gradient(program, Z)


def test_where_there_is_no_derivative_there_is_nan():
    singular = np.ones((3, 3))
    for program in (
        lambda a: np.sum(sl.lu(a)[1]),
        lambda a: np.sum(sl.polar(a)[0]),
        lambda a: np.sum(sl.qr(a)[0]),
    ):
        assert np.isnan(gradient(program, singular)[0]).all()


@pytest.mark.skipif(not hasattr(sl, "tril"), reason="gone from this SciPy")
@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
@pytest.mark.parametrize("tier_name", TIERS)
def test_old_names_of_numpys_functions(tier_name):
    def f(module, a):
        return np.sum(module.tril(a, -1) ** 2) + np.sum(module.triu(a) ** 3) + np.sum(module.kron(a, a[:1]) ** 2)

    with tier(tier_name):
        np.testing.assert_allclose(gradient(f, sl, A)[1], gradient(f, np, A)[1])
