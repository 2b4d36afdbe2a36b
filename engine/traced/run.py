"""Running a function at a new level, and its pullback: the traced tier's whole face to `engine.api`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..tangents import has_nan, is_differentiable
from .calls import call
from .levels import Level, Node, Traced, live, own, plain, root_of, strip
from .structure import Shape, enter, leave, read, seed
from .tape import Operation, Sweep
from .useful import Careful, Useful, ones_of, selects

__all__ = ["Pullback", "pullback"]

FRAMES_PER_CALL = 6
"""How many Python frames one call of the user's takes here: the recursion limit is raised by this factor in a run."""


class Pullback:
    """The pullback of one run: cotangent of the result -> cotangents of the arguments, any number of times.

    What the run saw of the user's arrays is remembered, so that writes to them after the run do not change the answer.
    """

    _is_engine_callable = True

    def __init__(self, level: Level, args: list[Shape], result: Shape, implicit: list[Node], keep: bool) -> None:
        self.level = level
        self.args = args
        self.result = result
        self.implicit = implicit
        self.kept = _kept_arrays(level) if keep else []

    def __call__(self, d: Any) -> tuple:
        return self.sweep(d)[0]

    def sweep(self, d: Any, counts: Any = None, careful: bool = False) -> tuple[tuple, list[Any]]:
        """The cotangents of the arguments, and of the implicit parameters.

        A NaN among them is asked again with care, and so is everything an outer level watches: a NaN may come up there.
        counts: which entries of the result are looked at, where not all are.
        """
        with self._arrays_as_seen():
            if not careful and not (live.levels and (counts is not None or selects(self.level))):
                found = self._walked(Sweep(self.level), d)
                if live.levels or not has_nan(found) or (counts is None and not selects(self.level)):
                    return found
            useful = self._looked_at(ones_of(d) if counts is None else counts)
            return self._walked(Careful(self.level, useful.masks), d)

    def useful(self, counts: Any) -> tuple:
        """The counts of the arguments from those of the result."""
        with self._arrays_as_seen():
            sweep = self._looked_at(counts)
            return tuple([read(sweep, shape) for shape in self.args])

    def _looked_at(self, counts: Any) -> Useful:
        sweep = Useful(self.level)
        seed(sweep, self.result, counts)
        sweep.run()
        return sweep

    def _walked(self, sweep: Sweep, d: Any) -> tuple[tuple, list[Any]]:
        seed(sweep, self.result, d)
        sweep.run()
        grads = tuple([owned(read(sweep, shape)) for shape in self.args])
        return grads, [owned(sweep.bars.get(node)) for node in self.implicit]

    @contextmanager
    def _arrays_as_seen(self) -> Iterator[None]:
        """The user's arrays as the run left them, for as long as the walk needs them."""
        current = [(array, array.copy()) for array, then in self.kept if not _same(array, then)]
        changed = {id(array) for array, _ in current}
        for array, then in self.kept:
            if id(array) in changed:
                _fill(array, then)
        try:
            with deep_recursion():
                yield
        finally:
            for array, now in current:
                _fill(array, now)


def pullback(
    f: Callable,
    args: tuple,
    kwargs: dict,
    *,
    wrt: Any = None,
    implicit: Any = (),
    keep: bool = True,
    transposing: bool = False,
) -> tuple[Any, Pullback]:
    """Run f(*args, **kwargs) recorded at a new level; its value as the outer levels see it, and its pullback.

    wrt: the positions of the arguments to differentiate; all of them by default, the others are constants.
    transposing: the run is that of a pullback, in order to run it backwards.
    keep: remember the contents of arrays that the outside can write to between the run and the pullback.
    """
    level = Level(len(live.levels), transposing)
    memo: dict[int, Shape] = {}
    chosen = range(len(args)) if wrt is None else wrt
    entered = {i: enter(level, args[i], memo) for i in chosen}
    given = [entered[i][0] if i in entered else a for i, a in enumerate(args)]
    level.args = [entered[i][1] for i in chosen]
    nodes = []
    for array in implicit:
        node = Node()
        level.implicit[id(array)] = (array, node)
        own(level, array, node)
        nodes.append(node)
    live.levels.append(level)
    try:
        with deep_recursion():
            out = call(f, *given, **kwargs)
            shape = leave(level, out)
    finally:
        live.levels.pop()
    value = strip(out, level)
    return value, Pullback(level, level.args, shape, nodes, keep)


def scalar_seed(value: Any, name: str = "the function") -> Any:
    """The cotangent 1 of a loss, of its own kind.

    Raises:
        ArgumentError: the loss is no real scalar.
    """
    bare = plain(value)
    if not is_differentiable(bare) or np.ndim(bare) != 0:
        what = f"an array of shape {np.shape(bare)}" if isinstance(bare, np.ndarray) else f"a {type(bare).__name__}"
        raise ArgumentError(
            f"a gradient is that of a real scalar, and {name} returned {'None' if bare is None else what}.\n"
            f"  Ways out: reduce it to a float (np.sum, np.mean); or use jacobian, or pullback with a cotangent."
        )
    if np.iscomplexobj(bare):
        raise ArgumentError(
            f"a gradient is that of a real scalar, and {name} returned a complex number.\n"
            f"  Ways out: take its real part, imaginary part or abs; or use pullback with a complex cotangent."
        )
    return np.ones_like(bare) if isinstance(bare, np.ndarray) else type(bare)(1.0)


def owned(value: Any, seen: set[int] | None = None) -> Any:
    """A gradient that shares memory with nothing: its arrays are copied."""
    seen = set() if seen is None else seen
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, tuple):
        parts = [owned(part, seen) for part in value]
        return type(value)._make(parts) if hasattr(value, "_make") else tuple(parts)
    if isinstance(value, Traced):
        return call(np.copy, value) if isinstance(plain(value), np.ndarray) else value
    storage = value if isinstance(value, list | dict) else getattr(value, "__dict__", None)
    if storage is None or isinstance(value, np.generic | float | complex) or id(value) in seen:
        return value
    seen.add(id(value))
    for key, item in list(enumerate(storage) if isinstance(storage, list) else storage.items()):
        storage[key] = owned(item, seen)
    return value


def _kept_arrays(level: Level) -> list[tuple[np.ndarray, np.ndarray]]:
    """The base arrays that operations refer to and that were not made by this run, with their contents now."""
    found: dict[int, np.ndarray] = {}
    for entry in level.tape:
        if type(entry) is Operation:
            for value in (*entry.args, entry.out):
                _collect_bases(value, found)
    return [(array, array.copy()) for array in found.values()]


def _collect_bases(value: Any, found: dict[int, np.ndarray]) -> None:
    value = plain(value)
    if isinstance(value, tuple):
        for item in value:
            _collect_bases(item, found)
    elif isinstance(value, np.ndarray):
        base = root_of(value)
        if base.flags.writeable:
            found[id(base)] = base


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.tobytes() == b.tobytes()


def _fill(array: np.ndarray, contents: np.ndarray) -> None:
    array[...] = contents


class deep_recursion:
    """Raise the recursion limit while rewritten code runs: one call of the user's is several frames here."""

    depth = 0

    def __enter__(self) -> None:
        if deep_recursion.depth == 0:
            deep_recursion.before = sys.getrecursionlimit()
            sys.setrecursionlimit(FRAMES_PER_CALL * deep_recursion.before)
        deep_recursion.depth += 1

    def __exit__(self, *_: Any) -> None:
        deep_recursion.depth -= 1
        if deep_recursion.depth == 0:
            sys.setrecursionlimit(deep_recursion.before)
