"""Tangents and cotangents: what they look like, how they add, and how they fit their primal.

    float, complex, NumPy scalar, inexact array    the same, of the primal's shape and dtype
    tuple, list, dict                              the same structure of cotangents
    object                                         a `Tangent` with its fields
    everything else, and "no dependence"           None

The functions here are ordinary Python in the language the engine differentiates: a derivative of a derivative goes
through them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Tangent", "accumulate", "has_nan", "is_differentiable", "project", "zeros_like"]


class Tangent:
    """The structural cotangent of an object: one attribute for each field, None where nothing depends on it.

    >>> g = Tangent("Dense", {"weight": 2.0, "bias": None})
    >>> g.weight, g.bias
    (2.0, None)
    >>> g
    Tangent<Dense>(weight=2.0, bias=None)
    """

    _primal_type: str

    def __init__(self, primal_type: str, fields: dict[str, Any]) -> None:
        self.__dict__.update(fields)
        self.__dict__["_primal_type"] = primal_type

    def _fields(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_primal_type"}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tangent) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def __getitem__(self, name: str) -> Any:
        return self.__dict__[name]

    def __repr__(self) -> str:
        fields = ", ".join(f"{k}={v!r}" for k, v in self._fields().items())
        return f"Tangent<{self._primal_type}>({fields})"


def is_differentiable(x: Any) -> bool:
    """Can a cotangent belong to `x` itself: a float, a complex, or an array or scalar of an inexact dtype?"""
    return (
        isinstance(x, float | complex)
        or (isinstance(x, np.ndarray) and x.dtype.kind in "fc")
        or isinstance(x, np.inexact)
    )


def accumulate(a: Any, b: Any) -> Any:
    """a + b, for cotangents of one primal; None is the additive identity."""
    if a is None:
        return b
    if b is None:
        return a
    if isinstance(a, tuple):
        return tuple([accumulate(x, y) for x, y in zip(a, b, strict=True)])
    return a + b


def project(d: Any, primal: Any) -> Any:
    """The cotangent `d` as a cotangent of `primal`: of its shape (sums over broadcast axes), dtype, real if it is real.

    Returns a float for a Python float, a NumPy scalar for a NumPy scalar, an array for an array.
    """
    if isinstance(primal, np.ndarray):
        if not isinstance(d, np.ndarray) or d.shape != primal.shape:
            d = np.asarray(unbroadcast(d, np.shape(primal)))
        if np.iscomplexobj(d) and not np.iscomplexobj(primal):
            d = np.real(d)
        if d.dtype != primal.dtype:
            d = d.astype(primal.dtype)
        return d
    if np.ndim(d) > 0:
        d = summed(d, None)
    if np.iscomplexobj(d) and not np.iscomplexobj(primal):
        d = np.real(d)
    if isinstance(primal, np.generic):
        return d if type(d) is type(primal) else np.asarray(d).astype(primal.dtype)[()]
    if isinstance(primal, complex):
        return complex(d)
    return float(d)


def unbroadcast(d: Any, shape: tuple[int, ...]) -> Any:
    """`d` summed over the axes along which `shape` was broadcast, or broadcast up to `shape` where it is smaller."""
    extra = np.ndim(d) - len(shape)
    if extra > 0:
        d = summed(d, tuple(range(extra)))
    axes = tuple([i for i, n in enumerate(np.shape(d)) if n != 1 and shape[i + len(shape) - np.ndim(d)] == 1])
    if axes:
        d = summed(d, axes, True)
    if np.shape(d) != shape:
        d = np.broadcast_to(d, shape)
    return d


def summed(d: Any, axes: Any, keepdims: Any = False) -> Any:
    """np.sum over these axes; half precision, in which 2048 and 1 are 2048, is added up in single."""
    if getattr(d, "dtype", None) == np.float16:
        return np.sum(d, axis=axes, dtype=np.float32, keepdims=keepdims).astype(np.float16)
    return np.sum(d, axis=axes, keepdims=keepdims)


def from_partial(partial: Any, d: Any, out: Any, args: tuple) -> Any:
    """The pullback of an elementwise primitive from one of its partial derivatives: d * conj(partial)."""
    slope = partial(out, *args)
    if type(slope) is int and slope == 1:
        return d
    if np.iscomplexobj(slope):
        slope = np.conj(slope)
    return d * slope


def copy_of_part(array: Any, index: Any) -> Any:
    """array[index], owned."""
    return np.copy(array[index])


def stored_cotangent(d: Any, value: Any) -> Any:
    """The cotangent of a value that was stored (`array[index] = value`) from that of the part it was stored to."""
    shape = np.shape(value)
    extra = len(shape) - np.ndim(d)
    if extra > 0:  # leading axes of size one are dropped by a store
        d = np.reshape(unbroadcast(d, shape[extra:]), shape)
    else:
        d = unbroadcast(d, shape)
    if isinstance(value, tuple):
        return tuple([stored_cotangent(d[i], item) for i, item in enumerate(value)])
    return project(d, value)


def zeros_like(x: Any) -> Any:
    """The zero cotangent of `x`, structure and all; None where `x` can have none.

    >>> zeros_like({"w": 1.5, "n": 3})
    {'w': 0.0, 'n': None}
    """
    if isinstance(x, np.ndarray):
        return np.zeros_like(x) if is_differentiable(x) else None
    if is_differentiable(x):
        return type(x)(0)
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*[zeros_like(v) for v in x])
    if isinstance(x, tuple | list):
        return type(x)([zeros_like(v) for v in x])
    if isinstance(x, dict):
        return {k: zeros_like(v) for k, v in x.items()}
    return None


def has_nan(gradients: Any) -> bool:
    """Is there a NaN anywhere in these gradients, or in what they hold?

    >>> has_nan((1.0, [np.array([0.0, np.nan])]))
    True
    """
    seen: set[int] = set()
    todo = [gradients]
    for d in todo:  # it grows
        kind = type(d)
        if kind is np.ndarray:
            if d.dtype.kind not in "fc" or not d.size:
                continue
            d = np.minimum.reduce(d, None)  # NaN if there is one; it makes no array
            if d != d:
                return True
        elif kind is tuple:
            todo += d
        elif isinstance(d, float | complex | np.inexact):
            if d != d:
                return True
        elif kind is list and set(map(type, d)) == {float}:
            if not all(map(float.__eq__, d, d)):
                return True
        elif isinstance(d, Tangent | tuple | list | dict) and id(d) not in seen:
            seen.add(id(d))
            parts = d._fields() if isinstance(d, Tangent) else d
            todo += parts.values() if isinstance(parts, dict) else parts
    return False
