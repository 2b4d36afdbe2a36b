"""Functions that move elements about without changing them: axes, joins, splits, repeats, copies, diagonals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .indexing import scatter
from .registry import composition, constant, rule, vjp_of
from .selection import on_diagonal
from .vocabulary import filled, refuse, whole_axis

# ---- the same elements in another shape
rule(
    np.reshape,
    moves=True,
    a=lambda d, out, a, /, shape=None, order="C", *, newshape=None, copy=None: refolded(d, a, order),
)
rule(np.ravel, moves=True, a=lambda d, out, a, order="C": refolded(d, a, order))
rule(np.expand_dims, moves=True, a=lambda d, out, a, axis: np.reshape(d, np.shape(a)))
rule(np.squeeze, moves=True, a=lambda d, out, a, axis=None: np.reshape(d, np.shape(a)))


def refolded(d: Any, a: Any, order: Any) -> Any:
    """`d`, whose elements are those of `a` as read in `order`, in the shape of `a`."""
    if order in ("C", "F") or np.ndim(a) < 2:
        return np.reshape(d, np.shape(a), order="C" if order == "K" else order)
    if order == "A":
        return np.reshape(d, np.shape(a), order="F" if np.isfortran(a) else "C")
    flat = np.ravel(d)  # "K": the order of memory, slowest axis first
    axes = tuple(np.argsort([-abs(stride) for stride in a.strides], kind="stable"))
    return np.transpose(np.reshape(flat, [np.shape(a)[axis] for axis in axes]), inverse(axes))


@vjp_of(np.atleast_1d, np.atleast_2d, np.atleast_3d, moves=True)
def at_least(d: Any, out: Any, *arys: Any) -> tuple:
    """Each array back in its own shape; a single one is not in a sequence."""
    cotangents = [d] if len(arys) == 1 else d
    return tuple([None if c is None else np.reshape(c, np.shape(a)) for c, a in zip(cotangents, arys, strict=True)])


# ---- axes in another order
rule(np.transpose, moves=True, a=lambda d, out, a, axes=None: np.transpose(d, None if axes is None else inverse(axes)))
rule(np.swapaxes, moves=True, a=lambda d, out, a, axis1, axis2: np.swapaxes(d, axis1, axis2))
rule(np.moveaxis, moves=True, a=lambda d, out, a, source, destination: np.moveaxis(d, destination, source))


def inverse(axes: Any) -> tuple:
    """The permutation that undoes `axes`."""
    return tuple(np.argsort([axis % len(axes) for axis in axes]))


rule(np.rollaxis, moves=True, a=lambda d, out, a, axis, start=0: np.moveaxis(d, rolled_to(a, axis, start), axis))


def rolled_to(a: Any, axis: int, start: int) -> int:
    """Where np.rollaxis puts the axis: in front of the one that is at `start` now."""
    ndim = np.ndim(a)
    axis, start = axis % ndim, start + ndim if start < 0 else start
    return start - 1 if axis < start else start


def matrix_transpose(x: Any, /) -> Any:
    """The last two axes exchanged."""
    return np.swapaxes(x, -1, -2)


if hasattr(np, "matrix_transpose"):
    rule((np.matrix_transpose, np.linalg.matrix_transpose), moves=True, x=lambda d, out, x, /: np.swapaxes(d, -1, -2))

# ---- elements in another order
rule(np.flip, moves=True, m=lambda d, out, m, axis=None: np.flip(d, axis))
rule(np.fliplr, moves=True, m=lambda d, out, m: np.fliplr(d))
rule(np.flipud, moves=True, m=lambda d, out, m: np.flipud(d))
rule(np.rot90, moves=True, m=lambda d, out, m, k=1, axes=(0, 1): np.rot90(d, -k, axes))
rule(np.roll, moves=True, a=lambda d, out, a, shift, axis=None: np.roll(d, np.negative(shift), axis))

# ---- elements several times (what goes back is summed; `project` does it for broadcasting)
rule(np.broadcast_to, moves=True, array=lambda d, out, array, shape, *, subok=False: d)
rule(np.tile, selects=True, A=lambda d, out, A, reps: untiled(d, A))
rule(np.repeat, selects=True, a=lambda d, out, a, repeats, axis=None: unrepeated(d, a, repeats, axis))


@vjp_of(np.broadcast_arrays, moves=True)
def broadcast_arrays(d: Any, out: Any, *args: Any) -> tuple:
    """Each array receives the cotangent of its broadcast form, summed by the projection."""
    return tuple(d)


def untiled(d: Any, a: Any) -> Any:
    """The sum over the tiles: each axis is cut into (which tile, place in the tile)."""
    shape = (1,) * (np.ndim(d) - np.ndim(a)) + np.shape(a)
    if np.size(d) == 0 or np.ndim(d) == 0:
        return np.zeros(np.shape(a), np.result_type(d)) if np.size(d) == 0 else d
    cut: list = []
    for total, length in zip(np.shape(d), shape, strict=True):
        cut = cut + [total // length, length]
    first = np.dot(np.ones(cut[0], np.result_type(d)), np.reshape(d, (cut[0], -1)))
    return np.sum(np.reshape(first, cut[1:]), axis=tuple(range(1, len(cut) - 1, 2)))


def unrepeated(d: Any, a: Any, repeats: Any, axis: int | None) -> Any:
    """The sum over the repetitions."""
    if axis is None:
        return np.reshape(unrepeated(d, np.ravel(a), repeats, 0), np.shape(a))
    axis, shape = axis % np.ndim(a), np.shape(a)
    if np.size(repeats) == 1:
        times = np.shape(d)[axis] // shape[axis] if shape[axis] else 0
        ones = np.ones(times, np.result_type(d))
        if axis == np.ndim(a) - 1:
            return np.dot(np.reshape(d, (*shape, times)), ones)
        inner = math.prod(shape[axis + 1 :])
        return np.reshape(np.matmul(ones, np.reshape(d, (math.prod(shape[: axis + 1]), times, inner))), shape)
    return scatter(d, a, whole_axis(np.repeat(np.arange(shape[axis]), repeats), axis, np.ndim(a)))


def resize(a: Any, new_shape: Any) -> Any:
    """The elements, again from the first one when they run out, in a new shape."""
    a, shape = np.ravel(a), tuple(new_shape) if np.ndim(new_shape) else (new_shape,)
    if np.size(a) == 0:
        return np.zeros(shape, np.result_type(a))
    size = math.prod(shape)
    return np.reshape(np.tile(a, -(-size // np.size(a)))[:size], shape)


composition(np.resize, resize)


@vjp_of(np.meshgrid, moves=True)
def meshgrid(d: Any, out: Any, *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple:
    """Each coordinate vector receives the sum over the other axes of the grid."""
    result = []
    for i, (c, x) in enumerate(zip(d, xi, strict=True)):
        along = 1 - i if indexing == "xy" and i < 2 and len(xi) > 1 else i
        others = tuple([axis for axis in range(len(xi)) if axis != along])
        result.append(None if c is None else np.reshape(np.sum(c, axis=others), np.shape(x)))
    return tuple(result)


# ---- joins
rule(
    np.concatenate,
    moves=True,
    arrays=lambda d, out, arrays, /, axis=0, *, dtype=None, casting="same_kind": pieces(d, arrays, axis),
)
rule(
    np.stack,
    moves=True,
    arrays=lambda d, out, arrays, axis=0, *, dtype=None, casting="same_kind": like(arrays, unstacked(d, axis)),
)


def pieces(d: Any, arrays: Any, axis: Any) -> Any:
    """The cotangent of a concatenation, cut where the arrays meet."""
    if axis is None:
        flat = pieces(d, [np.ravel(a) for a in arrays], 0)
        return like(arrays, [np.reshape(p, np.shape(a)) for p, a in zip(flat, arrays, strict=True)])
    result, start = [], 0
    for a in arrays:
        stop = start + np.shape(a)[axis]
        result.append(d[whole_axis(slice(start, stop), axis, np.ndim(d))])
        start = stop
    return like(arrays, result)


def unstacked(d: Any, axis: int) -> list:
    """The slices of `d` along `axis`."""
    return [d[whole_axis(i, axis, np.ndim(d))] for i in range(np.shape(d)[axis])]


def like(arrays: Any, cotangents: list) -> Any:
    """One cotangent an array, in a sequence of the kind that `arrays` is."""
    if isinstance(arrays, np.ndarray):
        return np.stack(cotangents)
    return tuple(cotangents) if isinstance(arrays, tuple) else cotangents


rule(
    np.vstack,
    moves=True,
    tup=lambda d, out, tup, *, dtype=None, casting="same_kind": pieces_of(d, tup, [np.atleast_2d(a) for a in tup], 0),
)
rule(
    np.hstack,
    moves=True,
    tup=lambda d, out, tup, *, dtype=None, casting="same_kind": pieces_of(
        d, tup, [np.atleast_1d(a) for a in tup], 0 if np.ndim(tup[0]) < 2 else 1
    ),
)
rule(np.dstack, moves=True, tup=lambda d, out, tup: pieces_of(d, tup, [np.atleast_3d(a) for a in tup], 2))
rule(
    np.column_stack,
    moves=True,
    tup=lambda d, out, tup: pieces_of(d, tup, [np.reshape(a, (-1, 1)) if np.ndim(a) < 2 else a for a in tup], 1),
)
rule(
    np.append,
    moves=True,
    arr=lambda d, out, arr, values, axis=None: np.reshape(appended(d, arr, axis, True), np.shape(arr)),
    values=lambda d, out, arr, values, axis=None: np.reshape(appended(d, arr, axis, False), np.shape(values)),
)


def pieces_of(d: Any, given: Any, arrays: list, axis: int) -> Any:
    """The cotangents of arrays that were joined as `arrays`, in the shapes they were given in."""
    return like(given, [np.reshape(p, np.shape(a)) for p, a in zip(pieces(d, arrays, axis), given, strict=True)])


def appended(d: Any, arr: Any, axis: int | None, first: bool) -> Any:
    """The part of np.append that is its first argument, or the rest."""
    if axis is None:
        return d[: np.size(arr)] if first else d[np.size(arr) :]
    n = np.shape(arr)[axis]
    return d[whole_axis(slice(None, n) if first else slice(n, None), axis, np.ndim(d))]


def block(arrays: Any) -> Any:
    """np.block, which refuses the tuples that rules see in the place of lists."""
    return blocks(arrays)


def blocks(arrays: Any) -> Any:
    """np.block of nested lists or tuples."""
    return np.block(as_lists(arrays))


def as_lists(arrays: Any) -> Any:
    """Nested lists in the place of nested tuples."""
    return [as_lists(part) for part in arrays] if isinstance(arrays, list | tuple) else arrays


composition(np.block, block)
rule(blocks, moves=True, arrays=lambda d, out, arrays: blocks_of(d, arrays, depth_of(arrays)))


def blocks_of(d: Any, arrays: Any, depth: int) -> Any:
    """The cotangent of np.block, cut along its axes: the outermost lists lie along the first of the last `depth`."""
    if not isinstance(arrays, list | tuple):
        return np.reshape(d, np.shape(arrays))
    result, start = [], 0
    for part in arrays:
        stop = start + extent(part, depth, depth - 1)
        result.append(blocks_of(d[whole_axis(slice(start, stop), -depth, np.ndim(d))], part, depth - 1))
        start = stop
    return like(arrays, result)


def extent(arrays: Any, axis: int, depth: int) -> int:
    """How long nested lists of blocks are along the `axis`-th last axis; `depth` is how deep they are nested."""
    if isinstance(arrays, list | tuple):
        lengths = [extent(part, axis, depth - 1) for part in arrays]
        return sum(lengths) if axis == depth else lengths[0]
    return np.shape(arrays)[-axis] if axis <= np.ndim(arrays) else 1


def depth_of(arrays: Any) -> int:
    """How deep the lists are nested."""
    return 1 + depth_of(arrays[0]) if isinstance(arrays, list | tuple) else 0


def joined_by_index(self: Any, operands: Any) -> Any:
    """np.r_[...] and np.c_[...]: numbers, arrays and slices (which stand for ranges) along an axis."""
    axis, ndmin, place = self.axis, self.ndmin, self.trans1d
    items = list(operands) if isinstance(operands, tuple) else [operands]
    if items and isinstance(items[0], str):
        directive = items.pop(0)
        if directive in ("r", "c"):
            refuse(f"np.r_[{directive!r}, ...], whose result is an np.matrix", "np.concatenate")
        numbers = [int(word) for word in directive.split(",")]
        axis, ndmin, place = (*numbers, *(axis, ndmin, place)[len(numbers) :])
    parts = [stepped(i) if isinstance(i, slice) else i if np.isscalar(i) else np.asarray(i) for i in items]
    arrays = [laid_out(part, ndmin, place, isinstance(item, slice)) for part, item in zip(parts, items, strict=True)]
    return np.concatenate(arrays, axis, dtype=np.result_type(*parts))


def stepped(part: slice) -> np.ndarray:
    """The range that a slice stands for: with a step, or with an imaginary number of points."""
    start, step = part.start or 0, 1 if part.step is None else part.step
    if isinstance(step, complex):
        return np.linspace(start, part.stop, int(abs(step)))
    return np.arange(start, part.stop, step)


def laid_out(part: Any, ndmin: int, place: int, is_range: bool) -> Any:
    """An operand of np.r_ with at least `ndmin` dimensions, its own from `place` on."""
    own, array = np.ndim(part), np.asarray(part)
    extra = ndmin - own
    if extra <= 0:
        return array
    array = np.reshape(array, (1,) * extra + np.shape(array))
    if place == -1 or own == 0:
        return array
    if is_range:
        return np.swapaxes(array, -1, place)
    first = place + extra + 1 if place < 0 else place
    axes = list(range(ndmin))
    return np.transpose(array, axes[:first] + axes[extra:] + axes[first:extra])


composition(type(np.r_).__getitem__, joined_by_index)


@vjp_of(np.ix_, moves=True)
def ix_(d: Any, out: Any, *args: Any) -> tuple:
    """Each vector back in its own shape; truth values stand for positions."""
    return tuple([None if c is None else np.reshape(c, np.shape(a)) for c, a in zip(d, args, strict=True)])


# ---- splits: a cotangent for each part, None where nothing depends on it
rule(
    (np.split, np.array_split),
    moves=True,
    ary=lambda d, out, ary, indices_or_sections, axis=0: np.concatenate(filled(d, out), axis),
)
rule(np.vsplit, moves=True, ary=lambda d, out, ary, indices_or_sections: np.concatenate(filled(d, out), 0))
rule(
    np.hsplit,
    moves=True,
    ary=lambda d, out, ary, indices_or_sections: np.concatenate(filled(d, out), min(np.ndim(ary), 2) - 1),
)
rule(np.dsplit, moves=True, ary=lambda d, out, ary, indices_or_sections: np.concatenate(filled(d, out), 2))
if hasattr(np, "unstack"):
    rule(np.unstack, x=lambda d, out, x, /, *, axis=0: np.stack(filled(d, out), axis))

# ---- copies and conversions (`project` restores the dtype)
rule(
    np.array,
    moves=True,
    object=lambda d, out, object, dtype=None, *, copy=True, order="K", subok=False, ndmin=0, like=None: nested(
        d if ndmin == 0 else np.reshape(d, np.shape(object)), object
    ),
)
rule(
    (np.asarray, np.asanyarray),
    moves=True,
    a=lambda d, out, a, dtype=None, order=None, *, copy=None, device=None, like=None: d,
)
rule(np.asarray_chkfinite, moves=True, a=lambda d, out, a, dtype=None, order=None: d)
rule(np.require, moves=True, a=lambda d, out, a, dtype=None, requirements=None, *, like=None: d)
rule(np.ascontiguousarray, moves=True, a=lambda d, out, a, dtype=None, *, like=None: np.reshape(d, np.shape(a)))
rule(np.asfortranarray, moves=True, a=lambda d, out, a, dtype=None, *, like=None: d)
rule(np.copy, moves=True, a=lambda d, out, a, order="K", subok=False: d)
rule(
    np.full,
    moves=True,
    fill_value=lambda d, out, shape, fill_value, dtype=None, order="C", *, device=None, like=None: d,
)
rule(
    np.full_like,
    moves=True,
    fill_value=lambda d, out, a, fill_value, dtype=None, order="K", subok=True, shape=None, *, device=None: d,
)


def nested(d: Any, sequence: Any) -> Any:
    """The cotangent of np.array(sequence): lists and tuples of cotangents, nested as the sequence is."""
    if not isinstance(sequence, list | tuple):
        return d
    cotangents = [nested(d[i], sequence[i]) for i in range(len(sequence))]
    return tuple(cotangents) if isinstance(sequence, tuple) else cotangents


def astype(x: Any, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True) -> Any:
    """x.astype(dtype) as a function."""
    return x.astype(dtype, order, casting, subok, copy)


def item(a: Any, *index: Any) -> Any:
    """a.item(*index) as a function: one element as a Python number."""
    return a.item(*index)


rule(astype, moves=True, x=lambda d, out, x, dtype, order="K", casting="unsafe", subok=True, copy=True: d)
rule(item, selects=True, a=lambda d, out, a, *index: scatter(d, a, place_of(a, index)))
if hasattr(np, "astype"):
    rule(np.astype, x=lambda d, out, x, dtype, /, *, copy=True, device=None: d)


def place_of(a: Any, index: tuple) -> Any:
    """The full index of the element that a.item(*index) reads."""
    if len(index) == 1 and isinstance(index[0], tuple):
        return index[0]
    if len(index) == np.ndim(a):
        return index
    return np.unravel_index(index[0] % np.size(a) if index else 0, np.shape(a))


# ---- diagonals and triangles
rule(np.tril, selects=True, m=lambda d, out, m, k=0: np.tril(d, k))
rule(np.triu, selects=True, m=lambda d, out, m, k=0: np.triu(d, k))
rule(
    np.diagonal, selects=True, a=lambda d, out, a, offset=0, axis1=0, axis2=1: on_diagonal(d, a, offset, axis1, axis2)
)  # fmt: skip
rule(
    np.diag, selects=True, v=lambda d, out, v, k=0: np.diagonal(d, k) if np.ndim(v) == 1 else on_diagonal(d, v, k, 0, 1)
)
rule(np.diagflat, moves=True, v=lambda d, out, v, k=0: np.reshape(np.diagonal(d, k), np.shape(v)))


rule(
    np.trace,
    selects=True,
    a=lambda d, out, a, offset=0, axis1=0, axis2=1, dtype=None: on_diagonal(
        np.expand_dims(d, -1), a, offset, axis1, axis2
    ),
)
if hasattr(np.linalg, "trace"):
    rule(np.linalg.diagonal, selects=True, x=lambda d, out, x, /, *, offset=0: on_diagonal(d, x, offset, -2, -1))
    rule(
        np.linalg.trace,
        selects=True,
        x=lambda d, out, x, /, *, offset=0, dtype=None: on_diagonal(np.expand_dims(d, -1), x, offset, -2, -1),
    )

# ---- no derivative: contents that depend on shapes only
constant(
    np.shape, np.ndim, np.size, np.zeros, np.ones, np.empty, np.eye, np.identity, np.tri, np.indices, np.zeros_like,
    np.ones_like, np.empty_like, np.result_type, np.can_cast, np.may_share_memory, np.shares_memory, np.isfortran,
    np.broadcast_shapes, np.tril_indices, np.triu_indices, np.diag_indices, np.tril_indices_from, np.triu_indices_from,
    np.diag_indices_from, np.unravel_index,
    np.ravel_multi_index,
)  # fmt: skip
