"""Arrays element by element: `x.flat`, np.ndenumerate, np.nditer and np.fromiter, reading and writing by index."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ForeignCallError, MutationError, call_chain, where
from ..rules.registry import procedure
from . import reach
from .arrays import store
from .calls import call
from .items import array_like, getitem, iterate, make_list
from .levels import live, plain

__all__ = ["Flat"]


class Flat:
    """`x.flat`: the elements of an array in the order of its indices, read and written where they are."""

    __array_ufunc__ = None
    _is_elements = True

    def __init__(self, array: Any) -> None:
        self.array = array
        self.passed = 0

    def __len__(self) -> int:
        return np.size(plain(self.array))

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        """The elements for code that follows no derivative; a rule gets the array itself (see `calls`)."""
        return np.array(np.ravel(plain(self.array)), *args)

    def __getitem__(self, index: Any) -> Any:
        return getitem(self.array, self.places(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        places = self.places(index)
        values = call(np.ravel, array_like(value))
        count = np.size(places[0]) if places else 1
        repeated = getitem(values, np.arange(count) % np.size(plain(values)))
        store(self.array, places, call(np.reshape, repeated, np.shape(places[0]) if places else ()))

    def __iter__(self) -> Flat:
        return self

    def __next__(self) -> Any:
        if self.passed == len(self):
            raise StopIteration
        self.passed += 1
        return self[self.passed - 1]

    def copy(self) -> Any:
        """The elements in an array of one dimension."""
        return call(np.copy, call(np.ravel, self.array))

    def places(self, index: Any) -> tuple:
        """The index into the array for an index into its elements."""
        bare = plain(self.array)
        return np.unravel_index(np.arange(bare.size)[plain(index)], bare.shape) if bare.ndim else ()


@procedure(np.ndenumerate)
def ndenumerate(arr: Any) -> Iterator[tuple]:
    """(index, element) for each element."""
    array = call(np.asarray, array_like(arr))
    return ((index, getitem(array, index)) for index in np.ndindex(np.shape(plain(array))))


@procedure(np.nditer)
def nditer(op: Any, *args: Any, **kwargs: Any) -> Any:
    """The elements of one array in the order of memory; anything else is NumPy's own, and sees no derivative."""
    options = {name: plain(value) for name, value in kwargs.items()}
    if not live.levels or not (reach.is_active(op) or options.get("op_flags")):
        return np.nditer(plain(op), *[plain(a) for a in args], **options)
    if args or set(options) - {"order"} or not isinstance(plain(op), np.ndarray):
        raise MutationError(
            f"cannot differentiate np.nditer over several arrays, with flags, or writing: it opens the memory of arrays"
            f"\n  at {where(call_chain())}\n"
            f"  Way out: for index in np.ndindex(x.shape): ... x[index] ..., or x.flat for reading in order."
        )
    elements = call(np.ravel, op, order=options.get("order", "K"))
    return (getitem(elements, (i, ...)) for i in range(np.size(plain(op))))


@procedure(np.fromiter)
def fromiter(iter: Any, dtype: Any, count: int = -1, *, like: Any = None) -> Any:
    """The items of an iterable in an array; no more of them are drawn than are asked for."""
    items = iterate(iter)
    values = list(items) if count < 0 else list(itertools.islice(items, count))
    if len(values) < count:
        raise ValueError(f"iterator too short: Expected {count} but iterator had only {len(values)} items.")
    return call(np.array, make_list(values), dtype)


@procedure(np.frompyfunc)
def frompyfunc(func: Any, nin: int, nout: int, **kwargs: Any) -> Any:
    """NumPy's own outside of a derivative; inside, arrays of objects are out of sight."""
    if not live.levels:
        return np.frompyfunc(func, nin, nout, **kwargs)
    raise ForeignCallError(
        f"Can't differentiate np.frompyfunc: its results are arrays of objects, and what those do is out of sight\n"
        f"  at {where(call_chain())}\n  Way out: np.vectorize(function), whose results are arrays of numbers."
    )
