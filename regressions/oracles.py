"""Gradients of a program that may only be called: what the right answers of the cases are checked against.

Two methods, independent of each other and of every engine: central differences extrapolated to step zero (Richardson),
and the complex step, for programs that are analytic and stay in NumPy. Both move one number at a time, wherever it
sits: an element of an array, a float in a list of a field of an object. The answer has the structure of the arguments
(an object's is `fields`), None for what is no number, and zero where nothing depends: they cannot tell zero from None.

The module also serves as the differentiation system `ad` of a program that takes a derivative itself.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from .case import fields

__all__ = ["Params", "Unsettled", "central_differences", "complex_step", "gradient", "implicit_differences"]

STEP = 2.0**-6  # relative to the number moved; the error left by the extrapolation is of order STEP**8
LEVELS = 4


class Unsettled(ArithmeticError):
    """The differences do not approach a limit: a kink or a jump is near, or the program is not a function."""


def central_differences(f: Callable, *args: Any) -> tuple:
    """The gradient of f at args, good to about 1e-10 of the largest value of f nearby.

    >>> central_differences(lambda m: m["w"] ** 2 * m["n"], {"w": 3.0, "n": 2})
    ({'w': 12.0, 'n': None},)

    Raises:
        Unsettled: f has no derivative there.
    """

    def slope(path: tuple, leaf: Any, index: tuple | None) -> Any:
        def moved(step: complex) -> Any:
            return f(*_replaced(args, path, _shifted(leaf, index, step)))

        return _partial(moved, leaf if index is None else leaf[index], path)

    return _gradient(args, slope)


def complex_step(f: Callable, *args: Any) -> tuple:
    """The gradient of f at real args, to rounding: Im f(x + ih) / h with h so small that nothing else remains.

    >>> complex_step(lambda x: np.sum(np.exp(x)), np.zeros(2))
    (array([1., 1.]),)
    """
    h = 1e-200

    def slope(path: tuple, leaf: Any, index: tuple | None) -> Any:
        return np.imag(f(*_replaced(args, path, _shifted(leaf, index, 1j * h)))) / h

    return _gradient(args, slope)


def implicit_differences(f: Callable[[], Any], arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """The gradient of f() for arrays it reads by whatever path: each element is moved where it lies, and put back.

    >>> w = np.array([1.0, 2.0])
    >>> box = [w]
    >>> implicit_differences(lambda: np.sum(box[0] ** 2), [w])[0].round(9)
    array([2., 4.])
    """

    def one(array: np.ndarray, index: tuple) -> Any:
        original = array[index]

        def moved(step: complex) -> Any:
            try:
                array[index] = original + step
                return f()
            finally:
                array[index] = original

        return _partial(moved, original, (index,))

    return tuple(_elementwise(array, partial(one, array)) for array in arrays)


class Params(list):
    """The arrays of implicit mode, for programs that take a derivative themselves."""


class _ByIdentity:
    def __init__(self, arrays: Sequence[np.ndarray], gradients: Sequence[np.ndarray]) -> None:
        self._entries = list(zip(arrays, gradients, strict=True))

    def __getitem__(self, array: np.ndarray) -> np.ndarray:
        return next(gradient for candidate, gradient in self._entries if candidate is array)


def gradient(f: Callable, *args: Any) -> Any:
    """What a program calls as `ad.gradient`: explicit, or implicit for `Params`, by central differences."""
    if len(args) == 1 and isinstance(args[0], Params):
        return _ByIdentity(args[0], implicit_differences(f, args[0]))
    return central_differences(f, *args)


def _partial(moved: Callable[[complex], Any], x: Any, path: tuple) -> Any:
    """The derivative of `moved` at 0 by Richardson extrapolation; dL/dx + i dL/dy at a complex x."""
    if np.iscomplexobj(x):
        return _extrapolated(moved, abs(x), path) + 1j * _extrapolated(lambda h: moved(1j * h), abs(x), path)
    return _extrapolated(moved, abs(x), path)


def _extrapolated(moved: Callable[[float], Any], size: float, path: tuple) -> float:
    step = STEP * 2.0 ** np.ceil(np.log2(max(1.0, size)))
    row = [float((moved(h) - moved(-h)) / (2 * h)) for h in (step / 2**k for k in range(LEVELS))]
    last = row[-1]
    for level in range(1, LEVELS):
        row = [(4**level * fine - coarse) / (4**level - 1) for coarse, fine in pairwise(row)]
        last, change = row[-1], abs(row[-1] - last)
    if not change <= 1e-6 * max(1.0, abs(last)):
        raise Unsettled(f"at {path}: successive extrapolations differ by {change:.1e}, the last is {last!r}")
    return last


def _gradient(args: tuple, slope: Callable[[tuple, Any, tuple | None], Any]) -> tuple:
    def at(x: Any, path: tuple) -> Any:
        if isinstance(x, np.ndarray) and x.dtype.kind in "fc":
            return _elementwise(x, lambda index: slope(path, x, index))
        if isinstance(x, float | complex | np.inexact):
            return type(x)(slope(path, x, None))
        parts = {key: at(part, (*path, key)) for key, part in _parts(x)}
        if all(part is None for part in parts.values()):
            return None
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return type(x)(*parts.values())
        if isinstance(x, tuple | list):
            return type(x)(parts.values())
        return parts if isinstance(x, dict) else fields(**parts)

    return tuple(at(arg, (i,)) for i, arg in enumerate(args))


def _elementwise(x: np.ndarray, slope: Callable[[tuple], Any]) -> np.ndarray:
    out = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        out[index] = slope(index)
    return out


def _parts(x: Any) -> Iterator[tuple[Any, Any]]:
    """The parts of a structure with the keys that lead to them; nothing for a leaf."""
    if isinstance(x, tuple | list):
        yield from enumerate(x)
    elif isinstance(x, dict):
        yield from x.items()
    elif hasattr(x, "__dict__") and not isinstance(x, FunctionType | MethodType | ModuleType | type):
        yield from vars(x).items()


def _replaced(x: Any, path: tuple, leaf: Any) -> Any:
    """`x` with another leaf at `path`: new containers along the path, everything beside it the same object."""
    if not path:
        return leaf
    key, *rest = path
    if isinstance(x, tuple):
        parts = [_replaced(part, tuple(rest), leaf) if i == key else part for i, part in enumerate(x)]
        return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)
    twin = copy.copy(x)
    inside = twin if isinstance(x, list | dict) else vars(twin)
    inside[key] = _replaced(inside[key], tuple(rest), leaf)
    return twin


def _shifted(leaf: Any, index: tuple | None, step: complex) -> Any:
    if index is None:
        return leaf + step
    shifted = leaf.astype(complex) if isinstance(step, complex) and leaf.dtype.kind == "f" else leaf.copy()
    shifted[index] += step
    return shifted
