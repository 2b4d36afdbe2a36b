"""scipy.special, seventh part: associated Legendre functions, spherical harmonics, and sums that close by recurrences.

In parentheses the equation of the NIST Digital Library of Mathematical Functions, dlmf.nist.gov.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sp

from ..registry import composition, constant, elementwise, existing, refused, rule
from ..vocabulary import conj, refuse
from .bessel import jacobi_partial
from .parameters import ALL, by_differences, like
from .shapes import betainc_by_a, betainc_by_b
from .special import beta_density, unknown, zeta_slope

# ---- associated Legendre functions on the cut, by the argument
rule(
    sp.lpmv,
    v=lambda d, out, m, v, x, /: unknown("the degree of an associated Legendre function"),
    x=lambda d, out, m, v, x, /: d * lpmv_slope(out, m, v, x),
)
for _function in existing(sp, "legendre_p"):
    rule(
        _function,
        z=lambda d, out, n, z, *, diff_n=0: d * conj(like(out, jacobi_partial(n, 0, 0, only_values(z, diff_n)))),
    )
for _function in existing(sp, "assoc_legendre_p"):
    rule(
        _function,
        z=lambda d, out, n, m, z, *, branch_cut=2, norm=False, diff_n=0: d * on_the_cut(
            out, n, m, only_values(z, diff_n), branch_cut, norm
        ),
    )  # fmt: skip


def lpmv_slope(out: Any, m: Any, v: Any, x: Any) -> Any:
    """((v + 1) x P_v^m - (v - m + 1) P_{v+1}^m) / (1 - x²) (14.10.5); at ±1 it is known for the order 0 only."""
    room = (1 - x) * (1 + x)
    ends = room == 0
    inside = ((v + 1) * x * out - (v - m + 1) * sp.lpmv(m, v + 1, x)) / np.where(ends, 1, room)
    at_ends = jacobi_partial(np.where(ends & np.equal(m, 0), v, 0), 0, 0, x)
    return like(out, np.where(ends, np.where(np.equal(m, 0), at_ends, np.nan), inside))


def on_the_cut(out: Any, n: Any, m: Any, z: Any, branch_cut: int, norm: bool) -> Any:
    """Likewise, unless it is another function of this name."""
    if norm or branch_cut != 2 or np.iscomplexobj(z):
        refuse("scipy.special.assoc_legendre_p of complex numbers, or normed", "lpmv, with factors of your own")
    return lpmv_slope(out, m, n, z)


def only_values(z: Any, diff_n: int) -> Any:
    """The argument, where no derivatives are asked for."""
    if diff_n != 0:
        refuse("a Legendre function with diff_n=", "engine.grad of the function without it")
    return z


# ---- spherical harmonics: in the polar angle two neighbouring orders, none of which is singular at a pole
if hasattr(sp, "sph_harm_y"):
    rule(
        sp.sph_harm_y,
        theta=lambda d, out, n, m, theta, phi, *, diff_n=0: d * conj(polar_slope(
            lambda k: sp.sph_harm_y(n, k, only_values(theta, diff_n), phi) * np.exp(1j * (m - k) * phi), n, m
        )),
        phi=lambda d, out, n, m, theta, phi, *, diff_n=0: d * conj(1j * m * out),
    )  # fmt: skip
    rule(
        sp.sph_legendre_p,
        theta=lambda d, out, n, m, theta, *, diff_n=0: d * polar_slope(
            lambda k: sp.sph_legendre_p(n, k, only_values(theta, diff_n)), n, m
        ),
    )  # fmt: skip
for _function in existing(sp, "sph_harm"):  # its theta is the azimuth, and phi the polar angle
    rule(
        _function,
        theta=lambda d, out, m, n, theta, phi, /: d * conj(1j * m * out),
        phi=lambda d, out, m, n, theta, phi, /: d * conj(polar_slope(
            lambda k: sp.sph_harm(k, n, theta, phi) * np.exp(1j * (m - k) * theta), n, m
        )),
    )  # fmt: skip


def polar_slope(at_order: Any, n: Any, m: Any) -> Any:
    """½ (sqrt((n - m)(n + m + 1)) Y_{m+1} e^{-iφ} - sqrt((n + m)(n - m + 1)) Y_{m-1} e^{iφ}) (14.10.3, 14.30.1)."""
    up, down = (n - m) * (n + m + 1), (n + m) * (n - m + 1)
    above, below = at_order(np.where(up > 0, m + 1, m)), at_order(np.where(down > 0, m - 1, m))
    return 0.5 * (np.sqrt(np.maximum(up, 0)) * above - np.sqrt(np.maximum(down, 0)) * below)


# ---- all degrees from 0 to n, and all orders from 0 to m and from -m to -1
def degrees(n: int, axes: int) -> np.ndarray:
    """0 to n, before that many axes."""
    return np.reshape(np.arange(n + 1), (-1,) + (1,) * axes)


def all_orders(m: int, axes: int) -> np.ndarray:
    """0 to m, and -m to -1, before that many axes."""
    return np.reshape(np.concatenate([np.arange(m + 1), np.arange(-m, 0)]), (-1,) + (1,) * axes)


if hasattr(sp, "legendre_p_all"):
    composition(sp.legendre_p_all, lambda n, z, *, diff_n=0: sp.legendre_p(degrees(n, np.ndim(z)), z, diff_n=diff_n))
    composition(
        sp.sph_legendre_p_all,
        lambda n, m, theta, *, diff_n=0: sp.sph_legendre_p(
            degrees(n, np.ndim(theta) + 1), all_orders(m, np.ndim(theta)), theta, diff_n=diff_n
        ),
    )
    composition(
        sp.sph_harm_y_all,
        lambda n, m, theta, phi, *, diff_n=0: sp.sph_harm_y(
            degrees(n, np.ndim(theta + phi) + 1), all_orders(m, np.ndim(theta + phi)), theta, phi, diff_n=diff_n
        ),
    )
    constant(degrees, all_orders)
    refused(
        sp.assoc_legendre_p_all,
        reason="those of negative orders beyond the degree are zeros, where lpmv, which gives the slopes, has a pole",
        way_out="assoc_legendre_p, in a loop over the degrees and orders that are wanted",
    )

# ---- derivatives of Bessel functions: the next one
rule(
    sp.jvp,
    v=lambda d, out, v, z, n=1: d * conj(by_differences(sp.jvp, 0, ALL, v, z, n)),
    z=lambda d, out, v, z, n=1: d * conj(sp.jvp(v, z, n + 1)),
)
rule(
    sp.yvp,
    v=lambda d, out, v, z, n=1: d * conj(by_differences(sp.yvp, 0, ALL, v, z, n)),
    z=lambda d, out, v, z, n=1: d * conj(sp.yvp(v, z, n + 1)),
)
rule(
    sp.ivp,
    v=lambda d, out, v, z, n=1: d * conj(by_differences(sp.ivp, 0, ALL, v, z, n)),
    z=lambda d, out, v, z, n=1: d * conj(sp.ivp(v, z, n + 1)),
)
rule(
    sp.kvp,
    v=lambda d, out, v, z, n=1: d * conj(by_differences(sp.kvp, 0, ALL, v, z, n)),
    z=lambda d, out, v, z, n=1: d * conj(sp.kvp(v, z, n + 1)),
)
rule(
    sp.h1vp,
    v=lambda d, out, v, z, n=1: d * conj(by_differences(sp.h1vp, 0, ALL, v, z, n)),
    z=lambda d, out, v, z, n=1: d * conj(sp.h1vp(v, z, n + 1)),
)
rule(
    sp.h2vp,
    v=lambda d, out, v, z, n=1: d * conj(by_differences(sp.h2vp, 0, ALL, v, z, n)),
    z=lambda d, out, v, z, n=1: d * conj(sp.h2vp(v, z, n + 1)),
)
elementwise(
    sp.jve,
    lambda out, v, z: by_differences(sp.jve, 0, ALL, v, z),
    lambda out, v, z: 0.5 * (sp.jve(v - 1, only_real(z)) - sp.jve(v + 1, z)),
)
elementwise(
    sp.yve,
    lambda out, v, z: by_differences(sp.yve, 0, ALL, v, z),
    lambda out, v, z: 0.5 * (sp.yve(v - 1, only_real(z)) - sp.yve(v + 1, z)),
)


def only_real(z: Any) -> Any:
    """A real argument, at which the scale exp(-|Im z|) is 1; of a complex one the function is not holomorphic."""
    if np.iscomplexobj(z):
        unknown("a complex argument of jve or yve, which are not holomorphic: take jv, yv")
    return z


# ---- elliptic integrals of Carlson (19.18.1, 19.20), and others
elementwise(
    sp.elliprc,
    lambda out, x, y: -sp.elliprd(y, only_positive(y), x) / 6,
    lambda out, x, y: -sp.elliprd(x, only_positive(y), y) / 3,
)
elementwise(
    sp.elliprg,
    lambda out, x, y, z: (sp.elliprf(x, y, z) - x * sp.elliprd(y, z, x) / 3) / 4,
    lambda out, x, y, z: (sp.elliprf(x, y, z) - y * sp.elliprd(z, x, y) / 3) / 4,
    lambda out, x, y, z: (sp.elliprf(x, y, z) - z * sp.elliprd(x, y, z) / 3) / 4,
)
elementwise(
    sp.elliprj,
    lambda out, x, y, z, p: by_differences(sp.elliprj, 0, (0, np.inf), x, y, z, p),
    lambda out, x, y, z, p: by_differences(sp.elliprj, 1, (0, np.inf), x, y, z, p),
    lambda out, x, y, z, p: by_differences(sp.elliprj, 2, (0, np.inf), x, y, z, p),
    lambda out, x, y, z, p: by_differences(sp.elliprj, 3, (0, np.inf), x, y, z, only_positive(p)),
)


def only_positive(y: Any) -> Any:
    """An argument at which the integral is none of Cauchy's principal values."""
    if np.any(np.real(y) < 0):
        unknown("an argument below 0, a principal value")
    return y


if hasattr(sp, "betaincc"):
    elementwise(
        sp.betaincc,
        lambda out, a, b, x: like(out, -betainc_by_a(a, b, x)),
        lambda out, a, b, x: like(out, -betainc_by_b(a, b, x)),
        lambda out, a, b, x: like(out, -beta_density(a, b, x)),
    )
elementwise(sp.zetac, lambda out, x: zeta_slope(x, None))
elementwise(
    sp.wright_bessel,
    lambda out, a, b, x: unknown("a parameter of Wright's function"),
    lambda out, a, b, x: unknown("a parameter of Wright's function"),
    lambda out, a, b, x: sp.wright_bessel(a, a + b, x),
)
for _function in existing(sp, "log_wright_bessel"):
    elementwise(
        _function,
        lambda out, a, b, x: unknown("a parameter of Wright's function"),
        lambda out, a, b, x: unknown("a parameter of Wright's function"),
        lambda out, a, b, x: np.exp(sp.log_wright_bessel(a, a + b, x) - out),
    )
elementwise(
    sp.eval_sh_jacobi,
    lambda out, n, p, q, x: by_differences(sp.eval_sh_jacobi, 0, ALL, n, p, q, x),
    lambda out, n, p, q, x: by_differences(sp.eval_sh_jacobi, 1, (q - 1, np.inf), n, p, q, x),
    lambda out, n, p, q, x: by_differences(sp.eval_sh_jacobi, 2, (0, p + 1), n, p, q, x),
    lambda out, n, p, q, x: 2 * jacobi_partial(n, p - q, q - 1, 2 * x - 1) / sp.binom(2 * n + p - 1, n),
)
composition(sp.assoc_laguerre, lambda x, n, k=0.0: sp.eval_genlaguerre(n, k, x))
rule(sp.diric, x=lambda d, out, x, n: d * diric_slope(x, n))
rule(
    sp.perm,
    N=lambda d, out, N, k, exact=False: d * perm_slope(out, N, k, 1),
    k=lambda d, out, N, k, exact=False: d * perm_slope(out, N, k, 0),
)


def diric_slope(x: Any, n: Any) -> Any:
    """Of sin(n x/2) / (n sin(x/2)), the mean of the cosines of n frequencies around 0: there no quotient is 0 / 0."""
    if np.ndim(n) != 0:
        refuse("scipy.special.diric of several n", "a call for each")
    total = 0.0
    for k in range(1, n // 2 + 1):
        frequency = k - 0.5 * (n % 2 == 0)
        total = total - 2 * frequency * np.sin(frequency * x)
    return total / n


def perm_slope(out: Any, n: Any, k: Any, by_n: int) -> Any:
    """Of Γ(n + 1) / Γ(n - k + 1); SciPy's value outside of 0 <= k <= n is 0."""
    outside = (k > n) | (k < 0) | (n < 0)
    n, k = np.where(outside, 1, n), np.where(outside, 1, k)  # away from the poles of psi
    return out * (by_n * sp.psi(n + 1) + (1 - 2 * by_n) * sp.psi(n - k + 1))
