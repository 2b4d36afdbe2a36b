"""scipy.special, third part: by shape parameters and exponents, for which there is no closed formula.

Series, continued fractions and sums, each differentiated term by term, each where its terms do not cancel: the smaller
one of a distribution function and its complement keeps its digits. They are plain NumPy, so that further derivatives
are those of the same sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sp


def gammainc_by_shape(a: Any, x: Any) -> Any:
    """∂P/∂a for the incomplete gamma function P(a, x); that of Q = 1 - P is minus this.

    Up to a + 1 by the series of P (DLMF 8.7.1), beyond it by the continued fraction of Q (8.9.2).
    """
    x = in_precision(x, a)
    low = x < a + 1
    return np.where(low, _series(np.where(low, a, 1), np.where(low, x, 1)), -_fraction(a, np.where(low, a + 2, x)))


def _series(a: Any, x: Any) -> Any:
    """Σ t (log x - ψ(a + n + 1)) over n, with the terms t = x^(a + n) e^-x / Γ(a + n + 1) of P."""
    base = np.where(x == 0, 1, x)
    gap = np.log(base) - sp.psi(a + 1)
    term = np.exp(a * np.log(base) - base - sp.gammaln(a + 1))
    total = term * gap
    for n in range(1, 60 + int(9 * np.sqrt(np.max(x, initial=0)))):
        gap = gap - 1 / (a + n)
        term = term * (base / (a + n))
        total = total + term * gap
    return np.where(x == 0, 0, total)


def _fraction(a: Any, x: Any) -> Any:
    """∂Q/∂a = Q (log x - ψ(a) - k'/k), with the fraction k and its derivative k' by a, both from the tail upwards."""
    depth = 60 + int(12 * np.sqrt(np.max(a, initial=0)))
    k, slope = x + 2 * depth + 1 - a, -1.0
    for n in range(depth, 0, -1):
        step = n * (a - n) / k
        slope = -1 + n / k - step * slope / k
        k = x + 2 * n - 1 - a + step
    return sp.gammaincc(a, x) * (np.log(x) - sp.psi(a) - slope / k)


def betainc_by_a(a: Any, b: Any, x: Any) -> Any:
    """∂I/∂a for the incomplete beta function I(a, b, x)."""
    return _betainc_by_shapes(a, in_precision(b, a), in_precision(x, a))[0]


def betainc_by_b(a: Any, b: Any, x: Any) -> Any:
    """∂I/∂b for the incomplete beta function I(a, b, x)."""
    return _betainc_by_shapes(in_precision(a, b), b, in_precision(x, b))[1]


def _betainc_by_shapes(a: Any, b: Any, x: Any) -> tuple:
    """Both, below the mean by the continued fraction of I (DLMF 8.17.22), above it by that of 1 - I, its mirror."""
    low = x * (a + b + 2) < a + 1
    by_first, by_second = _below_the_mean(np.where(low, a, b), np.where(low, b, a), np.where(low, x, 1 - x))
    return np.where(low, by_first, -by_second), np.where(low, by_second, -by_first)


def _below_the_mean(a: Any, b: Any, x: Any) -> tuple:
    """I (log of its prefactor - log of the fraction k), each part of it differentiated by a and by b."""
    k, k_a, k_b = 1.0, 0.0, 0.0
    for n in range(60 + int(6 * np.sqrt(np.max(np.maximum(a, b), initial=0))), 0, -1):
        m = n // 2
        if n % 2:
            c = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            c_b = c / (a + b + m)
            c_a = c_b + c * (1 / (a + m) - 1 / (a + 2 * m) - 1 / (a + 2 * m + 1))
        else:
            c_b = m * x / ((a + 2 * m - 1) * (a + 2 * m))
            c = c_b * (b - m)
            c_a = -c * (1 / (a + 2 * m - 1) + 1 / (a + 2 * m))
        k_a, k_b = (c_a - c * k_a / k) / k, (c_b - c * k_b / k) / k
        k = 1 + c / k
    value, base = sp.betainc(a, b, x), np.where(x == 0, 1, x)
    both = sp.psi(a + b)
    by_a = value * (np.log(base) - 1 / a - sp.psi(a) + both - k_a / k)
    return by_a, value * (np.log1p(-x) - sp.psi(b) + both - k_b / k)


BERNOULLI = (
    1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600,
    -3617 / 10670622842880000, 43867 / 5109094217170944000, -174611 / 802857662698291200000,
)  # fmt: skip
"""B₂ₖ / (2k)! for k = 1, 2, ..."""


def zeta_by_exponent(x: Any, q: Any) -> Any:
    """-Σ log(q + n) (q + n)^-x over n, by the formula of Euler and Maclaurin from n = 16 on; for x >= 0."""
    q = in_precision(q, x)
    total = 0.0
    for n in range(16):
        total = total - np.log(q + n) * (q + n) ** -x
    end = q + 16
    log, power = np.log(end), end**-x
    total = total - end * power * (log + 1 / (x - 1)) / (x - 1) - log * power / 2
    rising, slope = x, 1.0  # x (x + 1) ... and its derivative
    power = power / end
    for k, factor in enumerate(BERNOULLI):
        total = total + factor * power * (slope - log * rising)
        for j in (2 * k + 1, 2 * k + 2):
            slope, rising = slope * (x + j) + rising, rising * (x + j)
        power = power / (end * end)
    return total


def in_precision(parameter: Any, x: Any) -> Any:
    """A parameter, often an integer, in the precision of the argument."""
    return np.asarray(parameter).astype(np.result_type(x))
