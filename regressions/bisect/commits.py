"""The commits of this repository as places to search along: the `engine/` of each, beside today's suite.

The user's tree, index, stash and branches are only read. What a commit holds goes from the object store into a folder
of its own, which gets its name when it is whole: an interrupted run leaves nothing that a later one could mistake.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from ..environments import locked
from .axis import Axis, CannotAsk, HistoryError, Where, leftovers
from .search import Judgement

__all__ = ["TREE", "Commits"]

TREE = "the working tree"
NO_PARENT = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # the empty tree, as git names it


class Commits(Axis):
    """The history of the repository at `root`, along first parents; into the branch that a merge brought in, if asked.

    Raises:
        HistoryError: there is no repository.
    """

    noun, plural = "commit", "commits"

    def __init__(self, root: Path, store: Path, into_branches: bool = True) -> None:
        self.root, self.store, self.into_branches = root, store, into_branches
        self._git("rev-parse", "--git-dir", otherwise=f"{root} is in no git repository: there is no history to search")

    def _git(self, *arguments: str, otherwise: str = "") -> str:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(self.root), *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise HistoryError(otherwise or f"git {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.rstrip()

    def revision(self, name: str) -> str:
        """The full name of a commit.

        Raises:
            HistoryError: there is none of that name.
        """
        return self._git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}",
            otherwise=f"there is no revision {name!r} here" + self.hint(),
        )  # fmt: skip

    def hint(self) -> str:
        """That history is missing, where it is."""
        shallow = self._git("rev-parse", "--is-shallow-repository") == "true"
        return "; the clone is shallow, `git fetch --unshallow` brings the rest" if shallow else ""

    def row(self, good: str | None, bad: str | None) -> list[str]:
        """Along first parents; to the working tree, if no bad end is named and its engine is not that of HEAD."""
        last = self.revision(bad or "HEAD")
        line = ["rev-list", "--first-parent", "--reverse"]
        if good is None:
            row = self._git(*line, last).split()
        else:
            first = self.revision(good)
            base = self._git("merge-base", first, last, otherwise=f"{good} and {bad or 'HEAD'} have no common commit")
            if base != first:
                hint = "" if base == last else f"; {base[:12]} is before both"
                raise HistoryError(f"{good} is not before {bad or 'HEAD'}{hint}" + self.hint())
            row = [first, *self._git(*line, f"{first}..{last}").split()]
        if bad is None and self._changes():
            row.append(TREE)
        if len(row) < 2:
            raise HistoryError(f"there is nothing between {good or bad or 'HEAD'} and {bad or 'HEAD'}")
        return row

    def _changes(self) -> list[str]:
        """The files under `engine/` that are not as they are in HEAD."""
        return [line[3:] for line in self._git("status", "--porcelain", "--", "engine").splitlines()]

    def inside(self, place: str, judge: Callable[[str], Judgement]) -> list[str] | None:
        """Into a merge: from where a branch left the line, along the branch, to the merge itself."""
        parents = () if place == TREE else self._about(place)[2]
        if not self.into_branches:
            return None
        for tip in parents[1:]:
            start = self._git("merge-base", parents[0], tip)
            row = [start, *self._git("rev-list", "--first-parent", "--reverse", f"{start}..{tip}").split(), place]
            if judge(tip) is not Judgement.GOOD and judge(start) is Judgement.GOOD:
                return row
        return None

    @cache  # noqa: B019
    def _about(self, revision: str) -> tuple[str, str, tuple[str, ...]]:
        date, parents, subject = self._git("show", "--no-patch", "--format=%cs%n%P%n%s", revision).split("\n")
        return date, subject, tuple(parents.split())

    def label(self, place: str) -> str:
        return place if place == TREE else place[:12]

    def title(self, place: str) -> str:
        if place == TREE:
            return "changes that are not committed"
        date, subject, _ = self._about(place)
        return f"{date}  {subject}"

    def details(self, place: str) -> list[str]:
        if place == TREE:
            return [self.title(place), *self._changes()]
        before = next(iter(self._about(place)[2]), NO_PARENT)
        return [self.title(place), *self._git("diff", "--name-only", before, place, "--", "engine").split("\n")]

    def key(self, place: str) -> str:
        if place != TREE:
            return place
        digest = hashlib.sha256()
        for file in sorted((self.root / "engine").rglob("*.py")):
            digest.update(f"{file.relative_to(self.root)}\n{file.read_text()}".encode())
        return f"tree-{digest.hexdigest()[:40]}"

    def where(self, place: str) -> Where:
        """A folder that holds the `engine/` of the commit and nothing else."""
        if place == TREE:
            return Where(folders=(self.root,))
        folder = self.store / "commits" / place
        with locked(self.store / "commits.lock"):
            if not folder.is_dir():
                self._unpack(place, folder)
        return Where(folders=(folder,))

    def _unpack(self, revision: str, folder: Path) -> None:
        command = ["git", "-C", str(self.root), "archive", "--format=tar", revision, "engine"]
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise CannotAsk("the commit has no engine")
        folder.parent.mkdir(parents=True, exist_ok=True)
        for leftover in leftovers(folder.parent):
            shutil.rmtree(leftover)
        partial = Path(tempfile.mkdtemp(prefix=f"partial-{os.getpid()}-", dir=folder.parent))
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(partial, filter="data")
        partial.rename(folder)
