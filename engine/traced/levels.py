"""Values that carry a derivative, and the levels of differentiation they carry it for.

Rewritten code keeps plain values, except that a local variable (or a tuple in one) may hold a `Traced`: a value, the
node that collects its cotangent, and the level of differentiation it belongs to. A derivative inside a derivative
opens an inner level: its `Traced` wraps the value as the outer levels see it, which may be a `Traced` again. Nothing
but rewritten code and this package ever meets a `Traced`; what is stored in a list, an object, a cell, or given to a
foreign function is plain, and its derivative is found again by the identity of the storage (see `storage`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..tangents import is_differentiable

__all__ = ["Level", "Node", "Traced", "deep", "live", "node_at", "plain", "root_of", "strip", "wrap"]


class Node:
    """The place where the cotangent of one value is collected during a reverse sweep."""

    __slots__ = ("__weakref__",)


class Traced:
    """A value in a local variable, with the node of its cotangent at one level."""

    __slots__ = ("level", "node", "primal")
    __array_ufunc__ = None  # NumPy must never take one for an object

    def __init__(self, level: Level, primal: Any, node: Node) -> None:
        self.level = level
        self.primal = primal
        self.node = node

    def __bool__(self) -> bool:  # `a and b`, `a or b` stay as they are in rewritten code
        return bool(plain(self))

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("internal error: a traced value has leaked into foreign code")

    def __iter__(self) -> Any:
        raise AssertionError("internal error: a traced value has leaked into foreign code")

    def __repr__(self) -> str:
        return f"Traced<{self.level.depth}>({self.primal!r})"


class Level:
    """One differentiation in progress: its tape and what it knows by identity.

    transposing: it records a pullback, to run it backwards: forward mode.
    args: the shapes of the arguments that the derivative is taken by.
    tape: entries in the order of execution, each with `reverse(sweep)`.
    active: id -> storage (list, dict, cell, ...) in which some value has a derivative; kept alive, so no id is reused.
    implicit: id -> (array, node) of the implicit parameters.
    owners: id of a base array -> (base, the array as named, node that owns its cotangent).
    written: id of a base array -> base, once it has been written to: its cotangent is a buffer from then on.
    claimed: id of a base array that an argument brought in -> base.
    shared: id of a base array reached by two arguments -> base; writing to it is refused.
    lent: id of a base array that a function with a rule of the program's has handed on -> (base, the function's name);
        writing to it is refused.
    caches: id of an lru_cache -> (it, what this run has computed through it).
    keyed: id -> container that has an active value as a key.
    """

    def __init__(self, depth: int, transposing: bool = False) -> None:
        self.depth = depth
        self.transposing = transposing
        self.args: list[Any] = []
        self.tape: list[Any] = []
        self.active: dict[int, Any] = {}
        self.implicit: dict[int, tuple[np.ndarray, Node]] = {}
        self.owners: dict[int, tuple[np.ndarray, np.ndarray, Node]] = {}
        self.written: dict[int, np.ndarray] = {}
        self.claimed: dict[int, np.ndarray] = {}
        self.shared: dict[int, np.ndarray] = {}
        self.lent: dict[int, tuple[np.ndarray, str]] = {}
        self.keyed: dict[int, Any] = {}
        self.caches: dict[int, tuple[Any, dict]] = {}


class _Stack(threading.local):
    """The levels now recording, outermost first; each thread has its own."""

    def __init__(self) -> None:
        self.levels: list[Level] = []
        self.draws = 0  # random numbers drawn so far, in no unit: only whether it has moved is asked


live = _Stack()


def plain(value: Any) -> Any:
    """The value itself, as foreign code and containers see it."""
    while type(value) is Traced:
        value = value.primal
    if isinstance(value, tuple) and value:
        return deep(plain, value)
    return value


def deep(function: Callable[[Any], Any], value: tuple) -> tuple:
    """`function` of each element of a tuple; the very same tuple where nothing changes, named tuples stay named."""
    items = [function(item) for item in value]
    if all(new is old for new, old in zip(items, value, strict=True)):
        return value
    if type(value) is tuple:
        return tuple(items)
    if hasattr(value, "_make"):
        return value._make(items)
    return tuple.__new__(type(value), items)


def strip(value: Any, level: Level) -> Any:
    """The value as the levels outside `level` see it."""
    while type(value) is Traced and value.level.depth >= level.depth:
        value = value.primal
    if isinstance(value, tuple) and value:
        return deep(lambda item: strip(item, level), value)
    return value


def node_at(level: Level, value: Any) -> Node | None:
    """The node of a traced value at one level."""
    while type(value) is Traced:
        if value.level is level:
            return value.node
        value = value.primal
    return None


def wrap(level: Level, value: Any, on_leaf: Callable[[Any, Node], None]) -> Any:
    """`value` with a new node at `level` on each leaf that can carry a derivative."""
    if isinstance(value, tuple):
        return deep(lambda item: wrap(level, item, on_leaf), value)
    bare = value
    while type(bare) is Traced:
        bare = bare.primal
    if not is_differentiable(bare):
        return value
    node = Node()
    on_leaf(value, node)
    if isinstance(bare, np.ndarray):
        own(level, bare, node)
    return Traced(level, value, node)


def own(level: Level, array: np.ndarray, node: Node) -> None:
    """The first node that names (part of) a base owns its cotangent, until the base is written to."""
    base = root_of(array)
    level.owners.setdefault(id(base), (base, array, node))


def root_of(array: np.ndarray) -> np.ndarray:
    """The array that owns the memory `array` looks at; as_strided has something in between that is no array."""
    base = array.base
    while base is not None:
        if isinstance(base, np.ndarray):
            array = base
        base = getattr(base, "base", None)
    return array
