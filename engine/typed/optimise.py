"""Core -> smaller core: what is invariant leaves its loop, what is the same is computed once, what nobody needs is
dropped.

Each pass has a switch of its name in `engine.switches`, and asks there before it changes a statement. The user's
operations that may raise stay, needed or not (`Let.must`): a gradient must not hide an IndexError of the primal. An
elementwise operation of arrays that is not needed leaves the check that its operands' shapes fit. A `while` whose
results nobody needs is dropped with all it contains only if nothing in it may raise.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import switches
from ..rules.scalars import standing_largest, standing_smallest
from . import runtime
from .algebra import move_signs
from .core import (
    Block,
    Const,
    If,
    Let,
    Loop,
    Pack,
    Program,
    Var,
    blocks_of,
    bound_in,
    operands,
    renamed,
    substitute,
    vars_of,
    walk,
)  # fmt: skip
from .results import LIKE, is_elementwise
from .types import Array, Plain, type_of

IMPURE = {
    runtime.throw, runtime.give_up, runtime.same, runtime.zero_of, runtime.owned, runtime.fresh_list, runtime.repeated,
    runtime.zero_list, runtime.bound, runtime.append, runtime.pop_last, runtime.put_item, runtime.addat,
    runtime.spread, runtime.check_shapes, runtime.put, np.zeros, np.empty, np.ones, np.full, np.copy,
}  # fmt: skip


def optimise(program: Program, check: Callable[[Program, str], None] = lambda program, name: None) -> None:
    """Run the passes that are on; `check` is called after each with its name."""
    for name, run in PASSES.items():
        if switches.is_on(name):
            run(program)
            check(program, name)


# ---- carried values that never change


FIRST_ARGUMENT = (runtime.same, standing_largest, standing_smallest)  # what these return, as it is


def drop_invariants(program: Program) -> None:
    """A carried value whose next one is itself is its first one, in the loop and behind it; so is a new name."""
    replaced: dict = {}
    _drop_invariants(program.body, replaced)
    for v in list(replaced):
        final = replaced[v]
        while type(final) is Var and final in replaced:
            final = replaced[final]
        replaced[v] = final
    substitute(program.body, replaced)
    program.results = renamed(program.results, replaced)


def _drop_invariants(block: Block, replaced: dict) -> None:
    for stmt in block.stmts:
        for inner, _ in blocks_of(stmt):
            _drop_invariants(inner, replaced)
        if type(stmt) is Let and stmt.fn in FIRST_ARGUMENT and switches.allows("drop_invariants", stmt):
            replaced[stmt.out] = stmt.args[0]
        if type(stmt) is Loop:
            for c in [c for c in stmt.carried if c.next is c.param and c is not stmt.go]:
                replaced[c.param] = replaced[c.out] = c.init
                stmt.carried.remove(c)


# ---- arithmetic


def fold_constants(program: Program) -> None:
    """Multiplications by one, where the type stays; operations of constants."""
    replaced: dict = {}
    _fold(program.body, replaced)
    program.results = renamed(program.results, replaced)


def _fold(block: Block, replaced: dict) -> None:
    kept = []
    for stmt in block.stmts:
        _rename(stmt, replaced)
        simpler = _simpler(stmt) if type(stmt) is Let else None
        if simpler is not None and switches.allows("fold_constants", stmt):
            replaced[stmt.out] = simpler
        else:
            kept.append(stmt)
        for inner, _ in blocks_of(stmt):
            _fold(inner, replaced)
        _rename_handed(stmt, replaced)
    block.stmts[:] = kept


def _simpler(stmt: Let) -> Any:
    if stmt.fn in (operator.mul, operator.add, operator.neg) and all(
        type(a) is Const and type(a.value) in (int, float) for a in stmt.args
    ):
        return Const(stmt.fn(*[a.value for a in stmt.args]))
    if stmt.fn is operator.mul:
        for one, other in (stmt.args, stmt.args[::-1]):
            if (
                type(one) is Const
                and type(one.value) in (int, float)
                and one.value == 1
                and type_of(other) == stmt.out.type
            ):
                return other
    return None


# ---- common subexpressions


def share_subexpressions(program: Program) -> None:
    """Two calls of one pure function with the same arguments, one visible from the other, are one."""
    replaced: dict = {}
    _share(program.body, {}, replaced)
    program.results = renamed(program.results, replaced)


def _share(block: Block, known: dict, replaced: dict) -> None:
    known = dict(known)
    kept = []
    for stmt in block.stmts:
        _rename(stmt, replaced)
        if type(stmt) is Let and stmt.fn not in IMPURE:
            try:
                key = (stmt.fn, tuple([_key(a) for a in stmt.args]), tuple([(k, _key(a)) for k, a in stmt.kw]))
                earlier = known.get(key)
            except TypeError:
                kept.append(stmt)
                continue
            if earlier is not None and switches.allows("share_subexpressions", stmt):
                replaced[stmt.out] = earlier.out
                earlier.must = earlier.must or stmt.must
                earlier.origins += stmt.origins
                continue
            known[key] = stmt
        kept.append(stmt)
        if type(stmt) is Loop:
            stmt.xs = _distinct(stmt.xs, lambda x: (id(x.seq), x.backwards), lambda x: x.elem, replaced)
        for inner, _ in blocks_of(stmt):
            _share(inner, known, replaced)
        _rename_handed(stmt, replaced)
        if type(stmt) is Loop:
            stmt.ys = _distinct(stmt.ys, lambda y: id(y.value), lambda y: y.out, replaced)
    block.stmts[:] = kept


def _distinct(items: list, key: Callable, name: Callable, replaced: dict) -> list:
    """What a Loop consumes or saves, each once."""
    found: dict = {}
    for item in items:
        first = found.setdefault(key(item), item)
        if first is not item:
            replaced[name(item)] = name(first)
    return list(found.values())


def _key(arg: Any) -> Any:
    if type(arg) is Pack:
        return (arg.kind, *[_key(item) for item in arg.items])
    if type(arg) is Const:
        return (type(arg.value), repr(arg.value) if type(arg.value) in (int, float, complex) else arg.value)
    return id(arg)


def _rename(stmt: Any, replaced: dict) -> None:
    if type(stmt) is Let:
        stmt.args = tuple([renamed(a, replaced) for a in stmt.args])
        stmt.kw = tuple([(k, renamed(a, replaced)) for k, a in stmt.kw])
    elif type(stmt) is If:
        stmt.cond = renamed(stmt.cond, replaced)
    else:
        for x in stmt.xs:
            x.seq = renamed(x.seq, replaced)
        for c in stmt.carried:
            c.init = renamed(c.init, replaced)


def _rename_handed(stmt: Any, replaced: dict) -> None:
    if type(stmt) is If:
        stmt.then_values = [renamed(v, replaced) for v in stmt.then_values]
        stmt.else_values = [renamed(v, replaced) for v in stmt.else_values]
    elif type(stmt) is Loop:
        for c in stmt.carried:
            c.next = renamed(c.next, replaced)
        for y in stmt.ys:
            y.value = renamed(y.value, replaced)


# ---- dead code


def drop_dead(program: Program) -> None:
    """Drop what no result, no error of the primal and no decision depends on."""
    live = set(vars_of([program.results]))
    _drop(program.body, live, set())


def _drop(block: Block, live: set, again: set) -> None:
    """Drop the dead statements of `block`; `live` are the names needed behind it, and becomes those needed before it.

    again: statements that are computed again in the reverse sweep, where they will raise as well.
    """
    kept = []
    for stmt in reversed(block.stmts):
        if type(stmt) is Let:
            if stmt.out not in live and switches.allows("drop_dead", stmt):
                if not stmt.must or stmt in again:
                    continue
                stmt = _only_its_error(stmt)
            if any(origin.must for origin in stmt.origins):
                again.update(stmt.origins)
                stmt.must = True
        elif type(stmt) is If:
            _drop_in_if(stmt, live, again)
            if not stmt.outs and not stmt.then.stmts and not stmt.orelse.stmts:
                continue
        else:
            _drop_in_loop(stmt, live, again)
            if not (stmt.carried or stmt.ys or stmt.body.stmts):
                continue
        live.update(operands(stmt))
        kept.append(stmt)
    block.stmts[:] = kept[::-1]


def _only_its_error(stmt: Let) -> Let:
    """An operation whose value is not needed, reduced to what it may raise."""
    arrays = [a for a in stmt.args if isinstance(type_of(a), Array)]
    if is_elementwise(stmt.fn) and len(arrays) == 2 == len(stmt.args) and stmt.fn is not runtime.check_shapes:
        return Let(Var(Plain(type(None))), runtime.check_shapes, tuple(arrays), (), stmt.line, True)
    return stmt


def _drop_in_if(stmt: If, live: set, again: set) -> None:
    keep = [i for i, out in enumerate(stmt.outs) if out in live]
    stmt.outs = [stmt.outs[i] for i in keep]
    stmt.then_values = [stmt.then_values[i] for i in keep]
    stmt.else_values = [stmt.else_values[i] for i in keep]
    for block, values in blocks_of(stmt):
        inner = set(vars_of(values))
        _drop(block, inner, again)
        live |= inner


def _drop_in_loop(loop: Loop, live: set, again: set) -> None:
    loop.ys = [y for y in loop.ys if y.out in live]
    needed = {c for c in loop.carried if c.out in live or c is loop.go}
    must = _has_must(loop.body, again)
    before = -1
    while before != len(needed):
        before = len(needed)
        inner = set(vars_of([c.next for c in needed] + [y.value for y in loop.ys]))
        _needs(loop.body, inner, again)
        needed |= {c for c in loop.carried if c.param in inner}
    loop.carried = [c for c in loop.carried if c in needed]
    if (
        loop.go is not None
        and not must
        and len(loop.carried) == 1
        and not loop.ys
        and loop.go.out not in live
        and loop.xs
    ):
        loop.carried, loop.go = [], None  # only left early; nothing else happens in it
    inner = set(vars_of([c.next for c in loop.carried] + [y.value for y in loop.ys]))
    _drop(loop.body, inner, again)
    live |= inner - set(bound_in(loop))
    used = inner
    kept = [x for x in loop.xs if x.elem in used]
    rest = [x for x in loop.xs if x.elem not in used]
    if kept and loop.go is None and all(x.backwards for x in rest):
        loop.xs = kept
    elif rest and not kept:
        loop.xs = [min(rest, key=lambda x: x.seq.type != Plain(range))]


def _has_must(block: Block, again: set) -> bool:
    return any(type(stmt) is Let and stmt.must and stmt not in again for stmt in walk(block))


def _needs(block: Block, live: set, again: set) -> None:
    """Add to `live` the names that the live statements of `block` mention."""
    for stmt in reversed(block.stmts):
        if type(stmt) is Let:
            if stmt.out in live or (stmt.must and stmt not in again):
                live.update(operands(stmt))
        elif type(stmt) is If:
            inner: set = set()
            for branch, values in blocks_of(stmt):
                branch_live = set(vars_of([v for o, v in zip(stmt.outs, values, strict=True) if o in live]))
                _needs(branch, branch_live, again)
                inner |= branch_live
            if any(o in live for o in stmt.outs) or _has_must(stmt.then, again) or _has_must(stmt.orelse, again):
                live.update(inner)
                live.update(operands(stmt))
        else:
            inner = set(vars_of([y.value for y in stmt.ys if y.out in live]))
            needed = {c for c in stmt.carried if c.out in live or c is stmt.go}
            before = -1
            while before != len(needed):
                before = len(needed)
                inner |= set(vars_of([c.next for c in needed]))
                _needs(stmt.body, inner, again)
                needed |= {c for c in stmt.carried if c.param in inner}
            if needed or inner or _has_must(stmt.body, again):
                live.update(inner)
                live.update(vars_of([x.seq for x in stmt.xs]))
                live.update(vars_of([c.init for c in needed]))


# ---- shapes


def save_outlines(program: Program) -> None:
    """A loop that saves an array for its shape saves the shape; an outer loop may save the list of them."""
    needed: set = set(vars_of([program.results]))
    consumers: dict = {}  # of a list: the names that its items get, and the lists it is put into
    loops = []
    for stmt in walk(program.body):
        if type(stmt) is Let:
            like = LIKE.get(stmt.fn)
            needed.update(v for i, arg in enumerate(stmt.args) if i != like for v in vars_of((arg,)))
            needed.update(vars_of([arg for _, arg in stmt.kw]))
        elif type(stmt) is If:
            needed.update(operands(stmt))
            needed.update(vars_of([*stmt.then_values, *stmt.else_values]))
        else:
            loops.append(stmt)
            needed.update(vars_of([v for c in stmt.carried for v in (c.init, c.next)]))
            for x in stmt.xs:
                consumers.setdefault(x.seq, []).append(x.elem)
            for y in stmt.ys:
                consumers.setdefault(y.value, []).append(y.out)

    def asked_for_its_shape(v: Var) -> bool:
        return v not in needed and all(asked_for_its_shape(other) for other in consumers.get(v, ()))

    for loop in loops:
        for y in loop.ys:
            if isinstance(type_of(y.value), Array) and asked_for_its_shape(y.out):
                made = Let(Var(y.value.type, "like"), runtime.outline, (y.value,), (), loop.line)
                if switches.allows("save_outlines", made):
                    loop.body.stmts.append(made)
                    y.value = made.out


# ---- sinking


def sink_into_branches(program: Program) -> None:
    """What only one branch needs is computed in that branch."""
    _sink(program.body, [program.results])


def _sink(block: Block, handed: list) -> None:
    counts = _mentions(block, handed)
    moved = set()
    for i in range(len(block.stmts) - 1, -1, -1):
        stmt = block.stmts[i]
        if (
            type(stmt) is not Let
            or stmt.must
            or stmt.fn in IMPURE
            or stmt.out not in counts
            or isinstance(stmt.out.type, Array)
        ):
            continue
        homes = counts[stmt.out]
        if len(homes) == 1 and isinstance(homes[0], Block) and switches.allows("sink_into_branches", stmt):
            homes[0].stmts.insert(0, stmt)
            moved.add(stmt)
            for v in operands(stmt):
                counts[v] = [h for h in counts[v] if h is not stmt] + [homes[0]]
                counts[v] = list({id(h): h for h in counts[v]}.values())
    block.stmts[:] = [stmt for stmt in block.stmts if stmt not in moved]
    for stmt in block.stmts:
        for inner, values in blocks_of(stmt):
            _sink(inner, values)


def _mentions(block: Block, handed: list) -> dict:
    """Name -> where it is mentioned: the branch of an If, or the statement, or None for a place that must stay."""
    from .core import free_in

    found: dict = {}

    def note(v: Var, home: Any) -> None:
        homes = found.setdefault(v, [])
        if not any(h is home for h in homes):
            homes.append(home)

    for stmt in block.stmts:
        for v in operands(stmt):
            note(v, stmt if type(stmt) is Let else None)
        for inner, values in blocks_of(stmt):
            for v in free_in(inner, values):
                note(v, inner if type(stmt) is If else None)
    for v in vars_of(handed):
        note(v, None)
    return {
        v: [h if isinstance(h, Block) else (h if type(h) is Let else None) for h in homes] for v, homes in found.items()
    }


PASSES: dict[str, Callable[[Program], None]] = {
    "drop_invariants": drop_invariants,
    "fold_constants": fold_constants,
    "share_subexpressions": share_subexpressions,
    "move_signs": move_signs,
    "drop_dead": drop_dead,
    "save_outlines": save_outlines,
    "sink_into_branches": sink_into_branches,
}
