"""The core: what a Python function becomes before it is differentiated, optimised and printed.

    atom   =  Var | Const | UNDEFINED            a name (assigned once), a Python value, a value that is never read
    arg    =  atom | Pack(kind, args)            a tuple, list, slice or dict display made on the spot
    stmt   =  Let(out, fn, args, kw)             out = fn(*args, **kw), fn a Python callable without side effect
           |  If(cond, then, orelse, outs)       each out is a value of the branch taken
           |  Loop(xs, carried, ys, body)        a scan
    block  =  a list of statements; a name is visible below its definition in its block and in the blocks nested there

A Loop consumes the sequences `xs` in parallel, from the front or from the back, and carries values from one iteration
to the next; `ys` collect one value an iteration. With `go`, one of the carried values, it stops as soon as that is
false (a Loop without `xs` is a `while`). The reverse of a Loop is a Loop, whose `xs` are the `ys` that the first one
saved: the core is closed under differentiation. Everything is pure; what may be done in place is decided when it is
printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

_numbers = count()


class Var:
    """A name of the core, assigned once. `hint` is the user's name for it, where there is one."""

    __slots__ = ("hint", "number", "type")

    def __init__(self, type: Any, hint: str = "t") -> None:
        self.type, self.hint, self.number = type, hint, next(_numbers)

    def __repr__(self) -> str:
        return f"{self.hint}.{self.number}"


class Const:
    """A value known before the program runs."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return getattr(self.value, "__qualname__", None) or repr(self.value)


class _Undefined:
    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED = _Undefined()


class Pack:
    """A display made where it is used: kind is tuple, list, slice or dict (items then alternate keys and values)."""

    __slots__ = ("items", "kind")

    def __init__(self, kind: type, items: tuple) -> None:
        self.kind, self.items = kind, items

    def __repr__(self) -> str:
        return f"{self.kind.__name__}{self.items}"


Atom = Any  # Var | Const | UNDEFINED
Arg = Any  # Atom | Pack


@dataclass(eq=False, slots=True)
class Block:
    stmts: list = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Let:
    """`must`: the user wrote it and it may raise, so it stays although nobody needs its value.

    `origins`: the statements that this one computes again in a reverse sweep, and in whose place it may raise.
    """

    out: Var
    fn: Callable
    args: tuple
    kw: tuple = ()
    line: int = 0
    must: bool = False
    origins: tuple = ()


@dataclass(eq=False, slots=True)
class If:
    cond: Atom
    then: Block
    orelse: Block
    outs: list
    then_values: list
    else_values: list
    line: int = 0


@dataclass(eq=False, slots=True)
class Carried:
    param: Var
    init: Atom
    next: Atom
    out: Var


@dataclass(eq=False, slots=True)
class Each:
    """One value an iteration out of `seq`, from its end if `backwards`."""

    elem: Var
    seq: Atom
    backwards: bool = False


@dataclass(eq=False, slots=True)
class Saved:
    value: Atom
    out: Var


@dataclass(eq=False, slots=True)
class Loop:
    xs: list
    carried: list
    ys: list
    body: Block
    go: Carried | None = None
    line: int = 0


@dataclass(eq=False)
class Program:
    """`results` is an arg (any structure of Packs) over the names of `body`; `params` are defined from outside."""

    params: list
    body: Block
    results: Arg


def atoms_of(arg: Arg) -> Iterator[Atom]:
    if isinstance(arg, Pack):
        for item in arg.items:
            yield from atoms_of(item)
    else:
        yield arg


def vars_of(args: tuple | list) -> Iterator[Var]:
    for arg in args:
        if type(arg) is Var:
            yield arg
        elif type(arg) is Pack:
            yield from vars_of(arg.items)


def operands(stmt: Any) -> Iterator[Var]:
    """The names that the statement itself mentions, not those of the blocks in it."""
    if type(stmt) is Let:
        yield from vars_of(stmt.args)
        for _, arg in stmt.kw:
            yield from vars_of((arg,))
    elif type(stmt) is If:
        yield from vars_of((stmt.cond,))
    else:
        yield from vars_of([x.seq for x in stmt.xs])
        yield from vars_of([c.init for c in stmt.carried])


def outs_of(stmt: Any) -> list[Var]:
    if type(stmt) is Let:
        return [stmt.out]
    if type(stmt) is If:
        return stmt.outs
    return [c.out for c in stmt.carried] + [y.out for y in stmt.ys]


def blocks_of(stmt: Any) -> list[tuple[Block, list[Atom]]]:
    """The blocks nested in a statement, each with the values it hands out at its end."""
    if type(stmt) is If:
        return [(stmt.then, stmt.then_values), (stmt.orelse, stmt.else_values)]
    if type(stmt) is Loop:
        return [(stmt.body, [c.next for c in stmt.carried] + [y.value for y in stmt.ys])]
    return []


def bound_in(stmt: Any) -> list[Var]:
    """The names that the statement defines inside its own blocks, at their entry."""
    return [x.elem for x in stmt.xs] + [c.param for c in stmt.carried] if type(stmt) is Loop else []


def walk(block: Block) -> Iterator[Any]:
    for stmt in block.stmts:
        yield stmt
        for inner, _ in blocks_of(stmt):
            yield from walk(inner)


def defined_in(block: Block) -> set[Var]:
    """The names visible at the end of `block` and defined in it."""
    return {out for stmt in block.stmts for out in outs_of(stmt)}


def free_in(block: Block, values: list) -> dict[Var, None]:
    """The names that `block`, or the values it hands out, takes from outside; in order of appearance."""
    free: dict[Var, None] = {}
    _free(block, values, set(), free)
    return free


def _free(block: Block, values: list, known: set, free: dict) -> None:
    known = set(known)
    for stmt in block.stmts:
        free.update((v, None) for v in operands(stmt) if v not in known)
        inside = known.union(bound_in(stmt)) if type(stmt) is Loop else known
        for inner, handed in blocks_of(stmt):
            _free(inner, handed, inside, free)
        known.update(outs_of(stmt))
    free.update((v, None) for v in vars_of(values) if v not in known)


def renamed(arg: Arg, names: dict) -> Arg:
    """`arg` with other atoms in the place of names."""
    if type(arg) is Pack:
        return Pack(arg.kind, tuple([renamed(item, names) for item in arg.items]))
    return names.get(arg, arg) if type(arg) is Var else arg


def substitute(block: Block, values: dict) -> None:
    """Put atoms in the place of names, everywhere in `block`."""
    if not values:
        return

    def new(arg: Arg) -> Arg:
        return renamed(arg, values)

    for stmt in walk(block):
        if type(stmt) is Let:
            stmt.args = tuple([new(arg) for arg in stmt.args])
            if stmt.kw:
                stmt.kw = tuple([(name, new(arg)) for name, arg in stmt.kw])
        elif type(stmt) is If:
            stmt.cond = new(stmt.cond)
            stmt.then_values = [new(v) for v in stmt.then_values]
            stmt.else_values = [new(v) for v in stmt.else_values]
        else:
            for x in stmt.xs:
                x.seq = new(x.seq)
            for c in stmt.carried:
                c.init, c.next = new(c.init), new(c.next)
            for y in stmt.ys:
                y.value = new(y.value)


def text_of(block: Block, indent: str = "") -> str:
    """The core as text, for people."""
    lines = []
    for stmt in block.stmts:
        if type(stmt) is Let:
            kw = "".join(f", {k}={v}" for k, v in stmt.kw)
            lines.append(
                f"{indent}{stmt.out} = {getattr(stmt.fn, '__name__', stmt.fn)}{stmt.args}{kw}  : {stmt.out.type}"
            )
        elif type(stmt) is If:
            lines.append(f"{indent}if {stmt.cond}:")
            lines.append(text_of(stmt.then, indent + "    ") + f"\n{indent}    -> {stmt.then_values}")
            lines.append(
                f"{indent}else:\n" + text_of(stmt.orelse, indent + "    ") + f"\n{indent}    -> {stmt.else_values}"
            )
            lines.append(f"{indent}=> {stmt.outs}")
        else:
            xs = ", ".join(f"{x.elem} in {'reversed ' * x.backwards}{x.seq}" for x in stmt.xs)
            inits = ", ".join(f"{c.param} = {c.init}" for c in stmt.carried)
            lines.append(f"{indent}loop {xs} go {stmt.go and stmt.go.param} carried {inits}:")
            lines.append(text_of(stmt.body, indent + "    "))
            lines.append(f"{indent}    next {[c.next for c in stmt.carried]} save {[y.value for y in stmt.ys]}")
            lines.append(f"{indent}=> {outs_of(stmt)}")
    return "\n".join(lines)
