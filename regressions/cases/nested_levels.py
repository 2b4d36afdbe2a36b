"""Derivatives inside programs: each level has variables of its own, and the outer one sees what the inner one does."""

from __future__ import annotations

import gc
import weakref

import numpy as np

from engine.traced import run

from ..case import Raises, case
from ..defects.orders import (
    captured_values_count_as_the_argument,
    inner_level_ends_the_outer_one,
    result_is_constant,
    second_pass_meets,
)
from ..defects.state import traced


@case(
    "autograd-4",
    "https://github.com/HIPS/autograd/issues/4",
    title="an inner derivative at a constant point makes the outer derivative vanish",
    month="2015-03",
    symptom="missing-gradient",
    cause="Two tapes were live in the inner call, and their priorities could not be compared: values of the outer one "
    "were booked to the inner one, and lost when that ended.",
    needs=("nested",),
    at=(1.0,),
    right=(2.0,),
    oracle="closed form: of x · x",
    reported=(0.0,),
    asks="value",
    defect=inner_level_ends_the_outer_one,
)
def product_with_a_slope_taken_at_a_constant(x, *, ad):
    return ad.grad(lambda u: u * ad.grad(lambda y: u * y)(2.0))(x)


@case(
    "forwarddiff-83",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/83",
    title="the derivative in y of x + y is found to be 2 where x is a variable of an outer derivative",
    month="2015-12",
    symptom="wrong-value",
    cause="Perturbations of the inner and of the outer variable look alike, so that the inner derivative picks up that "
    "of the captured x as well.",
    needs=("nested",),
    at=(1.0,),
    right=(1.0,),
    oracle="closed form: the inner slope is 1, so this is the derivative of x",
    reported=(2.0,),
    defect=captured_values_count_as_the_argument,
)
def captured_variable_is_constant_to_the_inner_derivative(x, *, ad):
    return x * ad.grad(lambda y: x + y)(1.0)


class Shifted:
    def __init__(self, shift):
        self.shift = shift

    def __call__(self, y, *, ad):
        if self.shift is None:
            return y * ad.grad(lambda z: Shifted(y)(z, ad=ad))(1.0)
        return self.shift + y


@case(
    "forwarddiff-313",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/313",
    title="two instances of one callable class are taken for one function when derivatives nest",
    month="2018-04",
    symptom="wrong-value",
    cause="The mark of a level is made from the type of the function that is differentiated, and both levels "
    "differentiate an instance of the same class.",
    needs=("nested", "objects"),
    at=(1.0,),
    right=(1.0,),
    oracle="closed form: the inner slope is 1, so this is the derivative of y",
    reported=(2.0,),
    defect=captured_values_count_as_the_argument,
)
def two_instances_of_one_callable(y, *, ad):
    return Shifted(None)(y, ad=ad)


@case(
    "pytorch-32576",
    "https://github.com/pytorch/pytorch/issues/32576",
    title="the inner derivative at y = x takes the captured x for its own variable",
    month="2020-01",
    symptom="missing-gradient",
    cause="The tape knows variables by the tensor they are, and the inner argument and the captured outer variable are "
    "one and the same tensor.",
    needs=("nested",),
    at=(1.0,),
    right=(-1.0,),
    oracle="closed form: the slope of y (x - y) in y at y = x is -x",
    reported=(0.0,),
    defect=captured_values_count_as_the_argument,
)
def inner_argument_is_the_captured_variable(x, *, ad):
    return ad.grad(lambda y: y * (x - y))(x)


@case(
    "zygote-33",
    "https://github.com/FluxML/Zygote.jl/issues/33",
    title="the second derivative of a polynomial raises a method error",
    month="2018-11",
    symptom="raises",
    cause="Reverse mode over reverse mode differentiates the pullbacks that the inner pass has made, and nothing said "
    "what the derivative of making one is.",
    needs=("nested",),
    at=(2.0,),
    right=(6.0,),
    oracle="closed form: of 6x + 2",
    reported=Raises("crash", "TypeError"),
    defect=second_pass_meets(TypeError("a pullback has no derivative")),
)
def slope_of_a_parabola(x, *, ad):
    return ad.grad(lambda y: 3 * y**2 + 2 * y + 1)(x)


STIFFNESS, DIRECTION = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([1.0, -1.0])


@case(
    "zygote-5",
    "https://github.com/FluxML/Zygote.jl/issues/5",
    title="the product of a Hessian and a vector fails an assertion of the compiler",
    month="2018-09",
    symptom="raises",
    cause="The code that the first transformation generates contained nodes which the second one had never seen.",
    needs=("nested",),
    at=(np.array([0.4, 1.3]),),
    right=(STIFFNESS @ DIRECTION,),
    oracle="closed form: Hv",
    reported=Raises("crash", "AssertionError: a node"),
    defect=second_pass_meets(AssertionError("a node of generated code")),
)
def slope_of_a_quadratic_form_along_a_vector(x, *, ad):
    return np.dot(ad.grad(lambda u: 0.5 * u @ (STIFFNESS @ u))(x), DIRECTION)


@case(
    "tangent-8",
    "https://github.com/google/tangent/issues/8",
    title="forward mode over generated reverse code looks for a temporary among the builtins",
    month="2017-11",
    symptom="raises",
    cause="The second transformation resolves names as the user's module would, and the first one had put in "
    "temporaries that are in no module.",
    needs=("nested", "forward"),
    at=(np.array([1.0, -2.0, 0.5]),),
    right=(np.array([20.0, -80.0, -2.5]),),
    oracle="closed form: 20 x³ v",
    reported=Raises("crash", "AttributeError"),
    asks="value",
    defect=second_pass_meets(AttributeError("module 'builtins' has no attribute 't'")),
)
def hessian_vector_product_of_a_fifth_power(x, *, ad):
    def fifth(u):
        cube = u * u * u
        return np.sum(cube * u**2.0)

    return ad.hvp(fifth, x, np.array([1.0, 0.5, -1.0]))


@case(
    "zygote-1218",
    "https://github.com/FluxML/Zygote.jl/issues/1218",
    title="reverse mode over forward mode ignores what the function captures",
    month="2022-05",
    symptom="missing-gradient",
    cause="The rule for the call of forward mode differentiates for the point only; the cotangent of what the function "
    "closes over was dropped.",
    needs=("nested", "forward"),
    at=(np.array([0.3, 0.1, 0.9, 0.5, 0.2]),),
    right=(np.ones(5),),
    oracle="closed form: the inner slope is Σ y",
    reported=(None,),
    defect=result_is_constant("jvp"),
)
def captured_variable_of_a_forward_derivative(y, *, ad):
    return float(ad.jvp(lambda x: np.sum(x) * np.sum(y), (np.array([0.1]),), (np.ones(1),))[1])


KEPT = []


begin = run.Pullback.__init__


def remembered(self, *args):
    begin(self, *args)
    KEPT.append(self)


@case(
    "pytorch-7343",
    "https://github.com/pytorch/pytorch/issues/7343",
    title="a gradient that can be differentiated keeps its variable alive for ever",
    month="2018-05",
    symptom="memory",
    cause="The gradient is stored on the variable and carries a graph that leads back to the variable: a cycle that "
    "nothing ever breaks.",
    needs=("nested",),
    right=(True,),
    oracle="definition: when all results are dropped, nothing is left that could name the array",
    reported=(False,),
    asks="value",
    defect=traced(run.Pullback, "__init__", remembered),
)
def array_is_freed_after_a_second_derivative(*, ad):
    x = np.ones(4)
    watched = weakref.ref(x)
    slopes = ad.grad(lambda u: np.sum(ad.grad(lambda y: np.sum(np.tanh(y)))(u) ** 2))(x)
    del x, slopes
    gc.collect()
    return watched() is None
