"""A workload that became slower, or takes more memory, as a question: exact counters first, then time.

Counters are the same in every run: where one has grown between the ends, it decides alone. Otherwise time does, as the
ratio of the engine's gradient to the one written by hand, in a fresh process for each round, taken in turns with the
good end; rounds are repeated until one judgement leads by so many that chance does not explain it (Wald's sequential
test of a coin), or it is said that none does. A wrong gradient has no speed: such a commit cannot be asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from ..costs import NOISE_BYTES
from .axis import HERE, CannotAsk, End, HistoryError, Question, Seen, Where, put
from .questions import versions
from .search import Judgement

__all__ = ["NothingGrown", "Slower", "workloads"]

MODULE = "benchmarks.asked"
COUNTERS = dict.fromkeys(("calls", "instructions", "statements", "names saved", "kept bytes"), 0) | {
    "peak bytes": NOISE_BYTES
}
"""What is counted of a gradient, and how much more of each is no growth."""
ROUNDS = 9  # at the bad end, to see whether there is something to search for
LEAD = 7  # where a round is right nine times in ten, the judgement is wrong once in four million
ATTEMPTS = 60
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1") | {
    "PYTHONHASHSEED": "0"
}


class NothingGrown(HistoryError):
    """The bad end takes no more than the good one."""


def workloads(where: Where) -> list[str]:
    """The workloads, as workload:size."""
    return put({"names": True}, where, MODULE)["names"]


class Slower(Question):
    """Is a workload's gradient slower than at the good end, or does it take more memory, by `factor` at the bad end?

    What lies between is bad beyond the middle of the two ends, on a scale of factors.
    """

    attempts = ATTEMPTS
    ways_out = "another --good or --bad; a smaller --factor"

    def __init__(self, name: str, factor: float = 1.2) -> None:
        self.name, self.factor = name, factor
        self.by, self.limit, self.good = "", math.inf, Where()

    def key(self) -> str:
        files = sorted((HERE / "benchmarks").rglob("*.py"))
        against = [*map(str, self.good.folders)] if self.by == "time" else []
        return "\n".join([self.name, versions(), *against, *(file.read_text() for file in files)])

    def see(self, where: Where) -> Seen:
        if self.by != "time":
            return put({"workload": self.name}, where, MODULE, **ONE_THREAD)
        ratios = []
        for side in (self.good, where):
            seen = put({"workload": self.name, "timed": True}, side, MODULE, **ONE_THREAD)
            if "unusable" in seen:
                return seen
            ratios.append(seen["ratio"])
        good, here = ratios
        return {"over hand": here, "over good": here / good}

    def learn(self, good: End | None, bad: End | None) -> None:
        if good is None or bad is None:
            raise HistoryError(f"what {self.name} took before it became slower has to be known: name a --good end")
        self.good = good.where
        seen = {c: (good.seen[c], bad.seen[c]) for c in COUNTERS if c in good.seen and c in bad.seen}
        grown = {
            c: after / max(before, 1) if after - before > COUNTERS[c] else 1 for c, (before, after) in seen.items()
        }
        self.by = max(grown, key=lambda c: grown[c])
        self.limit = math.sqrt(good.seen[self.by] * bad.seen[self.by])
        if grown[self.by] >= self.factor:
            self.agree = 1
            return
        self.by, self.agree = "time", LEAD
        times = median(self._rounds(bad.where))
        self.limit = math.sqrt(times)
        if not times >= self.factor:
            told = ", ".join(f"{c} {times:.2f}" for c, times in (*grown.items(), ("time", times)))
            raise NothingGrown(f"nothing of {self.name} has grown {self.factor:g} times between the ends: {told}")

    def _rounds(self, where: Where) -> list[float]:
        """How many times as long as at the good end it took there: no more rounds than it takes to say less."""
        rounds: list[float] = []
        while len(rounds) < ROUNDS and sum(times < self.factor for times in rounds) <= ROUNDS // 2:
            seen = self.see(where)
            if "unusable" in seen:
                raise CannotAsk(seen["unusable"])
            rounds.append(seen["over good"])
        return rounds

    def judge(self, seen: Seen) -> Judgement:
        if "unusable" in seen:
            return Judgement.UNKNOWN
        return Judgement.BAD if seen["over good" if self.by == "time" else self.by] > self.limit else Judgement.GOOD

    def text(self, seen: Sequence[Seen]) -> str:
        last = seen[-1]
        if "unusable" in last:
            return last["unusable"]
        if self.by != "time":
            return ", ".join(f"{last[c]} {c}" for c in COUNTERS if c in last)
        over_good, over_hand = (median(s[what] for s in seen) for what in ("over good", "over hand"))
        return f"{over_good:.2f} times the good end, {over_hand:.2f} times the gradient by hand; {len(seen)} rounds"

    def about(self) -> list[str]:
        return [f"told by {self.by}, for a growth of {self.factor:g} or more between the ends"]
