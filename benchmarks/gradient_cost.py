"""What a gradient costs, commit by commit, for asv.

Call counts are the same in every run, on any machine, under any load: a change is a change of the engine. Ratios are
of minima of interleaved rounds, by the clock of the process, which a busy machine moves by a few per cent.
"""

from __future__ import annotations

from functools import partial

import engine
from benchmarks.measure import Ratio, count_calls, disagreement, interleaved
from benchmarks.workloads import WORKLOADS

ROUNDS = 15


class Gradient:
    """How much work is the engine's gradient, in calls, and beside the gradient written by hand?"""

    params = ([f"{w.name}:{size.name}" for w in WORKLOADS.values() for size in w.sizes[:1]],)
    param_names = ("workload",)

    def setup(self, label: str) -> None:
        if not hasattr(engine, "gradient"):
            raise NotImplementedError("there is no gradient in this commit")
        name, size_name = label.split(":")
        workload = WORKLOADS[name]
        args, constants = workload.size(size_name).arguments()
        self.by_engine = partial(workload.asked, *args, **constants)
        self.by_hand = partial(workload.hand, *args, **constants)
        if difference := disagreement(self.by_engine(), self.by_hand()):
            raise ArithmeticError(f"a wrong gradient has no cost: {difference}")

    def track_calls(self, label: str) -> int:
        return count_calls(self.by_engine)

    track_calls.unit = "calls"  # type: ignore[attr-defined]

    def track_ratio_to_hand(self, label: str) -> float:
        samples = interleaved({"engine": self.by_engine, "hand": self.by_hand}, ROUNDS)
        return Ratio.of(samples, "engine", "hand").value

    track_ratio_to_hand.unit = "engine/hand"  # type: ignore[attr-defined]
