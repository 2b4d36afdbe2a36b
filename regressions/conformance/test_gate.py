"""The gate: which figures are an alarm, of whom, and what a night says that has several things to say."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.nightly import gate, report
from benchmarks.nightly.gate import Change, Measured, Night, Slowdown, Suspect

CALLS = ("calls.Calls.track_calls", "mlp:32x64-64-1")
PEAK = ("memory.Memory.track_peak_bytes", "mlp:32x64-64-1")
RATIO = ("ratios.Ratios.track_over_hand", "mlp:32x64-64-1")
OTHER_RATIO = ("ratios.Ratios.track_over_primal", "mlp:32x64-64-1")
LOOP = (gate.CONTROLS, "python loop")
STREAM = (gate.CONTROLS, "memory stream")
NAN = math.nan

values = st.one_of(st.none(), st.just(NAN), st.integers(0, 6).map(float))
rows = st.lists(values, min_size=1, max_size=9)


def line(series, *figures):
    """Commits a, b, c... with one figure each; a string is the reason why there is none."""
    return [
        Measured(commit, {series: None}, figure) if isinstance(figure, str) else Measured(commit, {series: figure})
        for commit, figure in zip("abcdefghijklmnop", figures, strict=False)
    ]


def finite(row):
    return [value for value in row if value is not None and math.isfinite(value)]


# -- counters


@given(rows)
def test_the_last_figure_above_all_before_it_is_an_alarm(row):
    known = finite(row)
    if len(known) > 1 and known[-1] > max(known[:-1]):
        assert any(change.after > change.before for change in gate.changes(line(CALLS, *row)))


@given(rows)
def test_figures_that_never_grow_are_no_alarm(row):
    falling = sorted(finite(row), reverse=True)
    assert all(change.after < change.before for change in gate.changes(line(CALLS, *falling)))


@given(st.integers(0, 6), st.lists(st.booleans(), min_size=1, max_size=9))
def test_figures_that_stay_are_no_change_whatever_is_missing(value, present):
    assert gate.changes(line(CALLS, *[float(value) if here else NAN for here in present])) == []


@given(rows)
def test_every_alarm_is_true_and_its_culprits_are_all_that_could_be(row):
    measured = line(CALLS, *row)
    place = {one.commit: i for i, one in enumerate(measured)}
    for change in gate.changes(measured):
        good, bad = place[change.good], place[change.culprits[-1]]
        assert measured[good].value(CALLS) == change.before and measured[bad].value(CALLS) == change.after
        assert [place[commit] for commit in change.culprits] == list(range(good + 1, bad + 1))
        assert all(measured[i].value(CALLS) is None for i in range(good + 1, bad)), "one that was asked is no culprit"
        rest = finite(row[bad:])
        assert min(rest) > change.before if change.after > change.before else max(rest) < min(finite(row[:bad]))


@given(rows, st.integers(0, 8))
def test_commits_that_have_no_figure_change_no_alarm(row, position):
    def alarms(figures):
        return [(change.before, change.after) for change in gate.changes(line(CALLS, *figures))]

    assert alarms(row) == alarms([*row[:position], "half done", *row[position:]])


def test_a_growth_that_the_night_undoes_is_none():
    assert gate.changes(line(CALLS, 40.0, 60.0, 40.0)) == []
    (change,) = gate.changes(line(CALLS, 40.0, 60.0, 50.0, 50.0))
    assert (change.before, change.after, change.culprits) == (40.0, 60.0, ("b",)), "half of it stands"


def test_what_became_faster_and_slower_again_within_a_night_is_told():
    (change,) = gate.changes(line(CALLS, 100.0, 80.0, 100.0))
    assert (change.before, change.after, change.good, change.culprits) == (80.0, 100.0, "b", ("c",))


def test_some_hundred_bytes_are_none_and_creep_no_further():
    assert gate.changes(line(PEAK, 10_000.0, 11_000.0, 12_000.0)) == []
    (change,) = gate.changes(line(PEAK, 10_000.0, 11_500.0, 13_000.0))
    assert (change.before, change.after, change.good, change.culprits) == (10_000.0, 13_000.0, "b", ("c",))


def test_a_benchmark_that_did_not_exist_before_is_no_alarm():
    new = Measured("b", {CALLS: 40.0, PEAK: 9e9})
    assert gate.changes([Measured("a", {CALLS: 40.0}), new]) == []


def test_from_nothing_is_a_growth():
    kept = ("memory.Memory.track_kept_bytes", "mlp")
    (change,) = gate.changes(line(kept, 0.0, 96.0))
    assert change.factor == math.inf


def test_the_worst_comes_first_and_what_shrank_last():
    rnn, lse = (("calls.Calls.track_calls", name) for name in ("rnn", "lse"))
    before = Measured("a", {CALLS: 40.0, rnn: 40.0, lse: 9.0})
    after = Measured("b", {CALLS: 41.0, rnn: 80.0, lse: 8.0})
    assert [change.series[1] for change in gate.changes([before, after])] == ["rnn", "mlp:32x64-64-1", "lse"]


def test_ratios_and_wall_time_are_no_counters():
    times = ("times.Times.time_gradient", "mlp")
    for series in (RATIO, times, LOOP, ("tape.Tape.peakmem_deep_chain", "33334")):
        assert gate.changes(line(series, 1.0, 99.0)) == []


# -- ratios


@given(st.lists(st.floats(1.0, 1.04), min_size=1, max_size=9), st.floats(1.0, 1.04))
def test_a_ratio_among_the_earlier_ones_is_not_suspected(earlier, now):
    assert gate.suspects(line(RATIO, *earlier), line(RATIO, now)) == []


@given(st.lists(st.one_of(st.just(NAN), st.none(), st.floats(1.0, 1.5)), max_size=9), st.floats(1.6, 9.0))
def test_a_ratio_above_all_earlier_ones_is_suspected_once_there_are_any(earlier, now):
    found = gate.suspects(line(RATIO, *earlier), line(RATIO, now, NAN))
    assert [look.workload for look in found] == ([RATIO[1]] if finite(earlier) else [])


def test_only_the_last_few_count():
    assert len(gate.suspects(line(RATIO, *[9.0] * 5, *[1.0] * 5), line(RATIO, 1.2))) == 1
    assert gate.suspects(line(RATIO, *[1.0] * 5, 1.3, 1.3, 1.3), line(RATIO, 1.3)) == [], "what has been accepted"


def test_a_workload_is_suspected_once_by_the_worse_of_its_ratios():
    earlier = [Measured("a", {RATIO: 1.0, OTHER_RATIO: 3.0})]
    found = gate.suspects(earlier, [Measured("b", {RATIO: 1.1, OTHER_RATIO: 4.5})])
    assert found == [Suspect(RATIO[1], 3.0, 4.5)]


def test_what_looks_faster_is_no_suspect():
    earlier, new = line(RATIO, 2.0), line(RATIO, 1.0)
    assert gate.suspects(earlier, new) == [] and gate.glances(earlier, new) == [Suspect(RATIO[1], 2.0, 1.0)]


# -- the machine, failures


@given(st.lists(st.floats(1.0, 9.0), max_size=9), st.floats(1.0, 20.0))
def test_a_control_is_held_against_the_best_there_was(earlier, now):
    found = gate.busy_controls(line(LOOP, *earlier), line(LOOP, now)[0])
    assert bool(found) == bool(earlier and now >= gate.BUSY * min(earlier))


def test_controls_without_figures_say_nothing():
    assert gate.busy_controls(line(LOOP, None, NAN), Measured("z", {LOOP: 9.0, STREAM: None})) == {}


def test_a_failure_counts_at_the_newest_commit_that_can_be_asked():
    assert gate.failures(line(CALLS, None, 40.0)) == []
    assert gate.failures(line(CALLS, 40.0, None)) == [CALLS]
    assert gate.failures(line(CALLS, None, "half done")) == [CALLS]
    assert gate.failures(line(CALLS, 40.0, NAN)) == [], "it does not apply"
    assert gate.failures(line(CALLS, "half done")) == []


# -- what a night says

RISE = Change(CALLS, 40.0, 50.0, "a" * 40, ("b" * 40,))
FALL = Change(CALLS, 50.0, 40.0, "a" * 40, ("b" * 40,))
SLOW = Slowdown("lse:100", "time", 1.31, 16, "a" * 40, ("b" * 40,))
MEASURED = (Measured("a" * 40, {CALLS: 40.0}), Measured("b" * 40, {CALLS: 50.0}))
SILENT = (MEASURED[0], Measured("b" * 40, {CALLS: None}, "does not import"))
UNSETTLED = {"gmm": "not clear after 60 answers"}


def night(measured=MEASURED, **found):
    return Night(measured, **found)


@pytest.mark.parametrize(
    ("found", "status", "answer"),
    [
        (night(), 0, "no regression in 1 commit since aaaaaaaaaaaa"),
        (night(changes=[FALL]), 0, "no regression"),
        (night(changes=[RISE]), 1, "REGRESSION: 1 workload in 1 commit since aaaaaaaaaaaa, the worst 1.25 times"),
        (night(changes=[RISE], slowdowns=[SLOW]), 1, "REGRESSION: 2 workloads"),
        (night(failures=[CALLS]), 3, "FAILED: 1 benchmark has no figure at bbbbbbbbbbbb"),
        (night(unsettled=UNSETTLED), 5, "TOO BUSY TO TELL: the time of gmm is not clear"),
        (night(SILENT), 4, "NOTHING MEASURED: 1 commit since aaaaaaaaaaaa, and none could be asked"),
        (night(MEASURED[:1]), 0, "nothing new: no commit since aaaaaaaaaaaa changes engine/"),
        (night([]), 0, "nothing new: no commit changes engine/"),
        (night(MEASURED[1:], is_first=True), 0, "first night: 1 commit measured, which the next are held against"),
        (night(SILENT[1:], is_first=True), 4, "NOTHING MEASURED: 1 commit, and none could be asked"),
        (night(changes=[RISE], failures=[CALLS], unsettled=UNSETTLED), 1, "REGRESSION"),
        (night(failures=[CALLS], unsettled=UNSETTLED), 3, "FAILED"),
    ],
)
def test_of_several_answers_the_most_certain_is_the_status(found, status, answer):
    assert found.status == status
    first, *_ = report.report(found, lambda commit: "a title")
    assert first.startswith(answer)


def test_a_report_is_read_in_ten_seconds():
    found = night(
        changes=[RISE, Change(PEAK, 10_000.0, 30_000.0, "a" * 40, ("b" * 40,))],
        slowdowns=[SLOW],
        suspects=[Suspect("lse:100", 1.0, 1.3), Suspect("gmm", 1.0, 1.1)],
        glances=[Suspect("rnn", 2.0, 1.5)],
        busy={"b" * 40: {"python loop": 1.8}},
    )
    assert list(report.report(found, lambda commit: "tanh: digits")) == [
        "REGRESSION: 2 workloads in 1 commit since aaaaaaaaaaaa, the worst 3.00 times",
        "",
        "bbbbbbbbbbbb  tanh: digits",
        "  slower  lse:100         time 1.31 times                                     "
        "sure: 16 rounds in turns with the commit before",
        "  larger  mlp:32x64-64-1  peak bytes 3.00 times (10000 -> 30000), calls 1.25  exact",
        "  bisect  python -m regressions bisect --benchmark mlp:32x64-64-1 --good aaaaaaaaaaaa --bad bbbbbbbbbbbb "
        "--factor 1.2",
        "",
        "ratios: 2 suspected and measured again in turns, 1 cleared",
        "looks faster, at one look: rnn, ratio 2.00 -> 1.50",
        "busy at bbbbbbbbbbbb: python loop took 1.80 times; its wall times are dropped",
    ]


def test_what_leaks_most_stands_first_and_is_what_the_command_is_for():
    kept = "memory.Memory.track_kept_bytes"
    measured = [
        Measured(name, {(kept, "lse:100"): a, (kept, "gmm:1"): b}) for name, a, b in [("a", 0, 0), ("b", 96, 384)]
    ]
    first, _, _, *rows = report.report(night(measured, changes=gate.changes(measured)), lambda commit: "")
    assert first.endswith("the worst from nothing to 384")
    assert [row.split()[1] for row in rows[:2]] == [
        "gmm:1",
        "lse:100",
    ] and "--benchmark gmm:1 --good a --bad b" in rows[2]


def test_a_failure_comes_with_the_command_that_shows_the_error():
    *_, last = report.report(night(failures=[CALLS]), lambda commit: "")
    command = "asv run --show-stderr --dry-run --bench calls.Calls.track_calls bbbbbbbbbbbb^!"
    assert last == f"failed: calls.Calls.track_calls(mlp:32x64-64-1); the error: {command}"


def test_a_set_of_culprits_is_named_as_one():
    found = night(changes=[Change(CALLS, 40.0, 50.0, "a" * 40, ("b" * 40, "c" * 40))])
    lines = list(report.report(found, lambda commit: f"of {commit[0]}"))
    assert lines[2:5] == ["one of 2 commits, the others cannot be asked:", "bbbbbbbbbbbb  of b", "cccccccccccc  of c"]


@given(st.floats(1.00002, 1e6))
def test_the_command_asks_for_less_than_what_has_grown(factor):
    change = Change(CALLS, 1e6, 1e6 * factor, "a", ("b",))
    text = report._command([], [change])
    assert text is not None and 1 < float(text.rpartition(" ")[2]) < change.factor


def test_the_record_is_data():
    found = report.record(night(changes=[RISE], slowdowns=[SLOW], failures=[CALLS]))
    assert json.loads(json.dumps(found)) == found | {
        "changes": [{"series": list(CALLS), "before": 40.0, "after": 50.0, "good": "a" * 40, "culprits": ["b" * 40]}],
        "slowdowns": [found["slowdowns"][0] | {"culprits": ["b" * 40]}],
    }
