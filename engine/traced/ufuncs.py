"""Ufuncs beyond their plain call: what their keywords mean, and the methods that have no rule of their own.

    f(x, y, where=mask, out=a)      a[mask] = f(x[mask], y[mask])
    f(x, y, dtype=kind)             f(x.astype(kind), y.astype(kind))
    f.outer(x, y)                   f of x with new axes, and y
    f.reduce(x), f.accumulate(x)    f again and again, along an axis
    f.reduceat(x, starts)           the reductions of slices
    f.at(a, index, y)               a[index] = f(a[index], y), once more for what occurs in `index` once more

What NumPy refuses it refuses itself: the native call, on copies, comes first wherever keywords can make it fail.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from ..rules import METHODS
from ..rules.vocabulary import rebased
from .arrays import in_place, store
from .calls import call
from .items import frozen_index
from .levels import plain

__all__ = ["UFUNC_METHODS", "by_override", "call_ufunc"]


KEYWORDS = frozenset({"out", "where", "dtype", "signature", "casting", "order", "subok"})


def call_ufunc(ufunc: np.ufunc, args: tuple, kwargs: dict) -> Any:
    """An elementwise ufunc with keywords, or with arrays for its results after its operands."""
    twice = len(args) > ufunc.nin and "out" in kwargs
    if twice or not KEYWORDS.issuperset(kwargs) or not ufunc.nin <= len(args) <= ufunc.nargs:
        return ufunc(*map(plain, args), **{name: plain(value) for name, value in kwargs.items()})  # NumPy complains
    operands, targets = args[: ufunc.nin], args[ufunc.nin :] or kwargs.get("out")
    targets = targets if isinstance(targets, tuple) else (targets,)
    targets += (None,) * (ufunc.nout - len(targets))
    casts = {n: plain(kwargs[n]) for n in ("dtype", "signature", "casting") if kwargs.get(n) is not None}
    mask = plain(kwargs.get("where", True))
    if casts:
        kinds = resolved(ufunc, operands, **casts)
        operands = tuple([cast(x, kind) for x, kind in zip(operands, kinds, strict=True)])

    def native() -> None:
        copies = tuple([None if t is None else plain(t).copy() for t in targets])
        casting = casts.get("casting", "same_kind")
        ufunc(*map(plain, operands), out=copies, where=mask, casting=casting)

    if mask is not True:
        return masked(ufunc, operands, np.asarray(mask, bool), targets, native)
    results = call(ufunc, *operands)
    several = ufunc.nout > 1
    stored = [
        result if target is None else in_place(target, result, native)
        for target, result in zip(targets, results if several else (results,), strict=True)
    ]
    return tuple(stored) if several else stored[0]


def resolved(
    ufunc: np.ufunc, operands: tuple, dtype: Any = None, signature: Any = None, casting: Any = "same_kind"
) -> tuple:
    """The dtypes that the operands are cast to before the loop runs."""
    bare = [plain(x) for x in operands]
    kinds = [type(x) if type(x) in (int, float, complex) else np.asarray(x).dtype for x in bare]
    if dtype is not None:
        signature = (None,) * ufunc.nin + (np.dtype(dtype),) * ufunc.nout
    elif isinstance(signature, str):
        signature = tuple([np.dtype(char) for char in signature.replace("->", "")])
    elif signature is not None:
        signature = tuple([None if kind is None else np.dtype(kind) for kind in signature])
    wanted = {} if signature is None else {"signature": signature}
    return ufunc.resolve_dtypes((*kinds, *(None,) * ufunc.nout), casting=casting, **wanted)[: ufunc.nin]


def cast(x: Any, kind: np.dtype) -> Any:
    """`x` in the dtype of the loop."""
    bare = plain(x)
    if isinstance(bare, np.ndarray):
        return x if bare.dtype == kind else call(METHODS["astype"], x, kind)
    return x if type(bare) is kind.type else call(kind.type, x)


def masked(ufunc: np.ufunc, operands: tuple, mask: np.ndarray, targets: tuple, native: Any) -> Any:
    """The ufunc of what the mask lets through. NumPy leaves the rest of a new result uninitialised; here it is 0."""
    native()
    given = [plain(target).shape for target in targets if target is not None]
    shape = np.broadcast_shapes(mask.shape, *[np.shape(plain(x)) for x in operands], *given)
    mask = np.broadcast_to(mask, shape)
    passed = [
        call(operator.getitem, call(np.broadcast_to, x, shape), mask) if np.ndim(plain(x)) else x for x in operands
    ]
    results = call(ufunc, *passed)
    stored = []
    for target, result in zip(targets, results if ufunc.nout > 1 else (results,), strict=True):
        whole = np.zeros(shape, np.asarray(plain(result)).dtype) if target is None else target
        store(whole, mask, result)
        stored.append(call(operator.getitem, whole, ()) if target is None and not shape else whole)
    return tuple(stored) if ufunc.nout > 1 else stored[0]


def by_override(ufunc: np.ufunc, args: tuple, kwargs: dict) -> tuple[Any] | None:
    """A tuple of the result, if the class of an operand takes ufuncs over by `__array_ufunc__`; None otherwise."""
    operands: list[Any] = []
    for a in args:
        kind = type(a)
        if type(getattr(kind, "__array_ufunc__", None)) is FunctionType and kind not in map(type, operands):
            place = next((i for i, other in enumerate(operands) if issubclass(kind, type(other))), len(operands))
            operands.insert(place, a)  # subclasses come first, as NumPy has it
    for operand in operands:
        result = call(type(operand).__array_ufunc__, operand, ufunc, "__call__", *args, **kwargs)
        if result is not NotImplemented:
            return (result,)
    if operands:
        raise TypeError(f"operand type(s) all returned NotImplemented from __array_ufunc__({ufunc!r}, '__call__')")
    return None


# ---- methods


def outer(ufunc: np.ufunc, a: Any, b: Any, **kwargs: Any) -> Any:
    spread = call(np.reshape, a, np.shape(plain(a)) + (1,) * np.ndim(plain(b)))
    return call(ufunc, spread, b, **kwargs)


def reduce(
    ufunc: np.ufunc,
    array: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """One element after the other; several axes as one."""
    bare, where = plain(array), plain(where)
    options = {"keepdims": keepdims, "where": where} | ({} if initial is None else {"initial": plain(initial)})
    native = ufunc.reduce(bare, axis, dtype, **options)
    if np.size(bare) == 0:
        result = native
    else:
        items, marks = along(array, axis), along(np.broadcast_to(where, np.shape(bare)), axis)
        if initial is None and where is True:
            result, rest = call(operator.getitem, items, 0), range(1, len(marks))
        else:
            start = ufunc.identity if initial is None else initial
            result, rest = call(np.full, marks.shape[1:], start, bare.dtype), range(len(marks))
        for i in rest:
            joined = call(ufunc, result, call(operator.getitem, items, i), dtype=dtype)
            result = joined if where is True else call(np.where, marks[i], joined, result)
        result = call(np.reshape, result, np.shape(native)) if np.ndim(native) else call(operator.getitem, result, ())
    return result if out is None else in_place(single(out), result, lambda: None)


def along(array: Any, axis: Any) -> Any:
    """The array with what is reduced as its first axis."""
    ndim = np.ndim(plain(array))
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple([i % ndim for i in axes])
    others = tuple([i for i in range(ndim) if i not in axes])
    shape = np.shape(plain(array))
    return call(np.reshape, call(np.transpose, array, axes + others), (-1, *[shape[i] for i in others]))


def single(out: Any) -> Any:
    """The one array of `out=`."""
    return out[0] if isinstance(out, tuple) else out


def accumulate(ufunc: np.ufunc, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    """What `reduce` comes by on its way."""
    bare = plain(array)
    native = ufunc.accumulate(bare, axis, dtype)
    if np.size(bare) == 0:
        result = native
    else:
        items = call(np.moveaxis, array, axis, 0)
        passed = [call(operator.getitem, items, 0)]
        for i in range(1, np.shape(plain(items))[0]):
            passed.append(call(ufunc, passed[-1], call(operator.getitem, items, i), dtype=dtype))
        result = call(rebased, native, call(np.stack, tuple(passed), axis))
    return result if out is None else in_place(single(out), result, lambda: None)


def reduceat(ufunc: np.ufunc, array: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    """The reduction from each index to the next one, or the element there if that one is not behind it."""
    bare, starts = plain(array), [int(i) for i in plain(indices)]
    native = ufunc.reduceat(bare, starts, axis, dtype)
    items = call(np.moveaxis, array, axis, 0)
    parts = []
    for start, stop in zip(starts, [*starts[1:], np.shape(bare)[axis]], strict=True):
        part = call(operator.getitem, items, slice(start, max(stop, start + 1)))
        parts.append(call(ufunc.reduce, part, 0, dtype))
    result = call(np.stack, tuple(parts), axis) if parts else native
    return result if out is None else in_place(single(out), result, lambda: None)


def at(ufunc: np.ufunc, array: Any, indices: Any, *values: Any) -> None:
    """Each place in turn: first where it occurs first, then where it occurs for the second time, and so on."""
    index, bare = frozen_index(indices), plain(array)
    ufunc.at(bare.copy(), index, *map(plain, values))
    places = np.arange(bare.size).reshape(bare.shape)[index]
    spread = [call(np.copy, call(np.ravel, call(np.broadcast_to, v, places.shape))) for v in values]
    places = places.ravel()
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    occurrence = np.empty_like(places)
    occurrence[order] = np.arange(places.size) - np.searchsorted(ordered, ordered)
    for turn in range(int(occurrence.max(initial=-1)) + 1):
        chosen = np.flatnonzero(occurrence == turn)
        here = np.unravel_index(places[chosen], bare.shape)
        given = [call(operator.getitem, v, chosen) for v in spread]
        store(array, here, call(ufunc, call(operator.getitem, array, here), *given))


UFUNC_METHODS: dict[str, Callable] = {
    "outer": outer, "reduce": reduce, "accumulate": accumulate, "reduceat": reduceat, "at": at,
}  # fmt: skip
