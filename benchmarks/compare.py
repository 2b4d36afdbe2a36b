"""Every workload on every engine in one run: who is faster, by how much, and how sure that is.

An engine lives in a process of its own, in an environment that has it, and all of them take turns: a sample of each in
every round, so that a ratio is formed of two times taken in the same breath. Each process is kept on the same
processors, one unless more threads are asked for. An answer that is not the derivative written by hand has no speed.
"""

from __future__ import annotations

import json
import os
import platform
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import engine
from benchmarks.measure import Ratio
from benchmarks.ports import ENGINES
from benchmarks.workloads import WORKLOADS, Size, Workload
from regressions.environments import Release, interpreter, release_of

__all__ = ["Contestant", "Row", "chosen", "code", "contestants", "describe_machine", "measure", "report", "run"]

ROOT = Path(__file__).parents[1]
START_SECONDS = 120
FEWEST_ROUNDS = 3


class Gone(Exception):
    """The process has died, or does not answer: the message says which."""


class Contestant:
    """One engine, or a release of one, in a process that is started when it is asked, and again when it was ended."""

    def __init__(
        self, name: str, python: Path, threads: int = 1, clock: str = "cpu", switched_off: list[str] | None = None
    ) -> None:
        self.name, self.python, self.threads, self.clock = name, python, threads, clock
        self.switched_off = switched_off or []
        self._process: subprocess.Popen[str] | None = None

    def __str__(self) -> str:
        return self.name

    def ask(self, request: dict[str, Any], patience: float) -> dict[str, Any]:
        """
        Raises:
            Gone: the process died, or took longer than `patience` seconds.
        """
        if self._process is None:
            self._start()
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has died, which the answer tells
        return self._answer(patience)

    def _start(self) -> None:
        limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(self.threads))
        options = [self.name.partition("==")[0], str(self.threads), self.clock, *self.switched_off]
        self._process = subprocess.Popen(
            [str(self.python), "-m", "benchmarks.worker", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={**os.environ, **limits, "PYTHONPATH": str(ROOT)},
        )
        said = self._answer(START_SECONDS)
        if "unusable" in said:
            self.end()
            raise Gone(said["unusable"])

    def _answer(self, patience: float) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], patience)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            died = bool(ready)
            self.end()
            raise Gone("the process died" if died else f"no answer in {patience:g} seconds")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def chosen(workloads: list[str] | None, sizes: list[str] | None) -> list[tuple[Workload, Size]]:
    """The rows asked for; "small" is the first size of each workload and "large" the last."""
    pairs = []
    for name in workloads or WORKLOADS:
        workload = WORKLOADS[name]
        special = {"small": workload.sizes[0].name, "large": workload.sizes[-1].name}
        wanted = {special.get(size, size) for size in sizes or ()}
        pairs += [(workload, size) for size in workload.sizes if not wanted or size.name in wanted]
    return pairs


def contestants(
    names: list[str] | None, threads: int, clock: str, switched_off: list[str], say: Callable[[str], None]
) -> list[Contestant]:
    """The engine of this project, and those named, whose environments are made where they are missing; without names
    those that have an environment already.

    Raises:
        ValueError: there is no such engine, or that is no version, or there are no ports to it.
        Unusable: the release does not install.
    """
    found = [Contestant("reference", Path(sys.executable), threads, clock, switched_off)]
    for name in dict.fromkeys(ENGINES[1:] if names is None else names):
        if name != "reference":
            release = release_of(name)
            if release.engine not in ENGINES:
                raise ValueError(f"there are no ports to {release.engine}; there are to {', '.join(ENGINES[1:])}")
            if names is not None or has_environment(release):
                found.append(Contestant(name, interpreter(release, say), threads, clock))
    return found


def has_environment(release: Release) -> bool:
    return (release.directory / "gradpin.json").exists()


@dataclass
class Row:
    """One workload at one size: the least seconds, ratios of them, and why there is no speed where there is none."""

    workload: str
    size: str
    target: float
    seconds: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, Ratio] = field(default_factory=dict)
    first_seconds: dict[str, float] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    rounds: int = 0

    @property
    def missed(self) -> bool:
        """Is the engine's own ratio above what is aimed at?"""
        aimed_at = self.ratios.get("reference/flat") or self.ratios.get("reference/hand")
        return aimed_at is not None and aimed_at.value > self.target


def measure(engines: list[Contestant], workload: Workload, size: Size, rounds: int, limit: float) -> Row:
    """Prepare on all, then take turns: fewer rounds where `limit` seconds do not suffice for all of them."""
    row = Row(workload.name, size.name, size.target)
    taking_part = []
    for contestant in engines:
        try:
            answer = contestant.ask({"prepare": [workload.name, size.name]}, limit)
        except Gone as why:
            row.problems[contestant.name] = str(why)
            continue
        if answer["problem"]:
            row.problems[contestant.name] = answer["problem"]
        else:
            row.first_seconds[contestant.name] = answer["first"]
            taking_part.append(contestant)
    samples = take_turns(taking_part, row, rounds, limit)
    row.rounds = max(map(len, samples.values()), default=0)
    row.seconds = {name: min(times) for name, times in samples.items()}
    if "reference" in samples:
        pairs: list[tuple[str, str]] = [
            ("reference", other) for other in ("hand", "primal", "flat") if other in samples
        ]
        pairs += [(contestant.name, "reference") for contestant in taking_part if contestant.name != "reference"]
        row.ratios = {f"{name}/{other}": Ratio.of(samples, name, other) for name, other in pairs}
    return row


def take_turns(engines: list[Contestant], row: Row, rounds: int, limit: float) -> dict[str, list[float]]:
    """Seconds a call of everything, one sample a round; who is gone in between is left out."""
    samples: dict[str, list[float]] = {}
    start = time.perf_counter()
    for turn in range(rounds):
        spent = time.perf_counter() - start
        if turn >= FEWEST_ROUNDS and spent * (turn + 1) / turn > limit:
            break
        for contestant in list(engines if turn % 2 else reversed(engines)):
            try:
                answer = contestant.ask({"repeat": turn}, limit)
            except Gone as why:
                row.problems[contestant.name] = str(why)
                samples.pop(contestant.name, None)
                engines.remove(contestant)
                continue
            for name, taken in answer["seconds"].items():
                samples.setdefault(contestant.name if name == "derivative" else name, []).append(taken)
    return samples


def report(rows: list[Row], engines: list[Contestant], machine: dict[str, Any]) -> Iterator[str]:
    """The machine, the table, the problems."""
    yield (
        f"{machine['date']}, Python {machine['python']}, NumPy {machine['numpy']}, {machine['machine']}, threads: "
        f"{machine['threads']}, {machine['clock']} clock, load average {machine['load_average']} at the start"
    )
    yield ""
    yield from table(rows, [contestant.name for contestant in engines])
    for row in rows:
        for name, problem in row.problems.items():
            yield f"{row.workload}, {row.size}: {name}: {problem}"


def table(rows: list[Row], engines: list[str]) -> Iterator[str]:
    """The rows as a table in Markdown: ratios of minima, with half the range over thirds of the rounds."""
    others = [name for name in engines if name != "reference"]
    titles = ["workload", "size", "gradient", "/ primal", "/ by hand", *(f"{name} / ours" for name in others)]
    titles += ["first", *(f"first, {name}" for name in others)]
    body = [list(cells(row, others)) for row in rows]
    widths = [max(len(line[i]) for line in (titles, *body)) for i in range(len(titles))]
    yield "| " + " | ".join(title.ljust(w) for title, w in zip(titles, widths, strict=True)) + " |"
    yield "|" + "|".join("-" * (w + 1) + ("-" if i < 2 else ":") for i, w in enumerate(widths)) + "|"
    for line in body:
        aligned = (c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        yield "| " + " | ".join(aligned) + " |"


def cells(row: Row, others: list[str]) -> Iterator[str]:
    yield row.workload
    yield row.size
    yield duration(row.seconds.get("reference"))
    yield spread(row.ratios.get("reference/primal"))
    flat = row.ratios.get("reference/flat")
    aimed_at = spread(flat or row.ratios.get("reference/hand")) + (" flat" if flat else "")
    yield f"{aimed_at} > {row.target}" if row.missed else aimed_at
    for name in others:
        yield spread(row.ratios.get(f"{name}/reference"))
    for name in ("reference", *others):
        yield duration(row.first_seconds.get(name))


def duration(seconds: float | None) -> str:
    """
    >>> duration(0.00123), duration(2.5), duration(None)
    ('1.23 ms', '2.5 s', '-')
    """
    if seconds is None:
        return "-"
    scale, unit = next((pair for pair in ((1.0, "s"), (1e-3, "ms")) if seconds >= pair[0]), (1e-6, "us"))
    return f"{seconds / scale:.3g} {unit}"


def spread(ratio: Ratio | None) -> str:
    """
    >>> spread(Ratio(12.34, 12.0, 12.8)), spread(None)
    ('12.3 ±3%', '-')
    """
    if ratio is None:
        return "-"
    return f"{ratio.value:.3g} ±{50 * (ratio.high - ratio.low) / ratio.value:.0f}%"


def describe_machine(threads: int, clock: str) -> dict[str, Any]:
    """What has to be known to read the table."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "threads": threads,
        "clock": clock,
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "date": time.strftime("%Y-%m-%d"),
    }


def run(
    engines: list[Contestant],
    chosen: list[tuple[Workload, Size]],
    rounds: int,
    limit: float,
    say: Callable[[str], None],
) -> list[Row]:
    """Measure, with a line of progress for each."""
    rows = []
    try:
        for i, (workload, size) in enumerate(chosen):
            row = measure(engines, workload, size, rounds, limit)
            rows.append(row)
            say(f"[{i + 1}/{len(chosen)}] {workload.name}, {size.name}: {outcome(row)}")
    finally:
        for contestant in engines:
            contestant.end()
    return rows


def outcome(row: Row) -> str:
    """What progress says of a row."""
    found = [f"{spread(value)} {key}" for key, value in row.ratios.items()]
    return "; ".join([duration(row.seconds.get("reference")), *found, *(f"no {engine}" for engine in row.problems)])


def code(name: str) -> str:
    """The generated adjoint of a workload's program, at its first size."""
    workload = WORKLOADS[name]
    args, constants = workload.sizes[0].arguments()
    if workload.primal is None:
        return "no program apart from its derivatives"
    return engine.show(workload.primal, *args, **constants).rstrip()
