"""What is asked along an axis: a case, or a script of one's own, and what tells good from bad.

A case is bad where it shows the symptom it names; another failure is another bug, and tells nothing about this one.
A script is good where it ends with status 0, and bad where it fails as it does at the bad end; one that always ends
with status 0 is told by what it prints: numbers alike to five digits, everything else to the letter.
"""

from __future__ import annotations

import math
import platform
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..case import Case
from ..corpus import program_file
from ..results import adapter_files
from ..verdicts import Verdict
from .axis import End, HistoryError, NothingBetween, Question, Seen, Where, put
from .search import Judgement

__all__ = ["OfCase", "OfScript", "alike", "versions"]

HERE = Path(__file__).parents[1]
MODULES = "arrays case compare costs differences oracles report transplant verdicts bisect/check".split()
HARNESS = [HERE / f"{name}.py" for name in MODULES]
CANNOT_TELL = 125  # the exit status by which a script says so, as `git bisect run` has it


class OfCase(Question):
    """Does the case hold? With `any_failure` whatever is not right is bad, not the symptom alone."""

    ways_out = "another --good or --bad; --any, if it fails in another way than reported; --find-fix"

    def __init__(self, case: Case, engine: str = "reference", any_failure: bool = False) -> None:
        self.case, self.engine, self.any_failure, self.name = case, engine, any_failure, case.id

    def key(self) -> str:
        files = [program_file(self.case), *HARNESS, *adapter_files(self.engine)]
        return "\n".join([self.name, self.engine, versions(), *(file.read_text() for file in files)])

    def see(self, where: Where) -> Seen:
        return put({"case": self.case.id, "engine": self.engine}, where)

    def judge(self, seen: Seen) -> Judgement:
        if "unusable" in seen:
            return Judgement.UNKNOWN
        match Verdict(seen["verdict"]):
            case Verdict.RIGHT:
                return Judgement.GOOD
            case Verdict.REPORTED:
                return Judgement.BAD
            case Verdict.NOT_ASKED:
                return Judgement.UNKNOWN
        return Judgement.BAD if self.any_failure else Judgement.UNKNOWN

    def text(self, seen: Sequence[Seen]) -> str:
        last = seen[-1]
        if "unusable" in last:
            return last["unusable"]
        named = last["verdict"] in (Verdict.RIGHT.value, Verdict.REPORTED.value)
        return last["text"] if named else f"{last['verdict']}: {last['text']}"

    def about(self) -> list[str]:
        return [self.case.title, *self.case.threads]


class OfScript(Question):
    """Does a program of the user's end and print as it does at the good end?"""

    def __init__(self, path: Path, engine: str = "reference", any_failure: bool = False) -> None:
        self.path, self.engine, self.any_failure, self.name = path.resolve(), engine, any_failure, path.name
        self.good: Seen | None = None
        self.bad: Seen | None = None

    def key(self) -> str:
        return "\n".join([str(self.path), self.engine, versions(), self.path.read_text()])

    def see(self, where: Where) -> Seen:
        return put({"script": str(self.path), "engine": self.engine}, where)

    def learn(self, good: End | None, bad: End | None) -> None:
        self.good, self.bad = (end.seen if end else None for end in (good, bad))
        if self.bad and self.bad["status"] == 0:
            if self.good is None:
                raise HistoryError(
                    f"{self.name} ends with status 0 at the bad end: what it prints can only be told from what it "
                    "prints at a good end, which --good names"
                )
            if self.good["status"] == 0 and alike(self.good["printed"], self.bad["printed"]):
                raise NothingBetween(f"{self.name} prints the same at both ends: {self.bad['printed'] or 'nothing'}")

    def judge(self, seen: Seen) -> Judgement:
        if "unusable" in seen or seen["status"] == CANNOT_TELL:
            return Judgement.UNKNOWN
        by_status = self.bad is None or self.bad["status"] != 0
        if by_status or self.good is None or self.good["status"] != 0:
            if seen["status"] == 0:
                return Judgement.GOOD
            same = self.bad is None or _failure(seen) == _failure(self.bad)
        elif seen["status"] == 0 and alike(seen["printed"], self.good["printed"]):
            return Judgement.GOOD
        else:
            same = seen["status"] == 0 and self.bad is not None and alike(seen["printed"], self.bad["printed"])
        return Judgement.BAD if same or self.any_failure else Judgement.UNKNOWN

    def text(self, seen: Sequence[Seen]) -> str:
        last = seen[-1]
        if "unusable" in last:
            return last["unusable"]
        end = f"ends with status {last['status']}" if last["status"] else ""
        return "\n".join(filter(None, [last["printed"], last["error"] or end])) or "it prints nothing"


def _failure(seen: Seen) -> tuple[int, str]:
    """In which way a script failed: the status, and the kind of exception, not its text."""
    return seen["status"], seen["error"].partition(":")[0]


def alike(a: str, b: str) -> bool:
    """Is it the same text, its numbers to five digits?

    >>> alike("d: [1.0000001  nan]", "d: [1. nan]"), alike("d: [1.1 nan]", "d: [1. nan]")
    (True, False)
    """
    one, other = (re.split(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)", text.lower()) for text in (a, b))
    return len(one) == len(other) and all(
        math.isclose(float(x), float(y), rel_tol=1e-5, abs_tol=1e-12) if i % 2 else x.split() == y.split()
        for i, (x, y) in enumerate(zip(one, other, strict=True))
    )


def versions() -> str:
    """What of this interpreter answers may hang on."""
    return f"{platform.python_version()} {np.__version__}"
