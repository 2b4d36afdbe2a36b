"""The typed tier's core between its passes: verified, interpreted, and each optimisation switched off in turn.

Random programs (`typed_programs`) are differentiated once and twice with the checker on, which verifies the core after
every pass and compares what the interpreter makes of it with what it made before: a wrong pass is named by its own
error. The gradients are compared with differences of the program.
"""

import linecache
import math

import pytest

from engine import gradient, show, switches
from engine.typed import NotTyped, forget, instances
from engine.typed import gradient as typed_gradient
from engine.typed.core import Block, Let, Program, Var
from engine.typed.types import FLOAT
from engine.typed.verify import MalformedCore, verify

from .typed_programs import Generator

AT = (0.4231, -0.6173)
SEEDS = range(60)


def program(seed):
    text = Generator(seed).program()
    name = f"<typed program {seed}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    namespace = {}
    exec(compile(text, name, "exec"), namespace)
    return namespace["f"]


def slope(f, i):
    """The derivative of f in argument i at AT, extrapolated; None at a tie, where two steps disagree."""

    def central(h):
        up, down = list(AT), list(AT)
        up[i] += h
        down[i] -= h
        return (f(*up) - f(*down)) / (2 * h)

    coarse, fine, finest = (central(h) for h in (4e-3, 2e-3, 1e-3))
    first, second = (4 * fine - coarse) / 3, (4 * finest - fine) / 3
    return second if abs(first - second) < 1e-6 * max(1.0, abs(second)) else None


@pytest.fixture
def checked(monkeypatch):
    monkeypatch.setattr(instances, "checking", True)
    forget()
    yield
    forget()


def assert_slopes(f, found):
    judged = 0
    for i, d in enumerate(found):
        expected = slope(f, i)
        if expected is not None and math.isfinite(expected):
            assert abs((d or 0.0) - expected) <= 1e-5 * max(1.0, abs(expected))
            judged += 1
    return judged


@pytest.mark.parametrize("seed", SEEDS)
def test_every_pass_keeps_the_program(checked, seed):
    f = program(seed)
    found = gradient(f, *AT)
    assert_slopes(f, found)
    first = [lambda x, a, i=i: gradient(f, x, a)[i] or 0.0 for i in (0, 1)]
    for df in first:
        assert_slopes(df, gradient(df, *AT))


@pytest.mark.parametrize("name", switches.PASSES)
def test_without_one_optimisation_the_answers_are_the_same(checked, name):
    with switches.off(name):
        judged = sum(assert_slopes(f, gradient(f, *AT)) for f in map(program, range(60, 75)))
    assert judged > 15


def test_most_of_these_programs_are_typed():
    refused = 0
    for seed in SEEDS:
        try:
            typed_gradient(program(seed), AT, {})
        except NotTyped:
            refused += 1
    assert refused <= len(SEEDS) // 20


def test_the_verifier_rejects_a_name_that_is_not_defined():
    x, y, z = Var(FLOAT, "x"), Var(FLOAT, "y"), Var(FLOAT, "z")
    good = Program([x], Block([Let(y, math.sin, (x,))]), y)
    verify(good)
    with pytest.raises(MalformedCore, match="after a pass: z"):
        verify(Program([x], Block([Let(y, math.sin, (z,))]), y), "a pass")
    with pytest.raises(MalformedCore, match="twice"):
        verify(Program([x], Block([Let(y, math.sin, (x,)), Let(y, math.cos, (x,))]), y))


def test_a_pass_that_changes_the_program_is_named(checked, monkeypatch):
    from engine.typed import optimise

    def broken(program):
        for stmt in program.body.stmts:
            if stmt.fn is math.sin:
                stmt.fn = math.cos

    monkeypatch.setitem(optimise.PASSES, "broken", broken)
    monkeypatch.setattr(switches, "NAMES", switches.NAMES | {"broken"})
    with pytest.raises(AssertionError, match="broken changed"):
        gradient(lambda x: math.sin(x) * x, 0.7)


def test_every_pass_has_a_switch():
    from engine.typed import optimise

    assert tuple(optimise.PASSES) == switches.PASSES


def test_the_printed_program_is_what_runs():
    f = program(3)
    namespace = {}
    text = show(f, *AT)
    exec(compile(text, "<shown>", "exec"), namespace)
    shown = next(v for k, v in namespace.items() if k.startswith("gradient_of"))
    assert shown(*AT)[1] == gradient(f, *AT)
