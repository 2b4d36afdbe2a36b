"""What a search needs of an axis and of a question, and how the question is put: in a process of its own.

An axis is a row of places: commits of this repository, releases of a package, passes of the engine. `Where` says how
the engine of a place is asked. A question is put there by `check`; what is seen is data that can be kept, and what it
means the question knows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from .search import Judgement

__all__ = [
    "Axis",
    "CannotAsk",
    "End",
    "HistoryError",
    "NothingBetween",
    "NothingWrong",
    "Question",
    "Seen",
    "Where",
    "leftovers",
    "put",
]

HERE = Path(__file__).resolve().parents[2]
SECONDS = 300  # an engine that hangs cannot be asked

Seen = dict[str, Any]
"""What was seen at a place, as it came from `check`; {"unusable": why} where the engine there cannot be asked."""


class HistoryError(LookupError):
    """The axis does not have what is asked of it, or the search makes no sense; the message says what to do."""


class NothingBetween(HistoryError):
    """The good end is as bad as the bad one."""


class NothingWrong(HistoryError):
    """The bad end is good."""


class CannotAsk(Exception):
    """The question cannot be put at this place now; the message says why. It may be otherwise next time."""


@dataclass(frozen=True)
class Where:
    """How the engine of a place is asked: the Python, folders in front of its path, and what the request says of it."""

    python: Path = Path(sys.executable)
    folders: tuple[Path, ...] = ()
    request: Mapping[str, Any] = field(default_factory=dict)


def put(request: Mapping[str, Any], where: Where, module: str = "regressions.bisect.check", **environment: str) -> Seen:
    """What `python -m module` answers to a request, of today's suite and the engine at that place.

    Raises:
        CannotAsk: it hangs, or dies without an answer.
    """
    paths = [*map(str, where.folders), str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    asked = json.dumps({**request, **where.request, "seconds": SECONDS + 10})
    try:
        done = subprocess.run(
            [str(where.python), "-P", "-m", module, asked], capture_output=True, text=True, stdin=subprocess.DEVNULL,
            timeout=SECONDS, env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(paths)},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise CannotAsk(f"no answer in {SECONDS} seconds") from None
    if done.returncode or not done.stdout:
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        raise CannotAsk(f"the process ended with status {done.returncode}: {last}")
    return json.loads(done.stdout)


@dataclass(frozen=True)
class End:
    """One end of the row, once it has been asked."""

    where: Where
    seen: Seen


class Question(ABC):
    """What is asked at each place, and what the answer means.

    A judgement counts when it leads by `agree`; `attempts` is how often a place is asked at most.
    """

    name: str
    any_failure: bool = False  # is whatever is not good bad, or the named symptom alone?
    agree: int = 1
    attempts: int = 9
    ways_out: ClassVar[str] = "another --good or --bad; --find-fix"

    @abstractmethod
    def key(self) -> str:
        """The text that what was seen hangs on: another text, and all is asked anew."""

    @abstractmethod
    def see(self, where: Where) -> Seen:
        """Put the question.

        Raises:
            CannotAsk: it cannot be put there.
        """

    def learn(self, good: End | None, bad: End | None) -> None:  # noqa: B027
        """What tells good from bad, for a question that has to see the ends first; those that are known.

        Raises:
            HistoryError: nothing does.
        """

    @abstractmethod
    def judge(self, seen: Seen) -> Judgement:
        """What it means."""

    @abstractmethod
    def text(self, seen: Sequence[Seen]) -> str:
        """What was seen at a place, each time it was asked, for people."""

    def about(self) -> list[str]:
        """What there is to say about the question itself, in a report."""
        return []


class Axis(ABC):
    """A row of places to search along, oldest first."""

    noun: ClassVar[str]
    plural: ClassVar[str]

    @abstractmethod
    def row(self, good: str | None, bad: str | None) -> list[str]:
        """From a good place, or from the first one, to a bad one, or to the last; both included.

        Raises:
            HistoryError: there is no such row.
        """

    @abstractmethod
    def where(self, place: str) -> Where:
        """How to ask there.

        Raises:
            CannotAsk: there is nothing to ask, and why.
        """

    def key(self, place: str) -> str:
        """The name that what is seen at a place is kept under; what has none is not kept."""
        return place

    def label(self, place: str) -> str:
        """The place, in a word."""
        return place

    def title(self, place: str) -> str:
        """What is said of a place beside its label."""
        return ""

    def details(self, place: str) -> list[str]:
        """What is said of a culprit, in a report."""
        return list(filter(None, [self.title(place)]))

    def hint(self) -> str:
        """What to add where the row holds less than was hoped for."""
        return ""

    def inside(self, place: str, judge: Callable[[str], Judgement]) -> list[str] | None:
        """A finer row that leads to the place from somewhere good, for a culprit that is made of several places."""
        return None


def leftovers(folder: Path) -> Iterator[Path]:
    """What processes that are no more had begun in `folder`, as `partial-<process id>-<anything>`."""
    for leftover in folder.glob("partial-*"):
        try:
            os.kill(int(leftover.name.split("-")[1]), 0)
        except (ValueError, OSError):
            yield leftover
