"""How long is the generated program, and what does it save?"""

from __future__ import annotations

from benchmarks.history.asking import Counted, Figures


class Code(Counted):
    """Statements of the generated adjoint, and the lists that its loops fill for the reverse sweep.

    Expected: in step with the text of the program, whatever its data; never with the number of times a loop runs.
    """

    def track_statements(self, figures: dict[str, Figures], label: str) -> float:
        return self.told(figures, label, "statements")

    track_statements.unit = "statements"  # type: ignore[attr-defined]

    def track_names_saved(self, figures: dict[str, Figures], label: str) -> float:
        return self.told(figures, label, "names saved")

    track_names_saved.unit = "names"  # type: ignore[attr-defined]
