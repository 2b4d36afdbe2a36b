"""Derivatives by differences under an engine's names: what a program that takes derivatives itself is checked with.

`oracles` differentiates a program that may only be called; this gives it the face of an engine, `ad`. What no
difference can know (a derivative that a program stops, a rule of one's own) is computed as if nobody had said it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .oracles import central_differences, extrapolated, implicit_differences, parts, replaced

__all__ = [
    "Params",
    "checkpoint",
    "grad",
    "gradient",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "pullback",
    "stop_gradient",
    "value_and_grad",
    "value_and_gradient",
    "vjp",
]

stop_gradient = copy.deepcopy


class Params(list):
    """The arrays of implicit mode."""


class _ByIdentity:
    def __init__(self, arrays: Sequence[np.ndarray], gradients: Sequence[np.ndarray]) -> None:
        self._entries = list(zip(arrays, gradients, strict=True))

    def __getitem__(self, array: np.ndarray) -> np.ndarray:
        return next(gradient for candidate, gradient in self._entries if candidate is array)


def gradient(f: Callable, *args: Any, **kwargs: Any) -> Any:
    """One gradient an argument, or, for `Params`, one an array."""
    if len(args) == 1 and isinstance(args[0], Params):
        return _ByIdentity(args[0], implicit_differences(f, args[0]))
    return central_differences(lambda *primals: f(*primals, **kwargs), *args)


def value_and_gradient(f: Callable, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """The value and the gradient."""
    implicit = len(args) == 1 and isinstance(args[0], Params)
    return f() if implicit else f(*args, **kwargs), gradient(f, *args, **kwargs)


def pullback(f: Callable, *args: Any, **kwargs: Any) -> tuple[Any, Callable[[Any], tuple]]:
    """The value, and the gradient of its product with a cotangent."""

    def back(cotangent: Any) -> tuple:
        return gradient(lambda *primals: _product(cotangent, f(*primals, **kwargs)), *args)

    return f(*args, **kwargs), back


def vjp(f: Callable, *primals: Any) -> tuple[Any, Callable[[Any], tuple]]:
    """The same under its other name."""
    return pullback(f, *primals)


def value_and_grad(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """The function that returns value and gradient, for some arguments."""

    def both(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        chosen = [argnums] if isinstance(argnums, int) else list(argnums)

        def restricted(*some: Any) -> Any:
            full = list(args)
            for position, argument in zip(chosen, some, strict=True):
                full[position] = argument
            return f(*full, **kwargs)

        grads = gradient(restricted, *(args[position] for position in chosen))
        return f(*args, **kwargs), grads[0] if isinstance(argnums, int) else grads

    return both


def grad(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """The function that returns the gradient, for some arguments."""
    return lambda *args, **kwargs: value_and_grad(f, argnums)(*args, **kwargs)[1]


def jvp(f: Callable, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value, and its derivative in a direction.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    (6.0, 3.0)
    """

    def along(h: float) -> Any:
        return f(*(_moved(x, x_dot, h) for x, x_dot in zip(primals, tangents, strict=True)))

    size = max((float(np.max(np.abs(leaf), initial=0.0)) for leaf in _leaves(tuple(primals))), default=1.0)
    return f(*primals), extrapolated(lambda h: (along(h) - along(-h)) / (2 * h), size)


def jacobian(f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
    """The function that returns the derivatives of an array: its shape, then that of the argument."""

    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        if not isinstance(argnums, int):
            return tuple(jacobian(f, position)(*args, **kwargs) for position in argnums)

        def in_one(x: Any) -> Any:
            return f(*args[:argnums], x, *args[argnums + 1 :], **kwargs)

        x = args[argnums]
        if not isinstance(x, np.ndarray):
            return jvp(in_one, (x,), (1.0,))[1]
        columns = [jvp(in_one, (x,), (basis,))[1] for basis in np.eye(x.size).reshape(x.size, *x.shape)]
        shape = np.shape(f(*args, **kwargs))
        return np.moveaxis(np.array(columns).reshape(*x.shape, *shape), range(x.ndim), range(-x.ndim, 0))

    return jacobian_of


def hessian(f: Callable, argnums: int = 0) -> Callable:
    """The function that returns the second derivatives.

    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0])).round(6)
    array([[4., 2.],
           [2., 0.]])
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Callable, x: Any, v: Any) -> Any:
    """The second derivatives times a vector."""
    return jvp(grad(f), (x,), (v,))[1]


def checkpoint(f: Callable) -> Callable:
    """f."""
    return f


def _product(cotangent: Any, value: Any) -> Any:
    """The real inner product of a cotangent with a value of the same structure."""
    if cotangent is None:
        return 0.0
    if isinstance(value, tuple | list):
        return sum(_product(*pair) for pair in zip(cotangent, value, strict=True))
    if isinstance(value, dict):
        return sum(_product(cotangent[key], part) for key, part in value.items())
    return float(np.real(np.sum(np.conj(cotangent) * value)))


def _leaves(x: Any) -> list[Any]:
    if isinstance(x, float | complex | np.inexact | np.ndarray):
        return [x]
    return [leaf for _, part in parts(x) for leaf in _leaves(part)]


def _moved(x: Any, x_dot: Any, h: float) -> Any:
    if x_dot is None:
        return x
    if isinstance(x, float | complex | np.inexact | np.ndarray):
        return x + h * x_dot
    inside = dict(parts(x_dot))
    for key, part in parts(x):
        x = replaced(x, (key,), _moved(part, inside[key], h))
    return x
