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
from benchmarks import speed
from benchmarks.__main__ import main
from benchmarks.measure import count_calls, interleaved, peak_bytes
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
    row = speed.measure(doubled, doubled.sizes[0], rounds=2)
    assert row.problem.startswith("wrong gradient: gradient[0]: value: expected ")
    assert row.ratio is row.engine_us is row.first_ms is None
    assert row.problem in "\n".join(speed.table([row]))


def test_refused_program_is_reported_with_its_error():
    async def loss(x, a):
        return x

    refused = replace(WORKLOADS["scalar_loop"], primal=loss)
    row = speed.measure(refused, refused.sizes[0], rounds=2)
    assert row.problem.startswith("UnsupportedSyntaxError: ")


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


def test_unknown_workload_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["speed", "--workload", "scalar_lop"])
    assert exit.value.code == 2
    message = capsys.readouterr().err
    assert "argument --workload: invalid choice: 'scalar_lop'" in message
    assert "index_sum" in message, "the names there are"


def test_command_prints_a_row_the_code_and_writes_json(tmp_path, capsys):
    file = tmp_path / "speed.json"
    status = main(["speed", "--workload", "scalar_loop", "--rounds", "2", "--code", "--json", str(file)])
    out, progress = capsys.readouterr()
    assert status == 0
    assert [line.split()[0] for line in out.splitlines() if line.startswith(("workload", "scalar_loop"))] == [
        "workload",
        "scalar_loop",
    ]
    assert "def " in out.split("# scalar_loop\n")[1]
    assert progress == "scalar_loop, 100 ...\n"
    (row,) = json.loads(file.read_text())["rows"]
    assert row["workload"] == "scalar_loop" and row["problem"] is None
    assert row["ratio"]["low"] <= row["ratio"]["median"] <= row["ratio"]["high"]


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
