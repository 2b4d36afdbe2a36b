"""Rules of norms: every order, axis and keepdims; at zero, at ties and at deficient rank (convention 2)."""

import numpy as np
import pytest

from engine import grad, gradient, hessian
from engine.rules.eigen import cleared
from engine.rules.elementwise import over
from engine.rules.norms import orthogonal_factor, size, spectral_size
from engine.rules.reductions import length_of

from .oracle import TIERS, tier
from .rule_rows import row, row_tests

RNG = np.random.default_rng(31)


def real(*shape):
    return RNG.uniform(-2, 2, shape)


def complex_(*shape):
    return real(*shape) + 1j * real(*shape)


INF = np.inf
V, CV, M, CM, T, CT = real(4), complex_(3), real(2, 3), complex_(3, 2), real(2, 3, 2), complex_(2, 2, 3)
VECTOR_ORDERS = (None, 2, 1, 0, 3, 2.5, 0.5, -1, -2.5, INF, -INF)
MATRIX_ORDERS = (None, "fro", "nuc", 2, -2, 1, -1, INF, -INF)

norm = np.linalg.norm
ROWS = [
    *[row(norm, x, ord=ord, zero=ord == 0) for x in (V, CV) for ord in VECTOR_ORDERS],
    *[row(norm, x, ord=ord, axis=1, zero=ord == 0) for x in (T, CM) for ord in VECTOR_ORDERS],
    *[row(norm, x, ord=ord, axis=-1, keepdims=True, zero=ord == 0) for x in (M, CT) for ord in (2, 1, 3, INF, -1)],
    *[row(norm, x, ord=ord) for x in (M, CM, M.T) for ord in MATRIX_ORDERS],
    *[row(norm, x, ord=ord, axis=(0, 2)) for x in (T, CT) for ord in MATRIX_ORDERS],
    *[row(norm, x, ord=ord, axis=(-1, 0), keepdims=True) for x in (T, CT) for ord in MATRIX_ORDERS],
    *[row(norm, x, keepdims=True) for x in (V, M, T)],
    *[row(norm, x, axis=(1,)) for x in (M, CM)],
    row(cleared, V, np.zeros(4, bool)),
    row(over, M, np.array([[2.0], [-0.5]])),
    row(length_of, np.abs(M)),
    *[row(orthogonal_factor, x) for x in (M, CM, CT)],
    *[
        row(size, x, ord, axis, keepdims, norm, zero=ord == 0)
        for x, axis in ((V, None), (M, 1), (CM, 0))
        for ord, keepdims in ((None, False), (2, True), (0, False), (3, False), (-1, True))
    ],
    *[row(spectral_size, x, ord, (-2, -1), False) for x in (M, CM, CT) for ord in (2, -2, "nuc")],
]
if hasattr(np.linalg, "matrix_norm"):  # NumPy 2
    ROWS += [
        *[row(np.linalg.matrix_norm, x, ord=ord) for x in (M, CM, CT) for ord in MATRIX_ORDERS[1:]],
        row(np.linalg.matrix_norm, T, keepdims=True),
        *[row(np.linalg.vector_norm, x, ord=ord, axis=axis, zero=ord == 0) for x in (T, CM)
          for ord in VECTOR_ORDERS[1:] for axis in (None, 0, (0, 1))],
    ]  # fmt: skip

test_pullback, _, test_single, test_gradient, test_second_order = row_tests(ROWS)


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize(
    "x, ord, expected",
    [
        *[(np.zeros(3), ord, np.zeros(3)) for ord in (None, 2, 1, 3, INF)],
        *[(np.zeros((2, 2)), ord, np.zeros((2, 2))) for ord in ("fro", "nuc", 2, -2, 1, INF)],
        (np.eye(2), 2, np.eye(2) / 2),
        (np.diag([2.0, 2.0, 1.0]), 2, np.diag([0.5, 0.5, 0.0])),
        (np.eye(2), "nuc", np.eye(2)),
        (np.diag([3.0, 0.0]), "nuc", np.diag([1.0, 0.0])),
        (np.diag([3.0, 0.0]), -2, np.zeros((2, 2))),
        (np.array([1.0, 0.0, -2.0]), 1, [1.0, 0.0, -1.0]),
        (np.array([2.0, -2.0]), INF, [0.5, -0.5]),
    ],
)
def test_at_zero_and_at_ties(x, ord, expected, tier_name):
    with tier(tier_name):
        (g,) = gradient(lambda x: np.linalg.norm(x, ord), x)
    np.testing.assert_allclose(g, expected, atol=1e-15)


def test_the_nuclear_norm_of_a_deficient_matrix_by_rounding():
    """Of rank one up to rounding: U Vᵀ of the one singular value, nothing of what rounding has made of the others."""
    u, v = real(3), real(3)
    (g,) = gradient(lambda x: np.linalg.norm(x, "nuc"), np.outer(u, v))
    np.testing.assert_allclose(g, np.outer(u, v) / (np.linalg.norm(u) * np.linalg.norm(v)), atol=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_a_norm_of_singular_values_at_any_scale(scale):
    (g,) = gradient(lambda x: np.linalg.norm(x, "nuc"), scale * np.diag([1.0, 2.0]))
    np.testing.assert_allclose(g, np.eye(2), rtol=1e-12)


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize(
    "f, curvature",
    [
        (lambda x: np.abs(x) ** 2, 2.0),
        (lambda x: np.fabs(x) * np.abs(x), 2.0),
        (lambda x: np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0.0), 0.25),
    ],
)
def test_a_modulus_at_zero_moves_as_on_one_side(f, curvature, tier_name):
    with tier(tier_name):
        assert grad(grad(f))(0.0) == curvature


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.linalg.norm(x) ** 2,  # smooth, but the direction of x, which turns without measure, does not tell
        lambda x: np.linalg.norm(x),
        lambda x: np.hypot(x[0], x[1]),
        lambda x: np.std(x),
        lambda x: np.nanstd(x),
    ],
)
def test_a_length_of_zero_has_no_second_derivative(f, tier_name):
    with tier(tier_name):
        assert np.array_equal(grad(f)(np.zeros(2)), np.zeros(2))
        assert np.all(np.isnan(hessian(f)(np.zeros(2))))


@pytest.mark.parametrize("deviation", [np.std, np.nanstd])
def test_the_deviation_of_one_element_is_the_constant_zero(deviation):
    assert np.array_equal(hessian(lambda x: np.sum(deviation(x, axis=1)))(np.ones((2, 1))), np.zeros((2, 1, 2, 1)))


@pytest.mark.parametrize("tier_name", TIERS)
def test_the_sum_of_singular_values_is_smooth_where_they_are_equal(tier_name):
    """At 2 Q, Q orthogonal, turning costs 1/4 of each antisymmetric pair, and what is symmetric costs nothing."""
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    with tier(tier_name):
        second = hessian(lambda a: norm(a, "nuc"))(2 * turn)
    pairs = np.einsum("ka,lb,kilj->aibj", turn, turn, second)
    antisymmetric = np.array([[0.0, 1.0], [-1.0, 0.0]])
    np.testing.assert_allclose(pairs, np.einsum("ai,bj->aibj", antisymmetric, antisymmetric) / 4, atol=1e-14)
