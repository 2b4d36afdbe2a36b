"""Convolution, correlation and interpolation of sampled functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import composition, rule

rule(
    np.convolve,
    mixes=True,
    a=lambda d, out, a, v, mode="full": np.correlate(in_full(d, a, v, mode), v, "valid"),
    v=lambda d, out, a, v, mode="full": np.correlate(in_full(d, a, v, mode), a, "valid"),
)


def in_full(d: Any, a: Any, v: Any, mode: str) -> Any:
    """The cotangent of a convolution, with zeros for the ends that `mode` cut off."""
    longer, shorter = max(len(a), len(v)), min(len(a), len(v))
    start = {"full": 0, "same": (shorter - 1) // 2, "valid": shorter - 1}[mode]
    return np.pad(d, (start, longer + shorter - 1 - start - len(d)))


rule(
    np.correlate,
    mixes=True,
    a=lambda d, out, a, v, mode="valid": np.convolve(in_full_correlation(d, a, v, mode), v)[
        len(v) - 1 : len(v) - 1 + len(a)
    ],
    v=lambda d, out, a, v, mode="valid": np.conj(np.flip(np.correlate(in_full_correlation(d, a, v, mode), a, "valid"))),
)


def in_full_correlation(d: Any, a: Any, v: Any, mode: str) -> Any:
    """Likewise for a correlation; NumPy cuts the middle for a short `a` out at the other end."""
    if mode == "same" and len(a) < len(v):
        start = len(a) - 1 - (len(a) - 1) // 2
        return np.pad(d, (start, len(a) - 1 - start))
    return in_full(d, a, v, mode)


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    """The polygon through (xp, fp) at x; at a corner the slope is that of the segment to the right."""
    i = np.clip(np.searchsorted(xp, x, "right") - 1, 0, len(xp) - 2)
    x0, x1, f0, f1 = np.take(xp, i), np.take(xp, i + 1), np.take(fp, i), np.take(fp, i + 1)
    inside = f0 + (f1 - f0) / (x1 - x0) * (x - x0)
    low, high = fp[0] if left is None else left, fp[-1] if right is None else right
    return np.where(np.less(x, xp[0]), low, np.where(np.greater(x, xp[-1]), high, inside))[()]  # a number for a number


composition(np.interp, interp)
