"""The engine's own primitives: what printed code calls that is neither the user's nor NumPy's.

They are pure in the core. `addat` and `append` are printed as writes in place where their buffer is owned and not
needed any more.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..rules.indexing import may_repeat
from ..rules.vocabulary import all_different
from ..tangents import Tangent, project
from .types import NotTyped


def same(x: Any) -> Any:
    """`x` under another name: what an inner derivative differentiates by."""
    return x


def throw(cls: type, args: tuple) -> None:
    """`raise` of the user's program."""
    raise cls(*args)


def give_up(reason: str) -> None:
    """A path that the other tier takes."""
    raise NotTyped(reason)


def bound(value: Any, name: str) -> Any:
    """The value of a variable that a path may have left unbound (None stands for that)."""
    if value is None:
        raise UnboundLocalError(f"cannot access local variable '{name}' where it is not associated with a value")
    return value


def truth_and(a: bool, b: bool) -> bool:
    """a and b, neither of which can fail."""
    return a and b


def truth_or(a: bool, b: bool) -> bool:
    """a or b, neither of which can fail."""
    return a or b


def power(x: Any, y: Any) -> Any:
    """x ** y for Python numbers where the result is of the expected type; a complex root goes to the other tier."""
    result = x**y
    if type(result) is complex or (type(x) is int and type(result) is not int and type(y) is int):
        raise NotTyped("a power that leaves the real numbers")
    return result


def fresh_list(items: list) -> list:
    """A list of the program's own."""
    return items


def repeated(item: Any, n: int) -> list:
    """[item] * n."""
    return [item] * n


def append(seq: list, item: Any) -> list:
    """`seq` with `item` behind it."""
    return [*seq, item]


def pop_last(seq: list) -> list:
    """`seq` without its last item."""
    return seq[:-1]


def put_item(seq: list, i: int, item: Any) -> list:
    """`seq` with another item at `i`."""
    seq = list(seq)
    seq[i] = item
    return seq


def backwards(seq: list) -> list:
    """A sequence from its end."""
    return seq[::-1]


def add_lists(a: list, b: list) -> list:
    """Item by item, also where the items are lists; None is the cotangent of what a branch left undefined."""
    return [add_lists(x, y) if type(x) is list else y if x is None else x + y for x, y in zip(a, b, strict=True)]


def zero_list(seq: list) -> list:
    """A zero for each number or array of `seq`, None for what a branch left undefined."""
    if seq is None:
        return None  # type: ignore[return-value]
    if seq and type(seq[0]) is float:
        return [0.0] * len(seq)
    return [zero_item(item) for item in seq]


def zero_item(item: Any) -> Any:
    """The zero of an item of a list."""
    if type(item) is list:
        return zero_list(item)
    return zero_of(item) if isinstance(item, np.ndarray) else None if item is None else 0.0


def joined(seq: list) -> Any:
    """An array with one row for each item."""
    return np.array(seq) if seq and not isinstance(seq[0], np.ndarray) else np.stack(seq)


def rows(x: Any) -> list:
    """The rows of an array."""
    return list(x)


def unpacked(x: Any, n: int) -> None:
    """The error of `a, b = x` for an array of another length."""
    if len(x) != n:
        raise ValueError(
            f"too many values to unpack (expected {n})"
            if len(x) > n
            else f"not enough values to unpack (expected {n}, got {len(x)})"
        )


def equally_long(lengths: tuple) -> None:
    """What a strict zip asks for; the other tier raises its error where Python does."""
    if len(set(lengths)) > 1:
        raise NotTyped("a strict zip of different lengths")


def cut() -> None:
    """Where the pullback begins: what stands before it has run once."""


def same_shape(x: Any, tangent: Any) -> None:
    """A tangent has the shape of its primal; the error is for the other tier to raise."""
    if x.shape != tangent.shape:
        raise NotTyped("a tangent of another shape than its primal")


def no_tie(sided: Any, shared: Any, d: Any, args: tuple, **kwargs: Any) -> None:
    """What is differentiated again may meet no tie that shares a cotangent: the other tier knows how that moves.

    sided: the pullback in which a tie falls to one side; shared: the other one. They are compared at a cotangent of
    which each part shows, since at `d` itself, which may be zero and move all the same, they can agree at a tie.
    """
    probe = all_different(d)
    if not np.array_equal(shared(probe, *args, **kwargs), sided(probe, *args, **kwargs)):
        raise NotTyped("a tie below two derivatives")


def one_extreme(x: Any, extreme: Any, axis: Any = None, keepdims: bool = False) -> None:
    """The same for the largest or smallest elements: each is there once."""
    if axis is not None and not keepdims:
        extreme = np.expand_dims(extreme, axis)
    if np.count_nonzero(x == extreme) != np.size(extreme):
        raise NotTyped("a tie below two derivatives")


def some_dependence(d: Any) -> None:
    """A cotangent that is not 0 is no None; which of them a 0 is, the other tier knows (convention 12)."""
    if not np.any(d):
        raise NotTyped("a zero that may stand for no dependence")


def applied(pullback: Any, like: Any, *args: Any, **kwargs: Any) -> Any:
    """What the pullback of a rule returns, as a cotangent of `like`: the rule is not inlined, but called."""
    if type(like) is tuple:
        found = pullback(*args, **kwargs)
        return [project(0.0 if d is None else d, x) if is_number(x) else None for d, x in zip(found, like, strict=True)]
    found = pullback(*args, **kwargs)
    return project(0.0 if found is None else found, like)


def is_number(x: Any) -> bool:
    """Is it a number or an array of them?"""
    return isinstance(x, int | float | complex | np.number | np.ndarray)


def applied_slope(slope: Any, like: Any, d: Any, out: Any, *args: Any, **kwargs: Any) -> Any:
    """The same of a partial derivative."""
    p = slope(out, *args, **kwargs)
    return project(d * (np.conj(p) if np.iscomplexobj(p) else p), like)


def places_of(x: Any, value: Any) -> Any:
    """Where the elements of a vector are that equal `value`, of which there is at least one."""
    (places,) = (x == value).nonzero()
    if not places.size:
        raise NotTyped("an extreme that is NaN")
    return places


def distinct(index: Any, buffer: Any) -> None:
    """The indices of a store name each place once; what is overwritten in one store is for the other tier."""
    places = np.arange(buffer.size).reshape(buffer.shape)[index]
    if np.unique(places).size != np.size(places):
        raise NotTyped("a store at indices that repeat")


def log_abs_det(a: Any) -> Any:
    """log|det a|, for each matrix."""
    return np.linalg.slogdet(a)[1]


def sign_of_det(a: Any) -> Any:
    """The sign of det a, for each matrix; a constant."""
    return np.linalg.slogdet(a)[0]


def sum_list(seq: list) -> Any:
    """The sum of a list of numbers, as `sum` has it."""
    return sum(seq)


def same_for_all(d: Any, seq: list) -> list:
    """`d` for each item of `seq`."""
    return [d] * len(seq)


def read(x: Any, index: Any) -> Any:
    """x[index] of an array that is written to later on: what it is now, never computed again."""
    found = x[index]
    return found.copy() if isinstance(found, np.ndarray) else found


def put(buffer: Any, index: Any, value: Any) -> Any:
    """`buffer` with `value` at `index`."""
    buffer = buffer.copy()
    buffer[index] = value
    return buffer


def outline(x: Any) -> Any:
    """Something of the shape and dtype of `x` that holds no memory, for where only these are asked for.

    None stays None: it is what a branch left undefined.
    """
    if x is None or type(x) is list:
        return x
    return np.ndarray(x.shape, x.dtype, bytes(x.dtype.itemsize), 0, (0,) * x.ndim)


def addat(buffer: Any, index: Any, d: Any) -> Any:
    """`buffer` with `d` added at `index`, repeated indices counted each time."""
    buffer = buffer.copy()
    addat_inplace(buffer, index, d)
    return buffer


def addat_inplace(buffer: Any, index: Any, d: Any) -> None:
    """The same, writing into `buffer`."""
    if not may_repeat(index):
        buffer[index] += d
    elif len(rows := distinct_rows(buffer, index, d)):
        d = d.reshape(*d.shape[: buffer.ndim - 1], *rows.shape)
        for i, row in enumerate(rows):
            buffer[..., row] += d[..., i, :]
    else:
        np.add.at(buffer, index, d)


FEW = 50  # elements for each row of indices, below which one call is faster than one a row


def distinct_rows(buffer: Any, index: Any, d: Any) -> Any:
    """The rows of a table of indices into the last axis, none of which names a place twice; no rows otherwise."""
    table = index[1] if type(index) is tuple and len(index) == 2 and index[0] is Ellipsis else None
    if not isinstance(table, np.ndarray) or table.ndim < 2 or table.dtype.kind not in "iu" or table.shape[-1] < 1:
        return ()
    rows = table.reshape(-1, table.shape[-1])
    if np.ndim(d) != buffer.ndim - 1 + table.ndim or d.size < FEW * len(rows):
        return ()
    sorted_ = np.sort(rows % buffer.shape[-1], axis=-1)
    return () if np.any(sorted_[:, 1:] == sorted_[:, :-1]) else rows


def dim(x: Any, axis: int) -> int:
    """x.shape[axis]."""
    return x.shape[axis]


def check_shapes(x: Any, y: Any) -> None:
    """What is left of an elementwise operation whose value nobody needs: shapes that do not fit, of which the operation
    itself tells on the other tier."""
    if x.shape != y.shape:
        try:
            np.broadcast(x, y)
        except ValueError as error:
            raise NotTyped(str(error)) from None


def reduce_to(d: Any, like: Any) -> Any:
    """`d` summed over the axes along which `like` was broadcast."""
    shape = like.shape
    if d.shape == shape:
        return d
    extra = d.ndim - len(shape)
    if extra > 0:
        d = np.add.reduce(d, tuple(range(extra)))
    axes = tuple([i for i, n in enumerate(shape) if n == 1 and d.shape[i] != 1])
    return np.add.reduce(d, axes, keepdims=True) if axes else d


def sum_axes(d: Any, axes: tuple, keepdims: bool) -> Any:
    """np.sum over known axes."""
    return np.add.reduce(d, axes, keepdims=keepdims)


def total(d: Any) -> Any:
    """The sum of all elements."""
    return np.add.reduce(d, None)


def spread(d: Any, like: Any) -> Any:
    """A fresh array of the shape and dtype of `like`, filled with (or broadcast from) `d`."""
    out = np.empty(like.shape, like.dtype)
    out[...] = d
    return out


def spread_if_smaller(d: Any, like: Any) -> Any:
    """The same of a fresh `d` that nobody else refers to: itself where nothing has to be filled."""
    return d if d.shape == like.shape and d.dtype == like.dtype else spread(d, like)


def cast(d: Any, dtype: Any) -> Any:
    """`d` in another dtype."""
    return d.astype(dtype) if isinstance(d, np.ndarray) else np.asarray(d).astype(dtype)[()]


def real_part(d: Any) -> Any:
    """The cotangent of a real primal in a complex expression."""
    return d.real


def as_float(d: Any) -> float:
    """A cotangent as a Python float."""
    return float(d)


def zero_of(x: Any) -> Any:
    """A zero in the shape of `x`; None for what a branch left undefined."""
    return None if x is None else np.zeros(x.shape, x.dtype)


def owned(d: Any) -> Any:
    """A copy that nobody else has."""
    return d.copy()


def kept(v: Any) -> Any:
    """An array or a list of them as it is now, whoever writes to it; None is what a branch left undefined."""
    if isinstance(v, list | tuple):
        return type(v)([kept(item) for item in v]) if type(v) in (list, tuple) else tuple(map(kept, v))
    return v.copy() if isinstance(v, np.ndarray) else v


def iterations(n: int) -> range:
    """range(n)."""
    return range(n)


def float_list(seq: list) -> list:
    """A cotangent of a list of floats, for the user."""
    return list(map(float, seq))


def as_complex(d: Any) -> complex:
    """A cotangent as a Python complex."""
    return complex(d)


def named_tuple(cls: type, items: tuple) -> Any:
    """The cotangent of a namedtuple."""
    return cls(*items)


def structure(primal: Any, keys: tuple, values: tuple) -> Any:
    """The cotangent of a list, dict or object: `values` at `keys`, None elsewhere."""
    if isinstance(primal, list):
        made: Any = [None] * len(primal)
        for key, value in zip(keys, values, strict=True):
            made[key] = value
        return made
    if isinstance(primal, dict):
        return dict.fromkeys(primal) | dict(zip(keys, values, strict=True))
    fields = dict.fromkeys(vars(primal))
    fields.update(zip(keys, values, strict=True))
    return Tangent(type(primal).__name__, fields)
