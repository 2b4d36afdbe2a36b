"""How much memory does a gradient hold, and does it keep any?"""

from __future__ import annotations

from benchmarks.history.asking import Counted, Figures


class Memory(Counted):
    """Bytes that one gradient holds at its peak, and bytes that each leaves behind.

    Expected: the peak grows in step with the operations that are recorded, and moves by some hundred bytes of NumPy's
    own; nothing is left behind, exactly.
    """

    def track_peak_bytes(self, figures: dict[str, Figures], label: str) -> float:
        return self.told(figures, label, "peak bytes")

    track_peak_bytes.unit = "bytes"  # type: ignore[attr-defined]

    def track_kept_bytes(self, figures: dict[str, Figures], label: str) -> float:
        return self.told(figures, label, "kept bytes")

    track_kept_bytes.unit = "bytes a gradient"  # type: ignore[attr-defined]
