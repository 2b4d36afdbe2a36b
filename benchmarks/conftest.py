"""`pytest benchmarks/` times the workloads; beside other tests, or in several processes, each is called once."""

from __future__ import annotations

import time
import warnings
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.workloads import WORKLOADS

ROOM = Path(__file__).parent
DEFAULTS = {
    "timer": time.process_time,
    "min_time": 0.001,
    "max_time": 0.2,
    "min_rounds": 9,
    "warmup": True,
    "warmup_iterations": 3,
}
"""In the place of those of pytest-benchmark, where the command says nothing; for the clock see `measure`."""


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.has_plugin("benchmark"):
        return
    # That there is nothing to compare with, or that it is of another machine, is no error: now, and when tests run.
    warnings.filterwarnings("default", category=import_module("pytest_benchmark.logger").PytestBenchmarkWarning)
    config.addinivalue_line("filterwarnings", "default::pytest_benchmark.logger.PytestBenchmarkWarning")
    paths = [Path(config.invocation_params.dir, word.split("::")[0]).resolve() for word in config.args]
    alone = config.option.benchmark_only or all(ROOM in (path, *path.parents) for path in paths)
    several = hasattr(config, "workerinput") or config.getoption("dist", "no") != "no"
    config.option.benchmark_disable |= several or not alone
    config.option.benchmark_columns = config.option.benchmark_columns or ["min", "median", "iqr", "rounds"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A workload at one size is a group; `-k small` is the first size of each, `-k large` the last."""
    if not config.pluginmanager.has_plugin("benchmark"):
        return
    given = {word.partition("=")[0] for word in config.invocation_params.args}
    options = {name: value for name, value in DEFAULTS.items() if "--benchmark-" + name.replace("_", "-") not in given}
    for item in items:
        if "benchmark" in getattr(item, "fixturenames", ()) and isinstance(item, pytest.Function):
            label = str(item.callspec.params["calls"])
            item.add_marker(pytest.mark.benchmark(group=label, **options))
            name, size = label.split(":", 1)
            sizes = WORKLOADS[name].sizes
            item.extra_keyword_matches.update({"small"} if size == sizes[0].name else ())
            item.extra_keyword_matches.update({"large"} if size == sizes[-1].name else ())
