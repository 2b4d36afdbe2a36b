"""Bisection over commits, in repositories made for it: each kind of history; the user's tree stays as it was."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from regressions.bisect import Asker, Result, bisect, report
from regressions.commits import Commits, HistoryError
from regressions.corpus import find
from regressions.search import Judgement

ROOT = Path(__file__).resolve().parents[2]
CASE = find("chainrules-498")[0]
BREAK = "\nimport numpy\nfrom engine.rules import registry\ndel registry._rules[numpy.copysign]\n"
OTHER = "\nimport numpy\nfrom engine.rules import registry, rule\ndel registry._rules[numpy.copysign]\n" + (
    "rule(numpy.copysign, x=lambda d, out, x, y: 7 * d)\n"
)
UNIMPORTABLE = "\nraise ImportError('half done')\n"


@dataclass
class Repository:
    """A repository whose commits are this engine with something added to it."""

    root: Path

    def git(self, *arguments: str) -> str:
        who = {f"GIT_{role}_{what}": "a" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        command = ["git", "-C", str(self.root), "-c", "commit.gpgsign=false", *arguments]
        environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()

    def commit(self, subject: str, added: str = "") -> str:
        (self.root / "engine" / "__init__.py").write_text(PUBLIC_FACE + added)
        (self.root / "notes").write_text(subject)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", subject)
        return self.git("rev-parse", "HEAD")


PUBLIC_FACE = (ROOT / "engine" / "__init__.py").read_text()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    made = Repository(tmp_path_factory.mktemp("of commits") / "a repository")
    made.root.mkdir()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(ROOT / "engine", "engine", filter=lambda i: None if "__pycache__" in i.name else i)
    packed.seek(0)
    with tarfile.open(fileobj=packed) as archive:
        archive.extractall(made.root, filter="data")
    made.git("init", "-q", "-b", "main")
    return made


@pytest.fixture
def history(repository: Repository) -> Callable[..., list[str]]:
    """Make a line of commits from letters: g good, b bad, o bad in another way, u unimportable."""
    texts = {"g": "", "b": BREAK, "o": OTHER, "u": UNIMPORTABLE}

    def made(letters: str) -> list[str]:
        repository.git("checkout", "-q", "--orphan", f"line-{letters}-{os.urandom(4).hex()}")
        return [repository.commit(f"{i}: {letter}", texts[letter]) for i, letter in enumerate(letters)]

    return made


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


def asker(repository: Repository, store: Path, any_failure: bool = False) -> Asker:
    return Asker(CASE, Commits(repository.root, store), any_failure, lambda line: None)


def names(result: Result) -> list[str]:
    return [commit.revision for commit in result.culprits]


def test_the_commit_is_named_with_what_it_said_before_and_after(repository, history, store):
    line = history("gugbb")
    found = bisect(asker(repository, store))
    assert names(found) == [line[3]]
    text = report(found)
    assert text.startswith(f"{line[3][:12]} broke {CASE.id}\n") and "3: b\n  engine/__init__.py\n" in text
    assert CASE.threads[0] in text and "(-4.0, None)" in text and "ForeignCallError" in text
    assert bisect(asker(repository, store), good=line[0], bad=line[4]).culprits == found.culprits


def test_a_second_search_only_confirms(repository, history, store):
    history("gggbb")
    first, second = bisect(asker(repository, store)), bisect(asker(repository, store))
    assert first.culprits == second.culprits
    assert second.asked == 2


def test_a_culprit_that_cannot_be_asked_gives_the_set(repository, history, store):
    line = history("guub")
    found = bisect(asker(repository, store), good=line[0])
    assert names(found) == line[1:]
    assert "one of these 3 commits broke" in report(found)


def test_the_commit_that_mended_it(repository, history, store):
    line = history("bbg")
    found = bisect(asker(repository, store), good=line[0], find_fix=True)
    assert names(found) == [line[2]]
    assert "mended" in report(found)


def test_another_failure_is_not_this_bug(repository, history, store):
    line = history("gob")
    assert names(bisect(asker(repository, store), good=line[0])) == line[1:]
    assert names(bisect(asker(repository, store, any_failure=True), good=line[0])) == [line[1]]


def test_into_the_branch_that_a_merge_brought_in(repository, history, store):
    base, *_ = history("g")
    main = repository.git("branch", "--show-current")
    repository.git("checkout", "-q", "-b", f"{main}-side", base)
    side = [repository.commit(f"side {i}", text) for i, text in enumerate(("", BREAK, BREAK))]
    repository.git("checkout", "-q", main)
    after = repository.commit("main goes on")
    repository.git("merge", "-q", "--no-ff", "-X", "theirs", "-m", "merge", f"{main}-side")
    last = repository.commit("later", BREAK)
    assert names(bisect(asker(repository, store), good=after, bad=last)) == [side[1]]


def test_the_users_tree_is_left_alone(repository, history, store):
    line = history("gb")
    (repository.root / "notes").write_text("not committed")
    (repository.root / "staged").write_text("staged")
    repository.git("add", "staged")
    repository.git("checkout", "-q", "--detach")
    before = repository.git("status", "--porcelain"), repository.git("rev-parse", "HEAD")
    assert names(bisect(asker(repository, store), good=line[0])) == [line[1]]
    assert (repository.git("status", "--porcelain"), repository.git("rev-parse", "HEAD")) == before
    assert repository.git("worktree", "list").count("\n") == 0
    repository.git("reset", "-q", "--hard")


def test_what_a_killed_run_left_is_removed(repository, history, tmp_path):
    line = history("gb")
    leftover = tmp_path / "commits" / "partial-of-a-killed-run"
    leftover.mkdir(parents=True)
    assert names(bisect(asker(repository, tmp_path), good=line[0])) == [line[1]]
    assert not leftover.exists()


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("nowhere", "HEAD", "there is no revision 'nowhere' here"),
        ("HEAD", "HEAD~1", "is not before"),
        ("HEAD~2", "HEAD", "has to be good at .* and is: bad"),
        ("HEAD~1", "HEAD", "has to be good at .* and is: cannot tell"),
        (None, "HEAD~2", "no commit before HEAD~2 is good on"),
    ],
)
def test_ends_that_make_no_search(repository, history, store, good, bad, message):
    history("bub")
    with pytest.raises(HistoryError, match=message):
        bisect(asker(repository, store), good, bad)


@pytest.mark.parametrize(("find_fix", "message"), [(False, "bad at .* and is: good"), (True, "good at .* and is: bad")])
def test_a_search_for_nothing_says_so(repository, history, store, find_fix, message):
    history("bb" if find_fix else "gg")
    with pytest.raises(HistoryError, match=f"(?s)has to be {message}.*Ways out: .*--find-fix"):
        bisect(asker(repository, store), find_fix=find_fix)


def test_a_shallow_clone_says_so(repository, history, store, tmp_path):
    history("ggb")
    clone = tmp_path / "shallow"
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.root}", str(clone))
    with pytest.raises(HistoryError, match="the clone is shallow"):
        bisect(Asker(CASE, Commits(clone, store), False, lambda line: None), good="HEAD~1")


def test_no_repository_says_so(tmp_path):
    with pytest.raises(HistoryError, match="no git repository"):
        Commits(tmp_path, tmp_path)


def test_answers_that_change_are_reported(repository, history, store):
    line = history("gb")
    flaky = asker(repository, store)
    answers = iter([Judgement.BAD, Judgement.GOOD, Judgement.BAD])
    flaky.ask = lambda revision: (next(answers), "")  # type: ignore[method-assign]
    with pytest.raises(HistoryError, match="was good and is now bad: the case is not reproducible"):
        bisect(_fresh(flaky, store), good=line[0])


def _fresh(made: Asker, store: Path) -> Asker:
    """The same, without what other searches have found out."""
    made.kept = lambda revision: store / "fresh" / f"{revision}-{id(made)}.json"  # type: ignore[method-assign]
    return made
