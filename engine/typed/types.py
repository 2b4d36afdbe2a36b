"""Abstract types of the names of the core, and the type of what a primitive returns, found by asking the primitive.

    Scalar({"float"})            one Python number; NumPy scalars by their dtype's name: Scalar({"float64"})
    Length("n")                  an int that is such a dimension of an array
    Scalar({"float", "float64"}) either: the printed code is the same, so a join costs nothing
    Array(dtype, ("n", "1"))     ndarray; each dimension is 1, not 1 ("n"), or unknown: "?0", "?1" ..., where equal
                                 names mean equal lengths; "?" says of a carried value or an item that it varies
    Seq(item)                    a list of the engine's own, or a fresh list of the user's; any length
    Several(items)               what a function returned that has several results, each taken out at once
    Plain(cls)                   a value without derivative of exactly this class: str, range, dtype ...

A primitive's result type is that of a call with small samples of its argument types, so that promotion is the running
NumPy's own; `dimension` masks follow by broadcasting for elementwise functions, from two sample sizes otherwise.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from .core import UNDEFINED, Const, Pack, Var

PYTHON_KINDS = {"bool": True, "int": 1, "float": 0.5, "complex": 0.5 + 0.25j}
NUMPY_BOOL = "numpy.bool"
INEXACT = ("float", "complex", "float64", "float32", "float16", "longdouble", "complex128", "complex64", "clongdouble")


class NotTyped(Exception):
    """The typed tier is not sure of this program; the reason is for people."""


class Doubtful(NotTyped):
    """The gradient has a NaN that may belong to an entry nobody looks at; the traced tier finds out (convention 4)."""


@dataclass(frozen=True)
class Scalar:
    kinds: frozenset

    def __repr__(self) -> str:
        return "|".join(sorted(self.kinds))


@dataclass(frozen=True)
class Length(Scalar):
    """An int that is a dimension of an array: `dimension` as in a mask."""

    dimension: str

    @classmethod
    def of(cls, dimension: str) -> Length:
        return cls(frozenset({"int"}), dimension)


@dataclass(frozen=True)
class Array:
    dtype: np.dtype
    mask: tuple

    def __post_init__(self) -> None:
        if self.dtype == np.float16:
            raise NotTyped("half precision, whose sums the other tier makes in single")

    def __repr__(self) -> str:
        return f"{self.dtype.name}[{''.join(self.mask)}]"


@dataclass(frozen=True)
class Seq:
    item: Any


@dataclass(frozen=True)
class Several:
    items: tuple
    cls: type = tuple


@dataclass(frozen=True)
class Kept:
    """What a call has saved for its pullback: it depends on all that the call depended on."""


@dataclass(frozen=True)
class Plain:
    cls: type


BOOL, INT, FLOAT, COMPLEX = (Scalar(frozenset({kind})) for kind in ("bool", "int", "float", "complex"))
FLOAT64 = Scalar(frozenset({"float64"}))
REAL = Scalar(frozenset({"float", "float64"}))
NONE = Plain(type(None))


LONG_DOUBLE = frozenset({np.dtype(np.longdouble), np.dtype(np.clongdouble)}) - {
    np.dtype(np.float64),
    np.dtype(np.complex128),
}


def type_of_value(value: Any) -> Any:
    """The type of a concrete value; NotTyped for what is no number, array or plain constant."""
    cls = type(value)
    if cls.__name__ in PYTHON_KINDS and cls in (bool, int, float, complex):
        return Scalar(frozenset({cls.__name__}))
    if cls is np.ndarray:
        if value.dtype.kind not in "fciub" or value.dtype in LONG_DOUBLE:
            raise NotTyped(f"an array of dtype {value.dtype}")
        return Array(value.dtype, tuple(["1" if n == 1 else "n" for n in value.shape]))
    if isinstance(value, np.generic) and value.dtype in LONG_DOUBLE:
        raise NotTyped(f"a {cls.__name__}")
    if isinstance(value, np.generic) and value.dtype.kind in "fciub":
        return scalar_of(value.dtype)
    return Plain(cls)


def scalar_of(dtype: np.dtype) -> Scalar:
    """NumPy's scalars of a dtype; its bool is another class than Python's, whose name it has."""
    return Scalar(frozenset({NUMPY_BOOL if dtype.kind == "b" else dtype.name}))


def class_of_kind(kind: str) -> type:
    """The class of the numbers of a kind."""
    if kind in PYTHON_KINDS:
        return type(PYTHON_KINDS[kind])
    return np.bool_ if kind == NUMPY_BOOL else np.dtype(kind).type


def type_of(arg: Any) -> Any:
    if type(arg) is Var:
        return arg.type
    if type(arg) is Const:
        return type_of_value(arg.value)
    if arg is UNDEFINED:
        return None
    return Plain(arg.kind)


def is_active_type(type: Any) -> bool:
    """Can a value of this type carry a derivative?"""
    if isinstance(type, Scalar):
        return any(kind in INEXACT for kind in type.kinds)
    if isinstance(type, Array):
        return type.dtype.kind in "fc"
    if isinstance(type, Several):
        return any(map(is_active_type, type.items))
    return isinstance(type, Kept) or isinstance(type, Seq) and is_active_type(type.item)


def is_scalar(type: Any) -> bool:
    return isinstance(type, Scalar)


def is_complex(type: Any) -> bool:
    if isinstance(type, Scalar):
        return any(kind.startswith(("complex", "clong")) for kind in type.kinds)
    return isinstance(type, Array) and type.dtype.kind == "c"


def join(a: Any, b: Any) -> Any:
    """The least type that holds the values of both; NotTyped where there is none. None is the type of no value."""
    if a is None or a == b:
        return b
    if b is None:
        return a
    if isinstance(a, Scalar) and isinstance(b, Scalar):
        return Scalar(a.kinds | b.kinds)
    if isinstance(a, Array) and isinstance(b, Array) and a.dtype == b.dtype and len(a.mask) == len(b.mask):
        return Array(a.dtype, tuple([m if m == n else "?" for m, n in zip(a.mask, b.mask, strict=True)]))
    if isinstance(a, Seq) and isinstance(b, Seq):
        return Seq(join(a.item, b.item))
    if isinstance(a, Several) and isinstance(b, Several) and a.cls is b.cls and len(a.items) == len(b.items):
        return Several(tuple(map(join, a.items, b.items)), a.cls)
    raise NotTyped(f"a value that is {a} on one path and {b} on another")


def broadcast(masks: list[tuple]) -> tuple:
    """The mask of arrays of these masks broadcast against each other."""
    out = []
    for dims in itertools.zip_longest(*[reversed(mask) for mask in masks], fillvalue="1"):
        others = set(dims) - {"1"}
        out.append("n" if "n" in others else others.pop() if len(others) == 1 else "?" if others else "1")
    return tuple(reversed(out))


def erased(type: Any) -> Any:
    """`type` without the names of lengths: what is known of values of several runs of a block."""
    if isinstance(type, Array):
        return Array(type.dtype, tuple([m[0] for m in type.mask]))
    if isinstance(type, Seq):
        return Seq(erased(type.item))
    return INT if isinstance(type, Length) and type.dimension.startswith("?") else type


def cotangent_type(type: Any) -> Any:
    """The type of a whole cotangent of a value of `type`."""
    if isinstance(type, Scalar):
        kinds = type.kinds & set(INEXACT)
        if kinds <= {"float", "float64"}:
            return REAL
        if kinds <= {"float", "float64", "complex", "complex128"}:
            return Scalar(frozenset({"float", "float64", "complex", "complex128"}))
        return Scalar(frozenset(kinds))
    if isinstance(type, Seq):
        return Seq(cotangent_type(type.item))
    if isinstance(type, Several | Kept):
        raise NotTyped("several results whose cotangents meet elsewhere")
    return type


def _samples(type: Any, size: int, unknown: int = 1, step: float = 0.0) -> list:
    if isinstance(type, Scalar):
        return [PYTHON_KINDS[k] if k in PYTHON_KINDS else class_of_kind(k)(0.5) for k in sorted(type.kinds)]
    if isinstance(type, Array):
        shape = tuple([{"n": size, "1": 1}.get(m, unknown) for m in type.mask])
        sample = np.full(shape, PYTHON_KINDS.get(type.dtype.kind, 0.5), type.dtype) if type.dtype.kind != "b" else None
        sample = np.ones(shape, type.dtype) if sample is None else sample
        if type.dtype.kind in "fc" and len(shape) >= 2 and shape[-1] == shape[-2]:
            sample = sample + 3 * np.eye(shape[-1], dtype=type.dtype)  # positive definite, for the decompositions
        if type.dtype.kind in "fc" and step:
            sample = sample + (step * np.arange(sample.size).reshape(shape)).astype(type.dtype)
        if type.dtype.kind in "iu":
            sample[...] = 1
        return [sample]
    if isinstance(type, Plain) and type.cls is range:
        return [range(size)]
    raise NotTyped(f"no sample of {type}")


def _concrete(arg: Any, size: int, unknown: int, step: float) -> list:
    """The sample values of one argument: a pack gives the packs of its items' samples."""
    if type(arg) is Const:
        return [arg.value]
    if type(arg) is Pack:
        made = []
        for items in itertools.product(*[_concrete(item, size, unknown, step) for item in arg.items]):
            if arg.kind is slice:
                made.append(slice(*items))
            elif arg.kind is dict:
                made.append(dict(zip(items[::2], items[1::2], strict=True)))
            else:
                made.append(arg.kind(items))
        return made
    return _samples(arg.type, size, unknown, step)


def _call(fn: Callable, args: tuple, kw: tuple, size: int, unknowns: tuple = (1,), step: float = 0.0) -> list:
    results = []
    names = [name for name, _ in kw]
    with np.errstate(all="ignore"):
        for chosen in itertools.islice(_choices([*args, *[arg for _, arg in kw]], size, unknowns, step), 64):
            positional, named = chosen[: len(args)], chosen[len(args) :]
            for shift in (0, 1, 0.25):  # into the domain of arccosh, of arctanh
                try:
                    shifted = [v + shift if shift and isinstance(v, float) else v for v in positional]
                    results.append(fn(*shifted, **dict(zip(names, named, strict=True))))
                    break
                except (ValueError, ZeroDivisionError, TypeError, IndexError, np.linalg.LinAlgError):
                    continue
    if not results:
        raise NotTyped(f"{getattr(fn, '__name__', fn)} does not take samples of its arguments")
    return results


def _key(arg: Any) -> Any:
    if type(arg) is Pack:
        return (arg.kind, *[_key(item) for item in arg.items])
    if type(arg) is Const:
        return (type(arg.value), arg.value)
    return erased(arg.type)


def _choices(args: list, size: int, unknowns: tuple, step: float) -> Iterator[tuple]:
    for unknown in unknowns:
        yield from itertools.product(*[_concrete(arg, size, unknown, step) for arg in args])


_known: dict[Any, Any] = {}


def elementwise_result(fn: Callable, args: tuple, kw: tuple = ()) -> Any:
    """The type of an elementwise function's result: dtype by a sample of one element, mask by broadcasting."""
    types = [type_of(arg) for arg in args]
    key = (fn, tuple(map(erased, types)), tuple([(n, _key(a)) for n, a in kw]))
    if key not in _known:
        _known[key] = _element_result(fn, args, kw)
    found = _known[key]
    if not isinstance(found, Array):
        return found
    return Array(found.dtype, broadcast([t.mask for t in types if isinstance(t, Array)]))


def _element_result(fn: Callable, args: tuple, kw: tuple) -> Any:
    """The same for arrays of one element."""
    types = [type_of(arg) for arg in args]
    generic = tuple(
        [
            Const(True) if t == BOOL else Var(t) if isinstance(t, Scalar | Array) else a
            for a, t in zip(args, types, strict=True)
        ]
    )
    small = tuple(
        [
            Var(Array(a.type.dtype, ("1",) * len(a.type.mask))) if type(a) is Var and isinstance(a.type, Array) else a
            for a in generic
        ]
    )
    found = None
    for result in _call(fn, small, kw, 1):
        found = join(found, type_of_value(result))
    if not isinstance(found, Scalar | Array):
        raise NotTyped(f"{fn} returned {found}")
    return found


def sampled_result(fn: Callable, args: tuple, kw: tuple = ()) -> Any:
    """The type of a NumPy function's result, from calls with samples of two sizes."""
    try:
        key = (fn, "sampled", tuple([_key(arg) for arg in args]), tuple([(n, _key(a)) for n, a in kw]))
        known = _known.get(key)
    except TypeError as error:
        raise NotTyped(f"an unhashable constant given to {fn}") from error
    if known is None:
        known = _known[key] = _sampled_result(fn, args, kw)
    return known


def _sampled_result(fn: Callable, args: tuple, kw: tuple) -> Any:
    """Two sizes tell which dimensions follow those of the arguments; a dimension that is not known is tried both ways.

    Ints that are not constants may decide a dimension, and their samples say nothing about it. Nor do samples of one
    length say what comes of two that differ: the valid part of their convolution has length 1.
    """
    leaves = _leaves((*args, *[a for _, a in kw]))
    masked = any(m.startswith("?") for a in leaves if isinstance(a.type, Array) for m in a.type.mask)
    unsure = masked or any(not is_active_type(a.type) and a.type != BOOL for a in leaves)
    if any(type(a) is Var and a.type == BOOL for a in (*args, *[a for _, a in kw])):
        raise NotTyped(f"a flag of {getattr(fn, '__name__', fn)} that is not known")
    of_several = sum(isinstance(a.type, Array) and "n" in a.type.mask for a in leaves) > 1
    try:
        sizes = 3, 5
        small, large = (_call(fn, args, kw, n, (1, n) if masked else (1,)) for n in sizes)
    except NotTyped:
        sizes = 12, 24  # may be halved, or cut at known places
        small, large = (_call(fn, args, kw, n, (1, n) if masked else (1,)) for n in sizes)
    found = None

    def of_both(one: Any, two: Any, is_cut: bool = False) -> Any:
        a, b = type_of_value(one), type_of_value(two)
        if isinstance(one, tuple | list) and type(one) is type(two) and 0 < len(one) == len(two):
            is_cut = type(one) is list  # a part cut off at a known place may be shorter
            return Several(tuple([of_both(*parts, is_cut) for parts in zip(one, two, strict=True)]), type(one))
        if isinstance(a, Array) and isinstance(b, Array) and a.dtype == b.dtype and one.ndim == two.ndim:
            dims = zip(one.shape, two.shape, strict=True)
            mask = ["?" if unsure or (of_several and d == (1, 1)) or (is_cut and d != sizes) else _dimension(d, sizes)
                    for d in dims]  # fmt: skip
            return Array(a.dtype, tuple(mask))
        if a != b or not isinstance(a, Scalar):
            raise NotTyped(f"{getattr(fn, '__name__', fn)} returns {a} or {b}")
        return a

    for one, two in zip(small, large, strict=False):
        found = join(found, of_both(one, two))
    for one, other in zip(small, _call(fn, args, kw, sizes[0], (1, sizes[0]) if masked else (1,), 0.01), strict=False):
        if _shapes(one) != _shapes(other):
            raise NotTyped(f"{getattr(fn, '__name__', fn)}, whose result has a shape that the numbers decide")
    return found


def _shapes(value: Any) -> Any:
    return tuple(map(_shapes, value)) if isinstance(value, tuple | list) else np.shape(value)


def _dimension(found: tuple[int, int], sizes: tuple[int, int]) -> str:
    """A dimension, from those of the results for arguments of two sizes."""
    if found[0] == found[1]:
        return "1" if found[0] == 1 else "n"
    return "n" if found == sizes else "?"


def _leaves(args: tuple) -> list[Var]:
    found = []
    for arg in args:
        if type(arg) is Var:
            found.append(arg)
        elif type(arg) is Pack:
            found.extend(_leaves(arg.items))
    return found


@cache
def never_raises(fn: Callable) -> bool:
    """Is `fn` total on the types it accepts, arrays' shapes aside: may it be dropped with its value?"""
    return fn in _TOTAL or (isinstance(fn, np.ufunc) and fn.nin == 1 and fn.signature is None)


_TOTAL = {
    operator.add, operator.sub, operator.mul, operator.neg, operator.pos, operator.lt, operator.le, operator.gt,
    operator.ge, operator.eq, operator.ne, operator.not_, operator.is_, operator.is_not, abs, len, range, bool,
    min, max, np.sum, np.mean, np.transpose, np.zeros_like, np.ones_like, np.ravel, np.abs,
}  # fmt: skip
