"""Eigenvectors and singular vectors: equal values (convention 8), the gauge (convention 9), and near them."""

import mpmath
import numpy as np
import pytest

from engine import gradient, hessian, jvp
from engine.errors import DifferentiationError
from engine.rules.eigen import in_order_of, matching

from . import oracle
from .oracle import TIERS, tier

RNG = np.random.default_rng(37)


def real(*shape):
    return RNG.uniform(-2, 2, shape)


def complex_(*shape):
    return real(*shape) + 1j * real(*shape)


def symmetric(a):
    return (a + np.conj(np.swapaxes(a, -1, -2))) / 2


W = real(3, 3)
TURN = np.linalg.qr(real(3, 3))[0]
PAIR = TURN @ np.diag([1.0, 1.0, 3.0]) @ TURN.T  # two equal eigenvalues, pulled apart by rounding
COMPLEX_PAIR = np.array([[1.0, -2.0, 0.3], [1.5, 0.7, 0.2], [0.1, -0.4, 3.0]])  # real, with two complex eigenvalues

programs = oracle.Table()


@programs.at(complex_(3, 3))
def eigenvectors_of_a_complex_matrix(a):
    w, v = np.linalg.eig(a)
    return np.sum(np.abs(v) ** 2 * W) + np.sum(np.real(w) * W[0] + np.imag(w) * W[1])


@programs.at(COMPLEX_PAIR)
def complex_eigenvectors_of_a_real_matrix(a):
    w, v = np.linalg.eig(a)
    return np.sum(np.abs(v) ** 2 * W) + np.sum(np.abs(w) ** 3)


@programs.at(complex_(2, 3, 3))
def a_function_of_a_matrix_by_eigenvectors(a):
    w, v = np.linalg.eig(a)
    return np.sum(np.real(np.matmul(v * np.expand_dims(np.exp(w / 3), -2), np.linalg.inv(v)) * W))


@programs.at(complex_(3, 3))
def eigenvectors_whose_phase_is_fixed_by_the_program(a):
    w, v = np.linalg.eigh(symmetric(a))
    v = v * np.exp(-1j * np.angle(v[0]))
    return np.sum(np.real(v) * W) + np.sum(w * W[0])


@programs.at(real(3, 3))
def eigenvectors_from_the_upper_triangle(a):
    return np.sum(np.linalg.eigh(symmetric(a), "U")[1] ** 3 * W) + np.sum(np.linalg.eigvalsh(symmetric(a), "U") ** 3)


@programs.at(real(4, 2))
def columns_that_complete_a_basis_seen_as_a_space(a):
    q, r = np.linalg.qr(a, mode="complete")
    rest = q[:, 2:]
    return np.sum(np.matmul(rest, rest.T) * np.arange(16.0).reshape(4, 4)) + np.sum(r * np.arange(8.0).reshape(4, 2))


@programs.at(complex_(2, 4))
def full_singular_vectors_seen_as_a_space(a):
    u, s, vh = np.linalg.svd(a)
    rest = vh[2:]
    space = np.matmul(np.conj(rest.T), rest)
    return np.sum(np.real(space * np.arange(16.0).reshape(4, 4))) + np.sum(s**3) + np.sum(np.abs(u[:, 0]) ** 4)


@programs.at(real(3, 3))
def singular_vectors_of_a_symmetric_matrix(a):
    u, s, vh = np.linalg.svd(symmetric(a), hermitian=True)
    return np.sum(np.matmul(u * np.sqrt(s), vh) * W) + np.sum(u**2 * W)


@programs.at(real(3, 3))
def pseudo_inverse_of_a_symmetric_matrix(a):
    return np.sum(np.linalg.pinv(symmetric(a), hermitian=True) * W)


@programs.at(real(4, 2), real(4))
def least_squares_residuals(a, b):
    x, residuals, rank, s = np.linalg.lstsq(a, b, rcond=None)
    return np.sum(x * W[0, :2]) + np.sum(np.sqrt(residuals)) * rank + np.sum(np.log(s))


if np.lib.NumpyVersion(np.__version__) >= "2.0.0":

    @programs.at(complex_(3, 3))
    def upper_cholesky_factor(a):
        u = np.linalg.cholesky(a @ np.conj(a.T) + np.eye(3), upper=True)
        return np.sum(np.real(u * (W + 1j * W.T)))


test_program, test_gradient, test_pullback, test_pushforward, test_second_order = oracle.checks_of(programs)


# -- equal values ------------------------------------------------------------------------------------------------------


def space_of_the_pair(a):
    u = np.linalg.eigh(symmetric(a))[1][:, :2]
    return np.sum((W @ u) * u)


def leading_eigenvector(a):
    w, v = np.linalg.eigh(symmetric(a))
    return w[2] * np.sum(v[:, 2] ** 2 * W[0])


def leading_triple(a):
    u, s, vh = np.linalg.svd(a)
    return s[0] * np.abs(u[0, 0] * vh[0, 0])


def polar_factor(a):
    u, _, vh = np.linalg.svd(a)
    return np.sum((u @ vh) * W)


def invariants(a):
    w, v = np.linalg.eigh(symmetric(a))
    return np.sum(w**3) + np.log(np.prod(w))


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize(
    "program, a",
    [
        (space_of_the_pair, PAIR),
        (leading_eigenvector, PAIR),
        (leading_triple, np.diag([3.0, 1.0, 1.0])),
        (leading_triple, np.diag([3.0, 0.0, 0.0])),
        (polar_factor, np.eye(3)),
        (polar_factor, 2 * TURN),
        (invariants, PAIR),
        (invariants, 2.0 * np.eye(3)),
    ],
)
def test_a_loss_that_does_not_see_the_turning_has_a_finite_gradient(program, a, tier_name):
    """Convention 8, against differences: the loss is smooth there."""
    case = oracle.Program(program, (a,))
    with tier(tier_name):
        oracle.assert_components(gradient(program, a), oracle.first_differences(case), rtol=1e-7, atol=1e-7)


def rebuilt(a, f):
    w, v = np.linalg.eigh(a)
    return (v * f(w)) @ v.T


@pytest.mark.parametrize("a", [np.eye(2), np.zeros((2, 2)), np.diag([1.0, 0.0, 0.0]), PAIR], ids=str)
@pytest.mark.parametrize("f", [lambda w: w, np.exp, lambda w: w**2], ids=["w", "exp", "square"])
@pytest.mark.parametrize("entry", [(0, 0), (1, -1), None], ids=str)
def test_a_finite_gradient_at_equal_eigenvalues_is_right(a, f, entry):
    """V f(w) Vᵀ has a derivative that its cotangents do not tell: right, or NaN, and never another number."""

    def program(a):
        return np.sum(rebuilt(symmetric(a), f)) if entry is None else rebuilt(symmetric(a), f)[entry]

    (g,) = gradient(program, a)
    expected = oracle.first_differences(oracle.Program(program, (a,)))
    for freedom, number in expected.items():
        got = g[freedom.index]
        assert np.isnan(got) or got == pytest.approx(number, abs=1e-7)


def test_second_derivatives_through_equal_values_are_unknown():
    assert np.all(np.isnan(hessian(polar_factor)(np.eye(3))))


# -- near them, where a rule divides by small gaps ---------------------------------------------------------------------


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
def test_eigenvectors_of_nearly_equal_eigenvalues(gap):
    """Against mpmath with 60 digits; what rounding does to the matrix is magnified by 1 / gap, and no more."""
    a = TURN @ np.diag([1.0, 1.0 + gap, 3.0]) @ TURN.T
    a = (a + a.T) / 2
    (g,) = gradient(lambda a: np.sum(np.linalg.eigh(a)[1][:, 0] ** 2 * W[0]), a)
    with mpmath.workdps(60):

        def exact(t):
            shifted = mpmath.matrix(a.tolist()) + t * mpmath.matrix(symmetric(W).tolist())
            _, v = mpmath.eigsy(shifted)
            return mpmath.fsum([mpmath.mpf(W[0, i]) * v[i, 0] ** 2 for i in range(3)])

        h = mpmath.mpf(10) ** -25
        slope = float((exact(h) - exact(-h)) / (2 * h))
    np.testing.assert_allclose(np.sum(g * symmetric(W)), slope, rtol=1e-13 / gap)


@pytest.mark.parametrize("scale", [1e-150, 1e-17, 1e17, 1e150])
def test_the_gradient_of_what_has_no_scale_scales(scale):
    a = np.array([[1.0, 0.1], [0.1, 2.0]])
    for f in (lambda a: np.linalg.eigh(a)[1][0, 0] ** 2, lambda a: np.linalg.svd(a)[0][0, 0] ** 2):
        np.testing.assert_allclose(scale * gradient(f, scale * a)[0], gradient(f, a)[0], rtol=1e-9)


# -- the gauge ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "program",
    [
        lambda a: np.sum(np.real(np.linalg.eigh(symmetric(a))[1])),
        lambda a: np.sum(np.imag(np.linalg.eig(a)[1])),
        lambda a: np.sum(np.real(np.linalg.svd(a)[0])),
        lambda a: np.sum(np.real(np.linalg.svd(a)[2])),
    ],
)
def test_a_loss_that_depends_on_a_phase_is_refused(program):
    with pytest.raises(DifferentiationError, match="phase"):
        gradient(program, complex_(3, 3))


@pytest.mark.parametrize("factor", [lambda a: np.linalg.eigh(symmetric(a))[1], lambda a: np.linalg.eig(a)[1]])
def test_forward_mode_sees_whether_a_value_depends_on_a_phase(factor):
    a, t = complex_(3, 3), complex_(3, 3)
    for program in (factor, lambda a: np.real(factor(a)), lambda a: np.sum(np.imag(factor(a)))):
        with pytest.raises(DifferentiationError, match="phase"):
            jvp(program, (a,), (t,))

    def shares(a):
        return np.abs(factor(a)) ** 2

    rows = [gradient(lambda a, i=i: shares(a).ravel()[i], a)[0] for i in range(9)]
    slopes = [np.real(np.sum(np.conj(row) * t)) for row in rows]
    np.testing.assert_allclose(jvp(shares, (a,), (t,))[1].ravel(), slopes, rtol=1e-9)


def test_a_matrix_without_a_basis_of_eigenvectors_has_no_derivative():
    def loss(a):
        return np.real(np.sum(np.linalg.eigvals(a) ** 3))

    assert np.all(np.isnan(gradient(loss, np.array([[0.0, 1.0], [0.0, 0.0]]))[0]))
    turn = np.linalg.qr(real(4, 4))[0]
    for block in (np.eye(4, k=1), np.diag([1.0, 1.0, 2.0, 3.0]) + np.diag([1.0, 0.0, 0.0], 1)):
        split = turn @ block @ turn.T  # its equal eigenvalues differ by the root of a rounding error
        assert np.all(np.isnan(gradient(loss, split)[0]))


def test_a_matrix_that_is_nearly_without_a_basis_of_eigenvectors_has_its_derivative():
    a = np.array([[1.0, 1.0], [1e-10, 1.0]])
    (g,) = gradient(lambda a: np.max(np.real(np.linalg.eigvals(a))), a)
    np.testing.assert_allclose(g, [[0.5, 5e-6], [5e4, 0.5]], rtol=1e-4)


def test_a_matrix_of_deficient_rank_has_no_factors_with_a_derivative():
    for mode in ("reduced", "r"):
        f = (lambda a: np.sum(np.linalg.qr(a)[1])) if mode == "reduced" else (lambda a: np.sum(np.linalg.qr(a, "r")))
        assert np.all(np.isnan(gradient(f, np.array([[1.0, 2.0], [0.0, 0.0]]))[0]))


def test_eigenvalues_are_matched_whatever_their_order():
    values, w = np.array([1.0, 2.0, 2.0 + 1e-15]), np.array([2.0 + 1e-15, 1.0, 2.0])
    assert matching(values, w).tolist() == [1, 2, 0]
    assert in_order_of(values, (w, np.diag(w)))[1].tolist() == np.diag(w)[:, [1, 2, 0]].tolist()


def test_singular_values_of_a_matrix_that_is_zero_have_their_kink_there():
    (g,) = gradient(lambda a: np.sum(np.linalg.svd(a, compute_uv=False)), np.zeros((2, 2)))
    np.testing.assert_array_equal(g, np.zeros((2, 2)))
