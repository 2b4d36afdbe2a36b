"""Which operations may be written into the buffer of their first argument: decided last, on the finished core.

A buffer is owned when a fresh operation made it and nothing else refers to it. It is consumed by an operation that is
its only use (branches count by their maximum); what merely reads it before that is no use, if it is printed where it
stands. A carried value may be consumed in its loop if every next one is owned too, and the first one is, or is copied.
The core stays as pure as it was: only the printer looks at this.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from . import runtime
from .core import Block, Carried, Let, Loop, Program, Var, blocks_of, bound_in, operands, outs_of, vars_of, walk
from .results import is_elementwise, is_fresh
from .types import Array, Scalar, Seq

CONSUMERS = {
    runtime.addat, runtime.append, runtime.pop_last, runtime.put_item, runtime.put, operator.add, operator.sub,
}  # fmt: skip
READS = {
    runtime.read, runtime.dim, runtime.distinct, runtime.check_shapes, runtime.same_shape, runtime.one_extreme,
    runtime.some_dependence,
}  # fmt: skip
ONLY_READ = {operator.matmul, np.matmul, np.dot}  # besides elementwise functions: their result shares no memory


def is_buffer(v: Any) -> bool:
    return type(v) is Var and isinstance(v.type, Array | Seq)


class Ownership:
    """`inplace`: the Lets to print as writes; `readers`: those that are printed where they stand, not where their
    result is used; `views`: the reads of an array that need no copy."""

    def __init__(self, program: Program) -> None:
        self.inplace: set[Let] = set()
        self.views: set[Let] = set()
        self.uses: dict[Var, int] = {}
        self.makers: dict[Var, Any] = {}
        self.params: dict[Var, Carried] = {}
        self.reads: dict[Var, list] = {}
        self.users: dict[Var, list] = {}  # the Lets that use a name; None stands for another use
        self.taken: dict[Var, list] = {}  # the places of all uses that are no reads
        self.places: dict[Let, tuple] = {}
        self.next = 0
        writing = (runtime.put, runtime.addat)
        self.written = {stmt.args[0] for stmt in walk(program.body) if type(stmt) is Let and stmt.fn in writing}
        self.count(program.body, [program.results], ())
        for v, reads in self.reads.items():
            if any(follows(self.places[r], place) for r in reads for place in self.taken.get(v, ())):
                self.uses[v] = self.uses.get(v, 0) + 1  # the old value is looked at when a new one may be there
        self.denied: set[Carried] = set()
        while True:
            self.inplace = set()
            wrong = self.check(program.body)
            if not wrong:
                break
            self.denied |= wrong
        self.readers = {r for v, reads in self.reads.items() if self.taken.get(v) for r in reads}
        self.find_views()

    # ---- uses

    def count(self, block: Block, handed: list, path: tuple) -> dict[Var, int]:
        """How often each name is used in `block`, loop bodies counting twice, branches by their maximum."""
        counts: dict[Var, int] = {}

        def use(v: Var, place: tuple, n: int = 1) -> None:
            counts[v] = counts.get(v, 0) + n
            self.taken.setdefault(v, []).append(place)

        for stmt in block.stmts:
            self.next += 1
            place = (self.next, path)
            if type(stmt) is Let:
                self.places[stmt] = place
                self.makers[stmt.out] = stmt
                for v in operands(stmt):
                    self.users.setdefault(v, []).append(stmt)
                    if self.only_reads(stmt, v):
                        self.reads.setdefault(v, []).append(stmt)
                    else:
                        use(v, place)
                continue
            for v in operands(stmt):
                self.users.setdefault(v, []).append(None)
                use(v, place)
            inner = [self.count(b, values, (*path, (stmt, i))) for i, (b, values) in enumerate(blocks_of(stmt))]
            inside = set(bound_in(stmt)).union(
                *[outs_of(s) for b, _ in blocks_of(stmt) for s in walk(b)],
                *[bound_in(s) for b, _ in blocks_of(stmt) for s in walk(b)],
            )
            for v in {v for counted in inner for v in counted}:
                many = 2 if type(stmt) is Loop and v not in inside else 1
                counts[v] = counts.get(v, 0) + many * max([c.get(v, 0) for c in inner])
            if type(stmt) is Loop:
                for c in stmt.carried:
                    self.params[c.param] = c
                    self.makers[c.out] = c
            else:
                for i, o in enumerate(stmt.outs):
                    self.makers[o] = (stmt.then_values[i], stmt.else_values[i])
        self.next += 1
        for v in vars_of(handed):
            self.users.setdefault(v, []).append(None)
            use(v, (self.next, path))
        self.uses.update(counts)
        return counts

    def only_reads(self, stmt: Let, v: Var) -> bool:
        """Does the statement look at the buffer `v` without keeping it or handing it on?"""
        first = stmt.args and stmt.args[0] is v
        if isinstance(v.type, Seq):
            return bool(first) and stmt.fn in (operator.getitem, len) and not isinstance(stmt.out.type, Array | Seq)
        if not isinstance(v.type, Array) or (first and stmt.fn in CONSUMERS):
            return False
        return stmt.fn in READS or (v in self.written and is_separate(stmt))

    # ---- writes

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
        if stmt.fn in (operator.add, operator.sub):  # a temporary of one expression is better left to NumPy
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

    # ---- reads

    def find_views(self) -> None:
        """A read needs no copy where all that use it are done before the array is written to or handed on."""
        consumed = {stmt.args[0] for stmt in self.inplace}
        for stmt in [r for reads in self.reads.values() for r in reads if r.fn is runtime.read]:
            users = self.users.get(stmt.out, [])
            if not isinstance(stmt.out.type, Array) or stmt.out in consumed or None in users:
                continue
            number, path = self.places[stmt]
            ends = [n for n, p in self.taken.get(stmt.args[0], ()) if n > number]
            last = min(ends, default=self.next)
            if all(
                self.places[u][1] == path and self.places[u][0] <= last and (is_separate(u) or u.fn in CONSUMERS)
                for u in users
            ):
                self.views.add(stmt)
                self.readers |= {u for u in users if not self.is_done(u, last)}

    def is_done(self, stmt: Let, last: int) -> bool:
        """Is the statement, wherever its result is printed, over before that numbered `last` ends?"""
        if self.places[stmt][0] == last:
            return True
        users = self.users.get(stmt.out, [])
        if len(users) != 1:
            return bool(users)  # it has a name
        (user,) = users
        if user is None or self.places[user][1] != self.places[stmt][1] or self.places[user][0] > last:
            return False
        return self.is_done(user, last)


def is_separate(stmt: Let) -> bool:
    """Does the result share no memory with the arguments?"""
    if isinstance(stmt.out.type, Scalar):
        return True
    return isinstance(stmt.out.type, Array) and is_fresh(stmt) and (is_elementwise(stmt.fn) or stmt.fn in ONLY_READ)


def follows(a: tuple, b: tuple) -> bool:
    """May the statement at place `a` run after that at `b`, once both are in one iteration?"""
    for (stmt, i), (other, j) in zip(a[1], b[1], strict=False):
        if stmt is not other:
            break
        if i != j:
            return False
    return a[0] > b[0]
