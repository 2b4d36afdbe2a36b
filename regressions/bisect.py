"""A case that is red -> the commit that broke it (or, with `find_fix`, mended it), sure of both sides of the answer.

Today's case is asked of each commit's engine, in a process of its own. What was found out is kept, so that a second
search is instant.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .case import Case
from .check import EXIT
from .commits import Commit, Commits, HistoryError
from .corpus import program_file
from .search import Found, Judgement, first_bad, good_end, settled, steps_left

__all__ = ["Asker", "Result", "bisect", "report"]

TIMEOUT = 300  # seconds; a commit whose engine hangs cannot be asked
TURNED = {Judgement.GOOD: Judgement.BAD, Judgement.BAD: Judgement.GOOD, Judgement.UNKNOWN: Judgement.UNKNOWN}
JUDGEMENTS = {status: judgement for judgement, status in EXIT.items()}


class Asker:
    """Asks commits about one case, and remembers."""

    def __init__(self, case: Case, commits: Commits, any_failure: bool, say: Callable[[str], None]) -> None:
        self.case = case
        self.commits = commits
        self.any_failure = any_failure
        self.say = say
        self.asked = 0

    def kept(self, revision: str) -> Path:
        """The file in which the judgement on a commit is kept; another case, or another text of it, has another."""
        text = f"{self.case.id} {self.any_failure} {program_file(self.case).read_text()}"
        return self.commits.store / "judgements" / hashlib.sha256(text.encode()).hexdigest()[:16] / f"{revision}.json"

    def __call__(self, revision: str, again: bool = False) -> tuple[Judgement, str]:
        """The judgement on a commit, and what its engine answered."""
        kept = self.kept(revision)
        if kept.exists() and not again:
            judgement, text = json.loads(kept.read_text())
            return Judgement(judgement), text
        self.asked += 1
        judgement, text = self.ask(revision)
        self.say(f"  {revision[:12]}  {judgement.value:11}  {self.commits.about(revision).subject}")
        kept.parent.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps([judgement.value, text]))
        partial.rename(kept)
        return judgement, text

    def ask(self, revision: str) -> tuple[Judgement, str]:
        """Run the case on the engine of a commit."""
        folder = self.commits.engine(revision)
        if folder is None:
            return Judgement.UNKNOWN, "the commit has no engine"
        here = Path(__file__).resolve().parents[1]
        command = [sys.executable, "-P", "-m", "regressions.check", self.case.id]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(here)])}
        try:
            done = subprocess.run(
                [*command, *(["--any"] if self.any_failure else [])],
                capture_output=True, text=True, env=environment, timeout=TIMEOUT, stdin=subprocess.DEVNULL, cwd=folder,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Judgement.UNKNOWN, f"no answer in {TIMEOUT} seconds"
        # Python's own failures end with status 1 as well: only a line of ours is a judgement.
        judgement = JUDGEMENTS.get(done.returncode, Judgement.UNKNOWN)
        word, separator, text = done.stdout.partition(": ")
        if not separator or word != judgement.value:
            return Judgement.UNKNOWN, (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return judgement, text.strip()


@dataclass(frozen=True)
class Result:
    """The commit, or the honest set, and what the case said before and after."""

    case: Case
    find_fix: bool
    culprits: tuple[Commit, ...]
    before: Commit
    said_before: str
    said_after: str
    unknown: int
    asked: int


def bisect(asker: Asker, good: str | None = None, bad: str = "HEAD", find_fix: bool = False, agree: int = 1) -> Result:
    """Where the case turned from good to bad between two revisions; or, for `find_fix`, from bad to good.

    Without `good`, doubling steps back from `bad` find one. Both sides of the answer are asked once more at the end.

    Raises:
        HistoryError: no such revision, no good one before it, an end that is not what it has to be, or answers that
            do not stay the same.
    """
    commits = asker.commits
    line = commits.before(commits.revision(bad)) if good is None else commits.row(
        commits.revision(good), commits.revision(bad)
    )  # fmt: skip

    def on(row: list[str]) -> Callable[[int], Judgement]:
        def ask(position: int) -> Judgement:
            judgement = asker(row[position])[0]
            return TURNED[judgement] if find_fix else judgement

        return settled(ask, agree)

    def verified(position: int, expected: Judgement) -> None:
        found = on(line)(position)
        if found is not expected:
            word, said = (TURNED[j] if find_fix else j for j in (expected, found))
            raise HistoryError(
                f"{asker.case.id} has to be {word.value} at {line[position][:12]} and is: {said.value}\n"
                f"  {asker(line[position])[1]}\n"
                "  Ways out: another --good or --bad; --any, if it fails in another way than reported; --find-fix"
            )

    verified(len(line) - 1, Judgement.BAD)
    if good is None:
        start = good_end(on(line), len(line) - 1)
        if start is None:
            raise HistoryError(
                f"no commit before {bad} is {'bad' if find_fix else 'good'} on {asker.case.id}: "
                "name one with --good, if it is on another line"
            )
        line = line[start:]
    verified(0, Judgement.GOOD)
    asker.say(f"{len(line) - 1} commits, about {steps_left(0, len(line) - 1)} steps")
    found, line = _searched(on, line, commits)
    return _confirmed(asker, found, line, find_fix)


def _searched(on: Callable, line: list[str], commits: Commits) -> tuple[Found, list[str]]:
    """Along the line of first parents; and when the culprit is a merge, along the branch that it brought in."""
    found = first_bad(on(line), 0, len(line) - 1)
    while found.is_sure and len(commits.about(line[found.bad]).parents) > 1:
        inside = commits.branch(commits.about(line[found.bad]))
        if len(inside) < 3 or on(inside)(0) is not Judgement.GOOD:
            break
        line = inside
        found = first_bad(on(line), 0, len(line) - 1)
    return found, line


def _confirmed(asker: Asker, found: Found, line: list[str], find_fix: bool) -> Result:
    """The answer, once both its sides have been asked again, from the start."""
    said = []
    for position in (found.good, found.bad):
        before, _ = asker(line[position])
        after, text = asker(line[position], again=True)
        if after is not before:
            raise HistoryError(
                f"{line[position][:12]} was {before.value} and is now {after.value}: the case is not reproducible "
                "there; ask with --agree 3, or more"
            )
        said.append(text)
    culprits = tuple([asker.commits.about(line[i]) for i in found.culprits])
    before_ = asker.commits.about(line[found.good])
    said_before, said_after = said
    return Result(asker.case, find_fix, culprits, before_, said_before, said_after, len(found.unknown), asker.asked)


def report(result: Result) -> str:
    """What was found, ready to be pasted into a report."""
    word = "mended" if result.find_fix else "broke"
    case, last = result.case, result.culprits[-1]
    if len(result.culprits) == 1:
        lines = [f"{last.revision[:12]} {word} {case.id}", f"  {last.date}  {last.subject}"]
        lines += [f"  {file}" for file in last.files]
    else:
        lines = [f"one of these {len(result.culprits)} commits {word} {case.id}; the others cannot be asked:"]
        lines += [f"  {c.revision[:12]}  {c.date}  {c.subject}" for c in result.culprits]
    lines += [
        f"  {case.title}",
        *(f"  {thread}" for thread in case.threads),
        f"before, at {result.before.revision[:12]}:",
        *(f"  {line}" for line in result.said_before.splitlines()),
        f"after, at {last.revision[:12]}:",
        *(f"  {line}" for line in result.said_after.splitlines()),
    ]
    return "\n".join(lines)
