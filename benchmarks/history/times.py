"""How long does a gradient take on this machine, and the first one of a program?"""

from __future__ import annotations

from importlib import import_module

from benchmarks.history.asking import LABELS, prepared

CHOSEN = ("scalar_loop", "stencil", "mlp", "gmm", "lstm", "kalman")
PARAMS = [label for label in LABELS if label.partition(":")[0] in CHOSEN]


class Prepared:
    """A gradient of each workload chosen, warm."""

    params = (PARAMS,)
    param_names = ("workload",)

    def setup(self, label: str) -> None:
        self.by_engine, _, _ = prepared(label)


class Times(Prepared):
    """Wall time of a gradient that is warm.

    Expected: in step with the operations of the program. It is charted, and judged by nobody; `controls` says whether
    the machine was busy.
    """

    def time_gradient(self, label: str) -> None:
        self.by_engine()


class FirstTimes(Prepared):
    """Wall time of a gradient of a program that the engine has not seen: reading, generating, compiling.

    Expected: in step with the text of the program, whatever its data.
    """

    number, repeat, warmup_time = 1, (3, 9, 2.0), 0.0

    def setup(self, label: str) -> None:
        super().setup(label)
        try:
            forget = import_module("engine.rules.registry").generation.bump
        except (ImportError, AttributeError):
            raise NotImplementedError("this commit cannot be made to forget a program") from None
        forget()

    def time_first_gradient(self, label: str) -> None:
        self.by_engine()
