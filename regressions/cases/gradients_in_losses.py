"""Losses that hold a gradient, a Jacobian or a product with a Hessian: all of it depends on the parameters."""

from __future__ import annotations

import numpy as np

import engine
from engine.errors import MutationError
from engine.traced import runtime
from engine.traced.levels import live, plain

from ..case import Raises, case
from ..defects import inner_gradient_keeps_its_books_in_the_program
from ..defects.orders import (
    levels_cannot_be_ordered,
    result_is_constant,
)
from ..defects.state import in_runtime, sums_are, traced

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
    defect=traced(engine.api, "_stacked", lambda leaf, leaves, shape: np.stack(leaves)),
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
