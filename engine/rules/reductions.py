"""Sums, means, products, extremes, deviations and norms over axes, and the cumulative forms.

A reduction's cotangent gets its axes back with `expand` and then broadcasts over the operand.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .elementwise import over
from .registry import composition, elementwise, rule
from .selection import record_holders, shared
from .vocabulary import conj, count, expand

# ---- sums and means
rule(
    np.sum,
    moves=True,
    a=lambda d, out, a, axis=None, dtype=None, *, keepdims=False, initial=0, where=True: kept(
        expand(d, axis, keepdims), where
    ),
)
rule(
    np.add.reduce,
    moves=True,
    array=lambda d, out, array, axis=0, dtype=None, *, keepdims=False, initial=0, where=True: kept(
        expand(d, axis, keepdims), where
    ),
)
rule(
    np.mean,
    moves=True,
    a=lambda d, out, a, axis=None, dtype=None, *, keepdims=False, where=True: kept(
        expand(d, axis, keepdims) / numbers(a, axis, where, 1), where
    ),
)
rule(
    np.nansum,
    selects=True,
    a=lambda d, out, a, axis=None, dtype=None, *, keepdims=False, initial=0, where=True: np.where(
        np.isnan(a), 0, kept(expand(d, axis, keepdims), where)
    ),
)


def kept(d: Any, where: Any) -> Any:
    """`d` for the elements that a reduction with `where=` looks at."""
    return d if where is True else np.where(where, d, 0)


def numbers(a: Any, axis: Any, where: Any, least: Any) -> Any:
    """How many elements each result is made of, `least` where there is none; with `where=`, axes are kept."""
    if where is True:
        n = count(a, axis)
        return n if n > 0 else least
    n = np.sum(np.broadcast_to(where, np.shape(a)), axis=axis, keepdims=True, dtype=real_type(a))
    return np.where(n > 0, n, least)


def real_type(a: Any) -> Any:
    """The dtype of the magnitude of `a`."""
    return np.real(np.zeros(0, np.result_type(a))).dtype


def nanmean(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, where: Any = True) -> Any:
    """The mean of the elements that are no NaN."""
    present = np.sum(~np.isnan(a) & where, axis=axis, keepdims=keepdims, dtype=np.result_type(a))
    return np.nansum(a, axis, dtype, keepdims=keepdims, where=where) / present


def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """The weighted mean; weights of one dimension lie along `axis`."""
    if weights is None:
        mean = np.mean(a, axis, keepdims=keepdims)
        return (mean, np.full(np.shape(mean), np.size(a) / max(np.size(mean), 1))) if returned else mean
    a, weights = np.asarray(a), np.asarray(weights)
    if np.shape(weights) != np.shape(a):
        lead = (1,) * (np.ndim(a) - 1 - axis % np.ndim(a))
        weights = np.broadcast_to(np.reshape(weights, np.shape(weights) + lead), np.shape(a))
    total = np.sum(weights, axis, keepdims=keepdims)
    mean = np.sum(a * weights, axis, keepdims=keepdims) / total
    return (mean, total) if returned else mean


composition(np.nanmean, nanmean)
composition(np.average, average)

# ---- extremes (ties share: convention 2; NaN stays NaN: convention 5)
rule(
    (np.max, np.amax, np.nanmax),
    selects=True,
    a=lambda d, out, a, axis=None, *, keepdims=False, initial=None, where=True: extreme(
        d, out, a, axis, keepdims, initial, where
    ),
    compares=True,
    sided={
        "a": lambda d, out, a, axis=None, *, keepdims=False, initial=None, where=True: extreme(
            d, out, a, axis, keepdims, initial, where, "last"
        )
    },
)
rule(
    (np.min, np.amin, np.nanmin),
    selects=True,
    a=lambda d, out, a, axis=None, *, keepdims=False, initial=None, where=True: extreme(
        d, out, a, axis, keepdims, initial, where
    ),
    compares=True,
    sided={
        "a": lambda d, out, a, axis=None, *, keepdims=False, initial=None, where=True: extreme(
            d, out, a, axis, keepdims, initial, where, "first"
        )
    },
)
rule(
    (np.maximum.reduce, np.fmax.reduce),
    selects=True,
    array=lambda d, out, array, axis=0, dtype=None, *, keepdims=False, initial=None, where=True: extreme(
        d, out, array, axis, keepdims, initial, where
    ),
    compares=True,
    sided={
        "array": lambda d, out, array, axis=0, dtype=None, *, keepdims=False, initial=None, where=True: extreme(
            d, out, array, axis, keepdims, initial, where, "last"
        )
    },
)
rule(
    (np.minimum.reduce, np.fmin.reduce),
    selects=True,
    array=lambda d, out, array, axis=0, dtype=None, *, keepdims=False, initial=None, where=True: extreme(
        d, out, array, axis, keepdims, initial, where
    ),
    compares=True,
    sided={
        "array": lambda d, out, array, axis=0, dtype=None, *, keepdims=False, initial=None, where=True: extreme(
            d, out, array, axis, keepdims, initial, where, "first"
        )
    },
)


def extreme(
    d: Any, out: Any, a: Any, axis: Any, keepdims: bool, initial: Any = None, where: Any = True, side: Any = None
) -> Any:
    """`d` to the elements that equal the extreme of their slice, or to the first or last of them (`side`); `initial` is
    one more that may tie with them."""
    out = expand(out, axis, keepdims)
    winners = a == out if where is True else (a == out) & where
    others = 0 if initial is None else out == initial
    if side is not None:
        winners = outermost(winners, axis, side)
        others = others & ~np.any(winners, axis=axis, keepdims=True) if initial is not None else 0
    return shared(expand(d, axis, keepdims), winners, axis, others)


def outermost(winners: Any, axis: Any, side: str) -> Any:
    """Of the winners of each slice the first or the last one alone."""
    ndim = np.ndim(winners)
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple([i % ndim for i in axes])
    kept = tuple([i for i in range(ndim) if i not in axes])
    moved = np.transpose(winners, kept + axes)
    rows = np.reshape(moved, (*np.shape(moved)[: len(kept)], -1))
    if side == "last":
        rows = np.flip(rows, -1)
    alone = rows & (np.cumsum(rows, -1) == 1)
    if side == "last":
        alone = np.flip(alone, -1)
    return np.transpose(np.reshape(alone, np.shape(moved)), tuple(np.argsort(kept + axes)))


def ptp(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """Peak to peak."""
    return np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims)


composition(np.ptp, ptp)

rule(
    np.logaddexp.reduce,
    array=lambda d, out, array, axis=0, dtype=None, *, keepdims=False, initial=-np.inf, where=True: kept(
        expand(d, axis, keepdims) * share(np.exp, expand(out, axis, keepdims), array, axis), where
    ),
)
rule(
    np.logaddexp2.reduce,
    array=lambda d, out, array, axis=0, dtype=None, *, keepdims=False, initial=-np.inf, where=True: kept(
        expand(d, axis, keepdims) * share(np.exp2, expand(out, axis, keepdims), array, axis), where
    ),
)
rule(
    np.hypot.reduce,
    array=lambda d, out, array, axis=0, dtype=None, *, keepdims=False, initial=0, where=True: kept(
        expand(d, axis, keepdims) * over(array, expand(out, axis, keepdims)), where
    ),
)
rule(
    np.maximum.accumulate,
    selects=True,
    array=lambda d, out, array, axis=0, dtype=None: record_holders(d, out, array, axis),
    compares=True,
    sided={"array": lambda d, out, array, axis=0, dtype=None: record_holders(d, out, array, axis, "last")},
)
rule(
    np.minimum.accumulate,
    selects=True,
    array=lambda d, out, array, axis=0, dtype=None: record_holders(d, out, array, axis),
    compares=True,
    sided={"array": lambda d, out, array, axis=0, dtype=None: record_holders(d, out, array, axis, "first")},
)


def share(power: Any, out: Any, a: Any, axis: Any) -> Any:
    """How much of a sum of powers each exponent brings; where infinities decide, they share (convention 2)."""
    decided = np.isinf(out)
    ratio = power(a - np.where(decided, 0, out))
    return np.where(decided, shared(np.ones_like(a), a == out, axis), ratio) if np.any(decided) else ratio


# ---- deviations
rule(
    np.var,
    a=lambda d, out, a, axis=None, dtype=None, *, ddof=0, keepdims=False, where=True, mean=None, correction=None: kept(
        expand(2 * d, axis, keepdims) * deviation(a, axis, ddof if correction is None else correction, where, mean),
        where,
    ),
)
rule(
    np.std,
    a=lambda d, out, a, axis=None, dtype=None, *, ddof=0, keepdims=False, where=True, mean=None, correction=None: kept(
        over(
            expand(d, axis, keepdims)
            * centred(deviation(a, axis, ddof if correction is None else correction, where, mean), axis, where, mean),
            spread(expand(out, axis, keepdims), a, axis, where, mean),
        ),
        where,
    ),
)


def spread(out: Any, a: Any, axis: Any, where: Any, mean: Any) -> Any:
    """The deviation as a divisor: 1 where it is that of one element, which has none and no kink at 0."""
    return out + (numbers(a, axis, where, 0) == 1) if mean is None else out


def centred(residual: Any, axis: Any, where: Any, mean: Any) -> Any:
    """Deviations whose mean is 0 even where they are nothing but rounding, so that a constant slice has slope 0.

    Those from a `mean` that was given are what they are.
    """
    return residual - np.mean(residual, axis, keepdims=True, where=where) if mean is None else residual


def deviation(a: Any, axis: Any, ddof: float, where: Any, mean: Any) -> Any:
    """(a - mean) / (n - ddof), NaN where that divides by nothing, as the variance itself is."""
    degrees = numbers(a, axis, where, 0) - ddof
    middle = np.mean(a, axis, keepdims=True, where=where) if mean is None else mean
    return (a - middle) / np.where(degrees > 0, degrees, np.nan).astype(real_type(a))


def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False, where: Any = True
) -> Any:
    """The variance of the elements that are no NaN."""
    present = ~np.isnan(a) & where
    number = np.sum(present, axis=axis, keepdims=keepdims, dtype=real_type(a))
    residual = np.where(present, a - nanmean(a, axis, keepdims=True, where=where), 0)
    variance = np.sum(np.real(residual * np.conj(residual)), axis, dtype, keepdims=keepdims)
    return variance / np.where(number > ddof, number - ddof, np.nan)


def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False, where: Any = True
) -> Any:
    """The deviation of the elements that are no NaN: 0 for a single one, which has no kink there."""
    variance = nanvar(a, axis, dtype, ddof=ddof, keepdims=keepdims, where=where)
    single = np.sum(~np.isnan(a) & where, axis=axis, keepdims=keepdims) == 1
    return np.where(single, variance, length_of(variance))


def length_of(square: Any) -> Any:
    """The root of a sum of squares, with the conventions of a norm at zero."""
    return np.sqrt(square)


elementwise(length_of, lambda out, square: over(0.5, out))

composition(np.nanvar, nanvar)
composition(np.nanstd, nanstd)

# ---- products: right at any number of zeros, and so are their derivatives
rule(
    np.prod,
    a=lambda d, out, a, axis=None, dtype=None, *, keepdims=False, initial=1, where=True: prod_of_kept(
        d, out, a, axis, keepdims, initial, where
    ),
)
rule(
    np.multiply.reduce,
    array=lambda d, out, array, axis=0, dtype=None, *, keepdims=False, initial=1, where=True: prod_of_kept(
        d, out, array, axis, keepdims, initial, where
    ),
)


def prod_of_kept(d: Any, out: Any, a: Any, axis: Any, keepdims: bool, initial: Any, where: Any) -> Any:
    """The pullback of a product of the elements that `where=` keeps, and of `initial`."""
    if initial == 1 and where is True:
        return prod_pullback(d, out, a, axis, keepdims)
    factors = a if where is True else np.where(where, a, 1)
    product = np.prod(factors, axis, keepdims=keepdims)
    return kept(prod_pullback(d * conj(initial), product, factors, axis, keepdims), where)


def prod_pullback(d: Any, out: Any, a: Any, axis: Any, keepdims: bool) -> Any:
    """d times the product of the other elements: out / a, or, where that is no number, multiplied out."""
    if np.all(np.isfinite(out) & (out != 0)):
        return expand(d * conj(out), axis, keepdims) / conj(a)
    ndim = np.ndim(a)
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple([i % ndim for i in axes])
    kept = tuple([i for i in range(ndim) if i not in axes])
    moved = np.transpose(a, kept + axes)
    others = np.reshape(others_product(np.reshape(moved, (*np.shape(moved)[: len(kept)], -1))), np.shape(moved))
    return expand(d, axis, keepdims) * conj(np.transpose(others, tuple(np.argsort(kept + axes))))


def others_product(a: Any) -> Any:
    """For each element the product of all others along the last axis."""
    before = np.cumprod(a[..., :-1], -1)
    after = np.flip(np.cumprod(np.flip(a[..., 1:], -1), -1), -1)
    one = np.ones_like(a[..., :1])
    return np.concatenate([one, before], -1) * np.concatenate([after, one], -1)


def nanprod(
    a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = 1, where: Any = True
) -> Any:
    """The product of the elements that are no NaN."""
    return np.prod(np.where(np.isnan(a), 1, a), axis, dtype, keepdims=keepdims, initial=initial, where=where)


composition(np.nanprod, nanprod)

# ---- cumulative forms
rule(np.cumsum, moves=True, a=lambda d, out, a, axis=None, dtype=None: cumsum_pullback(d, a, axis))
rule(np.add.accumulate, moves=True, array=lambda d, out, array, axis=0, dtype=None: cumsum_pullback(d, array, axis))
rule(np.cumprod, a=lambda d, out, a, axis=None, dtype=None: cumprod_pullback(d, out, a, axis))
rule(np.multiply.accumulate, array=lambda d, out, array, axis=0, dtype=None: cumprod_pullback(d, out, array, axis))


def cumsum_pullback(d: Any, a: Any, axis: int | None) -> Any:
    """The sum from each element on."""
    if axis is None:
        return np.reshape(cumsum_pullback(d, d, 0), np.shape(a))
    return np.flip(np.cumsum(np.flip(d, axis), axis), axis)


def cumprod_pullback(d: Any, out: Any, a: Any, axis: int | None) -> Any:
    """For each element the sum, from it on, of d times the product without it."""
    if axis is None:
        return np.reshape(cumprod_pullback(d, out, np.ravel(a), 0), np.shape(a))
    if np.all(np.isfinite(out) & (out != 0)):
        return cumsum_pullback(d * conj(out), a, axis) / conj(a)
    factors, terms = np.moveaxis(conj(a), axis, 0), np.moveaxis(d, axis, 0)
    before = np.concatenate([np.ones_like(factors[:1]), np.moveaxis(conj(out), axis, 0)[:-1]])
    tails = [terms[-1]]
    for i in range(len(factors) - 1, 0, -1):
        tails.append(terms[i - 1] + factors[i] * tails[-1])
    return np.moveaxis(before * np.flip(np.stack(tails), 0), 0, axis)


def nancumsum(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The cumulative sum of the elements that are no NaN."""
    return np.cumsum(np.where(np.isnan(a), 0, a), axis, dtype)


def nancumprod(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The cumulative product of the elements that are no NaN."""
    return np.cumprod(np.where(np.isnan(a), 1, a), axis, dtype)


composition(np.nancumsum, nancumsum)
composition(np.nancumprod, nancumprod)


# ---- the integral of samples
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral of samples by the trapezoidal rule."""
    heights = np.moveaxis(y, axis, -1)
    if x is None:
        steps = dx
    else:
        steps = np.diff(x) if np.ndim(x) == 1 else np.moveaxis(np.diff(x, axis=axis), axis, -1)
    return np.sum(steps * (heights[..., 1:] + heights[..., :-1]) / 2, -1)


if hasattr(np, "trapezoid"):
    composition(np.trapezoid, trapezoid)
if hasattr(np, "trapz"):
    composition(np.trapz, trapezoid)
