"""Rules called straight from the table, and an oracle that knows the primitive only as a function it may call.

A row is a primitive with arguments. A random cotangent d of its result makes a real number of it, L = Re Σ conj(d) out,
and L is differenced along every real number inside the arguments. The rule's pullback of d, projected, is the gradient
of L. The same L, as a program, is what the engine differentiates for the second order.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from engine.rules import composed, lookup
from engine.rules.vocabulary import conj
from engine.tangents import is_differentiable, project

from .oracle import (
    Freedom,
    Program,
    assert_fits,
    check_gradient,
    check_second_order,
    first_differences,
    leaf_at,
    on_every_tier,
)

# First differences are good to 1e-10 (see the oracle); float32 holds 7 digits, some of which a rule may lose.
TOLERANCE = {"rtol": 1e-7, "atol": 1e-8}
SINGLE = {"rtol": 2e-4, "atol": 2e-5}

# NumPy 1 makes float64 of a float32 number and a Python float, and nothing that a rule says changes that; the
# projection restores float32. So there only the result is asked to be float32, not every step to it.
KEEPS_SINGLE = np.lib.NumpyVersion(np.__version__) >= "2.0.0"


@dataclass(frozen=True)
class Row:
    """A primitive at a point.

    smooth: whether it has a second derivative there.
    zero: whether its derivative vanishes there, so that a zero pullback is right.
    single: whether the row is repeated with float32 arguments.
    """

    function: Callable
    args: tuple
    kwargs: dict = field(default_factory=dict)
    smooth: bool = True
    zero: bool = False
    single: bool = True

    def __str__(self) -> str:
        shapes = "-".join([described(a) for a in self.args])
        options = "".join([f"-{k}={v}" for k, v in self.kwargs.items()])
        return f"{name_of(self.function)}[{shapes}{options}]"

    def __call__(self, *args: Any) -> Any:
        return self.function(*args, **self.kwargs)


def row(
    function: Callable, *args: Any, smooth: bool = True, zero: bool = False, single: bool = True, **kwargs: Any
) -> Row:
    """A row, with the primitive's keywords given as they are to it."""
    return Row(function, args, kwargs, smooth, zero, single)


def name_of(function: Callable) -> str:
    """The name of a primitive, with the ufunc or class that it is a method of."""
    owner = getattr(function, "__self__", None)
    prefix = f"{owner.__name__}." if isinstance(owner, np.ufunc) else ""
    module = getattr(function, "__module__", None)
    return f"{module + '.' if module in ('math', 'cmath', '_operator') else ''}{prefix}{function.__name__}"


def described(x: Any) -> str:
    """An argument in a test's name: shape and dtype of an array, a short text of anything else."""
    if isinstance(x, np.ndarray):
        backwards = "~" if any(s < 0 for s in x.strides) else ""
        return f"{backwards}{x.dtype.char}{'x'.join(map(str, x.shape))}"
    if isinstance(x, list | tuple):
        return f"({','.join([described(v) for v in x])})"
    return f"{type(x).__name__}{x}" if isinstance(x, np.generic) else str(x)[:12]


def random_cotangent(out: Any, rng: np.random.Generator) -> Any:
    """A cotangent of `out`, of its structure and dtypes; None where there is none."""
    if isinstance(out, tuple | list):
        return tuple([random_cotangent(o, rng) for o in out])
    if not is_differentiable(out):
        return None
    d = rng.uniform(0.5, 1.5, np.shape(out)) * rng.choice([-1.0, 1.0], np.shape(out))
    if np.iscomplexobj(out):
        d = d + 1j * rng.uniform(0.5, 1.5, np.shape(out))
    return d.astype(out.dtype) if isinstance(out, np.ndarray) else type(out)(d)


def cotangent_of(case: Row) -> Any:
    """The cotangent a row is tested with, the same in every run."""
    return random_cotangent(case(*case.args), np.random.default_rng(zlib.crc32(str(case).encode())))


def paired(d: Any, out: Any) -> Any:
    """Re Σ conj(d) out, whose gradient the pullback of d is; the engine differentiates this function."""
    if d is None:
        return 0.0
    if isinstance(d, tuple):
        total = 0.0
        for i in range(len(d)):
            total = total + paired(d[i], out[i])
        return total
    return np.sum(np.real(np.conj(d) * out)) if np.iscomplexobj(d) else np.sum(d * out)


def program_of(case: Row) -> Program:
    """The row as a program with a real result, of those arguments that can carry a derivative."""
    d, function, kwargs, given = cotangent_of(case), case.function, case.kwargs, case.args
    places = active_places(case)

    def program(*active: Any) -> Any:
        args = [active[places.index(i)] if i in places else given[i] for i in range(len(given))]
        return paired(d, function(*args, **kwargs))

    program.__name__ = str(case)
    return Program(program, of_active(case, case.args), smooth=case.smooth, oblivious=case.zero)


def active_places(case: Row) -> list[int]:
    """The positions of the arguments that can carry a derivative."""
    return [i for i, x in enumerate(case.args) if list(differentiable_leaves(x))]


def of_active(case: Row, values: tuple) -> tuple:
    """What belongs to the arguments that can carry a derivative."""
    return tuple([values[i] for i in active_places(case)])


def pulled_back(case: Row, d: Any) -> tuple:
    """What the rule gives back for each positional argument, before anything is done to it; None for no derivative."""
    rule, (args, kwargs) = lookup(case.function), (case.args, case.kwargs)
    out = case(*args)
    if rule.whole:
        given = rule.whole(d, out, *args, **kwargs)
        assert isinstance(given, tuple) and len(given) == len(args), "one cotangent a positional argument"
        return given
    bound = rule.signature.bind(*args, **kwargs)
    positions = dict(zip(bound.arguments, range(len(args)), strict=False))
    given = [None] * len(args)
    for name, pullback in rule.differentiable().items():
        if name in positions and positions[name] in active_places(case):
            if rule.partials:
                partial = conj(pullback(out, *args, **kwargs))
                given[positions[name]] = d * partial
            else:
                given[positions[name]] = pullback(d, out, *args, **kwargs)
    return tuple(given)


def projected(cotangent: Any, primal: Any) -> Any:
    """What the engine makes of a cotangent: of the primal's structure, shapes and dtypes."""
    if isinstance(primal, list | tuple):
        if cotangent is None:
            return None
        return type(primal)([projected(c, p) for c, p in zip(cotangent, primal, strict=True)])
    return project(cotangent, primal) if cotangent is not None and is_differentiable(primal) else None


def expected_of(case: Row) -> dict[Freedom, float]:
    """The gradient by differences of the row's real number."""
    return first_differences(program_of(case))


def got_from(cotangents: tuple, expected: dict[Freedom, float]) -> dict[Freedom, float]:
    """The pullback's numbers, one for each degree of freedom; a cotangent that is absent says zero."""
    result = {}
    for freedom in expected:
        leaf = leaf_at(cotangents, freedom.path)
        number = 0.0 if leaf is None else leaf if freedom.index is None else leaf[freedom.index]
        result[freedom] = float(np.imag(number) if freedom.unit == 1j else np.real(number))
    return result


def agrees(got: dict[Freedom, float], expected: dict[Freedom, float], rtol: float, atol: float) -> bool:
    """Is every number right, relative to the largest of them?"""
    scale = max([1.0, *[abs(v) for v in expected.values()]])
    return all(abs(got[f] - v) <= atol * scale + rtol * abs(v) for f, v in expected.items())


def differentiable_leaves(x: Any) -> Iterator[Any]:
    """Every array or number of an argument that has a cotangent."""
    if isinstance(x, list | tuple):
        for v in x:
            yield from differentiable_leaves(v)
    elif is_differentiable(x):
        yield x


def in_single(x: Any) -> Any:
    """The argument with arrays and NumPy's numbers in single precision."""
    if isinstance(x, list | tuple):
        return type(x)([in_single(v) for v in x])
    if isinstance(x, np.ndarray | np.generic) and x.dtype in (np.float64, np.complex128):
        return x.astype(np.float32 if x.dtype == np.float64 else np.complex64)
    return x


def is_composed(case: Row) -> bool:
    """Is the primitive differentiated as a composition of others?"""
    return composed(case.function) is not None


# -- tests -------------------------------------------------------------------------------------------------------------


def row_tests(rows: list[Row]) -> tuple[Callable, ...]:
    """Five tests over rows: of pullbacks, of compositions, in single precision, and through the engine, twice.

    A module writes `test_pullback, test_composition, test_single, test_gradient, test_second_order =
    row_tests(ROWS)`.
    """
    ruled = [case for case in rows if not is_composed(case)]
    return (
        over_rows(check_pullback, ruled),
        over_rows(check_composition, [case for case in rows if is_composed(case)]),
        over_rows(check_single, [case for case in ruled if case.single]),
        on_every_tier(check_gradient, [program_of(case) for case in thinned(rows)]),
        on_every_tier(check_second_order, [program_of(case) for case in thinned(rows) if case.smooth]),
    )


def thinned(rows: list[Row]) -> list[Row]:
    """One row for each primitive, kind of active arguments, and choice of the others: those that take other formulas.

    Shapes are the business of the pullback alone; the engine's share in them, the projection, is tested elsewhere.
    """
    chosen: dict[tuple, Row] = {}
    for case in sorted(rows, key=lambda case: -sum([np.size(x) for x in differentiable_leaves(case.args)])):
        kinds = [described(x) if i not in active_places(case) else kind_of(x) for i, x in enumerate(case.args)]
        chosen.setdefault((case.function, *kinds, str(case.kwargs)), case)
    return list(chosen.values())


def kind_of(x: Any) -> str:
    """number, array, sequence, real or complex, and whether the array has several dimensions."""
    leaves = list(differentiable_leaves(x))
    return f"{type(x).__name__}{any(np.iscomplexobj(v) for v in leaves)}{min(2, max([np.ndim(v) for v in leaves]))}"


def over_rows(check: Callable[[Row], None], rows: list[Row]) -> Callable:
    """The test that runs `check` for each row."""

    @pytest.mark.parametrize("case", rows, ids=str)
    def test(case: Row) -> None:
        check(case)

    return test


def check_pullback(case: Row) -> None:
    """The projected pullback is the gradient by differences, and neither its double nor zero would have passed."""
    expected = expected_of(case)
    cotangents = projected(pulled_back(case, cotangent_of(case)), case.args)
    got = got_from(of_active(case, cotangents), expected)
    assert agrees(got, expected, **TOLERANCE), f"got {got}, expected {expected}"
    for cotangent, primal in zip(cotangents, case.args, strict=True):
        assert_fits(cotangent, primal, "cotangent")
    if expected and not case.zero:
        assert not agrees({f: 2 * v for f, v in got.items()}, expected, **TOLERANCE), "the double would have passed"
        assert not agrees(dict.fromkeys(got, 0.0), expected, **TOLERANCE), "zero would have passed"


def check_composition(case: Row) -> None:
    """The composition has the primitive's own value: type, shape, dtype and numbers."""
    assert_close(composed(case.function)(*case.args, **case.kwargs), case(*case.args))


def assert_close(got: Any, expected: Any) -> None:
    """The same kind of value, with the same numbers up to rounding."""
    if isinstance(expected, tuple | list):
        assert isinstance(got, tuple | list) and len(got) == len(expected)
        for a, b in zip(got, expected, strict=True):
            assert_close(a, b)
    else:
        assert np.shape(got) == np.shape(expected) and np.result_type(got) == np.result_type(expected)
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


def check_single(case: Row) -> None:
    """With float32 arguments the rule works in float32 throughout, and is right to that precision."""
    single = Row(case.function, in_single(case.args), in_single(case.kwargs))
    d = in_single(cotangent_of(case))
    exact = expected_of(case)
    raw = pulled_back(single, d)
    if KEEPS_SINGLE and all(np.result_type(leaf).char in "fF" for leaf in differentiable_leaves(single(*single.args))):
        for leaf in differentiable_leaves(raw):
            assert not isinstance(leaf, np.ndarray) or leaf.dtype.char in "fF", f"computed in {leaf.dtype}"
    cotangents = projected(raw, single.args)
    assert agrees(got_from(of_active(case, cotangents), exact), exact, **SINGLE)
    for cotangent, primal in zip(cotangents, single.args, strict=True):
        assert_fits(cotangent, primal, "cotangent")
