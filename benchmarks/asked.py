"""What a workload takes on the engine at hand, of whatever age: counters, or the ratio to the gradient by hand.

Run as `python -m benchmarks.asked REQUEST` it answers a request with a line of JSON:

    {"workload": "mlp:32x64-64-1"}                   {"calls": ..., "peak bytes": ..., ...}, the same in every run
    {"workload": "mlp:32x64-64-1", "timed": true}    {"ratio": ...}, of interleaved rounds
    {"names": true}                                  {"names": [...]}

or with {"unusable": why}: an engine that does not import, refuses the program, or gets its gradient wrong.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from regressions.bisect.check import serve

__all__ = ["answer"]

ROUNDS = 9


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request."""
    try:
        from benchmarks.history.asking import exact_counts
        from benchmarks.measure import Ratio, disagreement, interleaved
        from benchmarks.workloads import WORKLOADS
    except Exception as error:  # an engine that does not import is not slow: it cannot be asked
        return {"unusable": f"does not import: {type(error).__name__}: {error}".splitlines()[0]}
    if "names" in request:
        return {"names": [f"{name}:{size.name}" for name, workload in WORKLOADS.items() for size in workload.sizes]}
    name, size_name = request["workload"].split(":")
    workload = WORKLOADS[name]
    args, constants = next(size for size in workload.sizes if size.name == size_name).arguments()
    by_engine = partial(workload.asked, *args, **constants)
    by_hand = partial(workload.hand, *args, **constants)
    try:
        difference = disagreement(by_engine(), by_hand())
    except Exception as error:  # whatever the engine says, it has no speed
        return {"unusable": f"no gradient: {type(error).__name__}: {error}".splitlines()[0]}
    if difference:
        return {"unusable": f"wrong gradient: {difference}"}
    by_engine()
    if request.get("timed"):
        samples = interleaved({"engine": by_engine, "hand": by_hand}, ROUNDS)
        return {"ratio": Ratio.of(samples, "engine", "hand").value}
    return exact_counts(by_engine, partial(workload.primal, *args, **constants) if workload.primal else None)


if __name__ == "__main__":
    serve(answer)
