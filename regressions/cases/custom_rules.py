"""Rules of the user's own: what they are given, how often they are asked, and what is checked of their answers."""

from __future__ import annotations

import numpy as np

from engine.traced import calls, structured, tape
from engine.traced.levels import plain

from ..case import Raises, case
from ..defects.state import traced


def first_of(nested):
    return nested["first"]


part = structured._part


def leaf_by_leaf(bar, path, function, place):
    found = part(bar, path, function, place)
    if found is None:
        raise TypeError("the structure of the cotangents has another number of leaves")
    return found


@case(
    "jax-8356",
    "https://github.com/jax-ml/jax/issues/8356",
    title="a pullback may not answer None for a part of a structure",
    month="2021-10",
    symptom="raises",
    cause="None was an empty structure to the check of what a pullback returns, so that the number of leaves did not "
    "agree.",
    needs=("rules", "containers"),
    at=({"first": 1.0, "rest": {"b": 2.0, "c": 3.0}},),
    rules=[(first_of, {"nested": lambda d, out, nested: {"first": d, "rest": {"b": None, "c": None}}})],
    right=({"first": 1.0, "rest": None},),
    oracle="closed form: of the first number",
    reported=Raises("crash", "structure"),
    defect=traced(structured, "_part", leaf_by_leaf),
)
def pullback_that_says_nothing_of_some_parts(nested):
    return first_of(nested)


VECTOR = np.array([1.0, 1.0])


def scaled(x):
    return VECTOR * x


@case(
    "jax-3056",
    "https://github.com/jax-ml/jax/issues/3056",
    title="a rule that multiplies a scalar with a vector gives the scalar a gradient of the vector's shape",
    month="2020-05",
    symptom="wrong-shape",
    cause="The rule broadcasts in its own code, where the system cannot see it, and nobody summed the cotangent back "
    "to the shape of the argument.",
    needs=("rules",),
    at=(np.array(1.0),),
    rules=[(scaled, {"x": lambda d, out, x: d * VECTOR})],
    right=(np.array(2.0),),
    oracle="closed form: the sum of the vector",
    reported=(np.array([1.0, 1.0]),),
    defect=traced(tape, "_projected", lambda bar, arg, primal, place: bar),
)
def rule_that_broadcasts(x):
    return np.sum(scaled(x))


def product(a, b):
    return a @ b


class Zero:
    """The symbol of a system for a tangent that is zero."""


@case(
    "jax-2657",
    "https://github.com/jax-ml/jax/issues/2657",
    title="a forward rule is given a symbol for the tangent of a constant matrix and fails",
    month="2020-04",
    symptom="raises",
    cause="For an argument that does not move the rule was handed the system's own zero instead of an array of zeros.",
    needs=("nested", "forward", "rules"),
    at=(2.0,),
    rules=[
        (
            product,
            {
                "a": lambda d, out, a, b: np.outer(d, b),
                "b": lambda d, out, a, b: a.T @ d,
                "jvp": lambda tangents, out, a, b: a @ tangents[1] + tangents[0] @ b,
            },
        )
    ],
    right=(9.0,),
    oracle="closed form: three times three times the tangent",
    reported=Raises("crash", "matmul"),
    asks="value",
    defect=traced(tape, "zeros_like", lambda primal: Zero()),
)
def forward_rule_for_a_constant_matrix(x, *, ad):
    def total(x):
        summed = 0.0
        for _ in range(3):
            summed = summed + np.sum(product(np.eye(3), np.ones(3) * x))
        return summed

    return float(ad.jvp(total, (x,), (1.0,))[1])


def area(x, y):
    return x**2 * y


apply_back = tape.Sweep.apply


def pullback_for_every_argument(sweep, operation, d):
    if any(not operation.rule.covers(i) for i in range(len(operation.targets))):
        raise TypeError("unsupported operand for the sum of rules: NoneType")
    apply_back(sweep, operation, d)


@case(
    "jax-3389",
    "https://github.com/jax-ml/jax/issues/3389",
    title="a function may have rules for all arguments but the first",
    month="2020-06",
    symptom="raises",
    cause="The rules of the arguments were summed up from the left, beginning with the first, which is None where "
    "there is no rule for it.",
    needs=("rules",),
    at=(3.0,),
    rules=[(area, {"y": lambda d, out, x, y: d * 2 * x * y})],
    right=(12.0,),
    oracle="definition: the rule says 2xy, where x² would be the slope",
    reported=Raises("crash", "NoneType"),
    no_differences="the rule is another one, to show that it is asked",
    defect=traced(tape.Sweep, "apply", pullback_for_every_argument),
)
def rule_for_the_second_argument_alone(y):
    return area(2.0, y)


def stretched(x, y, c=1.0):
    return c * (x + y)


by_rule = calls._by_rule


def positional_only(function, rule, args, kwargs):
    if kwargs:
        raise TypeError(f"{function.__name__}() got an unexpected keyword argument")
    return by_rule(function, rule, args, kwargs)


@case(
    "jax-1938",
    "https://github.com/jax-ml/jax/issues/1938",
    title="a function with a rule of its own cannot be called with a keyword",
    month="2020-01",
    symptom="raises",
    cause="The rule was applied to the positional arguments as they came; keywords were not put in their places, nor "
    "defaults filled in.",
    needs=("rules",),
    at=(10.0, 5.0),
    rules=[(stretched, {"x": lambda d, out, x, y, c=1.0: d * c, "y": lambda d, out, x, y, c=1.0: d * c})],
    right=(120.0, 120.0),
    oracle="closed form: 2c² (x + y)",
    reported=Raises("crash", "unexpected keyword"),
    defect=traced(calls, "_by_rule", positional_only),
)
def rule_and_a_keyword(x, y):
    return stretched(x, y, c=2.0) ** 2


def repeated(x, n):
    return x * n


def floats_only(function, rule, args, kwargs):
    if any(type(plain(a)) is int for a in args):
        raise TypeError("the cotangent of an integer has to be of the type float0")
    return by_rule(function, rule, args, kwargs)


@case(
    "jax-7652",
    "https://github.com/jax-ml/jax/pull/7652",
    title="a pullback has to invent a cotangent for an integer argument",
    month="2021-08",
    symptom="raises",
    cause="Integers had cotangents of a special type with no bits, and a pullback that returned None for one was "
    "rejected.",
    needs=("rules",),
    at=(2.0,),
    rules=[(repeated, {"x": lambda d, out, x, n: d * n, "n": lambda d, out, x, n: None})],
    right=(3.0,),
    oracle="closed form: n",
    reported=Raises("crash", "float0"),
    defect=traced(calls, "_by_rule", floats_only),
)
def rule_with_an_integer_argument(x):
    return repeated(x, 3)


def squared(x):
    return x**2


@case(
    "jax-2516",
    "https://github.com/jax-ml/jax/issues/2516",
    title="a forward rule that returns too little is found out deep inside, if at all",
    month="2020-03",
    symptom="no-error",
    cause="What a rule returns was taken apart without a look at it, so that a mistake in it was reported far away or "
    "not at all. Here the rule returns value and tangent where the tangent is wanted.",
    needs=("nested", "forward", "rules", "refusal"),
    at=(2.0,),
    rules=[
        (
            squared,
            {"x": lambda d, out, x: d * 2 * x, "jvp": lambda tangents, out, x: (out, 2 * x * tangents[0])},
        )
    ],
    right=Raises("crash", "CotangentMismatchError: the forward rule of squared returned"),
    oracle="definition: a number has a number for its tangent",
    reported=(8.0,),
    asks="value",
    defect=traced(tape, "_check_tangent", lambda tangent, out, operation: None),
)
def forward_rule_that_returns_a_pair(x, *, ad):
    return ad.jvp(squared, (x,), (1.0,))[1]


def turned(x):
    return x.T


projected = tape._projected


def as_it_came(bar, arg, primal, place):
    return bar if primal is turned else projected(bar, arg, primal, place)


@case(
    "jax-19009",
    "https://github.com/jax-ml/jax/pull/19009",
    title="a pullback that returns an array of the wrong shape is believed",
    month="2023-12",
    symptom="no-error",
    cause="What a user's pullback returns was not compared with the argument it is for, and showed up later as "
    "something broadcast to a wrong number.",
    needs=("rules", "refusal"),
    at=(np.ones((3, 2)),),
    rules=[(turned, {"x": lambda d, out, x: d})],
    right=Raises("crash", r"CotangentMismatchError: the rule of turned returned a cotangent of shape \(2, 3\)"),
    oracle="definition: a cotangent has the shape of its primal",
    reported=(2.0 * np.ones((2, 3)),),
    defect=traced(tape, "_projected", as_it_came),
)
def pullback_that_forgets_to_transpose(x):
    return np.sum(turned(x) * 2.0)
