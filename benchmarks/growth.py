"""How cost grows with a program, on the engine of this project: figures of one program at several lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import engine
from benchmarks.measure import peak_bytes, seconds
from benchmarks.workloads import growth, index_sum

__all__ = ["GROWTH", "Growth", "table"]


@dataclass(frozen=True)
class Growth:
    """One figure of a program at one length."""

    program: str
    length: int
    value: float
    unit: str


def deep_loop() -> Iterator[Growth]:
    """Time an iteration, which has to stay flat, with no limit to the depth."""
    for n in growth.LENGTHS:
        call = partial(engine.gradient, growth.deep_loop, 0.7, 1.93, n=n)
        call()
        best = min(seconds(call) for _ in range(3))
        yield Growth("deep_loop", n, best / n * 1e9, "ns an iteration")


def repeated_doubling() -> Iterator[Growth]:
    """Every value is used twice: work that follows each use separately doubles with each step."""
    call = partial(engine.gradient, growth.repeated_doubling, 1.0, n=growth.DOUBLINGS)
    (doubled,) = call()
    if doubled != 2.0**growth.DOUBLINGS:
        raise ArithmeticError(f"the gradient of {growth.DOUBLINGS} doublings came out as {doubled}")
    yield Growth("repeated_doubling", growth.DOUBLINGS, min(seconds(call, 100) for _ in range(5)) * 1e6, "us")


def index_memory() -> Iterator[Growth]:
    """Peak memory an element, which has to stay flat: an array for each access would make it grow with the length."""
    for n in (10_000, 20_000, 40_000):
        (x,), _ = index_sum.arguments(n)
        call = partial(engine.gradient, index_sum.loss, x)
        call()
        yield Growth("index_memory", n, peak_bytes(call) / n, "bytes an element")


GROWTH: dict[str, Callable[[], Iterator[Growth]]] = {
    "deep_loop": deep_loop,
    "repeated_doubling": repeated_doubling,
    "index_memory": index_memory,
}


def table(figures: list[Growth]) -> Iterator[str]:
    """The figures as lines of text."""
    yield f"{'growth':19}{'length':>10}{'':>4}figure"
    for g in figures:
        yield f"{g.program:19}{g.length:>10}{'':>4}{g.value:.1f} {g.unit}"
