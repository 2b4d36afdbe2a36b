"""Do costs grow in step with the program?"""

from __future__ import annotations

from collections.abc import Callable

import engine
from benchmarks.history.asking import count_instructions
from benchmarks.workloads import growth, index_sum, list_appends


def _deep_loop(n: int) -> None:
    engine.gradient(growth.deep_loop, 0.7, 1.93, n=n)


def _repeated_doubling(n: int) -> None:
    engine.gradient(growth.repeated_doubling, 1.0, n=n // 25)


def _index_sum(n: int) -> None:
    args, constants = index_sum.arguments(n)
    engine.gradient(index_sum.loss, *args, **constants)


def _list_appends(n: int) -> None:
    args, constants = list_appends.arguments(n)
    engine.gradient(list_appends.loss, *args, **constants)


PROGRAMS: dict[str, Callable[[int], None]] = {
    "deep_loop": _deep_loop,
    "repeated_doubling": _repeated_doubling,
    "index_sum": _index_sum,
    "list_appends": _list_appends,
}
LENGTH = 250


class Growth:
    """The exponent k in a + b n^k, of what is counted at lengths n, 2n and 4n.

    Expected: 1 for everything. 2 is a loop within a loop, or an array for each access; a value used twice whose uses
    are followed separately would not come to an end.
    """

    params = (list(PROGRAMS),)
    param_names = ("program",)

    def setup(self, program: str) -> None:
        if not hasattr(engine, "gradient"):
            raise NotImplementedError("there is no gradient in this commit")

    def track_exponent_of_instructions(self, program: str) -> float:
        return self._exponent(program, count_instructions, "calls")

    track_exponent_of_instructions.unit = "exponent"  # type: ignore[attr-defined]

    def track_exponent_of_peak_bytes(self, program: str) -> float:
        from benchmarks.measure import peak_bytes

        return self._exponent(program, peak_bytes, "peak")

    track_exponent_of_peak_bytes.unit = "exponent"  # type: ignore[attr-defined]

    @staticmethod
    def _exponent(program: str, count: Callable[[Callable[[], None]], int], of: str) -> float:
        from regressions.costs import exponent

        run = PROGRAMS[program]
        run(LENGTH)
        return round(exponent(tuple(count(lambda k=k: run(k * LENGTH)) for k in (1, 2, 4)), of), 1)  # type: ignore[misc]
