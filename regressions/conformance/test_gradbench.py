"""The tool of GradBench: its protocol, spoken by a process of its own, and the check that sees what is small."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gradbench import tool
from benchmarks.gradbench.check import problem, replaced, their_verdict
from benchmarks.gradbench.samples import samples
from benchmarks.workloads import GRADBENCH

ROOT = Path(__file__).parents[2]
ALL = list(samples())
SAMPLES = [pytest.param(sample, id=f"{sample.eval}-{sample.function}") for sample in ALL]
ONE_OF_EACH = {sample.eval: sample for sample in ALL}


def spoken(lines, program="from benchmarks.__main__ import main; main(['gradbench'])"):
    """The answers, line by line: anything else on standard output is no JSON."""
    tool = subprocess.run(
        [sys.executable, "-c", program],
        input="".join(line + "\n" for line in lines),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=True,
    )
    return [json.loads(line) for line in tool.stdout.splitlines()], tool.stderr


def message(number, kind, **fields):
    return json.dumps({"id": number, "kind": kind, **fields})


def test_all_evals_in_one_session():
    limits = {"min_runs": 2, "min_seconds": 0}
    lines = [message(0, "start", eval="all")]
    for sample in ONE_OF_EACH.values():
        given = sample.given | limits if isinstance(sample.given, dict) else sample.given
        lines.append(message(len(lines), "define", module=sample.eval))
        lines.append(message(len(lines), "evaluate", module=sample.eval, function=sample.function, input=given))
        lines.append(message(len(lines), "analysis", of=len(lines) - 1, valid=True))
    answers, _ = spoken(lines)
    assert [answer["id"] for answer in answers] == list(range(len(lines)))
    assert set(ONE_OF_EACH) == set(tool.EVALS) == set(GRADBENCH)
    assert answers[0] == {"id": 0, "tool": "gradpin"}
    for place, sample in enumerate(ONE_OF_EACH.values()):
        defined, evaluated, analysed = answers[1 + 3 * place : 4 + 3 * place]
        assert defined == {"id": defined["id"], "success": True} and analysed == {"id": analysed["id"]}
        assert evaluated["success"] and problem(evaluated["output"], sample.expected) is None
        assert len(evaluated["timings"]) == (1 if sample.eval == "hello" else 2)
        for timing in evaluated["timings"]:
            assert timing["name"] == "evaluate" and isinstance(timing["nanoseconds"], int)


def test_what_is_wrong_is_answered_and_the_session_goes_on():
    no_number = {"x": [float("nan")], "min_runs": 1, "min_seconds": 0}
    lines = [
        "{",
        "[]",
        message(2, "define", module="weather"),
        message(3, "evaluate", module="weather", function="gradient", input={}),
        message(4, "evaluate", module="lse", function="hessian", input={}),
        message(5, "evaluate", module="lse", function="gradient", input={}),
        message(6, "evaluate", module="lse", function="primal", input=no_number),
        message(7, "define"),
        message(8, "song"),
        message(9, "evaluate", module="hello", function="double", input=3),
    ]
    answers, _ = spoken(lines)
    assert [answer["id"] for answer in answers] == [None, None, *range(2, 10)]
    assert all(answer["success"] is False and answer["error"] for answer in answers[:8])
    assert "'weather'" in answers[3]["error"] and "'hessian'" in answers[4]["error"] and "'x'" in answers[5]["error"]
    assert answers[8] == {"id": 8} and answers[9]["output"] == 6.0


def test_only_the_protocol_is_on_standard_output():
    """Whether Python prints or something beneath it writes."""
    program = (
        "import os; from benchmarks.gradbench import tool; from benchmarks.__main__ import main\n"
        "def loud(x): print('printed'); os.write(1, b'written\\n'); return x\n"
        "tool.EVALS['hello']['square'] = tool.Function(tool.hello_input, loud)\n"
        "main(['gradbench'])"
    )
    answers, errors = spoken([message(0, "evaluate", module="hello", function="square", input=2.0)], program)
    assert [answer["output"] for answer in answers] == [2.0]
    assert "printed" in errors and "written" in errors


def test_runs_until_both_limits_are_reached():
    x = {"x": [1.0, 2.0]}
    assert len(tool.evaluate("lse", "primal", x | {"min_runs": 7, "min_seconds": 0})[1]) == 7
    runs = tool.evaluate("lse", "primal", x | {"min_runs": 1, "min_seconds": 0.01})[1]
    assert sum(runs) >= 1e7 > sum(runs[:-1])


def test_hand_tracking_without_coordinates_is_at_vertices():
    given = ONE_OF_EACH["ht"].given
    points, vertices = len(given["data"]["points"]), len(given["data"]["model"]["weights"])
    simple = given | {"us": [], "data": given["data"] | {"correspondences": [i % vertices for i in range(points)]}}
    errors, _ = tool.evaluate("ht", "objective", simple)
    jacobian, _ = tool.evaluate("ht", "jacobian", simple)
    assert len(errors) == len(jacobian) == 3 * points and {len(row) for row in jacobian} == {26}


@pytest.mark.parametrize("sample", SAMPLES)
def test_derivative_is_right_relative_to_its_size(sample):
    answer, _ = tool.evaluate(sample.eval, sample.function, sample.given)
    assert problem(answer, sample.expected) is None


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("number", [0.0, math.nan, math.inf])
def test_answers_of_zeros_and_of_nothing_finite_are_wrong(sample, number):
    assert problem(replaced(sample.expected, number), sample.expected) is not None


def test_what_gradbench_lets_pass():
    """The reason for a check of our own; this holds of its tolerance, whoever answers."""
    zeros = {name for name, s in ONE_OF_EACH.items() if their_verdict(replaced(s.expected, 0.0), s.expected)}
    assert zeros == {"lse", "ode", "saddle"}
    assert all(their_verdict(replaced(s.expected, math.nan), s.expected) for s in ONE_OF_EACH.values())


@pytest.mark.parametrize(
    "answer", [1.0, [[1.0]], [1.0, 2.0], [True], ["1"], None, {"x": [1.0]}, [1.0 + 1e-6]], ids=repr
)
def test_an_answer_of_another_structure_or_slightly_off_is_wrong(answer):
    assert problem([1.0], [1.0]) is None
    assert problem(answer, [1.0]) is not None
