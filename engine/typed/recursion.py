"""A function that calls itself while it is being lowered: its body is lowered once, its inner calls are calls of it.

What the inner calls return is not known at first: the paths on which there is one are left out, and what the others
return is the first guess. Types of arguments and results are widened until they hold at every level.
"""

from __future__ import annotations

import operator
from typing import Any

from .core import UNDEFINED, Block, Const, Let, Var, free_in, walk
from .lower_frames import Frame
from .procedures import Procedure
from .stores import settle
from .types import Array, NotTyped, Scalar, Seq, is_active_type, join, type_of
from .values import Tup, flatten, refill

GUESSES = 12


class Recursion(NotTyped):
    """A function called inside itself; where it is known that it will be, it is lowered in another way."""

    def __init__(self, key: Any) -> None:
        super().__init__("recursion")
        self.key = key


class Endless(NotTyped):
    """What an inner call returns is not known yet; the other path tells."""

    def __init__(self, procedure: Procedure) -> None:
        super().__init__("a function that only calls itself")
        self.procedure = procedure


class Wider(NotTyped):
    """An inner call with arguments of other types."""

    def __init__(self, procedure: Procedure, types: list) -> None:
        super().__init__("a call of itself with other types")
        self.procedure, self.types = procedure, types


ESCAPES = (Recursion, Endless, Wider)


def unspecific(type_: Any) -> Any:
    """A type without what is known of this very value's lengths."""
    if isinstance(type_, Scalar):
        return Scalar(type_.kinds)
    if isinstance(type_, Array):
        return Array(type_.dtype, tuple([m[:1] for m in type_.mask]))
    return type_


class Recursions:
    """The part of the lowerer that calls procedures."""

    def called(self, frame: Frame, node: Any, key: Any) -> Any:
        """The value of a call of a function that is known to call itself; its arguments are bound in `frame`."""
        try:
            return self.call_procedure(frame, node, key)
        except ESCAPES:
            raise
        except NotTyped as error:
            raise Recursion(key) from error

    def call_procedure(self, frame: Frame, node: Any, key: Any) -> Any:
        names = sorted(name for number, name in self.store if number == frame.number)
        values = [self.store.pop((frame.number, name)) for name in names]
        skeleton, leaves = flatten(Tup(tuple(values)))
        if any(v is UNDEFINED or type(v) not in (Var, Const) for v in leaves):
            raise NotTyped("an argument that may be missing")
        skeleton = (skeleton, tuple(names), id(frame.parent))
        types = [unspecific(type_of(v)) for v in leaves]
        made = self.building.get(key)
        if made is not None:
            if made.skeleton != skeleton:
                raise NotTyped("a call of itself with another structure")
            self.same_function(frame.place, made.place)
            wider = list(map(join, made.types, types))
            if wider != made.types:
                raise Wider(made, wider)
            if made.returns is None:
                raise Endless(made)
            return self.call_of(made, leaves)
        for known in self.procedures.get(key, ()):
            if known.skeleton == skeleton and known.place is frame.place and self.serves(known, types):
                return self.call_of(known, [*leaves, *known.free])
        made = Procedure(getattr(node, "name", "<lambda>"), skeleton, types, frame.place)
        made.printing = self.filename, frame.globals
        self.build(made, frame, node, key, dict(zip(names, values, strict=True)))
        if not self.guessing:
            self.procedures.setdefault(key, []).append(made)
        return self.call_of(made, [*leaves, *made.free])

    def same_function(self, a: Any, b: Any) -> None:
        """Rely on two places holding one function: what it has captured is read at the first."""
        if a is b:
            return
        if a is None or b is None or a.value is not b.value:
            raise NotTyped("another function of the same code")
        self.places.identical.append((a, b))

    def serves(self, known: Procedure, types: list) -> bool:
        if any(self.store.get(where) is not value for where, value in known.reads.items()):
            return False
        try:
            return list(map(join, known.types, types)) == known.types
        except NotTyped:
            return False

    def build(self, made: Procedure, frame: Frame, node: Any, key: Any, values: dict) -> None:
        state, number = self.snapshot(), self.numbers
        for _ in range(GUESSES):
            reads = self.reads
            self.building, self.guessing, self.reads = {**self.building, key: made}, made.returns is None, {}
            try:
                value = self.body_of(made, frame, node, key, values)
                self.check_unwritten(state["store"])
            except Wider as wider:
                if wider.procedure is not made:
                    raise
                made.types = wider.types
                self.rollback(state)
                continue
            except Endless as error:
                if error.procedure is not made:
                    raise
                raise NotTyped(str(error)) from error
            self.check_returned(value)
            _, leaves = flatten(value)
            types = [unspecific(type_of(v)) for v in leaves]
            before = made.returns
            if before is not None and len(before) == len(types):
                types = list(map(join, before, types))
            made.value, made.returns, made.leaves = value, types, leaves
            made.reads = {where: v for where, v in self.reads.items() if where[0] <= number}
            reads.update(made.reads)
            block = self.block
            self.rollback(state)
            if types == before:
                self.finished(made, block)
                return
        raise NotTyped("a recursion whose types do not settle")

    def body_of(self, made: Procedure, frame: Frame, node: Any, key: Any, values: dict) -> Any:
        """Lower the body for parameters of the types guessed so far, into a block of its own."""
        inner = Frame(self.new_number(), frame.globals, frame.filename)
        inner.locals, inner.cells, inner.parent = set(frame.locals), frame.cells, frame.parent
        inner.class_name, inner.place = frame.class_name, frame.place
        _, leaves = flatten(Tup(tuple(values.values())))
        made.params = [
            Var(self.named(type_), v.hint if type(v) is Var else "x")
            for v, type_ in zip(leaves, made.types, strict=True)
        ]
        for name, value in zip(values, refill(Tup(tuple(values.values())), list(made.params)).items, strict=True):
            self.store[inner.number, name] = value
        self.block, self.iterated = Block(), []
        self.callees.append((key, made))
        value = self.run_body(inner, node)
        self.callees.pop()
        return value

    def check_unwritten(self, before: dict) -> None:
        """Lists, objects and variables of outside are as they were, so that every level finds the same."""
        if any(self.store.get(where) is not value for where, value in before.items()):
            raise NotTyped("a recursive function that writes to what it did not make")

    def check_returned(self, value: Any) -> None:
        if type(value) is Tup:
            for item in value.items:
                self.check_returned(item)
        elif value is UNDEFINED or type(value) not in (Var, Const):
            raise NotTyped("a recursive function that returns a list or an object")

    def finished(self, made: Procedure, block: Block) -> None:
        """Note what the body takes from outside, and hand it to the inner calls."""
        made.block = block
        made.free = [v for v in free_in(block, made.leaves) if v not in made.params]
        self.hand_on(made)
        given = [*made.params, *made.free]
        if any(isinstance(v.type, Seq) and is_active_type(v.type) for v in given):
            raise NotTyped("a list of numbers given to a recursive function")
        if not all(isinstance(t, Scalar | Array) for t in made.returns):
            raise NotTyped("a recursive function that returns something else than numbers and arrays")
        made.active = [
            i for i, v in enumerate(given) if is_active_type(v.type) and (v in made.params or self.depends(v))
        ]
        here, self.block = self.block, block
        settle(self, block, made.leaves, set(given))
        self.block = here
        made.is_whole = True

    def hand_on(self, made: Procedure) -> None:
        """Give the inner calls what the body takes from outside, through the procedures in it that call it as well."""
        blocks = {made: made.block}
        pending = [made]
        callers: dict = {}
        while pending:
            caller = pending.pop()
            for stmt in walk(blocks[caller]):
                if type(stmt) is Let and type(stmt.fn) is Procedure:
                    callers.setdefault(stmt.fn, set()).add(caller)
                    if stmt.fn not in blocks:
                        blocks[stmt.fn] = stmt.fn.block
                        pending.append(stmt.fn)
        more = {made: made.free}
        pending = [made]
        while pending:
            for caller in callers.get(pending.pop(), ()):
                if caller not in more:
                    known = {*caller.params, *caller.free}
                    more[caller] = [v for v in made.free if v not in known]
                    pending.append(caller)
        for block in blocks.values():
            for stmt in walk(block):
                if type(stmt) is Let and type(stmt.fn) is Procedure:
                    stmt.args = (*stmt.args, *more.get(stmt.fn, ()))
        for procedure, names in more.items():
            if procedure is not made:
                start = len(procedure.params) + len(procedure.free)
                procedure.free = [*procedure.free, *names]
                procedure.active += [
                    start + i for i, v in enumerate(names) if is_active_type(v.type) and self.depends(v)
                ]

    def call_of(self, made: Procedure, args: list) -> Any:
        out = self.emit(made, tuple(args), made.type(), hint=made.__name__, must=self.in_rule == 0)
        items = [self.emit(operator.getitem, (out, Const(i)), type_) for i, type_ in enumerate(made.returns)]
        return refill(made.value, items)
