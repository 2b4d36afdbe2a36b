"""The less common forms of a case: values, costs, kinks, exact answers; each is shown to accept and to reject."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import mpmath
import numpy as np
import pytest

from regressions import differences, oracles
from regressions.adapters import Adapter, CannotBeAsked
from regressions.adapters.reference import ADAPTERS
from regressions.case import NEEDS, Between, Case, Growth, case
from regressions.costs import cost, exponent
from regressions.verdicts import Costs, NotAsked, Verdict, ask, judge, run

REFERENCE, *ROUTES = ADAPTERS
URL = "https://github.com/FluxML/Flux.jl/issues/7"
WORDS = {"title": "a title of a case", "month": "2024-10", "cause": "a cause", "no_defect": "this is a test"}


def made(program: Callable, **answer: Any) -> Case:
    return case("flux-7", URL, **{**WORDS, **answer})(program)


# -- costs -------------------------------------------------------------------------------------------------------------


def repeated(x):
    total = 0.0
    for i in range(x.size):
        for _ in range(x.size):
            total = total + x[i]
    return total


def summed(x):
    total = 0.0
    for i in range(x.size):
        total = total + x[i]
    return total


LINEAR = {
    "at": lambda n: (np.ones(n),),
    "oracle": "closed form",
    "symptom": "slow",
    "right": Growth("allocated", 1, answer=lambda n: (np.ones(n),), n=64),
    "reported": Growth("allocated", 2),
}


def test_a_linear_cost_is_right():
    outcome = ask(made(summed, **LINEAR), REFERENCE)
    assert isinstance(outcome, Costs) and outcome.exponent < 1.5
    assert judge(made(summed, **LINEAR), outcome)[0] is Verdict.RIGHT


@pytest.mark.parametrize("of", ["allocated", "calls"])
def test_a_quadratic_cost_is_the_reported_bug(of: str):
    entry = made(
        repeated,
        **LINEAR
        | {
            "right": Growth(of, 1, answer=lambda n: (n * np.ones(n),), n=8),
            "reported": Growth(of, 2),
        },
    )
    result = run(entry, ADAPTERS[2])  # where every operation is a call
    assert result.verdict is Verdict.REPORTED
    assert str(result.difference).startswith(f"{of}: growth: expected n ** 1, got n ** ")


def test_a_cheap_wrong_answer_is_not_right():
    entry = made(summed, **LINEAR | {"right": Growth("calls", 1, answer=lambda n: (2 * np.ones(n),), n=4)})
    result = run(entry, REFERENCE)
    assert result.verdict is Verdict.WRONG and result.difference.what == "value"


def doubling(depth):
    return 1.0 if depth == 0 else doubling(depth - 1) + doubling(depth - 1)


@pytest.mark.parametrize(
    ("program", "of", "low", "high"),
    [
        (lambda n: [abs(i) for i in range(n)], "calls", 0.9, 1.1),
        (lambda n: [abs(i) for i in range(n) for _ in range(n)], "calls", 1.9, 2.1),
        (lambda n: doubling(n // 4), "calls", 3.0, inf),
        (lambda n: doubling(n // 2), "calls", inf, inf),  # broken off
        (lambda n: abs(n), "calls", 0.0, 0.0),
        (lambda n: [np.zeros(n * 10) for _ in range(3)], "peak", 0.9, 1.1),
        (lambda n: [np.zeros((n, n)).sum() for _ in range(3)], "peak", 1.9, 2.1),
        (lambda n: [np.zeros(n * 100).sum() for _ in range(n)], "peak", 0.8, 1.1),
        (lambda n: [np.zeros(n * 100).sum() for _ in range(n)], "allocated", 1.8, 2.2),
        (lambda n: [np.zeros(n * 10).sum() for _ in range(n)], "kept", 0.0, 0.0),
        (lambda n: KEPT.append(np.zeros(n * 100)), "kept", 0.8, 1.2),
    ],
)
def test_growth_is_counted(program: Callable[[int], object], of: str, low: float, high: float):
    counts = tuple(cost(lambda n=n: program(n), of) for n in (16, 32, 64))
    assert low <= exponent(counts, of) <= high


KEPT: list[np.ndarray] = []


# -- kinks -------------------------------------------------------------------------------------------------------------


class Convention(Adapter):
    """An engine that gives the absolute value a slope of its own at 0."""

    name = "convention"
    capabilities = frozenset(NEEDS)
    face = differences

    def __init__(self, slope: Any) -> None:
        self.slope = slope

    def vjp(self, f: Callable, *args: Any) -> tuple[Any, Callable]:
        return f(*args), lambda seed: (self.slope,)


ABS = made(
    lambda x: abs(x),
    at=(0.0,),
    right=(0.0,),
    admissible=((Between(-1.0, 1.0),),),
    oracle="definition: convention 2, the subgradient of least norm",
    reported=(float("nan"),),
    symptom="nan-inf",
)


@pytest.mark.parametrize(
    ("slope", "verdict"),
    [
        (0.0, "right"),
        (1.0, "right"),
        (-0.5, "right"),
        (1.5, "wrong in another way"),
        (float("nan"), "the reported bug"),
    ],
)
def test_another_engine_may_give_what_is_admissible(slope: float, verdict: str):
    assert run(ABS, Convention(slope)).verdict is Verdict(verdict)


def test_the_reference_engine_keeps_its_convention():
    class Strict(Convention):
        keeps_conventions = True

    assert run(ABS, Strict(1.0)).verdict is Verdict.WRONG
    assert run(ABS, REFERENCE).verdict is Verdict.RIGHT


def test_zeros_stand_for_none_where_an_engine_has_no_none():
    entry = made(
        lambda x, y: x,
        at=(1.0, np.ones(2)),
        right=(1.0, None),
        oracle="closed form",
        reported=(None, None),
        symptom="raises",
    )

    class Zeros(Convention):
        def vjp(self, f: Callable, *args: Any) -> tuple[Any, Callable]:
            return f(*args), lambda seed: self.slope

    assert run(entry, Zeros((1.0, np.zeros(2)))).verdict is Verdict.RIGHT
    assert run(entry, Zeros((0.0, np.zeros(2)))).verdict is Verdict.REPORTED
    assert run(entry, Zeros((1.0, a([0.0, 1.0])))).verdict is Verdict.WRONG
    assert run(entry, Zeros((None, None))).verdict is Verdict.REPORTED


a = np.array

# -- values ------------------------------------------------------------------------------------------------------------


def hessian_and_its_trace(x, *, ad):
    matrix = ad.hessian(lambda y: np.sum(y**3))(x)
    return {"hessian": matrix, "trace": float(np.trace(matrix)), "square": bool(matrix.shape[0] == matrix.shape[1])}


VALUE = made(
    hessian_and_its_trace,
    at=(a([1.0, 2.0]),),
    asks="value",
    needs="nested",
    right=({"hessian": np.diag([6.0, 12.0]), "trace": 18.0, "square": True},),
    oracle="closed form",
    reported=({"hessian": np.zeros((2, 2)), "trace": 0.0, "square": True},),
    symptom="missing-gradient",
)


@pytest.mark.parametrize("adapter", [REFERENCE, *(route for route in ROUTES if "value" in route.answers)])
def test_a_value_is_judged_part_by_part(adapter: Adapter):
    assert run(VALUE, adapter).verdict is Verdict.RIGHT


def test_a_wrong_value_is_named_by_its_path():
    wrong = made(hessian_and_its_trace, **{
        **{name: getattr(VALUE, name) for name in ("at", "asks", "needs", "oracle", "reported", "symptom")},
        "right": ({"hessian": np.diag([6.0, 12.0]), "trace": 18.0, "square": False},),
    })  # fmt: skip
    assert str(run(wrong, REFERENCE).difference) == "value[0]['square']: value: expected False, got True"


def test_a_derivative_that_an_engine_does_not_have_cannot_be_asked():
    class Poor:
        def __getattr__(self, name: str) -> Any:
            raise CannotBeAsked(f"ad.{name}")

    class Forward(Convention):
        def __init__(self) -> None:
            self.face = Poor()

    assert ask(VALUE, Forward()) == NotAsked(frozenset({"ad.hessian"}))


# -- oracles of the less common forms ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "at", "left", "right"),
    [
        (abs, 0.0, -1.0, 1.0),
        (lambda x: np.maximum(x, 2 * x), 0.0, 1.0, 2.0),
        (lambda x: np.sum(np.sort(x) * a([1.0, 3.0])), a([1.0, 1.0]), a([1.0, 1.0]), a([3.0, 3.0])),
        (lambda x: x**2, 1.0, 2.0, 2.0),
    ],
)
def test_both_slopes_at_a_kink(f: Callable, at: Any, left: Any, right: Any):
    found = oracles.one_sided(f, at)
    assert np.allclose(found[0][0], left, atol=1e-6) and np.allclose(found[1][0], right, atol=1e-6)


def test_a_vertical_tangent_is_unsettled():
    with pytest.raises(oracles.Unsettled):
        oracles.one_sided(lambda x: np.sqrt(abs(x)), 0.0)


def test_mpmath_sees_what_double_precision_loses():
    (found,) = oracles.exact_differences(lambda x: mpmath.fsum((mpmath.exp(e) - 1) / e for e in x), a([1e-9, 1.0]))
    assert abs(found[0] - (0.5 + 1e-9 / 3)) < 1e-16 and abs(found[1] - 1.0) < 1e-15


@pytest.mark.parametrize(
    ("name", "take"),
    [
        ("gradient", lambda ad: ad.gradient(lambda x, y: np.sum(x * y), a([1.0, 2.0]), 3.0)),
        ("value_and_gradient", lambda ad: ad.value_and_gradient(lambda x: np.sum(x**2), a([1.0, 2.0]))),
        ("pullback", lambda ad: ad.pullback(lambda x: x**2, a([1.0, 2.0]))[1](a([1.0, 10.0]))),
        ("vjp", lambda ad: ad.vjp(lambda x, y: (x * y, y), 2.0, 3.0)[1]((1.0, 5.0))),
        ("grad", lambda ad: ad.grad(lambda x, y: x * y**2, argnums=(1, 0))(2.0, 3.0)),
        ("value_and_grad", lambda ad: ad.value_and_grad(lambda x, y: x * y, 1)(2.0, 3.0)),
        ("jvp", lambda ad: ad.jvp(lambda x, y: x * y, (a([2.0, 1.0]), 3.0), (a([1.0, 0.0]), 2.0))),
        ("jacobian", lambda ad: ad.jacobian(lambda x: np.outer(x, x)[:, :1])(a([2.0, 3.0]))),
        ("hessian", lambda ad: ad.hessian(lambda x: np.sum(x**3))(a([2.0, 3.0]))),
        ("hvp", lambda ad: ad.hvp(lambda x: np.sum(x**3), a([2.0, 3.0]), a([1.0, -1.0]))),
        ("checkpoint", lambda ad: ad.gradient(ad.checkpoint(lambda x: x**3), 2.0)),
    ],
)
def test_differences_under_an_engines_names(name: str, take: Callable[[Any], Any]):
    by_engine, by_differences = take(REFERENCE.face), take(differences)
    assert name in differences.__all__
    flat = [np.ravel(np.asarray(leaf, float)) for answer in (by_engine, by_differences) for leaf in leaves(answer)]
    half = len(flat) // 2
    assert all(
        x.shape == y.shape and np.allclose(x, y, atol=1e-7) for x, y in zip(flat[:half], flat[half:], strict=True)
    )


def leaves(x: Any) -> list[Any]:
    return [leaf for part in x for leaf in leaves(part)] if isinstance(x, tuple | list) else [x]
