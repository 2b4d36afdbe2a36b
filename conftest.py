"""Options of the test run: which engine and which cases, whether defects are put back, and the summary at the end."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.__main__ import THREADS

os.environ.update(dict.fromkeys(THREADS, "1") | os.environ)  # before NumPy is there: tests run beside each other

from engine.rules.registry import scope
from regressions import report
from regressions.adapters import UnknownEngine, adapters_of, engine_names
from regressions.case import SYMPTOMS, TRACKERS
from regressions.corpus import TOPICS, UnknownCase, all_cases, select
from regressions.environments import installable, release_of
from regressions.expected import ExpectationError, Expectations, file_of
from regressions.results import is_asked_here

FILTERS = {"topic": TOPICS, "tracker": TRACKERS, "symptom": SYMPTOMS}
ROOM = Path(__file__).parent / "regressions"
TESTS, CONFORMANCE = ROOM / "test_cases.py", ROOM / "conformance"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cases", "pinned bugs")
    group.addoption(
        "--engine",
        default="reference",
        help="ask this engine (default: reference): a name, a release such as autograd==1.5, or module:attribute",
    )
    group.addoption(
        "--conformance",
        action="store_true",
        help="the engine against its own promises too, some minutes: `pytest regressions/` leaves them out",
    )
    group.addoption("--bite", action="store_true", help="put each defect back too: the reported bug must show")
    for name, vocabulary in FILTERS.items():
        group.addoption(f"--{name}", help=f"only cases of this {name}: {', '.join(sorted(vocabulary))}")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "bite: puts a defect back into the engine; runs with --bite")
    _ask_for_topics_by_path(config)
    _leave_conformance_out_of_the_cases(config)
    _check_engine(config.getoption("engine"))
    for name, words in ((name, sorted(words)) for name, words in FILTERS.items()):
        word = config.getoption(name)
        if word is not None and word not in words:
            raise pytest.UsageError(f"--{name}: there is no {name} {word!r}; there is {', '.join(words)}")
    if _chosen(config):
        try:
            select(all_cases(), **{name: config.getoption(name) for name in FILTERS})
        except UnknownCase as error:
            raise pytest.UsageError(str(error)) from None


def _ask_for_topics_by_path(config: pytest.Config) -> None:
    """`pytest regressions/cases/parameters.py` asks the cases written there, which hold data and no tests."""
    for i, argument in enumerate(config.args):
        path = Path(config.invocation_params.dir, argument.split("::")[0]).resolve()
        if (ROOM / "cases") in (path, path.parent):
            config.args[i] = str(TESTS)
            if path.is_file():
                config.option.topic = path.stem.replace("_", "-")


def _leave_conformance_out_of_the_cases(config: pytest.Config) -> None:
    """`pytest regressions/` asks the cases; everything is `pytest`, or a path into conformance/, or --conformance."""
    if hasattr(config, "workerinput"):
        return  # the process that was asked has decided, and says so in the option
    paths = [Path(config.invocation_params.dir, str(arg)).resolve() for arg in config.invocation_params.args]
    config.option.conformance |= ROOM not in paths or any(CONFORMANCE in (path, *path.parents) for path in paths)


def _check_engine(engine: str) -> None:
    """An engine that does not exist, and expected failures of none of the cases, are mistakes of the command."""
    try:
        if is_asked_here(engine):
            adapters_of(engine)
        elif engine.partition("==")[0] not in engine_names():
            raise UnknownEngine(f"there is no engine {engine!r}; there is {', '.join(engine_names())}")
        else:
            release_of(engine)
            Expectations.read(file_of(engine.partition("==")[0]))
    except (UnknownEngine, ExpectationError, ValueError, ImportError) as error:
        raise pytest.UsageError(f"--engine: {error}") from None


def _chosen(config: pytest.Config) -> bool:
    return config.getoption("engine") != "reference" or any(config.getoption(name) for name in FILTERS)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The engine's own tests where the cases are asked; with a choice of cases, whatever else there is."""
    if collection_path == CONFORMANCE and not config.getoption("conformance"):
        return True
    if collection_path.parent == ROOM / "adapters" and collection_path.stem in installable():
        return True  # imports the engine, which is in an environment of its own
    return True if _chosen(config) and collection_path.is_file() and collection_path != TESTS else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A case answers to -k by each of its threads; without --bite the tests that need it are left out."""
    for item in items:
        case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
        item.extra_keyword_matches.update(getattr(case, "thread_ids", ()))
    left_out = [item for item in items if not _is_asked(item, config)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _is_asked(item: pytest.Item, config: pytest.Config) -> bool:
    """Of another engine it is only asked whether the cases hold; an adapter of one's own is asked in this process."""
    engine, name = config.getoption("engine"), getattr(item, "originalname", "")
    if item.get_closest_marker("bite"):
        return config.getoption("bite") and engine == "reference"
    if engine == "reference" or item.path != TESTS:
        return True
    here = ("test_every_route_agrees", "test_inputs_are_left_as_the_program_leaves_them")
    return name == "test_holds" or (name in here and is_asked_here(engine))


@pytest.fixture(autouse=True)
def rules_of_a_docstring(request: pytest.FixtureRequest) -> Iterator[None]:
    """A rule that the example of a docstring gives is forgotten when the example ends."""
    if not isinstance(request.node, pytest.DoctestItem):
        yield
        return
    with scope():
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How many cases this run asked, from where, and how many were shown to bite."""
    asked, bitten, verdicts, engines = set(), set(), Counter[str](), set()
    for outcome in ("passed", "failed", "error", "skipped", "xfailed"):
        for item in terminalreporter.getreports(outcome):
            match = re.search(r"regressions/test_cases\.py::(\w+)\[([\w-]+)\]", getattr(item, "nodeid", ""))
            if match and match[1] == "test_holds":
                asked.add(match[2])
                properties = dict(item.user_properties)
                verdicts[properties.get("verdict", "no verdict")] += 1
                engines.add(properties.get("on", ""))
            elif match and match[1] == "test_defect_shows_the_reported_bug" and outcome == "passed":
                bitten.add(match[2])
    if asked:
        cases = [case for case in all_cases() if case.id in asked]
        terminalreporter.section("pinned bugs")
        if config.getoption("engine") == "reference":
            lines = report.summary(cases, bitten if config.getoption("bite") else None)
        else:
            lines = report.engine_summary(cases, " and ".join(sorted(engines)), verdicts)
        for line in lines:
            terminalreporter.write_line(line)
        if not config.getoption("conformance") and not _chosen(config):
            terminalreporter.write_line("the engine's own tests were left out: --conformance runs them too")
