"""The releases of a package as places to search along, each in an environment of its own."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import cached_property

from ..environments import Release, Unusable, interpreter, published, release_of
from .axis import Axis, CannotAsk, HistoryError, Where

__all__ = ["Releases"]


class Releases(Axis):
    """What the package index offers of an engine, oldest first. `say` hears what is being installed.

    Raises:
        ValueError: there is no way to install the engine.
    """

    noun, plural = "release", "releases"

    def __init__(self, engine: str, say: Callable[[str], None] = lambda line: None) -> None:
        self.engine, self.say = release_of(engine).engine, say

    @cached_property
    def versions(self) -> list[str]:
        """All there are for this Python."""
        try:
            return [release.version for release in published(self.engine)]
        except Unusable as problem:
            raise HistoryError(f"the releases of {self.engine} {problem}") from None

    def row(self, good: str | None, bad: str | None) -> list[str]:
        first, last = (self._position(end, default) for end, default in ((good, 0), (bad, len(self.versions) - 1)))
        if not first < last:
            raise HistoryError(f"{self.engine} {self.versions[first]} is not before {self.versions[last]}")
        return self.versions[first : last + 1]

    def _position(self, version: str | None, default: int) -> int:
        if version is None:
            return default
        wanted = release_of(f"{self.engine}=={version}").version
        if wanted not in self.versions:
            near = ", ".join(difflib.get_close_matches(wanted, self.versions, 3, 0))
            raise HistoryError(f"there is no {self.engine} {wanted} for this Python; there is {near}")
        return self.versions.index(wanted)

    def where(self, place: str) -> Where:
        try:
            return Where(interpreter(Release(self.engine, place), self.say))
        except Unusable as problem:
            raise CannotAsk(str(problem)) from None

    def key(self, place: str) -> str:
        return f"{self.engine}-{place}"

    def label(self, place: str) -> str:
        return f"{self.engine} {place}"

    def title(self, place: str) -> str:
        beside = Release(self.engine, place).note.get("beside")
        return f"with {beside}" if beside else ""
