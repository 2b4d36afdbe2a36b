"""What a derivative is asked for and what comes back: which arguments, an entry for each, cotangents that fit."""

from __future__ import annotations

import operator

import numpy as np

import engine
from engine import api
from engine.api import _LevelAware
from engine.traced import items, run, structure, tape

from ..case import Raises, case
from ..defects import on_traced_tier, patched
from ..defects.orders import zeros_are_left_out
from ..defects.shapes import fail
from ..defects.state import traced


@case(
    "jax-10669",
    "https://github.com/jax-ml/jax/pull/10669",
    title="grad for the last argument, counted from the end, raises",
    month="2022-05",
    symptom="raises",
    cause="When the handling of arguments was written anew, negative positions were no longer counted from the end.",
    needs=("nested",),
    at=(3.0, 2.0),
    right=(12.0,),
    oracle="closed form: 2xy",
    reported=Raises("argument", "argument -1"),
    asks="value",
    defect=patched(api, "_positions", lambda argnums, args: (argnums,)),
)
def derivative_by_the_last_argument(x, y, *, ad):
    return ad.grad(lambda x, y: x * y**2, argnums=-1)(x, y)


@case(
    "jax-1696",
    "https://github.com/jax-ml/jax/issues/1696",
    title="grad for the first argument, which is given by keyword, ends in an IndexError",
    month="2019-11",
    symptom="wrong-value",
    cause="Arguments to differentiate are counted among those given by position, and nobody looked whether there are "
    "that many.",
    needs=("nested",),
    at=(0.0, 1.0),
    right=(True,),
    oracle="definition: what is differentiated is given by position; a call that does not is refused in words",
    no_differences="they end in an IndexError themselves",
    reported=(False,),
    asks="value",
    defect=patched(api, "_chosen", lambda f, positions, args: [args[position] for position in positions]),
)
def first_argument_by_keyword(x, y, *, ad):
    try:
        return ad.grad(lambda x, y: x + y)(x=x, y=y) == 1.0
    except Exception as error:
        return not isinstance(error, IndexError)


def scalars_only(value, name="the function"):
    raise TypeError("gradient only defined for scalar-output functions")


@case(
    "jax-2303",
    "https://github.com/jax-ml/jax/issues/2303",
    title="the refusal of a loss that is an array of one element does not say what it is",
    month="2020-02",
    symptom="wrong-value",
    needs=("nested",),
    cause="The message said that scalars alone have gradients, and neither what the function had returned nor what to "
    "write instead.",
    at=(1.0,),
    right=(True,),
    oracle="definition: a gradient is that of a real number; the refusal says what came instead",
    no_differences="they take slopes of arrays as well",
    reported=(False,),
    asks="value",
    defect=on_traced_tier(patched(engine.traced, "scalar_seed", scalars_only)),
)
def loss_that_is_an_array(x, *, ad):
    try:
        return ad.gradient(lambda x: np.array([x**2]), x) is None
    except Exception as error:
        return "shape (1,)" in str(error)


@case(
    "tangent-30",
    "https://github.com/google/tangent/issues/30",
    title="a cotangent of another shape than the result is accepted, and spread over it",
    month="2017-11",
    symptom="no-error",
    cause="The cotangent that the user gives was not compared with the result; one that can be broadcast goes "
    "through, any other fails much later.",
    needs=("nested",),
    at=(np.array([1.0, 2.0, 3.0]),),
    right=Raises("crash", r"shape.*(\(3,\).*\(1,\)|\[1\].*\[3\])"),
    oracle="definition: a cotangent has the shape of what it belongs to",
    reported=(np.array([2.0, 4.0, 6.0]),),
    asks="value",
    defect=traced(structure, "check", lambda d, value, path: None),
)
def cotangent_of_another_shape(x, *, ad):
    _, back = ad.pullback(lambda x: x * x, x)
    return back(np.ones(1))[0]


def without_missing_ones(gradient, seen=None):
    return fail(FloatingPointError("division by zero colours")) if gradient is None else _owned(gradient, seen)


_owned = run.owned


@case(
    "casadi-1046",
    "https://github.com/casadi/casadi/issues/1046",
    title="the Jacobian by a variable that the function does not use crashes",
    month="2014-03",
    symptom="raises",
    cause="The pattern of a derivative that is empty needs no colours, and something was divided by their number.",
    at=(2.0, 3.0),
    right=(4.0, None),
    oracle="closed form: 2x; nothing depends on y",
    reported=Raises("crash", "FloatingPointError"),
    defect=traced(run, "owned", without_missing_ones),
)
def square_of_the_first_of_two(x, y):
    return x**2


@case(
    "jax-6238",
    "https://github.com/jax-ml/jax/pull/6238",
    title="the pullback that promises zeros for an unused argument gives a marker",
    month="2021-03",
    symptom="missing-gradient",
    cause="Inside, a zero is a symbol; at the border to the user it was not made an array.",
    needs=("nested",),
    at=(1.0, np.ones(3)),
    right=((2.0, np.zeros(3)),),
    oracle="closed form: of 2x; zeros in the shape of the argument that is not used",
    reported=((2.0, None),),
    asks="value",
    defect=zeros_are_left_out,
)
def cotangents_of_a_function_of_one_of_two(x, y, *, ad):
    _, back = ad.vjp(lambda x, y: 2.0 * x, x, y)
    return back(1.0)


@case(
    "zygote-1538",
    "https://github.com/FluxML/Zygote.jl/issues/1538",
    title="the derivative by an argument that is not used is nothing, where arithmetic needs a zero",
    month="2024-11",
    symptom="missing-gradient",
    cause="Nothing stands for a zero of whatever type, by design; code that goes on to compute with derivatives has "
    "to ask for the zero in another way.",
    needs=("nested",),
    at=(0.5, 0.25),
    right=((0.0, 1.0),),
    oracle="closed form: of y; grad is the spelling that gives zeros, gradient the one that says None",
    reported=((None, 1.0),),
    asks="value",
    defect=zeros_are_left_out,
)
def derivatives_by_both_of_two_arguments(x, y, *, ad):
    return ad.grad(lambda x, y: y, argnums=(0, 1))(x, y)


gradient = engine.gradient


def collapsed(f, *args):
    found = gradient(f, *args)
    return None if all(part is None for part in found) else found


@case(
    "zygote-1495",
    "https://github.com/FluxML/Zygote.jl/pull/1495",
    title="the gradient of a constant function of two arguments is one nothing, not two",
    month="2024-01",
    symptom="missing-gradient",
    cause="A tuple of nothings was collapsed into one nothing, and was not made a tuple again at the end.",
    needs=("nested",),
    at=(1.0, 2.0),
    right=((None, None),),
    oracle="definition: a gradient has one entry for each argument",
    reported=(None,),
    asks="value",
    defect=patched(engine, "gradient", collapsed),
)
def gradient_of_a_constant(a, b, *, ad):
    return ad.gradient(lambda a, b: 3.0, a, b)


_walked = run.Pullback._walked


def first_argument_alone(back, sweep, d):
    (first, *others), implicit = _walked(back, sweep, d)
    return (first, *(None for _ in others)), implicit


def product(m, n):
    return m * n


@case(
    "tangent-71",
    "https://github.com/google/tangent/issues/71",
    title="the gradient has an entry for the first argument only",
    month="2018-05",
    symptom="missing-gradient",
    cause="The first argument is what is differentiated unless more is asked for, which the reporter did not expect "
    "of a gradient.",
    at=(2.0, 3.0),
    right=(12.0, 14.0),
    oracle="closed form: y + y² and x + 2xy",
    reported=(12.0, None),
    defect=traced(run.Pullback, "_walked", first_argument_alone),
)
def product_used_twice(x, y):
    a = product(x, y)
    b = product(x, y)
    return a + b * y


_reverse = tape.Operation.reverse


def negated_whatever_it_is(made, sweep):
    if made.rule.primal is operator.sub and made.nodes not in sweep.bars:
        raise TypeError("bad operand type for unary -: 'Zero'")
    _reverse(made, sweep)


@case(
    "jax-433",
    "https://github.com/jax-ml/jax/issues/433",
    title="a difference that nothing uses makes the gradient raise",
    month="2019-02",
    symptom="raises",
    cause="The pullback of a subtraction negates the cotangent, and did so with the symbol that says there is none.",
    at=(3.0, 2.0),
    right=(2.0, 3.0),
    oracle="closed form: of xy",
    reported=Raises("crash", "TypeError: bad operand type for unary -"),
    defect=traced(tape.Operation, "reverse", negated_whatever_it_is),
)
def difference_that_is_not_used(x, y):
    a = x - y
    b = x * y
    return b if a is not None else a


def as_it_came(container, key, value):
    dict.__setitem__(container, key, value)


@case(
    "jax-1950",
    "https://github.com/jax-ml/jax/issues/1950",
    title="values that are handed out beside the loss are no numbers",
    month="2020-01",
    symptom="wrong-value",
    cause="What the function returns besides its loss was handed to the caller as it was inside, with what carries "
    "the derivative.",
    needs=("nested", "containers"),
    at=(3.0,),
    right=((6.0, True),),
    oracle="closed form: 2x; what the caller gets are floats",
    reported=((6.0, False),),
    asks="value",
    defect=traced(items, "set_dict_item", as_it_came),
)
def values_beside_the_loss(x, *, ad):
    beside = {}

    def loss(x):
        beside["itself"] = x
        beside["one more"] = x + 1
        return x**2

    (slope,) = ad.gradient(loss, x)
    return slope, all(isinstance(value, float) for value in beside.values())


@case(
    "mygrad-382",
    "https://github.com/rsokl/MyGrad/issues/382",
    title="the documented way to hold a value constant raises",
    month="2021-08",
    symptom="raises",
    cause="It was a context manager, which could not be called in the way that its documentation showed.",
    needs=("nested",),
    at=(3.0,),
    right=(9.0,),
    oracle="closed form: x², which is held constant",
    no_differences="differences move what the program holds constant",
    reported=Raises("crash", "TypeError: 'no_autodiff' object is not callable"),
    defect=on_traced_tier(
        patched(engine, "stop_gradient", _LevelAware(lambda x: fail(TypeError("'no_autodiff' object is not callable"))))
    ),
)
def square_held_constant(x, *, ad):
    return ad.stop_gradient(x**2) * x
