"""The table of all names: each public callable of NumPy, SciPy and Python's own modules is in it, in one state."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import scipy.sparse
import scipy.special  # noqa: F401  the rules of what is imported are in the table

from engine import ForeignCallError, gradient
from engine.rules import refused, registry
from engine.rules.coverage import STATES, entries, report, state_of

FOUND = entries()


@pytest.mark.parametrize("namespace", sorted({e.namespace for e in FOUND}))
def test_no_public_name_is_forgotten(namespace):
    assert not [e.name for e in FOUND if e.namespace == namespace and e.state not in STATES]


def test_a_forgotten_name_is_found():
    with registry.removed(np.sin):
        assert [(e.namespace, e.name) for e in entries() if e.state is None] == [("numpy", "sin")]


def test_a_refusal_has_a_reason():
    assert all(bool(e.reason) == (e.state == "refused") for e in FOUND)


def test_a_refusal_tells_its_reason_and_the_way_out():
    def f(x):
        return np.busday_offset(x, 1)

    with registry.removed(np.busday_offset):
        refused(np.busday_offset, reason="days are whole", way_out="add to the date")
        assert state_of(np.busday_offset) == "refused"
        with pytest.raises(ForeignCallError, match="(?s)because days are whole.*test_rules_coverage.*add to the date"):
            gradient(f, 1.0)
        registry._refusals.pop(np.busday_offset)


def test_the_report_counts_every_name():
    lines = list(report(FOUND))
    rows = [line.split() for line in lines[1 : lines.index("")]]
    assert sum(int(number) for _, *numbers in rows for number in numbers[: len(STATES) + 1]) == len(FOUND)


def test_the_command_prints_the_table():
    run = subprocess.run([sys.executable, "-m", "engine.rules"], capture_output=True, text=True)
    assert run.returncode == 0 and "scipy.special" in run.stdout, run.stderr
