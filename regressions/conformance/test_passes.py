"""Which pass of an engine breaks a gradient, and at which statement: engines with one pass broken, made for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from regressions.bisect.answer import report
from regressions.bisect.axis import HistoryError, Where
from regressions.bisect.passes import NOTHING, Passes, blamed, ordinal
from regressions.bisect.questions import OfCase, OfScript
from regressions.corpus import find

from .test_bisect import BREAK, ROOT, proof

PROGRAM = """\
import numpy as np
from engine import gradient

def f(x, n=3):
    y = x * 2.0
    for i in range(n):
        s = y * 3.0 + 1.0
        y = np.cos(y) + np.cos(x)
        if y > 0.1:
            y = y * s
        else:
            y = y * np.exp(x)
    return y * 1.0 + np.cos(x)

print(gradient(f, 0.7))
"""
SHARED = "earlier = known.get(key)"
BROKEN = {
    "drop_invariants": ("if c.next is c.param and", "if c.param.hint == 'y' and"),
    "fold_constants": ("one.value == 1\n", "one.value in (1, 3)\n"),
    "share_subexpressions": (
        SHARED, f"{SHARED} or next((s for s in known.values() if s.fn is stmt.fn and s.fn.__name__ == 'cos'), None)",
    ),
    "drop_dead": ("if stmt.out not in live and", "if (stmt.out not in live or stmt.fn.__name__ == 'sin') and"),
    "sink_into_branches": ("homes[0].stmts.insert(0, stmt)", "homes[0].stmts.append(stmt)"),
}  # fmt: skip


@pytest.fixture
def engine_with(tmp_path: Path):
    """A folder with this engine, one text in one of its files replaced."""

    def made(file: str, old: str, new: str) -> Where:
        shutil.copytree(ROOT / "engine", tmp_path / "engine", ignore=shutil.ignore_patterns("__pycache__"))
        path = tmp_path / "engine" / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return Where(folders=(tmp_path,))

    return made


@pytest.fixture
def question(tmp_path: Path) -> OfScript:
    (tmp_path / "program.py").write_text(PROGRAM)
    return OfScript(tmp_path / "program.py", any_failure=True)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "share_subexpressions" else proof) for name in BROKEN]
)
def test_the_broken_pass_is_named_with_the_statement(name: str, engine_with, question, tmp_path: Path):
    passes = Passes(engine_with("typed/optimise.py", *BROKEN[name]))
    found, lines = blamed(question, passes, tmp_path, lambda line: None)
    assert found is not None and found.culprits == (name,) and lines[0] == f"the pass {name}"
    assert len(lines) == 2 or name == "drop_invariants"
    if name == "share_subexpressions":
        assert "statements that it changes: cos, line " in lines[1]
    assert f"{name} broke program.py" in report(found, lines[1:])


def test_what_is_wrong_without_any_pass_is_no_pass(engine_with, question, tmp_path: Path):
    passes = Passes(engine_with("rules/elementwise.py", "-np.sin(x)", "np.sin(x)"))
    found, lines = blamed(question, passes, tmp_path, lambda line: None)
    assert found is None and lines[0].startswith("no pass: ")


def test_no_pass_leads_to_the_operation(engine_with, tmp_path: Path):
    passes = Passes(engine_with("__init__.py", "__all__ = [", BREAK + "__all__ = ["))
    case = find("chainrules-498")[0]
    found, lines = blamed(OfCase(case), passes, tmp_path, lambda line: None)
    assert found is None and lines[1] == f"  which operation: python -m regressions isolate {case.id}"


def test_what_is_good_with_every_pass_is_nothing_to_find(tmp_path: Path):
    question = OfCase(find("chainrules-498")[0])
    with pytest.raises(HistoryError, match="^chainrules-498-.* is good with every pass on: there is nothing to find$"):
        blamed(question, Passes(Where()), tmp_path, lambda line: None)


def test_an_engine_without_switches_says_so(tmp_path: Path):
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "__init__.py").write_text("")
    with pytest.raises(HistoryError, match="this engine's passes cannot be switched off: "):
        Passes(Where(folders=(tmp_path,)))


def test_the_row_of_passes_is_that_of_the_engine(tmp_path: Path):
    from engine.switches import PASSES

    passes = Passes(Where())
    assert passes.row(None, None) == [NOTHING, "typed", *PASSES]
    assert passes.off(NOTHING) == ["typed", *PASSES] and passes.off(PASSES[-1]) == []


def test_ordinals():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21)] == "1st 2nd 3rd 4th 11th 12th 13th 21st".split()
