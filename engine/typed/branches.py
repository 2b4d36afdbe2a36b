"""Both branches of a condition, interpreted on copies of the store that are merged leaf by leaf; what cannot be typed
is undone.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from .core import UNDEFINED, Block, Const, If, Var
from .recursion import ESCAPES, Endless
from .types import BOOL, NotTyped, join, type_of
from .values import ABSENT, Grown, ListOf, Maybe, Poison, Tup, id_of, is_leaf, parts_of, with_parts

COMPARISONS = {operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge}


class Branches:
    """The part of the lowerer that follows several paths."""

    def branch(self, cond: Any, then: Callable, orelse: Callable) -> Any:
        """Interpret both branches and merge what they leave; returns the merged result of `then()` and `orelse()`."""
        if self.unrolling and type(cond) is Var:
            known = self.number_of(cond)
            cond = cond if known is None else Const(bool(known))
        if type(cond) is Const:
            return then() if cond.value else orelse()
        return self.either(lambda: self.both(cond, then, orelse), lambda error: self.one(cond, then, orelse, error))

    def one(self, cond: Var, then: Callable, orelse: Callable, error: NotTyped) -> Any:
        """The branch that loaded ints decide on, where both cannot be typed; the instance relies on these ints."""
        made = self.makers.get(cond)
        args = made.args if made is not None and made.fn in COMPARISONS else (None,)
        known = [self.places.fold(a) if type(a) is Var else a for a in args]
        if not all(type(a) is Const for a in known):
            raise error
        return self.branch(Const(bool(made.fn(*[a.value for a in known]))), then, orelse)

    def both(self, cond: Var, then: Callable, orelse: Callable) -> Any:
        before, outer, limit, line = self.store, self.block, self.numbers, self.line
        self.undecided += 1
        results, stores, blocks = [], [], []
        for run in (then, orelse):
            self.store, self.block = dict(before), Block()
            results.append(self.unless_endless(run) if self.guessing else run())
            stores.append(self.store)
            blocks.append(self.block)
        self.store, self.block = before, outer
        self.undecided -= 1
        if any(type(r) is Endless for r in results):
            return self.only_one(results, stores, blocks)
        stmt = If(cond, *blocks, [], [], [], line)
        result = None
        if results[0] is not None or results[1] is not None:
            result = self.merge(stmt, *results)
        merged = dict(before)
        for key in {**stores[0], **stores[1]}:  # in the order of the program, which no set keeps
            if key[0] <= limit:
                a, b = stores[0].get(key, ABSENT), stores[1].get(key, ABSENT)
                merged[key] = a if a is b else self.merge(stmt, a, b, key[1])
        self.store = merged
        if any(block.stmts for block in blocks) or stmt.outs:
            self.block.stmts.append(stmt)
        return result

    def unless_endless(self, run: Callable) -> Any:
        """`run()`, or the reason why it is not known yet what comes of it."""
        state = self.snapshot()
        try:
            return run()
        except Endless as error:
            self.rollback(state)
            return error

    def only_one(self, results: list, stores: list, blocks: list) -> Any:
        """The other branch is the one that tells what a function returns that calls itself in this one."""
        known = [i for i, result in enumerate(results) if type(result) is not Endless]
        if not known:
            raise results[0]
        self.store = stores[known[0]]
        self.block.stmts.extend(blocks[known[0]].stmts)
        return results[known[0]]

    def merge(self, stmt: If, a: Any, b: Any, hint: str = "t") -> Any:
        """The value that is `a` after the `then` branch and `b` after the other."""
        if a is b or (type(a) is type(b) and id_of(a) == id_of(b) and not is_leaf(a)):
            return a
        if Maybe in (type(a), type(b)):
            inner = self.merge(stmt, *[v.value if type(v) is Maybe else v for v in (a, b)], hint)
            return inner if type(inner) is Poison else Maybe(inner)
        if a is UNDEFINED or b is UNDEFINED:
            known = b if a is UNDEFINED else a
            parts = parts_of(known)
            if parts is not None and type(known) is Tup:
                return with_parts(
                    known,
                    [self.merge(stmt, *((UNDEFINED, p) if a is UNDEFINED else (p, UNDEFINED)), hint) for p in parts[1]],
                )
            if not is_leaf(known):
                return Poison(f"{hint} is bound on one path only")
        if is_leaf(a) and is_leaf(b):
            return self.phi(stmt, a, b, hint)
        if (
            type(a) in (ListOf, Grown)
            and type(b) in (ListOf, Grown)
            and (type(a), len(getattr(a, "items", ()))) != (type(b), len(getattr(b, "items", ())))
        ):
            a, b = (self.grown(value, block) for value, block in ((a, stmt.then), (b, stmt.orelse)))
        parts, others = parts_of(a), parts_of(b)
        if parts is not None and others is not None and parts[0] == others[0]:
            return with_parts(a, [self.merge(stmt, x, y, hint) for x, y in zip(parts[1], others[1], strict=True)])
        return Poison(f"{hint} has another structure on another path")

    def grown(self, contents: Any, block: Block) -> Grown:
        """A list of known length as one name, made at the end of `block`."""
        if type(contents) is Grown:
            return contents
        here, self.block = self.block, block
        made = Grown(self.pack_list(contents.items))
        self.block = here
        return made

    def phi(self, stmt: If, a: Any, b: Any, hint: str) -> Any:
        if type(a) is Const and type(b) is Const:
            if type(a.value) is type(b.value) and repr(a.value) == repr(b.value):
                return a
            if (
                (a.value, b.value) == (True, False)
                and type_of(stmt.cond) == BOOL
                and type(a.value) is type(b.value) is bool
            ):
                return stmt.cond
        try:
            type_ = join(type_of(a), type_of(b))
        except NotTyped as error:
            return Poison(str(error))
        for out, x, y in zip(stmt.outs, stmt.then_values, stmt.else_values, strict=True):
            if x is a and y is b and type(a) is type(b) is Var:
                return out
        out = Var(self.named(type_), "returns" if hint.startswith("$") else hint)
        stmt.outs.append(out), stmt.then_values.append(a), stmt.else_values.append(b)
        return out

    def either(self, run: Callable, otherwise: Callable) -> Any:
        """`run()`; where it is not typed, all is as it was before, and `otherwise(error)`."""
        state = self.snapshot()
        try:
            return run()
        except ESCAPES:
            raise
        except NotTyped as error:
            self.rollback(state)
            return otherwise(error)

    def snapshot(self) -> dict:
        state = self.__dict__ | self.written_in_place()
        return {**state, "length": len(self.block.stmts), "loops": self.frame.loops if self.frame is not None else 0}

    def written_in_place(self) -> dict:
        return {"store": dict(self.store), "callees": list(self.callees), "iterated": list(self.iterated)}

    def rollback(self, state: dict) -> None:
        """All is as it was at the snapshot, which may be gone back to again."""
        state = dict(state)
        length, loops = state.pop("length"), state.pop("loops")
        self.__dict__.update(state)
        self.__dict__.update(self.written_in_place())
        if self.frame is not None:
            self.frame.loops = loops
        del self.block.stmts[length:]
