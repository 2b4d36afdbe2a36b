"""Reverse sweep, core -> core: statements that compute cotangents, appended to the block whose names they
differentiate.

    y = f(a, b)                 a_bar += pullback_a(y_bar, y, a, b); b_bar += ...
    if c: A else: B             if c: reverse of A else: reverse of B, each handing out the cotangents it made
    loop: body, carried x       loop backwards over what the first loop saved: reverse of body, carrying x_bar

What the reverse of a branch or body needs of the names inside is computed again where that is cheap, handed out by the
If, or saved by the Loop. Only names on a path from the targets to the results get a cotangent, so what is constant
costs nothing; and since a nested derivative only ever differentiates from names of its own, levels cannot be confused.

A cotangent may be smaller than its primal: a scalar for an array that it fills, an array that broadcasts over it.
`whole` makes it as large where an operation needs that.
"""

from __future__ import annotations

import operator
from typing import Any

from .compiled import Compiled
from .core import (
    UNDEFINED,
    Block,
    Carried,
    Const,
    Each,
    If,
    Let,
    Loop,
    Saved,
    Var,
    blocks_of,
    bound_in,
    defined_in,
    free_in,
    operands,
    outs_of,
    renamed,
    substitute,
)  # fmt: skip
from .projections import accumulate, whole, zero
from .pullbacks import placed, pullbacks_of, takes_elements
from .results import carriers, is_cheap
from .runtime import addat, applied, applied_slope, backwards, iterations
from .types import INT, Array, NotTyped, Plain, Seq, cotangent_type, is_active_type, join, type_of


def active_names(block: Block, start: int, targets: set) -> set:
    """The names of `block`, nested ones too, that depend differentiably on the targets."""
    active = set(targets)
    _spread_activity(block.stmts[start:], active)
    return active


def _spread_activity(stmts: list, active: set) -> None:
    for stmt in stmts:
        if type(stmt) is Let:
            depends = any(v in active for v in carriers(stmt))
            called = isinstance(stmt.fn, Compiled) and not stmt.fn.has_pullback
            if depends and (called or stmt.fn in (applied, applied_slope)):
                raise NotTyped("the derivative of a pullback that is called")
            if depends and is_active_type(stmt.out.type):
                active.add(stmt.out)
        elif type(stmt) is If:
            for block, values in blocks_of(stmt):
                _spread_activity(block.stmts, active)
                active.update(
                    o for o, v in zip(stmt.outs, values, strict=True) if v in active and is_active_type(o.type)
                )
        else:
            active.update(x.elem for x in stmt.xs if x.seq in active)
            active.update(c.param for c in stmt.carried if c.init in active and is_active_type(c.param.type))
            before = -1
            while before != len(active):
                before = len(active)
                _spread_activity(stmt.body.stmts, active)
                active.update(c.param for c in stmt.carried if c.next in active and is_active_type(c.param.type))
            active.update(
                c.out for c in stmt.carried if {c.param, c.next, c.init} & active and is_active_type(c.out.type)
            )
            active.update(y.out for y in stmt.ys if y.value in active)


def wanted_names(stmts: list, results: set, active: set) -> set:
    """The active names from which a path leads to `results`: those that get a cotangent."""
    wanted = {v for v in results if v in active}
    _spread_want(stmts, wanted, active)
    return wanted


def _spread_want(stmts: list, wanted: set, active: set) -> None:
    for stmt in reversed(stmts):
        if type(stmt) is Let:
            if stmt.out in wanted:
                wanted.update(v for v in operands(stmt) if v in active)
        elif type(stmt) is If:
            for block, values in blocks_of(stmt):
                wanted.update(v for o, v in zip(stmt.outs, values, strict=True) if o in wanted and v in active)
                _spread_want(block.stmts, wanted, active)
        else:
            wanted.update(c.next for c in stmt.carried if c.out in wanted and c.next in active)
            wanted.update(y.value for y in stmt.ys if y.out in wanted and y.value in active)
            before = -1
            while before != len(wanted):
                before = len(wanted)
                wanted.update(c.next for c in stmt.carried if c.param in wanted and c.next in active)
                _spread_want(stmt.body.stmts, wanted, active)
            wanted.update(c.init for c in stmt.carried if (c.param in wanted or c.out in wanted) and c.init in active)
            wanted.update(x.seq for x in stmt.xs if x.elem in wanted and x.seq in active)


def differentiate(lowerer: Any, start: int, seeds: dict, targets: list) -> dict:
    """Append the reverse of the statements of the current block from `start` on; the cotangents of the targets.

    seeds: cotangents of names of the block. A target from which nothing leads to a seed is not in the result.
    """
    block = lowerer.block
    stmts = block.stmts[start:]
    active = active_names(block, start, set(targets))
    wanted = wanted_names(stmts, set(seeds), active)
    cotangents = {v: d for v, d in seeds.items() if v in wanted}
    line = lowerer.line
    lowerer.in_rule += 1
    sweep = Sweep(lowerer, active, wanted, cotangents)
    sweep.run(stmts, cotangents)
    lowerer.in_rule -= 1
    lowerer.line = line
    found = {v: cotangents[v] for v in targets if v in cotangents}
    lowerer.may_be_unread |= found.keys() - sweep.certain
    return found


class Sweep:
    """One reverse sweep. `cotangents` maps names to what has been accumulated for them so far.

    certain: the names to which a path leads whichever branches are taken and however often loops run. The cotangent of
        another one may be a zero that stands for none.
    """

    def __init__(self, lowerer: Any, active: set, wanted: set, seeds: Any = ()) -> None:
        self.lowerer, self.active, self.wanted = lowerer, active, wanted
        self.certain = set(seeds)

    def run(self, stmts: list, cotangents: dict) -> None:
        for stmt in reversed(stmts):
            self.lowerer.line = stmt.line
            if type(stmt) is Let:
                d = cotangents.pop(stmt.out, None) if stmt.out in self.wanted else None
                if d is not None and takes_elements(stmt) and stmt.args[0] in cotangents:
                    self.add_at(stmt, d, cotangents)
                elif d is not None:
                    for v, contribution in pullbacks_of(self.lowerer, stmt, d, self.wanted):
                        self.add(cotangents, v, contribution, stmt.out in self.certain)
            elif any(out in cotangents for out in outs_of(stmt)):
                (self.reverse_if if type(stmt) is If else self.reverse_loop)(stmt, cotangents)

    def add(self, cotangents: dict, v: Var, d: Any, certain: bool = True) -> None:
        if v in self.wanted and d is not None:
            if certain:
                self.certain.add(v)
            cotangents[v] = d if v not in cotangents else accumulate(self.lowerer, v, cotangents[v], d)

    def add_at(self, stmt: Let, d: Any, cotangents: dict) -> None:
        """The cotangent of x[i], added into what x has already."""
        x = stmt.args[0]
        if stmt.out in self.certain:
            self.certain.add(x)
        buffer = whole(self.lowerer, x, cotangents[x])
        cotangents[x] = self.lowerer.let(addat, (buffer, *placed(self.lowerer, stmt, d)))

    # ---- branches

    def reverse_if(self, stmt: If, cotangents: dict) -> None:
        lowerer = self.lowerer
        seeds = [cotangents.pop(out, None) for out in stmt.outs]
        outside = [v for v in self.free_wanted(stmt) if v not in stmt.outs]
        before = {v: cotangents[v] for v in outside if v in cotangents}
        here, made, certain = lowerer.block, [], self.certain
        reached = []
        for block, values in blocks_of(stmt):
            lowerer.block = Block()
            inner = dict(before)
            self.certain = set(certain)
            for out, value, d in zip(stmt.outs, values, seeds, strict=True):
                if type(value) is Var and d is not None:
                    self.add(inner, value, d, out in certain)
            self.run(block.stmts, inner)
            made.append((lowerer.block, inner))
            reached.append(self.certain)
        self.certain = reached[0] & reached[1]
        lowerer.block = here
        reverse = If(stmt.cond, made[0][0], made[1][0], [], [], [], stmt.line)
        touched = [v for v in outside if any(inner.get(v) is not before.get(v) for _, inner in made)]
        for v in touched:
            values = []
            for block, inner in made:
                lowerer.block = block
                d = inner.get(v)
                values.append(zero(lowerer, v) if d is None else d)
            if type_key(values[0]) != type_key(values[1]):
                for i, (block, _) in enumerate(made):
                    lowerer.block = block
                    values[i] = whole(lowerer, v, values[i])
            out = Var(joined(values), bar(v))
            reverse.outs.append(out), reverse.then_values.append(values[0]), reverse.else_values.append(values[1])
            cotangents[v] = out
        lowerer.block = here
        if not reverse.outs:
            return
        for (forward, _), block, own in zip(
            blocks_of(stmt), (made[0][0], made[1][0]), (reverse.then_values, reverse.else_values), strict=True
        ):
            self.hand_out(stmt, forward, block, own)
        lowerer.block.stmts.append(reverse)

    def hand_out(self, stmt: If, forward: Block, block: Block, values: list) -> None:
        """Give the reverse of a branch the names of the branch that it mentions."""
        mine = defined_in(forward)
        needed = [v for v in free_in(block, values) if v in mine]
        again = Again(forward, mine)
        replaced = {}
        for v in needed:
            if again.possible(v):
                replaced[v] = again.clone(v)
                continue
            out = Var(v.type, v.hint)
            stmt.outs.append(out)
            stmt.then_values.append(v if forward is stmt.then else UNDEFINED)
            stmt.else_values.append(v if forward is stmt.orelse else UNDEFINED)
            replaced[v] = out
        insert(block, again.stmts, replaced, values)

    def free_wanted(self, stmt: Any) -> list:
        free: dict = {}
        for block, values in blocks_of(stmt):
            free.update(free_in(block, values))
        inside = set(bound_in(stmt))
        found = [v for v in free if v in self.wanted and v not in inside]
        for v in found:
            cotangent_type(v.type)  # or NotTyped
        return found

    # ---- loops

    def reverse_loop(self, loop: Loop, cotangents: dict) -> None:
        lowerer, here = self.lowerer, self.lowerer.block
        # A variable that the body only overwrites is here for its initial value: the loop may run no iteration.
        carried = [
            c
            for c in loop.carried
            if c.param in self.wanted or (c.out in self.wanted and (c.next in self.wanted or c.init in self.wanted))
        ]
        outside = self.free_wanted(loop)
        reverse = Loop([], [], [], Block(), None, loop.line)
        inner: dict = {}
        bars: dict = {}
        for c in carried:
            d = cotangents.pop(c.out, None)
            init = zero(lowerer, c.out) if d is None else whole(lowerer, c.out, d)
            within, before = (cotangent_type((v if is_array(v) else c.param).type) for v in (c.next, c.init))
            bars[c] = Carried(Var(within, bar(c.param)), init, None, Var(before, bar(c.param)))
        sums: dict = {}
        for v in outside:
            d = cotangents.get(v)
            init = zero(lowerer, v) if d is None else whole(lowerer, v, d)
            type_ = cotangent_type(v.type)
            sums[v] = Carried(Var(type_, bar(v)), init, None, Var(type_, bar(v)))
            inner[v] = sums[v].param
        lowerer.block = reverse.body
        certain, sure = self.certain, {c for c in carried if c.out in self.certain}
        self.certain = set(certain)
        for c in carried:
            if type(c.next) is Var:
                self.add(inner, c.next, bars[c].param, c in sure)
        for y in loop.ys:
            d = cotangents.pop(y.out, None)
            if d is not None and y.value in self.wanted:
                elem = Var(cotangent_type(y.value.type) if is_array(y.value) else d.type.item, bar(y.value))
                reverse.xs.append(Each(elem, d, backwards=True))
                self.add(inner, y.value, elem, False)
        self.run(loop.body.stmts, inner)
        through = all(c.param in self.certain for c in sure)  # however often the body runs
        self.certain = certain
        for c in carried:
            d = inner.get(c.param)
            like = bars[c].param if c.param in lowerer.roots else c.param  # of this iteration, or of the one before
            bars[c].next = zero(lowerer, like) if d is None else whole(lowerer, c.param, d)
        for v in outside:
            sums[v].next = whole(lowerer, v, inner[v])
        for x in loop.xs:
            if x.elem in self.wanted and x.seq in self.wanted:
                d = inner.get(x.elem)
                value = zero(lowerer, x.elem) if d is None else whole(lowerer, x.elem, d)
                reverse.ys.append(Saved(value, Var(cotangent_type(x.seq.type), bar(x.seq))))
        lowerer.block = here
        reverse.carried = [*bars.values(), *sums.values()]
        self.save(loop, reverse)
        lowerer.block.stmts.append(reverse)
        for v in outside:  # before the initial values add to them: `y = x` may be carried beside x
            cotangents[v] = sums[v].out
        for c in carried:
            if c.init in self.wanted:
                self.add(cotangents, c.init, bars[c].out, through and c in sure)
        for x, y in zip(
            [x for x in loop.xs if x.elem in self.wanted and x.seq in self.wanted], reverse.ys, strict=False
        ):
            if loop.go is not None:
                raise NotTyped("a derivative with respect to a list that a loop leaves early")
            d = y.out if x.backwards else lowerer.let(backwards, (y.out,))
            self.add(cotangents, x.seq, d, False)

    def save(self, loop: Loop, reverse: Loop) -> None:
        """Give the reverse of a body what it mentions of the body: computed again, or saved and consumed backwards."""
        mine = defined_in(loop.body) | set(bound_in(loop))
        handed = [c.next for c in reverse.carried] + [y.value for y in reverse.ys]
        again = Again(loop.body, mine)
        replaced: dict = {}
        stacks = {x.elem: x for x in loop.xs}
        pending = [v for v in free_in(reverse.body, handed) if v in mine]
        again.leaf = lambda v: self.saved(v, loop, reverse, stacks, replaced)
        for v in pending:
            if v not in replaced:
                replaced[v] = again.clone(v)
        insert(reverse.body, again.stmts, replaced, handed)
        for c, value in zip(reverse.carried, handed, strict=False):
            c.next = replaced.get(value, value) if type(value) is Var else value
        for y, value in zip(reverse.ys, handed[len(reverse.carried) :], strict=True):
            y.value = replaced.get(value, value) if type(value) is Var else value
        if not reverse.xs:
            self.count(loop, reverse)

    def saved(self, v: Var, loop: Loop, reverse: Loop, stacks: dict, replaced: dict) -> Var:
        """A name for `v` in the reverse loop, one a iteration."""
        if v in replaced:
            return replaced[v]
        elem = Var(v.type, v.hint)
        x = stacks.get(v)
        if x is not None and loop.go is None:
            reverse.xs.append(Each(elem, x.seq, not x.backwards))
        else:
            y = next((y for y in loop.ys if y.value is v), None)
            if y is None:
                y = Saved(v, Var(stack_type(v.type), f"{v.hint}s"))
                loop.ys.append(y)
            reverse.xs.append(Each(elem, y.out, True))
        replaced[v] = elem
        return elem

    def count(self, loop: Loop, reverse: Loop) -> None:
        """A reverse loop that consumes nothing still runs as often as the loop did."""
        if loop.go is None:
            x = loop.xs[0]
            reverse.xs.append(Each(Var(x.elem.type, x.elem.hint), x.seq, not x.backwards))
            return
        counter = Carried(Var(INT, "n"), Const(0), Var(INT, "n"), Var(INT, "n"))
        loop.body.stmts.append(Let(counter.next, operator.add, (counter.param, Const(1)), (), loop.line))
        loop.carried.append(counter)
        numbers = Var(Plain(range), "r")
        self.lowerer.block.stmts.append(Let(numbers, iterations, (counter.out,), (), loop.line))
        reverse.xs.append(Each(Var(INT, "i"), numbers, True))


class Again:
    """Names of a block computed again elsewhere: clones of cheap statements, down to names that are available there."""

    def __init__(self, block: Block, mine: set) -> None:
        self.made = {stmt.out: stmt for stmt in block.stmts if type(stmt) is Let}
        self.mine = mine
        self.stmts: list = []
        self.copies: dict = {}
        self.leaf: Any = None
        self.answers: dict = {}

    def possible(self, v: Var) -> bool:
        """Can `v` be computed from names of outside alone?"""
        if v not in self.mine:
            return True
        if v not in self.answers:
            stmt = self.made.get(v)
            self.answers[v] = stmt is not None and is_cheap(stmt) and all(self.possible(a) for a in operands(stmt))
        return self.answers[v]

    def clone(self, v: Var) -> Var:
        if v not in self.mine:
            return v
        if v in self.copies:
            return self.copies[v]
        stmt = self.made.get(v)
        if stmt is None or not is_cheap(stmt):
            self.copies[v] = self.leaf(v)
            return self.copies[v]
        new = {a: self.clone(a) for a in operands(stmt)}
        out = Var(v.type, v.hint)
        copy = Let(
            out,
            stmt.fn,
            tuple([renamed(a, new) for a in stmt.args]),
            tuple([(k, renamed(a, new)) for k, a in stmt.kw]),
            stmt.line,
        )
        copy.origins = (stmt, *stmt.origins)
        self.stmts.append(copy)
        self.copies[v] = out
        return out


def insert(block: Block, stmts: list, replaced: dict, values: list) -> None:
    """Put `stmts` in front of a block, and other names in the place of those that it may not mention."""
    substitute(block, replaced)
    block.stmts[:0] = stmts
    values[:] = [replaced.get(v, v) if type(v) is Var else v for v in values]


def is_array(v: Any) -> bool:
    return type(v) is Var and isinstance(v.type, Array)


def stack_type(type: Any) -> Any:
    return Seq(type)


def type_key(value: Any) -> Any:
    found = type_of(value)
    return (found.dtype, found.mask) if isinstance(found, Array) else "scalar" if found is not None else None


def joined(values: list) -> Any:
    return join(type_of(values[0]), type_of(values[1]))


def bar(v: Any) -> str:
    """The hint for a cotangent's name."""
    hint = v.hint if type(v) is Var else "t"
    return hint if hint.endswith("_bar") else f"{hint}_bar"
