"""The workloads in other engines: their answers are the derivatives written by hand, or they are not measured at all.

Each engine is asked in the environment that `python -m regressions install` has made for it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.compare.contest import Contestant, has_environment
from benchmarks.compare.worker import Measured
from benchmarks.ports import ENGINES, Lazy
from benchmarks.workloads import WORKLOADS
from regressions.environments import interpreter, release_of

PATIENCE = 120
DESCENTS = ("saddle", "particle")  # their first sizes are the four ways to nest two modes


@pytest.fixture(scope="module", params=ENGINES[1:])
def contestant(request):
    release = release_of(request.param)
    if not has_environment(release):
        pytest.skip(f"{release} has no environment: python -m regressions install {request.param}")
    found = Contestant(release.engine, interpreter(release))
    yield found
    found.end()


@pytest.mark.parametrize("name", WORKLOADS)
def test_port_gives_the_derivative_written_by_hand(contestant, name):
    for size in WORKLOADS[name].sizes[: 4 if name in DESCENTS else 1]:
        assert contestant.ask({"prepare": [name, size.name]}, PATIENCE)["problem"] is None


def test_wrong_answers_of_ports_are_seen():
    """What the worker compares with is not the port itself."""
    workload = WORKLOADS["lse"]
    doubled = replace(workload, hand=lambda x: (2 * workload.hand(x)[0],))
    assert Measured("reference", doubled, workload.sizes[0]).problem.startswith("wrong: ")


def test_module_is_imported_when_something_of_it_is_wanted():
    module = Lazy("not_there_at_all")
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        module.something()
