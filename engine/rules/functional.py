"""NumPy's functions that call functions of the user: each as the loop it stands for.

apply_along_axis, apply_over_axes, piecewise, fromfunction and vectorize call what they are given, in NumPy's order and
as often as NumPy does, so that a function with a state (a counter, a stream of random numbers) behaves as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .registry import composition, constant
from .vocabulary import refuse


def apply_along_axis(func1d: Callable, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """The function of each vector along the axis; its result takes the place of the axis."""
    arr = np.asarray(arr)
    axis = axis % np.ndim(arr)
    moved = np.moveaxis(arr, axis, -1)
    places = np.shape(moved)[:-1]
    results = [np.asarray(func1d(moved[place], *args, **kwargs)) for place in np.ndindex(places)]
    if not results:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    inner = np.ndim(results[0])
    dtype = np.result_type(results[0])
    stacked = np.reshape(np.stack(results), places + np.shape(results[0])).astype(dtype)
    last = range(len(places), len(places) + inner)
    return np.moveaxis(stacked, tuple(last), tuple(range(axis, axis + inner)))


def apply_over_axes(func: Callable, a: Any, axes: Any) -> Any:
    """The function over each axis in turn, the axis kept."""
    a = np.asarray(a)
    ndim = np.ndim(a)
    for axis in [axes] if np.ndim(axes) == 0 else axes:
        axis = axis + ndim if axis < 0 else axis
        result = func(a, axis)
        if np.ndim(result) != ndim:
            result = np.expand_dims(result, axis)
            if np.ndim(result) != ndim:
                raise ValueError("function is not returning an array of the correct shape")
        a = result
    return a


def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kwargs: Any) -> Any:
    """Each function of the elements at which its condition holds; a further one of those at which none does."""
    x = np.asarray(x)
    if np.isscalar(condlist) or not isinstance(condlist[0], list | np.ndarray) and np.ndim(x) != 0:
        condlist = [condlist]
    conditions = np.asarray(condlist, dtype=bool)
    n = len(funclist)
    if len(conditions) == n - 1:
        rest = ~np.any(conditions, axis=0, keepdims=True)
        conditions = np.concatenate([conditions, rest], axis=0)
    elif len(conditions) != n:
        raise ValueError(f"with {len(conditions)} condition(s), either {len(conditions)} or {len(conditions) + 1} "
                         f"functions are expected")  # fmt: skip
    result = np.zeros(np.shape(x), np.result_type(x))
    for i in range(n):
        values = funclist[i]
        if callable(values):
            part = x[conditions[i]]
            if np.size(part) == 0:
                continue
            values = values(part, *args, **kwargs)
        result[conditions[i]] = values
    return result


def fromfunction(function: Callable, shape: Any, *, dtype: Any = float, like: Any = None, **kwargs: Any) -> Any:
    """The function of the index grids."""
    return function(*np.indices(shape, dtype=dtype), **kwargs)


composition(np.apply_along_axis, apply_along_axis)
composition(np.apply_over_axes, apply_over_axes)
composition(np.piecewise, piecewise)
composition(np.fromfunction, fromfunction)


# ---- vectorize: the object is made by NumPy, a call of it goes through here
def vectorized(self: Any, *args: Any, **kwargs: Any) -> Any:
    """A call of np.vectorize(function): the function of each element, the results in an array."""
    names = [name for name in kwargs if name not in self.excluded]
    places = [i for i in range(len(args)) if i not in self.excluded]

    def function(*values: Any) -> Any:
        given, named = list(args), dict(kwargs)
        for i, value in zip(places, values[: len(places)], strict=True):
            given[i] = value
        for name, value in zip(names, values[len(places) :], strict=True):
            named[name] = value
        return self.pyfunc(*given, **named)

    operands = [np.asarray(args[i]) for i in places] + [np.asarray(kwargs[name]) for name in names]
    if self.signature is not None:
        return over_cores(self, function, operands)
    if not operands:
        return function()
    return over_elements(self, function, operands)


def over_elements(self: Any, function: Callable, operands: list) -> Any:
    """The function of the elements of operands that broadcast. Without `otypes` NumPy calls it once to learn them."""
    operands = np.broadcast_arrays(*operands)
    shape = np.shape(operands[0])
    if self.otypes is None:
        if np.size(operands[0]) == 0:
            raise ValueError("cannot call `vectorize` on size 0 inputs unless `otypes` is set")
        first = (0,) * len(shape)
        trial = function(*[operand[first] for operand in operands])
        several = isinstance(trial, tuple)
        dtypes = [np.asarray(value).dtype for value in (trial if several else (trial,))]
    else:
        trial, several, dtypes = None, len(self.otypes) > 1, list(self.otypes)
    columns: list = [[] for _ in dtypes]
    for number, place in enumerate(np.ndindex(shape)):
        if number == 0 and self.cache and self.otypes is None:
            values = trial
        else:
            values = function(*[operand[place].item() for operand in operands])
        for column, value in zip(columns, values if several else (values,), strict=True):
            column.append(value)
    results = [np.reshape(np.array(column, dtype), shape) for column, dtype in zip(columns, dtypes, strict=True)]
    return tuple(results) if several else results[0]


def over_cores(self: Any, function: Callable, operands: list) -> Any:
    """The function of the parts that a signature names; loops over the other dimensions."""
    inputs, outputs = self._in_and_out_core_dims
    if len(operands) != len(inputs):
        raise TypeError(f"wrong number of positional arguments: expected {len(inputs)}, got {len(operands)}")
    cuts = [np.ndim(a) - len(core) for a, core in zip(operands, inputs, strict=True)]
    loops = np.broadcast_shapes(*[np.shape(a)[:cut] for a, cut in zip(operands, cuts, strict=True)])
    spread = [np.broadcast_to(a, loops + np.shape(a)[cut:]) for a, cut in zip(operands, cuts, strict=True)]
    columns: list = [[] for _ in outputs]
    for place in np.ndindex(loops):
        values = function(*[a[place] for a in spread])
        values = values if isinstance(values, tuple) else (values,)
        if len(values) != len(outputs):
            raise ValueError(f"wrong number of outputs from pyfunc: expected {len(outputs)}, got {len(values)}")
        for column, value in zip(columns, values, strict=True):
            column.append(np.asarray(value))
    if not columns[0]:
        refuse("a call of np.vectorize with a signature that loops over nothing", "np.zeros in the shape of the result")
    results = [np.reshape(np.stack(column), loops + np.shape(column[0])) for column in columns]
    if self.otypes is not None:
        results = [result.astype(dtype) for result, dtype in zip(results, self.otypes, strict=True)]
    return results[0] if len(outputs) == 1 else tuple(results)


constant(np.vectorize, reason="it keeps the function; its calls are followed")
composition(np.vectorize.__call__, vectorized)
