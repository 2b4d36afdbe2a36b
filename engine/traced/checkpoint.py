"""Recomputing instead of storing: the tape of a call is dropped, and made again when the sweep comes to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import reach
from .arrays import ArrayStore
from .calls import call
from .levels import Level, Node, Traced, live, node_at, strip
from .primitives import target_of
from .run import pullback
from .storage import collect
from .tape import Operation, Sweep

__all__ = ["Checkpointed"]


class Checkpointed:
    """A function that is run again in the reverse sweep.

    What it reads and writes besides its arguments must have no derivative, for the second run to be the same as the
    first. Where it does (a captured list, object or array that is active), where an argument or the result is such a
    container, and where random numbers are drawn, the tape is kept after all: right, without the saving.
    """

    _is_engine_callable = True

    def __init__(self, function: Callable) -> None:
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not live.levels:
            return self.function(*args, **kwargs)
        level = live.levels[-1]
        start, draws = len(level.tape), live.draws
        known = {*level.active, *reach.storages((self.function, args, kwargs))}
        out = call(self.function, *args, **kwargs)
        segment = level.tape[start:]
        targets = tuple([target_of(level, a) for a in args])
        nodes = _nodes(level, out)
        recorded = level.implicit or level.written or live.draws != draws
        if nodes is not None and not recorded and not _escapes(segment, known, out, level):
            inner = tuple([strip(a, level) for a in args])
            level.tape[start:] = [Recomputation(self.function, inner, kwargs, targets, nodes)]
        return out


class Recomputation:
    """The place of a dropped tape."""

    __slots__ = ("args", "function", "kwargs", "nodes", "targets")
    selects = True  # for all one knows

    def __init__(self, function: Callable, args: tuple, kwargs: dict, targets: tuple, nodes: Any) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.targets = targets
        self.nodes = nodes

    def reverse(self, sweep: Sweep) -> None:
        d = collect(sweep, self.nodes)
        if d is None:
            return
        active = [i for i, target in enumerate(self.targets) if target is not None]
        _, back = pullback(self.function, self.args, self.kwargs, wrt=active, keep=False)
        for i, bar in zip(active, sweep.through(self, back, d), strict=False):
            sweep.give(self.targets[i], bar)


def _nodes(level: Level, out: Any) -> Node | tuple | None:
    """The nodes of a result made of numbers, arrays and tuples."""
    if isinstance(out, tuple):
        parts = tuple([_nodes(level, v) for v in out])
        return parts if any(p is not None for p in parts) else None
    return node_at(level, out)


def _escapes(segment: list, known: set[int], out: Any, level: Level) -> bool:
    """Did the run touch a storage it did not make, write to an array, or return what another run would make anew?"""
    for entry in segment:
        if type(entry) is ArrayStore:
            return True
        if type(entry) not in (Operation, Recomputation) and id(getattr(entry, "storage", entry)) in known:
            return True
    return any(not isinstance(v, Traced) and reach.is_active(v) for v in (out if isinstance(out, tuple) else (out,)))
