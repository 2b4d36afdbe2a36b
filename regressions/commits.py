"""The commits of this repository as engines: the `engine/` of each, beside today's cases.

The user's tree, index, stash and branches are only read. What a commit holds goes from the object store into a folder
of its own, which gets its name when it is whole: an interrupted run leaves nothing that a later one could mistake.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Commit", "Commits", "HistoryError", "cache"]


class HistoryError(LookupError):
    """The repository does not have what is asked of it; the message says what to do."""


@dataclass(frozen=True)
class Commit:
    """What is said about a commit. `files` are those it changed under `engine/`, against its first parent."""

    revision: str
    date: str
    subject: str
    parents: tuple[str, ...]
    files: tuple[str, ...]


def cache() -> Path:
    """Where engines of old commits and verdicts are kept: $GRADPIN_CACHE, else the user's own cache folder."""
    return Path(os.environ.get("GRADPIN_CACHE") or Path.home() / ".cache" / "gradpin")


class Commits:
    """The history of the repository at `root`.

    Raises:
        HistoryError: there is no repository.
    """

    def __init__(self, root: Path, store: Path) -> None:
        self.root = root
        self.store = store
        self._git("rev-parse", "--git-dir", otherwise=f"{root} is in no git repository: there is no history to search")

    def _git(self, *arguments: str, otherwise: str = "") -> str:
        done = subprocess.run(
            ["git", "-C", str(self.root), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            raise HistoryError(otherwise or f"git {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def revision(self, name: str) -> str:
        """The full name of a commit.

        Raises:
            HistoryError: there is none of that name.
        """
        return self._git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}",
            otherwise=f"there is no revision {name!r} here" + self._perhaps_shallow(),
        )  # fmt: skip

    def _perhaps_shallow(self) -> str:
        shallow = self._git("rev-parse", "--is-shallow-repository") == "true"
        return "; the clone is shallow, `git fetch --unshallow` brings the rest" if shallow else ""

    def before(self, bad: str) -> list[str]:
        """The first-parent line up to and with `bad`, oldest first."""
        return self._git("rev-list", "--first-parent", "--reverse", bad).split()

    def row(self, good: str, bad: str) -> list[str]:
        """From `good` to `bad` along first parents, oldest first, both ends included.

        Raises:
            HistoryError: `good` is not on that line.
        """
        line = self.before(bad)
        if good not in line[:-1]:
            raise HistoryError(
                f"{good[:12]} is not before {bad[:12]} on the line of its first parents" + self._perhaps_shallow()
            )
        return line[line.index(good) :]

    def branch(self, merge: Commit) -> list[str]:
        """Into a merge: from where its branch left the line, along the branch, to the merge itself."""
        left, joined = merge.parents[:2]
        start = self._git("merge-base", left, joined)
        inside = self._git("rev-list", "--first-parent", "--reverse", f"{start}..{joined}").split()
        return [start, *inside, merge.revision]

    def about(self, revision: str) -> Commit:
        """What there is to say about a commit."""
        full, date, parents, subject = self._git("show", "--no-patch", "--format=%H%n%cs%n%P%n%s", revision).split("\n")
        against = parents.split()[0] if parents else "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # the empty tree
        files = self._git("diff", "--name-only", against, full, "--", "engine").split("\n")
        return Commit(full, date, subject, tuple(parents.split()), tuple(filter(None, files)))

    def engine(self, revision: str) -> Path | None:
        """A folder that holds the `engine/` of a commit and nothing else; None if it has none."""
        folder = self.store / "commits" / revision
        if folder.is_dir():
            return folder
        command = ["git", "-C", str(self.root), "archive", "--format=tar", revision, "engine"]
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            return None
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._clear_leftovers(folder.parent)
        partial = Path(tempfile.mkdtemp(prefix="partial-", dir=folder.parent))
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(partial, filter="data")
        try:
            partial.rename(folder)
        except OSError:  # another run was faster
            shutil.rmtree(partial)
        return folder

    @staticmethod
    def _clear_leftovers(folder: Path) -> None:
        for leftover in folder.glob("partial-*"):
            shutil.rmtree(leftover, ignore_errors=True)
