"""The benchmarks measure what they say: right gradients, real workloads, honest verdicts. No test reads a clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import engine
from benchmarks.__main__ import main
from benchmarks.compare import contest, plots, tables
from benchmarks.compare.worker import Measured
from benchmarks.measure import Ratio, count_calls, interleaved, peak_bytes
from benchmarks.workloads import WORKLOADS, growth, index_sum

ROOT = Path(__file__).parents[2]


def test_early_exits_leave_where_their_sizes_say():
    exits = WORKLOADS["scalar_loop_exits"]
    data = {size.name: size.arguments() for size in exits.sizes}
    values = {name: exits.primal(*args, **constants) for name, (args, constants) in data.items()}
    limits = {name: constants["limit"] for name, (_, constants) in data.items()}
    assert values["break"] > limits["break"]
    assert values["return"] < -2 * limits["return"], "the total, times a"
    assert abs(values["100"]) < limits["100"]


def test_wrong_gradient_has_no_speed():
    workload = WORKLOADS["scalar_loop"]
    doubled = replace(workload, hand=lambda *args: tuple(2 * g for g in workload.hand(*args)))
    measured = Measured("reference", doubled, doubled.sizes[0])
    assert measured.problem.startswith("wrong: gradient[0]: value: expected ")
    assert measured.first is None and not measured.calls


def test_refused_program_is_reported_with_its_error():
    async def loss(x, a):
        return x

    refused = replace(WORKLOADS["scalar_loop"], primal=loss)
    assert Measured("reference", refused, refused.sizes[0]).problem.startswith("UnsupportedSyntaxError: ")


def test_objects_are_measured_beside_plain_arrays():
    objects = WORKLOADS["mlp_objects"]
    samples = Measured("reference", objects, objects.sizes[0]).repeat(0)
    assert samples.keys() == {"derivative", "hand", "primal", "flat"} and min(samples.values()) > 0


def test_interleaved_gives_one_sample_a_round_to_each():
    samples = interleaved({"a": lambda: None, "b": lambda: sum(range(1000))}, rounds=5)
    assert {name: len(times) for name, times in samples.items()} == {"a": 5, "b": 5}
    assert all(t > 0 for times in samples.values() for t in times)


STRAIGHT = [name for name, w in WORKLOADS.items() if w.derivative is None and w.primal.__name__ == "loss"]
LEFT = {"fft_filter", "gaussian_process", "kalman"}  # to the traced tier, which has no such program


@pytest.mark.parametrize("workload", [WORKLOADS[name] for name in STRAIGHT if name not in LEFT], ids=lambda w: w.name)
def test_little_is_called_around_the_generated_program(workload):
    args, constants = workload.sizes[0].arguments()
    engine.gradient(workload.primal, *args, **constants)
    namespace = dict(workload.primal.__globals__)
    exec(engine.show(workload.primal, *args, **constants), namespace)
    program = namespace["gradient_of_loss"]
    around = count_calls(lambda: engine.gradient(workload.primal, *args, **constants))
    assert around - count_calls(lambda: program(*args, **constants)) <= 50, (
        "checks of the arguments, finding the instance"
    )


def calls_at(lengths, gradient):
    """Calls of a gradient at each length, transformed and cached beforehand."""
    gradient(lengths[0])
    return [count_calls(lambda n=n: gradient(n)) for n in lengths]


def test_calls_of_a_loop_grow_with_its_length():
    one, two, four = calls_at((500, 1000, 2000), lambda n: engine.gradient(growth.deep_loop, 0.7, 1.3, n=n))
    assert four - two == pytest.approx(2 * (two - one), rel=0.02)


def test_doubling_follows_each_value_once():
    one, two, four = calls_at((15, 30, 60), lambda n: engine.gradient(growth.repeated_doubling, 1.0, n=n))
    assert four - two <= 2 * (two - one) + 4
    assert engine.gradient(growth.repeated_doubling, 1.0, n=60) == (2.0**60,)


def test_loop_is_not_limited_by_recursion():
    n = 20 * sys.getrecursionlimit()
    x_bar, a_bar = engine.gradient(growth.deep_loop, 0.7, 1.3, n=n)
    saved, x = [], 0.7
    for _ in range(n):
        saved.append(x)
        x = np.sin(x) * 1.3 + x / 2
    x_expected, a_expected = 1.0, 0.0
    for x in reversed(saved):
        a_expected += x_expected * np.sin(x)
        x_expected *= 1.3 * np.cos(x) + 0.5
    assert (x_bar, a_bar) == pytest.approx((x_expected, a_expected), rel=1e-10)


def test_indexing_in_a_loop_keeps_memory_linear():
    def peak(n):
        (x,), _ = index_sum.arguments(n)
        engine.gradient(index_sum.loss, x)
        return peak_bytes(lambda: engine.gradient(index_sum.loss, x))

    assert peak(4000) <= 2.5 * peak(2000), "one dense array an access would make it four times"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            ["--workload", "scalar_lop"],
            "argument --workload: there is no workload 'scalar_lop'; the nearest is scalar_loop",
        ),
        (["--size", "huge"], "argument --size: no workload that was chosen has 'huge'"),
        (
            ["--size", "small", "--size", "7", "--workload", "hello"],
            "has '7'; small and large are in all of them; hello has 1",
        ),
        (["--engine", "zygote"], "argument --engine: there are no ports to zygote; there are to autograd, jax, torch"),
        (["--engine", "mygrad"], "argument --engine: there are no ports to mygrad; there are to autograd, jax, torch"),
        (["--engine", "jax==new"], "argument --engine: 'new' is no version"),
        (["--rounds", "1"], "argument --rounds: '1' is no whole number from 2"),
        (["--rounds", "many"], "argument --rounds: 'many' is no whole number from 2"),
        (["--limit", "nan"], "argument --limit: 'nan' is no number from 0.1"),
        (["--threads", "9999"], "argument --threads: '9999' is no whole number from 1 to "),
        (["--switch-off", "everything"], "argument --switch-off: there is no part 'everything'"),
        (
            ["--json", "not_there/figures.json"],
            "argument --json: not_there/figures.json is no file that can be written",
        ),
        (["--json", "."], "argument --json: . is no file that can be written"),
        (["--plots", __file__], "is no directory that can be written"),
        (["--readme", __file__], "it has no lines <!-- ratios --> and <!-- end of ratios -->"),
        (["--readme", "README.md", "--workload", "mlp"], "argument --readme: it has every workload"),
    ],
)
def test_usage_errors_are_a_line_that_says_what_is_wrong(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["compare", *arguments])
    assert exit.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("python -m benchmarks compare: argument --") and error.count("\n") == 1


def test_plots_without_matplotlib_are_a_usage_error(monkeypatch, capsys):
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as exit:
        main(["compare", "--plots", "plots"])
    assert exit.value.code == 2
    assert "argument --plots: plots need matplotlib: python -m pip install 'gradpin[plots]'" in capsys.readouterr().err


def test_command_prints_a_row_the_code_and_writes_json(tmp_path, capsys):
    file = tmp_path / "compare.json"
    names = ["--workload", "scalar_loop", "--engine", "reference", "--rounds", "2"]
    status = main(["compare", *names, "--code", "--json", str(file)])
    out, progress = capsys.readouterr()
    assert status == 0
    titles, cells = ([cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines()[2:5:2])
    assert titles == ["workload", "size", "gradient", "/ primal", "/ by hand", "first"]
    assert cells[:2] == ["scalar_loop", "100"] and "±" in cells[3] and "±" in cells[4]
    assert "def " in out.split("# scalar_loop\n")[1]
    assert progress.startswith("engines: reference\n[1/1] scalar_loop, 100: ") and "reference/hand" in progress
    (row,) = json.loads(file.read_text())["rows"]
    assert row["workload"] == "scalar_loop" and row["problems"] == {} and row["rounds"] == 2
    for ratio in ("reference/hand", "reference/primal"):
        spread = row["ratios"][ratio]
        assert 0 < spread["low"] <= spread["high"] and spread["value"] > 0
    assert row["seconds"].keys() == {"reference", "hand", "primal"} and row["first_seconds"]["reference"] > 0


def test_what_there_is_when_it_is_interrupted(monkeypatch, tmp_path, capsys):
    def stopped(*words):
        yield contest.Row("hello", "1", 1.3, seconds={"reference": 1.0})
        raise KeyboardInterrupt

    monkeypatch.setattr(contest, "run", stopped)
    file = tmp_path / "compare.json"
    assert main(["compare", "--engine", "reference", "--json", str(file)]) == 130
    assert "| hello" in capsys.readouterr().out and len(json.loads(file.read_text())["rows"]) == 1


def test_engine_that_is_wrong_fails_the_command_and_has_no_figures():
    contestant = Answering("reference", [{"problem": "wrong: gradient[0]", "first": None}])
    row = measured_by(contestant)
    assert row.problems == {"reference": "wrong: gradient[0]"} and not row.seconds and not row.ratios
    assert "scalar_loop, 100: reference: wrong: gradient[0]" in list(
        tables.report([row], contest.describe_machine([contestant], 1, "wall"))
    )


def test_engine_that_dies_in_between_is_left_out_and_the_others_go_on():
    ready = {"problem": None, "first": 1.0}
    ours = {"seconds": {"derivative": 2.0, "hand": 1.0, "primal": 0.5}}
    steady = Answering("reference", [ready, *[ours] * 4])
    mortal = Answering("jax", [ready, {"seconds": {"derivative": 3.0}}])
    row = measured_by(steady, mortal)
    assert row.problems == {"jax": "the process died"}
    assert row.seconds == {"reference": 2.0, "hand": 1.0, "primal": 0.5}
    assert row.ratios["reference/hand"].value == 2.0 and "jax/reference" not in row.ratios and row.rounds == 4


def test_engines_take_turns_and_each_round_has_a_ratio():
    ready = {"problem": None, "first": 1.0}
    times = [1.0, 2.0, 4.0, 8.0]  # a machine that slows down
    log = []
    ours = Answering("reference", [ready, *({"seconds": {"derivative": t, "hand": t / 2}} for t in times)], log)
    theirs = Answering("autograd", [ready, *({"seconds": {"derivative": 10 * t}} for t in times)], log)
    row = measured_by(ours, theirs)
    assert row.ratios["autograd/reference"] == Ratio(10.0, 10.0, 10.0), "however the machine changes"
    assert log[2:] == ["autograd", "reference", "reference", "autograd"] * 2
    assert row.missed, "2.0 over 1.3"


class Answering:
    """A contestant of which it is known what it says."""

    def __init__(self, engine, answers, log=None):
        self.name = self.release = engine
        self.answers, self.log = list(answers), [] if log is None else log

    def ask(self, request, patience):
        self.log.append(self.name)
        if not self.answers:
            raise contest.Gone("the process died")
        return self.answers.pop(0)


def measured_by(*contestants):
    workload = WORKLOADS["scalar_loop"]
    return contest.measure(list(contestants), workload, workload.sizes[0], rounds=4, limit=60.0)


def test_process_that_does_not_answer_is_ended_and_started_again():
    contestant = contest.Contestant("reference", Path(sys.executable))
    with pytest.raises(contest.Gone, match="no answer in 0 seconds"):
        contestant.ask({"prepare": ["hello", "1"]}, 0.0)
    answer = contestant.ask({"prepare": ["hello", "1"]}, 60.0)
    assert answer["problem"] is None and answer["first"] > 0
    assert contestant.ask({"repeat": 0}, 60.0)["seconds"].keys() == {"derivative", "hand", "primal"}
    contestant.end()


def test_engine_that_is_not_there_says_so():
    with pytest.raises(contest.Gone, match="does not import: ModuleNotFoundError: No module named 'mxnet'"):
        contest.Contestant("mxnet", Path(sys.executable)).ask({"prepare": ["hello", "1"]}, 60.0)


def test_a_row_a_workload_is_put_between_the_marks():
    rows = [
        contest.Row("lse", size, 1.3, ratios={"reference/hand": Ratio(x, x, x), "jax/reference": Ratio(8 * x, x, x)})
        for size, x in (("100", 2.0), ("1000000", 1.25))
    ]
    machine = contest.describe_machine([Answering("reference", []), Answering("jax", [])], 1, "cpu")
    marked = "before\n<!-- ratios -->\nold\n<!-- end of ratios -->\nafter\n"
    lines = tables.placed(marked, tables.brief(rows, machine), "ratios").splitlines()
    assert lines[2] == "| workload | gradient / by hand | gradient / program | jax / gradient |"
    assert [cell.strip() for cell in lines[4].split("|")[1:-1]] == ["lse", "2, 1.25", "-, -", "16, 10"]
    assert lines[:2] + lines[-2:] == ["before", "<!-- ratios -->", "<!-- end of ratios -->", "after"]
    assert lines[6].startswith(machine["date"]) and "old" not in lines


def test_what_is_above_its_aim_is_explained(monkeypatch):
    monkeypatch.setitem(WORKLOADS, "lse", replace(WORKLOADS["lse"], gap="one more pass over the array"))
    monkeypatch.setitem(WORKLOADS, "gmm", replace(WORKLOADS["gmm"], gap=""))
    ratios = {"lse": 2.0, "gmm": 1.5, "hvp": 1.29}
    rows = [contest.Row(name, "1", 1.3, ratios={"reference/hand": Ratio(x, x, x)}) for name, x in ratios.items()]
    machine = contest.describe_machine([Answering("reference", [])], 1, "cpu")
    lines = list(tables.report(rows, machine))
    explained = lines[lines.index("Above what is aimed at:") + 1 :]
    assert explained == ["lse: one more pass over the array", "gmm: nobody has said why yet, in its `gap`"]
    assert "Above what is aimed at:" not in list(tables.report(rows[2:], machine))


def test_choice_of_rows():
    pairs = [(workload.name, size.name) for workload, size in contest.chosen(["lse", "gmm"], ["small", "1000000"])]
    assert pairs == [("lse", "100"), ("lse", "1000000"), ("gmm", "d=2,k=3,n=10")]
    assert len(contest.chosen(None, None)) == sum(len(workload.sizes) for workload in WORKLOADS.values())


def test_growth_prints_its_figures(tmp_path, capsys):
    file = tmp_path / "growth.json"
    assert main(["growth", "--program", "repeated_doubling", "--json", str(file)]) == 0
    (figure,) = json.loads(file.read_text())
    assert figure["program"] == "repeated_doubling" and figure["value"] > 0
    assert "repeated_doubling" in capsys.readouterr().out


def test_plots_are_drawn_of_what_there_is(tmp_path):
    pytest.importorskip("matplotlib", reason="an extra: gradpin[plots]")
    row = contest.Row("hello", "1", 1.3, ratios={"reference/hand": Ratio(2.0, 1.5, 2.5)})
    drawn = list(plots.draw([row], tmp_path / "plots"))
    assert [file.name for file in drawn] == ["gradient.svg", "gradient.png"]
    assert drawn[0].read_text().rstrip().endswith("</svg>")
    assert drawn[1].read_bytes().startswith(b"\x89PNG")


def test_threads_are_limited_before_numpy_is_there():
    probe = "import sys, benchmarks.__main__; print('numpy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_asv_accepts_the_configuration_and_every_benchmark():
    ran = subprocess.run(
        [sys.executable, "-m", "asv", "check", "-E", "existing"],
        cwd=ROOT,
        env={**os.environ, "ASV_PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
