"""Models flattened into one vector and rebuilt from it: parts the loss leaves out, arrays in two places."""

from __future__ import annotations

import numpy as np

from ..case import Raises, case
from ..defects.state import by_a_rule


def two_parts(v):
    return v[0:2], v[2:5]


def present(d, out, v):
    return np.concatenate([part for part in d if part is not None])


@case(
    "flux-1826",
    "https://github.com/FluxML/Flux.jl/issues/1826",
    title="a loss that uses only some of the rebuilt arrays raises a dimension mismatch",
    month="2022-01",
    symptom="raises",
    cause="The pullback of rebuilding joined the cotangents it was given, and an array without one made the vector "
    "shorter; it has to walk over the model and put zeros there.",
    at=(np.array([1.0, 2.0, 3.0, 4.0, 5.0]),),
    right=(np.array([1.0, 1.0, 0.0, 0.0, 0.0]),),
    oracle="closed form: a sum of the first two",
    reported=Raises("crash", "Mismatch"),
    defect=by_a_rule(two_parts, v=present),
)
def one_of_two_rebuilt_arrays(v):
    first, _ = two_parts(v)
    return np.sum(first)


def shared_by_the_ends(v):
    shared = v[0:2]
    return shared, v[2:4], shared


@case(
    "flux-1826",
    "https://github.com/FluxML/Flux.jl/issues/1826",
    title="the gradient for an array in two places lands in the slot of the array between them",
    month="2022-01",
    symptom="wrong-value",
    cause="The flat gradient was made by leaving out arrays that occur twice in the gradient, where they are two, "
    "instead of those that occur twice in the model.",
    at=(np.array([1.0, 2.0, 3.0, 4.0]),),
    right=(np.array([16.0, 16.0, 0.0, 0.0]),),
    oracle="closed form: 3 + 13 for the shared array, nothing for the other",
    reported=(np.array([3.0, 3.0, 13.0, 13.0]),),
    defect=by_a_rule(shared_by_the_ends, v=present),
)
def shared_array_and_an_unused_one(v):
    first, _, last = shared_by_the_ends(v)
    return 3 * np.sum(first) + 13 * np.sum(last)


def later_over_earlier(d, out, v):
    first, _, last = d
    return np.concatenate([first, last])


@case(
    "flux-1826",
    "https://github.com/FluxML/Flux.jl/issues/1826",
    title="the array after a shared one gets the gradient of the shared one",
    month="2022-01",
    symptom="wrong-value",
    cause="The places in the flat vector were counted over distinct arrays, but filled from a gradient in which the "
    "shared one is two; a later one overwrote what stood there.",
    at=(np.array([1.0, 2.0, 3.0, 4.0]),),
    right=(np.array([17.0, 17.0, 4.0, 4.0]),),
    oracle="closed form: 4 + 13 for the shared array, 4 for the other",
    reported=(np.array([4.0, 4.0, 13.0, 13.0]),),
    defect=by_a_rule(shared_by_the_ends, v=later_over_earlier),
)
def shared_array_with_all_in_use(v):
    first, middle, last = shared_by_the_ends(v)
    return 4 * (np.sum(first) + np.sum(middle)) + 13 * np.sum(last)


def one_layer_twice(v):
    layer = v[0:1].reshape(1, 1), v[1:2]
    return layer, layer


def weights_once_biases_twice(d, out, v):
    (weight, bias), (_, again) = d
    return np.concatenate([weight[0], bias, again])


@case(
    "flux-1767",
    "https://github.com/FluxML/Flux.jl/issues/1767",
    title="a model that uses one layer twice cannot be rebuilt and differentiated: lengths differ",
    month="2021-11",
    symptom="raises",
    cause="What is shared was found by arrays when the model was flattened and by layers when the gradient was, and "
    "the two counted differently.",
    at=(np.array([0.3, 0.1]),),
    right=(np.array([1.0, 2.0]),),
    oracle="closed form: 2x for the weight and 2 for the bias, with x = 0.5",
    reported=Raises("crash", "Mismatch"),
    defect=by_a_rule(one_layer_twice, v=weights_once_biases_twice),
)
def layer_used_twice(v):
    x = np.array([0.5])
    return np.sum(sum(weight @ x + bias for weight, bias in one_layer_twice(v)))
