"""Measuring: whether gradients agree, interleaved times, exact call counts, peak memory.

Times of a shared machine drift by more than what is to be seen. What holds still is the ratio of two times taken in
the same breath, by the clock of the process itself: so candidates take turns, and the least time of each counts.
"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from regressions.adapters.reference import neutral
from regressions.case import Tolerance
from regressions.compare import Difference, first_difference

__all__ = ["CLOCKS", "Ratio", "count_calls", "disagreement", "interleaved", "kept_bytes", "peak_bytes", "seconds"]

BLOCK_SECONDS = 0.004  # long against the clock's resolution, short against the machine's moods
TOLERANCE = Tolerance(rtol=1e-9, atol=1e-12, why="sums of some ten thousand terms, taken in another order")


def disagreement(by_engine: Any, by_hand: Any) -> Difference | None:
    """The first place where the engine's gradient is not the one written by hand: what is wrong has no speed."""
    return first_difference(neutral(by_engine), by_hand, TOLERANCE)


CLOCKS: dict[str, Callable[[], float]] = {"cpu": time.process_time, "wall": time.perf_counter}
"""The time of this process alone, all its threads added up, to which other processes add little; and what passes."""


def seconds(call: Callable[[], object], number: int = 1, clock: str = "cpu") -> float:
    """Seconds a call, over `number` calls."""
    now = CLOCKS[clock]
    start = now()
    for _ in range(number):
        call()
    return (now() - start) / number


def interleaved(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds a call of each, one sample a round; in each round all take their turn, in alternating order."""
    number = {name: max(1, round(BLOCK_SECONDS / max(seconds(call), 1e-7))) for name, call in calls.items()}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds):
        for name in calls if turn % 2 else reversed(tuple(calls)):
            samples[name].append(seconds(calls[name], number[name]))
    return samples


@dataclass(frozen=True)
class Ratio:
    """A ratio of minima over all rounds, between the least and the greatest over thirds of them.

    What disturbs a time only ever adds to it: on a busy machine minima hold still when medians do not.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Mapping[str, list[float]], name: str, reference: str) -> Ratio:
        """
        >>> Ratio.of({"slow": [2.0, 4.4, 9.0], "fast": [1.0, 2.0, 3.0]}, "slow", "fast")
        Ratio(value=2.0, low=2.0, high=3.0)
        """
        over, under = samples[name], samples[reference]
        thirds = [min(over[i::3]) / min(under[i::3]) for i in range(min(3, len(over)))]
        return cls(min(over) / min(under), min(thirds), max(thirds))


def count_calls(call: Callable[[], object]) -> int:
    """How many functions, written in Python or C, `call` enters: the same number in every run.

    >>> count_calls(lambda: abs(-1))
    2
    """
    entered = 0

    def profile(frame, event, argument):
        nonlocal entered
        entered += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(before)
    return entered - 1  # the call that restores the profile


def peak_bytes(call: Callable[[], object]) -> int:
    """The most memory that `call` holds at any one time, on top of what is there already."""
    tracemalloc.start()
    try:
        start, _ = tracemalloc.get_traced_memory()
        call()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - start


def kept_bytes(call: Callable[[], object]) -> int:
    """How much memory each `call` leaves behind: 0 for one that leaves nothing, the same number in every run.

    What is filled once, a cache or the interpreter's own stores, shows in some of the batches; a leak in all of them.
    NumPy's own modules keep the name of a method now and then, and are not counted.

    >>> held = []
    >>> kept_bytes(lambda: held.append(bytes(1000))) >= 1000, kept_bytes(lambda: bytes(1000))
    (True, 0)
    """
    batch, batches = 2, 5
    ours = [__file__, tracemalloc.__file__, str(Path(np.__file__).parent / "*")]
    uncounted = [tracemalloc.Filter(False, pattern) for pattern in ours]
    kept = []
    gc.collect()
    gc.freeze()  # what is there already need not be looked at each time
    tracemalloc.start()
    try:
        for _ in range(1 + batches):
            for _ in range(batch):
                call()
            gc.collect()
            kept.append(sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(uncounted).traces))
    finally:
        tracemalloc.stop()
        gc.unfreeze()
    return max(0, min(after - before for before, after in pairwise(kept))) // batch
