"""Primitive and argument types -> result type; and what else the passes want to know of a primitive.

Elementwise functions, operators and reductions are understood; other functions of NumPy that have a rule are asked with
samples. A function that is not known to be pure is refused here.
"""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..rules import selection
from ..rules.differences import given_back, neighbours
from ..rules.elementwise import clipped
from ..rules.registry import is_constant, lookup
from ..rules.scalars import standing_largest, standing_smallest
from . import runtime
from .core import Const, Pack, Var, vars_of
from .types import (
    BOOL,
    FLOAT64,
    INT,
    NONE,
    Array,
    Length,
    NotTyped,
    Plain,
    Scalar,
    Seq,
    broadcast,
    class_of_kind,
    cotangent_type,
    elementwise_result,
    is_scalar,
    join,
    sampled_result,
    scalar_of,
    type_of,
)  # fmt: skip

OPERATORS = {
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow,
    operator.neg, operator.pos, operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne,
    operator.and_, operator.or_, operator.xor, operator.invert, operator.lshift, operator.rshift, abs, float, complex,
    int, bool, round, runtime.power, runtime.truth_and, runtime.truth_or,
}  # fmt: skip
ELEMENTWISE = {
    np.where,
    np.real,
    np.imag,
    np.conj,
    np.conjugate,
    np.isnan,
    np.isfinite,
    np.clip,
    np.angle,
    np.nan_to_num,
    selection.only,
    selection.chosen,
    selection.between,
    clipped,
}
REDUCTIONS = {np.sum, np.mean, np.max, np.min, np.amax, np.amin, np.prod, np.var, np.std, np.all, np.any}
UFUNC_REDUCTIONS = {np.add.reduce, np.maximum.reduce, np.minimum.reduce, np.multiply.reduce}
DECIDED_BY_VALUES = {
    np.linalg.eig,
    np.linalg.eigvals,
    np.linalg.lstsq,
    np.roots,
    np.polynomial.polyutils.trimseq,
}  # dtype or shape
LAYOUT = {np.lib.stride_tricks.as_strided}
VECTORS = {np.unique, np.trim_zeros}  # of a length that the numbers decide
MODULES = ("numpy", "math", "cmath", "operator", "_operator", "builtins")
PURE = {
    np.allclose, np.argmax, np.argmin, np.argpartition, np.argsort, np.around, np.array_equal, np.count_nonzero,
    np.diag_indices, np.diag_indices_from, np.digitize, np.empty, np.empty_like, np.eye, np.fft.fftfreq,
    np.fft.rfftfreq, np.fix, np.identity, np.indices, np.isclose, np.iscomplex, np.isin, np.isneginf, np.isposinf,
    np.isreal, np.linalg.matrix_rank, np.nanargmax, np.nanargmin, np.ones, np.ones_like, np.ravel_multi_index,
    np.result_type, np.round, np.searchsorted, np.tri, np.tril_indices, np.tril_indices_from, np.triu_indices,
    np.triu_indices_from, np.unravel_index, np.zeros, np.zeros_like,
}  # fmt: skip
"""Functions without derivative that do nothing but return a value, whose shape no number in an array decides.

What else has no derivative may print, read a file or set a mode: it would do so when it is asked for a sample, and once
more, or not at all, in what is printed."""


def is_elementwise(fn: Callable) -> bool:
    """Is `fn` elementwise, as it stands in the table of rules now?"""
    if isinstance(fn, np.ufunc):
        return fn.nout == 1 and fn.signature is None
    if fn in OPERATORS or fn in ELEMENTWISE or (getattr(fn, "__module__", None) in ("math", "cmath")):
        return True
    made = lookup(fn)
    return made is not None and bool(made.partials) and (is_library(fn) or is_of_rules(fn))


def is_library(fn: Callable) -> bool:
    """Does `fn` belong to NumPy or the standard library, so that calling it with samples is harmless?

    It is asked of the program's own functions too, and therefore remembers nothing: not what they have captured.
    """
    module = getattr(fn, "__module__", None) or type(fn).__module__
    return module.split(".")[0] in MODULES and not module.startswith("numpy.random")


def is_of_rules(fn: Callable) -> bool:
    """Is `fn` a word of the rules that has a rule of its own, which says more of it than its body does?"""
    made = lookup(fn) if _module(fn).startswith("engine.rules.") else None
    return made is not None and made.procedure is None


def is_primitive(fn: Callable) -> bool:
    """May a Let call `fn`?"""
    if fn in _TABLE or fn in OPERATORS or fn in selection.WORDS:
        return True
    made = lookup(fn)
    if made is not None:
        return (is_library(fn) or is_of_rules(fn)) and made.procedure is None  # a procedure works on state
    return is_constant(fn) and (fn in PURE or isinstance(fn, np.ufunc) or _module(fn) in MODULES[1:5])


def _module(fn: Callable) -> str:
    return getattr(fn, "__module__", None) or ""


def result_type(fn: Callable, args: tuple, kw: tuple = ()) -> Any:
    known = _TABLE.get(fn)
    if known is not None:
        return known(args, dict(kw))
    if fn in LAYOUT:
        raise NotTyped(f"{fn.__name__}, which asks how an array lies in memory")
    if fn in VECTORS and len(args) == 1 and not kw and isinstance(type_of(args[0]), Array):
        return Array(type_of(args[0]).dtype, ("?",))
    if fn in DECIDED_BY_VALUES or fn in VECTORS or (fn is np.arange and not all(_is_whole(a) for a in args)):
        raise NotTyped(f"{fn}, whose result has a type that the numbers decide")
    if any(isinstance(type_of(a), Seq) for a in args):
        raise NotTyped(f"{fn} of a list")
    if fn in (operator.matmul, np.matmul, np.dot):
        return _matmul(fn, args)
    if fn is operator.getitem:
        return getitem_type(*args)
    if fn in REDUCTIONS or fn in UFUNC_REDUCTIONS:
        return _reduction(fn, args, dict(kw))
    if is_elementwise(fn):
        if any(type(a) is Pack for a in args):
            return sampled_result(fn, args, kw)
        return elementwise_result(fn, args, kw)
    if is_primitive(fn):
        if fn in SHUFFLED:
            return _shuffled(fn, args, kw)
        found = sampled_result(fn, args, kw)
        like = type_of(args[SHAPED_LIKE[fn]]) if fn in SHAPED_LIKE and not kw else None
        if not isinstance(like, Array) or not isinstance(found, Array):
            return found
        no_stack = fn is selection.shared or len(type_of(args[0]).mask) == 2 >= len(like.mask)
        return Array(found.dtype, like.mask) if no_stack else found
    raise NotTyped(f"a call of {getattr(fn, '__qualname__', fn)}, which this tier does not know")


SHUFFLED = {np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.flip, np.tril, np.triu}
"""Functions of one array whose dimensions are its own, in some order, and ones."""
SHAPED_LIKE = {np.linalg.cholesky: 0, np.linalg.inv: 0, np.linalg.solve: 1, selection.shared: 1}
"""Functions whose result has the shape of an argument, where none of them is a stack."""


def _shuffled(fn: Callable, args: tuple, kw: tuple) -> Any:
    """The dimensions of the argument are told apart by their sizes."""
    of, found = type_of(args[0]), sampled_result(fn, args, kw)
    if not isinstance(of, Array) or not isinstance(found, Array):
        return found
    sample = np.empty([1 if m == "1" else i + 2 for i, m in enumerate(of.mask)], np.bool_)
    shape = fn(sample, *map(constant_of, args[1:]), **{k: constant_of(a) for k, a in kw}).shape
    return Array(found.dtype, tuple(["1" if n == 1 else of.mask[n - 2] for n in shape]))


def _is_whole(arg: Any) -> bool:
    """Is the number a constant, or of a kind of ints?"""
    return type(arg) is Const or isinstance(type_of(arg), Scalar) and type_of(arg).kinds <= {"int", "int64", "int32"}


def _matmul(fn: Callable, args: tuple) -> Any:
    a, b = (type_of(x) for x in args)
    if not (isinstance(a, Array) and isinstance(b, Array) and a.mask and b.mask):
        if fn is np.dot:
            return elementwise_result(operator.mul, args)
        raise NotTyped("matmul of scalars")
    out = sampled_result(fn, tuple([_one_element(x) for x in args]))
    if not isinstance(out, Array):
        return out
    if fn is np.dot and len(b.mask) > 2:
        return Array(out.dtype, ("?",) * len(out.mask))
    stacked = broadcast([a.mask[:-2], b.mask[:-2]]) if fn is not np.dot else a.mask[:-2]
    return Array(out.dtype, stacked + a.mask[-2:-1] + (b.mask[-1:] if len(b.mask) > 1 else ()))


def axes_of(axis: Any, ndim: int) -> tuple | None:
    """The axes that a constant `axis` argument names."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    return tuple(sorted([i % ndim for i in axes])) if ndim and all(isinstance(i, int) for i in axes) else None


def constant_of(arg: Any) -> Any:
    """The value of a constant argument; NotTyped where it is none."""
    if type(arg) is Const:
        return arg.value
    if type(arg) is Pack and arg.kind in (tuple, list):
        return tuple([constant_of(item) for item in arg.items])
    raise NotTyped("an argument that decides structure and is not known")


def _reduction(fn: Callable, args: tuple, kw: dict) -> Any:
    names = ("a", "axis", "dtype", "out", "keepdims")
    given = {**dict(zip(names, args, strict=False)), **kw}
    given.setdefault("a", given.get("array"))
    of = type_of(given["a"])
    if given.get("out") is not None:
        raise NotTyped("out=, which writes in place")
    if not isinstance(type_of(given.get("where", Const(True))), Array | Scalar):
        raise NotTyped("where= of a structure")
    if not isinstance(of, Array):
        return sampled_result(fn, args, tuple(kw.items()))
    axes = axes_of(
        constant_of(given["axis"]) if "axis" in given else (0 if fn in UFUNC_REDUCTIONS else None), len(of.mask)
    )
    if axes is None:
        raise NotTyped("an axis that is no int")
    keep = constant_of(given.get("keepdims", Const(False)))
    rest = tuple([(k, v) for k, v in kw.items() if k not in ("axis", "keepdims", "a", "where")])
    dtype = sampled_result(fn, (Var(Array(of.dtype, ("1",))),), rest)
    mask = tuple(["1" if i in axes else m for i, m in enumerate(of.mask) if keep or i not in axes])
    (kind,) = dtype.kinds
    return Array(np.dtype(class_of_kind(kind)), mask) if mask else dtype


def getitem_type(x: Any, index: Any, dimension: Callable = lambda axis, part: "?") -> Any:
    """The type of x[index]; `dimension` names the length of a slice along an axis."""
    of = type_of(x)
    parts = list(index.items) if type(index) is Pack and index.kind is tuple else [index]
    if not isinstance(of, Array):
        raise NotTyped("an index into something else than an array")
    used = sum(1 for p in parts if not _is_new_axis(p) and not _is_ellipsis(p))
    dotted = any(_is_ellipsis(p) for p in parts)  # then the result is an array, also one of no dimensions
    if dotted:
        at = next(i for i, p in enumerate(parts) if _is_ellipsis(p))
        parts[at : at + 1] = [Pack(slice, (Const(None),) * 3)] * (len(of.mask) - used)
    else:
        parts += [Pack(slice, (Const(None),) * 3)] * (len(of.mask) - used)
    mask, dims, advanced = [], list(of.mask), []
    for part in parts:
        if _is_new_axis(part):
            mask.append("1")
            continue
        if not dims:
            raise NotTyped("too many indices")
        axis, size = len(of.mask) - len(dims), dims.pop(0)
        kind = type_of(part)
        if type(part) is Pack and part.kind is slice:
            whole = all(type(p) is Const and p.value is None for p in part.items[:2])
            mask.append(size if whole and (size == "1" or _is_unit_step(part.items[2])) else dimension(axis, part))
        elif isinstance(kind, Scalar) and kind.kinds <= {"int", "int64", "int32", "uint8", "intp"}:
            continue
        elif isinstance(kind, Array) and kind.dtype.kind in "iub":
            advanced.append((len(mask), kind))
            if kind.dtype.kind == "b":
                dims = dims[len(kind.mask) - 1 :] if kind.mask else dims
                mask.append("?")
            else:
                mask.extend(kind.mask)
        else:
            raise NotTyped(f"an index that is {kind}")
    if len(advanced) > 1 or (advanced and any(isinstance(type_of(p), Scalar) for p in parts)):
        return sampled_result(operator.getitem, (x, index))
    if not mask and not dotted:
        return scalar_of(of.dtype)
    return Array(of.dtype, tuple(mask))


def _is_new_axis(part: Any) -> bool:
    return type(part) is Const and part.value is None


def _is_ellipsis(part: Any) -> bool:
    return type(part) is Const and part.value is Ellipsis


def _is_unit_step(step: Any) -> bool:
    return type(step) is Const and step.value in (None, 1, -1)


# ---- the engine's own primitives


def _shaped(fn: Callable, position: int) -> Callable:
    """The type of a function that takes the shape of its result at a position, or as `shape`."""

    def result(args: tuple, kw: dict) -> Any:
        shape = args[position] if len(args) > position else kw.get("shape")
        parts = shape.items if type(shape) is Pack else shape.value if type(shape) is Const else (shape,)
        mask = tuple([_length(p) for p in (parts if isinstance(parts, tuple) else (parts,))])
        ones = Const((1,) * len(mask))
        small = [
            Var(Array(a.type.dtype, ("1",) * len(a.type.mask))) if isinstance(type_of(a), Array) else a for a in args
        ]
        small[position : position + 1] = [ones] if len(args) > position else []
        rest = {**kw, "shape": ones} if "shape" in kw else kw
        found = sampled_result(fn, tuple(small), tuple(rest.items()))
        if not isinstance(found, Array) or len(found.mask) != len(mask):
            raise NotTyped(f"{fn.__name__} to a shape that is not known")
        if mask == ("?",) and fn is np.reshape and "n" in type_of(args[0]).mask:
            mask = ("n",)  # all elements in one row, one of whose dimensions is not 1
        return Array(found.dtype, mask)

    return result


def _one_element(arg: Any) -> Var:
    return Var(Array(type_of(arg).dtype, ("1",) * len(type_of(arg).mask)))


def _length(arg: Any) -> str:
    """The dimension that an argument gives."""
    value = arg.value if type(arg) is Const else arg
    if type(value) is int:
        return "1" if value == 1 else "n" if value >= 0 else "?"
    of = type_of(value) if type(value) is Var else None
    if isinstance(of, Length):
        return of.dimension
    if isinstance(of, Scalar) and of.kinds <= {"int", "int64", "int32"}:
        return "?"
    raise NotTyped("a dimension that is no int")


def rows_type(item: Any) -> Array:
    """The type of an array whose rows are of the type `item`."""
    if isinstance(item, Array):
        return Array(item.dtype, ("?", *item.mask))
    dtypes = {np.dtype(class_of_kind(kind)) for kind in item.kinds} if isinstance(item, Scalar) else set()
    if len(dtypes) != 1:
        raise NotTyped("an array of a list of different items")
    return Array(dtypes.pop(), ("?",))


def _matrices(args: tuple, kw: dict) -> Any:
    """One number for each matrix."""
    of = type_of(args[0])
    return Array(of.dtype, of.mask[:-2]) if len(of.mask) > 2 else scalar_of(of.dtype)


def _row(of: Array) -> Any:
    return Array(of.dtype, of.mask[1:]) if len(of.mask) > 1 else cotangent_type(scalar_of(of.dtype))


def _seq_item(args: tuple, kw: dict) -> Any:
    of = type_of(args[0])
    if not isinstance(of, Seq):
        raise NotTyped("an index into something that is no list")
    return of.item


def _like(args: tuple, kw: dict) -> Any:
    return type_of(args[0])


def _append(args: tuple, kw: dict) -> Any:
    return Seq(join(type_of(args[0]).item, type_of(args[1])))


def _sum_axes(args: tuple, kw: dict) -> Any:
    of, axes, keep = type_of(args[0]), args[1].value, args[2].value
    mask = tuple(["1" if i in axes else m for i, m in enumerate(of.mask) if keep or i not in axes])
    return Array(of.dtype, mask) if mask else scalar_of(of.dtype)


def _spread(args: tuple, kw: dict) -> Any:
    return type_of(args[1])


def _cast(args: tuple, kw: dict) -> Any:
    of, dtype = type_of(args[0]), args[1].value
    return Array(dtype, of.mask) if isinstance(of, Array) else scalar_of(dtype)


def _real(args: tuple, kw: dict) -> Any:
    of = type_of(args[0])
    if isinstance(of, Array):
        return Array(np.empty(0, of.dtype).real.dtype, of.mask)
    real = {"complex": "float", "complex128": "float64", "complex64": "float32", "clongdouble": "longdouble"}
    return Scalar(frozenset({real.get(kind, kind) for kind in of.kinds}))


def _range(args: tuple, kw: dict) -> Any:
    if not all(is_scalar(type_of(a)) and type_of(a).kinds <= {"int", "int64", "int32"} for a in args):
        raise NotTyped("a range of something else than ints")
    return Plain(range)


def _len(args: tuple, kw: dict) -> Any:
    return INT


def _repeated(args: tuple, kw: dict) -> Any:
    return Seq(type_of(args[0]))


def _spread_seq(args: tuple, kw: dict) -> Any:
    return Seq(type_of(args[0]))


def _zero_seq(args: tuple, kw: dict) -> Any:
    return cotangent_type(type_of(args[0]))


def _reduce_to(args: tuple, kw: dict) -> Any:
    d, like = (type_of(a) for a in args)
    return Array(d.dtype, like.mask)


def _total(args: tuple, kw: dict) -> Any:
    return scalar_of(type_of(args[0]).dtype)


def _put_item(args: tuple, kw: dict) -> Any:
    return Seq(join(type_of(args[0]).item, type_of(args[2])))


def _add_lists(args: tuple, kw: dict) -> Any:
    return Seq(join(type_of(args[0]).item, type_of(args[1]).item))


def _sum_list(args: tuple, kw: dict) -> Any:
    return join(INT, type_of(args[0]).item)


_TABLE: dict[Callable, Callable] = {
    len: _len, range: _range, runtime.iterations: _range, runtime.dim: _len, runtime.append: _append,
    runtime.pop_last: _like, runtime.backwards: _like, runtime.put_item: _put_item, runtime.add_lists: _add_lists,
    runtime.zero_list: _zero_seq, runtime.sum_list: _sum_list, runtime.same_for_all: _spread_seq,
    runtime.joined: lambda args, kw: rows_type(type_of(args[0]).item),
    runtime.rows: lambda args, kw: Seq(_row(type_of(args[0]))),
    runtime.read: lambda args, kw: getitem_type(*args), runtime.put: _like, runtime.outline: _like,
    runtime.repeated: _repeated, runtime.addat: _like, runtime.reduce_to: _reduce_to, runtime.sum_axes: _sum_axes,
    runtime.total: _total, runtime.spread: _spread, runtime.cast: _cast, runtime.real_part: _real,
    **{fn: _shaped(fn, 0) for fn in (np.zeros, np.ones, np.empty, np.full)},
    **{fn: _shaped(fn, 1) for fn in (np.reshape, np.broadcast_to)},
    runtime.as_float: lambda args, kw: Scalar(frozenset({"float"})), runtime.zero_of: _like, runtime.owned: _like,
    runtime.log_abs_det: _matrices, runtime.sign_of_det: _matrices,
    runtime.distinct: lambda args, kw: NONE, runtime.unpacked: lambda args, kw: NONE,
    runtime.equally_long: lambda args, kw: NONE, runtime.same_shape: lambda args, kw: NONE,
    runtime.applied: lambda args, kw: Plain(list) if type(args[1]) is Pack else cotangent_type(type_of(args[1])),
    runtime.applied_slope: lambda args, kw: cotangent_type(type_of(args[1])),
    runtime.places_of: lambda args, kw: Array(np.dtype(np.intp), ("?",)),
    runtime.no_tie: lambda args, kw: NONE, runtime.one_extreme: lambda args, kw: NONE,
    runtime.some_dependence: lambda args, kw: NONE,
    min: _len, max: _len, runtime.bound: _like, runtime.same: _like, operator.not_: lambda args, kw: BOOL,
    standing_largest: _like, standing_smallest: _like,
    given_back: lambda args, kw: Array(type_of(args[0]).dtype, type_of(args[1]).mask),
}  # fmt: skip
item_of = _seq_item
FLOAT64_RESULT = FLOAT64


# ---- what the passes ask

LIKE = {
    runtime.spread: 1, runtime.reduce_to: 1, runtime.zero_of: 0, runtime.dim: 0, selection.on_diagonal: 1,
    given_back: 1,
}  # fmt: skip
"""Where an operation asks for the shape and dtype of an argument only."""


def carriers(stmt: Any) -> Iterator[Var]:
    """The operands of a Let from whose values the result is made: not those whose shape is asked for."""
    like = LIKE.get(stmt.fn)
    yield from vars_of([arg for i, arg in enumerate(stmt.args) if i != like])
    yield from vars_of([arg for _, arg in stmt.kw])


_FRESH = {runtime.zero_of, runtime.owned, runtime.addat, runtime.spread, np.matmul, operator.matmul, np.outer,
          np.zeros_like, np.ones_like, runtime.append, runtime.fresh_list, runtime.repeated, runtime.zero_list,
          runtime.put_item, runtime.add_lists, runtime.same_for_all, runtime.sum_axes, runtime.pop_last,
          runtime.backwards, runtime.float_list, runtime.rows, runtime.read, runtime.put, np.zeros, np.ones, np.empty,
          np.full, np.empty_like, np.full_like, np.eye, np.identity, np.arange, np.linspace, np.copy, np.concatenate,
          np.stack, np.cumsum, np.cumprod, np.tile, np.repeat, np.roll, np.convolve, np.linalg.solve, np.linalg.inv,
          np.linalg.cholesky, runtime.joined, selection.placed, selection.shared,
          given_back, neighbours}  # fmt: skip
_VIEWS = {np.real, np.imag, runtime.real_part, np.nan_to_num, np.conj, np.conjugate, operator.pos, np.positive}


def is_fresh(stmt: Any) -> bool:
    """Is the array that this Let returns one that nobody else can have?"""
    if stmt.fn in _FRESH or stmt.fn in REDUCTIONS:
        return True
    if stmt.fn in (np.array, np.astype) if hasattr(np, "astype") else stmt.fn is np.array:
        return not stmt.kw
    return is_elementwise(stmt.fn) and stmt.fn not in _VIEWS and isinstance(stmt.out.type, Array)


def is_cheap(stmt: Any) -> bool:
    """Is it better to compute this Let again than to save its result?"""
    if isinstance(stmt.out.type, Scalar):
        if stmt.fn is operator.getitem or stmt.fn in (runtime.dim, len):
            return True
        return is_elementwise(stmt.fn) and all(isinstance(type_of(a), Scalar) for a in stmt.args)
    return stmt.out.type == Plain(range)


SCALAR_FUNCTIONS = (math, cmath)
