"""What an expression evaluates to while a function is lowered: names of the core, and structures known at that time.

Tuples, objects, functions and small lists of known structure are never built by the core: their leaves are names.
A mutable object made by the program is a `Ref` to a cell of the lowerer's store, whose contents are replaced when it is
written to; one that was reached from outside is an `Outside` place and is only read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .core import UNDEFINED, Const, Var


@dataclass(frozen=True, eq=False)
class Tup:
    """A tuple; `cls` is a namedtuple's class or tuple."""

    items: tuple
    cls: type = tuple


@dataclass(frozen=True, eq=False)
class Func:
    """A Python function; `place` is where it was found, through which its cells and defaults are read."""

    function: Any
    place: Any


@dataclass(frozen=True, eq=False)
class Closure:
    """A function defined inside the function being lowered: its tree, the frame it captures, evaluated defaults."""

    node: Any
    frame: Any
    defaults: dict
    name: str


@dataclass(frozen=True, eq=False)
class Bound:
    """A method of a known object."""

    function: Any
    receiver: Any


@dataclass(frozen=True, eq=False)
class Method:
    """A method implemented in C, of an array or a container: `receiver.name`."""

    receiver: Any
    name: str


@dataclass(frozen=True, eq=False)
class Derivative:
    """grad(f): what the `grad` family returns."""

    function: Any
    argnums: Any
    with_value: bool


@dataclass(frozen=True, eq=False)
class Ref:
    """A mutable object that the program made itself."""

    number: int


@dataclass(frozen=True, eq=False)
class Outside:
    """A list, dict or object reached from an argument, a global or a cell."""

    place: Any


@dataclass(frozen=True, eq=False)
class Iter:
    """zip, enumerate or reversed of values, to be looped over once."""

    kind: str
    parts: tuple


@dataclass(frozen=True, eq=False)
class Poison:
    """A value whose type is not known; reading it ends the attempt."""

    reason: str


@dataclass(frozen=True, eq=False)
class Maybe:
    """A variable that may be unbound; reading it checks."""

    value: Any


@dataclass(frozen=True, eq=False)
class ListOf:
    """Contents of a list of known length."""

    items: tuple


@dataclass(frozen=True, eq=False)
class DictOf:
    """Contents of a dict with known keys."""

    items: dict


@dataclass(frozen=True, eq=False)
class Fields:
    """Contents of an object."""

    cls: type
    items: dict


@dataclass(frozen=True, eq=False)
class Grown:
    """Contents of a list whose length is not known: a name of type Seq."""

    atom: Any


ABSENT = Maybe(UNDEFINED)


def is_leaf(value: Any) -> bool:
    """Is `value` a number or array, that flows by name?"""
    if type(value) is Const:
        return type(value.value) in (bool, int, float, complex)
    return type(value) is Var or value is UNDEFINED


def parts_of(value: Any) -> tuple[Any, tuple] | None:
    """(what distinguishes the structure, its children), or None where there is nothing inside."""
    kind = type(value)
    if kind is Tup:
        return (Tup, value.cls, len(value.items)), value.items
    if kind is ListOf:
        return (ListOf, len(value.items)), value.items
    if kind is DictOf:
        return (DictOf, tuple(value.items)), tuple(value.items.values())
    if kind is Fields:
        return (Fields, value.cls, tuple(value.items)), tuple(value.items.values())
    if kind is Grown:
        return (Grown,), (value.atom,)
    if kind is Bound:
        return (Bound, id_of(value.function)), (value.receiver,)
    return None


def with_parts(value: Any, parts: list) -> Any:
    """The structure of `value` with other children."""
    kind = type(value)
    if kind is Tup:
        return Tup(tuple(parts), value.cls)
    if kind is ListOf:
        return ListOf(tuple(parts))
    if kind is DictOf:
        return DictOf(dict(zip(value.items, parts, strict=True)))
    if kind is Fields:
        return Fields(value.cls, dict(zip(value.items, parts, strict=True)))
    if kind is Grown:
        return Grown(parts[0])
    return Bound(value.function, parts[0])


def id_of(value: Any) -> Any:
    """What tells two values without children apart: the same answer, the same value at run time."""
    kind = type(value)
    if kind is Const:
        v = value.value
        return (type(v), v) if type(v) in (bool, int, str, type(None)) else (type(v), id(v))
    if kind is Func:
        return (Func, id(value.function), id(value.place))
    if kind is Ref:
        return (Ref, value.number)
    if kind is Outside:
        return (Outside, id(value.place))
    return id(value)


def flatten(value: Any) -> tuple[Any, list]:
    """(skeleton, leaves): equal skeletons mean values that differ in their leaves only."""
    if is_leaf(value):
        return "leaf", [value]
    if type(value) is Maybe:
        return flatten(value.value)
    parts = parts_of(value)
    if parts is None:
        return id_of(value), []
    kind, children = parts
    skeletons, leaves = [], []
    for child in children:
        skeleton, inner = flatten(child)
        skeletons.append(skeleton)
        leaves.extend(inner)
    return (kind, *skeletons), leaves


def refill(value: Any, leaves: list) -> Any:
    """`value` with its leaves replaced, in the order of `flatten`; `leaves` is consumed."""
    if is_leaf(value):
        return leaves.pop(0)
    if type(value) is Maybe:
        return Maybe(refill(value.value, leaves))
    parts = parts_of(value)
    if parts is None:
        return value
    return with_parts(value, [refill(child, leaves) for child in parts[1]])
