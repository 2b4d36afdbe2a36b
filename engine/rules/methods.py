"""The methods and attributes of ndarray, as functions of the array: what `x.sum(axis=0)` and `x.T` mean.

A method that writes into its array (fill, sort, resize, put, partition) is no function of it; stores are the engine's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .registry import rule
from .shape import astype, item, matrix_transpose


def reshape(a: Any, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
    """a.reshape(2, 3) or a.reshape((2, 3))."""
    result = np.reshape(a, shape[0] if len(shape) == 1 else shape, order=order)
    if copy is None:
        return result
    if copy:
        return np.copy(result) if np.shares_memory(result, a) else result
    if not np.shares_memory(result, a):
        raise ValueError("Unable to avoid creating a copy while reshaping.")
    return result


def transpose(a: Any, *axes: Any) -> Any:
    """a.transpose(), a.transpose(1, 0) or a.transpose((1, 0))."""
    if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)):
        return np.transpose(a, axes[0])
    return np.transpose(a, axes or None)


def flatten(a: Any, order: Any = "C") -> Any:
    """A flat copy."""
    return np.copy(np.ravel(a, order))


def copy(a: Any, order: Any = "C") -> Any:
    """A copy; for a method the order of memory is "C" unless it is said."""
    return np.copy(a, order)


def compress(a: Any, condition: Any, axis: int | None = None) -> Any:
    """np.compress with the array first."""
    return np.compress(condition, a, axis)


def tolist(a: Any) -> Any:
    """Nested lists of Python numbers."""
    return item(a) if np.ndim(a) == 0 else [tolist(a[i]) for i in range(len(a))]


def real_part(z: complex) -> float:
    """The real part of a Python number, a Python float."""
    return z.real


def imaginary_part(z: complex) -> float:
    """The imaginary part of a Python number, a Python float."""
    return z.imag


def conjugate(z: complex) -> complex:
    """The conjugate of a Python number, a Python number."""
    return z.conjugate()


rule(real_part, z=lambda d, out, z: d)
rule(imaginary_part, z=lambda d, out, z: 1j * d)
rule(conjugate, z=lambda d, out, z: np.conj(d))

NUMBER_ATTRIBUTES: dict[str, Callable] = {"real": real_part, "imag": imaginary_part}

METHODS: dict[str, Callable] = {
    "all": np.all, "any": np.any, "argmax": np.argmax, "argmin": np.argmin, "argpartition": np.argpartition,
    "argsort": np.argsort, "astype": astype, "choose": np.choose, "clip": np.clip, "compress": compress,
    "conj": np.conj, "conjugate": np.conj, "copy": copy, "cumprod": np.cumprod, "cumsum": np.cumsum,
    "diagonal": np.diagonal, "dot": np.dot, "flatten": flatten, "item": item, "max": np.max, "mean": np.mean,
    "min": np.min, "nonzero": np.nonzero, "prod": np.prod, "ravel": np.ravel, "repeat": np.repeat,
    "reshape": reshape, "round": np.round, "searchsorted": np.searchsorted, "squeeze": np.squeeze, "std": np.std,
    "sum": np.sum, "swapaxes": np.swapaxes, "take": np.take, "tolist": tolist, "trace": np.trace,
    "transpose": transpose, "var": np.var,
}  # fmt: skip

ATTRIBUTES: dict[str, Callable] = {
    "T": np.transpose, "mT": matrix_transpose, "real": np.real, "imag": np.imag,
    "shape": np.shape, "ndim": np.ndim, "size": np.size,
}  # fmt: skip
