"""Rules of scipy.special for functions with several results, harmonics, derivatives of Bessel functions, and others."""

import mpmath
import numpy as np
import pytest
from scipy import special as sp

from engine import grad, gradient
from engine.errors import DifferentiationError

from .rule_rows import row, row_tests

RNG = np.random.default_rng(67)
POSITIVE = RNG.uniform(0.6, 3, (2, 3))
SIGNED = np.array([-1.7, -0.4, 0.3, 1.2])
ORDER = np.array([0.7, 1.3, 2.6])
UNIT = RNG.uniform(0.15, 0.85, (2, 3))
COMPLEX = POSITIVE * np.exp(1j * RNG.uniform(-1, 1, (2, 3)))
OF_ORDER = (sp.jvp, sp.yvp, sp.ivp, sp.kvp, sp.h1vp, sp.h2vp)


def new(name, *args, **kwargs):
    """A row of a function that not every SciPy has."""
    return [row(getattr(sp, name), *args, **kwargs)] if hasattr(sp, name) else []


ROWS = [
    row(sp.airye, POSITIVE),
    *[row(f, POSITIVE) for f in (sp.modfresnelp, sp.modfresnelm)],
    row(sp.kelvin, POSITIVE),
    # specfun computes these two to ten digits, in double precision
    *[row(f, v, SIGNED, single=False) for f in (sp.pbdv, sp.pbvv) for v in (2, -1)],
    row(sp.pbwa, np.array([0, -1, 2, 1]), SIGNED, single=False),
    row(sp.ellipj, POSITIVE, np.array([0.3, 0.6, 0.85])),
    *[row(f, 3, 1.3) for f in (sp.riccati_jn, sp.riccati_yn)],
    *new("lpn", 4, 0.3),
    *new("lqn", 4, 0.3),
    *new("lpmn", 2, 3, 0.3),
    *new("lqmn", 2, 3, 0.3),
    *new("clpmn", 2, 3, 0.3 + 0.4j),
    *[row(sp.lpmv, m, v, UNIT - 0.5) for m, v in ((0, 3), (2, 4), (0, 1), (-1, 2), (3, 3))],
    row(sp.lpmv, 0, 3, np.array([1.0, -1.0]) * 0.999, single=False),
    *new("legendre_p", 3, UNIT),
    *new("legendre_p_all", 4, UNIT),
    *new("sph_legendre_p_all", 3, 2, POSITIVE),
    *new("sph_harm_y_all", 2, 3, POSITIVE, UNIT, single=False),
    *new("assoc_legendre_p", 3, 2, UNIT),
    *[case for n, m in ((3, 2), (3, -1), (2, 2), (1, 0), (0, 0))
      for case in (new("sph_harm_y", n, m, UNIT, POSITIVE, single=False, zero=n == 0) if n else [])],
    *[case for n, m in ((3, 2), (3, -1), (2, 2)) for case in new("sph_legendre_p", n, m, POSITIVE)],
    *[case for n, m in ((3, 2), (2, -2)) for case in new("sph_harm", m, n, POSITIVE, UNIT, single=False)],
    *[row(f, ORDER, POSITIVE, n) for f in OF_ORDER for n in (1, 2)],
    *[row(f, 2, COMPLEX) for f in (sp.jvp, sp.h1vp)],
    *[row(f, ORDER, POSITIVE) for f in (sp.jve, sp.yve, sp.elliprc)],
    row(sp.elliprg, POSITIVE, 0.8, ORDER),
    row(sp.elliprj, POSITIVE, 0.8, ORDER, 1.3),
    row(sp.elliprj, 0.6, ORDER, POSITIVE, np.array([0.7, 1.1, 2.4])),
    *new("betaincc", ORDER, 1.4, UNIT),
    row(sp.zetac, POSITIVE + 1.2),
    row(sp.wright_bessel, 2, 1, POSITIVE),
    *new("log_wright_bessel", 2, 1, POSITIVE),
    row(sp.eval_sh_jacobi, ORDER, 2.2, 1.4, UNIT, single=False),
    row(sp.assoc_laguerre, UNIT, 2, 0.4),
    *[row(sp.diric, SIGNED, n) for n in (2, 5)],
    row(sp.perm, np.array([4.0, 5.5, 7.2]), np.array([2.0, 3.1, 1.4])),
]  # fmt: skip

test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)


@pytest.mark.parametrize("x", [0.0, 2 * np.pi, 0.7])
@pytest.mark.parametrize("n", [4, 7])
def test_the_kernel_of_dirichlet_where_its_quotient_is_0_by_0(x, n):
    """(sin(n x/2) / sin(x/2))'' at 0 is n (1 - n²) / 12; the second period of an even n has the other sign."""
    sign = -1 if n % 2 == 0 and x > 6 else 1
    slope, curvature = grad(sp.diric)(x, n), grad(grad(sp.diric))(x, n)
    if x == 0.7:
        with mpmath.workdps(30):
            exact = [
                float(mpmath.diff(lambda t: mpmath.sin(n * t / 2) / (n * mpmath.sin(t / 2)), x, k)) for k in (1, 2)
            ]
    else:
        exact = [0.0, sign * (1 - n**2) / 12]
    np.testing.assert_allclose([slope, curvature], exact, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("x", SIGNED)
def test_integrals_of_airy_functions(x):
    """SciPy has eight digits of their values, too few to be differenced."""
    exact = [float(f(at)) for at in (x, -x) for f in (mpmath.airyai, mpmath.airybi)]
    for k in range(4):
        np.testing.assert_allclose(gradient(lambda x, k=k: sp.itairy(x)[k], x)[0], exact[k], rtol=1e-13)


@pytest.mark.parametrize("u, m", [(0.3, 1e-9), (5.0, 0.999), (12.0, 0.5), (-2.0, 0.7), (0.7, 0.0)])
def test_jacobis_functions_at_hard_points(u, m):
    with mpmath.workdps(40):
        for k, kind in enumerate(("sn", "cn", "dn")):
            above, below = [mpmath.ellipfun(kind, mpmath.mpf(u), m=m + h) for h in (mpmath.mpf("1e-15"), 0)]
            (slope,) = gradient(lambda m, k=k: sp.ellipj(u, m)[k], m)
            np.testing.assert_allclose(slope, float((above - below) * 10**15), rtol=1e-9, atol=1e-12)


def test_spherical_harmonics_at_a_pole():
    """Y_1^1 is -sqrt(3/8π) sin(θ) exp(iφ): at θ = 0 it is 0 and moves."""
    if not hasattr(sp, "sph_harm_y"):
        pytest.skip("SciPy 1.15 brought it")
    (slope,) = gradient(lambda theta: np.real(sp.sph_harm_y(1, 1, theta, 0.3)), 0.0)
    np.testing.assert_allclose(slope, -np.sqrt(3 / (8 * np.pi)) * np.cos(0.3), rtol=1e-13)


def test_legendre_at_its_ends():
    """P_n'(±1) = (±1)^(n + 1) n (n + 1) / 2."""
    np.testing.assert_allclose(gradient(lambda x: sp.lpmv(0, 3, x), 1.0)[0], 6.0)
    np.testing.assert_allclose(gradient(lambda x: sp.lpmv(0, 2, x), -1.0)[0], -3.0)
    assert np.isnan(gradient(lambda x: sp.lpmv(1, 2, x), 1.0)[0])


@pytest.mark.parametrize(
    "program",
    [
        lambda v: sp.pbdv(v, 0.3)[0],
        lambda v: sp.pbwa(v, 0.3)[0],
        lambda a: sp.wright_bessel(a, 1.0, 0.4),
        lambda v: sp.lpmv(1, v, 0.3),
        lambda y: sp.elliprc(1.0, -y),
        lambda x: np.abs(sp.jve(1, x * (1 + 1j))),
        lambda x: np.abs(sp.airye(x * (1 + 1j))[2]),
        lambda x: sp.zetac(-x),
        lambda x: np.abs(sp.modfresnelp(-x)[0]),
    ],
)
def test_what_has_no_formula_is_refused(program):
    with pytest.raises(DifferentiationError, match="stop_gradient"):
        gradient(program, 1.5)


@pytest.mark.parametrize("name", ["pbdv_seq", "lmbda"])
def test_others_are_refused_with_a_way_out(name):
    if not hasattr(sp, name):
        pytest.skip("not in this SciPy")
    with pytest.raises(DifferentiationError, match="Ways out: (scipy.special.pbdv|the same function)"):
        gradient(lambda x: np.sum(np.abs(getattr(sp, name)(2, x)[0])), 1.5)
