"""scipy.special, fifth part: distribution functions, integrals of functions that have a rule, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sp

from ..registry import elementwise, existing, refused, rule
from .parameters import ALL, by_differences, like
from .shapes import betainc_by_a, betainc_by_b, gammainc_by_shape
from .special import beta_density, gamma_density, of_two, student_density

# ---- distributions of counts: steps in the counts, by the probability or the mean
elementwise(sp.pdtr, None, lambda out, k, m: like(out, -gamma_density(np.floor(k) + 1, m)))
elementwise(sp.pdtrc, None, lambda out, k, m: like(out, gamma_density(np.floor(k) + 1, m)))
elementwise(sp.pdtri, None, lambda out, k, y: like(out, -1 / gamma_density(k + 1, out)))
elementwise(sp.bdtr, None, None, lambda out, k, n, p: like(out, -beta_density(n - np.floor(k), np.floor(k) + 1, 1 - p)))
elementwise(sp.bdtrc, None, None, lambda out, k, n, p: like(out, beta_density(n - np.floor(k), np.floor(k) + 1, 1 - p)))
elementwise(sp.nbdtr, None, None, lambda out, k, n, p: like(out, beta_density(n, k + 1, p)))
elementwise(sp.nbdtrc, None, None, lambda out, k, n, p: like(out, -beta_density(n, k + 1, p)))

# ---- continuous distributions
elementwise(
    sp.gdtr,
    lambda out, a, b, x: like(out, x * gamma_density(b, a * x)),
    lambda out, a, b, x: like(out, gammainc_by_shape(b, a * x)),
    lambda out, a, b, x: like(out, a * gamma_density(b, a * x)),
)
elementwise(
    sp.gdtrc,
    lambda out, a, b, x: like(out, -x * gamma_density(b, a * x)),
    lambda out, a, b, x: like(out, -gammainc_by_shape(b, a * x)),
    lambda out, a, b, x: like(out, -a * gamma_density(b, a * x)),
)
elementwise(
    sp.chdtri,
    lambda out, v, p: -gammainc_by_shape(0.5 * v, 0.5 * out) / gamma_density(0.5 * v, 0.5 * out),
    lambda out, v, p: -2 / gamma_density(0.5 * v, 0.5 * out),
)
elementwise(
    sp.fdtr,
    lambda out, m, n, x: like(out, f_slopes(m, n, x)[0]),
    lambda out, m, n, x: like(out, f_slopes(m, n, x)[1]),
    lambda out, m, n, x: like(out, f_slopes(m, n, x)[2]),
)
elementwise(
    sp.fdtrc,
    lambda out, m, n, x: like(out, -f_slopes(m, n, x)[0]),
    lambda out, m, n, x: like(out, -f_slopes(m, n, x)[1]),
    lambda out, m, n, x: like(out, -f_slopes(m, n, x)[2]),
)
elementwise(
    sp.stdtrit,
    lambda out, df, p: -by_differences(sp.stdtr, 0, (0, np.inf), df, out) / student_density(df, out),
    lambda out, df, p: 1 / student_density(df, out),
)
elementwise(
    sp.voigt_profile,
    lambda out, x, sigma, gamma: voigt_slopes(out, x, sigma, gamma)[0],
    lambda out, x, sigma, gamma: voigt_slopes(out, x, sigma, gamma)[1],
    lambda out, x, sigma, gamma: voigt_slopes(out, x, sigma, gamma)[2],
)


def f_slopes(m: Any, n: Any, x: Any) -> tuple:
    """The partials of I_u(m/2, n/2), u = m x / (m x + n)."""
    whole = m * x + n
    u = m * x / whole
    density = beta_density(0.5 * m, 0.5 * n, u) / (whole * whole)
    return (
        0.5 * betainc_by_a(0.5 * m, 0.5 * n, u) + density * n * x,
        0.5 * betainc_by_b(0.5 * m, 0.5 * n, u) - density * m * x,
        density * m * n,
    )


def voigt_slopes(out: Any, x: Any, sigma: Any, gamma: Any) -> tuple:
    """Of Re w(z) / (σ sqrt(2π)), z = (x + iγ) / (σ sqrt(2)), with w' = -2 z w + 2i / sqrt(π) (7.10.2)."""
    width = sigma * math.sqrt(2)
    z = (x + 1j * gamma) / width
    slope = (-2 * z * sp.wofz(z) + 2j / math.sqrt(math.pi)) / (width * width * math.sqrt(math.pi))
    return np.real(slope), -(out + np.real(slope * z) * width) / sigma, -np.imag(slope)


# ---- Kelvin's and Struve's functions, elliptic integrals
elementwise(sp.berp, lambda out, x: -sp.bei(x) - out / x)
elementwise(sp.beip, lambda out, x: sp.ber(x) - out / x)
elementwise(sp.kerp, lambda out, x: -sp.kei(x) - out / x)
elementwise(sp.keip, lambda out, x: sp.ker(x) - out / x)
elementwise(
    sp.struve,
    lambda out, v, x: by_differences(sp.struve, 0, ALL, v, x),
    lambda out, v, x: 0.5 * (sp.struve(v - 1, x) - sp.struve(v + 1, x) + struve_part(v, x)),
)
elementwise(
    sp.modstruve,
    lambda out, v, x: by_differences(sp.modstruve, 0, ALL, v, x),
    lambda out, v, x: 0.5 * (sp.modstruve(v - 1, x) + sp.modstruve(v + 1, x) + struve_part(v, x)),
)
elementwise(
    sp.elliprd,
    lambda out, x, y, z: by_differences(sp.elliprd, 0, (0, np.inf), x, y, z),
    lambda out, x, y, z: by_differences(sp.elliprd, 1, (0, np.inf), x, y, z),
    lambda out, x, y, z: by_differences(sp.elliprd, 2, (0, np.inf), x, y, z),
)
elementwise(
    sp.elliprf,
    lambda out, x, y, z: -sp.elliprd(y, z, x) / 6,
    lambda out, x, y, z: -sp.elliprd(z, x, y) / 6,
    lambda out, x, y, z: -sp.elliprd(x, y, z) / 6,
)
elementwise(
    sp.agm,
    lambda out, a, b: by_differences(sp.agm, 0, (0, np.inf), a, b),
    lambda out, a, b: by_differences(sp.agm, 1, (0, np.inf), a, b),
)


def struve_part(v: Any, x: Any) -> Any:
    """(x/2)^v / (sqrt(π) Γ(v + 3/2)) (11.4.27, 11.4.29)."""
    return (0.5 * x) ** v * sp.rgamma(v + 1.5) / math.sqrt(math.pi)


# ---- integrals, two at a time
rule(sp.it2j0y0, x=lambda d, out, x, /: of_two(d, out, (1 - sp.j0(x)) / x, -sp.y0(x) / x))
rule(sp.it2i0k0, x=lambda d, out, x, /: of_two(d, out, (sp.i0(x) - 1) / x, -sp.k0(x) / x))
elementwise(sp.it2struve0, lambda out, x: like(out, -sp.struve(0, x) / x))

# ---- refused, each for a reason of its own kind
refused(
    *existing(
        sp,
        "chebyc chebys chebyt chebyu gegenbauer genlaguerre hermite hermitenorm jacobi laguerre legendre sh_chebyt"
        " sh_chebyu sh_jacobi sh_legendre",
    ),
    reason="it makes an object of numpy.poly1d, which keeps its coefficients where only NumPy's own functions look",
    way_out="the function of the same polynomial, eval_legendre(n, x) and its kin",
)
refused(
    *existing(
        sp,
        "cg_roots j_roots js_roots la_roots roots_gegenbauer roots_genlaguerre roots_jacobi roots_sh_jacobi",
    ),
    reason="its nodes are the eigenvalues of a matrix that SciPy builds and polishes out of sight",
    way_out="nodes of constant parameters, engine.stop_gradient(alpha)",
)
refused(
    *existing(
        sp,
        "obl_ang1 obl_ang1_cv obl_cv obl_cv_seq obl_rad1 obl_rad1_cv obl_rad2 obl_rad2_cv pro_ang1 pro_ang1_cv"
        " pro_cv pro_cv_seq pro_rad1 pro_rad1_cv pro_rad2 pro_rad2_cv ellip_harm ellip_harm_2 ellip_normal mathieu_a"
        " mathieu_b mathieu_cem mathieu_even_coef mathieu_modcem1 mathieu_modcem2 mathieu_modsem1 mathieu_modsem2"
        " mathieu_odd_coef mathieu_sem",
    ),
    reason="it solves an eigenvalue problem of its own, of which SciPy gives too few digits to be differenced",
    way_out="a matrix of your own and numpy.linalg.eigh, or engine.rule(helper, ...)",
)
refused(
    *existing(
        sp,
        "btdtria btdtrib bdtrik bdtrin chdtriv chndtridf chndtrinc chndtrix fdtridfd gdtria gdtrib gdtrix nbdtrik"
        " nbdtrin ncfdtri ncfdtridfd ncfdtridfn ncfdtrinc nctdtridf nctdtrinc nctdtrit nrdtrimn nrdtrisd pdtrik"
        " stdtridf bdtri nbdtri fdtri btdtri betainccinv kolmogi smirnovi",
    ),
    reason="it searches for a parameter of a distribution function, to a tolerance of the search",
    way_out="implicit differentiation of that function: engine.rule(helper, p=lambda d, out, p: d / density(out))",
)
refused(
    *existing(sp, "ncfdtr nctdtr chndtr kolmogorov smirnov tklmbda besselpoly btdtr"),
    reason="SciPy sums it by pieces, to a tolerance, so that differences of it say nothing",
    way_out="engine.rule(helper, ...) with the density",
)
