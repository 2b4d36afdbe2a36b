"""Other engines: programs over another array library, processes that die or hang, releases, expected failures."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from regressions import environments, results
from regressions.adapters import CannotBeAsked, UnknownEngine, adapters_of
from regressions.arrays import as_number, leaves_of, of_kind, put, put_each
from regressions.case import fields
from regressions.corpus import all_cases, find
from regressions.environments import Unusable, interpreter, release_of
from regressions.expected import EXPECTED, ExpectationError, Expectations, rewritten
from regressions.records import Record
from regressions.results import ask_all
from regressions.transplant import Namespace, transplanted

ROOT = Path(__file__).parents[2]
a = np.array


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Nothing is left behind, and nothing of before is used."""
    monkeypatch.setenv("GRADPIN_CACHE", str(tmp_path / "cache"))


# -- programs over another array library -------------------------------------------------------------------------------

WEIGHT = a([1.0, 2.0])
TABLE = {"rows": [a([3.0])], "name": "table"}


class Scale:
    factor = WEIGHT

    def __init__(self, by):
        self.by = by

    def __call__(self, x):
        return np.sum(self.by * x * self.factor)

    @staticmethod
    def twice(x):
        return np.sum(x) * 2


SCALE = Scale(3.0)


def halved(x, by=WEIGHT):
    return np.sum(x * by) / 2 + quarter(x, 0)


def quarter(x, depth):
    return np.sum(x) / 4 if depth else halved_again(x)


def halved_again(x):
    return quarter(x, 1)


def through_everything(x):
    def inner(y):
        return np.sum(y * WEIGHT)

    parts = [SCALE(x), Scale(2.0)(x), Scale.twice(x), halved(x), inner(x), np.sum(TABLE["rows"][0]), np.linalg.norm(x)]
    return parts + [function(x) for function in (np.sum, partial(np.sum))]


class Counted:
    """An array library that is NumPy, and counts."""

    def __init__(self) -> None:
        self.sums = 0
        self.linalg = np.linalg

    def sum(self, x: Any) -> Any:
        self.sums += 1
        return np.sum(x)


def test_a_program_reaches_the_other_library_by_every_way():
    library, lifted = Counted(), []
    program = transplanted(through_everything, Namespace(library), lambda x: lifted.append(x) or 10 * x)
    found = program(a([1.0, 1.0]))
    assert library.sums == 9
    assert found == [90.0, 60.0, 4.0, 15.5, 30.0, 30.0, math.sqrt(2), 2.0, 2.0]
    assert sorted(len(x) for x in lifted) == [1, 2]  # each array of the module once
    assert through_everything(a([1.0, 1.0]))[0] == 9.0 and library.sums == 9  # the module itself is as it was


def test_what_a_library_does_not_have_cannot_be_asked():
    with pytest.raises(CannotBeAsked, match=r"np\.linalg"):
        transplanted(lambda x: np.linalg.det(x), Namespace(math), lambda x: x)(1.0)


STRUCTURE = ({"w": a([1.0, 2.0]), "n": 3, "none": None}, [2.0, "text", (np.float32(1.0), True)], fields(b=a([1])))


def test_arguments_are_taken_apart_and_put_together_again():
    leaves = leaves_of(STRUCTURE)
    assert [np.shape(leaf) for leaf in leaves] == [(2,), (), ()]
    again = put(STRUCTURE, iter(leaves))
    assert again[0]["w"] is STRUCTURE[0]["w"] and again[1] == STRUCTURE[1] and again[2].b is STRUCTURE[2].b
    cotangents = put_each(STRUCTURE, iter([a([5.0, 6.0]), 7.0, np.float32(8.0)]))
    assert repr(cotangents) == (
        f"({{'w': array([5., 6.]), 'n': None, 'none': None}}, [7.0, None, ({np.float32(8.0)!r}, None)], None)"
    )


def test_a_lost_precision_stays_visible():
    assert as_number(a(1.0, np.float32), 1.0).dtype == np.float32
    assert isinstance(of_kind(a(1.0), 2.0), float) and of_kind(a(1.0, np.float32), 2.0).dtype == np.float32
    assert of_kind((1.0, {"a": np.float64(2.0)}), (a(0.0), {"a": 0.0})) == (a(1.0), {"a": 2.0})


# -- adapters from elsewhere -------------------------------------------------------------------------------------------

ADAPTER = '''
import os, time
from pathlib import Path
from regressions.adapters.reference import Reference

class Own(Reference):
    """The reference engine, with a fault."""
    name, version = "own", "2.0"
    expected = Path(__file__).with_name("expected.toml")

    def gradient(self, f, *args):
        {fault}
        return super().gradient(f, *args)

number = 3
claims = type("Claims", (Own,), {{"capabilities": frozenset({{"flight"}})}})
'''
FAULTS = {"none": "pass", "dies": "os._exit(7)", "hangs": "time.sleep(60)", "zero": "return f(*args), (0.0,)"}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A module with an adapter that has a fault, which can be imported here and in processes of this one."""
    module = f"own_{request.param}_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{module}.py").write_text(ADAPTER.format(fault=FAULTS[request.param]))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return module


@pytest.mark.parametrize("own", ["none"], indirect=True)
def test_an_adapter_from_elsewhere_is_an_instance_or_a_class(own: str):
    assert adapters_of(f"{own}:Own")[0].name == "own"
    with pytest.raises(UnknownEngine, match="'number' in .* is no adapter: 3"):
        adapters_of(f"{own}:number")
    with pytest.raises(UnknownEngine, match="'absent' in .* is no adapter: None"):
        adapters_of(f"{own}:absent")
    with pytest.raises(UnknownEngine, match="claims 'flight', which is none of"):
        adapters_of(f"{own}:claims")


CASES = [*find("zygote-562"), *find("zygote-548")]


@pytest.mark.parametrize(
    ("own", "got"),
    [("dies", "the process ended with status 7"), ("hangs", "no answer in 0.5 seconds")],
    indirect=["own"],
)
def test_a_process_that_does_not_survive_a_case_goes_on_with_the_next(own: str, got: str, monkeypatch):
    monkeypatch.setattr(results, "CASE_SECONDS", 0.5)
    records = ask_all(f"{own}:Own", CASES)
    assert [(record.verdict, record.got[:30]) for record in records.values()] == [
        ("error in another way", got[:30]), ("error in another way", got[:30])
    ]  # fmt: skip


@pytest.mark.parametrize("own", ["none"], indirect=True)
def test_records_come_from_a_process_of_its_own(own: str):
    heard: list[str] = []
    records = ask_all(f"{own}:Own", CASES, heard.append)
    assert all(record.holds and record.on == "own 2.0" for record in records.values())
    assert heard[0].endswith("2 cases to ask, 0 known from before") and "2 of 2 cases" in heard[-1]


def test_an_engine_that_does_not_import_cannot_be_asked():
    record = ask_all("not_there:Adapter", CASES)[CASES[0].id]
    assert (record.verdict, record.usable) == ("cannot be asked", False)
    assert record.got == "does not import: ModuleNotFoundError: No module named 'not_there'"


def test_records_are_used_again_until_something_changes(monkeypatch: pytest.MonkeyPatch):
    heard: list[str] = []
    first = ask_all("reference", CASES, heard.append)
    again = ask_all("reference", CASES, heard.append)
    assert first == again and sum("to ask" in line for line in heard) == 1
    monkeypatch.setattr(results, "_digest", lambda *files: "another")
    ask_all("reference", CASES[:1], heard.append)
    assert heard.count("reference: 1 cases to ask, 0 known from before") == 1


def run_pytest(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "regressions/", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("own", ["zero"], indirect=True)
def test_a_run_asks_an_adapter_from_elsewhere_and_is_strict_about_what_it_expects(own: str, tmp_path: Path):
    case, other = (c.id for c in CASES)
    choice = ["--engine", f"{own}:Own", "-k", "zygote-562 or zygote-548"]
    unexpected = run_pytest(*choice)
    assert unexpected.returncode == 1
    assert f"{case}: fails in another way than zygote-562: another answer   [own 2.0]" in unexpected.stdout
    assert "2 cases from 2 threads on own 2.0: 2 wrong in another way" in unexpected.stdout

    lines = {case: "wrong in another way", other: "wrong in another way"}
    (tmp_path / "expected.toml").write_text('[">=2"]\n' + "".join(f'{k} = "{v}"\n' for k, v in lines.items()))
    assert run_pytest(*choice, "-k", "zygote-548").returncode == 0

    (tmp_path / "expected.toml").write_text(f'["*"]\n{case} = "the reported bug"\n{other} = "wrong in another way"\n')
    otherwise = run_pytest(*choice)
    assert otherwise.returncode == 1 and "1 failed" in otherwise.stdout and "1 xfailed" in otherwise.stdout
    assert f'replace  {case} = "the reported bug"' in otherwise.stdout


def test_the_adapter_of_the_readme_prints_what_the_readme_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    chapter = (ROOT / "README.md").read_text(encoding="utf-8").split("## Add an adapter")[1]
    program, printed = re.findall(r"```(?:python|text)\n(.*?)```", chapter, re.DOTALL)[:2]
    (tmp_path / "mine.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "--engine mine:ComplexStep -k autograd-712" in chapter
    assert printed in run_pytest("--engine", "mine:ComplexStep", "-k", "autograd-712").stdout


# -- releases ----------------------------------------------------------------------------------------------------------


def test_a_release_names_what_is_installed_with_it_newest_first():
    newest, *older = release_of("autograd==1.5").choices
    assert newest == ["autograd==1.5", "numpy", "scipy", "mpmath"] and older[0][1] == "numpy<2"
    assert release_of("jax==0.4.30").choices[0][0] == "jax[cpu]==0.4.30"
    assert str(release_of("torch")) == "torch==2.13.0"


@pytest.mark.parametrize("name", environments.installable())
def test_every_engine_that_can_be_installed_has_an_adapter(name: str):
    assert (ROOT / "regressions" / "adapters" / f"{name}.py").exists()


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable:
    """A package index and environments that are not there: each requirement of NumPy fails as it is told to."""
    monkeypatch.setenv("GRADPIN_CACHE", str(tmp_path))
    tried: list[str] = []
    make = lambda directory, **options: Path(directory, "bin").mkdir(parents=True, exist_ok=True)  # noqa: E731
    monkeypatch.setattr(environments.venv, "create", make)

    def answers(install: dict[str, str], importing: dict[str, str]) -> list[str]:
        def run(command: list[str], **options: Any) -> SimpleNamespace:
            tried.append(next(name for name in command if name.startswith("numpy")))
            problem = install.get(tried[-1], "")
            return SimpleNamespace(returncode=int(bool(problem)), stdout="", stderr=f"noise\nERROR: {problem}\nmore")

        def put(request: dict, where: Any) -> dict[str, str]:
            problem = importing.get(tried[-1])
            return {"unusable": f"does not import: {problem}"} if problem else {"beside": "numpy 1.26.4"}

        monkeypatch.setattr(environments.subprocess, "run", run)
        monkeypatch.setattr(environments, "put", put)
        return tried

    return answers


def test_a_release_gets_the_newest_dependencies_with_which_it_imports(index: Callable):
    tried, release, heard = index({}, {"numpy": "AttributeError: np.float_"}), release_of("autograd==1.5"), []
    assert interpreter(release, heard.append) == release.directory / "bin" / "python"
    assert tried == ["numpy", "numpy<2"] and release.note["beside"] == "numpy 1.26.4"
    assert heard[-1] == "autograd==1.5: ready, with numpy 1.26.4"
    interpreter(release)
    assert tried == ["numpy", "numpy<2"], "it is kept"


def test_a_release_that_does_not_import_says_so_and_is_not_tried_again(index: Callable):
    tried = index({"numpy<1.24": "conflict"}, {"numpy": "a", "numpy<2": "ImportError: b"})
    for _ in range(2):
        with pytest.raises(Unusable, match="^does not import: ImportError: b$"):
            interpreter(release_of("autograd==1.5"))
    assert len(tried) == 3


def test_a_release_that_does_not_install_says_so(index: Callable, monkeypatch: pytest.MonkeyPatch):
    tried = index(dict.fromkeys(["numpy", "numpy<2", "numpy<1.24"], "No matching distribution"), {})
    with pytest.raises(Unusable, match="^does not install: ERROR: No matching distribution$"):
        interpreter(release_of("autograd==1.5"))
    monkeypatch.setattr(results, "interpreter", interpreter)
    record = ask_all("autograd==1.5", CASES[:1])[CASES[0].id]
    assert (record.verdict, record.version, record.usable) == ("cannot be asked", "1.5", False)
    assert len(tried) == 6, "the index may have been out of reach: it is tried again"


# -- expected failures -------------------------------------------------------------------------------------------------

CASE, OTHER = (c.id for c in CASES)
LINES = f'["<2"]\n{CASE} = "the reported bug"\n\n[">=2"]\n{OTHER} = "error in another way"\n'


@pytest.fixture
def expectations(tmp_path: Path) -> Expectations:
    (tmp_path / "engine.toml").write_text(LINES)
    return Expectations.read(tmp_path / "engine.toml")


def record(case: str, version: str, verdict: str, **rest: Any) -> Record:
    return Record(case, "engine", version, verdict, "", "", **rest)


DELETE = f'delete   {CASE} = "the reported bug"'
REPLACE = f'replace  {CASE} = "the reported bug"\n  by       {CASE} = "wrong in another way"'


@pytest.mark.parametrize(
    ("found", "what", "change"),
    [
        (record(CASE, "1.5", "right"), "it holds now", DELETE),
        (record(CASE, "1.5", "cannot be asked"), "it cannot be asked any more", DELETE),
        (record(CASE, "1.5", "wrong in another way"), "it fails in another way than expected", REPLACE),
        (record(OTHER, "2.1rc1", "right"), "it holds now", f'delete   {OTHER} = "error in another way"'),
    ],
)
def test_a_line_that_no_longer_says_what_happens_is_objected_to(expectations, found: Record, what: str, change: str):
    assert expectations.objection(found) == f"{what}; in {expectations.path}\n  {change}"


@pytest.mark.parametrize(
    "found",
    [
        record(CASE, "1.5", "the reported bug"),
        record(CASE, "1.5", "cannot be asked", usable=False),
        record(CASE, "2.0", "right"),
    ],
)
def test_a_line_that_says_what_happens_is_let_be(expectations: Expectations, found: Record):
    assert expectations.objection(found) == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('["*"]\nflux-1-nothing = "the reported bug"\n', "no case is called 'flux-1-nothing'; delete its line"),
        (f'["*"]\n{CASE} = "right"\n', "which is none of the reported bug"),
        ('["1.5 and up"]\n', "'1.5 and up' is no range of versions"),
        ('["*"\n', "engine.toml"),
        (f'["*"]\n{CASE} = "the reported bug"\n["==1.5"]\n', "1.5 is in two ranges"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, message: str):
    (tmp_path / "engine.toml").write_text(text)
    with pytest.raises(ExpectationError, match=message):
        Expectations.read(tmp_path / "engine.toml").lines("1.5")


def test_a_section_is_written_from_records_and_the_others_are_kept(expectations: Expectations):
    records = [record(CASE, "2.0", "wrong in another way"), record(OTHER, "2.0", "right")]
    expectations.path.write_text(rewritten(expectations.path, ">=2", records))
    again = Expectations.read(expectations.path)
    assert again.lines("1.0") == {CASE: "the reported bug"} and again.lines("2.0") == {CASE: "wrong in another way"}
    assert not any(again.objection(replace(r, version="2.0")) for r in records)


@pytest.mark.parametrize("path", sorted(EXPECTED.glob("*.toml")), ids=lambda path: path.stem)
def test_the_files_of_expected_failures_name_cases_that_exist(path: Path):
    assert Expectations.read(path).sections and path.stem in environments.installable()
    assert {case for lines in Expectations.read(path).sections.values() for case in lines} <= {
        c.id for c in all_cases()
    }
