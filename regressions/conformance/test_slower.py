"""A slower gradient, found: by counters, by time, beside commits that do not import or whose gradient is wrong."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from regressions.bisect import slower
from regressions.bisect.answer import Search, report
from regressions.bisect.axis import CannotAsk, End, HistoryError, Where
from regressions.bisect.commits import Commits
from regressions.bisect.search import Judgement
from regressions.bisect.slower import NothingGrown, Slower, workloads

from .test_bisect import UNIMPORTABLE, Repository, proof, repository, store  # noqa: F401

WORKLOAD = "mlp:32x64-64-1"
WRAPPED = """
import numpy
_gradient, _array = gradient, numpy.ones(200_000)

def gradient(f, *args, **kwargs):
    global _array
    {}
"""
CALLS = WRAPPED.format("_gradient(f, *args, **kwargs); return _gradient(f, *args, **kwargs)")
MEMORY = WRAPPED.format("kept = bytes(10**7); return _gradient(f, *args, **kwargs)")
TIME = WRAPPED.format("_array *= 1.0; return _gradient(f, *args, **kwargs)")
NAN = WRAPPED.format("return tuple(d * numpy.nan for d in _gradient(f, *args, **kwargs))")


@pytest.fixture
def line(repository: Repository):  # noqa: F811
    """Commits that add these texts to the engine."""

    def made(*texts: str) -> list[str]:
        repository.git("checkout", "-q", "--orphan", f"speed-{os.urandom(4).hex()}")
        return [repository.commit(f"{i}", text) for i, text in enumerate(texts)]

    return made


@pytest.mark.parametrize(
    ("slow", "by"), [(CALLS, "(calls|instructions)"), pytest.param(MEMORY, "peak bytes", marks=proof)]
)
def test_counters_decide_past_commits_that_cannot_be_asked(repository, line, store, slow, by):  # noqa: F811
    commits = line("", UNIMPORTABLE, NAN, slow)
    found = Search(Commits(repository.root, store), Slower(WORKLOAD), store).run(commits[0])
    assert set(found.culprits) == set(commits[1:4]) and found.before == commits[0]
    text = report(found)
    assert re.search(f"told by {by}, for a growth of 1.2 or more", text) and "wrong gradient: " in text


@proof
@pytest.mark.parametrize("turn", [1, 2, 3, 4])
def test_time_finds_it_at_every_position(turn, repository, line, store):  # noqa: F811
    commits = line(*([""] * turn), *([TIME] * (5 - turn)))
    found = Search(Commits(repository.root, store), Slower(WORKLOAD), store).run(commits[0])
    assert found.culprits == (commits[turn],)
    assert "told by time" in report(found)


@proof
def test_time_finds_it_past_a_commit_that_does_not_import_and_one_whose_gradient_is_nan(repository, line, store):  # noqa: F811
    commits = line("", "", "", "", "", UNIMPORTABLE, "", NAN, "", TIME, TIME)
    found = Search(Commits(repository.root, store), Slower(WORKLOAD), store).run(commits[0])
    assert found.culprits == (commits[9],)
    assert set(found.stepped_over) == {commits[5], commits[7]}, "both were asked"
    text = report(found)
    assert "told by time" in text and "does not import: ImportError: half done" in text and "wrong gradient: " in text


@proof
def test_time_gives_the_set_where_they_hide_the_culprit(repository, line, store):  # noqa: F811
    commits = line("", NAN, UNIMPORTABLE, TIME)
    found = Search(Commits(repository.root, store), Slower(WORKLOAD), store).run(commits[0])
    assert found.culprits == tuple(commits[1:]) and set(found.stepped_over) == set(commits[1:3])


@proof
def test_the_same_engine_is_nothing_to_search_for(repository, line, store):  # noqa: F811
    commits = line("", "# nothing", "# nothing else")
    with pytest.raises(HistoryError, match=r"nothing of .* has grown 1\.2 times"):
        Search(Commits(repository.root, store), Slower(WORKLOAD), store).run(commits[0])


# -- what it makes of figures ------------------------------------------------------------------------------------------


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch):
    """What each folder's engine takes: counters, and the ratios that its rounds give in turns."""

    def given(**engines: dict) -> None:
        turns = {name: iter(engine.get("ratios", ())) for name, engine in engines.items()}

        def put(request, where, module, **environment):
            name = where.folders[0].name
            if "problem" in engines[name]:
                return {"unusable": engines[name]["problem"]}
            if request.get("timed"):
                return {"ratio": next(turns[name])}
            return {"calls": engines[name]["calls"], "peak bytes": engines[name]["bytes"]}

        monkeypatch.setattr(slower, "put", put)

    return given


def at(name: str) -> Where:
    return Where(folders=(Path(name),))


def learned(factor: float = 1.2) -> Slower:
    question = Slower("mlp", factor)
    question.learn(*(End(at(name), question.see(at(name))) for name in ("good", "bad")))
    return question


def test_the_counter_that_grew_most_decides_at_the_middle(figures):
    figures(
        good={"calls": 100, "bytes": 1000}, bad={"calls": 121, "bytes": 9000}, between={"calls": 121, "bytes": 2990}
    )
    question = learned()
    assert (question.by, question.limit, question.agree) == ("peak bytes", 3000.0, 1)
    assert question.judge(question.see(at("between"))) is Judgement.GOOD
    assert question.judge(question.see(at("bad"))) is Judgement.BAD
    assert question.text([question.see(at("bad"))]) == "121 calls, 9000 peak bytes"


def test_time_decides_where_no_counter_grew(figures):
    same = {"calls": 100, "bytes": 1000}
    figures(
        good=same | {"ratios": [1.5] * 99}, bad=same | {"ratios": [2.4] * 9}, fast=same | {"ratios": [1.8]},
        wrong={"problem": "wrong gradient"},
    )  # fmt: skip
    question = learned()
    assert question.by == "time" and question.limit == pytest.approx(1.6**0.5) and question.agree > 1
    seen = question.see(at("fast"))
    assert question.judge(seen) is Judgement.GOOD
    assert question.text([seen]) == "1.20 times the good end, 1.80 times the gradient by hand; 1 rounds"
    wrong = question.see(at("wrong"))
    assert question.judge(wrong) is Judgement.UNKNOWN and question.text([wrong]) == "wrong gradient"


def test_nothing_that_grew_is_nothing_to_search_for(figures):
    same = {"calls": 100, "bytes": 1000}
    more = {"calls": 100, "bytes": 1500, "ratios": [1.6] * 9}  # some hundred bytes are the interpreter's
    figures(good=same | {"ratios": [1.5] * 99}, bad=more)
    with pytest.raises(HistoryError, match=r"nothing of mlp has grown 1\.2 times .*: calls 1\.00, .* time 1\.07"):
        learned()


def test_no_more_rounds_than_it_takes_to_say_that_nothing_grew(figures):
    same = {"calls": 100, "bytes": 1000}
    figures(good=same | {"ratios": [1.0] * 99}, bad=same | {"ratios": [1.3, 1.0, 1.0, 1.0, 1.3, 1.0, 1.0]})
    with pytest.raises(NothingGrown, match=r"time 1\.00"):
        learned()


def test_a_place_that_can_no_longer_be_timed_is_no_place_that_is_slow(figures, monkeypatch):
    same = {"calls": 100, "bytes": 1000, "ratios": [1.0] * 99}
    figures(good=same, bad=same)
    question = Slower("mlp", 1.2)
    good, bad = (End(at(name), question.see(at(name))) for name in ("good", "bad"))
    monkeypatch.setattr(question, "see", lambda where: {"unusable": "no gradient"})
    with pytest.raises(CannotAsk, match="no gradient"):
        question.learn(good, bad)


def test_a_good_end_is_needed():
    with pytest.raises(HistoryError, match="name a --good end"):
        Slower("mlp").learn(None, End(Where(), {}))


def test_the_workloads_are_those_of_the_benchmarks():
    from benchmarks.workloads import WORKLOADS

    assert {name.partition(":")[0] for name in workloads(Where())} == set(WORKLOADS)
