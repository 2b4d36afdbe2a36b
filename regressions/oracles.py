"""Gradients of a program that may only be called: what the right answers of the cases are checked against.

Two methods, independent of each other and of every engine: central differences extrapolated to step zero (Richardson),
and the complex step, for programs that are analytic and stay in NumPy. Both move one number at a time, wherever it
sits: an element of an array, a float in a list of a field of an object. The answer has the structure of the arguments
(an object's is `fields`), None for what is no number, and zero where nothing depends: they cannot tell zero from None.

`one_sided` finds both slopes at a kink; `exact_differences` needs the program in mpmath and is good to twenty digits.
`differences` is made of these, for programs that take derivatives themselves.
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

__all__ = [
    "Unsettled",
    "central_differences",
    "complex_step",
    "exact_differences",
    "extrapolated",
    "implicit_differences",
    "one_sided",
    "parts",
    "replaced",
]

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
            return f(*replaced(args, path, _shifted(leaf, index, step)))

        return _partial(moved, leaf if index is None else leaf[index], path)

    return _gradient(args, slope)


def complex_step(f: Callable, *args: Any) -> tuple:
    """The gradient of f at real args, to rounding: Im f(x + ih) / h with h so small that nothing else remains.

    >>> complex_step(lambda x: np.sum(np.exp(x)), np.zeros(2))
    (array([1., 1.]),)
    """
    h = 1e-200

    def slope(path: tuple, leaf: Any, index: tuple | None) -> Any:
        return np.imag(f(*replaced(args, path, _shifted(leaf, index, 1j * h)))) / h

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


def one_sided(f: Callable, *args: Any) -> tuple[tuple, tuple]:
    """The slopes of f at args to the left and to the right, for each number: between them lies every right answer.

    >>> one_sided(abs, 0.0)
    ((-1.0,), (1.0,))

    Raises:
        Unsettled: on one side the slope has no limit.
    """

    def on(side: int) -> tuple:
        def slope(path: tuple, leaf: Any, index: tuple | None) -> Any:
            def moved(step: float) -> Any:
                return f(*replaced(args, path, _shifted(leaf, index, step)))

            x = leaf if index is None else leaf[index]
            return extrapolated(lambda h: side * (moved(side * h) - moved(0.0)) / h, abs(x), path, order=1)

        return _gradient(args, slope)

    return on(-1), on(1)


def exact_differences(f: Callable, *args: Any) -> tuple:
    """The gradient of f, written in mpmath, at real args: central differences with 60 digits.

    >>> import mpmath
    >>> exact_differences(lambda x: mpmath.log1p(x), 1e-12)
    (0.999999999999,)
    """
    import mpmath  # needed by those cases alone

    def slope(path: tuple, leaf: Any, index: tuple | None) -> Any:
        def moved(step: Any) -> Any:
            return f(*replaced(exact_args, path, _shifted_exactly(_at(exact_args, path), index, step)))

        step = mpmath.mpf(10) ** -25 * max(1, abs(_at(exact_args, path) if index is None else leaf[index]))
        return float((moved(step) - moved(-step)) / (2 * step))

    with mpmath.workdps(60):
        exact_args = _in_mpmath(args)
        return _gradient(args, slope)


def _in_mpmath(x: Any) -> Any:
    import mpmath

    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        out = np.empty(x.shape, object)
        out[...] = np.vectorize(lambda value: mpmath.mpf(float(value)), otypes=[object])(x) if x.size else out
        return out
    if isinstance(x, float | np.floating):
        return mpmath.mpf(float(x))
    if isinstance(x, tuple | list):
        return type(x)(map(_in_mpmath, x))
    return {key: _in_mpmath(part) for key, part in x.items()} if isinstance(x, dict) else x


def _at(x: Any, path: tuple) -> Any:
    for key in path:
        x = x[key]
    return x


def _shifted_exactly(leaf: Any, index: tuple | None, step: Any) -> Any:
    if index is None:
        return leaf + step
    shifted = leaf.copy()
    shifted[index] += step
    return shifted


def _partial(moved: Callable[[complex], Any], x: Any, path: tuple) -> Any:
    """The derivative of `moved` at 0; dL/dx + i dL/dy at a complex x."""

    def along(direction: complex) -> Any:
        return extrapolated(lambda h: (moved(direction * h) - moved(-direction * h)) / (2 * h), abs(x), path)

    return along(1) + 1j * along(1j) if np.iscomplexobj(x) else along(1)


def extrapolated(quotient: Callable[[float], Any], size: float, path: tuple = (), order: int = 2) -> Any:
    """The limit of a quotient of differences for step to 0 (Richardson); its error goes like step ** order.

    Raises:
        Unsettled: it approaches none.
    """
    step = STEP * 2.0 ** np.ceil(np.log2(max(1.0, size)))
    row = [quotient(h) for h in (step / 2**k for k in range(LEVELS))]
    last = row[-1]
    for level in range(1, LEVELS):
        factor = 2.0 ** (level * order)
        row = [(factor * fine - coarse) / (factor - 1) for coarse, fine in pairwise(row)]
        last, change = row[-1], np.max(np.abs(row[-1] - last), initial=0.0)
    if not change <= 1e-6 * max(1.0, np.max(np.abs(last), initial=0.0)):
        raise Unsettled(f"at {path}: successive extrapolations differ by {change:.1e}, the last is {last!r}")
    return last if isinstance(last, np.ndarray) else last.item() if isinstance(last, np.generic) else last


def _gradient(args: tuple, slope: Callable[[tuple, Any, tuple | None], Any]) -> tuple:
    def at(x: Any, path: tuple) -> Any:
        if isinstance(x, np.ndarray) and x.dtype.kind in "fc":
            return _elementwise(x, lambda index: slope(path, x, index))
        if isinstance(x, float | complex | np.inexact):
            return type(x)(slope(path, x, None))
        inside = {key: at(part, (*path, key)) for key, part in parts(x)}
        if all(part is None for part in inside.values()):
            return None
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return type(x)(*inside.values())
        if isinstance(x, tuple | list):
            return type(x)(inside.values())
        return inside if isinstance(x, dict) else fields(**inside)

    return tuple(at(arg, (i,)) for i, arg in enumerate(args))


def _elementwise(x: np.ndarray, slope: Callable[[tuple], Any]) -> np.ndarray:
    out = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        out[index] = slope(index)
    return out


def parts(x: Any) -> Iterator[tuple[Any, Any]]:
    """The parts of a structure with the keys that lead to them; nothing for a leaf."""
    if isinstance(x, tuple | list):
        yield from enumerate(x)
    elif isinstance(x, dict):
        yield from x.items()
    elif hasattr(x, "__dict__") and not isinstance(x, FunctionType | MethodType | ModuleType | type):
        yield from vars(x).items()


def replaced(x: Any, path: tuple, leaf: Any) -> Any:
    """`x` with another leaf at `path`: new containers along the path, everything beside it the same object."""
    if not path:
        return leaf
    key, *rest = path
    if isinstance(x, tuple):
        members = [replaced(part, tuple(rest), leaf) if i == key else part for i, part in enumerate(x)]
        return type(x)(*members) if hasattr(x, "_fields") else tuple(members)
    twin = copy.copy(x)
    inside = twin if isinstance(x, list | dict) else vars(twin)
    inside[key] = replaced(inside[key], tuple(rest), leaf)
    return twin


def _shifted(leaf: Any, index: tuple | None, step: complex) -> Any:
    if index is None:
        return leaf + step
    shifted = leaf.astype(complex) if isinstance(step, complex) and leaf.dtype.kind == "f" else leaf.copy()
    shifted[index] += step
    return shifted
