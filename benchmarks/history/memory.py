"""How much memory does a gradient hold, and does it keep any?"""

from __future__ import annotations

from benchmarks.history.asking import Counted, Figures


class Memory(Counted):
    """Bytes that one gradient holds at its peak, and bytes still held when twenty are done.

    Expected: the peak grows in step with the operations that are recorded; nothing is kept. What is kept is not
    exact: bytes of the interpreter's and of NumPy's own come and go, some kilobytes with linear algebra.
    """

    def track_peak_bytes(self, figures: dict[str, Figures], label: str) -> float:
        return self.told(figures, label, "peak bytes")

    track_peak_bytes.unit = "bytes"  # type: ignore[attr-defined]

    def track_kept_bytes(self, figures: dict[str, Figures], label: str) -> float:
        return self.told(figures, label, "kept bytes")

    track_kept_bytes.unit = "bytes"  # type: ignore[attr-defined]
