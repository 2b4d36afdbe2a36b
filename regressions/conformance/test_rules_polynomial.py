"""Rules of polynomials: np.polyval and its kin, roots, and the modules and classes of numpy.polynomial."""

import numpy as np
import pytest
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre, polynomial

from engine import gradient
from engine.errors import DifferentiationError
from engine.rules import composed, registry
from engine.rules.polynomial import horner

from . import oracle
from .rule_rows import row, row_tests

RNG = np.random.default_rng(29)


def real(*shape):
    return RNG.uniform(-2, 2, shape)


def complex_(*shape):
    return real(*shape) + 1j * real(*shape)


P, R, X, CP = real(4), real(2), real(3), complex_(3)
DISTINCT = np.poly([0.5, -1.3, 2.1, 1.2])

ROWS = [
    *[row(np.polyval, p, x) for p in (P, CP) for x in (X, 0.7, real(2, 2), complex_(2))],
    *[row(f, p, q) for f in (np.polyadd, np.polysub, np.polymul) for p, q in ((P, R), (R, P), (CP, P))],
    *[row(np.polydiv, p, q) for p, q in ((P, R), (R, P), (CP, R))],
    *[row(horner, p, x) for p in (P, CP) for x in (X, 0.7, complex_(2))],
    *[row(np.polyder, p, m) for p in (P, CP) for m in (1, 2)],
    *[row(np.polyint, p, m) for p in (P, CP) for m in (1, 2)],
    row(np.polyint, P, 1, 0.7),
    *[row(np.poly, p) for p in (P, CP)],
    *[row(np.roots, p) for p in (DISTINCT, np.array([1.0, 0.3, 2.0]), CP)],
    row(np.polyfit, np.array([0.1, 1.2, 1.9, 3.3]), P, 2),
    row(np.polyfit, np.array([0.1, 1.2, 1.9, 3.3]), real(4, 2), 1, w=np.array([1.0, 0.5, 2.0, 1.5])),
    *[row(np.vander, x, n, zero=n == 1) for x in (X, CP) for n in (None, 1, 2, 5)],
    row(np.vander, X, 4, increasing=True),
]  # fmt: skip

# Tested as programs, below: functions of each basis that return what others take.
FOLLOWED = {
    primal
    for primal in (*registry._compositions, *registry.registered())
    if (getattr(primal, "__module__", None) or "").startswith("numpy.polynomial")
}

test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)


# -- numpy.polynomial: the same functions for each basis, and the classes on top of them -------------------------------

BASES = {"poly": polynomial, "cheb": chebyshev, "leg": legendre, "herm": hermite, "herme": hermite_e, "lag": laguerre}
programs = oracle.Table()


def of_each_basis(*args):
    """Add the function, made for the functions of each basis, to the programs."""

    def add(make):
        for name, module in BASES.items():
            program = make(lambda kind, name=name, module=module: getattr(module, name + kind))
            program.__name__ = f"{make.__name__}_{name}"
            programs.at(*args)(program)

    return add


@of_each_basis(0.3 * X, P)
def values(of):
    val = of("val")
    return lambda x, c: np.sum(np.sin(val(x, c)))


@of_each_basis(P, R)
def arithmetic(of):
    add, sub, mul, power = of("add"), of("sub"), of("mul"), of("pow")
    return lambda c, e: np.sum(mul(add(c, e), power(sub(e, c), 2)) * np.arange(1.0, 11.0)) / 1e3


WITH_ZEROS = np.array([0.7, 0.0, 1.2])


@of_each_basis(WITH_ZEROS, np.array([0.0, 0.4]))
def arithmetic_with_zeros(of):
    add, mul, mulx, power = of("add"), of("mul"), of("mulx"), of("pow")
    return lambda c, e: np.sum(mul(c, mulx(add(c, e))) ** 2) + np.sum(power(c, 2)) + np.sum(mul(e, c) ** 2)


@of_each_basis(P, R)
def division(of):
    div = of("div")

    def program(c, e):
        quotient, remainder = div(c, e)
        return np.sum(quotient**2) + np.sum(np.sin(remainder))

    return program


@of_each_basis(P)
def calculus(of):
    der, integ = of("der"), of("int")
    return lambda c: np.sum(der(c) ** 2) + np.sum(integ(c, 2, [0.3, 0.4]) ** 2)


@of_each_basis(0.3 * X)
def pseudo_vandermonde(of):
    vander = of("vander")
    return lambda x: np.sum(np.sin(vander(x, 3)))


@of_each_basis(np.array([0.3, -0.7, 1.4]), np.array([1.0, 0.5, -0.2, 0.9]))
def from_roots_and_fit(of):
    fromroots, fit = of("fromroots"), of("fit")
    return lambda r, y: np.sum(fromroots(r) ** 2) + np.sum(fit(np.array([0.1, 0.5, 1.2, 1.9]), y, 2) ** 3)


@of_each_basis(np.array([0.6, -1.1, 0.4, 0.9]))
def roots(of):
    find = of("roots")
    return lambda c: np.sum(np.abs(find(c)) ** 2)


@programs.at(0.4, P, R)
def objects_of_polynomials(x, c, e):
    p, q = np.polynomial.Polynomial(c), np.polynomial.Polynomial(e)
    r = p * q - 0.3 * p + q**2
    return r(x) ** 2 + r.deriv()(x) + p.integ(1, 0.2)(x) + np.sum(r.coef)


@programs.at(0.4, P)
def objects_with_a_domain(x, c):
    t = np.polynomial.Chebyshev(c, domain=[-1.0, 3.0])
    return np.sin(t(x)) + t.convert(kind=np.polynomial.Polynomial)(0.2)


@programs.at(X, real(2, 3))
def values_in_two_variables(x, c):
    return np.sum(polynomial.polyval2d(x, x**2, c)) + np.sum(chebyshev.chebgrid2d(x, x[:2], c) ** 2)


test_program, test_gradient_of_program, test_pullback_of_program, test_pushforward, test_second_order_of_program = (
    oracle.checks_of(programs)
)


def test_a_root_answers_to_a_coefficient_in_front_that_is_zero():
    """0 x² + 2 x - 1 at 1/2: dr = -r² / p'(r)."""
    (g,) = gradient(lambda p: np.sum(np.roots(p)), np.array([0.0, 2.0, -1.0]))
    np.testing.assert_allclose(g, [-0.125, -0.25, -0.5])
    (g,) = gradient(lambda p: np.sum(np.roots(p) ** 2), np.array([2.0, -3.0, 1.0, 0.0]))  # 1, 1/2 and 0
    np.testing.assert_allclose(g, [-1.75, -1.5, -1.0, 0.0], atol=1e-12)


@pytest.mark.parametrize("name, module", BASES.items())
def test_a_result_has_the_length_that_numpy_gives_it(name, module):
    for kind in ("add", "sub", "mul"):
        f = getattr(module, name + kind)
        for c, e in ((WITH_ZEROS, R), (np.array([1.0, 2.0, 0.0]), R), (WITH_ZEROS, WITH_ZEROS), (np.zeros(2), R)):
            np.testing.assert_allclose(composed(f)(c, e), f(c, e), rtol=1e-12)


@pytest.mark.parametrize(
    "program",
    [
        lambda c: np.sum(polynomial.polydiv([1.0, 2.0, 1.0, 3.0], c)[0]),
        lambda c: np.sum(legendre.legroots(c)),
        lambda c: np.sum(hermite.hermmul(c, [1.0, 2.0])),
    ],
)
def test_a_zero_at_the_high_end_that_is_left_out_is_refused(program):
    with pytest.raises(DifferentiationError, match="highest coefficients"):
        gradient(program, np.array([1.0, 2.0, 0.0]))


def test_the_other_polynomial_class_is_refused_with_a_way_out():
    with pytest.raises(DifferentiationError, match="Polynomial"):
        gradient(lambda c: np.poly1d(c)(0.5), P)
