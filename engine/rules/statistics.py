"""Statistics of samples: covariances, cumulative forms by axis, gradients.

All are compositions of what has rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import composition
from .vocabulary import conj, refuse


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """The covariance of variables, each a row of samples (a column, without `rowvar`)."""
    x = samples(m, rowvar, dtype if dtype is not None or y is None else np.result_type(m, y, np.float64))
    if y is not None:
        x = np.concatenate((x, samples(y, rowvar, np.result_type(x))), 0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = None if fweights is None else np.asarray(fweights)
    if aweights is not None:
        aweights = np.asarray(aweights)
        weights = aweights if weights is None else weights * aweights
    if weights is None:
        total, lost = np.shape(x)[1], ddof
        middle = np.mean(x, 1, keepdims=True)
        right = x - middle
    else:
        total = np.sum(weights)
        lost = 0 if ddof == 0 else ddof if aweights is None else ddof * np.sum(weights * aweights) / total
        middle = np.sum(x * weights, 1, keepdims=True) / total
        right = (x - middle) * weights
    return np.squeeze(np.dot(x - middle, conj(right).T) * np.true_divide(1, np.maximum(total - lost, 0)))


def samples(m: Any, rowvar: bool, dtype: Any) -> Any:
    """Variables as rows, in double precision at least unless a dtype is asked for."""
    x = np.asarray(m, dtype=np.result_type(m, np.float64) if dtype is None else dtype)
    x = np.reshape(x, (1, -1)) if np.ndim(x) < 2 else x
    return x if rowvar or np.ndim(m) < 2 else x.T


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """Covariances over the product of the deviations, without what rounding puts outside -1 and 1."""
    c = cov(x, y, rowvar, dtype=dtype)
    if np.ndim(c) == 0:
        return c / c
    deviations = np.sqrt(np.real(np.diagonal(c)))
    ratio = c / np.expand_dims(deviations, 1) / deviations
    if np.iscomplexobj(ratio):
        return np.clip(np.real(ratio), -1, 1) + 1j * np.clip(np.imag(ratio), -1, 1)
    return np.clip(ratio, -1, 1)


composition(np.cov, cov)
composition(np.corrcoef, corrcoef)


# ---- cumulative forms, differences, derivatives on a grid
def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Any:
    """Sums up to each element, from 0 on where asked for."""
    one_axis("np.cumulative_sum", x, axis, out)
    total = np.cumsum(x, 0 if axis is None else axis, dtype)
    return with_initial(total, 0, axis) if include_initial else total


def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Any:
    """Products up to each element, from 1 on where asked for."""
    one_axis("np.cumulative_prod", x, axis, out)
    product = np.cumprod(x, 0 if axis is None else axis, dtype)
    return with_initial(product, 1, axis) if include_initial else product


def one_axis(name: str, x: Any, axis: int | None, out: Any) -> None:
    """Refuse what the cumulative forms do not take: several axes without a choice, and an array to write to.

    Raises:
        ValueError: several axes, as NumPy has it.
    """
    if axis is None and np.ndim(x) != 1:
        raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
    if out is not None:
        refuse(f"{name} with out=", f"buffer[...] = {name}(x)")


def with_initial(total: Any, value: int, axis: int | None) -> Any:
    """`total` with `value` in front, along `axis`."""
    axis = 0 if axis is None else axis % np.ndim(total)
    shape = [1 if i == axis else n for i, n in enumerate(np.shape(total))]
    return np.concatenate((np.full(shape, value, np.result_type(total)), total), axis)


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Derivatives on a grid: central differences inside, one-sided ones of `edge_order` at the edges."""
    ndim = np.ndim(f)
    axes = tuple(range(ndim)) if axis is None else tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    spacings = varargs if len(varargs) == len(axes) else (varargs or (1.0,)) * len(axes)
    results = [
        np.moveaxis(derivative(np.moveaxis(f, i, -1), h, edge_order), -1, i)
        for i, h in zip(axes, spacings, strict=True)
    ]
    return results[0] if len(results) == 1 else tuple(results)


def derivative(f: Any, spacing: Any, edge_order: int) -> Any:
    """The derivative along the last axis, at a step or at coordinates."""
    if np.ndim(spacing) == 0:
        inner = (f[..., 2:] - f[..., :-2]) / (2.0 * spacing)
        before = after = spacing
    else:
        steps = np.diff(spacing)
        left, right = steps[:-1], steps[1:]
        inner = (
            -right / (left * (left + right)) * f[..., :-2]
            + (right - left) / (left * right) * f[..., 1:-1]
            + left / (right * (left + right)) * f[..., 2:]
        )
        before, after = steps[0], steps[-1]
    if edge_order == 1:
        first, last = (f[..., 1] - f[..., 0]) / before, (f[..., -1] - f[..., -2]) / after
    else:
        near, far = (slopes(before, before), slopes(after, after)) if np.ndim(spacing) == 0 else (
            slopes(steps[0], steps[1]), slopes(steps[-1], steps[-2])
        )  # fmt: skip
        first = near[0] * f[..., 0] + near[1] * f[..., 1] + near[2] * f[..., 2]
        last = -far[2] * f[..., -3] - far[1] * f[..., -2] - far[0] * f[..., -1]
    return np.concatenate((np.expand_dims(first, -1), inner, np.expand_dims(last, -1)), -1)


def slopes(near: Any, far: Any) -> tuple:
    """The weights of three points in the slope, at the first, of the parabola through them."""
    both = near + far
    return -(near + both) / (near * both), both / (near * far), -near / (far * both)


composition(np.gradient, gradient)
if hasattr(np, "cumulative_sum"):
    composition(np.cumulative_sum, cumulative_sum)
    composition(np.cumulative_prod, cumulative_prod)
