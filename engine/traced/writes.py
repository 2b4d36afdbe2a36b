"""Procedures for the functions of NumPy that write into an array: each is a store, or a few, of what it computes."""

from __future__ import annotations

import builtins
import math
import operator
import random
from typing import Any

import numpy as np

from ..errors import MutationError, call_chain, where
from ..rules import constant
from ..rules.indexing import scatter
from ..rules.registry import procedure
from ..rules.sets import as_complex, as_pairs
from .arrays import in_place, store
from .calls import call
from .elements import Flat
from .items import array_like, frozen_index, setitem
from .levels import live, plain
from .operators import IN_PLACE
from .storage import permuted

__all__: list[str] = []


@procedure(np.ndarray.fill)
def fill(array: Any, value: Any) -> None:
    store(array, ..., value)


@procedure(np.ndarray.sort)
def sort(array: Any, axis: int = -1, kind: Any = None, order: Any = None) -> None:
    store(array, ..., call(np.sort, array, axis=axis))


@procedure(np.ndarray.partition)
def partition(array: Any, kth: Any, axis: int = -1, kind: str = "introselect", order: Any = None) -> None:
    store(array, ..., call(np.partition, array, kth, axis=axis))


@procedure(np.put)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    bare = plain(a)
    indices = np.asarray(frozen_index(ind)).ravel()
    if mode == "wrap":
        indices = indices % bare.size
    elif mode == "clip":
        indices = np.clip(indices, 0, bare.size - 1)
    values = call(np.ravel, v)
    taken = call(operator.getitem, values, np.arange(indices.size) % np.size(plain(values)))
    store(a, np.unravel_index(np.where(indices < 0, indices + bare.size, indices), bare.shape), taken)


@procedure(np.ndarray.put)
def put_method(a: Any, indices: Any, values: Any, mode: str = "raise") -> None:
    put(a, indices, values, mode)


@procedure(np.copyto)
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    bare = plain(dst)
    if not np.can_cast(np.asarray(plain(src)).dtype, bare.dtype, casting):
        np.copyto(bare.copy(), plain(src), casting=casting)  # NumPy's own complaint
    if where is True:
        store(dst, ..., call(np.broadcast_to, src, bare.shape))
        return
    mask = np.broadcast_to(plain(where), bare.shape)
    store(dst, mask, call(operator.getitem, call(np.broadcast_to, src, bare.shape), mask))


@procedure(np.putmask)
def putmask(a: Any, mask: Any, values: Any) -> None:
    chosen = np.broadcast_to(np.asarray(plain(mask), bool), plain(a).shape)
    flat = call(np.ravel, values)
    places = np.flatnonzero(chosen) % np.size(plain(flat))
    store(a, chosen, call(operator.getitem, flat, places))


@procedure(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    chosen = np.reshape(np.asarray(plain(mask), bool), plain(arr).shape)
    flat = call(np.ravel, vals)
    places = np.arange(np.count_nonzero(chosen)) % np.size(plain(flat))
    store(arr, chosen, call(operator.getitem, flat, places))


@procedure(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """a[i, ..., i] = val; a tall matrix that wraps begins again below its first square, one row further down."""
    shape = plain(a).shape
    if len(shape) < 2:
        raise ValueError("array must be at least 2-d")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise ValueError("All dimensions of input must be of equal length")
    step = shape[1] + 1 if len(shape) == 2 else 1 + sum(math.prod(shape[:i]) for i in range(1, len(shape)))
    end = shape[1] * shape[1] if len(shape) == 2 and not wrap else None
    Flat(a)[:end:step] = val


@procedure(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    """A store at `indices` along the axis, and at each position itself along the others; flat without an axis."""
    bare, chosen = plain(arr), np.asarray(plain(indices))
    if axis is None:
        Flat(arr)[chosen] = call(np.broadcast_to, array_like(values), chosen.shape)
        return
    grid = list(np.ogrid[tuple(slice(n) for n in bare.shape)])
    grid[axis] = chosen
    store(arr, tuple(grid), call(np.broadcast_to, array_like(values), np.broadcast_shapes(*[g.shape for g in grid])))


@procedure(np.ndarray.__setitem__)
def set_item(array: Any, index: Any, value: Any) -> None:
    setitem(array, index, value)


for _name, _augment in IN_PLACE.items():
    if hasattr(np.ndarray, f"__{_name}__"):
        procedure(getattr(np.ndarray, f"__{_name}__"))(_augment)


@procedure(np.ndarray.__copy__)
def copied(array: Any) -> Any:
    return call(np.copy, array)


@procedure(np.ndarray.__deepcopy__)
def deeply_copied(array: Any, memo: Any) -> Any:
    return call(np.copy, array)


constant(np.ndarray.__len__, np.ndarray.__contains__, reason="its result carries no derivative")


def add_at(ufunc: Any, sign: float, array: Any, indices: Any, values: Any) -> None:
    """ufunc.at for add and subtract: repeated indices add up."""
    index, bare = frozen_index(indices), plain(array)
    spread = call(np.broadcast_to, values, np.shape(bare[index]))
    added = call(scatter, spread, array, index)
    new = call(operator.add, array, call(operator.mul, added, sign))
    in_place(array, new, lambda: ufunc.at(bare.copy(), index, plain(values)))


procedure(np.add.at)(lambda array, indices, values: add_at(np.add, 1.0, array, indices, values))
procedure(np.subtract.at)(lambda array, indices, values: add_at(np.subtract, -1.0, array, indices, values))


@procedure(random.shuffle)
def shuffle(items: Any) -> None:
    """The order is drawn as `random.shuffle` draws it."""
    order = list(range(len(items)))
    random.shuffle(order)
    if not isinstance(items, list):
        refuse("random.shuffle of something that is no list", "shuffle indices, and index with them")
    before = list(items)
    items[:] = [before[i] for i in order]
    permuted(items, order)


def refuse(what: str, remedy: str) -> None:
    raise MutationError(f"cannot differentiate {what}\n  at {where(call_chain())}\n  Way out: {remedy}.")


def refused(label: str, remedy: str) -> Any:
    """A procedure that refuses while something is being differentiated."""

    def run(array: Any, *args: Any, **kwargs: Any) -> Any:
        if live.levels:
            refuse(f"ndarray.{label}: it changes what the memory of an array means", remedy)
        return getattr(plain(array), label)(*args, **kwargs)

    return run


@procedure(np.ndarray.view)
def view(array: Any, dtype: Any = None, type: Any = None) -> Any:
    """The same memory: as it is, as pairs of real numbers, or as complex ones; whole numbers as anything."""
    bare = plain(array)
    if isinstance(dtype, builtins.type) and issubclass(dtype, np.ndarray):
        dtype, type = None, dtype
    kind = bare.dtype if dtype is None else np.dtype(dtype)
    if type in (None, np.ndarray) and kind == bare.dtype:
        return call(operator.getitem, array, ...)
    if type is None and kind.kind in "fc" and kind == np.real(np.zeros(0, bare.dtype)).dtype:
        return call(as_pairs, array)
    if type is None and kind.kind == "c" and np.real(np.zeros(0, kind)).dtype == bare.dtype:
        return call(as_complex, array)
    if type is None and bare.dtype.kind not in "fcO" and kind.kind not in "fcO":
        return bare.view(kind)
    return refused("view", "make a new array with astype")(array, *[a for a in (dtype, type) if a is not None])


for _label in ("resize", "setfield", "setflags", "byteswap", "getfield"):
    procedure(getattr(np.ndarray, _label))(refused(_label, "make a new array with reshape or astype"))
