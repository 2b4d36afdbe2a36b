"""What asv is told: every class measures, leaves out what a commit lacks, and has no figure for a wrong gradient.

Classes are called as asv calls them: `setup_cache` once, then `setup` and the benchmark for each parameter.
"""

from __future__ import annotations

import math
from importlib import import_module
from itertools import product
from pathlib import Path

import pytest

import engine
from benchmarks.history import asking, installed
from regressions import corpus

ROOM = Path(asking.__file__).parent
KINDS = ("track_", "time_", "peakmem_")
POSITIVE = ("track_calls", "track_instructions", "track_statements", "track_names_saved", "track_peak_bytes")
FEW = ["scalar_loop:100", "stencil:n=20,steps=20"]  # of those that `times` has too


def benchmarks_of(cls):
    return [name for name in dir(cls) if name.startswith(KINDS)]


CLASSES = [
    cls
    for file in sorted(ROOM.glob("[!_]*.py"))
    for cls in vars(import_module(f"benchmarks.history.{file.stem}")).values()
    if isinstance(cls, type) and cls.__module__ == f"benchmarks.history.{file.stem}" and benchmarks_of(cls)
]
ASKING = [cls for cls in CLASSES if cls.__name__ != "Controls"]
OF_WORKLOADS = [cls for cls in ASKING if getattr(cls, "param_names", ()) == ("workload",)]


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Two workloads and two cases in the place of all."""
    monkeypatch.setattr(asking, "LABELS", FEW)
    cases = corpus.find("flux-2091") + corpus.find("zygote-293")
    monkeypatch.setattr(corpus, "all_cases", lambda: cases)


def figures(cls):
    """Of each benchmark at each parameter what asv writes down, or the exception that it sees."""
    cache = (cls().setup_cache(),) if hasattr(cls, "setup_cache") else ()
    found = {}
    for values in product(*getattr(cls, "params", ())):
        if getattr(cls, "param_names", ()) == ("workload",) and values[0] not in FEW:
            continue
        for name in benchmarks_of(cls):
            instance = cls()
            try:
                if hasattr(cls, "setup"):
                    instance.setup(*cache, *values)
                found[name, *values] = getattr(instance, name)(*cache, *values)
            except Exception as error:
                found[name, *values] = error
    return found


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_figure_is_a_number(cls):
    found = figures(cls)
    assert found
    for (name, *_), figure in found.items():
        if name.startswith("track_"):
            assert math.isfinite(figure) and figure >= 0 and (figure > 0 or name not in POSITIVE), found
            assert isinstance(getattr(cls, name).unit, str)
        else:
            assert figure is None, "asv measures it"


def test_programs_grow_as_expected():
    (growth,) = (cls for cls in CLASSES if cls.__name__ == "Growth")
    found = figures(growth)
    assert len(found) == 2 * len(growth.params[0])
    for (name, program), exponent in found.items():
        flat = (name, program) == ("track_exponent_of_peak_bytes", "repeated_doubling")  # two numbers, however often
        if name == "track_exponent_of_peak_bytes" and not flat:
            assert 0.9 <= exponent <= 1.1, "lists take room in steps of an eighth"
        else:
            assert exponent == (0.0 if flat else 1.0)


@pytest.mark.parametrize("cls", ASKING, ids=lambda cls: cls.__name__)
def test_commit_without_the_api_is_left_out(cls, monkeypatch):
    monkeypatch.delattr(engine, "gradient")
    found = figures(cls)
    assert found and all(isinstance(figure, NotImplementedError) for figure in found.values()), found


@pytest.mark.parametrize("cls", OF_WORKLOADS, ids=lambda cls: cls.__name__)
def test_wrong_gradient_has_no_figure(cls, monkeypatch):
    right = engine.gradient
    monkeypatch.setattr(engine, "gradient", lambda f, *args, **kwargs: (None, *right(f, *args, **kwargs)[1:]))
    found = figures(cls)
    assert found
    for figure in found.values():
        assert isinstance(figure, Exception) and not isinstance(figure, NotImplementedError), found
        assert "a wrong gradient has no cost: gradient[0]: kind: expected" in str(figure)


def test_error_of_a_program_is_not_an_api_that_is_lacking(monkeypatch):
    """An AttributeError of the engine's own is a failure, which asv shows; a skip would hide it."""

    def broken(f, *args, **kwargs):
        raise AttributeError("'NoneType' object has no attribute 'shape'")

    monkeypatch.setattr(engine, "gradient", broken)
    for cls in OF_WORKLOADS:
        for figure in figures(cls).values():
            assert isinstance(figure, Exception) and not isinstance(figure, NotImplementedError)


def test_one_that_fails_does_not_hide_the_others():
    def measure(label):
        if label == FEW[0]:
            raise ValueError("no")
        return {"calls": 1}

    assert asking.measured(measure) == {FEW[0]: {"problem": "ValueError: no"}, FEW[1]: {"calls": 1}}


def test_cases_that_are_not_right_are_counted():
    verdicts = import_module("benchmarks.history.verdicts")
    assert verdicts.Verdicts().track_cases_not_right() == 0
    case = corpus.all_cases()[0]
    with case.defect():
        assert verdicts.Verdicts().track_cases_not_right() == 1
        assert verdicts.answer({}) == {"not right": {case.id: verdicts.CODES["the reported bug"]}}


def test_engine_of_a_commit_is_put_beside_benchmarks_of_today(tmp_path):
    build, suite, packages = (tmp_path / name for name in ("build", "suite", "packages"))
    for folder in (build / "engine", packages / "engine", suite / "benchmarks", suite / "regressions"):
        folder.mkdir(parents=True)
    (build / "engine" / "api.py").write_text("new")
    (packages / "engine" / "gone.py").write_text("old")
    for _ in range(2):  # commit after commit
        installed.install(build, suite, packages)
    assert [file.name for file in (packages / "engine").iterdir()] == ["api.py"]
    assert (packages / "benchmarks").resolve() == suite / "benchmarks"
    assert (packages / "regressions").resolve() == suite / "regressions"
