"""Mutable storage by identity: lists, dicts, objects, cells, module globals, function defaults.

A storage holds plain values. Once a value with a derivative is put into it, it is active at that level, and every later
read, store, insertion and removal is recorded. In the reverse sweep each active storage has a mirror, which holds the
cotangents of what the storage holds at that time: a list for lists (its length is asserted at every step, which finds
an edit that nobody recorded), a dict for everything keyed. The edits are undone on the mirror in the opposite order.

    v = s[k]     reverse:   mirror[k] += v̄
    s[k] = v     reverse:   v̄ += mirror[k];  mirror[k] = None
    s.insert(i)  reverse:   v̄ += mirror.pop(i)
    s.pop(i)     reverse:   mirror.insert(i, v̄)

An object and its `__dict__` are one storage; so are a module and its globals.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from types import CellType
from typing import Any

import numpy as np

from ..tangents import accumulate
from .levels import Level, Node, Traced, deep, live, own, plain, wrap
from .primitives import target_of
from .tape import Sweep, engine_call

__all__ = ["created", "delete", "edited", "is_tracked", "load", "load_cell", "store_cell", "stored"]


class Load:
    """A value was read from a storage."""

    __slots__ = ("key", "nodes", "size", "storage")
    selects = False

    def __init__(self, storage: Any, key: Any, size: int | None, nodes: Any) -> None:
        self.storage = storage
        self.key = key
        self.size = size
        self.nodes = nodes

    def reverse(self, sweep: Sweep) -> None:
        d = collect(sweep, self.nodes)
        if d is None:
            return
        entries = mirror(sweep, self.storage, self.size)
        entries[self.key] = engine_call(accumulate, found(entries, self.key), d)


class Store:
    """A value was put in the place of `key`; target None for a value without a derivative, or for a deletion."""

    __slots__ = ("key", "size", "storage", "target")
    selects = False

    def __init__(self, storage: Any, key: Any, size: int | None, target: Any) -> None:
        self.storage = storage
        self.key = key
        self.size = size
        self.target = target

    def reverse(self, sweep: Sweep) -> None:
        entries = sweep.mirrors.get(id(self.storage))
        if entries is None:
            return
        entries = mirror(sweep, self.storage, self.size)
        d = found(entries, self.key)
        if d is not None:
            entries[self.key] = None
            sweep.give(self.target, d)


class Edit:
    """The items from `start` on were replaced: `removed` (their nodes) by `added` (their targets); lists only."""

    __slots__ = ("added", "removed", "size", "start", "storage")
    selects = False

    def __init__(self, storage: Any, start: int, removed: list, added: list, size: int) -> None:
        self.storage = storage
        self.start = start
        self.removed = removed
        self.added = added
        self.size = size  # after the edit

    def reverse(self, sweep: Sweep) -> None:
        back = [collect(sweep, nodes) for nodes in self.removed]
        if id(self.storage) not in sweep.mirrors and all(d is None for d in back):
            return
        entries = mirror(sweep, self.storage, self.size)
        stop = self.start + len(self.added)
        for target, d in zip(self.added, entries[self.start : stop], strict=True):
            sweep.give(target, d)
        entries[self.start : stop] = back


class Permutation:
    """The items of a list were reordered: new[i] = old[order[i]]."""

    __slots__ = ("order", "storage")
    selects = False

    def __init__(self, storage: Any, order: list[int]) -> None:
        self.storage = storage
        self.order = order

    def reverse(self, sweep: Sweep) -> None:
        if id(self.storage) not in sweep.mirrors:
            return
        entries = mirror(sweep, self.storage, len(self.order))
        before: list[Any] = [None] * len(entries)
        for new, old in enumerate(self.order):
            before[old] = entries[new]
        entries[:] = before


class Creation:
    """A storage was made with these contents: key -> target."""

    __slots__ = ("storage", "targets")
    selects = False

    def __init__(self, storage: Any, targets: dict[Any, Any]) -> None:
        self.storage = storage
        self.targets = targets

    def reverse(self, sweep: Sweep) -> None:
        entries = sweep.mirrors.pop(id(self.storage), None)
        if entries is not None:
            for key, target in self.targets.items():
                sweep.give(target, found(entries, key))


def collect(sweep: Sweep, nodes: Any) -> Any:
    """The cotangents gathered on one node or a tuple of nodes; None if there are none."""
    if isinstance(nodes, tuple):
        parts = tuple([collect(sweep, n) for n in nodes])
        return None if all(p is None for p in parts) else parts
    return None if nodes is None else sweep.take(nodes)


def found(entries: Any, key: Any) -> Any:
    return entries.get(key) if isinstance(entries, dict) else entries[key]


def mirror(sweep: Sweep, storage: Any, size: int | None) -> Any:
    """The mirror of a storage, made when the first entry asks for it; its length must be what the entry saw."""
    entries = sweep.mirrors.get(id(storage))
    if entries is None:
        entries = sweep.mirrors[id(storage)] = {} if size is None else [None] * size
    elif size is not None and len(entries) != size:
        raise AssertionError(f"internal error: a list of {size} items has a mirror of {len(entries)}")
    return entries


# ---------------------------------------------------------------------------------------------------------------------
# Reading


def is_tracked(storage: Any) -> bool:
    """Is this storage active at some live level?"""
    return any(id(storage) in level.active for level in live.levels)


def load(storage: Any, key: Any, value: Any, size: int | None = None) -> Any:
    """`value`, just read from `storage[key]`, with what each live level knows of it."""
    if type(value) in _INERT or not live.levels:
        return value
    for level in live.levels:
        if id(storage) in level.active:
            value = _loaded(level, storage, key, value, size)
        elif level.implicit:
            value = _implicit(level, value)
    return value


_INERT = frozenset({int, str, bool, type(None), type(np), type(load), type, bytes, type(len)})


def _loaded(level: Level, storage: Any, key: Any, value: Any, size: int | None) -> Any:
    value, nodes = with_nodes(level, value)
    if nodes is not None:
        level.tape.append(Load(storage, key, size, nodes))
    return value


def with_nodes(level: Level, value: Any) -> tuple[Any, Any]:
    """`value` with new nodes on its leaves, and those nodes in the same structure; None where a leaf needs none.

    An implicit parameter needs none: its node is its own, whatever storage it is found in.
    """
    if isinstance(value, tuple):
        pairs = [with_nodes(level, item) for item in value]
        if all(new is old for (new, _), old in zip(pairs, value, strict=True)):
            return value, None
        items = [item for item, _ in pairs]
        made = value._make(items) if hasattr(value, "_make") else tuple.__new__(type(value), items)
        return made, None if all(nodes is None for _, nodes in pairs) else tuple([nodes for _, nodes in pairs])
    if level.implicit:
        found = _implicit(level, value)
        if found is not value:
            return found, None
    nodes: list[Node] = []
    wrapped = wrap(level, value, lambda _, node: nodes.append(node))
    return wrapped, nodes[0] if nodes else None


def _implicit(level: Level, value: Any) -> Any:
    """`value`, or a tuple that holds it, with its own node where it is an implicit parameter of the level."""
    if isinstance(value, tuple):
        return deep(lambda item: _implicit(level, item), value)
    bare = plain(value)
    if isinstance(bare, np.ndarray) and id(bare) in level.implicit:
        node = level.implicit[id(bare)][1]
        own(level, bare, node)
        return Traced(level, value, node)
    return value


# ---------------------------------------------------------------------------------------------------------------------
# Writing. The storage itself is edited by the caller, with plain values; these record what that means.


def stored(storage: Any, key: Any, value: Any, size: int | None = None) -> None:
    """Record `storage[key] = value`."""
    for level in live.levels:
        target = target_of(level, value)
        if target is not None or id(storage) in level.active:
            level.active[id(storage)] = storage
            level.tape.append(Store(storage, key, size, target))


def delete(storage: Any, key: Any) -> None:
    """Record that the entry of a keyed storage is gone."""
    stored(storage, key, None)


def created(storage: Any, items: Iterable[tuple[Any, Any]]) -> Any:
    """Record that `storage` has been made with these (key, traced value) items; returns it."""
    if live.levels:
        items = list(items)
        for level in live.levels:
            targets = {key: target_of(level, value) for key, value in items}
            targets = {key: target for key, target in targets.items() if target is not None}
            if targets:
                level.active[id(storage)] = storage
                level.tape.append(Creation(storage, targets))
    return storage


def edited(storage: Sequence, start: int, removed: Sequence, added: Sequence) -> list:
    """Record that a list's items `removed` (their plain values), from `start` on, were replaced by the traced `added`.

    Returns what was removed, traced. The list holds the new items already.
    """
    out = list(removed)
    for level in live.levels:
        targets = [target_of(level, value) for value in added]
        if id(storage) in level.active or any(t is not None for t in targets):
            nodes: list[Any] = [None] * len(out)
            if id(storage) in level.active:
                for i, value in enumerate(out):
                    out[i], nodes[i] = with_nodes(level, value)
            level.active[id(storage)] = storage
            level.tape.append(Edit(storage, start, nodes, targets, len(storage)))
        elif level.implicit:
            out = [_implicit(level, value) for value in out]
    return out


def permuted(storage: Sequence, order: list[int]) -> None:
    """Record that a list was reordered: new[i] = old[order[i]]."""
    for level in live.levels:
        if id(storage) in level.active:
            level.tape.append(Permutation(storage, order))


def load_cell(cell: CellType, name: str) -> Any:
    """The value of a captured variable."""
    try:
        value = cell.cell_contents
    except ValueError:
        raise NameError(f"cannot access free variable '{name}' where it is not associated with a value") from None
    return load(cell, None, value)


def store_cell(cell: CellType, value: Any) -> None:
    """Bind or rebind a captured variable."""
    cell.cell_contents = plain(value)
    stored(cell, None, value)


def position(sequence: Sequence, index: Any) -> int:
    """`index` counted from the front, as the list counts it; out of range raises what the list raises."""
    index = operator.index(index)
    return index + len(sequence) if index < 0 else index
