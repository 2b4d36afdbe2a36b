"""What `show` prints is the program that runs: where the function's globals are, it gives value and gradient."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import engine
from benchmarks.measure import disagreement
from benchmarks.workloads import WORKLOADS
from engine import switches

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("workload", [w for w in WORKLOADS.values() if w.derivative is None], ids=lambda w: w.name)
def test_shown_program_gives_value_and_gradient(workload):
    args, constants = workload.sizes[0].arguments()
    text = engine.show(workload.primal, *args, **constants)
    (function,) = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    namespace = dict(workload.primal.__globals__)
    exec(text, namespace)
    value, gradient = namespace[function](*args, **constants)
    assert value == workload.primal(*args, **constants)
    assert disagreement(gradient, workload.hand(*args, **constants)) is None


def test_arguments_keep_their_names():
    model, constants = WORKLOADS["mlp_objects"].sizes[0].arguments()
    assert "(model, *, x, y):" in engine.show(WORKLOADS["mlp_objects"].primal, *model, **constants)
    assert "(unused_x, y):" in engine.show(lambda x, y: y * y, 1.0, 2.0)


class Line:
    def __init__(self, slope):
        self.slope = slope

    def __call__(self, x):
        return self.slope * x

    def squared(self, x):
        return self(x) * self(x)


def captured(slope):
    return lambda x: slope * x


@pytest.mark.parametrize("f, gradient", [(Line(2.0), 2.0), (Line(2.0).squared, 24.0), (captured(2.0), 2.0)])
def test_what_the_function_holds_is_read_from_it(f, gradient):
    text = engine.show(f, 3.0)
    (function,) = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    namespace = {}
    exec(text, namespace)
    assert namespace[function](f, 3.0) == (f(3.0), (gradient,))


@pytest.mark.parametrize("f", [Line(2.0), Line(2.0).squared, captured(2.0), partial(captured(2.0))])
def test_on_the_traced_tier_the_rewritten_function_is_shown(f):
    with switches.off("typed"):
        assert "ad_mul" in engine.show(f, 3.0)


def test_what_is_not_written_in_python_has_no_program():
    with switches.off("typed"), pytest.raises(engine.SourceError, match="no program to show"):
        engine.show(np.sin, 3.0)


def test_globals_are_written_as_themselves():
    args, _ = WORKLOADS["scalar_loop"].sizes[0].arguments()
    assert "range(ITERATIONS)" in engine.show(WORKLOADS["scalar_loop"].primal, *args)


def test_same_function_same_text():
    """In any process: names and order come from the program alone."""
    printed = set()
    for seed in "123":
        ran = subprocess.run(
            [
                sys.executable,
                "-m",
                "benchmarks",
                "compare",
                "--engine",
                "reference",
                "--workload",
                "scalar_loop_exits",
                "--size",
                "small",
                "--code",
                "--rounds",
                "2",
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        printed.add(ran.stdout.split("# scalar_loop_exits\n")[1])
    assert len(printed) == 1
