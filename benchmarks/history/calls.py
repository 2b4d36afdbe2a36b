"""How much work is a gradient, in exact counts?"""

from __future__ import annotations

from benchmarks.history.asking import Counted, Figures


class Calls(Counted):
    """Functions entered, in Python and C, and instructions of the interpreter executed.

    Expected: a constant around the program, and a small multiple of the program's own. The same number in every run,
    on any machine, under any load: whatever changes it is the engine.
    """

    def track_calls(self, figures: dict[str, Figures], label: str) -> float:
        return self.told(figures, label, "calls")

    track_calls.unit = "calls"  # type: ignore[attr-defined]

    def track_instructions(self, figures: dict[str, Figures], label: str) -> float:
        return self.told(figures, label, "instructions")

    track_instructions.unit = "instructions"  # type: ignore[attr-defined]
