"""Collecting the arrays of a model inside the loss, and gradients that have the model's own structure."""

from __future__ import annotations

import numpy as np

from engine.errors import MutationError
from engine.nn import Chain, Dense, params

from ..case import Raises, case, fields
from ..defects import declared_constant, on_traced_tier, raising, summed_by_identity, without_rule

ROWS, COLUMNS = np.array([[1.0, -2.0]]), np.array([[3.0], [4.0]])


@case(
    "flux-2497",
    "https://github.com/FluxML/Flux.jl/issues/2497",
    title="summing the first of a model's collected parameters raises a foreign call error",
    month="2024-10",
    symptom="raises",
    cause="The collector keeps a set by identity, which a new version of the host language fills through a C function; "
    "that function had no rule, although no derivative depends on it.",
    needs=("objects", "plain-values"),
    at=(Chain(Dense(3, 3, rng=0), np.sum),),
    right=(fields(layers=(fields(weight=np.ones((3, 3)), bias=None, activation=None), None)),),
    oracle="closed form: the sum of the weight alone",
    reported=Raises("foreign-call", "Can't differentiate foreigncall expression"),
    defect=without_rule(dict.setdefault),
)
def params_collected_inside_gradient(model):
    return np.sum(params(model)[0])


def arrays_once(tree, seen):
    if isinstance(tree, np.ndarray):
        return [] if seen.setdefault(id(tree), tree) is not tree else [tree]
    return [array for branch in tree for array in arrays_once(branch, seen)]


@case(
    "flux-2441",
    "https://github.com/FluxML/Flux.jl/issues/2441",
    title="the squared norm of all parameters, each array once, fails in the identity table",
    month="2024-05",
    symptom="raises",
    cause="Telling arrays apart by identity runs a primitive of the hash table for which there was no rule; it carries "
    "no derivative and is to be stepped over.",
    needs=("containers", "plain-values"),
    at=([ROWS, [COLUMNS]],),
    right=([2 * ROWS, [2 * COLUMNS]],),
    oracle="closed form: 2p for each array p",
    reported=Raises("foreign-call", "Can't differentiate foreigncall expression"),
    defect=without_rule(dict.setdefault),
)
def squared_norm_of_arrays_told_apart_by_identity(model):
    return sum(np.sum(array**2) for array in arrays_once(model, {}))


class Layer:
    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias


def collected(node, arrays, visited):
    if isinstance(node, np.ndarray):
        arrays.append(node)
    elif node not in visited:
        visited.add(node)
        for part in vars(node).values():
            collected(part, arrays, visited)
    return arrays


@case(
    "zygote-1494",
    "https://github.com/FluxML/Zygote.jl/pull/1494",
    title="putting the visited layers of a model into a set is a foreign call",
    month="2024-01",
    symptom="raises",
    cause="Insertion into the set used to be ordinary code and became a native call when the host language rewrote its "
    "set type; nothing declared that no derivative goes through it.",
    needs=("objects", "plain-values"),
    at=(Layer(ROWS, np.array([3.0])),),
    right=(fields(weight=2 * ROWS, bias=None),),
    oracle="closed form: 2w, the bias is collected and not used",
    reported=Raises("foreign-call"),
    defect=without_rule(set.add),
)
def layers_remembered_in_a_set(model):
    return np.sum(collected(model, [], set())[0] ** 2)


def arrays_of(tree):
    arrays = []
    for branch in tree.values():
        arrays.append(branch) if isinstance(branch, np.ndarray) else arrays.extend(arrays_of(branch))
    return arrays


@case(
    "flux-2091",
    "https://github.com/FluxML/Flux.jl/issues/2091",
    title="a penalty over the collected parameters contributes nothing, silently",
    month="2022-10",
    symptom="missing-gradient",
    cause="The collector had been declared to have no derivative: right where parameters are found by identity, wrong "
    "where the collection is a function of the model given as argument.",
    needs=("containers", "plain-values"),
    at=({"x": np.array([1.0, 2.0]), "y": np.array([3.0])},),
    right=({"x": np.array([1.0, 2.0]) / np.sqrt(5.0), "y": np.array([1.0])},),
    oracle="closed form: p / |p| for each array",
    reported=(None,),
    defect=declared_constant(arrays_of),
)
def norms_of_collected_parameters(model):
    return sum(np.linalg.norm(array) for array in arrays_of(model))


WEIGHT, BIAS = np.array([[0.5, -0.2], [0.1, 0.3]]), np.array([0.2, -0.4])
INPUT, TARGET = np.array([1.0, 2.0]), np.array([0.5, 0.5])
RESIDUAL = WEIGHT @ INPUT + BIAS - TARGET


def gathered(model):
    arrays = []
    for array in model:
        arrays.append(array)
    return arrays


@case(
    "flux-930",
    "https://github.com/FluxML/Flux.jl/issues/930",
    "https://github.com/FluxML/Zygote.jl/issues/941",
    title="a norm penalty raises 'mutating arrays is not supported', though the loss mutates nothing",
    month="2019-11",
    symptom="raises",
    cause="The collector appends to a list of its own, and every append was refused as a mutation instead of being "
    "followed.",
    needs=("containers",),
    at=((WEIGHT, BIAS),),
    right=(
        (
            np.outer(RESIDUAL, INPUT) + WEIGHT / np.sqrt(np.sum(WEIGHT**2)),
            RESIDUAL + BIAS / np.sqrt(np.sum(BIAS**2)),
        ),
    ),
    oracle="closed form: of the mean of two squares r xᵀ and r, of the norms p / |p|",
    reported=Raises("mutation", "[Mm]utating arrays is not supported"),
    defect=on_traced_tier(raising(list.append, MutationError, "Mutating arrays is not supported")),
)
def norm_penalty_over_a_list_filled_in_the_loss(model):
    weight, bias = model
    misfit = np.mean((weight @ INPUT + bias - TARGET) ** 2)
    return misfit + sum(np.linalg.norm(array) for array in gathered(model))


class Affine:
    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias

    def __call__(self, x):
        return self.weight @ x + self.bias


@case(
    "flux-1379",
    "https://github.com/FluxML/Flux.jl/pull/1379",
    title="the placeholder of a disabled bias receives a gradient, and training moves it",
    month="2020-11",
    symptom="wrong-structure",
    cause="The placeholder was an array-like of zeros whose addition had a rule that returned a dense cotangent; False "
    "in its place is no number a derivative belongs to.",
    needs=("objects",),
    at=(Affine(np.array([[1.0, 2.0], [3.0, 4.0]]), False),),
    right=(fields(weight=np.array([[1.0, 2.0], [1.0, 2.0]]), bias=None),),
    oracle="closed form: the input in each row; False is no parameter",
    reported=(fields(weight=np.array([[1.0, 2.0], [1.0, 2.0]]), bias=np.array([1.0, 1.0])),),
    no_defect="the mistake was in how a library represented its model, which here is False by type",
)
def disabled_bias_is_no_parameter(layer):
    return np.sum(layer(np.array([1.0, 2.0])))


class Normalisation:
    def __init__(self):
        self.scale, self.shift, self.power = np.array([1.0, 1.0]), np.array([0.0, 0.0]), pow

    def __call__(self, x):
        deviation = x - x.mean(1, keepdims=True)
        variance = self.power(deviation, 2).mean(1, keepdims=True)
        return self.scale[:, None] * deviation / np.sqrt(variance + 1e-5) + self.shift[:, None]


BATCH, PROBE = np.array([[1.0, 2.0, 4.0], [0.0, 3.0, 1.0]]), np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]])
STANDARD = (BATCH - BATCH.mean(1, keepdims=True)) / np.sqrt(BATCH.var(1, keepdims=True) + 1e-5)


@case(
    "flux-1018",
    "https://github.com/FluxML/Flux.jl/issues/1018",
    title="the gradient of a normalisation layer has entries for functions and constants",
    month="2020-02",
    symptom="wrong-structure",
    cause="Cotangents were filed under every value met on the way: the power function, the constant exponent and the "
    "layer beside its two arrays.",
    needs=("objects",),
    at=(Normalisation(),),
    right=(fields(scale=np.sum(PROBE * STANDARD, axis=1), shift=np.sum(PROBE, axis=1), power=None),),
    oracle="closed form: the loss is linear in scale and shift",
    reported=(fields(scale=np.sum(PROBE * STANDARD, axis=1), shift=np.sum(PROBE, axis=1), power=fields(x=None)),),
    no_defect="a function is no value the engine keeps cotangents for, so there is no check to take away",
)
def model_that_holds_a_function(layer):
    return np.sum(PROBE * layer(BATCH))


SHARED = np.array([3.0, 4.0])


@case(
    "tracker-167",
    "https://github.com/FluxML/Tracker.jl/issues/167",
    title="an array in two places of the argument gets the sum of both gradients in each of them",
    month="2024-03",
    symptom="wrong-value",
    cause="Cotangents were kept by the identity of the array, so each place showed what both places together had "
    "received; an optimiser that visits the places then steps twice as far.",
    needs=("containers",),
    at=({"encoder": SHARED, "decoder": SHARED, "other": SHARED.copy()},),
    right=({"encoder": np.ones(2), "decoder": np.ones(2), "other": np.ones(2)},),
    oracle="definition: an explicit gradient holds the partial derivative for each place of its argument",
    reported=({"encoder": 2 * np.ones(2), "decoder": 2 * np.ones(2), "other": np.ones(2)},),
    defect=summed_by_identity,
)
def shared_array_has_a_gradient_for_each_place(model):
    return sum(np.sum(array) for array in model.values())
