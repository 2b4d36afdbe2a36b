"""`pytest benchmarks/` measures where it is asked alone, and only checks where it runs among tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def ran(*words):
    """A run of its own, which is none of a worker's, though this may be one."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, words)]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    return subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True)


def test_times_of_a_workload_are_a_group(tmp_path):
    file = tmp_path / "times.json"
    limits = ("--benchmark-max-time=0.01", "--benchmark-min-rounds=3")
    run = ran("benchmarks", "-k", "scalar_loop and small and not exits", *limits, f"--benchmark-json={file}")
    assert run.returncode == 0, run.stdout + run.stderr
    kinds = ("primal", "hand", "gradient", "first_gradient")
    labels = ("scalar_loop:100", "scalar_loop_helper:100")
    timed = {(one["group"], one["name"]): one["stats"]["min"] for one in json.loads(file.read_text())["benchmarks"]}
    assert timed.keys() == {(label, f"time_{kind}[{label}]") for label in labels for kind in kinds}
    assert 0 < timed["scalar_loop:100", "time_primal[scalar_loop:100]"] < 1


def test_among_other_tests_and_in_several_processes_each_is_called_once():
    among = ran(
        "--doctest-modules",
        "benchmarks/measure.py",
        "benchmarks/test_times.py",
        "regressions/test_corpus.py",
        "-k",
        "hello",
    )
    several = ran("-n", "1", "benchmarks", "-k", "hello")
    for run in (among, several):
        assert run.returncode == 0, run.stdout + run.stderr
        assert "Rounds" not in run.stdout and "benchmark" not in run.stderr, "no table, no warning"


def test_nothing_to_compare_with_is_no_error(tmp_path):
    words = ("--benchmark-max-time=0.001", "--benchmark-compare", f"--benchmark-storage={tmp_path}")
    run = ran("benchmarks", "-k", "time_hand and hello", *words)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Rounds" in run.stdout


WITHOUT = """
import sys


class Absent:
    def find_spec(name, path=None, target=None):
        if name.startswith("pytest_benchmark"):
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, Absent)
import pytest

sys.exit(pytest.main(sys.argv[1:]))
"""


def test_without_the_plugin_the_rest_runs(monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    words = ["-q", "-p", "no:cacheprovider", "benchmarks", "regressions", "-k", "test_ids_are_unique"]
    run = subprocess.run([sys.executable, "-c", WITHOUT, *words], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout and "times need pytest-benchmark" in run.stdout
