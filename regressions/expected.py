"""What an engine is known not to hold: a file beside its adapter, by version range; strict both ways.

    [">=1.5,<1.7"]
    chainrules-498-copysign_follows_the_magnitude = "the reported bug"

Ranges are those of package requirements; at most one of a file contains a release. `"*"` is every release, and the only
range for an engine that has none. A case that turns out otherwise than its line says fails, with the line to change.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from .corpus import all_cases
from .records import Record
from .verdicts import Verdict

__all__ = ["EXPECTED", "FAILURES", "ExpectationError", "Expectations", "file_of", "rewritten"]

EXPECTED = Path(__file__).parent / "adapters" / "expected"
FAILURES = tuple(verdict.value for verdict in (Verdict.REPORTED, Verdict.WRONG, Verdict.ERROR))
HEADER = """\
# What {engine} is known not to hold, by version range. `python -m regressions expect {engine}` writes a section from a
# run; a run of the cases fails on every line that no longer says what happens.
"""


class ExpectationError(Exception):
    """A file of expected failures makes no sense; the message says where."""


def file_of(engine: str) -> Path:
    """Where the expected failures of an engine of this suite stand."""
    return EXPECTED / f"{engine}.toml"


@dataclass(frozen=True)
class Expectations:
    """The lines of a file: for each range the verdicts by case."""

    path: Path
    sections: Mapping[str, Mapping[str, str]]

    @classmethod
    def read(cls, path: Path) -> Expectations:
        """The file, which need not exist.

        Raises:
            ExpectationError: a line names no case or no failing verdict, or a range is none.
        """
        try:
            sections = tomllib.loads(path.read_text()) if path.exists() else {}
        except tomllib.TOMLDecodeError as error:
            raise ExpectationError(f"{path}: {error}") from None
        known = {case.id for case in all_cases()}
        for versions, lines in sections.items():
            try:
                _contains(versions, "1")
            except InvalidSpecifier:
                raise ExpectationError(
                    f"{path}: {versions!r} is no range of versions; write one like '>=1.5'"
                ) from None
            for case, verdict in lines.items():
                if case not in known:
                    raise ExpectationError(f"{path}: no case is called {case!r}; delete its line")
                if verdict not in FAILURES:
                    raise ExpectationError(f"{path}: {case} = {verdict!r}, which is none of {', '.join(FAILURES)}")
        return cls(path, sections)

    def lines(self, version: str) -> Mapping[str, str]:
        """The verdicts expected of a release.

        Raises:
            ExpectationError: two ranges contain it.
        """
        found = [versions for versions in self.sections if _contains(versions, version)]
        if len(found) > 1:
            raise ExpectationError(f"{self.path}: {version} is in two ranges, {' and '.join(map(repr, found))}")
        return self.sections[found[0]] if found else {}

    def objection(self, record: Record) -> str:
        """What to change in the file after this record; nothing where it says what happened."""
        expected = self.lines(record.version).get(record.case)
        if expected is None or not record.usable or expected == record.verdict:
            return ""
        line, now = (f'{record.case} = "{verdict}"' for verdict in (expected, record.verdict))
        if record.verdict in FAILURES:
            return f"it fails in another way than expected; in {self.path}\n  replace  {line}\n  by       {now}"
        what = "it holds now" if record.holds else "it cannot be asked any more"
        return f"{what}; in {self.path}\n  delete   {line}"

    def expects(self, record: Record) -> bool:
        """Is this failure the expected one?"""
        return self.lines(record.version).get(record.case) == record.verdict


def _contains(versions: str, version: str) -> bool:
    return versions == "*" or Version(version or "0") in SpecifierSet(versions, prereleases=True)


def rewritten(path: Path, versions: str, records: Iterable[Record]) -> str:
    """The text of the file, with the section `versions` as these records have it."""
    records = list(records)
    sections = {
        **Expectations.read(path).sections,
        versions: {r.case: r.verdict for r in records if r.verdict in FAILURES},
    }
    parts = [HEADER.format(engine=records[0].engine)]
    for name in sorted(sections):
        parts.append(
            f'["{name}"]\n' + "".join(f'{case} = "{verdict}"\n' for case, verdict in sorted(sections[name].items()))
        )
    return "\n".join(parts)
