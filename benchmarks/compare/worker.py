"""One engine measured in a process of its own: requests come in on the standard input, a line of JSON each.

    {"prepare": ["mlp", "32x64-64-1"]}    the first derivative is computed, compared with the one by hand, and warmed
    {"repeat": 3}                         everything prepared is timed once, in an order that alternates with the number

It is run by the interpreter of an environment in which the engine is installed, and says first whether it imports. In
the process of this project's own engine the primal and the derivative by hand are timed too, block by block in turn.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from typing import Any

from benchmarks.measure import BLOCK_SECONDS, disagreement, seconds
from benchmarks.ports import NoPort, prepare
from benchmarks.workloads import WORKLOADS, Size, Workload
from engine import switches
from engine.errors import DifferentiationError

__all__ = ["Measured", "main"]


class Measured:
    """One workload at one size on one engine; `problem` says why it has no speed."""

    def __init__(self, engine: str, workload: Workload, size: Size, clock: str = "cpu") -> None:
        self.seconds = partial(seconds, clock=clock)
        self.problem: str | None = None
        self.first: float | None = None
        self.calls: dict[str, Callable[[], object]] = {}
        args, constants = size.arguments()
        by_hand = partial(workload.hand, *args, **constants)
        try:
            asked = prepare(engine, workload, args, constants)
            answers: list[Any] = []
            self.first = self.seconds(lambda: answers.append(asked.call()))
            expected = by_hand()
            if difference := disagreement(asked.read(answers[0], expected), expected):
                self.problem = f"wrong: {difference}"
        except NoPort as why:
            self.problem = f"no port: {why}"
        except DifferentiationError as error:
            self.problem = f"{type(error).__name__}: {error}"
        if self.problem:
            self.first = None
            return
        self.calls["derivative"] = asked.call
        if engine == "reference":
            self._beside(workload, size, args, constants, by_hand)
        self.numbers = {name: warmed(call) for name, call in self.calls.items()}

    def _beside(
        self, workload: Workload, size: Size, args: tuple, constants: dict[str, Any], by_hand: Callable[[], object]
    ) -> None:
        """What the engine of this project is measured against in its own process."""
        self.calls["hand"] = by_hand
        if workload.primal:
            self.calls["primal"] = partial(workload.primal, *args, **constants)
        if workload.flat:
            flat_args, flat_constants = workload.flat.size(size.name).arguments()
            self.calls["flat"] = partial(workload.flat.asked, *flat_args, **flat_constants)

    def repeat(self, turn: int) -> dict[str, float]:
        """Seconds a call of each; in the other order at every other turn."""
        samples = {}
        for name in self.calls if turn % 2 else reversed(tuple(self.calls)):
            if self.numbers[name] > 1:
                self.calls[name]()  # another process had the caches
            samples[name] = self.seconds(self.calls[name], self.numbers[name])
        return samples


def warmed(call: Callable[[], object]) -> int:
    """How many calls make a block, found by calls that warm it up."""
    taken = seconds(call)
    if taken < BLOCK_SECONDS:
        taken = min(taken, seconds(call))
    return max(1, round(BLOCK_SECONDS / max(taken, 1e-7)))


def pin(threads: int, process: int = 0) -> None:
    """A process, this one by default, to as many processors, always the same: only one process works at a time."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process, sorted(os.sched_getaffinity(0))[-threads:])


def main(engine: str, threads: int, clock: str, switched_off: list[str]) -> None:
    """Answer the standard input."""
    pin(threads)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever engines print belongs elsewhere

    def say(message: dict[str, Any]) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    try:
        if engine != "reference":
            import_module(engine)
    except Exception as error:
        say({"unusable": f"does not import: {type(error).__name__}: {error}".splitlines()[0]})
        return
    say({"ready": engine})
    measured: Measured | None = None
    with ExitStack() as parts:
        if switched_off:
            parts.enter_context(switches.off(*switched_off))
        for line in sys.stdin:
            request = json.loads(line)
            if "prepare" in request:
                measured = None  # its memory first
                workload, size = request["prepare"]
                measured = Measured(engine, WORKLOADS[workload], WORKLOADS[workload].size(size), clock)
                say({"problem": measured.problem, "first": measured.first})
            elif measured is not None:
                say({"seconds": measured.repeat(request["repeat"])})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:])
