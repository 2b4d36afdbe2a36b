"""Integers and truth values inside a program: they have no cotangent, and keep their type."""

from __future__ import annotations

import operator

import numpy as np

import engine
from engine.api import _LevelAware
from engine.traced.levels import plain

from ..case import Raises, case
from ..defects import on_traced_tier, patched, with_rule
from ..defects.state import with_procedure


def with_the_divisors_cotangent(d, out, x, y):
    buffer = np.zeros_like(y)
    np.add(buffer, -d * out / y, out=buffer)
    return d / y


@case(
    "chainrules-480",
    "https://github.com/JuliaDiff/ChainRules.jl/pull/480",
    "https://github.com/FluxML/Zygote.jl/issues/1181",
    title="a number over the largest of some integers raises: a float does not fit into an integer",
    month="2021-07",
    symptom="raises",
    cause="The maximum of integers gets a cotangent as if it were a float, and the rule writes it into zeros of the "
    "integers' type.",
    at=(1.0,),
    right=(0.25,),
    oracle="closed form: 1 over the largest",
    reported=Raises("crash", "TypeError: Cannot cast ufunc 'add' output"),
    defect=on_traced_tier(with_rule(operator.truediv, x=with_the_divisors_cotangent)),
)
def number_over_the_largest_integer(s):
    return s / np.max(np.arange(1, 5))


def by_the_dtype(x):
    return int(plain(x).dtype.type(plain(x)))


@case(
    "jax-19780",
    "https://github.com/jax-ml/jax/pull/19780",
    title="converting a float to an integer raises: a number has no abstract type",
    month="2024-02",
    symptom="raises",
    cause="The rule for the conversion asks its tangent for the type, which a plain number does not carry; the type of "
    "the primal would have done.",
    needs=("plain-values",),
    at=(2.5,),
    right=(2.0,),
    oracle="closed form: the whole part is constant nearby",
    reported=Raises("crash", "AttributeError: 'float' object has no attribute 'dtype'"),
    defect=with_procedure(int, by_the_dtype),
)
def number_times_its_whole_part(x):
    return x * int(x)


def as_floats(x):
    return plain(x).astype(float)


LENGTHS = np.array([10.0, 20.0, 30.0, 40.0])


def at_integers(indices):
    if indices.dtype != np.int32:
        raise TypeError(f"the index of an entry is an integer, not a {indices.dtype}")
    return LENGTHS[indices]


@case(
    "jax-33689",
    "https://github.com/jax-ml/jax/issues/33689",
    title="integers that stop_gradient is given come back as another type",
    month="2025-12",
    symptom="raises",
    cause="Integers took another way through stop_gradient than floats, so that they were no longer of the type that a "
    "check further on expects.",
    needs=("nested",),
    at=(np.array([1.2, 2.6]),),
    right=(np.array([20.0, 40.0]),),
    oracle="closed form: what the table holds at the rounded numbers",
    reported=Raises("crash", "TypeError: the index of an entry"),
    defect=on_traced_tier(patched(engine, "stop_gradient", _LevelAware(as_floats))),
)
def table_at_rounded_numbers(x, *, ad):
    return np.sum(x * at_integers(ad.stop_gradient(np.round(x).astype(np.int32))))


def selected(x, mask):
    if mask.dtype != np.bool_:
        raise TypeError(f"a mask is made of truth values, not of {mask.dtype}")
    return np.where(mask, x, 0.0)


@case(
    "zygote-913",
    "https://github.com/FluxML/Zygote.jl/issues/913",
    title="a mask made of two masks is of another type when the program is differentiated",
    month="2021-02",
    symptom="raises",
    cause="The rule for elementwise functions evaluates them in another way than the program does, and truth values "
    "came out as an array that the next function does not accept.",
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.array([1.0, 0.0, 1.0]),),
    oracle="closed form: 1 where one of the masks is set",
    reported=Raises("crash", "TypeError: a mask is made of truth values"),
    defect=with_procedure(operator.or_, lambda a, b: (a | b).astype(object)),
)
def entries_of_two_masks(x):
    first, last = np.array([True, False, False]), np.array([False, False, True])
    return np.sum(selected(x, first | last))
