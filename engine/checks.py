"""Gradients against finite differences: is what the engine computes the derivative of what the program computes?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import api
from .errors import ArgumentError, DifferentiationError
from .tangents import Tangent, is_differentiable

__all__ = ["GradientCheckError", "check_gradient"]


class GradientCheckError(DifferentiationError, AssertionError):
    """The engine's derivative is not the numeric one."""


def check_gradient(
    f: Callable, *args: Any, order: int = 2, rtol: float = 1e-6, atol: float = 1e-8, seed: int = 0
) -> None:
    """Compare the derivatives of f at `args` with finite differences, in every mode.

    f returns a float or an array; the arguments hold floats and arrays of float64 or complex128, in any structure.
    Checked are the pullback and the pushforward, element by element, and for `order=2` the same of the gradient in a
    random direction. The numeric derivative is the central difference, extrapolated to step zero (Ridders), with the
    error that the extrapolation itself estimates added to the tolerance.

    Raises:
        GradientCheckError: says which mode, which argument, which element, both values and by how much they differ.
        ArgumentError: order is neither 1 nor 2, or no argument holds a float.

    >>> import numpy as np
    >>> check_gradient(lambda x: np.sum(np.sin(x) ** 2), np.array([0.3, 1.2]))
    """
    if order not in (1, 2):
        raise ArgumentError(f"check_gradient knows order 1 and 2, not {order!r}")
    generator = np.random.default_rng(seed)
    leaves = list(_leaves(args, ""))
    if not leaves:
        raise ArgumentError("check_gradient was given no float to differentiate with respect to")
    value = np.asarray(f(*args))
    weights = _random(generator, value) if value.ndim or np.iscomplexobj(value) else 1.0

    def loss(*inner: Any) -> Any:
        return np.sum(np.real(np.conj(weights) * f(*inner)))

    _compare(loss, args, "the pullback", lambda: api.gradient(loss, *args), rtol, atol)
    directions = _map(lambda leaf: _random(generator, np.asarray(leaf)), args)
    _compare_pushforward(loss, args, directions, rtol, atol)
    if order == 2:

        def slope(*inner: Any) -> Any:
            return _inner(api.gradient(loss, *inner), directions)

        if all(g is None for g in api.gradient(loss, *args)):
            return
        _compare(slope, args, "the second derivative", lambda: api.gradient(slope, *args), rtol, atol)


def _compare(f: Callable, args: tuple, mode: str, derivative: Callable[[], tuple], rtol: float, atol: float) -> None:
    got = dict(_paths(derivative(), args, ""))
    for path, index, value, moved in _elements(args):
        steps = (1.0, 1j) if isinstance(value, complex | np.complexfloating) else (1.0,)
        numeric: Any = 0.0
        error = 0.0
        for unit in steps:

            def along(h: float, unit: Any = unit, moved: Callable = moved) -> float:
                return float(f(*moved(h * unit)))

            slope, uncertain = _ridders(along, abs(value))
            numeric, error = numeric + slope * unit, error + uncertain
        found = got[path]
        found = 0.0 if found is None else np.asarray(found)[index]
        _judge(mode, path, index, found, numeric, error, rtol, atol)


def _compare_pushforward(f: Callable, args: tuple, directions: tuple, rtol: float, atol: float) -> None:
    def along(h: float) -> float:
        return float(f(*_zip_map(lambda leaf, d: leaf + h * d, args, directions)))

    numeric, error = _ridders(along, 1.0)
    kinds = _zip_map(lambda leaf, d: d if isinstance(leaf, np.ndarray) else type(leaf)(d), args, directions)
    found = api.jvp(f, args, kinds)[1]
    _judge("the pushforward", " in a random direction", (), found, numeric, error, rtol, atol)


def _judge(
    mode: str, path: str, index: tuple, found: Any, numeric: Any, error: float, rtol: float, atol: float
) -> None:
    off = abs(found - numeric)
    allowed = atol + rtol * abs(numeric) + 10 * error
    if not off <= allowed and not (np.isnan(found) and np.isnan(numeric)):
        where = f"argument{path}" if path.startswith("[") else path
        element = f"[{', '.join(map(str, index))}]" if index else ""
        raise GradientCheckError(
            f"{mode} is wrong at {where}{element}: the engine says {found!r:.30}, finite differences say "
            f"{numeric!r:.30}; they differ by {off:.3g}, {allowed:.3g} would do."
        )


def _ridders(f: Callable[[float], float], scale: float) -> tuple[float, float]:
    """The derivative of f at 0 and an estimate of its error: central differences extrapolated to step zero.

    Source: C. J. F. Ridders, Advances in Engineering Software 4 (1982) 75-76.
    """
    shrink, step = 1.6, 0.02 * max(1.0, scale)
    rows: list[list[float]] = []
    best, error = np.nan, np.inf
    for i in range(8):
        row = [(f(step) - f(-step)) / (2 * step)]
        for j in range(i):
            factor = shrink ** (2 * (j + 1))
            row.append((row[j] * factor - rows[-1][j]) / (factor - 1))
            estimate = max(abs(row[j + 1] - row[j]), abs(row[j + 1] - rows[-1][j]))
            if estimate <= error:
                best, error = row[j + 1], estimate
        rows.append(row)
        step /= shrink
    return best, error


def _random(generator: np.random.Generator, like: np.ndarray) -> Any:
    drawn = generator.uniform(0.5, 1.5, like.shape)
    if np.iscomplexobj(like):
        drawn = drawn + 1j * generator.uniform(0.5, 1.5, like.shape)
    return drawn if like.ndim else drawn[()]


def _children(value: Any) -> list[tuple[str, Any]]:
    """The parts of a structure, with how each is reached."""
    if isinstance(value, tuple | list):
        return [(f"[{i}]", v) for i, v in enumerate(value)]
    if isinstance(value, dict):
        return [(f"[{k!r}]", v) for k, v in value.items()]
    return [(f".{k}", v) for k, v in getattr(value, "__dict__", {}).items()] if not callable(value) else []


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if is_differentiable(value):
        yield path, value
    elif not isinstance(value, str | int | np.ndarray | None):
        for label, part in _children(value):
            yield from _leaves(part, path + label)


def _paths(gradient: Any, args: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each leaf of the arguments with its gradient; a missing part of the gradient is None."""
    if is_differentiable(args):
        yield path, gradient
        return
    if isinstance(args, str | int | np.ndarray | None):
        return
    for label, part in _children(args):
        inner = None
        if gradient is not None:
            parts = dict(_children(gradient)) if not isinstance(gradient, Tangent) else {
                f".{k}": v for k, v in gradient._fields().items()
            }  # fmt: skip
            inner = parts.get(label)
        yield from _paths(inner, part, path + label)


def _map(function: Callable, value: Any) -> Any:
    return _zip_map(lambda leaf, _: function(leaf), value, value)


def _zip_map(function: Callable, value: Any, other: Any) -> Any:
    """`function` of each leaf of `value` and the part of `other` in the same place; the rest as it is."""
    if is_differentiable(value):
        return function(value, other)
    if isinstance(value, tuple | list):
        parts = [_zip_map(function, v, o) for v, o in zip(value, other, strict=True)]
        return type(value)._make(parts) if hasattr(value, "_make") else type(value)(parts)
    if isinstance(value, dict):
        return {k: _zip_map(function, v, other[k]) for k, v in value.items()}
    if _children(value):
        made = object.__new__(type(value))
        for (label, part), (_, o) in zip(_children(value), _children(other), strict=True):
            object.__setattr__(made, label[1:], _zip_map(function, part, o))
        return made
    return value


def _elements(args: tuple) -> Iterator[tuple[str, tuple, Any, Callable[[Any], tuple]]]:
    """Each number of the arguments: its path, its index in its array, its value, and the arguments with it moved."""
    for path, leaf in _leaves(args, ""):
        for index in np.ndindex(np.shape(leaf)):

            def moved(h: Any, path: str = path, index: tuple = index) -> tuple:
                return _moved(args, "", path, index, h)

            yield path, index, np.asarray(leaf)[index][()], moved


def _moved(value: Any, path: str, target: str, index: tuple, h: Any) -> Any:
    if path == target and is_differentiable(value):
        if isinstance(value, np.ndarray):
            value = value.copy()
            value[index] += h
            return value
        return value + h
    if is_differentiable(value):
        return value.copy() if isinstance(value, np.ndarray) else value
    if isinstance(value, tuple | list):
        parts = [_moved(v, path + label, target, index, h) for label, v in _children(value)]
        return type(value)._make(parts) if hasattr(value, "_make") else type(value)(parts)
    if isinstance(value, dict):
        return {k: _moved(v, f"{path}[{k!r}]", target, index, h) for k, v in value.items()}
    if not isinstance(value, str | int | np.ndarray | None) and _children(value):
        made = object.__new__(type(value))
        for label, part in _children(value):
            object.__setattr__(made, label[1:], _moved(part, path + label, target, index, h))
        return made
    return value


def _inner(gradient: Any, directions: Any) -> Any:
    """The sum of the products of a gradient with a direction, leaf by leaf."""
    if gradient is None:
        return 0.0
    if is_differentiable(gradient):
        return np.sum(np.real(np.conj(directions) * gradient))
    total = 0.0
    if isinstance(gradient, tuple | list):
        for part, d in zip(gradient, directions, strict=True):
            total = total + _inner(part, d)
    elif isinstance(gradient, dict):
        for key, part in gradient.items():
            total = total + _inner(part, directions[key])
    else:
        for key, part in vars(gradient).items():
            if key != "_primal_type":
                total = total + _inner(part, getattr(directions, key))
    return total
