"""The same gradient asked again: at other values, in another branch, after a definition has changed."""

from __future__ import annotations

import operator
from contextlib import contextmanager

import numpy as np

from engine.traced import tape
from engine.traced.operators import truth
from engine.traced.storage import load_cell

from ..case import case
from ..defects import on_traced_tier, with_rule
from ..defects.state import in_runtime, traced


@contextmanager
def branches_stay_as_they_were():
    """A condition has the outcome that it had in the first run."""
    outcomes = []

    def first(value):
        outcomes.append(truth(value))
        return outcomes[0]

    with in_runtime("truth", first)():
        yield


def power_of_the_sum(x):
    s = np.sum(x)
    return s**3 if s > 1 else s**2


@case(
    "reversediff-234",
    "https://github.com/JuliaDiff/ReverseDiff.jl/issues/234",
    title="a compiled gradient takes the branch of the values it was compiled with",
    month="2023-06",
    symptom="wrong-value",
    cause="The operations of one run are recorded and replayed at other values; a branch leaves no trace in the "
    "record, and nothing checks that it would be taken again.",
    needs=("nested",),
    at=(np.array([1.0, 1.0]), np.array([0.2, 0.3])),
    right=((np.array([12.0, 12.0]), np.array([1.0, 1.0])),),
    oracle="closed form: 3s² where the sum is above 1, else 2s",
    reported=((np.array([12.0, 12.0]), np.array([0.75, 0.75])),),
    asks="value",
    defect=branches_stay_as_they_were,
)
def gradient_in_one_branch_and_in_the_other(first, second, *, ad):
    slopes = ad.grad(power_of_the_sum)
    return slopes(first), slopes(second)


def first_operands_serve(*primals):
    """What a rule of these functions has looked at in the first run, it does not look at again."""

    @contextmanager
    def defect():
        seen = {}
        apply = tape.Sweep.apply

        def with_the_first(sweep, made, d):
            if made.rule.primal in primals:
                first = seen.setdefault(made.rule.primal, made)
                made = tape.Operation(
                    made.rule, first.args, made.kwargs, first.out, made.targets, made.nodes, made.place
                )
            apply(sweep, made, d)

        with traced(tape.Sweep, "apply", with_the_first)():
            yield

    return defect


def sine(x):
    return np.sin(x)


ANGLE = np.pi / 6


@case(
    "reversediff-187",
    "https://github.com/JuliaDiff/ReverseDiff.jl/issues/187",
    title="a rule of one's own, in a compiled gradient, keeps the values it was compiled with",
    month="2021-11",
    symptom="wrong-value",
    cause="The pullback of the rule is a closure over the values of the run that was recorded, and replaying the "
    "record does not make it anew.",
    needs=("nested", "rules"),
    at=(ANGLE, ANGLE + 0.1),
    rules=[(sine, {"x": lambda d, out, x: d * np.cos(x)})],
    right=((float(np.cos(ANGLE)), float(np.cos(ANGLE + 0.1))),),
    oracle="closed form: the cosine",
    reported=((float(np.cos(ANGLE)), float(np.cos(ANGLE))),),
    asks="value",
    defect=first_operands_serve(sine),
)
def slope_by_a_rule_at_two_points(first, second, *, ad):
    slope = ad.grad(sine)
    return slope(first), slope(second)


def distance_and_minimum(x):
    return np.abs(x[0] * x[0] - 4.0) + np.minimum(x[0] * x[0], x[1] * x[1])


@case(
    "sleipnir-1261",
    "https://github.com/SleipnirGroup/Sleipnir/pull/1261",
    title="the derivatives of abs and minimum keep the branch of the values they were built at",
    month="2026-07",
    symptom="wrong-value",
    cause="The rule looked at the value of its operand once, while an expression for the derivative was being built, "
    "and that expression is evaluated at other values later.",
    needs=("nested",),
    at=(np.array([1.0, 0.5]), np.array([3.0, 4.0])),
    right=((np.array([-2.0, 1.0]), np.array([12.0, 0.0])),),
    oracle="closed form: of |a² - 4| and of the smaller one of a² and b²",
    reported=((np.array([-2.0, 1.0]), np.array([-6.0, 8.0])),),
    asks="value",
    defect=first_operands_serve(np.abs, np.minimum),
)
def gradients_on_both_sides_of_kinks(first, second, *, ad):
    slopes = ad.grad(distance_and_minimum)
    return slopes(first), slopes(second)


@case(
    "jax-18450",
    "https://github.com/jax-ml/jax/issues/18450",
    title="the slope of a zeroth power at 0 is NaN when compiled, and 0 otherwise",
    month="2023-11",
    symptom="nan-inf",
    cause="A whole number that is known when compiling is the exponent of the rule for such; one that is not known "
    "goes to the rule for any exponent, and there k x^(k - 1) is 0 times infinity.",
    at=(0.0,),
    right=(0.0,),
    oracle="closed form: the zeroth power is 1",
    reported=(float("nan"),),
    defect=on_traced_tier(
        with_rule(operator.pow, x=lambda d, out, x, y: d * y * np.power(x, y - 1.0), y=lambda d, out, x, y: 0.0 * d)
    ),
)
def power_by_a_length(x, exponents=()):
    return x ** len(exponents)


@contextmanager
def captured_values_stay_as_they_were():
    """What a captured variable holds is looked up once."""
    seen = {}
    with in_runtime("load_cell", lambda cell, name: seen.setdefault(name, load_cell(cell, name)))():
        yield


@case(
    "zygote-27",
    "https://github.com/FluxML/Zygote.jl/issues/27",
    title="a function that has been defined anew is differentiated as it was before",
    month="2018-10",
    symptom="wrong-value",
    cause="Generated code was kept without a note of the definitions that it was generated from.",
    needs=("nested",),
    at=(1.0,),
    right=((2.0, 0.0),),
    oracle="closed form: of 2x + 3, and of a constant",
    reported=((2.0, 2.0),),
    asks="value",
    defect=captured_values_stay_as_they_were,
)
def gradients_before_and_after_a_definition(x, *, ad):
    def definition(slope, height):
        def inner(x):
            return slope * x + height

        return inner

    def outer(x):
        return inner(x)

    inner = definition(2.0, 3.0)
    (before,) = ad.gradient(outer, x)
    inner = definition(0.0, 1.0)
    (after,) = ad.gradient(outer, x)
    return before, after
