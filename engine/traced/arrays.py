"""Arrays written in place: what was overwritten is logged, and the cotangent of a written base is a buffer.

Until an array is written to, its cotangent belongs to a name, like that of any value. The first write marks its base
(the array that owns the memory): from then on a cotangent for the base, or for any view of it under whatever name,
goes to the same view of one buffer. The sweep undoes each write as it passes, so that every rule sees the operands
of its own time; passing the first write, it gives what is left in the buffer to the node that owns the base, and
cotangents go by name again. At the end all writes are done again.

    X[i] = v    reverse:    dv = buffer[i];  buffer[i] = 0;  X[i] = old;  v += winners(dv)
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import MutationError, call_chain, where
from ..kinds import is_odd, refuse_odd_array
from ..tangents import copy_of_part, is_differentiable, stored_cotangent
from .levels import live, plain, root_of, strip
from .tape import Sweep, engine_call, is_basic

__all__ = ["View", "lent_write", "store", "view_of"]


class View:
    """Part of the memory of a written base: where an array lies in it."""

    __slots__ = ("array", "base")

    def __init__(self, base: np.ndarray, array: np.ndarray) -> None:
        self.base = base
        self.array = array

    def of(self, buffer: np.ndarray) -> np.ndarray:
        """The same view of another array laid out like the base."""
        offset = _address(self.array) - _address(self.base)
        holder = buffer if buffer.flags.c_contiguous else buffer.T
        return np.ndarray(self.array.shape, self.array.dtype, holder, offset, self.array.strides)

    def add(self, sweep: Sweep, d: Any) -> None:
        """Add a cotangent of this view to the buffer of its base."""
        part = self.of(shadow(sweep, self.base))
        if _overlaps_itself(part):
            _add_overlapping(part, d)
        elif live.levels:
            store(part, ..., engine_call(operator.add, part, d))
        else:
            part += d


def view_of(array: np.ndarray) -> View:
    """Where `array` lies in its base."""
    return View(root_of(array), array)


def shadow(sweep: Sweep, base: np.ndarray) -> np.ndarray:
    """The buffer of cotangents of a written base."""
    if id(base) not in sweep.shadows:
        sweep.shadows[id(base)] = np.zeros_like(base, subok=False)
    return sweep.shadows[id(base)]


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def _overlaps_itself(array: np.ndarray) -> bool:
    """May two elements of this view share memory (broadcast_to, sliding windows)?"""
    if not array.size:
        return False
    reach = array.itemsize
    for stride, count in sorted((abs(s), n) for s, n in zip(array.strides, array.shape, strict=True) if n > 1):
        if stride < reach:
            return True
        reach += stride * (count - 1)
    return False


def _add_overlapping(part: np.ndarray, d: Any) -> None:
    root = root_of(part)
    offset = (_address(part) - _address(root)) // part.itemsize
    steps = [s // part.itemsize for s in part.strides]
    places = np.full(part.shape, offset)
    for axis, step in enumerate(steps):
        shape = [1] * part.ndim
        shape[axis] = part.shape[axis]
        places = places + (np.arange(part.shape[axis]) * step).reshape(shape)
    flat = np.ndarray((root.size,), root.dtype, root if root.flags.c_contiguous else root.T)
    if live.levels:
        from ..rules.indexing import scatter

        added = engine_call(scatter, engine_call(np.broadcast_to, d, part.shape), flat, places)
        store(flat, ..., engine_call(operator.add, flat, added))
    else:
        np.add.at(flat, places, np.broadcast_to(d, part.shape))


class ArrayStore:
    """One write to an array."""

    __slots__ = ("array", "first", "index", "old", "target", "value")
    selects = True  # what is overwritten is not looked at

    def __init__(self, array: np.ndarray, index: Any, old: Any, value: Any, target: Any, first: Any) -> None:
        self.array = array
        self.index = index
        self.old = old
        self.value = value
        self.target = target
        self.first = first  # None, or the owner of the base that this write has marked: (array, node) or ()

    def reverse(self, sweep: Sweep) -> None:
        array, index = self.array, self.index
        base = root_of(array)
        buffer = sweep.shadows.get(id(base))
        d = None
        if buffer is not None and is_differentiable(array):
            part = View(base, array).of(buffer)
            if self.target is not None:
                d = engine_call(copy_of_part, part, index)
            store(part, index, 0)
        new = engine_call(copy_of_part, array, index)
        store(array, index, self.old)
        sweep.redo.append(lambda: store(array, index, new))
        if d is not None:
            if not is_basic(index):
                d = engine_call(operator.mul, d, _winners(array, index))
            sweep.give(self.target, engine_call(stored_cotangent, d, self.value))
        if self.first is not None and buffer is not None:
            del sweep.shadows[id(base)]
            if self.first:
                owned, node = self.first
                sweep.add(node, engine_call(np.copy, View(base, owned).of(buffer)))


def _winners(array: np.ndarray, index: Any) -> np.ndarray:
    """1 where a store through `index` is the last to write its element, 0 where a later one overwrites it."""
    order = np.zeros(array.shape, dtype=np.intp)
    count = order[index].size
    numbers = np.arange(count).reshape(order[index].shape)
    order[index] = numbers
    return (order[index] == numbers).astype(array.dtype if array.dtype.kind in "fc" else float)


def store(array: Any, index: Any, value: Any) -> None:
    """`array[index] = value`, logged at every live level, and recorded where the value or the array is active.

    Raises:
        MutationError: the write would go through memory whose cotangent nobody can follow.
    """
    from ..rules import lookup
    from .primitives import apply, target_of

    target_array = plain(array)
    levels = live.levels
    if not levels:
        target_array[index] = plain(value)
        return
    base = root_of(target_array)
    _refuse_odd_views(target_array, base)
    saved = []
    for position in range(len(levels), 0, -1):
        level = levels[position - 1]
        outside = strip(array, level)
        part = apply(operator.getitem, lookup(operator.getitem), (outside, index), {}, position - 1)
        old = apply(np.copy, lookup(np.copy), (part,), {}, position - 1)
        target = target_of(level, value)
        if target is not None and is_odd(target_array):
            refuse_odd_array(target_array, "a write to")
        active = target is not None or target_of(level, array) is not None or id(base) in level.owners
        saved.append((level, old, strip(value, level), target if target_array.dtype.kind in "fc" else None, active))
    target_array[index] = plain(value)
    for level, old, inner_value, target, active in reversed(saved):
        first: Any = None
        if active and id(base) not in level.written and base.dtype.kind in "fc":
            if id(base) in level.shared:
                raise _shared_write()
            if id(base) in level.lent:
                raise lent_write(level.lent[id(base)][1])
            owner = level.owners.get(id(base))
            level.written[id(base)] = base
            first = () if owner is None else (owner[1], owner[2])
        level.tape.append(ArrayStore(target_array, index, old, inner_value, target, first))


def _refuse_odd_views(array: np.ndarray, base: np.ndarray) -> None:
    if array.dtype == object:
        raise MutationError(
            f"cannot differentiate a write to an array of objects\n  at {where(call_chain())}\n"
            f"  Way out: use a list for objects, a float array for numbers."
        )
    if array is base:
        return
    if _overlaps_itself(array):
        raise MutationError(
            f"cannot differentiate a write to a view whose elements share memory (broadcast_to, sliding windows)\n"
            f"  at {where(call_chain())}\n  Way out: write to a copy, x.copy()."
        )
    real_part = array.dtype.kind == "f" and base.dtype.kind == "c" and array.itemsize * 2 == base.itemsize
    if array.dtype != base.dtype and not real_part and "f" in (array.dtype.kind, base.dtype.kind):
        raise MutationError(
            f"cannot differentiate a write to a view of another dtype ({array.dtype} over {base.dtype})\n"
            f"  at {where(call_chain())}\n  Way out: write to an array of the one dtype, x.astype(...)."
        )


def lent_write(name: str) -> MutationError:
    """The error of a write to memory that a function with a rule of its own has handed on."""
    return MutationError(
        f"cannot differentiate a write to an array that {name} hands on as it is, or a view of it\n"
        f"  at {where(call_chain())}\n"
        f"  {name} has a rule, which says another cotangent than that of the memory. Way out: return a copy from it."
    )


def _shared_write() -> MutationError:
    return MutationError(
        f"cannot differentiate a write to memory that two arguments share\n  at {where(call_chain())}\n"
        f"  Which of them should get the cotangent is not defined. Way out: pass a copy, or write to one."
    )


def in_place(array: Any, result: Any, native: Callable[[], Any]) -> Any:
    """`array[...] = result` for an augmented assignment; what NumPy would refuse to cast is refused by NumPy."""
    bare = plain(array)
    value = plain(result)
    if not np.can_cast(np.asarray(value).dtype, bare.dtype, "same_kind") or np.shape(value) != bare.shape:
        native()
    store(array, ..., result)
    return array
