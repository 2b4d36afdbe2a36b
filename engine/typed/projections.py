"""Cotangents made to fit: zeros, sums, and the projection of what a pullback returned onto its primal."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from . import runtime
from .core import UNDEFINED, Const, Pack, Var
from .types import Array, NotTyped, Scalar, Seq, is_complex, type_of


def zero(lowerer: Any, v: Any) -> Any:
    """The zero cotangent of `v`, whole."""
    of = v.type
    if isinstance(of, Scalar):
        return Const(0.0)
    if isinstance(of, Array):
        return lowerer.let(runtime.zero_of, (v,))
    return lowerer.let(runtime.zero_list, (v,))


def whole(lowerer: Any, v: Any, d: Any) -> Any:
    """`d`, perhaps smaller than its primal `v`, as an array of its shape and dtype; scalars and lists as they are."""
    of, has = v.type, type_of(d)
    if not isinstance(of, Array) or has == of:
        return d
    if isinstance(has, Array) and has.mask == of.mask:
        return lowerer.let(runtime.cast, (d, Const(of.dtype)))  # a real one of a complex array may be written to
    return lowerer.let(runtime.spread, (d, v))


def accumulate(lowerer: Any, v: Any, a: Any, b: Any) -> Any:
    """a + b, cotangents of `v`; of several results as many, None where there is none yet."""
    if type(a) is Pack:
        return Pack(tuple, tuple([accumulate(lowerer, v, x, y) for x, y in zip(a.items, b.items, strict=True)]))
    if is_none(a) or is_none(b):
        return b if is_none(a) else a
    if isinstance(type_of(a), Seq):
        return lowerer.let(runtime.add_lists, (a, b))
    return lowerer.let(operator.add, (a, b))


def is_none(d: Any) -> bool:
    return type(d) is Const and d.value is None


def project(lowerer: Any, v: Any, d: Any) -> Any:
    """What a pullback returned for `v`, as a cotangent of it (or a smaller one): unbroadcast, real, of its dtype."""
    if d is None or (type(d) is Const and d.value is None):
        return None
    if d is UNDEFINED:
        raise NotTyped("an undefined cotangent")
    of, has = v.type, type_of(d)
    if isinstance(of, Seq):
        if isinstance(has, Seq):
            return d
        raise NotTyped("a cotangent of a list that is none")
    if not isinstance(has, Array | Scalar):
        raise NotTyped("a structured cotangent")
    if isinstance(of, Scalar):
        if isinstance(has, Array):
            d = lowerer.let(runtime.total, (d,))
    elif isinstance(has, Array):
        d = unbroadcast(lowerer, v, d)
    if is_complex(type_of(d)) and not is_complex(of):
        d = lowerer.let(runtime.real_part, (d,))
    return with_dtype(lowerer, of, d)


def with_dtype(lowerer: Any, of: Any, d: Any) -> Any:
    has = type_of(d)
    if isinstance(of, Array) and isinstance(has, Array) and has.dtype != of.dtype:
        return lowerer.let(runtime.cast, (d, Const(of.dtype)))
    if isinstance(of, Scalar) and isinstance(has, Scalar):
        kinds = of.kinds & INEXACT_NUMPY
        if len(of.kinds) == len(kinds) == 1 and not kinds & {"float64", "complex128"} and has.kinds != kinds:
            (kind,) = kinds
            return lowerer.let(runtime.cast, (d, Const(np.dtype(kind))))
    return d


INEXACT_NUMPY = {"float64", "float32", "float16", "longdouble", "complex128", "complex64", "clongdouble"}


def unbroadcast(lowerer: Any, v: Var, d: Any) -> Any:
    """Sum `d` over the axes along which `v` was broadcast; nothing where the masks say there is none."""
    of, has = v.type.mask, type_of(d).mask
    extra = len(has) - len(of)
    if extra < 0:  # smaller than its primal: what is left of it will be spread
        pairs = list(zip(of[-extra:], has, strict=True))
        if any(is_unknown(m, n) for m, n in pairs):
            raise NotTyped("a cotangent of fewer dimensions for an array whose broadcasting is not known")
        short = tuple([i for i, (m, n) in enumerate(pairs) if m == "1" and n != "1"])
        return lowerer.let(runtime.sum_axes, (d, Const(short), Const(True))) if short else d
    axes = list(range(extra))
    unsure = False
    for i, (m, n) in enumerate(zip(of, has[extra:], strict=True)):
        if m == "1" and n != "1":
            axes.append(i + extra)
        elif is_unknown(m, n):
            unsure = True
    if unsure:
        return lowerer.let(runtime.reduce_to, (d, v))
    if not axes:
        return d
    if axes == list(range(extra)):
        return lowerer.let(runtime.sum_axes, (d, Const(tuple(axes)), Const(False)))
    d = lowerer.let(runtime.sum_axes, (d, Const(tuple(axes)), Const(True)))
    if extra:
        d = lowerer.let(runtime.sum_axes, (d, Const(tuple(range(extra))), Const(False)))
    return d


def is_unknown(m: str, n: str) -> bool:
    """May a dimension `m` have been broadcast to `n`, without its being known?"""
    return m.startswith("?") and n != "1" and (n != m or m == "?")


def spreads_evenly(v: Any, out: Any) -> bool:
    """Has `v` the shape of the result it was broadcast into, as far as the masks say?"""
    return isinstance(v.type, Array) and isinstance(out, Array) and v.type.mask == out.mask and "?" not in out.mask
