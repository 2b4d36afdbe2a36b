"""Forward mode, core -> core: each active name gets a tangent, computed beside it, in the same branches and loops.

    y = f(a, b)                 y_dot = the transpose of f's pullback at a_dot, b_dot
    if c: A else: B             the branches hand out tangents too
    loop: body, carried x       the same loop carries x_dot as well

A pullback is linear in the cotangent, so its own reverse, seeded with the tangents of the arguments, is the
pushforward: no rule has to be written twice. It is taken statement by statement, where everything that the pullback
mentions is at hand: nothing is saved, and what was only the cotangent's disappears.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..rules import lookup
from . import runtime
from .adjoint import active_names, differentiate
from .core import (
    UNDEFINED,
    Block,
    Carried,
    Const,
    Each,
    If,
    Let,
    Loop,
    Pack,
    Saved,
    Var,
    blocks_of,
    free_in,
    operands,
    outs_of,
    vars_of,
)
from .projections import accumulate, whole, zero
from .pullbacks import pullbacks_of
from .results import LIKE
from .types import NotTyped, Seq, cotangent_type, is_complex, type_of

LINEAR: dict[Any, tuple] = {
    runtime.append: (0, 1), runtime.pop_last: (0,), runtime.put_item: (0, 2), runtime.backwards: (0,),
    runtime.fresh_list: (0,), runtime.repeated: (0,), runtime.add_lists: (0, 1), runtime.sum_list: (0,),
    runtime.same_for_all: (0,), runtime.joined: (0,), runtime.rows: (0,), runtime.same: (0,), runtime.owned: (0,),
    runtime.spread: (0,), runtime.reduce_to: (0,), runtime.sum_axes: (0,), runtime.total: (0,), runtime.cast: (0,),
    runtime.real_part: (0,), runtime.as_float: (0,), runtime.as_complex: (0,), operator.getitem: (0,),
    runtime.read: (0,), runtime.put: (0, 2), runtime.addat: (0, 2), runtime.zero_of: (), runtime.zero_list: (),
    runtime.bound: (0,),
    **dict.fromkeys((
        np.transpose, np.reshape, np.sum, np.mean, np.expand_dims, np.squeeze, np.ravel, np.broadcast_to, np.cumsum,
        np.flip, np.roll, np.swapaxes, np.moveaxis, np.diag, np.diagonal, np.tril, np.triu, np.trace, np.repeat,
        np.tile, np.concatenate, np.stack, np.real, np.imag, np.add.reduce, operator.neg, operator.pos, np.copy,
    ), (0,)),
}  # fmt: skip
"""The functions that are linear in one or two arguments together: of tangents they give the tangent."""
BILINEAR = {operator.matmul, np.matmul, np.dot, np.outer, np.inner, np.kron, np.convolve}
"""Those that are linear in each of two arguments."""
STANDARD = {fn: lookup(fn) for fn in (*LINEAR, *BILINEAR) if fn not in vars(runtime).values()}
"""The rules that they come with; where another has taken its place, that one says what the derivative is."""


def push_forward(lowerer: Any, start: int, tangents: dict) -> dict:
    """Put tangents beside the statements of the current block from `start` on; names -> tangents, whole.

    tangents: those of the names that the derivative is taken along.
    """
    block, line = lowerer.block, lowerer.line
    found = dict(tangents)
    lowerer.in_rule += 1
    Push(lowerer, active_names(block, start, set(tangents))).run(block, start, found)
    lowerer.in_rule -= 1
    lowerer.line = line
    return found


class Push:
    """One forward sweep; `tangents` maps names to theirs, those of a branch or a body only inside it."""

    def __init__(self, lowerer: Any, active: set) -> None:
        self.lowerer, self.active = lowerer, active
        self.inner = lowerer.frame is not None  # the derivative is taken inside a program, and may be differentiated

    def run(self, block: Block, start: int, tangents: dict) -> None:
        here, self.lowerer.block = self.lowerer.block, block
        stmts = block.stmts[start:]
        del block.stmts[start:]
        for stmt in stmts:
            self.lowerer.line = stmt.line
            if not any(out in self.active for out in outs_of(stmt)):
                block.stmts.append(stmt)
            elif type(stmt) is Let:
                block.stmts.append(stmt)
                tangents[stmt.out] = self.of_let(stmt, tangents)
            else:
                (self.into_if if type(stmt) is If else self.into_loop)(stmt, tangents)
        self.lowerer.block = here

    def of(self, value: Any, tangents: dict) -> Any:
        """The tangent of an atom, zero where it has none; made in the current block."""
        if value is UNDEFINED:
            return UNDEFINED
        if type(value) is Const:
            if isinstance(type_of(value), Seq):
                raise NotTyped("a constant list beside active ones")
            return Const(0.0)
        found = tangents.get(value)
        return zero(self.lowerer, value) if found is None else found

    def of_let(self, stmt: Let, tangents: dict) -> Any:
        """The transpose of the pullback of one statement, applied to the tangents of its arguments."""
        lowerer, here = self.lowerer, self.lowerer.block
        made = lookup(stmt.fn)
        if made is not None and made.pushforward is not None:
            raise NotTyped(f"{stmt.fn.__name__} has a forward rule of its own")
        standard = stmt.fn not in STANDARD or lookup(stmt.fn) is STANDARD[stmt.fn]
        standard = standard and "initial" not in dict(stmt.kw) and len(stmt.args) < 6  # a sum begins at a number
        if standard and stmt.fn in LINEAR and not any(v in tangents for _, arg in stmt.kw for v in vars_of((arg,))):
            return self.of_linear(stmt, tangents)
        if standard and stmt.fn in BILINEAR and not stmt.kw and not is_complex(stmt.out.type):
            return self.of_bilinear(stmt, tangents)
        if self.inner and made is not None and made.sided:
            raise NotTyped(f"{stmt.fn.__name__} below two derivatives")  # a tie may move as neither side does
        lowerer.block = Block()
        seed = Var(cotangent_type(stmt.out.type), "d")
        wanted = {v for v in operands(stmt) if v in tangents}
        seeds: dict = {}
        for v, d in pullbacks_of(lowerer, stmt, seed, wanted):
            if d is None or type(d) is Const:
                continue
            d = whole(lowerer, v, d)
            seeds[d] = tangents[v] if d not in seeds else accumulate(lowerer, v, seeds[d], tangents[v])
        found = differentiate(lowerer, 0, seeds, [seed]).get(seed) if seeds else None
        made, lowerer.block = lowerer.block, here
        if found is None:
            return zero(lowerer, stmt.out)
        here.stmts.extend(needed(made.stmts, found, seed, stmt.out))
        return whole(lowerer, stmt.out, found)

    def of_linear(self, stmt: Let, tangents: dict) -> Any:
        positions = LINEAR[stmt.fn]
        if not positions:
            return zero(self.lowerer, stmt.out)
        args = tuple([self.in_arg(a, tangents) if i in positions else a for i, a in enumerate(stmt.args)])
        args = tuple([self.fitting(a, old, old) for a, old in zip(args, stmt.args, strict=True)])
        return self.lowerer.emit(stmt.fn, args, cotangent_type(stmt.out.type), stmt.kw, dot(stmt.out))

    def of_bilinear(self, stmt: Let, tangents: dict) -> Any:
        """f(a_dot, b) + f(a, b_dot)."""
        a, b = stmt.args
        terms = [args for v, args in ((a, (tangents.get(a), b)), (b, (a, tangents.get(b)))) if v in tangents]
        parts = [self.lowerer.emit(stmt.fn, args, stmt.out.type, (), dot(stmt.out)) for args in terms]
        return parts[0] if len(parts) == 1 else self.lowerer.let(operator.add, tuple(parts))

    def in_arg(self, arg: Any, tangents: dict) -> Any:
        if type(arg) is Pack:
            return Pack(arg.kind, tuple([self.in_arg(item, tangents) for item in arg.items]))
        return self.of(arg, tangents)

    def into_if(self, stmt: If, tangents: dict) -> None:
        outs = [(i, out) for i, out in enumerate(stmt.outs) if out in self.active]
        for out in [out for _, out in outs]:
            tangents[out] = Var(cotangent_type(out.type), dot(out))
        handed = []
        for block, values in blocks_of(stmt):
            inner = dict(tangents)
            self.run(block, 0, inner)
            here, self.lowerer.block = self.lowerer.block, block
            handed.append([self.fitting(self.of(values[i], inner), values[i], out) for i, out in outs])
            self.lowerer.block = here
        stmt.outs += [tangents[out] for _, out in outs]
        stmt.then_values += handed[0]
        stmt.else_values += handed[1]
        self.lowerer.block.stmts.append(stmt)

    def fitting(self, tangent: Any, value: Any, out: Var) -> Any:
        return whole(self.lowerer, value, tangent) if type(value) is Var and type(tangent) is Var else tangent

    def into_loop(self, loop: Loop, tangents: dict) -> None:
        lowerer = self.lowerer
        carried = [c for c in loop.carried if c.param in self.active or c.out in self.active]
        inner = dict(tangents)
        dots = []
        for c in carried:
            param, out = (Var(cotangent_type(v.type), dot(v)) for v in (c.param, c.out))
            made = Carried(param, self.of(c.init, tangents), None, out)
            inner[c.param], tangents[c.out] = made.param, made.out
            dots.append(made)
        xs = []
        for x in [x for x in loop.xs if x.elem in self.active]:
            seq = self.of(x.seq, tangents)
            xs.append(Each(Var(type_of(seq).item, dot(x.elem)), seq, x.backwards))
            inner[x.elem] = xs[-1].elem
        self.run(loop.body, 0, inner)
        here, lowerer.block = lowerer.block, loop.body
        for c, made in zip(carried, dots, strict=True):
            made.next = self.of(c.next, inner)
        ys = []
        for y in [y for y in loop.ys if y.out in self.active]:
            value = self.of(y.value, inner)
            tangents[y.out] = Var(Seq(type_of(value)), dot(y.out))
            ys.append(Saved(value, tangents[y.out]))
        lowerer.block = here
        loop.carried += dots
        loop.xs += xs
        loop.ys += ys
        lowerer.block.stmts.append(loop)


def needed(stmts: list, result: Any, seed: Var, out: Var) -> list:
    """The statements that `result` needs: they ask for no more than the shape of the cotangent, which is that of `out`.

    Raises:
        NotTyped: the value of the cotangent matters.
    """
    values, shapes, kept = {result}, set(), []
    for stmt in reversed(stmts):
        used = values.intersection(outs_of(stmt)) or (type(stmt) is Let and stmt.must)
        if not used and not shapes.intersection(outs_of(stmt)):
            continue
        like = stmt.args[LIKE[stmt.fn]] if type(stmt) is Let and stmt.fn in LIKE else None
        inside = {v for block, handed in blocks_of(stmt) for v in free_in(block, handed)}
        (values if used else shapes).update(v for v in inside.union(operands(stmt)) if v is not like)
        if type(like) is Var:
            shapes.add(like)
        kept.append(stmt)
    if seed in values:
        raise NotTyped("a pullback that is not linear in its cotangent")
    return kept[::-1] if seed not in shapes else [Let(seed, runtime.outline, (out,)), *kept[::-1]]


def dot(v: Var) -> str:
    """The hint for a tangent's name."""
    return v.hint if v.hint.endswith("_dot") else f"{v.hint}_dot"
