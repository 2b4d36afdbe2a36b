"""The table of all names: each public callable of NumPy, SciPy and Python's own modules is in it, in one state."""

import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import scipy.sparse.linalg
import scipy.special  # noqa: F401  the rules of what is imported are in the table

from engine import ForeignCallError, gradient
from engine.rules import refused, registry
from engine.rules.coverage import STATES, entries, in_autograd, in_jax, report, state_of

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


def stand_in(monkeypatch, name, **members):
    """A module of that name, and the packages that it is in, for the length of a test."""
    parts = name.split(".")
    for i in range(1, len(parts) + 1):
        package = ".".join(parts[:i])
        if package not in sys.modules or i == len(parts):
            module = ModuleType(package)
            module.__path__ = []
            monkeypatch.setitem(sys.modules, package, module)
    for member, value in members.items():
        setattr(sys.modules[name], member, value)


def primitive(wrapped, module="autograd.tracer", **marks):
    """A function as autograd makes them: of its tracer's, but for compositions, and marked with what it wraps."""

    def made(*args):
        return wrapped(*args)

    made.__module__ = module
    for mark, value in marks.items():
        setattr(made, mark, value)
    return made


def test_what_autograd_covers_is_counted(monkeypatch):
    """As in autograd 1.9: tables of its core and its tracer, wrappers, compositions, NumPy's own objects."""
    sin, floor, ediff1d = [primitive(f, fun=f, _is_primitive=True) for f in (np.sin, np.floor, np.ediff1d)]
    ndim, mean = primitive(np.ndim, _is_primitive=True), primitive(np.mean, "autograd.numpy.numpy_wrapper")
    stand_in(monkeypatch, "autograd.core", primitive_vjps={sin: None})
    stand_in(monkeypatch, "autograd.tracer", notrace_primitives={"vjp": {floor}, "jvp": {floor}})
    of_numpy = {"sin": sin, "floor": floor, "ediff1d": ediff1d, "ndim": ndim, "mean": mean, "dtype": np.dtype}
    stand_in(monkeypatch, "autograd.numpy", **of_numpy)
    rows = [e for e in FOUND if e.namespace == "numpy"]
    assert in_autograd(rows) == "4"  # sin, floor, ndim, mean
    assert in_autograd([e for e in FOUND if e.namespace == "numpy.fft"]) == "-"


def test_what_jax_covers_is_counted(monkeypatch):
    stand_in(monkeypatch, "jax.numpy", sin=primitive(np.sin, "jax"), flexible=np.flexible, no_such_name=len)
    assert in_jax([e for e in FOUND if e.namespace == "numpy"]) == "1"
    assert in_jax([e for e in FOUND if e.namespace == "scipy.linalg"]) == "-"
    assert in_jax([e for e in FOUND if e.namespace == "math"]) == "-"


def test_the_command_prints_the_table():
    run = subprocess.run([sys.executable, "-m", "engine.rules"], capture_output=True, text=True)
    assert run.returncode == 0 and "scipy.special" in run.stdout, run.stderr
