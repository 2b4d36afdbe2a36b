"""Which derivative that a program takes itself is another than differences say: the call, and the line it stands on.

The program runs with the engine, and each derivative that it takes is taken once more by differences of the function
that it was asked of, whose own derivatives are the engine's. A function that takes derivatives is run for itself first,
so the innermost one that is wrong is named.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

import engine

from .. import differences
from .culprits import DERIVED, NOWHERE, Culprit
from .slopes import leaves

__all__ = ["derived"]

SECONDS = 20.0
AT_ONCE = "gradient", "value_and_gradient", "jvp", "hvp"
FUNCTIONS = "grad", "value_and_grad", "jacobian", "hessian"
BACKWARDS = "pullback", "vjp"
SAY_NONE = "gradient", "value_and_gradient", "pullback"  # where nothing depends; the others say zero


class Taken:
    """The derivatives that a program takes while it is watched, until one is wrong."""

    def __init__(self, file: str) -> None:
        self.file, self.end = file, time.monotonic() + SECONDS
        self.culprit: Culprit | None = None
        self.is_over = self.busy = False
        self.engines: dict[str, Any] = {name: getattr(engine, name) for name in (*AT_ONCE, *FUNCTIONS, *BACKWARDS)}
        self.ours = {
            **{name: partial(self._at_once, name) for name in AT_ONCE},
            **{name: partial(self._function, name) for name in FUNCTIONS},
            **{name: partial(self._backwards, name) for name in BACKWARDS},
        }

    @contextmanager
    def watching(self) -> Iterator[None]:
        """The names of the engine are those that watch."""
        stop = engine.stop_gradient

        def stopped(x: Any) -> Any:
            self.is_over = True  # of what is stopped differences know nothing
            return stop(x)

        _called(self.ours)
        engine.stop_gradient = stopped
        try:
            yield
        finally:
            engine.stop_gradient = stop
            _called(self.engines)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """The names are the engine's own, and the functions that were made to watch do not."""
        before, self.busy = self.busy, True
        _called(self.engines)
        try:
            yield
        finally:
            self.busy = before
            _called(self.engines if before else self.ours)

    def _at_once(self, name: str, f: Callable, *args: Any, **kwargs: Any) -> Any:
        f = getattr(f, "unwatched", f)
        ours, right = partial(self.engines[name], f), partial(getattr(differences, name), f)
        return self._compared(name, f, ours, right, args, kwargs)

    def _function(self, name: str, f: Callable, *options: Any, **named: Any) -> Callable:
        bare = getattr(f, "unwatched", f)
        ours, right = self.engines[name](bare, *options, **named), getattr(differences, name)(bare, *options, **named)

        def watched(*args: Any, **kwargs: Any) -> Any:
            return ours(*args, **kwargs) if self.busy else self._compared(name, f, ours, right, args, kwargs)

        watched.unwatched = ours  # type: ignore[attr-defined]
        return watched

    def _backwards(self, name: str, f: Callable, *args: Any, **kwargs: Any) -> Any:
        kept = copy.deepcopy(args)
        with self._alone():
            value, back = self.engines[name](f, *args, **kwargs)

        def right(seed: Any) -> Any:
            return differences.pullback(f, *copy.deepcopy(kept), **kwargs)[1](seed)

        def watched(seed: Any) -> Any:
            return self._compared(name, lambda _: f(*copy.deepcopy(kept), **kwargs), back, right, (seed,), {})

        return value, watched

    def _compared(self, name: str, f: Callable, ours: Callable, right: Callable, args: tuple, kwargs: dict) -> Any:
        kept = copy.deepcopy(args)
        with self._alone():
            found = ours(*args, **kwargs)
        if self._is_done() or any(np.iscomplexobj(leaf) for _, leaf in leaves((args, found))):
            return found  # differences of complex numbers are those along the real axis
        try:
            f(*copy.deepcopy(kept[0] if name == "jvp" else kept[:1] if name == "hvp" else kept), **kwargs)
            with self._alone(), np.errstate(all="ignore"):
                expected = right(*kept, **kwargs)
        except Exception:  # of what is defined at this point alone, for one
            return found
        if not self._is_done() and not _alike(found, expected, name in SAY_NONE):
            self.culprit = Culprit(f"engine.{name}", DERIVED, self._place(), "", _shown(expected), _shown(found))
        return found

    def _is_done(self) -> bool:
        return self.busy or self.is_over or self.culprit is not None or time.monotonic() > self.end

    def _place(self) -> tuple[str, int]:
        frame = sys._getframe(1)
        while frame.f_code.co_filename != self.file:
            if frame.f_back is None:
                return NOWHERE
            frame = frame.f_back
        return self.file, frame.f_lineno


def _called(names: dict[str, Any]) -> None:
    for name, function in names.items():
        setattr(engine, name, function)


def derived(program: Callable, arguments: tuple) -> Culprit | None:
    """The first derivative that `program`, which takes the engine as `ad`, gets from it and not from differences."""
    taken = Taken(program.__code__.co_filename)
    with taken.watching():
        try:
            program(*arguments, ad=engine)
        except Exception:
            return None
    return None if taken.is_over else taken.culprit


def _alike(found: Any, right: Any, says_none: bool) -> bool:
    if found is None:
        return right is None or (says_none and not any(np.any(leaf) for _, leaf in leaves((right,))))
    if isinstance(right, tuple | list):
        same = isinstance(found, tuple | list) and len(found) == len(right)
        return same and all(_alike(a, b, says_none) for a, b in zip(found, right, strict=True))
    if isinstance(right, dict):
        return isinstance(found, dict) and all(_alike(found.get(key), part, says_none) for key, part in right.items())
    if not isinstance(right, float | np.ndarray | np.generic):
        return True  # an object, which has another form here
    return np.shape(found) == np.shape(right) and np.allclose(found, right, rtol=1e-4, atol=1e-6, equal_nan=True)


def _shown(x: Any) -> str:
    with np.printoptions(precision=9, threshold=20, linewidth=100):
        return repr(x).replace("\n", "\n            ")
