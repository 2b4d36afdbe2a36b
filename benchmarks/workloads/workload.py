"""What a workload is: a program, its derivative as an expert would write it, and the data they run on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import engine

__all__ = ["LARGE", "SMALL", "Size", "Workload", "rng"]

SMALL = 1.3  # aimed at where overhead shows: the engine's time over that of the derivative written by hand
LARGE = 1.1  # and where memory traffic or arithmetic does


@dataclass(frozen=True)
class Size:
    """One size of a workload: its data, and the ratio to the reference gradient that is aimed at.

    `arguments()` makes the positional arguments (differentiated) and the keyword arguments (constants), the same at
    every call.
    """

    name: str
    arguments: Callable[[], tuple[tuple, dict[str, Any]]]
    target: float = SMALL


@dataclass(frozen=True)
class Workload:
    """A program, `primal(*args, **constants) -> float`, and its gradient written by hand.

    `hand(*args, **constants)` returns one gradient for each positional argument, in the structure of that argument,
    with `fields` for an object.
    `derivative`, where given, is what is asked of the engine instead of the gradient of `primal`, and what `hand` is
    the answer to: a Jacobian, a Hessian's diagonal, derivatives inside a program; it takes the same arguments.
    `primal` is None where there is no program apart from the derivative.
    `flat`, where given, is a workload with the same data and the same hand-written gradient whose arguments are plain
    arrays; the target then is relative to the engine's own gradient of that one: structure should cost nothing.
    `gap` says where the time goes that is above what is aimed at, and what it would take to have it back.
    """

    name: str
    primal: Callable | None
    hand: Callable
    sizes: tuple[Size, ...]
    derivative: Callable | None = None
    flat: Workload | None = None
    gap: str = ""

    @property
    def asked(self) -> Callable:
        """The derivative by the engine, of the same arguments as `hand`."""
        if self.derivative is not None:
            return self.derivative
        assert self.primal is not None, "where there is no program, there is a derivative"
        return partial(engine.gradient, self.primal)

    def size(self, name: str) -> Size:
        """
        Raises:
            KeyError: there is no size of that name.
        """
        try:
            return next(size for size in self.sizes if size.name == name)
        except StopIteration:
            raise KeyError(f"{self.name} has no size {name!r}") from None


def rng(seed: int = 0) -> np.random.Generator:
    """The source of all data here, seeded."""
    return np.random.default_rng(seed)
