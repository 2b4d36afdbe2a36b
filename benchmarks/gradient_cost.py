"""What a gradient costs, commit by commit, for asv.

Call counts are the same in every run, on any machine, under any load: a change is a change of the engine. Ratios are
medians of interleaved rounds, which a busy machine moves by a few per cent. Wall time is left to the charts.
"""

from __future__ import annotations

from functools import partial

import engine
from benchmarks.measure import count_calls, disagreement, interleaved, ratio
from benchmarks.workloads import WORKLOADS

ROUNDS = 15


class Gradient:
    """How much work is the engine's gradient, in calls, and beside the gradient written by hand?"""

    params = ([f"{w.name}:{size.name}" for w in WORKLOADS.values() for size in w.sizes],)
    param_names = ("workload",)

    def setup(self, label: str) -> None:
        if not hasattr(engine, "gradient"):
            raise NotImplementedError("there is no gradient in this commit")
        name, size_name = label.split(":")
        workload = WORKLOADS[name]
        size = next(s for s in workload.sizes if s.name == size_name)
        args, constants = size.arguments()
        self.by_engine = partial(workload.asked, *args, **constants)
        self.by_hand = partial(workload.hand, *args, **constants)
        if difference := disagreement(self.by_engine(), self.by_hand()):
            raise ArithmeticError(f"a wrong gradient has no cost: {difference}")

    def track_calls(self, label: str) -> int:
        return count_calls(self.by_engine)

    track_calls.unit = "calls"  # type: ignore[attr-defined]

    def track_ratio_to_hand(self, label: str) -> float:
        samples = interleaved({"engine": self.by_engine, "hand": self.by_hand}, ROUNDS)
        return ratio(samples, "engine", "hand").median

    track_ratio_to_hand.unit = "engine/hand"  # type: ignore[attr-defined]
