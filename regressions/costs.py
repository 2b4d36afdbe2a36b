"""What a run costs, in counts that are the same in every run, and how fast a cost grows; never a clock.

Bytes allocated are summed between one call or return and the next, from the peak that tracemalloc reports for each
stretch: what is asked for and given back within a stretch is seen at its highest.
"""

from __future__ import annotations

import gc
import math
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["cost", "exponent"]

NOISE_BYTES = 2048  # caches of the interpreter that a run happens to fill
TOO_MANY_CALLS = 1_000_000  # about a second: ten times what the largest case needs


def cost(run: Callable[[], object], of: str) -> float:
    """How much of `of`, one of case.COSTS, run() takes; infinite for calls that could not be waited for.

    >>> cost(lambda: [abs(i) for i in range(10)], "calls") >= 10
    True
    >>> cost(lambda: [bytes(100_000) for _ in range(5)], "allocated") >= 500_000
    True
    """
    return {"calls": _calls, "allocated": _allocated, "peak": _peak, "kept": _kept}[of](run)


def exponent(counts: tuple[float, ...], of: str) -> float:
    """k where the counts at n, 2n and 4n go like a + b n^k; 0 for a constant, infinite for a run that was broken off.

    >>> exponent((10 + 3, 10 + 6, 10 + 12), "calls"), exponent((7, 7, 7), "calls"), exponent((1, 4, 16), "calls")
    (1.0, 0.0, 2.0)
    """
    smallest, middle, largest = counts
    if math.isinf(largest):
        return math.inf
    if largest - smallest <= (0 if of == "calls" else NOISE_BYTES) + smallest / 20:
        return 0.0
    if min(middle - smallest, largest - middle) <= 0:  # a step in one place only: the mean slope
        return math.log2(largest / max(smallest, 1)) / 2
    return math.log2((largest - middle) / (middle - smallest))


class _TooMany(BaseException):
    """No `except Exception` on the way may take it for the run's own."""


@contextmanager
def _profiled(each: Callable[[str], None]) -> Iterator[None]:
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: each(event))
    try:
        yield
    finally:
        sys.setprofile(before)


def _calls(run: Callable[[], object]) -> float:
    entered = 0

    def each(event: str) -> None:
        nonlocal entered
        entered += event in ("call", "c_call")
        if entered > TOO_MANY_CALLS:
            raise _TooMany

    try:
        with _profiled(each):
            run()
    except _TooMany:
        return math.inf
    return entered


@contextmanager
def _in_use() -> Iterator[int]:
    """tracemalloc is on; how many bytes are in use at the beginning."""
    gc.collect()
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        yield tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def _peak(run: Callable[[], object]) -> float:
    with _in_use() as before:
        run()
        return tracemalloc.get_traced_memory()[1] - before


def _kept(run: Callable[[], object]) -> float:
    with _in_use() as before:
        run()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before


def _allocated(run: Callable[[], object]) -> float:
    with _in_use() as before:
        total, last = 0, before

        def each(event: str) -> None:
            nonlocal total, last
            now, peak = tracemalloc.get_traced_memory()
            total += max(0, peak - last)
            tracemalloc.reset_peak()
            last = now

        with _profiled(each):
            run()
        each("end")
        return total
