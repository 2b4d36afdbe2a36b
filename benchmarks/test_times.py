"""Times for a before and after on a working tree, named as in asv's `times`, of every workload at every size.

    pytest benchmarks/ -k small --benchmark-autosave       before
    pytest benchmarks/ -k small --benchmark-compare        after

A table is one workload at one size: the numbers in parentheses are ratios to its fastest line. An answer that is not
the derivative written by hand has no time.
"""

from __future__ import annotations

import pytest

from benchmarks.history.asking import LABELS, prepared
from benchmarks.workloads import WORKLOADS
from engine.rules.registry import generation

pytest.importorskip("pytest_benchmark", reason="times need pytest-benchmark: python -m pip install -e '.[dev]'")

EVERY = [f"{name}:{size.name}" for name, workload in WORKLOADS.items() for size in workload.sizes]
WITH_PROGRAM = [label for label in EVERY if WORKLOADS[label.partition(":")[0]].primal]


def of(labels):
    """Of one module, so that the tests of one workload follow each other, and share what is prepared."""
    return pytest.mark.parametrize("calls", labels, indirect=True, scope="module")


@pytest.fixture(scope="module")
def calls(request):
    return prepared(request.param)


@of(WITH_PROGRAM)
def time_primal(benchmark, calls):
    _, _, primal = calls
    benchmark(primal)


@of(EVERY)
def time_hand(benchmark, calls):
    _, by_hand, _ = calls
    benchmark(by_hand)


@of(EVERY)
def time_gradient(benchmark, calls):
    by_engine, _, _ = calls
    benchmark(by_engine)


@of(LABELS)
def time_first_gradient(benchmark, calls):
    """Of a program that the engine has forgotten: reading, generating, compiling."""
    by_engine, _, _ = calls
    benchmark.pedantic(by_engine, setup=generation.bump, rounds=5)
