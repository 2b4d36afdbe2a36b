"""What the adapters of engines with an array library of their own have in common; such an adapter is some thirty lines.

The engine gives `vjp` for a function of arrays to an array. From it comes everything that a case may ask: arguments are
taken apart into their floats and arrays, turned into the engine's own, put together again inside the differentiated
function (so that lists, dicts and objects are the program's business, as they are for the user of a tape), and the
cotangents are read back as NumPy, each of its primal's kind, under the conventions of the suite.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from .adapters import Adapter, CannotBeAsked
from .case import fields
from .transplant import transplanted

__all__ = ["ArrayAdapter", "Face"]


class ArrayAdapter(Adapter):
    """An engine with an array namespace of its own, which a program meets under the name np."""

    namespace: Any
    scipy: Any = None  # the engine's own SciPy, where it has one
    conjugates: ClassVar[bool] = False  # does the gradient of a complex number come as dL/dx - i dL/dy?
    native: ClassVar[dict[str, Callable]] = {}  # derivatives that the engine has itself: see Face

    @property
    def face(self) -> Any:
        return Face(self)

    @abstractmethod
    def vjp(self, f: Callable, *arrays: Any) -> tuple[Any, Callable[[Any], Sequence[Any]]]:
        """f(*arrays), and the function from its cotangent to theirs, all in the engine's own arrays."""

    def lift(self, array: Any) -> Any:
        """A number or an array of NumPy -> the engine's own."""
        return array

    def lower(self, array: Any) -> Any:
        """An array of the engine's -> NumPy's."""
        return np.asarray(array)

    def read(self, got: Any, expected: Any) -> Any:
        return of_kind(super().read(got, expected), expected)

    def one(self, value: Any) -> Any:
        """The cotangent 1 for a scalar value."""
        return self.lift(np.ones((), self.lower(value).dtype))

    def gradient(self, f: Callable, *args: Any) -> tuple[Any, tuple]:
        if any(map(is_integer, args)):  # engines refuse it, each in its own words, or take it for a constant
            raise CannotBeAsked("the gradient for an integer")
        program, leaves = self.transplanted(f), leaves_of(args)
        value, back = self.vjp(lambda *arrays: program(*put(args, iter(arrays))), *map(self.lift, leaves))
        if np.shape(self.lower(value)) != ():
            raise TypeError(f"the program returned an array of shape {np.shape(self.lower(value))}, not a scalar")
        bars = map(self.cotangent, back(self.one(value)), leaves)
        return self.lower(value), put_each(args, bars)

    def value(self, program: Callable, *args: Any) -> Any:
        args = put(args, map(self.lift, leaves_of(args)))
        return self.lowered(self.transplanted(program)(*args, ad=self.face))

    def transplanted(self, f: Callable) -> Callable:
        """The program over the engine's arrays."""
        if isinstance(f, partial):
            return partial(self.transplanted(f.func), *f.args, **f.keywords)
        return transplanted(f, self.namespace, self.lift, self.scipy)

    def cotangent(self, bar: Any, primal: Any) -> Any:
        """A cotangent of the engine's -> a number or an array of the primal's kind; its dtype is left as it is."""
        if bar is None:
            return np.zeros_like(primal) if isinstance(primal, np.ndarray) else type(primal)(0)
        bar = np.conj(self.lower(bar)) if self.conjugates and np.iscomplexobj(primal) else self.lower(bar)
        return as_number(bar, primal)

    def lowered(self, x: Any) -> Any:
        """The engine's arrays in a structure turned into NumPy's; numbers without dimensions into Python's."""
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return type(x)(*map(self.lowered, x))
        if isinstance(x, tuple | list):
            return type(x)(map(self.lowered, x))
        if isinstance(x, dict):
            return {key: self.lowered(part) for key, part in x.items()}
        if x is None or isinstance(x, bool | int | float | complex | str):
            return x
        array = self.lower(x)
        return array.item() if array.shape == () and array.dtype in (np.float64, np.complex128, bool, int) else array


class Face:
    """The engine's derivatives under the names of the reference engine: its own where it has them, or made of `vjp`."""

    def __init__(self, adapter: ArrayAdapter) -> None:
        self._adapter = adapter
        vars(self).update(adapter.native)
        if adapter.conjugates and "jacobian" in adapter.native:
            self.jacobian = self._mirroring(adapter.native["jacobian"])  # type: ignore[method-assign]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python asks for these itself
            raise AttributeError(name)
        raise CannotBeAsked(f"ad.{name}")

    def pullback(self, f: Callable, *args: Any, **kwargs: Any) -> tuple[Any, Callable[[Any], tuple]]:
        """The value, and the pullback."""
        value, back = self._adapter.vjp(lambda *arrays: f(*put(args, iter(arrays)), **kwargs), *leaves_of(args))

        def pulled(seed: Any) -> tuple:
            seed = self._mirrored(put(seed, map(self._adapter.lift, leaves_of(seed))))
            return put_each(args, map(self._mirrored, back(seed)))

        return value, pulled

    vjp = pullback

    def value_and_gradient(self, f: Callable, *args: Any, **kwargs: Any) -> tuple[Any, tuple]:
        """The value, and the gradient for every argument."""
        value, back = self.pullback(f, *args, **kwargs)
        return value, back(self._adapter.one(value))

    def gradient(self, f: Callable, *args: Any, **kwargs: Any) -> tuple:
        """The gradient for every argument."""
        return self.value_and_gradient(f, *args, **kwargs)[1]

    def value_and_grad(self, f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
        """The function that returns value and gradient for some arguments."""

        def both(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
            chosen = [range(len(args))[i] for i in ([argnums] if isinstance(argnums, int) else argnums)]

            def restricted(*some: Any) -> Any:
                given = dict(zip(chosen, some, strict=True))
                return f(*(given.get(i, arg) for i, arg in enumerate(args)), **kwargs)

            value, grads = self.value_and_gradient(restricted, *(args[i] for i in chosen))
            return value, grads[0] if isinstance(argnums, int) else grads

        return both

    def grad(self, f: Callable, argnums: int | Sequence[int] = 0) -> Callable:
        """The function that returns the gradient for some arguments."""
        return lambda *args, **kwargs: self.value_and_grad(f, argnums)(*args, **kwargs)[1]

    def jacobian(self, f: Callable, argnums: int = 0) -> Callable:
        """The function that returns the derivatives of an array, row by row."""

        def jacobian_of(*args: Any) -> Any:
            np_ = self._adapter.namespace
            value, back = self.pullback(f, *args)
            shape = self._adapter.lower(value).shape
            basis = np.eye(int(np.prod(shape))).reshape(-1, *shape)
            rows = [back(self._adapter.lift(row))[argnums] for row in basis]
            return np_.reshape(np_.stack(rows), (*shape, *np.shape(args[argnums])))

        return jacobian_of

    def hessian(self, f: Callable, argnums: int = 0) -> Callable:
        """The Jacobian of the gradient, where there is a Jacobian."""
        return self.jacobian(self.grad(f, argnums), argnums)

    def hvp(self, f: Callable, x: Any, v: Any) -> Any:
        """The gradient of the gradient's product with v."""
        return self.pullback(self.grad(f), x)[1](v)[0]

    def _mirroring(self, native: Callable) -> Callable:
        """The engine's own Jacobian; its rows are gradients."""
        return lambda *which, **options: lambda *args: self._mirrored(native(*which, **options)(*args))

    def _mirrored(self, bar: Any) -> Any:
        return put(bar, map(self._adapter.namespace.conj, leaves_of(bar))) if self._adapter.conjugates else bar


def leaves_of(x: Any) -> list[Any]:
    """The floats and inexact arrays in a structure, in order; arrays of other libraries too."""
    if isinstance(x, tuple | list):
        return [leaf for part in x for leaf in leaves_of(part)]
    if isinstance(x, dict):
        return [leaf for part in x.values() for leaf in leaves_of(part)]
    if is_object(x):
        return [leaf for part in vars(x).values() for leaf in leaves_of(part)]
    return [x] if carries(x) else []


def carries(x: Any) -> bool:
    """May x carry a derivative: a float, an inexact array, or something of the engine's that is no plain object?"""
    if isinstance(x, np.ndarray | np.generic):
        return x.dtype.kind in "fc"
    return isinstance(x, float | complex) or (hasattr(x, "shape") and hasattr(x, "dtype"))


def is_integer(x: Any) -> bool:
    """Is x an integer, or an array of them?"""
    return type(x) is int or (isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "iu")


def is_object(x: Any) -> bool:
    """Is x an instance of a class of the cases'?"""
    return (
        hasattr(x, "__dict__")
        and not callable(type(x).__dict__.get("__array__"))
        and (type(x).__module__.startswith(("regressions.cases", "engine.")) or isinstance(x, fields))
    )


KEEP: Any = object()


def put_each(args: tuple, leaves: Iterator[Any]) -> tuple:
    """The cotangents of arguments: these in the places of their leaves, None elsewhere, `fields` for an object."""
    return tuple([put(arg, leaves, absent=None) for arg in args])


def put(x: Any, leaves: Iterator[Any], absent: Any = KEEP) -> Any:
    """The structure x with these in the places of its leaves.

    With absent=None, None in the place of all the rest, and of a structure that is None throughout.
    """
    if isinstance(x, tuple | list):
        parts = [put(part, leaves, absent) for part in x]
        if absent is None and all(part is None for part in parts) and x:
            return None
        if hasattr(x, "_fields"):
            return type(x)(*parts)
        return type(x)(parts) if absent is KEEP else tuple(parts) if isinstance(x, tuple) else parts
    if isinstance(x, dict):
        inside = {key: put(part, leaves, absent) for key, part in x.items()}
        return None if absent is None and all(part is None for part in inside.values()) else inside
    if is_object(x):
        inside = {name: put(part, leaves, absent) for name, part in vars(x).items()}
        if absent is None:
            return None if all(part is None for part in inside.values()) else fields(**inside)
        twin = copy.copy(x)
        vars(twin).update(inside)
        return twin
    return next(leaves) if carries(x) else x if absent is KEEP else absent


def as_number(array: np.ndarray, like: Any) -> Any:
    """`array` as a Python number, where `like` is one and no precision is lost; a float32 stays visible.

    >>> type(as_number(np.array(2.0), 1.0)).__name__, type(as_number(np.array(2.0, np.float32), 1.0)).__name__
    ('float', 'float32')
    """
    if isinstance(like, np.ndarray) or array.shape != ():
        return array
    if isinstance(like, np.generic):
        return array[()]
    return array.item() if array.dtype in (np.float64, np.complex128) else array[()]


def of_kind(got: Any, expected: Any) -> Any:
    """`got` with its numbers as Python's, NumPy's, or arrays without dimensions, as expected; dtypes stay as they are.

    >>> [type(x).__name__ for x in of_kind([np.array(1.0), np.float32(2.0)], [1.0, 2.0])]
    ['float', 'float32']
    """
    if isinstance(got, dict) and isinstance(expected, dict) and got.keys() == expected.keys():
        return {key: of_kind(part, expected[key]) for key, part in got.items()}
    if isinstance(got, fields) and isinstance(expected, fields) and vars(got).keys() == vars(expected).keys():
        return fields(**of_kind(vars(got), vars(expected)))
    if type(got) is type(expected) and isinstance(got, tuple | list) and len(got) == len(expected):
        parts = list(map(of_kind, got, expected))
        return type(got)(*parts) if hasattr(got, "_fields") else type(got)(parts)
    if isinstance(got, NUMBERS) and isinstance(expected, NUMBERS) and np.shape(got) == np.shape(expected) == ():
        array = np.asarray(got)
        if array.dtype == np.asarray(expected).dtype:
            return array if isinstance(expected, np.ndarray) else type(expected)(array.item())
    return got


NUMBERS = (float, complex, int, np.generic, np.ndarray)
