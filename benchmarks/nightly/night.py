"""A night: the commits since the last one measured by asv, the site published, and what it all means.

asv measures the `engine/` of a commit with today's benchmarks, so only commits that change `engine/` are measured, and
the last commit judged is measured again where benchmarks or cases have changed since. What is known from last time lies
with asv's results: the figures, and a mark, which commit was the last to be judged. A run that is broken off goes on
with the next: what has been measured is there, and the mark has not moved.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.nightly import gate
from benchmarks.nightly.by_asv import Asv, AsvError
from benchmarks.nightly.gate import Measured, Night, Slowdown, Suspect
from regressions.bisect import slower
from regressions.bisect.answer import Search
from regressions.bisect.axis import CannotAsk, HistoryError, NothingWrong, put
from regressions.bisect.commits import Commits
from regressions.bisect.slower import NothingGrown, Slower

__all__ = ["Repository", "night", "pending"]

REMEMBERED = 20  # commits before the night that controls and ratios are held against

Say = Callable[[str], None]


class Repository:
    """The commits that change `engine/`, along first parents of the branch that asv charts."""

    def __init__(self, root: Path, branch: str) -> None:
        self.root = root
        self.line = self._git("rev-list", "--first-parent", "--reverse", branch, "--", "engine").split()

    def _git(self, *arguments: str) -> str:
        command = ["git", "--no-optional-locks", "-C", str(self.root), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise HistoryError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.rstrip()

    def last_change(self, revision: str) -> str:
        """The commit that gave `engine/` the content that it has at a revision.

        Raises:
            HistoryError: it is not on the line.
        """
        name = self._git("rev-list", "--first-parent", "-1", "--end-of-options", revision, "--", "engine")
        if name not in self.line:
            raise HistoryError(f"{revision} is not on the line of commits that are charted")
        return name

    def title(self, commit: str) -> str:
        """What a commit says of itself."""
        return self._git("show", "--no-patch", "--format=%s", commit)


def pending(
    line: Sequence[str], judged: str | None, has_results: Callable[[str], bool]
) -> tuple[str | None, list[str]]:
    """The commit that the night is held against, and those to judge; on a first night none, and the newest.

    >>> line = ["a", "b", "c", "d"]
    >>> pending(line, "b", lambda commit: True), pending(line, None, lambda commit: commit in "ac")
    (('b', ['c', 'd']), ('c', ['d']))
    >>> pending(line, "gone", lambda commit: False)
    (None, ['d'])
    """
    known = judged if judged in line else next((commit for commit in reversed(line) if has_results(commit)), None)
    return (known, list(line[line.index(known) + 1 :])) if known is not None else (None, list(line[-1:]))


def night(asv: Asv, store: Path, since: str | None, say: Say) -> tuple[Night, Repository]:
    """Measure, publish, judge.

    Raises:
        HistoryError: there is no such history.
        AsvError: asv did not measure.
        NoBenchmark: no benchmark has that name.
    """
    repository = Repository(asv.root, asv.branch)
    before = asv.judged() if since is None else repository.last_change(since)
    last, new = pending(repository.line, before, asv.has)
    if not new:
        return Night([Measured(last, {})] if last else []), repository
    row = [*([last] if last else []), *new]
    _measure(asv, repository, row, say)
    start = repository.line.index(row[0])
    earlier = [asv.read(commit) for commit in repository.line[max(0, start - REMEMBERED) : start] if asv.has(commit)]
    commits = Commits(asv.root, store, into_branches=False)
    measured = [_explained(asv.read(commit), commits) for commit in row]
    found = Night(measured, is_first=last is None, busy=_busy(asv, earlier, measured))
    say(_published(asv))
    if last:
        found = _judged(found, earlier, commits, store, say)
    found = replace(found, failures=gate.failures(found.new))
    if found.status != 4:
        asv.judge(row[-1])
    return found, repository


def _published(asv: Asv) -> str:
    try:
        asv.publish()
    except AsvError as reason:
        return f"the charts were not made: {reason}"
    return f"charts: {asv.site / 'index.html'}"


def _measure(asv: Asv, repository: Repository, row: Sequence[str], say: Say) -> None:
    asv.introduce_machine()
    changed = max(os.stat(file).st_mtime for file in _suite(asv.root))
    for i, commit in enumerate(row):
        afresh = not asv.is_fresh(commit, changed)
        say(
            f"[{i + 1}/{len(row)}] {commit[:12]}  {repository.title(commit)}" + ("" if afresh else ", measured already")
        )
        start = time.monotonic()
        asv.measure(commit, afresh)
        say(f"      {time.monotonic() - start:.0f} s")
        if asv.judged() is None:
            asv.judge(commit)  # a run that is broken off is taken up from here


def _suite(root: Path) -> list[Path]:
    """The files that figures depend on, beside the engine."""
    return [root / "asv.conf.json", *(root / "benchmarks").rglob("*.py"), *(root / "regressions").rglob("*.py")]


def _explained(measured: Measured, commits: Commits) -> Measured:
    """With the reason why a commit has no figures, where it is its own."""
    if measured.has_figures:
        return measured
    try:
        seen = put({"names": True}, commits.where(measured.commit), slower.MODULE)
    except CannotAsk as reason:
        return replace(measured, problem=str(reason))
    return replace(measured, problem=seen.get("unusable"))


def _busy(asv: Asv, earlier: Sequence[Measured], measured: Sequence[Measured]) -> dict[str, dict[str, float]]:
    """What the controls say of each commit; the wall times of a busy machine are dropped."""
    found = {}
    for i, one in enumerate(measured):
        if busy := gate.busy_controls([*earlier, *measured[:i]], one):
            found[one.commit] = busy
            asv.drop_wall_times(one.commit)
    return found


def _judged(found: Night, earlier: Sequence[Measured], commits: Commits, store: Path, say: Say) -> Night:
    last, asked = found.measured[0], [one for one in found.new if one.has_figures]
    if not asked:
        return found
    changes = gate.changes(found.measured)
    before = [*earlier, last]
    slowdowns: list[Slowdown] = []
    unsettled: dict[str, str] = {}
    suspects = gate.suspects(before, asked)
    for i, suspect in enumerate(suspects):
        say(f"suspect {i + 1} of {len(suspects)}: {suspect.workload}, {suspect.factor:.2f} times; measured in turns")
        try:
            slowdown = _measured_again(suspect, last.commit, asked[-1].commit, commits, store, say)
        except (NothingGrown, NothingWrong):  # by the first rounds, or by the test that follows
            say("      no slower")
        except HistoryError as reason:
            unsettled[suspect.workload] = str(reason).splitlines()[0]
            say(f"      {unsettled[suspect.workload]}")
        else:
            counted = {(change.series[1], change.culprits) for change in changes}
            if slowdown.by == "time" or (slowdown.workload, slowdown.culprits) not in counted:
                slowdowns.append(slowdown)
    return replace(
        found, changes=changes, suspects=suspects, slowdowns=slowdowns, unsettled=unsettled,
        glances=gate.glances(before, asked),
    )  # fmt: skip


def _measured_again(suspect: Suspect, good: str, bad: str, commits: Commits, store: Path, say: Say) -> Slowdown:
    """As `bisect --benchmark` does: in turns with the good end, in fresh processes, until the answer is sure."""
    question = Slower(suspect.workload, gate.SUSPECT)
    search = Search(commits, question, store, lambda line: say(f"      {line}"))
    result = search.run(good, bad)
    seen = search.seen[result.culprits[-1]]
    if question.by == "time":
        factor = median(one["over good"] for one in seen)
    else:
        factor = seen[-1][question.by] / max(search.seen[result.before][-1][question.by], 1)
    return Slowdown(suspect.workload, question.by, factor, len(seen), result.before, result.culprits)
