"""Every case on an engine: it holds, in each way the engine can be asked, and it is shown that it could have failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest

from . import report
from .adapters import Adapter, adapters_of
from .case import Case
from .corpus import all_cases, select
from .expected import Expectations, file_of
from .records import Record, recorded
from .results import ask_all, is_asked_here
from .saboteurs import encoded, sabotaged
from .verdicts import NotAsked, Run, Verdict, ask, judge, plain_value


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    option = metafunc.config.getoption
    cases = select(all_cases(), option("topic"), option("tracker"), option("symptom"))
    if "bite" in {mark.name for mark in metafunc.definition.iter_markers()}:
        cases = [case for case in cases if case.defect]
    if "route" in metafunc.fixturenames:
        routes = adapters_of(option("engine"))[1:] if is_asked_here(option("engine")) else []
        pairs = [
            (route, case)
            for case in cases
            for route in routes
            if case.asks in route.answers and case.needs <= route.capabilities
        ]
        metafunc.parametrize("route, case", pairs, ids=[f"{case.id}-by-{route.name}" for route, case in pairs])
    else:
        metafunc.parametrize("case", cases, ids=[case.id for case in cases])


@pytest.fixture(scope="session")
def adapter(pytestconfig: pytest.Config) -> Adapter:
    """The engine as people use it."""
    return adapters_of(pytestconfig.getoption("engine"))[0]


@pytest.fixture(scope="session")
def asked(request: pytest.FixtureRequest) -> Callable[[Case], Record]:
    """The engine's record on a case: from here, or, all of them at once, from a process in its own environment."""
    engine = request.config.getoption("engine")
    if is_asked_here(engine):
        adapter = request.getfixturevalue("adapter")
        return lambda case: recorded(case, adapter, asked=engine)
    items = (item for item in request.session.items if isinstance(item, pytest.Function))
    chosen: dict[str, Case] = {case.id: case for item in items for case in [item.callspec.params["case"]]}  # type: ignore
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        records = ask_all(engine, list(chosen.values()), lambda line: print(f"\n{line}", flush=True))
    return lambda case: records[case.id]


@pytest.fixture(scope="session")
def expectations(pytestconfig: pytest.Config) -> Iterator[Expectations]:
    """What the engine is known not to hold."""
    engine = pytestconfig.getoption("engine")
    own = adapters_of(engine)[0].expected if ":" in engine else None
    yield Expectations.read(own or file_of(engine.partition("==")[0]))


def test_holds(
    case: Case, asked: Callable[[Case], Record], expectations: Expectations, record_property: Callable
) -> None:
    record = asked(case)
    record_property("on", record.on)
    record_property("verdict", record.verdict)
    if objection := expectations.objection(record):
        pytest.fail(f"{case.id}: {objection}", pytrace=False)
    if record.verdict == Verdict.NOT_ASKED.value:
        pytest.skip(record.got)
    if expectations.expects(record):
        pytest.xfail(record.verdict)
    if not record.holds:
        fail(report.failure(case, record))


def fail(text: str) -> None:
    pytest.fail(text, pytrace=False)


def test_every_route_agrees(case: Case, route: Adapter) -> None:
    record = recorded(case, route)
    if not record.holds:
        fail(report.failure(case, record))


def test_inputs_are_left_as_the_program_leaves_them(case: Case, adapter: Adapter) -> None:
    by_python, by_engine = case.arguments(), case.arguments()
    parameters = encoded(case.wrt)
    if isinstance(case.right, tuple) and not (case.no_differences and "nested" in case.needs):
        plain_value(case, by_python)
    first = ask(case, adapter, by_engine)
    if isinstance(first, NotAsked):
        pytest.skip(report.described(first))
    assert encoded(by_engine) == encoded(by_python)
    assert encoded(case.wrt) == parameters
    assert encoded(ask(case, adapter)) == encoded(first), "two runs disagree"


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
    if verdict is not Verdict.REPORTED:
        record = recorded(case, adapter, Run(verdict, outcome, difference))
        fail("with the defect put back:\n" + report.failure(case, record, expected=report.described(case.reported)))
    record = recorded(case, adapter)  # and taken away again
    if not record.holds:
        fail("with the defect taken away again:\n" + report.failure(case, record))
