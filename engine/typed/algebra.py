"""Core -> the same core with less arithmetic: what is exact whoever wrote it, and the order of the engine's own sums.

Signs come from subtractions, quotients and cosines, and meet on the way back: two that meet cancel, one that meets an
addition makes it a subtraction. All that keeps every digit; only zeros may change their sign.
"""

from __future__ import annotations

import operator
from typing import Any

from .. import switches
from . import runtime
from .core import Block, Const, Let, Program, Var, blocks_of, operands, renamed, substitute, vars_of, walk
from .types import Scalar, is_active_type, type_of

SUMS = (runtime.total, runtime.sum_axes)
PRODUCTS = (operator.mul, operator.truediv, operator.matmul)
ABSORBING = (operator.neg, operator.add, operator.sub, runtime.addat, *SUMS)


def move_signs(program: Program) -> None:
    """Cancel signs, make them subtractions, and take them, and factors that are numbers, out of sums."""
    algebra = Algebra(program)
    algebra.block(program.body)
    substitute(program.body, algebra.replaced)
    program.results = renamed(program.results, algebra.replaced)


class Algebra:
    """One pass over a program. `uses` counts the mentions of each name; what is mentioned once may be taken apart."""

    def __init__(self, program: Program) -> None:
        self.makers = {stmt.out: stmt for stmt in walk(program.body) if type(stmt) is Let}
        self.uses: dict[Var, int] = {}
        self.replaced: dict[Var, Var] = {}
        self.here: set[Let] = set()
        self.count(program)

    def count(self, program: Program) -> None:
        """Count the mentions in what is needed."""
        stmts = list(walk(program.body))
        handed = [v for stmt in stmts for _, values in blocks_of(stmt) for v in vars_of(values)]
        for v in [*vars_of([program.results]), *handed]:
            self.uses[v] = self.uses.get(v, 0) + 1
        for stmt in reversed(stmts):
            if type(stmt) is not Let or stmt.must or stmt.out in self.uses:
                for v in operands(stmt):
                    self.uses[v] = self.uses.get(v, 0) + 1

    def block(self, block: Block) -> None:
        kept: list = []
        outside, self.here = self.here, {stmt for stmt in block.stmts if type(stmt) is Let}
        for stmt in block.stmts:
            if type(stmt) is Let and stmt.fn in ABSORBING and is_active_type(stmt.out.type):
                if switches.allows("move_signs", stmt):
                    self.absorb(stmt, kept)
            kept.append(stmt)
            for inner, _ in blocks_of(stmt):
                self.block(inner)
        block.stmts[:] = kept
        self.here = outside

    def absorb(self, stmt: Let, before: list) -> None:
        """Take a sign into the statement; what has to be computed for that is put behind `before`."""
        if stmt.fn is operator.neg:
            made = self.opposite(stmt.args[0], before)
            if made is not None:
                self.replaced[stmt.out] = made = self.replaced.get(made, made)
                self.uses[made] = self.uses.get(made, 0) + self.uses.get(stmt.out, 0)
        elif stmt.fn is operator.sub:
            x, y = stmt.args
            made = self.opposite(y, before)
            if made is not None:
                self.become(stmt, operator.add, (x, made))
        elif stmt.fn is operator.add:
            for x, y in (stmt.args, stmt.args[::-1]):
                made = self.opposite(y, before)
                if made is not None:
                    self.become(stmt, operator.sub, (x, made))
                    break
        elif stmt.fn is runtime.addat:
            buffer, index, v = stmt.args
            made = None if self.is_negated(v) else self.opposite(v, before)
            if made is not None:
                self.become(stmt, runtime.addat, (buffer, index, self.new(operator.neg, (made,), made.type, before)))
        else:
            self.sum_first(stmt, before)

    def sum_first(self, stmt: Let, before: list) -> None:
        """The sum of -x is that of x, with the other sign; the sum of c x is c times the sum of x."""
        x, *how = stmt.args
        made = self.opposite(x, before)
        if made is not None:
            total = self.new(stmt.fn, (made, *how), stmt.out.type, before)
            self.become(stmt, operator.neg, (total,))
            return
        product = self.apart(x)
        if product is None or product.fn not in (operator.mul, operator.truediv):
            return
        a, c = product.args
        if product.fn is operator.mul and isinstance(type_of(a), Scalar):
            a, c = c, a
        if not isinstance(type_of(c), Scalar) or type_of(a) != x.type:
            return
        total = self.new(stmt.fn, (a, *how), stmt.out.type, before)
        self.become(stmt, product.fn, (total, c))
        self.absorb_sum(stmt, before)

    def absorb_sum(self, stmt: Let, before: list) -> None:
        """What has been taken out of a sum may hold another factor, or its sign."""
        total = self.makers[stmt.args[0]]
        self.sum_first(total, before)
        if total in before and total.fn not in SUMS:  # it is made of what was put behind it
            before.remove(total)
            before.append(total)

    def opposite(self, arg: Any, before: list) -> Any:
        """What `arg` is the negative of, where that is there already or as cheap as `arg`; None elsewhere."""
        if type(arg) is not Var:
            return None
        arg = self.replaced.get(arg, arg)
        if self.is_negated(arg):
            return self.makers[arg].args[0]
        made = self.apart(arg)
        if made is None or made.fn not in PRODUCTS or made.kw:
            return None
        x, y = made.args
        for i, factor in enumerate((x, y)):
            found: Any = None
            if type(factor) is Const:
                found = Const(-factor.value) if type(factor.value) in (int, float) and factor.value < 0 else None
            else:
                found = self.opposite(factor, before)
            if found is not None:
                args = (found, y) if i == 0 else (x, found)
                return self.new(made.fn, args, arg.type, before, made.line)
        return None

    def is_negated(self, arg: Any) -> bool:
        made = self.makers.get(arg) if type(arg) is Var else None
        return made is not None and made.fn is operator.neg and is_active_type(arg.type)

    def apart(self, arg: Any) -> Let | None:
        """The statement of this block that makes `arg`, if nothing else needs it and it cannot raise."""
        made = self.makers.get(arg) if type(arg) is Var and self.uses.get(arg) == 1 else None
        return made if made in self.here and not made.must and is_active_type(arg.type) else None

    def new(self, fn: Any, args: tuple, type_: Any, before: list, line: int = 0) -> Var:
        out = Var(type_)
        made = Let(out, fn, args, (), line or before[-1].line if before else line)
        self.makers[out] = made
        self.here.add(made)
        self.uses[out] = 1
        before.append(made)
        return out

    def become(self, stmt: Let, fn: Any, args: tuple) -> None:
        stmt.fn, stmt.args = fn, args
