"""A night over a small history whose figures are known: what is measured, what is asked again, what is said."""

from __future__ import annotations

import json
import math
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.nightly import by_asv, gate
from benchmarks.nightly import night as nights
from benchmarks.nightly.by_asv import Asv, AsvError, NoBenchmark
from benchmarks.nightly.gate import Measured
from regressions.bisect import slower
from regressions.bisect.axis import HistoryError, NothingWrong

WORKLOAD = "mlp:32x64-64-1"
CALLS = ("calls.Calls.track_calls", WORKLOAD)
RATIO = ("ratios.Ratios.track_over_hand", WORKLOAD)
LOOP = (gate.CONTROLS, "python loop")
HALF_DONE = "raise ImportError('half done')\n"


@dataclass
class History:
    """A repository whose `engine/` is a file of figures, or what does not import."""

    root: Path

    def git(self, *arguments: str) -> str:
        who = {f"GIT_{role}_{what}": "a" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        command = ["git", "-C", str(self.root), "-c", "commit.gpgsign=false", *arguments]
        environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()

    def commit(self, subject: str, code: str = "", **figures: float | None) -> str:
        (self.root / "engine" / "__init__.py").write_text(f"{code}# {subject}\n")
        (self.root / "engine" / "figures.json").write_text(json.dumps(figures))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def figures(self, commit: str) -> dict[str, Any]:
        return json.loads(self.git("show", f"{commit}:engine/figures.json"))


@dataclass
class FakeAsv:
    """Takes the figures of a commit out of the commit; those of `loop` from what the machine is said to do."""

    history: History
    loop: float = 1.0
    interrupted_at: str = ""
    branch: str = "main"
    bench: tuple[str, ...] = ()
    site: Path = Path("html")
    known: dict[str, Measured] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    mark: str | None = None
    stale: bool = False

    @property
    def root(self) -> Path:
        return self.history.root

    def introduce_machine(self) -> None: ...

    def publish(self) -> None: ...

    def judged(self) -> str | None:
        return self.mark

    def judge(self, commit: str) -> None:
        self.mark = commit

    def has(self, commit: str) -> bool:
        return commit in self.known

    def is_fresh(self, commit: str, since: float) -> bool:
        return self.has(commit) and not self.stale

    def measure(self, commit: str, afresh: bool) -> None:
        if commit == self.interrupted_at:
            self.interrupted_at = ""
            raise KeyboardInterrupt
        if not afresh:
            return
        self.asked.append(commit)
        figures = self.history.figures(commit)
        series = {"calls": CALLS, "ratio": RATIO}
        values: dict = {series[name]: value for name, value in figures.items() if name in series}
        self.known[commit] = Measured(commit, {**values, LOOP: self.loop} if figures else {CALLS: None})

    def read(self, commit: str) -> Measured:
        return self.known[commit]

    def drop_wall_times(self, commit: str) -> None:
        self.dropped.append(commit)


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "project")
    for folder in ("engine", "benchmarks", "regressions"):
        (made.root / folder).mkdir(parents=True)
    (made.root / "asv.conf.json").write_text("{}")
    made.git("init", "-q", "-b", "main")
    return made


@pytest.fixture
def asv(history: History, monkeypatch: pytest.MonkeyPatch) -> FakeAsv:
    """Also for what is asked in turns: the ratio that a commit is said to have, less what a first look added."""

    def put(request, where, module, **environment):
        figures = history.figures(where.folders[0].name)
        if request.get("timed"):
            return {"ratio": figures.get("true ratio", figures["ratio"])}
        return dict.fromkeys(slower.COUNTERS, 10) | {"calls": figures["calls"]}

    monkeypatch.setattr(slower, "put", put)
    return FakeAsv(history)


@pytest.fixture
def night(asv: FakeAsv, tmp_path: Path):
    """Tonight's findings, and what was said on the way."""

    def run(since: str | None = None) -> gate.Night:
        return nights.night(asv, tmp_path / "store", since, lambda line: None)[0]  # type: ignore[arg-type]

    return run


def test_the_first_night_measures_the_newest_commit_and_judges_nothing(history, asv, night):
    history.commit("old", calls=1.0)
    newest = history.commit("new", calls=40.0)
    found = night()
    assert found.is_first and found.status == 0 and asv.asked == [newest] and asv.mark == newest


def test_a_night_judges_every_commit_since_the_last(history, asv, night):
    history.commit("first", calls=40.0)
    night()
    (history.root / "notes").write_text("a commit that leaves engine/ as it was")
    history.git("add", "-A")
    history.git("commit", "-q", "-m", "notes")
    good = history.commit("good", calls=40.0)
    bad = history.commit("bad", calls=50.0)
    newest = history.commit("newest", calls=50.0)
    found = night()
    (change,) = found.changes
    assert (change.good, change.culprits, found.status) == (good, (bad,), 1)
    assert asv.asked[1:] == [good, bad, newest], "the last one judged is known, and notes are no engine"
    assert night().new == [] and night().status == 0


def test_where_benchmarks_have_changed_the_last_commit_is_measured_again(history, asv, night):
    first = history.commit("first", calls=40.0)
    night()
    asv.known[first] = Measured(first, {CALLS: 30.0})  # by benchmarks of another day
    asv.stale = True
    history.commit("second", calls=40.0)
    assert night().status == 0 and asv.asked.count(first) == 2


def test_a_night_that_is_broken_off_goes_on_and_judges_all_of_it(history, asv, night):
    history.commit("first", calls=40.0)
    night()
    bad = history.commit("bad", calls=50.0)
    asv.interrupted_at = history.commit("last", calls=50.0)
    with pytest.raises(KeyboardInterrupt):
        night()
    found = night()
    assert found.changes[0].culprits == (bad,) and asv.asked.count(bad) == 1


def test_a_commit_that_does_not_import_is_stepped_over_and_told(history, asv, night):
    history.commit("first", calls=40.0)
    night()
    broken = history.commit("half done", HALF_DONE)
    bad = history.commit("bad", calls=50.0)
    found = night()
    assert found.changes[0].culprits == (broken, bad) and found.status == 1
    assert found.measured[1].problem == "does not import: ImportError: half done" and not found.failures


def test_nothing_measured_is_an_answer_of_its_own_and_is_asked_again(history, asv, night):
    first = history.commit("first", calls=40.0)
    night()
    history.commit("half done", HALF_DONE)
    assert night().status == 4 and asv.mark == first
    mended = history.commit("mended", calls=50.0)
    assert night().changes[0].culprits[-1] == mended


def test_a_benchmark_that_fails_is_an_answer_of_its_own(history, asv, night):
    history.commit("first", calls=40.0)
    night()
    history.commit("broken", calls=None, ratio=1.0)
    found = night()
    assert found.failures == [CALLS] and found.status == 3


def test_a_commit_without_figures_whose_engine_imports_has_failed(history, asv, night, monkeypatch):
    history.commit("first", calls=40.0)
    night()
    history.commit("broken", calls=None)
    monkeypatch.setattr(nights, "put", lambda *arguments: {"names": []})
    asv.loop = None
    assert night().status == 3


def test_a_suspect_is_measured_again_in_turns_and_cleared(history, asv, night):
    history.commit("first", calls=40.0, ratio=1.0)
    night()
    history.commit("noise", calls=40.0, **{"ratio": 1.4, "true ratio": 1.01})
    found = night()
    assert [look.workload for look in found.suspects] == [WORKLOAD] and found.status == 0 and not found.slowdowns


def test_what_is_slower_is_attributed_by_bisecting_the_night(history, asv, night):
    history.commit("first", calls=40.0, ratio=1.0)
    night()
    good = history.commit("good", calls=40.0, ratio=1.0)
    bad = history.commit("bad", calls=40.0, ratio=1.3)
    history.commit("last", calls=40.0, ratio=1.3)
    found = night()
    (slow,) = found.slowdowns
    assert (slow.by, slow.good, slow.culprits, found.status) == ("time", good, (bad,), 1)
    assert slow.factor == pytest.approx(1.3) and slow.rounds >= slower.LEAD


def test_time_that_follows_from_a_counter_is_said_once(history, asv, night):
    history.commit("first", calls=40.0, ratio=1.0)
    night()
    history.commit("bad", calls=80.0, ratio=2.0)
    found = night()
    assert len(found.changes) == 1 and len(found.suspects) == 1 and not found.slowdowns


def test_a_time_that_does_not_settle_is_no_regression(history, asv, night, monkeypatch):
    history.commit("first", calls=40.0, ratio=1.0)
    night()
    history.commit("noise", calls=40.0, ratio=1.4)

    def restless(*arguments):
        raise HistoryError("c3a1ce26 has to be bad and is: cannot tell\n  not clear after 60 answers")

    monkeypatch.setattr(nights, "_measured_again", restless)
    found = night()
    assert found.status == 5 and found.unsettled == {WORKLOAD: "c3a1ce26 has to be bad and is: cannot tell"}


def test_a_suspect_that_the_sequential_test_clears_is_clear(history, asv, night, monkeypatch):
    history.commit("first", calls=40.0, ratio=1.0)
    night()
    history.commit("noise", calls=40.0, ratio=1.4)

    def cleared(*arguments):
        raise NothingWrong("c3a1ce26 has to be bad and is: good")

    monkeypatch.setattr(nights, "_measured_again", cleared)
    found = night()
    assert found.status == 0 and not found.unsettled and len(found.suspects) == 1


def test_wall_times_of_a_busy_machine_are_dropped(history, asv, night):
    history.commit("first", calls=40.0)
    night()
    quiet = history.commit("quiet", calls=40.0)
    night()
    asv.loop = 2.0
    busy = history.commit("busy", calls=40.0)
    found = night()
    assert asv.dropped == [busy] and quiet not in found.busy and found.busy == {busy: {"python loop": 2.0}}
    assert found.status == 0, "the counters stand"


def test_since_names_another_beginning(history, asv, night):
    first = history.commit("first", calls=40.0)
    second = history.commit("second", calls=50.0)
    night()
    found = night(since=first)
    assert [one.commit for one in found.measured] == [first, second] and found.status == 1
    with pytest.raises(HistoryError, match="nowhere"):
        night(since="nowhere")


def test_a_history_that_was_rewritten_begins_with_what_has_results(history, asv, night):
    first = history.commit("first", calls=40.0)
    night()
    asv.mark = "0" * 40
    second = history.commit("second", calls=50.0)
    assert [one.commit for one in night().measured] == [first, second]


def test_charts_that_are_not_made_do_not_hide_the_answer(history, asv, night):
    def publish():
        raise AsvError("asv: no")

    asv.publish = publish
    history.commit("first", calls=40.0)
    assert night().status == 0


# -- what asv has written

COLUMNS = ["result", "params", "version", "started_at", "duration", "stats_ci_99_a"]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """asv, in a folder with results of one commit as it writes them."""
    monkeypatch.setattr(Asv, "_environment", lambda self: "virtualenv-py3.11")
    configuration = {"branches": ["main"], "html_dir": ".asv/html", "results_dir": ".asv/results"}
    (tmp_path / "asv.conf.json").write_text(json.dumps(configuration))
    asv = Asv(tmp_path, "box", (), lambda line: None)
    asv.results.mkdir(parents=True)
    rows = {
        CALLS[0]: [[419, None, math.nan], [["'mlp:32x64-64-1'", "'a'", "'b'"]], "v", 5_000_000],
        "times.Times.time_gradient": [[0.5], [["'mlp'"]], "v", 6_000_000, 1.0, [0.4]],
        "tape.Tape.peakmem_deep_chain": [None, [["33334", "66668"]], "v", 5_500_000],
        "verdicts.Verdicts.track_cases_not_right": [[0], [], "v", 5_500_000],
    }
    content = {
        "commit_hash": "c" * 40, "env_name": "virtualenv-py3.11", "result_columns": COLUMNS, "results": rows,
    }  # fmt: skip
    (asv.results / "cccccccc-virtualenv-py3.11.json").write_text(json.dumps(content))
    other = content | {"env_name": "virtualenv-py3.12", "results": {}}
    (asv.results / "cccccccc-a-numpy-of-yesterday.json").write_text(json.dumps(other))
    return asv


def test_figures_are_read_with_what_failed_and_what_does_not_apply(written):
    values = dict(written.read("c" * 40).values)
    assert values.pop((CALLS[0], "b")) != values.get((CALLS[0], "b")), "not a number"
    assert values == {
        CALLS: 419, (CALLS[0], "a"): None, ("times.Times.time_gradient", "mlp"): 0.5,
        ("tape.Tape.peakmem_deep_chain", "33334"): None, ("tape.Tape.peakmem_deep_chain", "66668"): None,
        ("verdicts.Verdicts.track_cases_not_right", ""): 0,
    }  # fmt: skip
    assert written.read("d" * 40).values == {} and not written.has("d" * 40)


def test_results_are_fresh_when_all_of_them_are_younger(written):
    assert written.is_fresh("c" * 40, since=4999.0) and not written.is_fresh("c" * 40, since=5200.0)
    assert not written.is_fresh("d" * 40, since=0.0)


def test_wall_times_become_a_gap_and_the_rest_stays(written):
    before = dict(written.read("c" * 40).values)
    written.drop_wall_times("c" * 40)
    after = dict(written.read("c" * 40).values)
    assert math.isnan(after.pop(("times.Times.time_gradient", "mlp")))
    assert str(after) == str({name: before[name] for name in after}) and len(after) == len(before) - 1
    assert written.is_fresh("c" * 40, since=4999.0)


def test_the_mark_is_kept_for_each_choice_of_benchmarks(written):
    written.judge("c" * 40)
    written.bench = ("^calls",)
    assert written.judged() is None
    written.judge("d" * 40)
    written.bench = ()
    assert written.judged() == "c" * 40


def test_progress_is_told_by_the_names_of_benchmarks():
    heard = [by_asv.PROGRESS.match(line) for line in [
        "[36.67%] ··· Running (times.FirstTimes.time_first_gradient--)..", "[53.33%] ··· calls.Calls.track_calls   ok",
        "[53.33%] ··· Setting up history.asking:143          ok", "             scalar_loop:100         419  ",
    ]]  # fmt: skip
    assert [step and step.groups() for step in heard] == [
        ("36", "times.FirstTimes.time_first_gradient"), ("53", "calls.Calls.track_calls"), None, None,
    ]  # fmt: skip


@pytest.fixture
def asv_that(written, tmp_path, monkeypatch):
    """asv that prints these lines and ends with this status; what it was given is in a file."""

    def made(printed: str, status: int, *bench: str) -> tuple[Asv, list[str]]:
        program = tmp_path / "python"
        given = f"cat > {tmp_path}/given; echo $@ >> {tmp_path}/given"
        program.write_text(f"#!/bin/sh\n{given}\ncat << EOF\n{printed}\nEOF\nexit {status}\n")
        program.chmod(0o755)
        monkeypatch.setattr(by_asv.sys, "executable", str(program))
        said: list[str] = []
        written.say, written.bench = said.append, bench
        return written, said

    return made


@pytest.mark.parametrize("status", [0, 2])
def test_a_commit_is_measured_and_what_is_being_measured_is_said(status, asv_that, tmp_path):
    asv, said = asv_that("[50.00%] ··· calls.Calls.track_calls  1/3 failed", status, "^calls")
    asv.measure("c" * 40, afresh=False)
    assert said == ["       50 %  calls.Calls.track_calls"]
    commit, options = (tmp_path / "given").read_text().splitlines()
    assert commit == "c" * 40
    assert options == "-m asv run --machine box --bench ^calls --skip-existing --no-pull HASHFILE:-"


def test_names_that_match_nothing_and_asv_that_breaks_are_told_apart(asv_that):
    with pytest.raises(NoBenchmark, match="no benchmark has a name like zzz"):
        asv_that("· No benchmarks selected", 1, "zzz")[0].measure("c" * 40, afresh=True)
    with pytest.raises(AsvError, match="asv: Unknown machine"):
        asv_that("· Discovering\n· Unknown machine", 1)[0].measure("c" * 40, afresh=True)


# -- the command


@pytest.mark.parametrize("arguments", [["--since", "nowhere-at-all"], ["--json", "/nowhere/at/all"], ["--bench", "^("]])
def test_usage_errors_are_two(arguments, monkeypatch, capsys):
    monkeypatch.setattr(Asv, "_environment", lambda self: "one that need not be there")
    with pytest.raises(SystemExit) as exit:
        main(["nightly", *arguments])
    assert exit.value.code == 2 and arguments[1] in capsys.readouterr().err


def test_asv_that_does_not_run_has_measured_nothing(monkeypatch, capsys):
    def broken(self):
        raise AsvError("asv: no network")

    monkeypatch.setattr(Asv, "_environment", broken)
    assert main(["nightly"]) == 4 and "NOTHING MEASURED: asv: no network" in capsys.readouterr().err
