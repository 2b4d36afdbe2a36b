"""Arrays that the program writes to: `x[i] = v`, `x[i] += v`, `x += v`, as new versions of a pure value.

Each write gives the array a new name, which takes the place of the old one wherever the program could find it: in
variables, tuples, lists and objects. That is the truth only if nobody looks at the memory under another name later on.
`settle` proves it, or leaves the program to the other tier: names that may share memory form classes (views, what
branches and loops hand on, what is put into lists); after a write, no name of the class from before the write is used,
and nothing from outside the function belongs to it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import runtime
from .core import Block, Const, If, Let, Loop, Pack, Var, blocks_of, operands, vars_of, walk
from .results import getitem_type, is_fresh
from .types import NONE, Array, NotTyped, Scalar, Seq, Several, type_of
from .values import Iter, Maybe, Method, parts_of, with_parts

OUTSIDE = object()
WHOLE = Const(Ellipsis)
APART = {
    operator.getitem, np.transpose, np.swapaxes, np.moveaxis, np.reshape, np.ravel, np.expand_dims, np.squeeze, np.real,
    np.imag, np.flip, np.rot90, np.atleast_1d, np.atleast_2d, runtime.same, operator.pos, np.positive, np.conj,
    np.conjugate, np.nan_to_num, np.asarray,
}  # fmt: skip
"""Functions that may return a view, in which no two elements are the same memory."""


class Stores:
    """The part of the lowerer that writes to arrays."""

    def store_array(self, old: Var, index: Any, value: Any) -> Var:
        """old[index] = value."""
        self.fits(old, index := self.argument(index), value := self.stored(value))
        return self.supersede(old, self.emit(runtime.put, (old, index, value), old.type, hint=old.hint, must=True))

    def add_to_array(self, fn: Any, old: Var, index: Any, value: Any) -> Var:
        """old[index] = fn(old[index], value), as an augmented assignment does it."""
        index, value = self.argument(index), self.stored(value)
        if fn in (operator.add, operator.sub) and is_basic(index):
            self.fits(old, index, value)
            value = value if fn is operator.add else self.let(operator.neg, (value,))
            new = self.emit(runtime.addat, (old, index, value), old.type, hint=old.hint, must=True)
            return self.supersede(old, new)
        return self.store_array(old, index, self.binary(fn, self.let(operator.getitem, (old, index)), value))

    def write_whole(self, fn: Any, old: Var, value: Any) -> Var:
        """`old fn= value`, for every name of the array."""
        value, mask = self.stored(value), old.type.mask
        unsure = any(m.startswith("?") for m in mask)
        if unsure and mask and fn in (operator.add, operator.sub):
            return self.add_to_array(fn, old, WHOLE, value)
        new = self.binary(fn, old, value)
        if not unsure and type(new) is Var and new.type == old.type:
            return self.supersede(old, new)
        return self.store_array(old, WHOLE if mask else Const(()), new)

    def stored(self, value: Any) -> Any:
        if type(value) in (Var, Const) and isinstance(type_of(value), Scalar | Array):
            return value
        return self.let(np.array, (value,))

    def fits(self, old: Var, index: Any, value: Any) -> None:
        """May `value` be stored there without losing a derivative, or one of two values stored in one place?"""
        place, of = getitem_type(old, index), type_of(value)
        if not isinstance(of, Scalar | Array):
            raise NotTyped("a store of something else than a number or an array")
        if not is_basic(index) and not is_mask(index):
            self.emit(runtime.distinct, (index, old), NONE, must=self.in_rule == 0)
        ndim = len(place.mask) if isinstance(place, Array) else 0
        if isinstance(of, Array) and len(of.mask) > ndim:
            raise NotTyped("a store of an array of more dimensions")
        kinds = {of.dtype.name} if isinstance(of, Array) else of.kinds
        if not all(
            kind in ("float", "int", "bool") or np.can_cast(kind, old.type.dtype, "same_kind") for kind in kinds
        ):
            raise NotTyped(f"a store of {of} into an array of {old.type.dtype}")
        if old.type.dtype.kind not in "fc" and "float" in kinds:
            raise NotTyped("a store of a number into an array of ints")

    def supersede(self, old: Var, new: Var) -> Var:
        """`new` is what the memory of `old` holds from now on."""
        self.writes[new] = old
        self.roots[new] = self.root_of(old)
        for key, value in self.store.items():
            changed = renamed(value, old, new)
            if changed is not value:
                self.store[key] = changed
        return new


def is_basic(index: Any) -> bool:
    """Is it made of ints, slices, None and ..., so that it names each element once?"""
    parts = index.items if type(index) is Pack and index.kind is tuple else (index,)
    return all(
        (type(p) is Pack and p.kind is slice)
        or (type(p) is Const and (p.value is None or p.value is Ellipsis or type(p.value) is int))
        or (isinstance(type_of(p), Scalar) and type_of(p).kinds <= {"int", "int64", "int32", "uint8"})
        for p in parts
    )


def is_mask(index: Any) -> bool:
    return isinstance(type_of(index), Array) and type_of(index).dtype.kind == "b"


def renamed(value: Any, old: Var, new: Var) -> Any:
    """`value` with `new` in the place of `old`; itself where it does not hold it."""
    if value is old:
        return new
    if type(value) is Maybe:
        inner = renamed(value.value, old, new)
        return value if inner is value.value else Maybe(inner)
    if type(value) is Method:
        receiver = renamed(value.receiver, old, new)
        return value if receiver is value.receiver else Method(receiver, value.name)
    if type(value) is Iter:
        parts = [renamed(p, old, new) for p in value.parts]
        same = all(p is q for p, q in zip(parts, value.parts, strict=True))
        return value if same else Iter(value.kind, tuple(parts))
    structure = parts_of(value)
    if structure is None:
        return value
    parts = [renamed(p, old, new) for p in structure[1]]
    same = all(p is q for p, q in zip(parts, structure[1], strict=True))
    return value if same else with_parts(value, parts)


# ---- the proof


def settle(lowerer: Any, block: Block, handed: list, outside: set | frozenset = frozenset()) -> None:
    """Prove that the writes in `block` are what the program means, and fix what is read of arrays that are written to.

    Raises:
        NotTyped: a write may be seen under another name.
    """
    writes = [stmt for stmt in walk(block) if type(stmt) is Let and stmt.out in lowerer.writes]
    if not writes:
        return
    classes = Classes({p.var for p in lowerer.places.read if p.var is not None} | outside)
    classes.block(block)
    for stmt in writes:
        classes.union(stmt.out, lowerer.writes[stmt.out])
    program = Order()
    program.block(block, (), handed)
    for stmt in writes:
        written = classes.find(stmt.out)
        if written is classes.find(OUTSIDE):
            raise NotTyped("a write to an array from outside")
        for v, use in program.uses:
            if classes.find(v) is written and program.sees(v, use, stmt):
                raise NotTyped(f"a write to {stmt.out.hint} that another name may see")
    stored = {classes.find(stmt.out) for stmt in writes}
    for stmt in walk(block):
        if type(stmt) is Let and isinstance(stmt.out.type, Array) and classes.find(stmt.out) in stored:
            if not is_fresh(stmt) and stmt.fn not in APART and stmt.out not in lowerer.writes:
                raise NotTyped(
                    f"a write to a view by {getattr(stmt.fn, '__name__', stmt.fn)}, which may overlap itself"
                )
        is_read = type(stmt) is Let and stmt.fn is operator.getitem and not isinstance(type_of(stmt.args[0]), Several)
        if is_read and classes.find(stmt.args[0]) in stored:
            stmt.fn = runtime.read


class Classes:
    """Names that may share memory."""

    def __init__(self, outside: set) -> None:
        self.parents: dict[Any, Any] = dict.fromkeys(outside, OUTSIDE)

    def find(self, v: Any) -> Any:
        while v in self.parents:
            v = self.parents[v]
        return v

    def union(self, a: Any, b: Any) -> None:
        a, b = (self.find(v if type(v) is Var or v is OUTSIDE else OUTSIDE) for v in (a, b))
        if a is not b:
            self.parents[b if a is OUTSIDE else a] = a if a is OUTSIDE else b

    def block(self, block: Block) -> None:
        for stmt in walk(block):
            if type(stmt) is Let:
                if isinstance(stmt.out.type, Array | Seq | Several) and not is_fresh(stmt):
                    for v in memory_of(stmt.args):
                        self.union(stmt.out, v)
                elif isinstance(stmt.out.type, Seq):
                    for v in memory_of(stmt.args):
                        self.union(stmt.out, v)
            elif type(stmt) is If:
                for out, *values in zip(stmt.outs, stmt.then_values, stmt.else_values, strict=True):
                    self.same(out, values)
            else:
                for x in stmt.xs:
                    self.same(x.elem, [x.seq])
                for c in stmt.carried:
                    self.same(c.out, [c.param, c.init, c.next])
                for y in stmt.ys:
                    self.same(y.out, [y.value])

    def same(self, v: Var, others: list) -> None:
        if isinstance(v.type, Array | Seq | Several):
            for other in memory_of(others):
                self.union(v, other)


def memory_of(args: Any) -> Iterator[Any]:
    """The arrays and lists among arguments; a constant array is memory from outside."""
    for arg in args:
        if type(arg) is Pack:
            yield from memory_of(arg.items)
        elif isinstance(type_of(arg) if type(arg) is Var else None, Array | Seq | Several) or (
            type(arg) is Const and isinstance(arg.value, np.ndarray)
        ):
            yield arg


class Order:
    """Where names are defined and used: (number in the order of the text, the branches and loops around it)."""

    def __init__(self) -> None:
        self.places: dict[Any, tuple] = {}
        self.uses: list[tuple[Var, tuple]] = []
        self.next = 0

    def here(self, path: tuple) -> tuple:
        self.next += 1
        return self.next, path

    def block(self, block: Block, path: tuple, handed: Any) -> None:
        for stmt in block.stmts:
            at = self.here(path)
            self.uses.extend([(v, at) for v in operands(stmt)])
            if type(stmt) is Loop:
                inside = self.here((*path, (stmt, 0)))
                self.places.update(dict.fromkeys([x.elem for x in stmt.xs] + [c.param for c in stmt.carried], inside))
            for i, (inner, values) in enumerate(blocks_of(stmt)):
                self.block(inner, (*path, (stmt, i)), values)
            end = self.here(path) if type(stmt) is not Let else at
            self.places[stmt] = at
            outs = [stmt.out] if type(stmt) is Let else stmt.outs if type(stmt) is If else _outs(stmt)
            self.places.update(dict.fromkeys(outs, end))
        at = self.here(path)
        self.uses.extend([(v, at) for v in vars_of(handed)])

    def sees(self, v: Var, use: tuple, write: Let) -> bool:
        """May `v`, defined before the write, be used after it?"""
        number, path = self.places[write]
        defined = self.places.get(v, (0, ()))
        if defined[0] >= number:
            return False
        for loop in (stmt for stmt, _ in path if type(stmt) is Loop):
            if any(stmt is loop for stmt, _ in use[1]) and not any(stmt is loop for stmt, _ in defined[1]):
                return True
        return use[0] > number and not apart(use[1], path)


def apart(a: tuple, b: tuple) -> bool:
    """Are these the paths of two places in different branches of one If?"""
    for (stmt, i), (other, j) in zip(a, b, strict=False):
        if stmt is not other:
            return False
        if i != j:
            return True
    return False


def _outs(loop: Loop) -> list:
    return [c.out for c in loop.carried] + [y.out for y in loop.ys]
