"""Which operations may be written into the buffer of their first argument: decided last, on the finished core.

A buffer is owned when a fresh operation made it and nothing else refers to it. It is consumed by an operation that is
its only use (branches count by their maximum). A carried value may be consumed in its loop if every next one is owned
too, and the first one is, or is copied. The core stays as pure as it was: only the printer looks at this.
"""

from __future__ import annotations

import operator
from typing import Any

from . import runtime
from .core import Block, Carried, Let, Loop, Program, Var, blocks_of, bound_in, operands, outs_of, vars_of, walk
from .results import is_fresh
from .types import Array, Seq

CONSUMERS = {runtime.addat, runtime.append, runtime.pop_last, runtime.put_item, operator.add}


def is_buffer(v: Any) -> bool:
    return type(v) is Var and isinstance(v.type, Array | Seq)


class Ownership:
    """`inplace`: the Lets to print as writes; `readers`: those that read a list before it is written to."""

    def __init__(self, program: Program) -> None:
        self.inplace: set[Let] = set()
        self.readers: set[Let] = set()
        self.uses: dict[Var, int] = {}
        self.makers: dict[Var, Any] = {}
        self.params: dict[Var, Carried] = {}
        self.reads: dict[Var, list] = {}
        self.order: dict[Let, int] = {}
        self.count(program.body, [program.results])
        self.denied: set[Carried] = set()
        while True:
            self.inplace = set()
            wrong = self.check(program.body)
            if not wrong:
                break
            self.denied |= wrong
        self.readers = {r for stmt in self.inplace for r in self.reads.get(stmt.args[0], ()) if r is not stmt}

    def count(self, block: Block, handed: list) -> dict[Var, int]:
        """How often each name is used in `block`, loop bodies counting twice, branches by their maximum."""
        counts: dict[Var, int] = {}

        def use(v: Var, n: int = 1) -> None:
            counts[v] = counts.get(v, 0) + n

        for stmt in block.stmts:
            if type(stmt) is Let:
                self.order[stmt] = len(self.order)
                self.makers[stmt.out] = stmt
                reading = (
                    isinstance(stmt.out.type, Array | Seq)
                    or stmt.fn in CONSUMERS
                    or not stmt.args
                    or not _reads_list(stmt)
                )
                for v in operands(stmt):
                    if reading or v is not stmt.args[0]:
                        use(v)
                    else:
                        self.reads.setdefault(v, []).append(stmt)
            else:
                for v in operands(stmt):
                    use(v)
                inner = [self.count(inner, values) for inner, values in blocks_of(stmt)]
                inside = set(bound_in(stmt)).union(
                    *[outs_of(s) for b, _ in blocks_of(stmt) for s in walk(b)],
                    *[bound_in(s) for b, _ in blocks_of(stmt) for s in walk(b)],
                )
                for v in {v for counted in inner for v in counted}:
                    many = 2 if type(stmt) is Loop and v not in inside else 1
                    use(v, many * max([c.get(v, 0) for c in inner]))
                if type(stmt) is Loop:
                    for c in stmt.carried:
                        self.params[c.param] = c
                        self.makers[c.out] = c
                else:
                    for i, o in enumerate(stmt.outs):
                        self.makers[o] = (stmt.then_values[i], stmt.else_values[i])
        for v in vars_of(handed):
            use(v)
        self.uses.update(counts)
        return counts

    def check(self, block: Block) -> set[Carried]:
        """Mark what may be done in place, trusting every carried value that is not denied; those trusted wrongly."""
        wrong = set()
        for stmt in walk(block):
            if type(stmt) is Let and stmt.fn in CONSUMERS and is_buffer(stmt.args[0]) and self.may_consume(stmt):
                self.inplace.add(stmt)
        for c in self.params.values():
            if c in self.denied or not is_buffer(c.param):
                continue
            if not (self.is_owned(c.init) and self.is_owned(c.next)) and self.is_consumed(c.param):
                wrong.add(c)
        return wrong

    def may_consume(self, stmt: Let) -> bool:
        buffer = stmt.args[0]
        if self.uses.get(buffer, 0) != 1 or not self.is_owned(buffer) or buffer.type != stmt.out.type:
            return False
        if any(self.order[r] > self.order[stmt] for r in self.reads.get(buffer, ())):
            return False
        if stmt.fn is operator.add:  # a temporary of one expression is better left to NumPy
            return not isinstance(self.makers.get(buffer), Let) or self.makers[buffer] in self.inplace
        return True

    def is_consumed(self, v: Var) -> bool:
        return any(stmt.args[0] is v for stmt in self.inplace) or self.uses.get(v) == 1

    def is_owned(self, v: Any, depth: int = 0) -> bool:
        if type(v) is not Var or depth > 50:
            return False
        if v in self.params:
            return self.params[v] not in self.denied and self.uses.get(v, 0) <= 1
        maker = self.makers.get(v)
        if self.uses.get(v, 0) > 1 or maker is None:
            return False
        if type(maker) is Let:
            return is_fresh(maker)
        if type(maker) is Carried:
            return (
                maker not in self.denied
                and self.uses.get(maker.param, 0) <= 1
                and self.is_owned(maker.init, depth + 1)
                and self.is_owned(maker.next, depth + 1)
            )
        return all(self.is_owned(value, depth + 1) for value in maker)


def _reads_list(stmt: Let) -> bool:
    """Does the statement only look at a list, so that it may come before a write to it?"""
    return (
        stmt.fn in (operator.getitem, len) and isinstance(stmt.args[0].type, Seq)
        if type(stmt.args[0]) is Var
        else False
    )
