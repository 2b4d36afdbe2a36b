"""A case asked of an engine, as text that can be sent, kept and compared."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

from . import report
from .adapters import Adapter
from .case import Case
from .verdicts import Run, Verdict, run

__all__ = ["Record", "recorded"]


@dataclass(frozen=True)
class Record:
    """What came of one case on one engine: one of the five verdicts, and everything as text.

    An engine that is not `usable` does not install, or does not import, and `got` says why.
    """

    case: str
    engine: str
    version: str
    verdict: str
    expected: str
    got: str
    difference: str = ""
    seconds: float = 0.0
    usable: bool = True
    asked: str = "reference"  # what to write after --engine for the same

    @property
    def on(self) -> str:
        """The engine and its release, where it has one."""
        return f"{self.engine} {self.version}".strip()

    @property
    def holds(self) -> bool:
        """Did the engine give the right answer?"""
        return self.verdict == Verdict.RIGHT.value


def recorded(case: Case, adapter: Adapter, result: Run | None = None, asked: str = "reference") -> Record:
    """Ask, or take what was asked, and write down what came of it."""
    start = time.perf_counter()
    if result is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an engine that only warns has not said no
            result = run(case, adapter)
    seconds = round(time.perf_counter() - start, 4)
    expected, got = report.described(case.right), report.described(result.outcome)
    return Record(
        case.id, adapter.name, adapter.version, result.verdict.value, expected, got,
        difference=str(result.difference or ""), seconds=seconds, asked=asked,
    )  # fmt: skip
