"""Derivatives inside programs: each level has variables of its own, and the outer one sees what the inner one does."""

from __future__ import annotations

import gc
import weakref

import numpy as np

import engine
from engine.errors import MutationError
from engine.traced import run, runtime
from engine.traced.levels import live, plain

from ..case import Raises, case
from ..defects import inner_gradient_keeps_its_books_in_the_program
from ..defects.orders import (
    captured_values_count_as_the_argument,
    inner_level_ends_the_outer_one,
    levels_cannot_be_ordered,
    result_is_constant,
    second_pass_meets,
)
from ..defects.state import in_runtime, sums_are, traced


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


MASS, GRAVITY = 1.0, 9.8
PLACE, SPEED = np.array([1.0, 2.0]), np.array([3.0, 4.0])


def lagrangian(q, v):
    return MASS / 2 * np.dot(v, v) - MASS * GRAVITY * q[1] + 0.5 * q[0] * v[0]


@case(
    "forwarddiff-238",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/238",
    title="how the momenta of a Lagrangian change with the place: an error about perturbation confusion",
    month="2017-06",
    symptom="raises",
    cause="The two differentiations were marked in an order in which the system could not tell the inner from the "
    "outer one.",
    needs=("nested",),
    at=(PLACE,),
    right=(np.array([[0.5, 0.0], [0.0, 0.0]]),),
    oracle="closed form: only the coupling q₀ v₀ / 2 depends on both",
    reported=Raises("crash", "perturbation confusion"),
    asks="value",
    defect=levels_cannot_be_ordered,
)
def momenta_by_place(place, *, ad):
    return ad.jacobian(lambda q: ad.grad(lambda v: lagrangian(q, v))(SPEED))(place)


def squares(x):
    return np.array([x[0] ** 2, x[0] * x[1]])


@case(
    "autograd-107",
    "https://github.com/HIPS/autograd/issues/107",
    title="a Jacobian cannot be taken inside a function whose Jacobian is taken",
    month="2016-05",
    symptom="raises",
    cause="The rows of the inner Jacobian were stacked by plain NumPy, which makes an array of objects of what the "
    "outer level follows.",
    needs=("nested",),
    at=(np.array([1.5, -2.0]),),
    right=(np.array([[6.0, 0.0], [-4.0, 3.0]]),),
    oracle="closed form: of (2x₀², 2x₀x₁)",
    reported=Raises("crash", "leaked into foreign code"),
    asks="value",
    defect=traced(engine.api, "_stacked", lambda leaves, shape: np.stack(leaves)),
)
def jacobian_of_a_jacobian_times_x(x, *, ad):
    return ad.jacobian(lambda u: np.dot(ad.jacobian(squares)(u), u))(x)


@case(
    "autograd-264",
    "https://github.com/HIPS/autograd/pull/264",
    title="what value_and_grad returns cannot be differentiated",
    month="2017-07",
    symptom="missing-gradient",
    cause="The pair of value and gradient was an ordinary tuple made of what the outer level had been stripped from.",
    needs=("nested",),
    at=(2.0,),
    right=(24.0,),
    oracle="closed form: 3x² + 6x",
    reported=(None,),
    defect=result_is_constant("value_and_grad"),
)
def value_and_slope_together(x, *, ad):
    value, slope = ad.value_and_grad(lambda y: y**3)(x)
    return value + slope


class Recurrent:
    def __init__(self, weight, state):
        self.weight, self.state = weight, state

    def __call__(self, x):
        self.state = np.tanh(self.weight * self.state + x)
        return self.state


def unrolled(weight):
    cell = Recurrent(weight, 0.3)
    return sum(cell(0.1 * k) ** 2 for k in range(15))


store_attribute = runtime.RUNTIME["set_attribute"]


def fields_of_one_level(owner, name, value):
    if len(live.levels) > 1:
        raise MutationError("Mutating the record of a field is not supported")
    return store_attribute(owner, name, value)


@case(
    "flux-1593",
    "https://github.com/FluxML/Flux.jl/issues/1593",
    title="no second derivative of an unrolled recurrent model",
    month="2021-05",
    symptom="raises",
    cause="The first pass keeps a record of the fields that the cell assigns, and keeping it is itself a mutation, "
    "which the second pass refuses.",
    needs=("nested", "objects"),
    at=(0.8,),
    right=(1.898238105299041,),
    oracle="mpmath: 2 L′ L″, by differences with 50 digits",
    reported=Raises("mutation", "not supported"),
    defect=in_runtime("set_attribute", fields_of_one_level),
)
def squared_slope_of_an_unrolled_model(weight, *, ad):
    return ad.grad(unrolled)(weight) ** 2


MODEL, SAMPLE = np.array([[0.5, -0.3, 0.8]]), np.array([0.1, -0.4, 0.7])
GOAL = 0.2
OUTPUT = np.tanh(MODEL[0] @ SAMPLE)
SLOPE = 1 - OUTPUT**2
THIRD = SLOPE * MODEL[0, 2]


@case(
    "flux-1464",
    "https://github.com/FluxML/Flux.jl/issues/1464",
    title="a penalty on one entry of the model's own gradient fails for implicit parameters",
    month="2021-01",
    symptom="raises",
    cause="The inner gradient files what it finds in a table by identity, and the outer one differentiates through the "
    "C functions of that table.",
    needs=("implicit", "nested"),
    wrt=(MODEL,),
    right=(
        (
            2 * (OUTPUT - GOAL) * SLOPE * SAMPLE
            + 2 * THIRD * (np.array([0.0, 0.0, SLOPE]) - 2 * OUTPUT * SLOPE * SAMPLE * MODEL[0, 2])
        )[None, :],
    ),
    oracle="closed form: with t = tanh(Wx), 2 (t - y)(1 - t²) x + 2 g dg/dW, g = (1 - t²) W₂",
    reported=Raises("foreign-call"),
    defect=inner_gradient_keeps_its_books_in_the_program,
)
def penalty_on_an_entry_of_the_input_gradient(*, ad):
    (slopes,) = ad.gradient(lambda x: np.tanh(MODEL @ x)[0], SAMPLE)
    return np.mean((np.tanh(MODEL @ SAMPLE) - GOAL) ** 2) + slopes[2] ** 2


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


ANGLES = np.array([0.1, 0.2, 0.3])
LOGARITHMIC = 1 / np.tan(ANGLES) - 1 / ANGLES
CURVATURE = np.array([1 / 0.1**2 - 1 / np.sin(0.1) ** 2, 0.0, 0.0])


@case(
    "zygote-255",
    "https://github.com/FluxML/Zygote.jl/issues/255",
    title="the gradient of one entry of a gradient is None",
    month="2019-07",
    symptom="missing-gradient",
    cause="To the outer derivative the tuple of gradients was a constant, so that what is taken out of it depends on "
    "nothing.",
    needs=("nested",),
    at=(ANGLES,),
    right=(np.prod(np.sin(ANGLES) / ANGLES) * (LOGARITHMIC[0] * LOGARITHMIC + CURVATURE),),
    oracle="closed form: f (l₀ l + (1/x₀² - 1/sin² x₀) e₀), l = cot x - 1/x the slopes of log f",
    reported=(None,),
    defect=result_is_constant("gradient"),
)
def first_entry_of_a_gradient(x, *, ad):
    return ad.gradient(lambda u: np.prod(np.sin(u) / u), x)[0][0]


FIELD = np.array([1.0, -2.0, 0.5])
item_of = runtime.RUNTIME["getitem"]


def records_of_one_level(container, key):
    if isinstance(plain(container), dict) and len(live.levels) > 1:
        raise TypeError("no method for the gradient of a record")
    return item_of(container, key)


@case(
    "zygote-1438",
    "https://github.com/FluxML/Zygote.jl/issues/1438",
    title="a second derivative fails as soon as the parameters are in a record",
    month="2023-07",
    symptom="raises",
    cause="Reading a field inside the inner gradient makes a gradient of the record, and making one had no derivative "
    "of its own; bare vectors went through.",
    needs=("nested", "containers"),
    at=({"weight": np.array([3.0, 1.0, -1.0])},),
    right=({"weight": FIELD},),
    oracle="closed form: the loss is linear in the weight",
    reported=Raises("crash", "TypeError"),
    defect=in_runtime("getitem", records_of_one_level),
)
def input_gradient_of_a_model_in_a_record(model, *, ad):
    return np.dot(FIELD, ad.gradient(lambda x: np.dot(x, model["weight"]), np.array([0.2, 0.4, 0.6]))[0])


def second_is_forgotten(a, b):
    return a if live.levels else a + b


@case(
    "zygote-937",
    "https://github.com/FluxML/Zygote.jl/issues/937",
    title="an inner gradient has another value when it is evaluated inside an outer one",
    month="2021-03",
    symptom="wrong-value",
    cause="The sum of two cotangents is a chain of conditions, which the outer pass transforms too, and the "
    "transformed one went the wrong way; the value inside stands for whatever was seen.",
    needs=("nested",),
    at=(np.ones(1),),
    right=((-3.0, -3.0),),
    oracle="closed form: -2 (1 - 0) - 2 (1 - ½), wherever it is evaluated",
    reported=((-3.0, -1.0),),
    asks="value",
    defect=sums_are(second_is_forgotten),
)
def inner_gradient_alone_and_within_an_outer_one(x, *, ad):
    def slope(u):
        return float(np.sum(ad.grad(lambda y: 1 - np.sum((y - 0.0) ** 2) - np.sum((y - 0.5) ** 2))(u)))

    return slope(x), ad.value_and_grad(slope)(x)[0]


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


def pair(x):
    return np.array([2 * x[0] ** 2 + x[0], x[1] ** 2 * x[0]])


@case(
    "zygote-769",
    "https://github.com/FluxML/Zygote.jl/issues/769",
    title="a loss made of a forward-mode Jacobian has no gradient",
    month="2020-08",
    symptom="missing-gradient",
    cause="Forward mode inside reverse mode had no rule, and what came out of it counted as constant.",
    needs=("nested", "forward"),
    at=(np.array([2.0, 3.2]),),
    right=(np.array([235.84, 233.472]),),
    oracle="closed form: of (4x₀ + 1)² + x₁⁴ + 4 x₀² x₁²",
    reported=(None,),
    defect=result_is_constant("jvp"),
)
def squares_of_a_forward_jacobian(x, *, ad):
    columns = [ad.jvp(pair, (x,), (direction,))[1] for direction in np.eye(2)]
    return sum(np.sum(column**2) for column in columns)


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
