"""scipy.special, second part: Bessel and Airy functions, hypergeometric functions, orthogonal polynomials.

By their argument; by an order, a degree or a parameter, by differences. In parentheses the equation of the NIST
Digital Library of Mathematical Functions, dlmf.nist.gov.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sp

from ..registry import elementwise, rule
from ..vocabulary import conj, filled
from .parameters import ALL, between_poles, by_differences
from .special import unknown

# ---- Bessel functions: by the argument, by the recurrences of neighbouring orders (10.6, 10.29)
elementwise(
    sp.jv,
    lambda out, v, z: by_differences(sp.jv, 0, ALL, v, z),
    lambda out, v, z: 0.5 * (sp.jv(v - 1, z) - sp.jv(v + 1, z)),
)
elementwise(
    sp.yv,
    lambda out, v, z: by_differences(sp.yv, 0, ALL, v, z),
    lambda out, v, z: 0.5 * (sp.yv(v - 1, z) - sp.yv(v + 1, z)),
)
elementwise(sp.yn, None, lambda out, n, x: 0.5 * (sp.yv(n - 1, x) - sp.yv(n + 1, x)))
elementwise(
    sp.iv,
    lambda out, v, z: by_differences(sp.iv, 0, ALL, v, z),
    lambda out, v, z: 0.5 * (sp.iv(v - 1, z) + sp.iv(v + 1, z)),
)
elementwise(
    sp.kv,
    lambda out, v, z: by_differences(sp.kv, 0, ALL, v, z),
    lambda out, v, z: -0.5 * (sp.kv(v - 1, z) + sp.kv(v + 1, z)),
)
elementwise(sp.kn, None, lambda out, n, x: -0.5 * (sp.kv(n - 1, x) + sp.kv(n + 1, x)))
elementwise(
    sp.hankel1,
    lambda out, v, z: by_differences(sp.hankel1, 0, ALL, v, z),
    lambda out, v, z: 0.5 * (sp.hankel1(v - 1, z) - sp.hankel1(v + 1, z)),
)
elementwise(
    sp.hankel2,
    lambda out, v, z: by_differences(sp.hankel2, 0, ALL, v, z),
    lambda out, v, z: 0.5 * (sp.hankel2(v - 1, z) - sp.hankel2(v + 1, z)),
)
elementwise(
    sp.hankel1e,
    lambda out, v, z: by_differences(sp.hankel1e, 0, ALL, v, z),
    lambda out, v, z: 0.5 * (sp.hankel1e(v - 1, z) - sp.hankel1e(v + 1, z)) - 1j * out,
)
elementwise(
    sp.hankel2e,
    lambda out, v, z: by_differences(sp.hankel2e, 0, ALL, v, z),
    lambda out, v, z: 0.5 * (sp.hankel2e(v - 1, z) - sp.hankel2e(v + 1, z)) + 1j * out,
)
elementwise(
    sp.ive,
    lambda out, v, z: by_differences(sp.ive, 0, ALL, v, z),
    lambda out, v, z: 0.5 * (sp.ive(v - 1, z) + sp.ive(v + 1, z)) - sign_of_real(z) * out,
)
elementwise(
    sp.kve,
    lambda out, v, z: by_differences(sp.kve, 0, ALL, v, z),
    lambda out, v, z: out - 0.5 * (sp.kve(v - 1, z) + sp.kve(v + 1, z)),
)
elementwise(sp.j0, lambda out, x: -sp.j1(x))
elementwise(sp.j1, lambda out, x: 0.5 * (sp.j0(x) - sp.jv(2, x)))
elementwise(sp.y0, lambda out, x: -sp.y1(x))
elementwise(sp.y1, lambda out, x: 0.5 * (sp.y0(x) - sp.yv(2, x)))
elementwise(sp.i0, lambda out, x: sp.i1(x))
elementwise(sp.i1, lambda out, x: 0.5 * (sp.i0(x) + sp.iv(2, x)))
elementwise(sp.i0e, lambda out, x: sp.i1e(x) - np.sign(x) * out)
elementwise(sp.i1e, lambda out, x: 0.5 * (sp.i0e(x) + sp.ive(2, x)) - np.sign(x) * out)
elementwise(sp.k0, lambda out, x: -sp.k1(x))
elementwise(sp.k1, lambda out, x: -0.5 * (sp.k0(x) + sp.kv(2, x)))
elementwise(sp.k0e, lambda out, x: out - sp.k1e(x))
elementwise(sp.k1e, lambda out, x: out - 0.5 * (sp.k0e(x) + sp.kve(2, x)))
elementwise(sp.ber, lambda out, x: sp.berp(x))
elementwise(sp.bei, lambda out, x: sp.beip(x))
elementwise(sp.ker, lambda out, x: sp.kerp(x))
elementwise(sp.kei, lambda out, x: sp.keip(x))
rule(sp.airy, z=lambda d, out, z, /: airy_pullback(filled(d, out), out, z))
rule(
    sp.spherical_jn,
    z=lambda d, out, n, z, derivative=False: d * conj(spherical_partial(sp.spherical_jn, n, z, derivative, -1)),
)
rule(
    sp.spherical_yn,
    z=lambda d, out, n, z, derivative=False: d * conj(spherical_partial(sp.spherical_yn, n, z, derivative, -1)),
)
rule(
    sp.spherical_in,
    z=lambda d, out, n, z, derivative=False: d * conj(spherical_partial(sp.spherical_in, n, z, derivative, 1)),
)
rule(
    sp.spherical_kn,
    z=lambda d, out, n, z, derivative=False: d * conj(spherical_partial(sp.spherical_kn, n, z, derivative, 1)),
)


def sign_of_real(z: Any) -> Any:
    """The derivative of |Re z| by a real z; of a complex one the scaled function is not holomorphic."""
    if np.iscomplexobj(z):
        unknown("a complex argument of ive, which is not holomorphic: take iv")
    return np.sign(z)


def airy_pullback(d: Any, out: Any, z: Any) -> Any:
    """Ai'' = z Ai, and so for Bi (9.2.1)."""
    ai, aip, bi, bip = [conj(o) for o in out]
    return d[0] * aip + d[1] * conj(z) * ai + d[2] * bip + d[3] * conj(z) * bi


def spherical_partial(function: Any, n: Any, z: Any, derivative: bool, sign: int) -> Any:
    """f', or for the derivative f'' = -2f'/z + (sign + n(n+1)/z²) f (10.47.1, 10.47.2)."""
    first = function(n, z, True)
    return -2 * first / z + (sign + n * (n + 1) / (z * z)) * function(n, z) if derivative else first


# ---- hypergeometric functions and orthogonal polynomials: by the argument
elementwise(
    sp.hyp2f1,
    lambda out, a, b, c, z: by_differences(sp.hyp2f1, 0, ALL, a, b, c, z),
    lambda out, a, b, c, z: by_differences(sp.hyp2f1, 1, ALL, a, b, c, z),
    lambda out, a, b, c, z: by_differences(sp.hyp2f1, 2, between_poles(c), a, b, c, z),
    lambda out, a, b, c, z: a * b / c * sp.hyp2f1(a + 1, b + 1, c + 1, z),
)
elementwise(
    sp.hyp1f1,
    lambda out, a, b, x: by_differences(sp.hyp1f1, 0, ALL, a, b, x),
    lambda out, a, b, x: by_differences(sp.hyp1f1, 1, between_poles(b), a, b, x),
    lambda out, a, b, x: a / b * sp.hyp1f1(a + 1, b + 1, x),
)
elementwise(
    sp.hyperu,
    lambda out, a, b, x: by_differences(sp.hyperu, 0, ALL, a, b, x),
    lambda out, a, b, x: by_differences(sp.hyperu, 1, ALL, a, b, x),
    lambda out, a, b, x: -a * sp.hyperu(a + 1, b + 1, x),
)
elementwise(
    sp.hyp0f1,
    lambda out, v, z: by_differences(sp.hyp0f1, 0, between_poles(v), v, z),
    lambda out, v, z: sp.hyp0f1(v + 1, z) / v,
)
elementwise(
    sp.eval_jacobi,
    lambda out, n, alpha, beta, x: by_differences(sp.eval_jacobi, 0, ALL, n, alpha, beta, x),
    lambda out, n, alpha, beta, x: by_differences(sp.eval_jacobi, 1, (-1, np.inf), n, alpha, beta, x),
    lambda out, n, alpha, beta, x: by_differences(sp.eval_jacobi, 2, (-1, np.inf), n, alpha, beta, x),
    lambda out, n, alpha, beta, x: jacobi_partial(n, alpha, beta, x),
)
elementwise(
    sp.eval_gegenbauer,
    lambda out, n, alpha, x: by_differences(sp.eval_gegenbauer, 0, ALL, n, alpha, x),
    lambda out, n, alpha, x: by_differences(sp.eval_gegenbauer, 1, (-0.5, np.inf), n, alpha, x),
    lambda out, n, alpha, x: 2 * alpha * gegenbauer_below(n, alpha + 1, x),
)
elementwise(
    sp.eval_genlaguerre,
    lambda out, n, alpha, x: by_differences(sp.eval_genlaguerre, 0, ALL, n, alpha, x),
    lambda out, n, alpha, x: by_differences(sp.eval_genlaguerre, 1, (-1, np.inf), n, alpha, x),
    lambda out, n, alpha, x: laguerre_partial(n, alpha, x),
)
elementwise(
    sp.eval_legendre,
    lambda out, n, x: by_differences(sp.eval_legendre, 0, ALL, n, x),
    lambda out, n, x: jacobi_partial(n, 0, 0, x),
)
elementwise(
    sp.eval_sh_legendre,
    lambda out, n, x: by_differences(sp.eval_sh_legendre, 0, ALL, n, x),
    lambda out, n, x: 2 * jacobi_partial(n, 0, 0, 2 * x - 1),
)
elementwise(
    sp.eval_chebyt,
    lambda out, n, x: by_differences(sp.eval_chebyt, 0, ALL, n, x),
    lambda out, n, x: n * gegenbauer_below(n, 1, x),
)
elementwise(
    sp.eval_chebyu,
    lambda out, n, x: by_differences(sp.eval_chebyu, 0, ALL, n, x),
    lambda out, n, x: 2 * gegenbauer_below(n, 2, x),
)
elementwise(
    sp.eval_chebyc,
    lambda out, n, x: by_differences(sp.eval_chebyc, 0, ALL, n, x),
    lambda out, n, x: n * gegenbauer_below(n, 1, 0.5 * x),
)
elementwise(
    sp.eval_chebys,
    lambda out, n, x: by_differences(sp.eval_chebys, 0, ALL, n, x),
    lambda out, n, x: gegenbauer_below(n, 2, 0.5 * x),
)
elementwise(
    sp.eval_sh_chebyt,
    lambda out, n, x: by_differences(sp.eval_sh_chebyt, 0, ALL, n, x),
    lambda out, n, x: 2 * n * gegenbauer_below(n, 1, 2 * x - 1),
)
elementwise(
    sp.eval_sh_chebyu,
    lambda out, n, x: by_differences(sp.eval_sh_chebyu, 0, ALL, n, x),
    lambda out, n, x: 4 * gegenbauer_below(n, 2, 2 * x - 1),
)
elementwise(
    sp.eval_laguerre,
    lambda out, n, x: by_differences(sp.eval_laguerre, 0, ALL, n, x),
    lambda out, n, x: laguerre_partial(n, 0, x),
)
elementwise(
    sp.eval_hermite,
    None,
    lambda out, n, x: 2 * n * sp.eval_hermite(below(n), x),
)
elementwise(
    sp.eval_hermitenorm,
    None,
    lambda out, n, x: n * sp.eval_hermitenorm(below(n), x),
)


def below(n: Any) -> Any:
    """n - 1, but 0 for 0: a polynomial of degree 0 has slope 0, which the caller's factor says."""
    return n - np.not_equal(n, 0)


def jacobi_partial(n: Any, alpha: Any, beta: Any, x: Any) -> Any:
    """½(n + α + β + 1) P_{n-1}^(α+1, β+1) (18.9.15)."""
    factor = 0.5 * (n + alpha + beta + 1) * np.not_equal(n, 0)
    return factor * sp.eval_jacobi(below(n), alpha + 1, beta + 1, x)


def gegenbauer_below(n: Any, alpha: Any, x: Any) -> Any:
    """C_{n-1}^α, 0 for n = 0; α = 1 gives the Chebyshev polynomials of the second kind."""
    return np.not_equal(n, 0) * sp.eval_gegenbauer(below(n), alpha, x)


def laguerre_partial(n: Any, alpha: Any, x: Any) -> Any:
    """-L_{n-1}^(α+1) (18.9.23)."""
    return -1.0 * np.not_equal(n, 0) * sp.eval_genlaguerre(below(n), alpha + 1, x)
