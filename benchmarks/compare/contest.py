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
from benchmarks.compare.tables import duration, spread
from benchmarks.measure import Ratio
from benchmarks.ports import ENGINES
from benchmarks.workloads import WORKLOADS, Size, Workload
from regressions.environments import Release, interpreter, release_of

__all__ = ["Contestant", "Row", "chosen", "code", "contestants", "describe_machine", "measure", "run"]

ROOT = Path(__file__).parents[2]
START_SECONDS = 120
FEWEST_ROUNDS = 3


class Gone(Exception):
    """The process has died, or does not answer: the message says which."""


class Contestant:
    """One engine, or a release of one, in a process that is started when it is asked, and again when it was ended."""

    def __init__(
        self,
        name: str,
        python: Path,
        threads: int = 1,
        clock: str = "cpu",
        switched_off: list[str] | None = None,
        release: str = "",
    ) -> None:
        self.name, self.python, self.threads, self.clock = name, python, threads, clock
        self.switched_off = switched_off or []
        self.release = release or name
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
            [str(self.python), "-m", "benchmarks.compare.worker", *options],
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
    """The rows asked for; "small" is the first size of each workload and "large" the last.

    Raises:
        ValueError: no workload asked for has a size of that name.
    """
    asked = [WORKLOADS[name] for name in dict.fromkeys(workloads or WORKLOADS)]
    names = {size.name for workload in asked for size in workload.sizes}
    for size in sizes or ():
        if size not in ("small", "large", *names):
            has = f"; {asked[0].name} has {', '.join(size.name for size in asked[0].sizes)}" if len(asked) == 1 else ""
            raise ValueError(f"no workload that was chosen has {size!r}; small and large are in all of them{has}")
    pairs = []
    for workload in asked:
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
            if name.partition("==")[0] not in ENGINES:
                raise ValueError(f"there are no ports to {name}; there are to {', '.join(ENGINES[1:])}")
            release = release_of(name)
            if names is not None or has_environment(release):
                python = interpreter(release, say)
                found.append(Contestant(name, python, threads, clock, release=str(release)))
            else:
                say(f"{name} is left out: it has no environment; --engine {name} makes one")
    return found


def has_environment(release: Release) -> bool:
    """Is there one already, in which it imports?"""
    return release.made and not release.note.get("problem")


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


def describe_machine(engines: list[Contestant], threads: int, clock: str) -> dict[str, Any]:
    """What has to be known to read the table."""
    return {
        "engines": {contestant.name: contestant.release for contestant in engines},
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "processor": processor(),
        "processors": os.cpu_count(),
        "threads": threads,
        "clock": clock,
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "date": time.strftime("%Y-%m-%d"),
    }


def processor() -> str:
    """The name of the processor, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def run(
    engines: list[Contestant],
    chosen: list[tuple[Workload, Size]],
    rounds: int,
    limit: float,
    say: Callable[[str], None],
) -> Iterator[Row]:
    """Measure, row by row, with a line of progress for each."""
    try:
        for i, (workload, size) in enumerate(chosen):
            row = measure(engines, workload, size, rounds, limit)
            say(f"[{i + 1}/{len(chosen)}] {workload.name}, {size.name}: {outcome(row)}")
            yield row
    finally:
        for contestant in engines:
            contestant.end()


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
