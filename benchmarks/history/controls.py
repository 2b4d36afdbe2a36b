"""Was the machine busy? Work that has nothing to do with the engine: what changes it is the machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np

SAMPLES = 25


def _python_loop() -> None:
    total = 0
    for i in range(40_000):
        total += i


def _small_ufunc() -> None:
    x = np.ones(8)
    for _ in range(2_000):
        np.sin(x)


_STREAM = np.ones(1_000_000)


def _memory_stream() -> None:
    _STREAM.copy()


CONTROLS: dict[str, Callable[[], None]] = {
    "python loop": _python_loop,
    "small ufunc": _small_ufunc,
    "memory stream": _memory_stream,
}


class Controls:
    """Wall time of a loop in Python, of a small ufunc, and of a copy of eight megabytes: the middle one of many.

    Expected: the same at every commit.
    """

    params = (list(CONTROLS),)
    param_names = ("control",)

    def track_seconds(self, control: str) -> float:
        return median(_walls(CONTROLS[control]))

    track_seconds.unit = "seconds"  # type: ignore[attr-defined]


def _walls(run: Callable[[], None]) -> list[float]:
    run()
    walls = []
    for _ in range(SAMPLES):
        start = time.perf_counter()
        run()
        walls.append(time.perf_counter() - start)
    return walls
