"""One statement `out = fn(*args)` and the cotangent of `out` -> contributions to the cotangents of its arguments.

The derivative comes from the rule table, whose lambdas are inlined by the lowerer itself. Here stand only the
structural ones: the engine's own primitives, indexing (which adds into one buffer), and what keeps a cotangent small.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..rules.registry import Rule, is_constant, lookup
from . import runtime
from .core import Const, Let, Pack, Var
from .projections import is_none, is_unknown, project, spreads_evenly, whole, zero
from .results import getitem_type, is_elementwise
from .types import NONE, Array, NotTyped, Scalar, Seq, Several, cotangent_type, is_complex, type_of
from .values import ListOf, Outside, Ref, Tup

EXTREMES = {fn: lookup(fn) for fn in (np.max, np.min, np.amax, np.amin)}
"""The largest and smallest elements, with the rules that they come with; they may be given others."""


def pullbacks_of(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    """[(name, contribution)], for the arguments of `stmt` that are wanted."""
    own = next((pullback for takes, pullback in PARTS if takes(stmt)), OWN.get(stmt.fn))
    own = own or OF_KIND.get(type(stmt.fn))
    if own is not None:
        found = own(lowerer, stmt, d, wanted)
        return [(v, c) for v, c in found if type(v) is Var and v in wanted and c is not None]
    if is_elementwise(stmt.fn):
        return elementwise_pullbacks(lowerer, stmt, d, wanted)
    made = lookup(stmt.fn)
    if made is None:
        if is_constant(stmt.fn):
            return []
        raise NotTyped(f"no rule for {stmt.fn}")
    return rule_pullbacks(lowerer, stmt, made, complete(lowerer, stmt.out, d), wanted, project)


def complete(lowerer: Any, out: Var, d: Any) -> Any:
    """The cotangent of a result, whole; of several results a tuple of them, None where nothing depends on one."""
    if type(d) is not Pack:
        return whole(lowerer, out, d)
    results = lowerer.items_of(lowerer.taken_out(out))
    return Tup(
        tuple([d_i if is_none(d_i) else whole(lowerer, v, d_i) for v, d_i in zip(results, d.items, strict=True)])
    )


def result_of(lowerer: Any, stmt: Let) -> Any:
    """The result of a statement as its rule wants to see it."""
    return lowerer.taken_out(stmt.out) if isinstance(stmt.out.type, Several) else stmt.out


# ---- elementwise


def elementwise_pullbacks(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    """d * partial for each argument, summed over the axes along which the argument was broadcast."""
    if any(type(a) is Var and a in wanted for a in dict(stmt.kw).values()):
        raise NotTyped("an operand given by keyword")
    out = stmt.out
    arrays = [out, *[a for a in stmt.args if type(a) is Var]]
    if any(isinstance(v.type, Array) and "?" in v.type.mask for v in arrays):
        d = whole(lowerer, out, d)

    def fit(lowerer: Any, v: Var, t: Any) -> Any:
        if isinstance(out.type, Array) and t is not None and not (type(t) is Const and t.value is None):
            has = type_of(t)
            if (
                not spreads_evenly(v, out.type)
                and (not isinstance(has, Array) or has.mask != out.type.mask)
                and loses(v, has, out.type)
            ):
                t = lowerer.let(runtime.spread, (t, out))
        return project(lowerer, v, t)

    if stmt.fn in ARITHMETIC and not any(is_complex(type_of(a)) for a in (*stmt.args, out, d)):
        return [
            (v, fit(lowerer, v, t()))
            for v, t in zip(stmt.args, ARITHMETIC[stmt.fn](lowerer, stmt, d), strict=False)
            if type(v) is Var and v in wanted
        ]
    made = lookup(operator.pow if stmt.fn is runtime.power else stmt.fn)
    if made is None:
        if is_constant(stmt.fn):
            return []
        raise NotTyped(f"no rule for {stmt.fn}")
    if not made.partials:
        return rule_pullbacks(lowerer, stmt, made, d, wanted, fit)
    found = []
    for v, slope in zip(stmt.args, made.partials, strict=False):
        if type(v) is Var and v in wanted and slope is not None:
            found.append(
                (v, lowerer.either(partial(scaled, lowerer, stmt, d, slope, v, fit),
                                   partial(applied_slope, lowerer, stmt, d, slope, v)))
            )  # fmt: skip
    return found


def scaled(lowerer: Any, stmt: Let, d: Any, slope: Callable, v: Var, fit: Callable) -> Any:
    """d * conj(slope), as a cotangent of v."""
    p = inline(lowerer, slope, [stmt.out, *stmt.args], dict(stmt.kw))
    if is_complex(type_of(p)):
        p = lowerer.let(np.conj, (p,))
    return fit(lowerer, v, lowerer.let(operator.mul, (d, p)))


def applied_slope(lowerer: Any, stmt: Let, d: Any, slope: Callable, v: Var, error: NotTyped) -> Any:
    """The same where the partial derivative cannot be inlined: it is called."""
    if not all(type(a) in (Var, Const) for a in stmt.args):
        raise error
    d = whole(lowerer, stmt.out, d)
    return lowerer.let(runtime.applied_slope, (Const(slope), v, d, stmt.out, *stmt.args), stmt.kw)


def loses(v: Var, has: Any, out: Array) -> bool:
    """Would summing a cotangent of type `has` over the axes of `v` miss copies that the result `out` has?"""
    mask = has.mask if isinstance(has, Array) else ()
    mask = ("1",) * (len(out.mask) - len(mask)) + mask
    own = v.type.mask if isinstance(v.type, Array) else ()
    own = ("1",) * (len(out.mask) - len(own)) + own
    return any(
        o != "1" and (m == "1" or is_unknown(m, o)) and t != o for m, t, o in zip(own, mask, out.mask, strict=True)
    )


def _divide(lowerer: Any, stmt: Let, d: Any) -> list:
    x, y = stmt.args
    if (type(y) is Const and y.value != 0) or all(
        isinstance(type_of(a), Scalar) and type_of(a).kinds <= {"float", "int"} for a in (x, y)
    ):
        return [
            lambda: lowerer.let(operator.truediv, (d, y)),
            lambda: lowerer.let(
                operator.neg, (lowerer.let(operator.mul, (lowerer.let(operator.truediv, (d, y)), stmt.out)),)
            ),
        ]
    return [
        lambda: lowerer.let(operator.truediv, (d, y)),
        lambda: lowerer.let(
            operator.neg, (lowerer.let(operator.mul, (d, lowerer.let(operator.truediv, (stmt.out, y)))),)
        ),
    ]


def _multiply(lowerer: Any, stmt: Let, d: Any) -> list:
    x, y = stmt.args
    if x is y:  # twice the cotangent, which may be smaller than the product
        return [lambda: lowerer.let(operator.mul, (lowerer.let(operator.add, (d, d)), x))]
    return [lambda: lowerer.let(operator.mul, (d, y)), lambda: lowerer.let(operator.mul, (d, x))]


ARITHMETIC: dict[Callable, Callable] = {
    operator.add: lambda lowerer, stmt, d: [lambda: d, lambda: d],
    operator.sub: lambda lowerer, stmt, d: [lambda: d, lambda: lowerer.let(operator.neg, (d,))],
    operator.neg: lambda lowerer, stmt, d: [lambda: lowerer.let(operator.neg, (d,))],
    operator.pos: lambda lowerer, stmt, d: [lambda: d],
    operator.mul: _multiply,
    operator.truediv: _divide,
    float: lambda lowerer, stmt, d: [lambda: d],
}


# ---- rules from the table


def inline(lowerer: Any, function: Callable, args: list, kwargs: dict) -> Any:
    """The value of a rule's lambda on abstract values."""
    kwargs = {k: value_of(lowerer, a) for k, a in kwargs.items()}
    return lowerer.inline_function(
        function, lowerer.places.constant(function), [value_of(lowerer, a) for a in args], kwargs
    )


def value_of(lowerer: Any, arg: Any) -> Any:
    """An argument of a primitive as the value it was."""
    if type(arg) is Pack and arg.kind is tuple:
        return Tup(tuple([value_of(lowerer, item) for item in arg.items]))
    if type(arg) is Pack and arg.kind is list:
        return lowerer.new_object(ListOf(tuple([value_of(lowerer, item) for item in arg.items])))
    return arg


def rule_pullbacks(lowerer: Any, stmt: Let, made: Rule, d: Any, wanted: set, fit: Callable) -> list:
    found: list = []
    if made.procedure is not None:
        raise NotTyped(f"{stmt.fn} works on mutable state")
    if made.whole is not None:
        everything = Pack(tuple, stmt.args)
        results = lowerer.either(
            partial(inlined, lowerer, stmt, d, made.whole, everything),
            partial(applied, lowerer, stmt, d, made.whole, everything),
        )
        for arg, result in zip(stmt.args, lowerer.items_of(results), strict=True):
            contribute(lowerer, arg, result, wanted, fit, found)
        return found
    try:
        made.signature.bind(*stmt.args, **dict(stmt.kw))
    except TypeError as error:
        raise NotTyped(f"a call that the rule of {stmt.fn} does not cover: {error}") from None
    for name, arg in stmt.kw:
        keyword = made.signature.parameters.get(name)
        if keyword is None:
            raise NotTyped(f"{name}=, which the rule of {stmt.fn} does not cover")
        silent = keyword.kind is keyword.KEYWORD_ONLY and name not in made.pullbacks
        if silent and any(v in wanted for v in leaves(arg)):
            raise NotTyped(f"{name}= carries a derivative that the rule of {stmt.fn} does not give")
    given = {**dict(zip(made.parameters, stmt.args, strict=False)), **dict(stmt.kw)}
    for name, pullback in made.differentiable().items():
        if name in given and any(v in wanted for v in leaves(given[name])):
            result = lowerer.either(
                partial(inlined, lowerer, stmt, d, pullback, given[name]),
                partial(applied, lowerer, stmt, d, pullback, given[name]),
            )
            if lowerer.ties_are_checked and name in made.sided:
                check_ties(lowerer, stmt, made.sided[name], pullback, d)
            contribute(lowerer, given[name], result, wanted, fit, found)
    return found


def inlined(lowerer: Any, stmt: Let, d: Any, pullback: Callable, arg: Any) -> Any:
    """The value of a pullback; for a sequence of arrays, as many values."""
    result = inline(lowerer, pullback, [d, result_of(lowerer, stmt), *stmt.args], dict(stmt.kw))
    if type(arg) is Pack and type(result) in (Ref, Outside):
        lowerer.items_of(result)  # of known length, or NotTyped
    return result


def applied(lowerer: Any, stmt: Let, d: Any, pullback: Callable, arg: Any, error: NotTyped) -> Any:
    """A call of a pullback that cannot be inlined."""
    items = arg.items if type(arg) is Pack else (arg,)
    numbers = [isinstance(type_of(v), Scalar | Array) for v in items]
    if any(holds_slice(a) for a in stmt.args) or not all(
        n or type(v) is Const for n, v in zip(numbers, items, strict=True)
    ):
        raise error
    like = Pack(tuple, arg.items) if type(arg) is Pack else arg
    result = lowerer.let(runtime.applied, (Const(pullback), like, d, stmt.out, *stmt.args), stmt.kw)
    if type(arg) is not Pack:
        return result
    parts = [
        lowerer.emit(operator.getitem, (result, Const(i)), cotangent_type(type_of(v))) if is_number else Const(None)
        for i, (v, is_number) in enumerate(zip(items, numbers, strict=True))
    ]
    return Tup(tuple(parts))


def holds_slice(arg: Any) -> bool:
    return type(arg) is Pack and (arg.kind is slice or any(map(holds_slice, arg.items)))


def check_ties(lowerer: Any, stmt: Let, sided: Callable, shared: Callable, d: Any) -> None:
    """What is differentiated once more may meet no tie (convention 2)."""
    if stmt.fn in EXTREMES and len(stmt.args) == 1 and {name for name, _ in stmt.kw} <= {"axis", "keepdims"}:
        lowerer.emit(runtime.one_extreme, (stmt.args[0], stmt.out), NONE, stmt.kw, must=True)
    else:
        given = Pack(tuple, (stmt.out, *stmt.args))
        lowerer.emit(runtime.no_tie, (Const(sided), Const(shared), d, given), NONE, stmt.kw, must=True)


def leaves(arg: Any) -> list:
    return [v for item in arg.items for v in leaves(item)] if type(arg) is Pack else [arg] if type(arg) is Var else []


def contribute(lowerer: Any, arg: Any, result: Any, wanted: set, fit: Callable, found: list) -> None:
    """Record what a pullback returned for one argument, which may be a sequence of arrays."""
    if type(arg) is Var and arg in wanted:
        found.append((arg, fit(lowerer, arg, result)))
    elif type(arg) is Pack and type(result) in (Tup, Ref, Outside):
        for item, part in zip(arg.items, lowerer.items_of(result), strict=True):
            contribute(lowerer, item, part, wanted, fit, found)
    elif type(arg) is Pack and any(v in wanted for v in leaves(arg)):
        n = len(arg.items)
        if not isinstance(type_of(result), Array) or n == 0:
            raise NotTyped("the cotangent of a sequence")
        for i, item in enumerate(arg.items):
            contribute(lowerer, item, lowerer.let(operator.getitem, (result, Const(i))), wanted, fit, found)


# ---- the engine's own primitives


def _fresh_list(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    return [
        (v, lowerer.element(d, Const(i))) for i, v in enumerate(stmt.args[0].items) if type(v) is Var and v in wanted
    ]


def _append(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    seq, item = stmt.args
    last = lowerer.element(d, Const(-1)) if item in wanted else None
    return [(item, last), (seq, lowerer.let(runtime.pop_last, (d,)))]


def _pop_last(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    if not isinstance(stmt.out.type.item, Scalar):
        raise NotTyped("a list of arrays that shrinks")
    return [(stmt.args[0], lowerer.let(runtime.append, (d, Const(0.0))))]


def _put_item(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    seq, i, item = stmt.args
    if not isinstance(stmt.out.type.item, Scalar):
        raise NotTyped("a store into a list of arrays")
    taken = lowerer.element(d, i) if item in wanted else None
    return [(item, taken), (seq, lowerer.let(runtime.put_item, (d, i, Const(0.0))))]


def _put(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    buffer, index, v = stmt.args
    d = whole(lowerer, stmt.out, d)
    taken = _taken(lowerer, stmt, d) if type(v) is Var and v in wanted else None
    kept = lowerer.let(runtime.put, (d, index, Const(0.0))) if buffer in wanted else None
    return [(v, taken), (buffer, kept)]


def _addat(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    buffer, index, v = stmt.args
    whole_d = whole(lowerer, stmt.out, d)
    taken = None
    if type(v) is Var and v in wanted:
        is_list = isinstance(stmt.out.type, Seq)
        taken = project(lowerer, v, lowerer.element(whole_d, index)) if is_list else _taken(lowerer, stmt, whole_d)
    return [(buffer, d), (v, taken)]


def _taken(lowerer: Any, stmt: Let, d: Any) -> Any:
    """The cotangent of what the statement stores in an array, whose own is `d`."""
    buffer, index, v = stmt.args
    if type(index) is Const and index.value is Ellipsis:
        return project(lowerer, v, d)
    type_ = getitem_type(buffer, index, lowerer.length_of(buffer))
    return project(lowerer, v, lowerer.emit(runtime.read, (d, index), type_))


def _spread(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    v = stmt.args[0]
    return [(v, project(lowerer, v, whole(lowerer, stmt.out, d)))] if type(v) is Var and v in wanted else []


def _same(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    return [(stmt.args[0], d)]


def _projected(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    v = stmt.args[0]
    return [(v, project(lowerer, v, d))] if type(v) is Var and v in wanted else []


def _broadcast_up(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    return [(stmt.args[0], lowerer.let(runtime.spread, (d, stmt.args[0])))]


def _total(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    return [(stmt.args[0], d)]


def _sum_axes(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    x, axes, keep = stmt.args
    if keep.value or axes.value == tuple(range(len(axes.value))):
        return [(x, whole(lowerer, stmt.out, d))]
    raise NotTyped("a sum over inner axes")


def _nothing(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    return []


def _getitem(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    """A dense cotangent; the sweep itself adds into the buffer that is there already."""
    x = stmt.args[0]
    return [(x, lowerer.let(runtime.addat, (zero(lowerer, x), *placed(lowerer, stmt, d))))]


def _result(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    several, i = stmt.args
    parts: list = [Const(None)] * len(several.type.items)
    parts[i.value] = d
    return [(several, Pack(tuple, tuple(parts)))]


def takes_elements(stmt: Let) -> bool:
    """Is the result some elements of the first argument: x[i], or the largest of a vector?"""
    if stmt.fn in EXTREMES:
        of = type_of(stmt.args[0]) if len(stmt.args) == 1 and not stmt.kw else None
        return isinstance(of, Array) and len(of.mask) == 1 and lookup(stmt.fn) is EXTREMES[stmt.fn]
    return stmt.fn in (operator.getitem, runtime.read) and not takes_all(stmt) and not takes_result(stmt)


def takes_all(stmt: Let) -> bool:
    """Is the result all of the first argument, perhaps with new axes: x[:, None]?"""
    if stmt.fn not in (operator.getitem, runtime.read) or not isinstance(stmt.out.type, Array):
        return False
    return all(part == NEW or part == WHOLE for part in map(sort_of, parts_of_index(stmt.args[1])))


NEW, WHOLE, SOME = "a new axis", "a whole axis", "another part"


def parts_of_index(index: Any) -> tuple:
    return index.items if type(index) is Pack and index.kind is tuple else (index,)


def sort_of(part: Any) -> str:
    """What a part of an index takes."""
    if type(part) is Const:
        return NEW if part.value is None else WHOLE if part.value is Ellipsis else SOME
    is_slice = type(part) is Pack and part.kind is slice
    return WHOLE if is_slice and all(type(p) is Const and p.value is None for p in part.items) else SOME


def _with_new_axes(lowerer: Any, stmt: Let, d: Any, wanted: set) -> list:
    """The cotangent without the axes that are new: they have one element each."""
    x, index = stmt.args
    parts = parts_of_index(index)
    ndim = len(stmt.out.type.mask)
    after = [i for i, part in enumerate(parts) if type(part) is Const and part.value is Ellipsis]
    shift = ndim - len(parts) if after else 0  # of what stands behind an ellipsis
    new = tuple([i + shift * any(a < i for a in after) for i, part in enumerate(parts) if sort_of(part) == NEW])
    if not new or not isinstance(type_of(d), Array):
        return [(x, d)]
    if len(type_of(d).mask) < ndim:
        d = whole(lowerer, stmt.out, d)
    made = lowerer.makers.get(d)
    if made is not None and made.fn is runtime.sum_axes and made.args[2].value and set(made.args[1].value) == set(new):
        return [(x, lowerer.let(runtime.sum_axes, (*made.args[:2], Const(False))))]
    kept = Pack(slice, (Const(None),) * 3)
    taken = Pack(tuple, tuple([Const(0) if i in new else kept for i in range(ndim)]))
    return [(x, lowerer.let(operator.getitem, (d, taken)))]


def takes_result(stmt: Let) -> bool:
    """Is the result one of the several that a function returned?"""
    return stmt.fn is operator.getitem and isinstance(type_of(stmt.args[0]), Several)


def placed(lowerer: Any, stmt: Let, d: Any) -> tuple[Any, Any]:
    """(where the elements stand that the statement takes, the cotangent of each); extremes that tie share."""
    if stmt.fn not in EXTREMES:
        return stmt.args[1], whole(lowerer, stmt.out, d)
    if lowerer.ties_are_checked:
        lowerer.emit(runtime.one_extreme, (stmt.args[0], stmt.out), NONE, must=True)
    places = lowerer.let(runtime.places_of, (stmt.args[0], stmt.out))
    return places, lowerer.let(operator.truediv, (d, lowerer.let(runtime.dim, (places, Const(0)))))


PARTS = ((takes_elements, _getitem), (takes_all, _with_new_axes), (takes_result, _result))
OF_KIND: dict[type, Callable] = {}
"""By the class of the function that is called."""
OWN: dict[Any, Callable] = {
    runtime.bound: _same, runtime.same: _same, runtime.fresh_list: _fresh_list, runtime.append: _append,
    runtime.pop_last: _pop_last,
    runtime.joined: lambda lowerer, stmt, d, wanted: [(stmt.args[0],
    lowerer.let(runtime.rows, (whole(lowerer, stmt.out, d),)))],
    runtime.rows: lambda lowerer, stmt, d, wanted: [(stmt.args[0], lowerer.let(runtime.joined, (d,)))],
    runtime.put_item: _put_item, runtime.put: _put, runtime.addat: _addat,
    runtime.spread: _spread,
    runtime.owned: _same, runtime.cast: _projected, runtime.as_complex: _projected,
    runtime.real_part: _same, runtime.as_float: _same,
    runtime.reduce_to: _broadcast_up, runtime.total: _total, runtime.sum_axes: _sum_axes,
    runtime.sign_of_det: _nothing, runtime.zero_of: _nothing, runtime.zero_list: _nothing,
    runtime.backwards: lambda lowerer, stmt, d, wanted: [(stmt.args[0], lowerer.let(runtime.backwards, (d,)))],
    runtime.add_lists: lambda lowerer, stmt, d, wanted: [(stmt.args[0], d), (stmt.args[1], d)],
    runtime.sum_list: lambda lowerer, stmt, d, wanted: [(stmt.args[0],
    lowerer.let(runtime.same_for_all, (d, stmt.args[0])))],
    runtime.same_for_all: lambda lowerer, stmt, d, wanted: [(stmt.args[0], lowerer.let(runtime.sum_list, (d,)))],
    runtime.repeated: lambda lowerer, stmt, d, wanted: [(stmt.args[0], lowerer.let(runtime.sum_list, (d,)))],
}  # fmt: skip
