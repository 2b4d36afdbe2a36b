"""np.i0 and the Kaiser window: NumPy has no I₁, the derivative of I₀, so here it is."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .registry import composition, constant, elementwise

elementwise(np.i0, lambda out, x: i1(x))


def i1(x: Any) -> Any:
    """The modified Bessel function I₁: x times a Chebyshev series up to 8, and one in 1/x over sqrt(x) beyond."""
    size = np.abs(x)
    near, far = series()
    inner = size * chebyshev(np.minimum(size, 8) / 4 - 1, near)
    outer = chebyshev(16 / np.maximum(size, 8) - 1, far) / np.sqrt(np.maximum(size, 8))
    return (np.sign(x) * np.exp(size) * np.where(size <= 8, inner, outer)).astype(
        np.result_type(np.asarray(x).dtype, np.float16)
    )


def chebyshev(t: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """The sum of a Chebyshev series, by Clenshaw's recurrence, in double precision."""
    return np.polynomial.chebyshev.chebval(np.asarray(t, float), coefficients)


@functools.cache
def series() -> tuple[np.ndarray, np.ndarray]:
    """The coefficients of e^-x I₁(x) / x on [0, 8], and of e^-x I₁(x) sqrt(x) on [8, inf) as a function of 16/x - 1."""
    near = interpolated(lambda t: scaled(4 * (t + 1)) / (4 * (t + 1)))
    far = interpolated(lambda t: scaled(16 / (t + 1)) * np.sqrt(16 / (t + 1)))
    return near[:30], far[:26]


def interpolated(function: Any) -> np.ndarray:
    """Chebyshev coefficients, from more points than are kept, so that rounding averages out."""
    return np.polynomial.chebyshev.chebinterpolate(function, 63)


def scaled(x: np.ndarray) -> np.ndarray:
    """e^-x I₁(x) = 2/π ∫ cos(θ) sinh(x cos(θ)) e^-x dθ from 0 to π/2, by the midpoint rule.

    Of a periodic function it is exact up to the Fourier coefficients beyond its number of points, here I₈₁₉₂(x).
    """
    angle = (np.arange(2048) + 0.5) * (np.pi / 4096)
    up, down = -2 * np.sin(angle / 2) ** 2, -2 * np.cos(angle / 2) ** 2
    grown = np.exp(np.multiply.outer(x, up)) * -np.expm1(np.multiply.outer(x, down - up))
    return np.mean(np.cos(angle) * grown, -1) / 2


# I₁' = I₀ - I₁/x, where I₁/x goes to 1/2 (DLMF 10.29.2).
elementwise(i1, lambda out, x: np.i0(x) - np.where(x == 0, 0.5, out / np.where(x == 0, 1, x)))


def kaiser(M: int, beta: Any) -> Any:
    """I₀(β sqrt(1 - t²)) / I₀(β), t from -1 to 1."""
    if M < 2:
        return np.ones(max(M, 0))
    middle = (M - 1) / 2.0
    return np.i0(beta * np.sqrt(1 - ((np.arange(M) - middle) / middle) ** 2.0)) / np.i0(beta)


composition(np.kaiser, kaiser)
constant(np.bartlett, np.blackman, np.hamming, np.hanning, reason="it depends on a number of points only")
constant(series, interpolated)
