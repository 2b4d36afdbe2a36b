"""How a primitive is written where its name is not the fastest way to say it.

NumPy's functions that are Python, and hand on to a method or to a ufunc, cost more than small arrays do: `np.max(x, 0)`
is printed as `maximum.reduce(x, 0)`, `np.expand_dims(x, 1)` as `x[:, None]`. A form is only for what is an array for
certain. Those of the engine's own primitives look into the emitter: what it may write to needs no copy.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from . import runtime
from .core import Const, Let
from .results import axes_of, constant_of
from .types import Array, NotTyped, Scalar, type_of

# ---- trees


def name(text: str) -> ast.Name:
    return ast.Name(text, ast.Load())


def store(text: str) -> ast.Name:
    return ast.Name(text, ast.Store())


def call(fn: ast.expr, *args: ast.expr, **kw: ast.expr) -> ast.Call:
    return ast.Call(fn, list(args), [ast.keyword(k, v) for k, v in kw.items()])


def attribute(of: ast.expr, text: str) -> ast.Attribute:
    return ast.Attribute(of, text, ast.Load())


def subscript(of: ast.expr, index: ast.expr) -> ast.Subscript:
    return ast.Subscript(of, index, ast.Load())


# ---- NumPy's functions; each returns None for a call that is better printed as it is


def is_array(arg: Any, kinds: str = "biufc") -> bool:
    of = type_of(arg)
    return isinstance(of, Array) and of.dtype.kind in kinds


def given(stmt: Let, *names: str) -> dict[str, Any] | None:
    """The arguments by their names; None where there are others."""
    found = {**dict(zip(names, stmt.args, strict=False)), **dict(stmt.kw)}
    return found if len(stmt.args) <= len(names) and found.keys() <= set(names) else None


def known(arg: Any) -> Any:
    """The value of a constant argument, or NotImplemented."""
    try:
        return constant_of(arg)
    except NotTyped:
        return NotImplemented


def method(text: str) -> Callable:
    """np.f(x, ...) is x.f(...)."""

    def form(e: Any, stmt: Let) -> ast.expr | None:
        if not is_array(stmt.args[0]):
            return None
        of, *rest = [e.arg(a) for a in stmt.args]
        return call(attribute(of, text), *rest, **{k: e.arg(a) for k, a in stmt.kw})

    return form


def part(text: str) -> Callable:
    """np.f(x) is x.f."""

    def form(e: Any, stmt: Let) -> ast.expr | None:
        return attribute(e.arg(stmt.args[0]), text) if is_array(stmt.args[0]) else None

    return form


def reduction(ufunc: np.ufunc, kinds: str = "iufc") -> Callable:
    """np.sum(x, axis) is np.add.reduce(x, axis)."""

    def form(e: Any, stmt: Let) -> ast.expr | None:
        found = given(stmt, "a", "axis", "keepdims") if len(stmt.args) <= 2 else None
        if found is None or not is_array(found["a"], kinds):
            return None
        x, axis = e.arg(found["a"]), e.arg(found.get("axis", Const(None)))
        kw = {"keepdims": e.arg(found["keepdims"])} if "keepdims" in found else {}
        return call(e.names.constant(ufunc.reduce), x, axis, **kw)

    return form


def _mean(e: Any, stmt: Let) -> ast.expr | None:
    found = given(stmt, "a", "axis")
    if found is None or not is_array(found["a"], "f") or found["a"].type.dtype != np.float64 or found["a"] in e.trees:
        return None
    axis = known(found.get("axis", Const(None)))
    if axis is not None and type(axis) is not int:
        return None
    x = e.arg(found["a"])
    total = call(e.names.constant(np.add.reduce), x, e.constant(axis))
    length = (
        attribute(name(x.id), "size") if axis is None else subscript(attribute(name(x.id), "shape"), e.constant(axis))
    )
    return ast.BinOp(total, ast.Div(), length)


def _transpose(e: Any, stmt: Let) -> ast.expr | None:
    found = given(stmt, "a", "axes")
    if found is None or not is_array(found["a"]):
        return None
    axes = known(found.get("axes", Const(None)))
    if axes is None:
        return attribute(e.arg(found["a"]), "T")
    if axes is NotImplemented:
        return None
    return call(attribute(e.arg(found["a"]), "transpose"), e.constant(axes))


def _moveaxis(e: Any, stmt: Let) -> ast.expr | None:
    x, source, destination = stmt.args
    ndim = len(type_of(x).mask) if is_array(x) else 0
    source, destination = known(source), known(destination)
    if stmt.kw or type(source) is not int or type(destination) is not int or not ndim:
        return None
    order = [i for i in range(ndim) if i != source % ndim]
    order.insert(destination % ndim, source % ndim)
    return call(attribute(e.arg(x), "transpose"), e.constant(tuple(order)))


def _expand_dims(e: Any, stmt: Let) -> ast.expr | None:
    found = given(stmt, "a", "axis")
    axis = known(found.get("axis")) if found is not None else NotImplemented
    if found is None or axis is NotImplemented:
        return None
    count = len(axis) if isinstance(axis, tuple) else 1
    if isinstance(type_of(found["a"]), Scalar):
        return call(e.names.constant(np.array), e.arg(found["a"]), ndmin=ast.Constant(count))
    if not is_array(found["a"]):
        return None
    axes = axes_of(axis, len(type_of(found["a"]).mask) + count) or ()
    parts: list[ast.expr] = [
        ast.Constant(None) if i in axes else ast.Slice(None, None, None) for i in range(max(axes, default=-1) + 1)
    ]
    if len(parts) < 2:
        return subscript(e.arg(found["a"]), parts[0]) if parts else None
    return subscript(e.arg(found["a"]), ast.Tuple(parts, ast.Load()))


def _reshape(e: Any, stmt: Let) -> ast.expr | None:
    if not is_array(stmt.args[0]) or len(stmt.args) != 2 or any(k != "order" for k, _ in stmt.kw):
        return None
    x, shape = (e.arg(a) for a in stmt.args)
    return call(attribute(x, "reshape"), shape, **{k: e.arg(a) for k, a in stmt.kw if known(a) != "C"})


def _copy(e: Any, stmt: Let) -> ast.expr | None:
    found = given(stmt, "a", "order")
    if found is None or not is_array(found["a"]):
        return None
    order = known(found.get("order", Const("K")))
    return call(attribute(e.arg(found["a"]), "copy"), *([] if order == "C" else [e.constant(order)]))


def _diag(e: Any, stmt: Let) -> ast.expr | None:
    if not is_array(stmt.args[0]) or len(type_of(stmt.args[0]).mask) != 2 or stmt.kw:
        return None
    return method("diagonal")(e, stmt)


def _outer(e: Any, stmt: Let) -> ast.expr | None:
    if stmt.kw or not all(is_array(a) and len(type_of(a).mask) == 1 for a in stmt.args):
        return None
    column = subscript(e.arg(stmt.args[0]), ast.Tuple([ast.Slice(None, None, None), ast.Constant(None)], ast.Load()))
    return ast.BinOp(column, ast.Mult(), e.arg(stmt.args[1]))


def _filled(fn: Callable) -> Callable:
    """np.zeros_like(x) is np.zeros(x.shape, x.dtype)."""

    def form(e: Any, stmt: Let) -> ast.expr | None:
        (x, *rest) = stmt.args
        if rest or stmt.kw or not is_array(x) or x in e.trees or type(x) is Const:
            return None
        tree = e.arg(x)
        return call(e.names.constant(fn), attribute(tree, "shape"), attribute(name(tree.id), "dtype"))

    return form


def _divide(e: Any, stmt: Let) -> ast.expr | None:
    """Of NumPy's numbers and arrays the operator divides as the function does."""
    numpys = [isinstance(t, Array) or isinstance(t, Scalar) and t.kinds == {"float64"} for t in map(type_of, stmt.args)]
    if stmt.kw or len(stmt.args) != 2 or not any(numpys):
        return None
    left = e.arg(stmt.args[0])
    return ast.BinOp(left, ast.Div(), e.arg(stmt.args[1]))


# ---- the engine's own primitives


def _dim(e: Any, stmt: Let) -> ast.expr:
    return subscript(attribute(e.arg(stmt.args[0]), "shape"), e.arg(stmt.args[1]))


def _sum_axes(e: Any, stmt: Let) -> ast.expr:
    x, axes, keep = stmt.args
    axis = axes.value[0] if len(axes.value) == 1 else axes.value
    kw = {"keepdims": ast.Constant(True)} if keep.value else {}
    return call(e.names.constant(np.add.reduce), e.arg(x), e.constant(axis), **kw)


def _total(e: Any, stmt: Let) -> ast.expr:
    return call(e.names.constant(np.add.reduce), e.arg(stmt.args[0]), ast.Constant(None))


def _cast(e: Any, stmt: Let) -> ast.expr | None:
    if isinstance(stmt.out.type, Array):
        return call(attribute(e.arg(stmt.args[0]), "astype"), e.arg(stmt.args[1]))
    return None


def _real(e: Any, stmt: Let) -> ast.expr:
    return attribute(e.arg(stmt.args[0]), "real")


def _read(e: Any, stmt: Let) -> ast.expr:
    found = subscript(e.arg(stmt.args[0]), e.index(stmt.args[1]))
    fresh = not isinstance(stmt.out.type, Array) or stmt in e.ownership.views
    return found if fresh else call(attribute(found, "copy"))


def _owned(e: Any, stmt: Let) -> ast.expr:
    if e.ownership.is_owned(stmt.args[0]):
        return e.arg(stmt.args[0])
    return call(attribute(e.arg(stmt.args[0]), "copy"))


def _spread(e: Any, stmt: Let) -> ast.expr | None:
    d, like = stmt.args
    if not is_array(d) or len(type_of(d).mask) != len(type_of(like).mask) or not e.ownership.is_owned(d):
        return None
    tree = e.arg(d)
    return call(e.names.constant(runtime.spread_if_smaller), tree, e.arg(like))


def _as_float(e: Any, stmt: Let) -> ast.expr:
    return call(e.names.constant(float), e.arg(stmt.args[0]))


def _fresh_list(e: Any, stmt: Let) -> ast.expr:
    return e.arg(stmt.args[0])


def _backwards(e: Any, stmt: Let) -> ast.expr:
    return subscript(e.arg(stmt.args[0]), ast.Slice(None, None, ast.UnaryOp(ast.USub(), ast.Constant(1))))


def _sum_list(e: Any, stmt: Let) -> ast.expr:
    return call(e.names.constant(sum), e.arg(stmt.args[0]))


FORMS: dict[Callable, Callable] = {
    np.sum: reduction(np.add, "fc"), np.max: reduction(np.maximum), np.amax: reduction(np.maximum),
    np.min: reduction(np.minimum), np.amin: reduction(np.minimum), np.prod: reduction(np.multiply, "fc"),
    np.mean: _mean, np.transpose: _transpose, np.moveaxis: _moveaxis, np.expand_dims: _expand_dims,
    np.reshape: _reshape, np.copy: _copy, np.diag: _diag, np.outer: _outer, np.divide: _divide,
    np.zeros_like: _filled(np.zeros), np.ones_like: _filled(np.ones),
    np.swapaxes: method("swapaxes"), np.diagonal: method("diagonal"), np.trace: method("trace"),
    np.ravel: method("ravel"), np.squeeze: method("squeeze"), np.cumsum: method("cumsum"),
    np.argmax: method("argmax"), np.argmin: method("argmin"), np.repeat: method("repeat"),
    np.real: part("real"), np.imag: part("imag"),
    runtime.dim: _dim, runtime.sum_axes: _sum_axes, runtime.total: _total, runtime.read: _read,
    runtime.cast: _cast, runtime.real_part: _real, runtime.owned: _owned, runtime.fresh_list: _fresh_list,
    runtime.backwards: _backwards, runtime.sum_list: _sum_list, runtime.as_float: _as_float,
    runtime.spread: _spread,
}  # fmt: skip
