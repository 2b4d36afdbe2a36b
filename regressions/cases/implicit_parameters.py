"""Gradients for arrays known by identity, by whatever name, container or closure the loss reaches them."""

from __future__ import annotations

import numpy as np

from engine import implicit
from engine.nn import Chain, Dense, Params, params

from ..case import Raises, case, fields
from ..defects import (
    cell_hides_its_array,
    collection_seeds_itself,
    indexing_credits_twice,
    inner_gradient_keeps_its_books_in_the_program,
    known_by_name_only,
    patched,
    refiled_when_read_back,
    structural_cotangents_end_at_the_object,
)

WEIGHT, BIAS, INPUT = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]), np.array([0.7, 0.8]), np.array([1.0, 2.0, 3.0])
OUTPUT = WEIGHT @ INPUT + BIAS
COLLECTION = Params([WEIGHT.copy(), BIAS.copy()])


@case(
    "flux-1614",
    "https://github.com/FluxML/Flux.jl/pull/1614",
    title="building a collection of the parameters that is never used adds 1 to every entry of every gradient",
    month="2021-06",
    symptom="wrong-value",
    cause="The constructor of the collection had a pullback that filed a cotangent of its own for each array, on top "
    "of what arrived by the ordinary way.",
    needs=("implicit", "objects"),
    wrt=(WEIGHT, BIAS),
    right=(2 * np.outer(OUTPUT, INPUT), 2 * OUTPUT),
    oracle="closed form: 2 (Wx + b) xᵀ and 2 (Wx + b)",
    reported=(2 * np.outer(OUTPUT, INPUT) + 1, 2 * OUTPUT + 1),
    defect=collection_seeds_itself,
)
def unused_collection_changes_nothing():
    Params([WEIGHT, BIAS])
    return np.sum((WEIGHT @ INPUT + BIAS) ** 2)


@case(
    "flux-1614",
    "https://github.com/FluxML/Flux.jl/pull/1614",
    title="summing over a collection built inside the loss counts every parameter twice",
    month="2021-06",
    symptom="wrong-value",
    cause="Two routes credited the same array: it was found by identity, and once more by the pullback of indexing the "
    "collection.",
    needs=("implicit", "objects"),
    wrt=(WEIGHT, BIAS),
    right=(np.ones((2, 3)), np.ones(2)),
    oracle="closed form: a sum of the entries",
    reported=(2 * np.ones((2, 3)), 2 * np.ones(2)),
    defect=indexing_credits_twice,
)
def collection_built_inside_counts_once():
    collection = Params([WEIGHT, BIAS])
    return np.sum(collection[0]) + np.sum(collection[1])


@case(
    "flux-1614",
    "https://github.com/FluxML/Flux.jl/pull/1614",
    title="summing over a collection built outside the loss gives no gradient",
    month="2021-06",
    symptom="missing-gradient",
    cause="An array that comes out of a captured collection was not compared with the parameters asked for.",
    needs=("implicit", "objects"),
    wrt=tuple(COLLECTION),
    right=(np.ones((2, 3)), np.ones(2)),
    oracle="closed form: a sum of the entries",
    reported=(None, None),
    defect=known_by_name_only,
)
def collection_built_outside_is_seen():
    return np.sum(COLLECTION[0]) + np.sum(COLLECTION[1])


STATES, FORCING, GOAL = [np.array([0.0, 1.0])], np.array([0.5, 0.6]), np.array([1.0, 1.0])


@case(
    "flux-1970",
    "https://github.com/FluxML/Flux.jl/issues/1970",
    title="a parameter that is read through a list gets no gradient, its neighbour read by name does",
    month="2022-05",
    symptom="missing-gradient",
    cause="Parameters were recognised where a global is read; an array that comes out of a captured container came by "
    "another path.",
    needs=("implicit", "containers"),
    wrt=(STATES[0], FORCING),
    right=(2 * (STATES[0] + FORCING - GOAL), 2 * (STATES[0] + FORCING - GOAL)),
    oracle="closed form: 2 (s + f - goal) for both",
    reported=(None, 2 * (STATES[0] + FORCING - GOAL)),
    defect=known_by_name_only,
)
def parameter_read_through_a_list():
    return np.sum((STATES[0] + FORCING - GOAL) ** 2)


BLOCKS = [np.array([3.0, 4.0]), np.array([5.0, 12.0])]


@case(
    "zygote-522",
    "https://github.com/FluxML/Zygote.jl/issues/522",
    title="parameters kept in a list and indexed in the loss have no gradient",
    month="2020-02",
    symptom="missing-gradient",
    cause="An array pulled out of a global list by indexing was not compared with the parameters that are tracked.",
    needs=("implicit", "containers"),
    wrt=tuple(BLOCKS),
    right=(np.array([3.0, 4.0]) / 5, np.array([5.0, 12.0]) / 13),
    oracle="closed form: p / |p|",
    reported=(None, None),
    defect=known_by_name_only,
)
def parameters_kept_in_a_list():
    return np.sqrt(np.sum(BLOCKS[0] ** 2)) + np.sqrt(np.sum(BLOCKS[1] ** 2))


class Holder:
    def __init__(self, weight):
        self.weight = weight


HELD = Holder(np.array([1.0, 2.0]))


@case(
    "zygote-688",
    "https://github.com/FluxML/Zygote.jl/pull/688",
    "https://github.com/FluxML/Zygote.jl/issues/691",
    title="a parameter that is put into a new object and read back has its gradient doubled",
    month="2020-06",
    symptom="wrong-value",
    cause="Every access on the way filed the cotangent for the parameter and passed it on as well, so that the next "
    "access filed it again; a cotangent is to be used once.",
    needs=("implicit", "objects"),
    wrt=(HELD.weight,),
    right=(np.array([2.0, 4.0]),),
    oracle="closed form: 2w",
    reported=(np.array([4.0, 8.0]),),
    defect=refiled_when_read_back,
)
def parameter_reached_by_two_accesses_counts_once():
    return np.sum(Holder(HELD.weight).weight ** 2)


def total(holder):
    return np.sum(holder.weight)


@case(
    "zygote-692",
    "https://github.com/FluxML/Zygote.jl/issues/692",
    title="a rule that returns the gradient of an object hides the gradient of the array in it",
    month="2020-06",
    symptom="missing-gradient",
    cause="The structural cotangent that came out of the rule was filed under the object, and not handed on to the "
    "arrays it is made of.",
    needs=("implicit", "objects", "rules"),
    wrt=(HELD.weight,),
    rules=[(total, {"holder": lambda d, out, holder: fields(weight=d * np.ones_like(holder.weight))})],
    right=(np.ones(2),),
    oracle="closed form: a sum of the entries",
    reported=(None,),
    defect=structural_cotangents_end_at_the_object,
)
def rule_for_a_function_of_an_object():
    return total(HELD)


SYSTEM = [np.array([1.0]), np.array([[2.0, 3.0], [4.0, 5.0]])]
POINTS = np.array([[1.0, 2.0], [0.5, -1.0]])
VELOCITY = np.vstack([POINTS[:1], -SYSTEM[0] * POINTS[1:]]) + SYSTEM[1] @ POINTS
DATA_TERM = SYSTEM[1] @ POINTS @ POINTS.T / 2


@case(
    "zygote-1251",
    "https://github.com/FluxML/Zygote.jl/issues/1251",
    title="the implicit gradient misses what goes through a captured variable that is assigned twice",
    month="2022-06",
    symptom="wrong-value",
    cause="A variable that a closure captures and that is assigned again lives in a cell; the gradient was filed under "
    "the cell and not handed on to the array in it.",
    needs=("implicit", "containers"),
    wrt=tuple(SYSTEM),
    right=(np.array([-5 * np.sum(VELOCITY[1] * POINTS[1])]), DATA_TERM + 5 * VELOCITY @ POINTS.T),
    oracle="closed form: with V the velocity, -5 Σ V₁ x₁ and ½ W x xᵀ + 5 V xᵀ",
    reported=(np.array([-5 * np.sum(VELOCITY[1] * POINTS[1])]), DATA_TERM),
    defect=cell_hides_its_array,
)
def captured_variable_assigned_twice():
    weight = None

    def velocity():
        return np.vstack([POINTS[:1], -SYSTEM[0] * POINTS[1:]]) + weight @ POINTS

    weight = SYSTEM[1]
    return np.mean((SYSTEM[1] @ POINTS) ** 2) + 10 * np.mean(velocity() ** 2)


def splatted(self, members=()):
    self._members = {}
    self.add(*members)


@case(
    "zygote-1032",
    "https://github.com/FluxML/Zygote.jl/issues/1032",
    title="a collection without parameters cannot be made",
    month="2021-07",
    symptom="raises",
    cause="The identity set was filled by one call with all members as arguments, which without members is a call that "
    "does not exist.",
    needs=("implicit",),
    wrt=(),
    right=(),
    oracle="definition: no parameters, no gradients",
    reported=Raises("crash", "TypeError"),
    defect=patched(implicit.IdSet, "__init__", splatted),
)
def no_parameters_at_all():
    return np.sum(WEIGHT @ INPUT)


def wrapped(self, numbers=()):
    self._arrays = [np.asarray(number) for number in numbers]


TEMPERATURE = 1.5


@case(
    "zygote-159",
    "https://github.com/FluxML/Zygote.jl/issues/159",
    title="a number given as implicit parameter has no gradient, silently",
    month="2019-04",
    symptom="no-error",
    cause="Numbers have no identity to be found by, so a parameter that is one can only be refused; it was accepted.",
    needs=("implicit", "refusal"),
    wrt=(TEMPERATURE,),
    right=Raises("argument", "keep it in an array"),
    oracle="definition: only an array is the same object wherever it is met",
    reported=(None,),
    defect=patched(implicit.Params, "__init__", wrapped),
)
def number_as_parameter_is_refused():
    return TEMPERATURE * TEMPERATURE


FIRST, SECOND = np.array([[0.5], [-0.3], [0.8]]), np.array([[0.4, -0.7, 0.2]])


def network(x):
    return np.sum(SECOND @ np.tanh(FIRST[:, 0] * x))


HIDDEN = np.tanh(FIRST[:, 0] * 0.2)
SLOPE = np.sum(SECOND[0] * FIRST[:, 0] * (1 - HIDDEN**2))
EXCESS = 2 * (SLOPE - 2 * 0.2 - 3)


@case(
    "flux-1338",
    "https://github.com/FluxML/Flux.jl/issues/1338",
    "https://github.com/FluxML/Flux.jl/issues/1753",
    title="a loss made of the model's own derivative cannot be differentiated for the model's parameters",
    month="2020-09",
    symptom="raises",
    cause="The inner gradient keeps its books in a dictionary by identity, and the outer one differentiated through "
    "the C functions of that dictionary.",
    needs=("implicit", "nested"),
    wrt=(FIRST, SECOND),
    right=(
        (EXCESS * SECOND[0] * (1 - HIDDEN**2) * (1 - 2 * FIRST[:, 0] * HIDDEN * 0.2))[:, None],
        (EXCESS * FIRST[:, 0] * (1 - HIDDEN**2))[None, :],
    ),
    oracle="closed form: of (s - 2x - 3)² with slope s = Σ v w (1 - h²), h = tanh(w x)",
    reported=Raises("foreign-call", "Can't differentiate foreigncall expression"),
    defect=inner_gradient_keeps_its_books_in_the_program,
)
def global_parameters_under_a_nested_gradient(*, ad):
    (slope,) = ad.gradient(network, 0.2)
    return (slope - 2 * 0.2 - 3) ** 2


STIFFNESS = 3.0


@case(
    "zygote-1013",
    "https://github.com/FluxML/Zygote.jl/issues/1013",
    title="the second derivative of a function that reads a global raises a foreign call error",
    month="2021-06",
    symptom="raises",
    cause="Reading a global makes the inner gradient look it up in its dictionary by identity, and the outer one "
    "differentiated through that lookup.",
    needs=("nested",),
    at=(1.0,),
    right=(2 * STIFFNESS,),
    oracle="closed form: the second derivative of k x²",
    reported=Raises("foreign-call", "Can't differentiate foreigncall expression"),
    defect=inner_gradient_keeps_its_books_in_the_program,
)
def second_derivative_with_a_global(x, *, ad):
    (slope,) = ad.gradient(lambda y: y * y * STIFFNESS, x)
    return slope


LEFT, RIGHT = np.array([1.0, -2.0]), np.array([0.5, 3.0])
MODEL = {"left": LEFT, "right": RIGHT}


@case(
    "zygote-992",
    "https://github.com/FluxML/Zygote.jl/pull/992",
    title="gradients for parameters cannot be used in a loss that is itself differentiated for them",
    month="2021-09",
    symptom="raises",
    cause="Looking up the inner gradient by the parameter is a lookup by identity in a table that the outer gradient "
    "entered, down to the C function.",
    needs=("implicit", "nested"),
    wrt=(LEFT, RIGHT),
    right=(12 * LEFT**2 * RIGHT, 4 * LEFT**3),
    oracle="closed form: of 4 l³ r, summed",
    reported=Raises("foreign-call", "Can't differentiate foreigncall expression"),
    defect=inner_gradient_keeps_its_books_in_the_program,
)
def collected_parameters_under_a_nested_gradient(*, ad):
    collected = params(MODEL)
    inner = ad.gradient(lambda: np.sum(LEFT**3 * RIGHT), ad.Params(collected))
    return sum(np.sum(inner[array] * array) for array in collected)


def forgetful(self, member):
    return False


TIED = Dense(2, 2, rng=1)
SIAMESE = Chain(TIED, Chain(np.tanh, TIED))


@case(
    "keras-8807",
    "https://github.com/keras-team/keras/issues/8807",
    "https://github.com/keras-team/keras/pull/9098",
    title="the penalty of a layer that is used in two places is counted twice",
    month="2017-12",
    symptom="wrong-value",
    cause="The losses of nested models were concatenated without asking whether they belong to the same layer.",
    needs=("implicit", "objects"),
    wrt=(TIED.weight, TIED.bias),
    right=(2 * TIED.weight, np.ones(2)),
    oracle="closed form: 2w, and 1 for each entry of the bias",
    reported=(4 * TIED.weight, 2 * np.ones(2)),
    defect=patched(implicit.IdSet, "__contains__", forgetful),
)
def penalty_of_a_shared_layer_counts_once():
    weights = [array for array in params(SIAMESE) if array.ndim == 2]
    biases = [array for array in params(SIAMESE) if array.ndim == 1]
    return sum(np.sum(weight**2) for weight in weights) + sum(np.sum(bias) for bias in biases)
