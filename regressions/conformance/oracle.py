"""Derivatives of plain Python programs without any engine, and the checks that hold an engine to them.

The oracle knows a program only as a function it may call: central differences at three steps, extrapolated to the
limit, along one degree of freedom at a time. A degree of freedom is a real number somewhere inside the arguments: an
element of an array, a float in a list of a dict of an object, the real or the imaginary part of a complex number.

    table = Table()

    @table.at(2.0, np.array([1.0, 3.0]))
    def product(x, y):
        return (x * y).sum()

    test_program, test_gradient, test_pullback, test_pushforward, test_second_order = checks_of(table)
"""

from __future__ import annotations

import copy
import inspect
import zlib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest

from engine import gradient, jvp, pullback, switches, value_and_gradient

# Differences at 4e-3, 2e-3 and 1e-3 leave an error of about h^6 and a rounding of 1e-13: a first derivative is good to
# 1e-10, a second one, the same procedure applied to it, to 1e-7. What is compared must be ten times worse than that.
STEP = 4e-3
FIRST_ORDER = {"rtol": 1e-8, "atol": 1e-9}
SECOND_ORDER = {"rtol": 1e-6, "atol": 1e-6}

TIERS = ("typed", "traced")


def tier(name: str):
    """The context in which programs run on the tier called `name` (the typed one falls back by itself)."""
    return switches.off("typed") if name == "traced" else nullcontext()


@dataclass(frozen=True)
class Program:
    """A function with the arguments at which it is differentiated, and what it is known not to do.

    smooth: whether a second derivative is asked for.
    oblivious: whether the loss ignores every argument, so that its gradient is zero on purpose.
    """

    function: Callable
    args: tuple
    kwargs: dict = field(default_factory=dict)
    smooth: bool = True
    oblivious: bool = False

    def __str__(self) -> str:
        return self.function.__name__

    def fresh(self) -> tuple:
        """The arguments, copied, for a run that may change them."""
        return copy.deepcopy(self.args)

    def __call__(self, *args: Any) -> Any:
        return self.function(*args, **self.kwargs)


class Table(list):
    """Programs in the order they are written; `at` adds the function it decorates."""

    def at(self, *args: Any, smooth: bool = True, oblivious: bool = False, **kwargs: Any) -> Callable:
        def add(function: Callable) -> Callable:
            self.append(Program(function, args, kwargs, smooth, oblivious))
            return function

        return add


def checks_of(table: Table) -> tuple[Callable, ...]:
    """Five tests over a table: of the programs, and of gradient, pullback, forward mode and second order on both tiers.

    A module writes `test_program, test_gradient, test_pullback, test_pushforward, test_second_order =
    checks_of(table)`.
    """
    names = [str(program) for program in table]
    assert len(set(names)) == len(names), "two programs of one name"
    smooth = [program for program in table if program.smooth]
    return (
        of_every_program(check_oracle, table),
        on_every_tier(check_gradient, table),
        on_every_tier(check_pullback, table),
        on_every_tier(check_pushforward, table),
        on_every_tier(check_second_order, smooth),
    )


def of_every_program(check: Callable[[Program], None], programs: list[Program]) -> Callable:
    """The test that runs `check` for each program; it needs no engine."""

    @pytest.mark.parametrize("program", programs, ids=str)
    def test(program: Program) -> None:
        check(program)

    return test


def on_every_tier(check: Callable[[Program], None], programs: list[Program]) -> Callable:
    """The test that runs `check` for each program on each tier."""

    @pytest.mark.parametrize("tier_name", TIERS)
    @pytest.mark.parametrize("program", programs, ids=str)
    def test(program: Program, tier_name: str) -> None:
        with tier(tier_name):
            check(program)

    return test


# -- degrees of freedom ------------------------------------------------------------------------------------------------


class Freedom(NamedTuple):
    """One real number inside the arguments: the keys that lead to its leaf, its index there, 1 or 1j."""

    path: tuple
    index: tuple | None
    unit: complex


def freedoms(x: Any, path: tuple = ()) -> Iterator[Freedom]:
    """Every degree of freedom of `x`, in a fixed order."""
    if isinstance(x, np.ndarray) and x.dtype.kind in "fc":
        for index in np.ndindex(x.shape):
            yield from (Freedom(path, index, unit) for unit in ((1.0, 1j) if x.dtype.kind == "c" else (1.0,)))
    elif isinstance(x, complex | np.complexfloating):
        yield from (Freedom(path, None, unit) for unit in (1.0, 1j))
    elif isinstance(x, float | np.floating):
        yield Freedom(path, None, 1.0)
    elif isinstance(x, tuple | list):
        for i, value in enumerate(x):
            yield from freedoms(value, (*path, i))
    elif isinstance(x, dict):
        for key, value in x.items():
            yield from freedoms(value, (*path, key))
    else:
        for name, value in fields_of(x).items():
            yield from freedoms(value, (*path, name))


def fields_of(x: Any) -> dict[str, Any]:
    """The attributes an object carries itself; none for functions, classes and values without attributes."""
    if inspect.isroutine(x) or inspect.isclass(x) or inspect.ismodule(x):
        return {}
    slots = [name for cls in type(x).__mro__ for name in getattr(cls, "__slots__", ()) if hasattr(x, name)]
    return {**{name: getattr(x, name) for name in slots}, **getattr(x, "__dict__", {})}


def moved(x: Any, steps: dict[Freedom, float]) -> Any:
    """A deep copy of `x` in which each of these degrees of freedom has moved by its step."""
    x = copy.deepcopy(x)
    for (path, index, unit), step in steps.items():
        x = _move(x, path, index, unit * step)
    return x


def _move(x: Any, path: tuple, index: tuple | None, step: complex) -> Any:
    if not path:
        if index is None:
            return x + step
        x[index] += step
        return x
    key, rest = path[0], path[1:]
    if isinstance(x, tuple):
        values = list(x)
        values[key] = _move(values[key], rest, index, step)
        return type(x)(*values) if hasattr(x, "_fields") else tuple(values)
    if isinstance(x, list | dict):
        x[key] = _move(x[key], rest, index, step)
    else:
        object.__setattr__(x, key, _move(getattr(x, key), rest, index, step))
    return x


def leaf_at(g: Any, path: tuple) -> Any:
    """The cotangent at the end of `path` inside a structural gradient, None if it or what holds it is None."""
    for key in path:
        if g is None:
            return None
        g = g[key]
    return g


def component(g: Any, freedom: Freedom) -> float:
    """The number a structural gradient says about one degree of freedom; None says zero."""
    leaf = leaf_at(g, freedom.path)
    if leaf is None:
        return 0.0
    number = leaf if freedom.index is None else leaf[freedom.index]
    return float(np.imag(number) if freedom.unit == 1j else np.real(number))


# -- differences -------------------------------------------------------------------------------------------------------


def difference(f: Callable[[float], float], step: float = STEP) -> float:
    """f'(0) by central differences at `step`, half and a quarter of it, extrapolated to 0 (Richardson, Romberg)."""
    estimates = [(f(h) - f(-h)) / (2 * h) for h in (step, step / 2, step / 4)]
    for order in (4.0, 16.0):
        estimates = [fine + (fine - coarse) / (order - 1) for coarse, fine in pairwise(estimates)]
    return float(estimates[0])


def first_differences(program: Program, step: float = STEP) -> dict[Freedom, float]:
    """The derivative of the program along each of its degrees of freedom."""
    return {
        freedom: difference(lambda t, freedom=freedom: float(program(*moved(program.args, {freedom: t}))), step)
        for freedom in freedoms(program.args)
    }


def directional_differences(
    program: Program, direction: dict[Freedom, float], step: float = STEP
) -> dict[Freedom, float]:
    """The derivative along each degree of freedom of the derivative along `direction`: a Hessian times a vector."""

    def slope(freedom: Freedom, offset: float) -> float:
        def line(t: float) -> float:
            steps = {other: t * weight for other, weight in direction.items()}
            steps[freedom] = steps[freedom] + offset
            return float(program(*moved(program.args, steps)))

        return difference(line, step)

    return {freedom: difference(lambda t, freedom=freedom: slope(freedom, t), step) for freedom in direction}


def direction_of(program: Program) -> dict[Freedom, float]:
    """A fixed direction in the space of the arguments, another one for each program, its weights near 1."""
    rng = np.random.default_rng(zlib.crc32(str(program).encode()))
    return {freedom: float(rng.uniform(0.5, 1.5)) for freedom in freedoms(program.args)}


# -- checks ------------------------------------------------------------------------------------------------------------


def check_oracle(program: Program) -> None:
    """The program itself: it is deterministic, its derivative exists, and it could be wrong (it is not zero)."""
    value = program(*program.fresh())
    assert np.ndim(value) == 0 and np.isfinite(value)
    assert value == program(*program.fresh()), "the program is not deterministic"
    fine, coarse = first_differences(program), first_differences(program, 2 * STEP)
    assert fine, "the arguments hold nothing to differentiate"
    for freedom, expected in fine.items():
        assert expected == pytest.approx(coarse[freedom], rel=1e-7, abs=1e-8), f"no derivative along {freedom}"
    assert program.oblivious or any(abs(d) > 1e-6 for d in fine.values()), "any engine that answers zero would pass"


def check_gradient(program: Program) -> None:
    """Value, gradient, structure, and the arguments left as plain Python leaves them."""
    expected = first_differences(program)
    plain = program.fresh()
    expected_value = program(*plain)
    args = program.fresh()
    value, gradients = value_and_gradient(program.function, *args, **program.kwargs)
    assert_same(value, expected_value, "value")
    assert_same(args, plain, "arguments after the run")
    assert isinstance(gradients, tuple) and len(gradients) == len(args)
    for i, (g, primal) in enumerate(zip(gradients, program.args, strict=True)):
        assert_fits(g, primal, f"gradient[{i}]")
    assert_components(gradients, expected, **FIRST_ORDER)


def check_pullback(program: Program) -> None:
    """The pullback called three times with two seeds gives the gradient each time and disturbs nothing."""
    expected = first_differences(program)
    plain, args = program.fresh(), program.fresh()
    expected_value = program(*plain)
    value, back = pullback(program.function, *args, **program.kwargs)
    for seed in (1.0, 2.0, 1.0):
        seeded = {freedom: seed * d for freedom, d in expected.items()}
        assert_components(back(seed), seeded, **FIRST_ORDER)
        assert_same(args, plain, "arguments after the pullback")
    assert_same(value, expected_value, "value")


def check_pushforward(program: Program) -> None:
    """The forward mode along one direction."""
    direction = direction_of(program)
    expected = difference(
        lambda step: float(program(*moved(program.args, {f: step * weight for f, weight in direction.items()})))
    )
    tangents = tuple(_tangent(x, (i,), direction) for i, x in enumerate(program.args))
    value, tangent = jvp(lambda *args: program.function(*args, **program.kwargs), program.fresh(), tangents)
    assert_same(value, program(*program.fresh()), "value")
    np.testing.assert_allclose(0.0 if tangent is None else tangent, expected, **FIRST_ORDER)


def check_second_order(program: Program) -> None:
    """The gradient of a weighted sum of the gradient's elements."""
    direction = direction_of(program)
    expected = directional_differences(program, direction)
    probes = _probes(program.args, direction)
    function, kwargs = program.function, program.kwargs
    plain, args = program.fresh(), program.fresh()
    program(*plain)
    gradients = gradient(lambda *args: weighted_sum(gradient(function, *args, **kwargs), probes), *args)
    assert_same(args, plain, "arguments after the run")
    assert_components(gradients, expected, **SECOND_ORDER)


def weighted_sum(g: Any, probes: list[tuple[tuple, Any]]) -> float:
    """The sum of a gradient's elements, each times its weight; the engine differentiates this function."""
    total = 0.0
    for path, weights in probes:
        leaf = g
        for key in path:
            if leaf is None:
                break
            leaf = leaf[key]
        if leaf is not None:
            total = total + np.sum(np.real(leaf * weights) if np.iscomplexobj(weights) else leaf * weights)
    return total


def _probes(args: tuple, direction: dict[Freedom, float]) -> list[tuple[tuple, Any]]:
    """The direction as (path of a leaf, array or number of weights), conjugate where the leaf is complex."""
    probes: dict[tuple, Any] = {}
    for (path, index, unit), weight in direction.items():
        weight = weight if unit == 1.0 else -1j * weight
        if index is None:
            probes[path] = probes.get(path, 0.0) + weight
        else:
            if path not in probes:
                leaf = leaf_of(args, path)
                probes[path] = np.zeros(leaf.shape, leaf.dtype)
            probes[path][index] += weight
    return list(probes.items())


def leaf_of(x: Any, path: tuple) -> Any:
    """What stands at the end of `path` inside the arguments."""
    for key in path:
        x = x[key] if isinstance(x, tuple | list | dict) else getattr(x, key)
    return x


def _tangent(x: Any, path: tuple, direction: dict[Freedom, float]) -> Any:
    """The part of a direction that belongs to `x`, in the structure of `x`."""
    if isinstance(x, np.ndarray) and x.dtype.kind in "fc":
        tangent = np.zeros_like(x)
        for freedom, weight in direction.items():
            if freedom.path == path:
                tangent[freedom.index] += freedom.unit * weight
        return tangent
    if isinstance(x, float | complex | np.inexact):
        return type(x)(sum(f.unit * weight for f, weight in direction.items() if f.path == path))
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*[_tangent(v, (*path, i), direction) for i, v in enumerate(x)])
    if isinstance(x, tuple | list):
        return type(x)([_tangent(v, (*path, i), direction) for i, v in enumerate(x)])
    if isinstance(x, dict):
        return {key: _tangent(v, (*path, key), direction) for key, v in x.items()}
    if fields_of(x):
        tangent = copy.copy(x)
        for name, value in fields_of(x).items():
            object.__setattr__(tangent, name, _tangent(value, (*path, name), direction))
        return tangent
    return None


def assert_components(gradients: Any, expected: dict[Freedom, float], rtol: float, atol: float) -> None:
    """Each degree of freedom's derivative, named when it is wrong."""
    wrong = []
    for freedom, number in expected.items():
        got = component(gradients, freedom)
        if not np.isclose(got, number, rtol=rtol, atol=atol):
            wrong.append(f"  {freedom.path}{freedom.index or ''}: got {got!r}, expected {number!r}")
    assert not wrong, "wrong gradient\n" + "\n".join(wrong)


def assert_fits(g: Any, primal: Any, path: str) -> None:
    """A structural gradient has the structure, the shapes and the dtypes of its primal, or is None."""
    if g is None:
        return
    if isinstance(primal, np.ndarray):
        assert isinstance(g, np.ndarray), f"{path}: {type(g).__name__} for an array"
        assert (g.shape, g.dtype) == (primal.shape, primal.dtype), f"{path}: {g.shape} {g.dtype}"
    elif isinstance(primal, float | complex | np.inexact):
        assert type(g) is type(primal), f"{path}: {type(g).__name__} for a {type(primal).__name__}"
    elif isinstance(primal, tuple | list):
        assert type(g) is type(primal) and len(g) == len(primal), f"{path}: {g!r} for {primal!r}"
        for i, (inner, value) in enumerate(zip(g, primal, strict=True)):
            assert_fits(inner, value, f"{path}[{i}]")
    elif isinstance(primal, dict):
        assert isinstance(g, dict) and list(g) == list(primal), f"{path}: {g!r} for {primal!r}"
        for key, value in primal.items():
            assert_fits(g[key], value, f"{path}[{key!r}]")
    else:
        assert fields_of(primal), f"{path}: {g!r} for {primal!r}, which has no derivative"
        for name, value in fields_of(primal).items():
            assert_fits(getattr(g, name), value, f"{path}.{name}")


def assert_same(got: Any, expected: Any, path: str, seen: dict[int, int] | None = None) -> None:
    """Deep equality: types, dtypes, shapes, every bit of every number; shared and cyclic structure alike."""
    seen = {} if seen is None else seen
    if id(expected) in seen:
        assert seen[id(expected)] == id(got), f"{path}: shared in one, not in the other"
        return
    assert type(got) is type(expected), f"{path}: {type(got).__name__} {got!r}, expected {expected!r}"
    if isinstance(expected, np.ndarray):
        assert (got.shape, got.dtype) == (expected.shape, expected.dtype), f"{path}: {got!r}, expected {expected!r}"
        assert np.array_equal(got, expected, equal_nan=expected.dtype.kind in "fc"), f"{path}: {got!r} for {expected!r}"
    elif isinstance(expected, tuple | list):
        if isinstance(expected, list):
            seen[id(expected)] = id(got)
        assert len(got) == len(expected), f"{path}: {got!r}, expected {expected!r}"
        for i, (a, b) in enumerate(zip(got, expected, strict=True)):
            assert_same(a, b, f"{path}[{i}]", seen)
    elif isinstance(expected, dict):
        seen[id(expected)] = id(got)
        assert list(got) == list(expected), f"{path}: {got!r}, expected {expected!r}"
        for key in expected:
            assert_same(got[key], expected[key], f"{path}[{key!r}]", seen)
    elif isinstance(expected, float | complex | int | str | bool | np.generic | type(None)):
        assert got == expected or (got != got and expected != expected), f"{path}: {got!r}, expected {expected!r}"
    else:
        seen[id(expected)] = id(got)
        fields, expected_fields = fields_of(got), fields_of(expected)
        assert fields.keys() == expected_fields.keys(), (
            f"{path}: fields {list(fields)}, expected {list(expected_fields)}"
        )
        for name in expected_fields:
            assert_same(fields[name], expected_fields[name], f"{path}.{name}", seen)
