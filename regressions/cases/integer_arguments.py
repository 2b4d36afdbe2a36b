"""The gradient for an integer: refused with the remedy, never an integer, and never nothing without a word."""

from __future__ import annotations

import numpy as np

import engine
from engine import api

from ..case import Raises, case
from ..defects import patched, with_rule
from ..defects.numbers import integers_have_gradients
from ..defects.state import together

DEFINITION = "definition: an integer has no neighbours; the same number as a float has a gradient"


def cut_off(gradient, argument):
    """In the type of the argument: whatever stands behind the point is lost, and NaN becomes some integer."""
    with np.errstate(invalid="ignore"):
        return gradient.astype(argument.dtype) if isinstance(argument, np.ndarray) else int(gradient)


def unknown_type(f, position, value):
    if isinstance(value, int):
        raise TypeError("Can't differentiate w.r.t. type <class 'int'>")


@case(
    "autograd-3",
    "https://github.com/HIPS/autograd/issues/3",
    "https://github.com/jax-ml/jax/issues/2663",
    title="the gradient at 2, not 2.0, is an error that says nothing but the type",
    month="2015-03",
    symptom="raises",
    cause="Integers have no space of cotangents. Releases have refused them, have cast them with a warning, and refuse "
    "them again; what users want to know is what to write.",
    at=(2,),
    right=Raises("argument", r"x.* is the int 2.*\n.*write 2\.0"),
    oracle=DEFINITION,
    reported=Raises("crash", "TypeError: (Can't|grad requires)"),
    defect=patched(api, "_refuse_number", unknown_type),
)
def square_of_the_integer_two(x):
    return x * x


@case(
    "jax-424",
    "https://github.com/jax-ml/jax/issues/424",
    title="the gradient at the integer 3 is an integer",
    month="2019-02",
    symptom="no-error",
    cause="The type of the argument was not looked at, and the gradient has it: 6 here, and 0 for every slope below 1.",
    at=(3,),
    right=Raises("argument", r"x.* is the int 3.*\n.*write 3\.0"),
    oracle=DEFINITION,
    reported=(6,),
    defect=integers_have_gradients(cut_off),
)
def square_of_the_integer_three(x):
    return x**2.0


def not_watched(f, *args):
    return f(*args), (None,) * len(args)


@case(
    "tensorflow-26143",
    "https://github.com/tensorflow/tensorflow/issues/26143",
    title="integer parameters have no gradient, and nothing says so",
    month="2019-02",
    symptom="no-error",
    cause="Only what is a float is watched, so that integers are as good as constants.",
    at=(1, 2),
    right=Raises("argument", r"is the int 1"),
    oracle=DEFINITION,
    reported=(None, None),
    defect=patched(engine, "value_and_gradient", not_watched),
)
def product_of_two_integers(a, b):
    return a * b


def by_the_length(d, out, x):
    return d * x / out


@case(
    "autograd-370",
    "https://github.com/HIPS/autograd/issues/370",
    title="an array of integers has entries of minus 2 to the 63 in its gradient",
    month="2018-03",
    symptom="no-error",
    cause="The length of a part that is zero has the slope 0 / 0, and the gradient is stored in an array of the "
    "argument's type, where NaN is no number.",
    at=(np.array([3, 0, 0]),),
    right=Raises("argument", r"x.* an array of int.*\n.*astype\(float\)"),
    oracle=DEFINITION,
    reported=(cut_off(np.array([6.0, np.nan, np.nan]), np.zeros(3, int)),),
    defect=together(integers_have_gradients(cut_off), with_rule(np.linalg.norm, x=by_the_length)),
)
def lengths_of_two_parts(x):
    return np.linalg.norm(x[:1]) ** 2 + np.linalg.norm(x[1:]) ** 2


@case(
    "tangent-66",
    "https://github.com/google/tangent/issues/66",
    title="the gradient of a log-sum-exp in loops is all zeros for integers",
    month="2018-03",
    symptom="no-error",
    cause="The adjoint of an array is made like the array itself, and integers have no place for a share of 0.67.",
    at=(np.array([2, 1, 3]),),
    right=Raises("argument", r"a.* an array of int.*\n.*astype\(float\)"),
    oracle=DEFINITION,
    reported=(np.zeros(3, int),),
    defect=integers_have_gradients(cut_off),
)
def log_sum_exp_in_loops(a):
    largest = a[0]
    for i in range(1, len(a)):
        if a[i] > largest:
            largest = a[i]
    total = 0.0
    for i in range(len(a)):
        total += np.exp(a[i] - largest)
    return largest + np.log(total)


def added_to_integers(gradient, argument):
    buffer = np.zeros_like(argument)
    return np.add(buffer, gradient, out=buffer)


@case(
    "zygote-116",
    "https://github.com/FluxML/Zygote.jl/issues/116",
    title="the gradient of a slice of integers does not fit into integers",
    month="2019-03",
    symptom="raises",
    cause="The cotangent of a slice is added to a buffer of zeros that has the type of the vector.",
    at=(np.array([1, 2, 3, 4, 5]),),
    right=Raises("argument", r"x.* an array of int.*\n.*astype\(float\)"),
    oracle=DEFINITION,
    reported=Raises("crash", "TypeError: Cannot cast ufunc 'add' output"),
    defect=integers_have_gradients(added_to_integers),
)
def sines_of_a_slice(x):
    return np.sum(np.sin(x[0:]))


SINGLE = np.array([1.0, 2.0, 3.0], np.float32)


@case(
    "zygote-1445",
    "https://github.com/FluxML/Zygote.jl/issues/1445",
    title="the gradient for integers is in double precision, in a program in single precision",
    month="2023-08",
    symptom="no-error",
    cause="The cotangent is fitted to the float that belongs to the argument's type, which for every kind of integer "
    "is a double. Which float it should be only the program's author knows.",
    at=(np.array([1, 2, 3], np.int32),),
    right=Raises("argument", r"a.* an array of int32.*\n.*convert it"),
    oracle=DEFINITION,
    reported=(SINGLE.astype(float),),
    defect=integers_have_gradients(lambda gradient, argument: gradient),
)
def integers_times_single_precision(a):
    return np.sum(a * SINGLE)
