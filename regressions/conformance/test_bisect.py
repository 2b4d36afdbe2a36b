"""Bisection over commits, in repositories made for it: each kind of history; the user's tree stays as it was."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from regressions.bisect.answer import Result, Search, report
from regressions.bisect.axis import HistoryError, NothingBetween
from regressions.bisect.commits import TREE, Commits
from regressions.bisect.questions import OfCase
from regressions.corpus import find

ROOT = Path(__file__).resolve().parents[2]
CASE = find("chainrules-498")[0]
BREAK = "\nimport numpy\nfrom engine.rules import registry\ndel registry._rules[numpy.copysign]\n"
OTHER = "\nimport numpy\nfrom engine.rules import registry, rule\ndel registry._rules[numpy.copysign]\n" + (
    "rule(numpy.copysign, x=lambda d, out, x, y: 7 * d)\n"
)
UNIMPORTABLE = "\nraise ImportError('half done')\n"
proof = pytest.mark.skipif(not os.environ.get("GRADPIN_PROOF"), reason="takes minutes: make bisect-proof")
TEXTS = {"g": "", "b": BREAK, "o": OTHER, "u": UNIMPORTABLE}


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

    def made(letters: str) -> list[str]:
        repository.git("checkout", "-q", "--orphan", f"line-{letters}-{os.urandom(4).hex()}")
        return [repository.commit(f"{i}: {letter}", TEXTS[letter]) for i, letter in enumerate(letters)]

    return made


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("the store")


def search(repository: Repository, store: Path, any_failure: bool = False, **options) -> Search:
    into_branches = options.pop("into_branches", True)
    return Search(
        Commits(repository.root, store, into_branches), OfCase(CASE, "reference", any_failure), store, **options
    )


def names(result: Result) -> list[str]:
    return list(result.culprits)


def test_the_commit_is_named_with_what_it_said_before_and_after(repository, history, store):
    line = history("gugbb")
    heard: list[str] = []
    found = search(repository, store, say=heard.append).run()
    assert names(found) == [line[3]]
    text = report(found)
    assert text.startswith(f"{line[3][:12]} broke {CASE.id}\n") and "3: b\n  engine/__init__.py\n" in text
    assert CASE.threads[0] in text and "(-4.0, None)" in text and "ForeignCallError" in text
    assert "4 commits, about 2 steps" in heard and "good         about 1 step left" in heard[-1]
    assert search(repository, store).run(good=line[0], bad=line[4]).culprits == found.culprits


def test_what_was_stepped_over_is_told_with_the_reason(repository, history, store):
    line = history("gugb")
    found = search(repository, store).run(line[0])
    assert names(found) == [line[3]] and list(found.stepped_over) == [line[1]]
    assert f"stepped over {line[1][:12]}: does not import: ImportError: half done" in report(found)


def test_a_second_search_only_confirms(repository, history, store):
    history("gggbb")
    first, second = search(repository, store), search(repository, store)
    assert first.run().culprits == second.run().culprits
    assert second.asked == 2


def test_another_text_of_the_harness_is_another_question(monkeypatch, tmp_path):
    question = OfCase(CASE)
    before = question.key()
    (tmp_path / "check.py").write_text("changed")
    monkeypatch.setattr("regressions.bisect.questions.HARNESS", [tmp_path / "check.py"])
    assert question.key() != before and "changed" in question.key()


def test_a_culprit_that_cannot_be_asked_gives_the_set(repository, history, store):
    line = history("guub")
    found = search(repository, store).run(line[0])
    assert names(found) == line[1:]
    assert "one of these 3 commits broke" in report(found)


def test_the_commit_that_mended_it(repository, history, store):
    line = history("bbg")
    found = search(repository, store, find_fix=True).run(line[0])
    assert names(found) == [line[2]]
    assert "mended" in report(found)


def test_another_failure_is_not_this_bug(repository, history, store):
    line = history("gob")
    assert names(search(repository, store).run(line[0])) == line[1:]
    assert names(search(repository, store, any_failure=True).run(line[0])) == [line[1]]


def test_into_the_branch_that_a_merge_brought_in(repository, history, store):
    base, *_ = history("g")
    main = repository.git("branch", "--show-current")
    repository.git("checkout", "-q", "-b", f"{main}-side", base)
    side = [repository.commit(f"side {i}", text) for i, text in enumerate(("", BREAK, BREAK))]
    repository.git("checkout", "-q", main)
    after = repository.commit("main goes on")
    repository.git("merge", "-q", "--no-ff", "-X", "theirs", "-m", "merge", f"{main}-side")
    merge = repository.git("rev-parse", "HEAD")
    last = repository.commit("later", BREAK)
    assert names(search(repository, store).run(after, last)) == [side[1]]
    assert names(search(repository, store, into_branches=False).run(after, last)) == [merge]
    assert names(search(repository, store).run(side[0], last)) == [side[1]], "from a good commit inside the branch"


def test_a_merge_of_two_good_lines_that_is_bad_itself(repository, history, store):
    base, *_ = history("g")
    main = repository.git("branch", "--show-current")
    repository.git("checkout", "-q", "-b", f"{main}-side", base)
    repository.commit("side")
    repository.git("checkout", "-q", main)
    after = repository.commit("main goes on")
    repository.git("merge", "-q", "--no-ff", "--no-commit", "-X", "theirs", f"{main}-side")
    merge = repository.commit("merge", BREAK)
    assert names(search(repository, store).run(after, merge)) == [merge]


def test_the_users_tree_is_left_alone(repository, history, store):
    line = history("gb")
    (repository.root / "notes").write_text("not committed")
    (repository.root / "staged").write_text("staged")
    repository.git("add", "staged")
    repository.git("checkout", "-q", "--detach")
    before = repository.git("status", "--porcelain"), repository.git("rev-parse", "HEAD")
    assert names(search(repository, store).run(line[0])) == [line[1]]
    assert (repository.git("status", "--porcelain"), repository.git("rev-parse", "HEAD")) == before
    assert repository.git("worktree", "list").count("\n") == 0
    repository.git("reset", "-q", "--hard")


def test_changes_that_are_not_committed_are_the_last_place_of_the_row(repository, history, store):
    line = history("gg")
    (repository.root / "engine" / "__init__.py").write_text(PUBLIC_FACE + BREAK)
    found = search(repository, store).run()
    assert names(found) == [TREE] and found.before == line[1]
    assert "the working tree broke" in report(found) and "\n  engine/__init__.py\n" in report(found)
    (repository.root / "engine" / "__init__.py").write_text(PUBLIC_FACE)
    with pytest.raises(HistoryError, match="bad at .* and is: good"):
        search(repository, store).run()


def test_a_killed_search_is_taken_up_again(repository, history, tmp_path):
    line = history("gggggbbb")
    program = tmp_path / "searching.py"
    program.write_text(
        "from pathlib import Path\nfrom regressions.conformance.test_bisect import *\n"
        f"search(Repository(Path({str(repository.root)!r})), Path({str(tmp_path)!r})).run({line[0]!r}, {line[-1]!r})\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen([sys.executable, str(program)], env=environment, start_new_session=True)
    patience = time.monotonic() + 60
    while len(list(tmp_path.glob("seen/*/*.json"))) < 3 and time.monotonic() < patience:
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    left = [tmp_path / "commits" / f"partial-{running.pid}-x", tmp_path / "seen" / f"partial-{running.pid}-y"]
    left[0].mkdir()
    left[1].write_text("[half")
    again = search(repository, tmp_path)
    assert names(again.run(line[0], line[-1])) == [line[5]]
    assert again.asked <= 4, "the ends and what was asked before it was killed are known"
    assert not any(path.exists() for path in left)
    assert repository.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("nowhere", "HEAD", "there is no revision 'nowhere' here"),
        ("HEAD", "HEAD~1", "is not before"),
        ("HEAD", "HEAD", "there is nothing between"),
        ("HEAD~2", "HEAD", "has to be good at .* and is: bad"),
        ("HEAD~1", "HEAD", "is an end and cannot be asked: does not import: ImportError: half done"),
        (None, "HEAD~2", "there is nothing between"),
        (None, "HEAD", "no commit before HEAD is good on"),
    ],
)
def test_ends_that_make_no_search(repository, history, store, good, bad, message):
    history("bub")
    with pytest.raises(HistoryError, match=message):
        search(repository, store).run(good, bad)


@pytest.mark.parametrize(("find_fix", "message"), [(False, "bad at .* and is: good"), (True, "good at .* and is: bad")])
def test_a_search_for_nothing_says_so(repository, history, store, find_fix, message):
    history("bb" if find_fix else "gg")
    with pytest.raises(HistoryError, match=f"(?s)has to be {message}.*Ways out: .*--find-fix"):
        search(repository, store, find_fix=find_fix).run()


def test_two_bad_ends_have_nothing_between_them(repository, history, store):
    line = history("bb")
    with pytest.raises(NothingBetween):
        search(repository, store).run(line[0])


def test_a_shallow_clone_says_so(repository, history, store, tmp_path):
    history("ggb")
    clone = tmp_path / "shallow"
    repository.git("clone", "-q", "--depth", "2", f"file://{repository.root}", str(clone))
    with pytest.raises(HistoryError, match="the clone is shallow"):
        search(Repository(clone), store).run("HEAD~2")
    assert len(names(search(Repository(clone), store).run("HEAD~1"))) == 1


def test_no_repository_says_so(tmp_path):
    with pytest.raises(HistoryError, match="no git repository"):
        Commits(tmp_path, tmp_path)
