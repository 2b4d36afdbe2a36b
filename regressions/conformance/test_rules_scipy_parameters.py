"""Rules of scipy.special by orders, degrees and shapes, and of distribution functions; hard points by mpmath."""

import mpmath
import numpy as np
import pytest
from scipy import special as sp

from engine import gradient

from .rule_rows import row, row_tests

RNG = np.random.default_rng(61)
POSITIVE = RNG.uniform(0.6, 3, (2, 3))
ORDER = np.array([0.7, 1.3, 2.6])
UNIT = RNG.uniform(0.15, 0.85, (2, 3))
COMPLEX = POSITIVE * np.exp(1j * RNG.uniform(-1, 1, (2, 3)))
OF_ORDER = (sp.jv, sp.yv, sp.iv, sp.kv, sp.hankel1, sp.hankel2, sp.hankel1e, sp.hankel2e, sp.ive, sp.kve)
OF_DEGREE = (
    sp.eval_legendre, sp.eval_sh_legendre, sp.eval_chebyt, sp.eval_chebyu, sp.eval_chebyc, sp.eval_chebys,
    sp.eval_sh_chebyt, sp.eval_sh_chebyu, sp.eval_laguerre,
)  # fmt: skip

ROWS = [
    *[row(f, ORDER, POSITIVE) for f in OF_ORDER],
    *[row(f, ORDER, COMPLEX) for f in (sp.jv, sp.kv)],
    *[row(f, ORDER, UNIT, single=False) for f in OF_DEGREE],  # no whole degrees are SciPy's in double precision
    row(sp.jv, 0.9, UNIT[0]),
    row(sp.eval_jacobi, ORDER, 0.4, 1.2, UNIT, single=False),
    row(sp.eval_gegenbauer, ORDER, 0.8, UNIT, single=False),
    row(sp.eval_genlaguerre, ORDER, 0.8, POSITIVE, single=False),
    row(sp.hyp2f1, ORDER, 0.4, 1.7, UNIT),
    row(sp.hyp2f1, 0.6, 0.4, np.array([0.3, 2.3, 1.4]), UNIT),
    row(sp.hyp1f1, ORDER, 1.7, UNIT),
    row(sp.hyp0f1, ORDER, POSITIVE),
    row(sp.hyperu, ORDER, 0.4, POSITIVE),
    row(sp.stdtr, ORDER + 1, POSITIVE),
    row(sp.stdtrit, ORDER + 1, UNIT, smooth=False),
    *[row(f, POSITIVE, m) for f in (sp.ellipkinc, sp.ellipeinc) for m in (0.4, -2.0)],
    *[row(f, -6.1, np.array([0.3, 0.8])) for f in (sp.ellipkinc, sp.ellipeinc)],
    *[row(f, UNIT, np.array([0.6, -0.7, 0.01])) for f in (sp.inv_boxcox, sp.inv_boxcox1p)],
    *[row(f, np.array([2, 3, 5]), POSITIVE) for f in (sp.pdtr, sp.pdtrc)],
    row(sp.pdtri, 3, UNIT),
    *[row(f, 2, 7, UNIT, single=False) for f in (sp.bdtr, sp.bdtrc)],  # SciPy has whole trials in double precision
    *[row(f, 2, 7, UNIT) for f in (sp.nbdtr, sp.nbdtrc)],
    *[row(f, ORDER, 1.4, POSITIVE) for f in (sp.gdtr, sp.gdtrc, sp.fdtr, sp.fdtrc)],
    row(sp.chdtri, ORDER + 1, UNIT),
    row(sp.voigt_profile, POSITIVE, 0.8, ORDER),
    *[row(f, POSITIVE) for f in (sp.berp, sp.beip, sp.kerp, sp.keip, sp.it2j0y0, sp.it2i0k0, sp.it2struve0)],
    *[row(f, ORDER, POSITIVE) for f in (sp.struve, sp.modstruve)],
    *[row(f, POSITIVE, 0.8, ORDER) for f in (sp.elliprd, sp.elliprf)],
    row(sp.agm, POSITIVE, ORDER),
]  # fmt: skip

test_pullback, _no_compositions, test_single, test_gradient, test_second_order = row_tests(ROWS)

HARD = [
    (lambda v: sp.jv(v, 30.0), lambda v: mpmath.besselj(v, 30), 12.3),
    (lambda v: sp.jv(v, 2.0), lambda v: mpmath.besselj(v, 2), 0.0),
    (lambda v: sp.kv(v, 0.1), lambda v: mpmath.besselk(v, mpmath.mpf("0.1")), 3.7),
    (lambda v: sp.iv(v, 25.0), lambda v: mpmath.besseli(v, 25), 40.0),
    (lambda c: sp.hyp2f1(1.2, 0.4, c, 0.9), lambda c: mpmath.hyp2f1(1.2, 0.4, c, 0.9), 0.02),
    (lambda p: sp.inv_boxcox(100.0, p), lambda p: (1 + 100 * p) ** (1 / p), 1e-3),
    (lambda m: sp.ellipkinc(20.0, m), lambda m: mpmath.ellipf(20, m), 0.99),
    (lambda m: sp.ellipkinc(0.3, m), lambda m: mpmath.ellipf(mpmath.mpf(0.3), m), 5.0),
]


@pytest.mark.parametrize("function, exact, x", HARD)
def test_hard_points(function, exact, x):
    mpmath.mp.dps = 40
    try:
        expected = float(mpmath.diff(exact, mpmath.mpf(x)))
    finally:
        mpmath.mp.dps = 15
    np.testing.assert_allclose(gradient(function, x)[0], expected, rtol=1e-9)
