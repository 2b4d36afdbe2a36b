"""scipy.special, second part: Bessel and Airy functions, hypergeometric functions, orthogonal polynomials.

All by their argument; an order, a degree or a parameter that is active is refused. In parentheses the equation of the
NIST Digital Library of Mathematical Functions, dlmf.nist.gov.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sp

from .registry import elementwise, existing, refused, rule
from .scipy_special import unknown
from .vocabulary import conj, filled

# ---- Bessel functions: by the argument, by the recurrences of neighbouring orders (10.6, 10.29)
elementwise(
    sp.jv, lambda out, v, z: unknown("the order of jv"), lambda out, v, z: 0.5 * (sp.jv(v - 1, z) - sp.jv(v + 1, z))
)
elementwise(
    sp.yv, lambda out, v, z: unknown("the order of yv"), lambda out, v, z: 0.5 * (sp.yv(v - 1, z) - sp.yv(v + 1, z))
)
elementwise(
    sp.yn, lambda out, n, x: unknown("the order of yn"), lambda out, n, x: 0.5 * (sp.yv(n - 1, x) - sp.yv(n + 1, x))
)
elementwise(
    sp.iv, lambda out, v, z: unknown("the order of iv"), lambda out, v, z: 0.5 * (sp.iv(v - 1, z) + sp.iv(v + 1, z))
)
elementwise(
    sp.kv, lambda out, v, z: unknown("the order of kv"), lambda out, v, z: -0.5 * (sp.kv(v - 1, z) + sp.kv(v + 1, z))
)
elementwise(
    sp.kn, lambda out, n, x: unknown("the order of kn"), lambda out, n, x: -0.5 * (sp.kv(n - 1, x) + sp.kv(n + 1, x))
)
elementwise(
    sp.hankel1,
    lambda out, v, z: unknown("the order of hankel1"),
    lambda out, v, z: 0.5 * (sp.hankel1(v - 1, z) - sp.hankel1(v + 1, z)),
)
elementwise(
    sp.hankel2,
    lambda out, v, z: unknown("the order of hankel2"),
    lambda out, v, z: 0.5 * (sp.hankel2(v - 1, z) - sp.hankel2(v + 1, z)),
)
elementwise(
    sp.hankel1e,
    lambda out, v, z: unknown("the order of hankel1e"),
    lambda out, v, z: 0.5 * (sp.hankel1e(v - 1, z) - sp.hankel1e(v + 1, z)) - 1j * out,
)
elementwise(
    sp.hankel2e,
    lambda out, v, z: unknown("the order of hankel2e"),
    lambda out, v, z: 0.5 * (sp.hankel2e(v - 1, z) - sp.hankel2e(v + 1, z)) + 1j * out,
)
elementwise(
    sp.ive,
    lambda out, v, z: unknown("the order of ive"),
    lambda out, v, z: 0.5 * (sp.ive(v - 1, z) + sp.ive(v + 1, z)) - sign_of_real(z) * out,
)
elementwise(
    sp.kve,
    lambda out, v, z: unknown("the order of kve"),
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
    lambda out, a, b, c, z: unknown("the parameter a of hyp2f1"),
    lambda out, a, b, c, z: unknown("the parameter b of hyp2f1"),
    lambda out, a, b, c, z: unknown("the parameter c of hyp2f1"),
    lambda out, a, b, c, z: a * b / c * sp.hyp2f1(a + 1, b + 1, c + 1, z),
)
elementwise(
    sp.hyp1f1,
    lambda out, a, b, x: unknown("the parameter a of hyp1f1"),
    lambda out, a, b, x: unknown("the parameter b of hyp1f1"),
    lambda out, a, b, x: a / b * sp.hyp1f1(a + 1, b + 1, x),
)
elementwise(
    sp.hyperu,
    lambda out, a, b, x: unknown("the parameter a of hyperu"),
    lambda out, a, b, x: unknown("the parameter b of hyperu"),
    lambda out, a, b, x: -a * sp.hyperu(a + 1, b + 1, x),
)
elementwise(
    sp.hyp0f1, lambda out, v, z: unknown("the parameter v of hyp0f1"), lambda out, v, z: sp.hyp0f1(v + 1, z) / v
)
elementwise(
    sp.eval_jacobi,
    lambda out, n, alpha, beta, x: unknown("the degree of eval_jacobi"),
    lambda out, n, alpha, beta, x: unknown("the parameter alpha of eval_jacobi"),
    lambda out, n, alpha, beta, x: unknown("the parameter beta of eval_jacobi"),
    lambda out, n, alpha, beta, x: jacobi_partial(n, alpha, beta, x),
)
elementwise(
    sp.eval_gegenbauer,
    lambda out, n, alpha, x: unknown("the degree of eval_gegenbauer"),
    lambda out, n, alpha, x: unknown("the parameter alpha of eval_gegenbauer"),
    lambda out, n, alpha, x: 2 * alpha * gegenbauer_below(n, alpha + 1, x),
)
elementwise(
    sp.eval_genlaguerre,
    lambda out, n, alpha, x: unknown("the degree of eval_genlaguerre"),
    lambda out, n, alpha, x: unknown("the parameter alpha of eval_genlaguerre"),
    lambda out, n, alpha, x: laguerre_partial(n, alpha, x),
)
elementwise(
    sp.eval_legendre,
    lambda out, n, x: unknown("the degree of eval_legendre"),
    lambda out, n, x: jacobi_partial(n, 0, 0, x),
)
elementwise(
    sp.eval_sh_legendre,
    lambda out, n, x: unknown("the degree of eval_sh_legendre"),
    lambda out, n, x: 2 * jacobi_partial(n, 0, 0, 2 * x - 1),
)
elementwise(
    sp.eval_chebyt,
    lambda out, n, x: unknown("the degree of eval_chebyt"),
    lambda out, n, x: n * gegenbauer_below(n, 1, x),
)
elementwise(
    sp.eval_chebyu,
    lambda out, n, x: unknown("the degree of eval_chebyu"),
    lambda out, n, x: 2 * gegenbauer_below(n, 2, x),
)
elementwise(
    sp.eval_chebyc,
    lambda out, n, x: unknown("the degree of eval_chebyc"),
    lambda out, n, x: n * gegenbauer_below(n, 1, 0.5 * x),
)
elementwise(
    sp.eval_chebys,
    lambda out, n, x: unknown("the degree of eval_chebys"),
    lambda out, n, x: gegenbauer_below(n, 2, 0.5 * x),
)
elementwise(
    sp.eval_sh_chebyt,
    lambda out, n, x: unknown("the degree of eval_sh_chebyt"),
    lambda out, n, x: 2 * n * gegenbauer_below(n, 1, 2 * x - 1),
)
elementwise(
    sp.eval_sh_chebyu,
    lambda out, n, x: unknown("the degree of eval_sh_chebyu"),
    lambda out, n, x: 4 * gegenbauer_below(n, 2, 2 * x - 1),
)
elementwise(
    sp.eval_laguerre,
    lambda out, n, x: unknown("the degree of eval_laguerre"),
    lambda out, n, x: laguerre_partial(n, 0, x),
)
elementwise(
    sp.eval_hermite,
    lambda out, n, x: unknown("the degree of eval_hermite"),
    lambda out, n, x: 2 * n * sp.eval_hermite(below(n), x),
)
elementwise(
    sp.eval_hermitenorm,
    lambda out, n, x: unknown("the degree of eval_hermitenorm"),
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


# ---- the rest
refused(
    *existing(
        sp,
        "agm airye assoc_laguerre assoc_legendre_p assoc_legendre_p_all bdtr bdtrc bdtri bdtrik bdtrin beip berp"
        " besselpoly betaincc betainccinv btdtria btdtrib cg_roots chdtri chdtriv chebyc chebys chebyt chebyu"
        " chndtr chndtridf chndtrinc chndtrix diric ellip_harm ellip_harm_2 ellip_normal ellipj elliprc elliprd"
        " elliprf elliprg elliprj eval_sh_jacobi fdtr fdtrc fdtri fdtridfd gdtr gdtrc gdtria gdtrib gdtrix"
        " gegenbauer genlaguerre h1vp h2vp hermite hermitenorm it2i0k0 it2j0y0 it2struve0 itairy ivp j_roots"
        " jacobi js_roots jve jvp keip kelvin kerp kolmogi kolmogorov kvp la_roots laguerre legendre legendre_p"
        " btdtr btdtri clpmn legendre_p_all"
        " lmbda log_wright_bessel lpmn lpmv lpn lqmn lqn mathieu_a mathieu_b mathieu_cem mathieu_even_coef"
        " mathieu_modcem1 mathieu_modcem2 mathieu_modsem1 mathieu_modsem2 mathieu_odd_coef mathieu_sem modfresnelm"
        " modfresnelp modstruve nbdtr nbdtrc nbdtri nbdtrik nbdtrin ncfdtr ncfdtri ncfdtridfd ncfdtridfn ncfdtrinc"
        " nctdtr nctdtridf nctdtrinc nctdtrit nrdtrimn nrdtrisd obl_ang1 obl_ang1_cv obl_cv obl_cv_seq obl_rad1"
        " obl_rad1_cv obl_rad2 obl_rad2_cv pbdn_seq pbdv pbdv_seq pbvv pbvv_seq pbwa pdtr pdtrc pdtri pdtrik perm"
        " pro_ang1 pro_ang1_cv pro_cv pro_cv_seq pro_rad1 pro_rad1_cv pro_rad2 pro_rad2_cv riccati_jn riccati_yn"
        " roots_gegenbauer roots_genlaguerre roots_jacobi roots_sh_jacobi sh_chebyt sh_chebyu sh_jacobi"
        " sh_legendre smirnov smirnovi sph_harm_y sph_harm_y_all sph_legendre_p sph_legendre_p_all sph_harm stdtridf"
        " stdtrit struve tklmbda voigt_profile wright_bessel yve yvp zetac",
    ),
    reason="no formula for its derivative is stated",
    way_out="give a helper of your own a rule, engine.rule(helper, ...)",
)
