"""A function's value and its pullback, as two compiled functions: what the second one needs, the first one hands over.

The program is the joint one, with the cotangents of the result as parameters, optimised as a whole and then cut: what
comes before the cut runs once, what comes behind it at each call of the pullback.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import instances, runtime
from .adjoint import differentiate
from .compiled import compile_function
from .core import Block, Const, Let, Pack, Program, Var, free_in
from .doubts import Doubt, reset_errors, set_errors
from .emit import Emitter, Names, name, store
from .stores import OUTSIDE, Classes, settle
from .types import NONE, Array, Kept, NotTyped, Plain, Scalar, Seq, Several, cotangent_type, is_active_type, type_of
from .values import Tup


def pullback(
    f: Any, args: tuple, kwargs: dict, otherwise: Callable, wrt: tuple | None = None, doubting: bool = False
) -> tuple[Any, Callable]:
    """(f(*args, **kwargs), its pullback, to the arguments at the positions `wrt` or to all of them).

    otherwise: makes the pullback of the other tier, for a cotangent that is not of the kind of the result, and for an
        answer that is in doubt.
    doubting: a NaN is in doubt although f leaves nothing out, since the cotangents that are to come do.
    """
    back, value, saved, doubt, arrays = instances.run(
        ("pullback", wrt, doubting), f, f, args, kwargs, lambda: compiled(f, args, kwargs, wrt, doubting)
    )
    return value, Pullback(back, saved, value, doubt, arrays, otherwise)


class Pullback:
    """What the user calls with a cotangent of the result, any number of times.

    doubt: what sends an answer to the other tier.
    arrays: those that f read, and what was in them then: the other tier runs f once more, and has to find that.
    """

    _is_engine_callable = True

    def __init__(
        self, back: Callable, saved: tuple, value: Any, doubt: Doubt, arrays: tuple, otherwise: Callable
    ) -> None:
        self.back, self.saved, self.doubt = back, saved, doubt
        self.kind = kind_of(value)
        self.arrays, self.otherwise = arrays, otherwise
        self.other: Callable | None = None

    def __call__(self, d: Any) -> tuple:
        fitting = fitted(d, self.kind) if self.other is None else None
        if fitting is not None:
            errors = set_errors(all="ignore")
            try:
                found = self.back(self.saved, fitting)
                if self.doubt.suspects(found):
                    self.doubt.judge(found)
                return found
            except (NotTyped, *instances.LEFT):
                pass
            finally:
                reset_errors(errors)
        if self.other is None:
            with contents(*self.arrays):
                self.other = self.otherwise()
        return self.other(d)


@contextmanager
def contents(arrays: tuple, then: tuple) -> Iterator[None]:
    """The user's arrays with what was in them then, for a while."""
    changed = [(a, a.copy(), b) for a, b in zip(arrays, then, strict=True) if not np.array_equal(a, b, equal_nan=True)]
    for array, _, before in changed:
        array[...] = before
    try:
        yield
    finally:
        for array, now, _ in changed:
            array[...] = now


def kind_of(value: Any) -> Any:
    """What a cotangent has in common with the result that it belongs to."""
    if type(value) is tuple:
        return tuple([kind_of(item) for item in value])
    if type(value) is np.ndarray:
        return value.dtype, value.shape
    return np.dtype(type(value)), None


def fitted(d: Any, kind: tuple) -> Any:
    """`d` as a cotangent of a result of that kind, or None."""
    if len(kind) != 2 or not isinstance(kind[0], np.dtype):
        if type(d) not in (tuple, list) or len(d) != len(kind):
            return None
        parts = tuple([fitted(item, k) for item, k in zip(d, kind, strict=True)])
        return None if any(part is None for part in parts) else parts
    dtype, shape = kind
    if shape is None:
        return d if type(d) in (float, np.float64) and dtype == np.float64 else None
    if type(d) is not np.ndarray or d.shape != shape or d.dtype.kind not in ("fiuc" if dtype.kind == "c" else "fiu"):
        return None
    return d if d.dtype == dtype else d.astype(dtype)


def compiled(f: Any, args: tuple, kwargs: dict, wrt: tuple | None, doubting: bool) -> Callable:
    """The function that runs f and returns what `Pullback` is made of."""
    lowerer, value, given, start = instances.lower_call(f, args, kwargs)
    given = instances.chosen(given, wrt)
    settle(lowerer, lowerer.block, [value])
    seeds: dict = {}
    d = seeds_of(value, seeds)
    targets: list = []
    for v in given:
        instances.collect_leaves(v, targets)
    lowerer.in_rule += 1
    handed = instances.given(lowerer, value)
    lowerer.emit(runtime.cut, (), NONE, must=True)
    cotangents = differentiate(lowerer, start, dict(seeds), targets)
    grads = Pack(tuple, tuple([instances.gradient_of(lowerer, v, cotangents) for v in given]))
    lowerer.in_rule -= 1
    trace = instances.finish(lowerer, Pack(tuple, (handed, grads)), f, list(seeds.values()))
    handed, grads = trace.program.results.items
    return printed(f, trace, handed, d, grads, doubting)


def seeds_of(value: Any, seeds: dict) -> Any:
    """A name for the cotangent of each number and array of the result, noted in `seeds`; their structure."""
    if type(value) is Tup and value.cls is tuple:
        return Pack(tuple, tuple([seeds_of(item, seeds) for item in value.items]))
    of = type_of(value) if type(value) in (Var, Const) else None
    if not isinstance(of, Scalar | Array) or not is_active_type(of):
        raise NotTyped("the pullback of a result that is neither number nor array")
    seed = Var(cotangent_type(of), "d")
    if type(value) is Var:
        if value in seeds:
            raise NotTyped("a result that holds one value twice")
        seeds[value] = seed
    return seed


def printed(f: Any, trace: Any, handed: Any, d: Any, grads: Any, doubting: bool) -> Callable:
    stmts = trace.program.body.stmts
    at = next(i for i, stmt in enumerate(stmts) if type(stmt) is Let and stmt.fn is runtime.cut)
    before, behind = Block(stmts[:at]), Block(stmts[at + 1 :])
    cotangents = set(leaves(d))
    saved = [v for v in free_in(behind, [grads]) if v not in cotangents]
    back = print_back(f, trace, Program([*saved, *cotangents], behind, grads), Pack(tuple, tuple(saved)), d)
    outside = [p.var for p in trace.places.read if p.var is not None and isinstance(p.var.type, Array)]
    copies = {v: owned(v, before, trace) for v in dict.fromkeys([*saved, *outside])}
    kept = Pack(tuple, tuple([copies[v] for v in saved]))
    arrays = Pack(tuple, (Pack(tuple, tuple(outside)), Pack(tuple, tuple([copies[v] for v in outside]))))
    trace.program.body = before
    doubt = Doubt(grads, trace.selects or doubting, trace.may_read_nothing and not doubting)
    trace.program.results = Pack(tuple, (Const(back), handed, kept, Const(doubt), arrays))
    return instances.compile_trace(f, trace)


def print_back(f: Any, trace: Any, program: Program, saved: Pack, d: Any) -> Callable:
    """The pullback: a function of what was saved and of the cotangent."""
    names = Names()
    names.taken |= {"saved", "d"}
    emitter = Emitter(program, names)
    body = emitter.body()
    loads = [ast.Assign([targets(arg, emitter)], name(text)) for arg, text in ((saved, "saved"), (d, "d"))]
    body = [*[emitter.at(load) for load in loads], *body, emitter.at(ast.Return(emitter.arg(program.results)))]
    arguments = ast.arguments([], [ast.arg("saved"), ast.arg("d")], None, [], [], None, [])
    title = names.fresh(f"pullback_of_{trace.title}".replace("<lambda>", "lambda"))
    definition = ast.FunctionDef(title, arguments, body, [])
    module_globals = getattr(f, "__globals__", {})
    return compile_function(definition, names, trace.filename, trace.title, module_globals)


def targets(arg: Any, emitter: Emitter) -> ast.expr:
    if type(arg) is Pack:
        return ast.Tuple([targets(item, emitter) for item in arg.items], ast.Store())
    return store(emitter.name_of(arg))


def leaves(arg: Any) -> list:
    return [v for item in arg.items for v in leaves(item)] if type(arg) is Pack else [arg]


def owned(v: Var, before: Block, trace: Any) -> Var:
    """`v`, copied where the user may write to its memory before the pullback is called."""
    if not isinstance(v.type, Array | Seq) and not holds_tuples(v.type):
        return v
    if not holds_tuples(v.type):
        classes = Classes({p.var for p in trace.places.read if p.var is not None})
        classes.block(before)
        if classes.find(v) is not classes.find(OUTSIDE):
            return v
    copy = Let(Var(v.type, v.hint), runtime.kept, (v,))
    before.stmts.append(copy)
    return copy.out


def holds_tuples(type_: Any) -> bool:
    """May there be arrays in it that no name says anything of: what a function has returned, or saved?"""
    if isinstance(type_, Seq):
        return holds_tuples(type_.item)
    return isinstance(type_, Several | Kept) or type_ == Plain(tuple)
