"""scipy.special, sixth part: functions with several results, one the derivative of another: their equations close them.

In parentheses the equation of the NIST Digital Library of Mathematical Functions, dlmf.nist.gov.
"""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np
from scipy import special as sp

from ..registry import existing, refused, rule
from ..vocabulary import conj
from .special import ellipkinc_by_m, unknown


def pulled(d: Any, slopes: tuple) -> Any:
    """The cotangent of the argument of several functions with these derivatives; one not asked for stays out."""
    result = None
    for bar, slope in zip(d, slopes, strict=True):
        if bar is not None:
            result = bar * conj(slope) if result is None else result + bar * conj(slope)
    return result


# ---- Airy and Kelvin functions
rule(sp.airye, z=lambda d, out, z, /: airye_pullback(d, out, z))
rule(sp.itairy, x=lambda d, out, x, /: pulled(d, (sp.airy(x)[0], sp.airy(x)[2], sp.airy(-x)[0], sp.airy(-x)[2])))
rule(
    sp.kelvin,
    x=lambda d, out, x, /: pulled(d, (out[2], out[3], 1j * out[0] - out[2] / x, 1j * out[1] - out[3] / x)),
)


def airye_pullback(d: Any, out: Any, z: Any) -> Any:
    """Ai is scaled by exp(ζ), ζ = 2/3 z^(3/2), and Bi by exp(-|Re ζ|), which is not holomorphic (9.2.1)."""
    ai, aip, bi, bip = out
    root = np.sqrt(z)
    if np.iscomplexobj(z):
        if d[2] is not None or d[3] is not None:
            unknown("a complex argument of the scaled Bi, which is not holomorphic: take airy")
        return pulled(d[:2], (aip + root * ai, z * ai + root * aip))
    positive = z > 0
    shrinks = np.where(positive, np.sqrt(np.where(positive, z, 0)), 0)
    return pulled(d, (aip + root * ai, z * ai + root * aip, bip - shrinks * bi, z * bi - shrinks * bip))


# ---- Fresnel's integrals from x to infinity, modified (7.2.10): F = ∫ exp(± i t²) dt
rule(sp.modfresnelp, x=lambda d, out, x, /: modfresnel_pullback(d, out, x, 1j))
rule(sp.modfresnelm, x=lambda d, out, x, /: modfresnel_pullback(d, out, x, -1j))


def modfresnel_pullback(d: Any, out: Any, x: Any, unit: complex) -> Any:
    """F, and K = exp(∓ i (x² + π/4)) F / sqrt(π); SciPy's values for negative numbers are not those of F."""
    if np.any(x < 0):
        unknown("a negative argument of a modified Fresnel integral, at which its value is another function's")
    turn = cmath.exp(-unit * math.pi / 4) / math.sqrt(math.pi)
    return pulled(d, (-np.exp(unit * x * x), -2 * unit * x * out[1] - turn))


# ---- parabolic cylinder functions (12.2.2, 12.2.3), by the argument
rule(
    sp.pbdv,
    v=lambda d, out, v, x, /: unknown("the order of a parabolic cylinder function"),
    x=lambda d, out, v, x, /: pulled(d, (out[1], (x * x / 4 - v - 0.5) * out[0])),
)
rule(
    sp.pbvv,
    v=lambda d, out, v, x, /: unknown("the order of a parabolic cylinder function"),
    x=lambda d, out, v, x, /: pulled(d, (out[1], (x * x / 4 - v - 0.5) * out[0])),
)
rule(
    sp.pbwa,
    a=lambda d, out, a, x, /: unknown("the parameter of a parabolic cylinder function"),
    x=lambda d, out, a, x, /: pulled(d, (out[1], (a - x * x / 4) * out[0])),
)

# ---- Jacobi's elliptic functions (22.13.1), and the amplitude φ = am(u, m): u is the integral of φ and m
rule(
    sp.ellipj,
    u=lambda d, out, u, m, /: pulled(
        d, (out[1] * out[2], -out[0] * out[2], -m * out[0] * out[1], out[2])
    ),
    m=lambda d, out, u, m, /: pulled(d, ellipj_by_m(out, m)),
)  # fmt: skip


def ellipj_by_m(out: Any, m: Any) -> tuple:
    """Of u = F(φ, m): φ moves by -dn ∂F/∂m."""
    sn, cn, dn, phi = out
    turn = -dn * ellipkinc_by_m(phi, m)
    return cn * turn, -sn * turn, -(sn * sn + 2 * m * sn * cn * turn) / (2 * dn), turn


# ---- Riccati-Bessel functions of the orders 0 to n (10.47.1): x times a spherical one
rule(sp.riccati_jn, x=lambda d, out, n, x: riccati_pullback(d, out, x))
rule(sp.riccati_yn, x=lambda d, out, n, x: riccati_pullback(d, out, x))


def riccati_pullback(d: Any, out: Any, x: Any) -> Any:
    """w'' = (n (n + 1) / x² - 1) w."""
    k = np.arange(len(out[0]))
    return summed(d, (out[1], (k * (k + 1) / (x * x) - 1) * out[0]))


def summed(d: Any, slopes: tuple) -> Any:
    """The same for functions of one number with results that are arrays."""
    return np.sum(pulled(d, slopes))


# ---- Legendre functions of the degrees 0 to n, and orders 0 to m, with their derivatives (14.2.1, 14.2.2)
for _function in existing(sp, "lpn lqn"):
    rule(_function, z=lambda d, out, n, z: summed(d, (out[1], legendre_equation(out, z, 0))))
for _function in existing(sp, "lpmn lqmn"):
    rule(_function, z=lambda d, out, m, n, z: summed(d, (out[1], legendre_equation(out, z, orders(out)))))
for _function in existing(sp, "clpmn"):
    rule(_function, z=lambda d, out, m, n, z, type=3: summed(d, (out[1], legendre_equation(out, z, orders(out)))))


def orders(out: Any) -> Any:
    """The order of each row."""
    return np.arange(np.shape(out[0])[0])[:, None]


def legendre_equation(out: Any, z: Any, m: Any) -> Any:
    """The second derivative; at z = ±1, where the equation does not tell it, NaN."""
    n = np.arange(np.shape(out[0])[-1])
    room = (1 - z) * (1 + z)
    room = np.where(room == 0, np.nan, room)
    return (2 * z * out[1] - (n * (n + 1) - m * m / room) * out[0]) / room


refused(
    *existing(sp, "pbdn_seq pbdv_seq pbvv_seq lmbda"),
    reason="its orders are counted in a way of its own, and some of its results are not what they are called",
    way_out="scipy.special.pbdv, pbvv or jv of each order",
)
