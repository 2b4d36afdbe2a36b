"""The engine's gradients beside gradients written by hand, in one run, on one thread; and how cost grows.

The answers are compared before anything is timed: a wrong gradient has no speed.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

import engine
from benchmarks.measure import Spread, disagreement, interleaved, peak_bytes, ratio, seconds
from benchmarks.workloads import WORKLOADS, Size, Workload, growth, index_sum
from engine.errors import DifferentiationError

__all__ = ["GROWTH", "Growth", "Row", "growth_table", "measure", "run", "table"]


@dataclass(frozen=True)
class Row:
    """One workload at one size. `problem` says why there is no speed: a wrong gradient, or a refusal."""

    workload: str
    size: str
    reference: str
    target: float
    problem: str | None = None
    first_ms: float | None = None
    primal_us: float | None = None
    hand_us: float | None = None
    engine_us: float | None = None
    ratio: Spread | None = None


def measure(workload: Workload, size: Size, rounds: int) -> Row:
    """Compare, then time. The first gradient is timed with everything it takes: finding the source, transforming it."""
    row = partial(Row, workload.name, size.name, "flat" if workload.flat else "hand", size.target)
    args, constants = size.arguments()
    by_engine = partial(workload.asked, *args, **constants)
    by_hand = partial(workload.hand, *args, **constants)
    answers: list[Any] = []
    try:
        first = seconds(lambda: answers.append(by_engine()))
    except DifferentiationError as error:
        return row(problem=f"{type(error).__name__}: {error}")
    if difference := disagreement(answers[0], by_hand()):
        return row(problem=f"wrong gradient: {difference}")

    calls: dict[str, Callable[[], object]] = {
        "primal": partial(workload.primal, *args, **constants),
        "hand": by_hand,
        "engine": by_engine,
    }
    if workload.flat:
        flat = next(s for s in workload.flat.sizes if s.name == size.name)
        flat_args, flat_constants = flat.arguments()
        calls["flat"] = partial(engine.gradient, workload.flat.primal, *flat_args, **flat_constants)
        calls["flat"]()
    samples = interleaved(calls, rounds)
    microseconds = {name: Spread.of(times).median * 1e6 for name, times in samples.items()}
    return row(
        first_ms=first * 1e3,
        primal_us=microseconds["primal"],
        hand_us=microseconds["hand"],
        engine_us=microseconds["engine"],
        ratio=ratio(samples, "engine", "flat" if workload.flat else "hand"),
    )


def table(rows: list[Row]) -> Iterator[str]:
    """The rows as lines of text, then the problems."""
    yield (
        f"{'workload':19}{'size':15}{'primal us':>11}{'hand us':>11}{'engine us':>11}"
        f"{'ratio':>8} {'quartiles':13}{'to':>4}{'target':>8}{'first ms':>10}"
    )
    for r in rows:
        start = f"{r.workload:19}{r.size:15}"
        if r.ratio is None:
            yield f"{start}  {(r.problem or '').splitlines()[0]}"
            continue
        quartiles = f"{r.ratio.low:.2f}-{r.ratio.high:.2f}"
        missed = " missed" if r.ratio.median > r.target else ""
        yield (
            f"{start}{r.primal_us:11.1f}{r.hand_us:11.1f}{r.engine_us:11.1f}"
            f"{r.ratio.median:8.2f} {quartiles:13}{r.reference:>4}{r.target:8.2f}{r.first_ms:10.1f}{missed}"
        )
    for r in rows:
        if r.problem:
            yield f"\n{r.workload}, {r.size}: {r.problem}"


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


def growth_table(figures: list[Growth]) -> Iterator[str]:
    """The figures as lines of text."""
    yield f"{'growth':19}{'length':>10}{'':>4}figure"
    for g in figures:
        yield f"{g.program:19}{g.length:>10}{'':>4}{g.value:.1f} {g.unit}"


def describe_machine() -> dict[str, Any]:
    """What has to be known to read the table."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", "not limited"),
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def code(workload: Workload, size: Size) -> str:
    """The generated adjoint."""
    args, constants = size.arguments()
    return engine.show(workload.primal, *args, **constants)


def run(names: list[str], rounds: int, with_code: bool) -> tuple[dict[str, Any], bool]:
    """Measure and print; returns the figures and whether every gradient was right."""
    machine = describe_machine()
    rows: list[Row] = []
    figures: list[Growth] = []
    codes: dict[str, str] = {}
    for name in names:
        if name in GROWTH:
            print(f"{name} ...", file=sys.stderr)
            figures += GROWTH[name]()
            continue
        for size in WORKLOADS[name].sizes:
            print(f"{name}, {size.name} ...", file=sys.stderr)
            rows.append(measure(WORKLOADS[name], size, rounds))
        if with_code:
            codes[name] = code(WORKLOADS[name], WORKLOADS[name].sizes[0])
    print(
        f"Python {machine['python']}, NumPy {machine['numpy']}, threads: {machine['threads']}, "
        f"{rounds} interleaved rounds, load average {machine['load_average']} at the start"
    )
    for line in (*(table(rows) if rows else ()), *(("", *growth_table(figures)) if figures else ())):
        print(line)
    for name, text in codes.items():
        print(f"\n# {name}\n{text.rstrip()}")
    record = {"machine": machine, "rounds": rounds, "rows": [asdict(r) for r in rows]}
    record["growth"] = [asdict(g) for g in figures]
    return record, not any(r.problem for r in rows)
