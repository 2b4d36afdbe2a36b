"""Objects that keep a state: written by one call and read by the next, in a gradient, and after it."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np

from engine.traced import attributes, structure
from engine.traced.levels import Traced, live

from ..case import Raises, case
from ..defects.state import in_runtime, reads_are_lost, structures_do_not_add, together, traced

_set_raw, _of_its_kind = attributes.set_raw, structure.of_its_kind


class Filter:
    state = 0.0

    def run(self, x):
        self.state = 1.0
        for value in x:
            self.state = 0.5 * self.state + value**2 * self.state
        return self.state


def traced_values_stay(obj, name, value):
    _set_raw(obj, name, value)
    if live.levels:
        object.__setattr__(obj, name, value)


SIGNAL = np.array([0.5, -0.25, 1.0])


@case(
    "autograd-67",
    "https://github.com/HIPS/autograd/issues/67",
    title="after a gradient the state of the object is no number, but a value of the tracer",
    month="2015-11",
    symptom="wrong-value",
    cause="The program is run with values that carry derivatives, and what it stores in an object stays there when "
    "the gradient has been taken.",
    needs=("nested", "objects"),
    at=(SIGNAL,),
    right=((2 * SIGNAL * np.prod(0.5 + SIGNAL**2) / (0.5 + SIGNAL**2), True),),
    oracle="closed form: of the product of 0.5 + x²; an object that was run holds numbers",
    reported=((2 * SIGNAL * np.prod(0.5 + SIGNAL**2) / (0.5 + SIGNAL**2), False),),
    asks="value",
    defect=traced(attributes, "set_raw", traced_values_stay),
)
def state_is_a_number_after_the_gradient(x, *, ad):
    recursive = Filter()
    (slopes,) = ad.gradient(recursive.run, x)
    return slopes, isinstance(recursive.state, float)


class Centred:
    """Subtracts the mean, and keeps a running one."""

    def __init__(self, training=True):
        self.mean, self.training = None, training

    def __call__(self, x):
        if not self.training:
            return x - (0.0 if self.mean is None else self.mean)
        mean = np.mean(x)
        self.mean = mean if self.mean is None else 0.9 * self.mean + 0.1 * mean
        return x - mean


_load_field = attributes.load


def of_this_call(storage_, key, value, size=None):
    if type(value) is Traced:
        raise RuntimeError("a value of an earlier differentiation was used")
    return _load_field(storage_, key, value, size)


SAMPLE = np.array([1.0, 2.0, 4.0])
CENTRED = 2 * (SAMPLE - np.mean(SAMPLE))


@case(
    "flux-640",
    "https://github.com/FluxML/Flux.jl/issues/640",
    "https://github.com/patrick-kidger/equinox/issues/183",
    title="the second gradient of a layer with a running mean raises",
    month="2019-02",
    symptom="raises",
    cause="The first one left a value in the layer that belongs to a tracer, or to a tape that has been run through, "
    "and the second one computed with it.",
    needs=("nested", "objects"),
    at=(SAMPLE,),
    right=((CENTRED, CENTRED),),
    oracle="closed form: 2 (x - mean), both times",
    reported=Raises("crash", "a value of an earlier differentiation|UnexpectedTracerError"),
    asks="value",
    defect=together(traced(attributes, "set_raw", traced_values_stay), traced(attributes, "load", of_this_call)),
)
def two_gradients_of_a_layer_with_a_state(x, *, ad):
    layer = Centred()

    def loss(x):
        return np.sum(layer(x) ** 2)

    return ad.gradient(loss, x)[0], ad.gradient(loss, x)[0]


def training_while_differentiated(obj, name):
    return True if name == "training" else attributes.get_attribute(obj, name)


@case(
    "flux-1429",
    "https://github.com/FluxML/Flux.jl/issues/1429",
    title="taking a gradient in test mode changes the running mean of the layer",
    month="2020-12",
    symptom="wrong-value",
    cause="Whether statistics are kept was decided by whether a gradient is being taken, and not by the mode that the "
    "layer had been set to.",
    needs=("nested", "objects"),
    at=(SAMPLE,),
    right=((2 * SAMPLE, True),),
    oracle="closed form: 2x, with a running mean of 0 that stays as it is",
    reported=((CENTRED, False),),
    asks="value",
    defect=in_runtime("get_attribute", training_while_differentiated),
)
def running_mean_in_test_mode(x, *, ad):
    layer = Centred(training=False)
    (slopes,) = ad.gradient(lambda x: np.sum(layer(x) ** 2), x)
    return slopes, layer.mean is None


class Recurrent:
    def __init__(self, input_weight, weight, bias, state):
        self.input_weight, self.weight, self.bias, self.state = input_weight, weight, bias, state

    def __call__(self, x):
        state = self.input_weight * x + self.weight * self.state + self.bias
        self.state = state
        return state


@case(
    "flux-2185",
    "https://github.com/FluxML/Flux.jl/issues/2185",
    title="the gradient of a recurrent layer leaves out all steps before the last",
    month="2023-03",
    symptom="wrong-value",
    cause="The state is a field that each call writes, and the cotangent of the field that one call has read was not "
    "given to the call that had written it.",
    needs=("objects",),
    at=(5.0, 4.0, 0.0, 7.0),
    right=(11.0, 66.0, 5.0, 16.0),
    oracle="closed form: of 3a + w (2a + w h + b) + b",
    reported=(3.0, 38.0, 1.0, None),
    defect=reads_are_lost(lambda entry: entry.key == "state"),
)
def two_steps_of_a_recurrent_layer(input_weight, weight, bias, state):
    cell = Recurrent(input_weight, weight, bias, state)
    return [cell(x) for x in (2.0, 3.0)][1]


class Resettable:
    def __init__(self, weight, state):
        self.weight, self.state, self.first = weight, state, state

    def reset(self):
        self.state = self.first

    def __call__(self, x):
        self.state = np.tanh(self.weight * x + self.state)
        return self.state


ONCE = np.tanh(0.3 + 0.1)
TWICE = np.tanh(-0.15 + ONCE)


@case(
    "flux-2341",
    "https://github.com/FluxML/Flux.jl/issues/2341",
    title="resetting the state inside the loss makes the gradient raise",
    month="2023-09",
    symptom="raises",
    cause="A mutable object had its cotangent in a cell of its own and as a record of fields, and there was no sum of "
    "the two.",
    needs=("objects",),
    at=(0.3,),
    right=(float(-(1 - TWICE**2) * (-0.5 + (1 - ONCE**2))),),
    oracle="closed form: of 2 - tanh(-w/2 + tanh(w + 0.1))",
    reported=Raises("crash", "TypeError: unsupported operand"),
    defect=structures_do_not_add,
)
def state_reset_inside_the_loss(weight):
    layer = Resettable(weight, 0.1)
    layer.reset()
    outputs = [layer(x) for x in (1.0, -0.5)]
    return abs(outputs[-1] - 2.0)


class Ref:
    def __init__(self, x):
        self.x = x


class Outer:
    def __init__(self, inner):
        self.inner = inner


@contextmanager
def gradients_of_fields_add_up():
    totals = {}

    def added(d, value):
        totals[id(value)] = totals.get(id(value), 0.0) + _of_its_kind(d, value)
        return totals[id(value)]

    with traced(structure, "of_its_kind", added)():
        yield


@case(
    "warp-807",
    "https://github.com/NVIDIA/warp/issues/807",
    title="the second gradient of an object inside an object is doubled",
    month="2025-06",
    symptom="wrong-value",
    cause="Gradients are kept beside the arrays and set to zero between two runs; that went one level deep and did "
    "not reach the array in the inner object.",
    needs=("nested", "objects"),
    at=(np.array([1.0, -2.0]),),
    right=((np.array([2.0, -4.0]), np.array([2.0, -4.0])),),
    oracle="closed form: 2w, each time",
    reported=((np.array([2.0, -4.0]), np.array([4.0, -8.0])),),
    asks="value",
    defect=gradients_of_fields_add_up,
)
def two_gradients_of_a_nested_object(w, *, ad):
    outer = Outer(Ref(w))
    first, second = (ad.gradient(lambda outer: np.sum(outer.inner.x**2), outer)[0] for _ in range(2))
    return first.inner.x, second.inner.x
