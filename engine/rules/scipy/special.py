"""scipy.special: loaded when the program has loaded it (see `registry.LATE`).

An argument for which no formula is stated here, such as the order of a Bessel function, is refused when it is active.
Formulas are those of the NIST Digital Library of Mathematical Functions, dlmf.nist.gov, unless a docstring says more.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sp

from ..elementwise import over
from ..registry import composition, constant, elementwise, existing, rule
from ..scalars import DEGREE, LN2, LN10
from ..vocabulary import conj, expand, refuse
from .parameters import by_differences, like
from .shapes import betainc_by_a, betainc_by_b, gammainc_by_shape, in_precision, zeta_by_exponent

TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)
SQRT_HALF, SQRT_PI = math.sqrt(0.5), math.sqrt(math.pi)
ROOT_TWO_PI = math.sqrt(2 * math.pi)


def unknown(argument: str) -> None:
    """Refuse the derivative by an argument for which there is no formula here."""
    refuse(f"a function of scipy.special by {argument}", "keep that argument constant, engine.stop_gradient(it)")


# ---- the gamma family
elementwise(sp.gamma, lambda out, x: out * sp.psi(x))
elementwise((sp.gammaln, sp.loggamma), lambda out, x: sp.psi(x))
elementwise(sp.rgamma, lambda out, x: rgamma_partial(out, x))
elementwise(sp.psi, lambda out, x: trigamma(x))
elementwise(sp.poch, lambda out, z, m: out * (sp.psi(z + m) - sp.psi(z)), lambda out, z, m: out * sp.psi(z + m))
elementwise(
    sp.beta, lambda out, a, b: out * betaln_partial(out, a, b), lambda out, a, b: out * betaln_partial(out, b, a)
)
elementwise(sp.betaln, lambda out, a, b: betaln_partial(out, a, b), lambda out, a, b: betaln_partial(out, b, a))
elementwise(
    sp.binom,
    lambda out, n, k: binom_partial(out, n, k, 1),
    lambda out, n, k: binom_partial(out, n, k, 0),
)
rule(sp.polygamma, x=lambda d, out, n, x: d * polygamma_partial(n, x))
rule(
    sp.zeta,
    x=lambda d, out, x, q=None: d * zeta_slope(x, q),
    q=lambda d, out, x, q=None: -d * x * sp.zeta(x + 1, q),
)
rule(
    sp.comb,
    N=lambda d, out, N, k, *, exact=False, repetition=False: d * comb_partial(out, N, k, repetition, 1, 0),
    k=lambda d, out, N, k, *, exact=False, repetition=False: d * comb_partial(out, N, k, repetition, 0, 1),
)
rule(sp.factorial, n=lambda d, out, n, exact=False: d * out * sp.psi(n + 1))


def zeta_slope(x: Any, q: Any) -> Any:
    """The derivative of the zeta function by its exponent, where its sum can be had."""
    if np.any(x < 0):
        unknown("a negative exponent of zeta")
    return zeta_by_exponent(x, 1 if q is None else q)


def rgamma_partial(out: Any, x: Any) -> Any:
    """-ψ/Γ; at the poles of both the derivative of sin(πx) Γ(1 - x) / π, which holds at every order."""
    pole = (out == 0) & (np.real(x) <= 0)
    safe, mirrored = np.where(pole, 1, x), np.where(pole, 1 - x, 1)
    reflected = np.cos(np.pi * x) - np.sin(np.pi * x) / np.pi * sp.psi(mirrored)
    return np.where(pole, reflected * sp.gamma(mirrored), -out * sp.psi(safe))


def trigamma(x: Any) -> Any:
    """ψ'(x), below 1/2 by reflection; of a real x."""
    if np.iscomplexobj(x):
        unknown("a complex argument of psi")
    low = x < 0.5
    upper = sp.zeta(2, np.where(low, 1 - x, x))
    sine = np.sin(np.pi * np.where(low, x, 0.5))
    return np.where(low, np.square(np.pi / sine) - upper, upper)


def polygamma_partial(n: Any, x: Any) -> Any:
    """ψ⁽ⁿ⁺¹⁾(x)."""
    if np.ndim(n) == 0 and n == 0:
        return trigamma(x)
    return sp.polygamma(n + 1, x)


def binom_partial(out: Any, n: Any, k: Any, by_n: int) -> Any:
    """By digamma; where Γ(n - k + 1) has its poles the derivative of B(n + 1, k - n) sin(π(n - k + 1)) / π."""
    gap = k - n
    pole = (out == 0) & (gap > 0) & (n > -1) & (gap == np.floor(gap))
    upper, lower = np.where(pole, 1, n), np.where(pole, 1, k)
    plain = by_n * sp.psi(upper + 1) + (1 - 2 * by_n) * sp.psi(upper - lower + 1) - (1 - by_n) * sp.psi(lower + 1)
    n, k = np.where(pole, n, 1), np.where(pole, k, 2)
    turn = np.pi * (n - k + 1)
    reflected = (2 * by_n - 1) * np.cos(turn) + np.sin(turn) / np.pi * (
        by_n * (sp.psi(n + 1) - sp.psi(k - n)) + (1 - by_n) * (sp.psi(k - n) - sp.psi(k + 1))
    )
    return np.where(pole, reflected * sp.beta(n + 1, k - n), out * plain)


def comb_partial(out: Any, n: Any, k: Any, repetition: bool, by_n: int, by_k: int) -> Any:
    """The partial of a binomial coefficient."""
    if repetition:
        refuse("scipy.special.comb with repetition", "call comb(N + k - 1, k)")
    outside = (k > n) | (k < 0) | (n < 0)  # SciPy's value there is 0, between whole numbers too
    n, k = np.where(outside, 1, n), np.where(outside, 1, k)  # away from the poles of psi
    return out * (by_n * sp.psi(n + 1) - (by_n - by_k) * sp.psi(n - k + 1) - by_k * sp.psi(k + 1))


def multigammaln(a: Any, d: int) -> Any:
    """log of the multivariate gamma function, a sum of gammaln."""
    total = 0.0
    for j in range(d):
        total = total + sp.gammaln(a - 0.5 * j)
    return d * (d - 1) * 0.25 * math.log(math.pi) + total


composition(sp.multigammaln, multigammaln)

# ---- incomplete gamma and beta
elementwise(sp.gammainc, lambda out, a, x: gammainc_by_shape(a, x), lambda out, a, x: gamma_density(a, x))
elementwise(sp.gammaincc, lambda out, a, x: -gammainc_by_shape(a, x), lambda out, a, x: -gamma_density(a, x))
elementwise(
    sp.gammaincinv,
    lambda out, a, y: -gammainc_by_shape(a, out) / gamma_density(a, out),
    lambda out, a, y: 1 / gamma_density(a, out),
)
elementwise(
    sp.gammainccinv,
    lambda out, a, y: -gammainc_by_shape(a, out) / gamma_density(a, out),
    lambda out, a, y: -1 / gamma_density(a, out),
)
elementwise(
    sp.betainc,
    lambda out, a, b, x: betainc_by_a(a, b, x),
    lambda out, a, b, x: betainc_by_b(a, b, x),
    lambda out, a, b, x: beta_density(a, b, x),
)
elementwise(
    sp.betaincinv,
    lambda out, a, b, y: -betainc_by_a(a, b, out) / beta_density(a, b, out),
    lambda out, a, b, y: -betainc_by_b(a, b, out) / beta_density(a, b, out),
    lambda out, a, b, y: 1 / beta_density(a, b, out),
)
elementwise(
    sp.chdtr,
    lambda out, v, x: 0.5 * gammainc_by_shape(0.5 * v, 0.5 * x),
    lambda out, v, x: 0.5 * gamma_density(0.5 * v, 0.5 * x),
)
elementwise(
    sp.chdtrc,
    lambda out, v, x: -0.5 * gammainc_by_shape(0.5 * v, 0.5 * x),
    lambda out, v, x: -0.5 * gamma_density(0.5 * v, 0.5 * x),
)
elementwise(
    sp.stdtr,
    lambda out, df, t: by_differences(sp.stdtr, 0, (0, np.inf), df, t),
    lambda out, df, t: student_density(df, t),
)


def gamma_density(a: Any, x: Any) -> Any:
    """x^(a-1) e^-x / Γ(a)."""
    a = in_precision(a, x)
    return np.exp(sp.xlogy(a - 1, x) - x - sp.gammaln(a))


def betaln_partial(out: Any, a: Any, b: Any) -> Any:
    """The derivative of the logarithm of the beta function by its argument `a`."""
    return sp.psi(in_precision(a, out)) - sp.psi(a + b)


def beta_density(a: Any, b: Any, x: Any) -> Any:
    """x^(a-1) (1-x)^(b-1) / B(a, b)."""
    a, b = in_precision(a, x), in_precision(b, x)
    return np.exp(sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - sp.betaln(a, b))


def student_density(df: Any, t: Any) -> Any:
    """The density of Student's distribution."""
    df = in_precision(df, t)
    return np.exp(-0.5 * (df + 1) * np.log1p(t * t / df) - sp.betaln(0.5 * df, in_precision(0.5, t))) / np.sqrt(df)


# ---- the error functions and the normal distribution
elementwise(sp.erf, lambda out, x: TWO_OVER_SQRT_PI * np.exp(-x * x))
elementwise(sp.erfc, lambda out, x: -TWO_OVER_SQRT_PI * np.exp(-x * x))
elementwise(sp.erfi, lambda out, x: TWO_OVER_SQRT_PI * np.exp(x * x))
elementwise(sp.erfinv, lambda out, y: np.exp(out * out) / TWO_OVER_SQRT_PI)
elementwise(sp.erfcinv, lambda out, y: -np.exp(out * out) / TWO_OVER_SQRT_PI)
elementwise(sp.erfcx, lambda out, x: faddeeva_partial(out, 1j * x) if np.iscomplexobj(x) else erfcx_partial(out, x))
elementwise(sp.dawsn, lambda out, x: dawsn_partial(out, x))
elementwise(sp.wofz, lambda out, z: wofz_partial(out, z))
elementwise(sp.ndtr, lambda out, x: np.exp(-0.5 * x * x) / ROOT_TWO_PI)
elementwise(sp.log_ndtr, lambda out, x: inverse_mills(out, x))
elementwise(sp.ndtri, lambda out, y: ROOT_TWO_PI * np.exp(0.5 * out * out))
elementwise(sp.ndtri_exp, lambda out, y: (ROOT_TWO_PI / 2) * sp.erfcx(-SQRT_HALF * out))
elementwise(
    sp.owens_t,
    lambda out, h, a: -np.exp(-0.5 * h * h) * sp.erf(SQRT_HALF * a * h) / (2 * ROOT_TWO_PI),
    lambda out, h, a: np.exp(-0.5 * (1 + a * a) * h * h) / (2 * math.pi * (1 + a * a)),
)


def erfcx_partial(out: Any, x: Any) -> Any:
    """2x erfcx(x) - 2/√π; for large x, where that cancels, by the asymptotic series."""
    far = x > 50
    u = 1 / np.square(np.where(far, x, 1))
    series = -u * (1 - u * (1.5 - u * (3.75 - u * 13.125))) / SQRT_PI
    return np.where(far, series, 2 * x * out - TWO_OVER_SQRT_PI)


def faddeeva_partial(out: Any, z: Any) -> Any:
    """The partial of erfcx(x) = w(ix) of a complex x."""
    return 1j * wofz_partial(out, z)


def dawsn_partial(out: Any, x: Any) -> Any:
    """1 - 2x F(x); for large real x, where that cancels, by the asymptotic series."""
    if np.iscomplexobj(x):
        return 1 - 2 * x * out
    far = np.abs(x) > 50
    u = 1 / np.square(np.where(far, x, 1))
    series = -0.5 * u * (1 + u * (1.5 + u * (3.75 + u * 13.125)))
    return np.where(far, series, 1 - 2 * x * out)


def wofz_partial(out: Any, z: Any) -> Any:
    """-2z w(z) + 2i/√π; far up in the plane, where that cancels, by the asymptotic series."""
    far = (np.abs(z) > 50) & (np.imag(z) >= 0)
    u = 1 / np.square(np.where(far, z, 1))
    series = -1j * u * (1 + u * (1.5 + u * (3.75 + u * 13.125))) / SQRT_PI
    return np.where(far, series, -2 * z * out + 1j * TWO_OVER_SQRT_PI)


def inverse_mills(out: Any, x: Any) -> Any:
    """φ(x) / Φ(x), a quotient that neither tail loses."""
    if np.iscomplexobj(x):
        return np.exp(-0.5 * x * x - out) / ROOT_TWO_PI
    return (2 / ROOT_TWO_PI) / sp.erfcx(-SQRT_HALF * x)


# ---- logistic functions, entropies, losses
elementwise(sp.expit, lambda out, x: out * sp.expit(-x))
elementwise(sp.logit, lambda out, x: 1 / (x * (1 - x)))
elementwise(sp.log_expit, lambda out, x: sp.expit(-x))
if hasattr(sp, "softplus"):
    rule(sp.softplus, x=lambda d, out, x: d * sp.expit(x))
elementwise(sp.xlogy, lambda out, x, y: np.log(y), lambda out, x, y: share(x, y))
elementwise(sp.xlog1py, lambda out, x, y: np.log1p(y), lambda out, x, y: share(x, 1 + y))
elementwise(sp.entr, lambda out, x: -np.log(x) - 1)
elementwise(sp.rel_entr, lambda out, x, y: np.log(x / y) + 1, lambda out, x, y: -share(x, y))
elementwise(sp.kl_div, lambda out, x, y: np.log(x / y), lambda out, x, y: 1 - share(x, y))
elementwise(
    sp.huber,
    lambda out, delta, r: np.maximum(np.abs(r) - delta, 0),
    lambda out, delta, r: np.minimum(np.maximum(r, -delta), delta),
)
elementwise(
    sp.pseudo_huber,
    lambda out, delta, r: over(np.square(over(r * r, np.hypot(delta, r) + delta)), np.hypot(delta, r)),
    lambda out, delta, r: over(delta * r, np.hypot(delta, r)),
)


def share(x: Any, y: Any) -> Any:
    """x / y, and 0 where both are 0: x log y is the constant 0 in y for x = 0 (convention 3)."""
    return x / np.where((x == 0) & (y == 0), 1, y)


# In x it is 1 / y there too, infinite: the constant is one along y only.
elementwise(share, lambda out, x, y: np.divide(1, y), lambda out, x, y: -share(out, y))


rule(
    sp.logsumexp,
    a=lambda d, out, a, axis=None, b=None, keepdims=False, return_sign=False: summand_pullback(
        d, out, a, axis, b, keepdims, return_sign, True
    ),
    b=lambda d, out, a, axis=None, b=None, keepdims=False, return_sign=False: summand_pullback(
        d, out, a, axis, b, keepdims, return_sign, False
    ),
)
rule(sp.softmax, x=lambda d, out, x, axis=None: softmax_pullback(d, out, axis))
rule(sp.log_softmax, x=lambda d, out, x, axis=None: log_softmax_pullback(d, np.exp(out), axis))


def softmax_pullback(d: Any, shares: Any, axis: Any) -> Any:
    """p (d - Σ d p), for differences from the d of a share above one half: 1 - p has no digits left near 1."""
    if np.iscomplexobj(shares):
        return conj(shares) * (d - np.sum(d * conj(shares), axis, keepdims=True))
    d = d - np.sum(np.where(shares > 0.5, d, 0), axis, keepdims=True)
    return shares * (d - np.sum(d * shares, axis, keepdims=True))


def log_softmax_pullback(d: Any, shares: Any, axis: Any) -> Any:
    """d - p Σ d; of a share above one half, of which 1 - p has no digits left near 1, by all the others instead."""
    total = np.sum(d, axis, keepdims=True)
    if np.iscomplexobj(shares):
        return d - conj(shares) * total
    largest = shares > 0.5
    rest = np.sum(np.where(largest, 0, shares), axis, keepdims=True)
    return np.where(largest, rest * total - np.sum(np.where(largest, 0, d), axis, keepdims=True), d - shares * total)


def summand_pullback(d: Any, out: Any, a: Any, axis: Any, b: Any, keepdims: bool, signed: bool, by_a: bool) -> Any:
    """Each exponent's share exp(a - out), weighted by b; where infinities meet, equals share equally (convention 2)."""
    sign = 1.0
    if signed:
        if np.iscomplexobj(a) or np.iscomplexobj(b):
            refuse("scipy.special.logsumexp(return_sign=True) of complex numbers", "leave return_sign out")
        d, out, sign = d[0], out[0], expand(out[1], axis, keepdims)
        if d is None:
            return None
    d, out = expand(d, axis, keepdims), expand(out, axis, keepdims)
    endless = np.isinf(np.real(out))
    met = endless & (a == out)
    shares = np.where(
        endless, met / np.maximum(np.sum(met, axis, keepdims=True), 1), np.exp(a - np.where(endless, 0, out))
    )
    shares = shares.astype(np.result_type(a))
    if by_a:
        return d * conj(shares * sign if b is None else shares * sign * b)
    return d * conj(shares * sign)


# ---- exponentials, logarithms, powers
elementwise(sp.cbrt, lambda out, x: 1 / (3 * out * out))
elementwise(sp.exp2, lambda out, x: out * LN2)
elementwise(sp.exp10, lambda out, x: out * LN10)
elementwise(sp.expm1, lambda out, x: np.exp(x))
elementwise(sp.log1p, lambda out, x: 1 / (1 + x))
elementwise(sp.powm1, lambda out, x, y: y * x ** (y - 1), lambda out, x, y: x**y * np.log(x))
elementwise(sp.cosm1, lambda out, x: -np.sin(x))
elementwise(sp.sindg, lambda out, x: DEGREE * sp.cosdg(x))
elementwise(sp.cosdg, lambda out, x: -DEGREE * sp.sindg(x))
elementwise(sp.tandg, lambda out, x: DEGREE * (1 + out * out))
elementwise(sp.cotdg, lambda out, x: -DEGREE * (1 + out * out))
elementwise(
    sp.radian, lambda out, d, m, s: DEGREE, lambda out, d, m, s: DEGREE / 60, lambda out, d, m, s: DEGREE / 3600
)
elementwise(sp.exprel, lambda out, x: exprel_partial(x))
elementwise(
    sp.boxcox,
    lambda out, x, lmbda: x ** (lmbda - 1.0),
    lambda out, x, lmbda: np.square(np.log(x)) * exprel_partial(lmbda * np.log(x)),
)
elementwise(
    sp.boxcox1p,
    lambda out, x, lmbda: (1 + x) ** (lmbda - 1.0),
    lambda out, x, lmbda: np.square(np.log1p(x)) * exprel_partial(lmbda * np.log1p(x)),
)
elementwise(
    sp.inv_boxcox,
    lambda out, y, lmbda: out / (1 + lmbda * y),
    lambda out, y, lmbda: out * y * y * log1p_share_slope(lmbda * y),
)
elementwise(
    sp.inv_boxcox1p,
    lambda out, y, lmbda: (out + 1) / (1 + lmbda * y),
    lambda out, y, lmbda: (out + 1) * y * y * log1p_share_slope(lmbda * y),
)


def log1p_share_slope(u: Any) -> Any:
    """The derivative of log(1 + u) / u; near 0, where that cancels, its series."""
    near = np.abs(u) < 0.1
    small, large, series = np.where(near, u, 0), np.where(near, 1, u), 0.0
    for k in range(18, -1, -1):
        series = -series * small - (k + 1) / (k + 2)
    return np.where(near, series, (large / (1 + large) - np.log1p(large)) / np.square(large))


elementwise(sp.wrightomega, lambda out, z: out / (1 + out))
rule(sp.lambertw, z=lambda d, out, z, k=0, tol=1e-8: d * np.conj(np.exp(-out) / (1 + out)))


def exprel_partial(x: Any) -> Any:
    """((x - 1) eˣ + 1) / x²; near 0, where that cancels, its series Σ (k+1) xᵏ / (k+2)!."""
    near = np.abs(x) < 1
    u = np.where(near, x, 0)
    series = 0.0
    for k in range(18, -1, -1):
        series = series * u + (k + 1) / math.factorial(k + 2)
    far = np.where(near, 1, x)
    return np.where(near, series, (np.exp(far) * (far - 1) + 1) / np.square(far))


# ---- integrals
elementwise(sp.exp1, lambda out, z: -np.exp(-z) / z)
elementwise(sp.expi, lambda out, x: np.exp(x) / x)
elementwise(sp.expn, None, lambda out, n, x: expn_partial(n, x))
elementwise(sp.spence, lambda out, z: spence_partial(z))
elementwise(sp.ellipk, lambda out, m: sp.elliprd(0.0, 1.0, 1 - m) / 6)
elementwise(sp.ellipkm1, lambda out, p: -sp.elliprd(0.0, 1.0, p) / 6)
elementwise(sp.ellipe, lambda out, m: -sp.elliprd(0.0, 1 - m, 1.0) / 6)
elementwise(
    sp.ellipkinc,
    lambda out, phi, m: like(out, 1 / np.sqrt(1 - m * np.square(np.sin(phi)))),
    lambda out, phi, m: like(out, ellipkinc_by_m(phi, m)),
)
elementwise(
    sp.ellipeinc,
    lambda out, phi, m: like(out, np.sqrt(1 - m * np.square(np.sin(phi)))),
    lambda out, phi, m: like(out, ellipeinc_by_m(phi, m)),
)


def turns(phi: Any) -> tuple:
    """How many halves of a turn an angle is away from one between -π/2 and π/2, and the sine and the cosine there."""
    n = np.round(phi / np.pi)
    return n, np.sin(phi - n * np.pi), np.cos(phi - n * np.pi)


def ellipkinc_by_m(phi: Any, m: Any) -> Any:
    """s³/6 R_D(c², 1, 1 - m s²), and as many complete integrals as the angle has gone through (19.25.5, 19.18.1)."""
    n, s, c = turns(phi)
    return (s**3 * sp.elliprd(c * c, 1.0, 1 - m * s * s) + 2 * n * sp.elliprd(0.0, 1.0, 1 - np.where(n == 0, 0, m))) / 6


def ellipeinc_by_m(phi: Any, m: Any) -> Any:
    """-s³/6 R_D(c², 1 - m s², 1), likewise (19.25.9)."""
    n, s, c = turns(phi)
    return (
        -(s**3 * sp.elliprd(c * c, 1 - m * s * s, 1.0) + 2 * n * sp.elliprd(0.0, 1 - np.where(n == 0, 0, m), 1.0)) / 6
    )


rule(sp.sici, x=lambda d, out, x, /: of_two(d, out, np.sinc(x / np.pi), np.cos(x) / x))
rule(sp.shichi, x=lambda d, out, x, /: of_two(d, out, sinhc(x), np.cosh(x) / x))
rule(sp.fresnel, x=lambda d, out, x, /: of_two(d, out, np.sin(0.5 * np.pi * x * x), np.cos(0.5 * np.pi * x * x)))
rule(sp.itj0y0, x=lambda d, out, x, /: of_two(d, out, sp.j0(x), sp.y0(x)))
rule(sp.iti0k0, x=lambda d, out, x, /: of_two(d, out, sp.i0(x), sp.k0(x)))
elementwise(sp.itstruve0, lambda out, x: sp.struve(in_precision(0, x), x))
elementwise(sp.itmodstruve0, lambda out, x: sp.modstruve(in_precision(0, x), x))


def of_two(d: Any, out: Any, first: Any, second: Any) -> Any:
    """The cotangent of the argument of two functions with these derivatives; one that is not asked for stays out."""
    result = None if d[0] is None else d[0] * conj(first)
    if d[1] is None:
        return result
    return d[1] * conj(second) if result is None else result + d[1] * conj(second)


def expn_partial(n: Any, x: Any) -> Any:
    """-E_{n-1}(x), where E_0(x) = e⁻ˣ/x, whose own derivative is -e⁻ˣ (1 + 1/x)/x."""
    lowest = np.equal(n, 0)
    return np.where(lowest, -np.exp(-x) * (1 + 1 / x) / x, -sp.expn(np.where(lowest, 1, n) - 1, x))


def spence_partial(z: Any) -> Any:
    """log z / (1 - z), which is -1 + (z - 1)/2 to first order at 1."""
    at_one = z == 1
    safe = np.where(at_one, 0.5, z)
    return np.where(at_one, -1 + (z - 1) / 2, np.log(safe) / (1 - safe))


def sinhc(x: Any) -> Any:
    """sinh x / x, 1 + x²/6 near 0."""
    near = np.abs(x) < 1e-4
    safe = np.where(near, 1, x)
    return np.where(near, 1 + x * x / 6, np.sinh(safe) / safe)


# ---- no derivative: signs, steps, and what depends on integers only
constant(
    sp.gammasgn, sp.round, sp.geterr, sp.seterr, sp.errstate, sp.ai_zeros, sp.bi_zeros, sp.bei_zeros, sp.beip_zeros,
    sp.ber_zeros, sp.berp_zeros, sp.kei_zeros, sp.keip_zeros, sp.ker_zeros, sp.kerp_zeros, sp.kelvin_zeros,
    sp.erf_zeros, sp.fresnel_zeros, sp.fresnelc_zeros, sp.fresnels_zeros, sp.jn_zeros, sp.jnp_zeros, sp.jnjnp_zeros,
    sp.jnyn_zeros, sp.yn_zeros, sp.ynp_zeros, sp.y0_zeros, sp.y1_zeros, sp.y1p_zeros, sp.bernoulli, sp.euler,
    sp.roots_legendre, sp.roots_chebyt, sp.roots_chebyu, sp.roots_chebyc, sp.roots_chebys, sp.roots_laguerre,
    sp.roots_hermite, sp.roots_hermitenorm, sp.roots_sh_legendre, sp.roots_sh_chebyt, sp.roots_sh_chebyu,
    sp.factorial2, sp.factorialk, *existing(sp, "stirling2"),
    reason="it depends on integers only, or is a step",
)  # fmt: skip
