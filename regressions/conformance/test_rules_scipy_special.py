"""Rules of scipy.special: rows by differences, and hard points by mpmath."""

import os
import subprocess
import sys

import mpmath
import numpy as np
import pytest
from scipy import special as sp

from engine import grad, gradient
from engine.errors import DifferentiationError
from engine.rules import lookup
from engine.rules.scipy import special as special_rules

from .rule_rows import row, row_tests

RNG = np.random.default_rng(23)
UNIT = RNG.uniform(0.1, 0.9, (2, 3))
POSITIVE = RNG.uniform(0.4, 3, (2, 3))
ANY = POSITIVE * np.array([1, -1, 1])
COMPLEX = POSITIVE * np.exp(1j * RNG.uniform(-1.2, 1.2, (2, 3)))
SHAPE = np.array([0.7, 1.3, 2.6])

OF_ANY = (
    sp.rgamma, sp.erf, sp.erfc, sp.erfi, sp.erfcx, sp.dawsn, sp.ndtr, sp.log_ndtr, sp.expit, sp.log_expit, sp.cbrt,
    sp.exp2, sp.exp10, sp.expm1, sp.cosm1, sp.sindg, sp.cosdg, sp.tandg, sp.exprel, sp.wrightomega, sp.fresnel, sp.j0,
    sp.j1, sp.i0, sp.i1, sp.i0e, sp.i1e, sp.airy, sp.shichi, sp.sici,
)  # fmt: skip
OF_POSITIVE = (
    sp.gamma, sp.gammaln, sp.loggamma, sp.psi, sp.entr, sp.log1p, sp.cotdg, sp.exp1, sp.expi, sp.spence, sp.y0, sp.y1,
    sp.k0, sp.k1, sp.k0e, sp.k1e, sp.factorial, sp.lambertw,
)  # fmt: skip
OF_UNIT = (sp.erfinv, sp.erfcinv, sp.ndtri, sp.logit)
OF_COMPLEX = (
    sp.gamma, sp.loggamma, sp.rgamma, sp.erf, sp.erfc, sp.erfi, sp.erfcx, sp.dawsn, sp.wofz, sp.log_ndtr, sp.expm1,
    sp.log1p, sp.wrightomega, sp.fresnel, sp.airy, sp.sici, sp.shichi, sp.exp1, sp.expi, sp.spence, sp.lambertw,
)  # fmt: skip
OF_ORDER = (sp.jv, sp.yv, sp.iv, sp.kv, sp.hankel1, sp.hankel2, sp.hankel1e, sp.hankel2e, sp.ive, sp.kve)
OF_DEGREE = (
    sp.eval_legendre, sp.eval_sh_legendre, sp.eval_chebyt, sp.eval_chebyu, sp.eval_chebyc, sp.eval_chebys,
    sp.eval_sh_chebyt, sp.eval_sh_chebyu, sp.eval_laguerre, sp.eval_hermite, sp.eval_hermitenorm,
)  # fmt: skip
SPHERICAL = (sp.spherical_jn, sp.spherical_yn, sp.spherical_in, sp.spherical_kn)
SECOND_REFUSED = (sp.ellipk, sp.ellipkm1, sp.ellipe)  # Carlson's integrals stand in their partials
KELVIN = (sp.ber, sp.bei, sp.ker, sp.kei)  # likewise the derivatives of Kelvin's functions

ROWS = [
    *[row(f, x) for f in OF_ANY for x in (ANY, float(ANY[0, 0]), ANY[0, ::-1])],
    *[row(f, x) for f in OF_POSITIVE for x in (POSITIVE, float(POSITIVE[0, 0]), POSITIVE[:0])],
    *[row(f, x) for f in OF_UNIT for x in (UNIT, float(UNIT[0, 0]))],
    *[row(f, COMPLEX, smooth=f not in (sp.gamma, sp.loggamma, sp.rgamma)) for f in OF_COMPLEX],
    row(sp.psi, -UNIT),
    row(sp.gamma, -UNIT),
    row(sp.ndtri_exp, -POSITIVE),
    *[row(f, POSITIVE, y) for f in (sp.beta, sp.betaln, sp.poch) for y in (SHAPE, 1.7)],
    *[row(f, POSITIVE + 3, SHAPE) for f in (sp.binom, sp.comb)],
    row(sp.comb, np.array([3.0, 5.0, 6.2, 3.0, 4.0]), np.array([5.0, 2.0, 7.5, 4.0, -1.0])),
    row(sp.comb, 3.0, 4.0, zero=True),
    row(sp.binom, np.array([3.0, 3.0, 0.0, 5.0, 2.5]), np.array([4.0, 5.0, 3.0, 2.0, 4.0])),
    row(sp.polygamma, 2, POSITIVE),
    row(sp.polygamma, 0, -UNIT),
    row(sp.zeta, 2, POSITIVE),
    row(sp.zeta, SHAPE + 1, POSITIVE),
    *[row(f, SHAPE, POSITIVE) for f in (sp.gammainc, sp.gammaincc, sp.chdtr, sp.chdtrc)],
    *[row(f, SHAPE, UNIT) for f in (sp.gammaincinv, sp.gammainccinv)],
    *[row(f, SHAPE, POSITIVE, UNIT) for f in (sp.betainc, sp.betaincinv)],
    row(sp.multigammaln, 3.7, 3),
    *[row(f, 3, POSITIVE) for f in (sp.gammainc, sp.gammaincc, sp.chdtr, sp.chdtrc, sp.stdtr)],
    *[row(f, 3, UNIT) for f in (sp.gammaincinv, sp.gammainccinv)],
    *[row(f, 2, 3, UNIT) for f in (sp.betainc, sp.betaincinv)],
    row(sp.owens_t, ANY, SHAPE),
    *[row(f, POSITIVE, SHAPE) for f in (sp.xlogy, sp.xlog1py, sp.rel_entr, sp.kl_div, sp.powm1, sp.huber,
                                        sp.pseudo_huber, sp.boxcox, sp.boxcox1p)],
    *[row(f, SHAPE, 2) for f in (sp.inv_boxcox, sp.inv_boxcox1p)],
    row(special_rules.share, POSITIVE, SHAPE),
    row(sp.radian, ANY, POSITIVE, SHAPE),
    *[row(sp.logsumexp, ANY, axis=axis, keepdims=keep) for axis in (None, 0, -1, (0, 1)) for keep in (False, True)],
    row(sp.logsumexp, ANY, 1, POSITIVE),
    row(sp.logsumexp, ANY, 1, POSITIVE[::-1] * np.array([-1, 1, 1]), False, True),
    row(sp.logsumexp, COMPLEX, 0),
    *[row(f, ANY, axis=axis) for f in (sp.softmax, sp.log_softmax) for axis in (None, 0, 1)],
    *[row(f, 2, POSITIVE) for f in (*OF_ORDER, sp.yn, sp.kn)],
    *[row(f, 2, COMPLEX) for f in OF_ORDER if f is not sp.ive],
    *[row(f, n, POSITIVE, zero=n == 0) for f in OF_DEGREE for n in (0, 1, 4)],
    row(sp.eval_jacobi, 3, 1, 2, UNIT),
    row(sp.eval_gegenbauer, 3, 2, UNIT),
    row(sp.eval_genlaguerre, 3, 1, UNIT),
    *[row(f, 2, POSITIVE, derivative) for f in SPHERICAL for derivative in (False, True)],
    *[row(sp.expn, n, POSITIVE, smooth=n > 1) for n in (0, 1, 3)],
    *[row(f, UNIT, smooth=False) for f in SECOND_REFUSED],
    *[row(f, POSITIVE, smooth=False) for f in KELVIN],
    *[row(f, UNIT[0], np.array([0, 1, 0])) for f in (sp.ellipkinc, sp.ellipeinc)],
    *[row(f, UNIT, smooth=False) for f in (sp.itstruve0, sp.itmodstruve0)],
    row(sp.hyp2f1, 1, 2, 3, 0.5 * UNIT),
    row(sp.hyp1f1, 1, 2, ANY),
    row(sp.hyperu, 1, 2, POSITIVE),
    row(sp.hyp0f1, 2, POSITIVE),
    *([row(sp.softplus, ANY)] if hasattr(sp, "softplus") else []),
]  # fmt: skip

# SciPy's values of these integrals are good to 1e-9 only, too coarse for differences: by closed form below.
INTEGRALS = [
    (sp.itj0y0, mpmath.besselj, mpmath.bessely),
    (sp.iti0k0, mpmath.besseli, mpmath.besselk),
]


@pytest.mark.parametrize("f, first, second", INTEGRALS, ids=["itj0y0", "iti0k0"])
def test_integrals_of_bessel_functions(f, first, second):
    np.testing.assert_allclose(gradient(lambda x: f(x)[0], 1.3)[0], float(first(0, 1.3)), rtol=1e-13)
    np.testing.assert_allclose(gradient(lambda x: f(x)[1], 1.3)[0], float(second(0, 1.3)), rtol=1e-13)


test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)

HARD: list = [
    (lambda x: sp.jv(0.5, x), lambda x: mpmath.besselj(0.5, x), (0.3, 20.0)),
    (lambda x: sp.yv(0.5, x), lambda x: mpmath.bessely(0.5, x), (0.3, 20.0)),
    (lambda x: sp.iv(0.5, x), lambda x: mpmath.besseli(0.5, x), (0.3, 20.0)),
    (lambda x: sp.kv(0.5, x), lambda x: mpmath.besselk(0.5, x), (0.3, 20.0)),
    (sp.erfcx, lambda x: mpmath.exp(x * x) * mpmath.erfc(x), (-3.0, 0.0, 30.0, 49.0, 51.0, 1e4)),
    (
        sp.dawsn,
        lambda x: mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(-x * x) * mpmath.erfi(x),
        (0.0, 20.0, 49.0, 51.0, 1e4),
    ),
    (sp.log_ndtr, lambda x: mpmath.log(mpmath.ncdf(x)), (-35.0, -8.0, 0.0, 5.0)),
    (sp.exprel, lambda x: mpmath.expm1(x) / x, (-30.0, -1.0, -1e-9, 1e-3, 0.999, 1.001, 30.0)),
    (sp.rgamma, mpmath.rgamma, (-3.0, 0.0, -0.5, 30.0)),
    (sp.psi, lambda x: mpmath.psi(0, x), (-7.3, -0.5, 1e-3, 40.0)),
    (sp.ellipk, mpmath.ellipk, (-5.0, 0.0, 1e-9, 0.5, 0.999)),
    (sp.ellipe, mpmath.ellipe, (-5.0, 0.0, 1e-9, 0.5, 0.999)),
    (sp.expit, lambda x: 1 / (1 + mpmath.exp(-x)), (-40.0, 0.0, 40.0)),
    (sp.log_expit, lambda x: -mpmath.log1p(mpmath.exp(-x)), (-40.0, 0.0, 40.0)),
    (sp.ndtri, lambda y: mpmath.sqrt(2) * mpmath.erfinv(2 * y - 1), (1e-3, 0.3, 0.99)),
    (sp.j1, lambda x: mpmath.besselj(1, x), (0.0, 1e-8, 20.0)),
    (sp.i1e, lambda x: mpmath.besseli(1, x) * mpmath.exp(-abs(x)), (0.5, 30.0)),
    (sp.spence, lambda x: mpmath.polylog(2, 1 - x), (0.3, 1.0, 5.0)),
    (sp.gammaln, mpmath.loggamma, (1e-3, 1.0, 1e5)),
]


@pytest.mark.parametrize("f, exact, points", HARD, ids=range(len(HARD)))
def test_hard_points(f, exact, points):
    """Against derivatives of fifty digits, where formulas cancel, overflow or meet a removable singularity."""
    for x in points:
        with mpmath.workdps(50):
            expected = complex(mpmath.diff(exact, mpmath.mpf(x) + (mpmath.mpf("1e-25") if x in (0, 1) else 0))).real
        (got,) = gradient(lambda t: f(t), x)
        np.testing.assert_allclose(got, expected, rtol=1e-11)


def exact_slope(f, x):
    with mpmath.workdps(60):
        return float((f(mpmath.mpf(x) + mpmath.mpf("1e-20")) - f(mpmath.mpf(x) - mpmath.mpf("1e-20"))) / 2 * 10**20)


@pytest.mark.parametrize("a", [0.01, 1.0, 7.5, 300.0])
@pytest.mark.parametrize("place", [1e-6, 0.3, 1.0, 1.2, 4.0])
def test_gammainc_by_its_shape_keeps_the_digits_of_both_tails(a, place):
    x = place * (a + 1)
    for function, ends in ((sp.gammainc, (0, x)), (sp.gammaincc, (x, mpmath.inf))):
        expected = exact_slope(lambda s, ends=ends: mpmath.gammainc(s, *ends, regularized=True), a)
        atol = 0.0 if (place <= 1) is (function is sp.gammainc) else 1e-14  # the other one is 1 to rounding
        (slope,) = gradient(lambda s, function=function: function(s, x), a)
        np.testing.assert_allclose(slope, expected, rtol=1e-11, atol=atol)


@pytest.mark.parametrize("a", [0.01, 2.0, 80.0])
@pytest.mark.parametrize("b", [0.3, 1.0, 30.0])
@pytest.mark.parametrize("place", [1e-6, 0.4, 0.99])
def test_betainc_by_its_shapes_has_all_its_digits(a, b, place):
    x = 1 - (1 - place * (a + 1) / (a + b + 2))  # so that its mirror image is no other number
    expected = [
        exact_slope(lambda s: mpmath.betainc(s, b, 0, x, regularized=True), a),
        exact_slope(lambda s: mpmath.betainc(a, s, 0, x, regularized=True), b),
    ]
    np.testing.assert_allclose(gradient(lambda a, b: sp.betainc(a, b, x), a, b), expected, rtol=1e-11)
    mirrored = gradient(lambda a, b: sp.betainc(b, a, 1 - x), a, b)
    np.testing.assert_allclose(mirrored, [-slope for slope in expected], rtol=1e-11)


@pytest.mark.parametrize("x", [0.0, 0.5, 1.001, 2.0, 50.0])
def test_zeta_by_its_exponent_has_all_its_digits(x):
    for q in (0.01, 1.0, 7.3):
        if x > 1:
            expected = exact_slope(lambda s, q=q: mpmath.zeta(s, q), x)
            np.testing.assert_allclose(gradient(lambda s, q=q: sp.zeta(s, q), x)[0], expected, rtol=1e-12)
    np.testing.assert_allclose(gradient(sp.zeta, x)[0], exact_slope(mpmath.zeta, x), rtol=1e-12)


def test_second_derivatives_by_shapes():
    np.testing.assert_allclose(grad(grad(lambda a: sp.gammainc(a, 2.0)))(1.5), -0.07409338751048, rtol=1e-12)


@pytest.mark.parametrize(
    "a, expected",
    [
        ([-np.inf, 0.0], [0.0, 1.0]),
        ([-np.inf, -np.inf], [0.5, 0.5]),
        ([np.inf, 0.0], [1.0, 0.0]),
        ([1e4, 1e4], [0.5, 0.5]),
    ],
)
def test_logsumexp_where_infinities_meet(a, expected):
    np.testing.assert_allclose(gradient(sp.logsumexp, np.array(a))[0], expected, rtol=1e-11)


def test_softmax_has_all_its_digits_where_one_share_is_nearly_all():
    small = np.exp(-40.0)
    weights, at = np.array([2.0, 5.0, 3.0]), np.array([40.0, 0.0, -800.0])
    (slope,) = gradient(lambda z: np.sum(weights * sp.softmax(z)), at)
    np.testing.assert_allclose(slope, [-3 * small, 3 * small, 0.0], rtol=1e-12)
    (slope,) = gradient(lambda z: sp.log_softmax(z)[0], at)
    np.testing.assert_allclose(slope, [small, -small, 0.0], rtol=1e-12)


def test_x_log_y_at_zero():
    np.testing.assert_array_equal(gradient(lambda y: np.sum(sp.xlogy(np.zeros(2), y)), np.array([0.0, 1.0]))[0], [0, 0])


@pytest.mark.parametrize(
    "program",
    [
        lambda x: sp.zeta(-x),
        lambda x: sp.ellip_harm(x, 8.0, 1, 1, 0.3),
        lambda v: sp.lpmv(0, v, 0.3),
    ],
)
def test_an_argument_without_a_formula_is_refused(program):
    with pytest.raises(DifferentiationError, match="stop_gradient"):
        gradient(program, 1.5)


LATE = {
    "engine first": "import engine\nassert 'scipy' not in sys.modules\nfrom scipy import special",
    "scipy first": "from scipy import special\nimport engine",
    "inside a scope": "import engine\nfrom engine.rules.registry import scope, lookup\nwith scope():\n"
    "    from scipy import special\n    lookup(special.erf)",
    "inside the program": "import engine\nspecial = None\ndef load():\n    global special\n"
    "    from scipy import special",
}


@pytest.mark.parametrize("order", LATE)
def test_the_rules_come_with_scipy_whichever_is_imported_first(order, tmp_path):
    load = "    load()\n" if order == "inside the program" else ""
    program = tmp_path / "program.py"
    program.write_text(
        f"import sys\n{LATE[order]}\n\ndef f(x):\n{load}    return special.gamma(x) * special.logsumexp([x, x])\n\n"
        "print(*engine.gradient(f, 2.0), *engine.gradient(f, 2.0))\n"
    )
    path = os.pathsep.join(p for p in sys.path if p)
    run = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    g = (1 - np.euler_gamma) * (2 + np.log(2)) + 1
    assert run.returncode == 0, run.stderr
    np.testing.assert_allclose([float(number) for number in run.stdout.split()], [g, g], rtol=1e-13)


def test_rules_of_scipy_are_in_the_table():
    assert lookup(sp.gamma) is not None and lookup(sp.logsumexp) is not None


def test_the_mixed_derivative_of_x_log_y_at_the_origin_is_infinite():
    with np.errstate(divide="ignore"):
        assert grad(grad(sp.xlogy, 0), 1)(0.0, 0.0) == np.inf
        assert grad(grad(sp.xlogy, 1), 0)(0.0, 0.0) == np.inf


@pytest.mark.parametrize("x", [0.0, -1.0, -2.0, -5.0])
def test_the_reciprocal_of_gamma_at_its_zeros_at_second_order(x):
    for order, derivative in enumerate((grad(sp.rgamma), grad(grad(sp.rgamma))), 1):
        assert np.isclose(derivative(x), float(mpmath.diff(mpmath.rgamma, x, order)), rtol=1e-9, atol=0)
