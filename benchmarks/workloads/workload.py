"""What a workload is: a program, its gradient as an expert would write it, and the data they run on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Size", "Workload", "rng"]


@dataclass(frozen=True)
class Size:
    """One size of a workload: its data, and the ratio to the reference gradient that is aimed at.

    `arguments()` makes the positional arguments (differentiated) and the keyword arguments (constants), the same at
    every call.
    """

    name: str
    arguments: Callable[[], tuple[tuple, dict[str, Any]]]
    target: float


@dataclass(frozen=True)
class Workload:
    """A program, `primal(*args, **constants) -> float`, and its gradient written by hand.

    `hand(*args, **constants)` returns one gradient for each positional argument, in the structure of that argument,
    with `fields` for an object.
    `flat`, where given, is a workload with the same data and the same hand-written gradient whose arguments are plain
    arrays; the target then is relative to the engine's own gradient of that one: structure should cost nothing.
    """

    name: str
    primal: Callable
    hand: Callable
    sizes: tuple[Size, ...]
    flat: Workload | None = field(default=None)


def rng(seed: int = 0) -> np.random.Generator:
    """The source of all data here, seeded."""
    return np.random.default_rng(seed)
