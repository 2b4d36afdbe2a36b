"""How long does a gradient take beside the program itself, and beside the gradient written by hand?"""

from __future__ import annotations

from benchmarks.history.asking import Figures, Told, measured, prepared

ROUNDS = 15


def _ratios(label: str) -> Figures:
    from benchmarks.measure import Ratio, interleaved

    by_engine, by_hand, primal = prepared(label)
    calls = {"engine": by_engine, "hand": by_hand, **({"primal": primal} if primal else {})}
    samples = interleaved(calls, ROUNDS)
    return {name: Ratio.of(samples, "engine", name).value for name in calls}


class Ratios(Told):
    """Ratios of minima of interleaved rounds, by the clock of the process.

    Expected: a small constant, whatever the machine; a busy one moves it by a few per cent. `python -m
    regressions bisect --benchmark` measures again, in turns with a good commit, before it blames one.
    """

    def setup_cache(self) -> dict[str, Figures]:
        return measured(_ratios)

    setup_cache.timeout = 300  # type: ignore[attr-defined]

    def track_over_primal(self, figures: dict[str, Figures], label: str) -> float:
        return self.told(figures, label, "primal")

    track_over_primal.unit = "engine/primal"  # type: ignore[attr-defined]

    def track_over_hand(self, figures: dict[str, Figures], label: str) -> float:
        return self.told(figures, label, "hand")

    track_over_hand.unit = "engine/hand"  # type: ignore[attr-defined]
