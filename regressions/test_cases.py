"""Every case on an engine: it holds, in each way the engine can be asked, and it is shown that it could have failed."""

from __future__ import annotations

import pytest

from . import report
from .adapters import Adapter, adapters_of
from .case import Case
from .corpus import all_cases, select
from .saboteurs import encoded, sabotaged
from .verdicts import Run, Verdict, ask, judge, plain_value, run


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    option = metafunc.config.getoption
    cases = select(all_cases(), option("topic"), option("tracker"), option("symptom"))
    _, *routes = adapters_of(option("engine"))
    if "bite" in {mark.name for mark in metafunc.definition.iter_markers()}:
        cases = [case for case in cases if case.defect]
    if "route" in metafunc.fixturenames:
        pairs = [
            (route, case)
            for case in cases
            for route in routes
            if case.asks in route.answers and case.needs <= route.capabilities
        ]
        metafunc.parametrize("route, case", pairs, ids=[f"{case.id}-by-{route.name}" for route, case in pairs])
    else:
        metafunc.parametrize("case", cases, ids=[case.id for case in cases])


@pytest.fixture
def adapter(pytestconfig: pytest.Config) -> Adapter:
    """The engine as people use it."""
    return adapters_of(pytestconfig.getoption("engine"))[0]


def test_holds(case: Case, adapter: Adapter) -> None:
    result = run(case, adapter)
    if result.verdict is Verdict.NOT_ASKED:
        pytest.skip(report.described(result.outcome))
    if result.verdict is not Verdict.RIGHT:
        pytest.fail(report.failure(case, adapter.name, result), pytrace=False)


def test_every_route_agrees(case: Case, route: Adapter) -> None:
    test_holds(case, route)


def test_inputs_are_left_as_the_program_leaves_them(case: Case, adapter: Adapter) -> None:
    by_python, by_engine = case.arguments(), case.arguments()
    parameters = encoded(case.wrt)
    if isinstance(case.right, tuple) and not (case.no_differences and "nested" in case.needs):
        plain_value(case, by_python)
    ask(case, adapter, by_engine)
    assert encoded(by_engine) == encoded(by_python)
    assert encoded(case.wrt) == parameters


def test_two_runs_agree(case: Case, adapter: Adapter) -> None:
    assert encoded(ask(case, adapter)) == encoded(ask(case, adapter))


def test_saboteurs_are_rejected(case: Case) -> None:
    names = []
    for name, outcome in sabotaged(case):
        names.append(name)
        verdict, _ = judge(case, outcome)
        assert verdict is not Verdict.RIGHT, f"{case.id} accepts {name}: {report.described(outcome)}"
    assert len(names) >= 3, f"{case.id} is attacked by {names} only"


@pytest.mark.bite
def test_defect_shows_the_reported_bug(case: Case, adapter: Adapter) -> None:
    assert case.defect is not None
    with case.defect():
        outcome = ask(case, adapter)
    verdict, difference = judge(case, outcome)
    result = Run(verdict, outcome, difference)
    if result.verdict is not Verdict.REPORTED:
        pytest.fail(
            "with the defect put back:\n" + report.failure(case, adapter.name, result, expected=case.reported),
            pytrace=False,
        )
    test_holds(case, adapter)  # and taken away again
