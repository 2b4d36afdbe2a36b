"""The small neural-network side: layers, parameters by walk and by identity, flattening, and gradients through it."""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from engine import ArgumentError, ForeignCallError, gradient, switches
from engine.implicit import Grads, IdSet, Params
from engine.nn import Chain, Dense, destructure, identity, params, relu, sigmoid, tanh
from engine.rules.registry import removed
from regressions.adapters.reference import neutral
from regressions.case import Tolerance, fields
from regressions.compare import first_difference
from regressions.oracles import central_differences, implicit_differences

INPUT = np.array([0.3, -0.8, 0.5])
BATCH = np.array([[0.3, -0.8, 0.5], [1.0, 0.2, -0.4]])
# The oracle is good to 1e-10 of the loss, which is of order one here.
BY_DIFFERENCES = Tolerance(rtol=1e-8, atol=1e-9, why="extrapolated differences")


@pytest.fixture(params=["typed", "traced"], autouse=True)
def tier(request: pytest.FixtureRequest):
    """Each test runs on both tiers; the typed one falls back by itself."""
    if request.param == "traced":
        with switches.off("typed"):
            yield
    else:
        yield


def network(*activations: Callable, out: int = 2) -> Chain:
    first, second = activations
    return Chain(Dense(3, 4, first, rng=0), Dense(4, out, second, rng=1))


def shifted(model: Any) -> Any:
    """The same model with parameters nobody would meet by chance: biases are zero at first."""
    for i, array in enumerate(params(model)):
        array += 0.1 * np.cos(np.arange(array.size).reshape(array.shape) + i)
    return model


# -- layers ------------------------------------------------------------------------------------------------------------


def test_dense_is_an_affine_map_and_an_activation():
    layer = shifted(Dense(3, 2, tanh, rng=0))
    expected = np.tanh(layer.weight @ INPUT + layer.bias)
    np.testing.assert_allclose(layer(INPUT), expected, rtol=1e-15)
    np.testing.assert_allclose(layer(np.stack([INPUT, -INPUT]))[0], expected, rtol=1e-15)
    assert layer(np.zeros((5, 4, 3))).shape == (5, 4, 2)


def test_weights_come_from_the_seed_within_the_bound_of_glorot():
    weight = Dense(200, 100, rng=3).weight
    assert np.array_equal(weight, Dense(200, 100, rng=np.random.default_rng(3)).weight)
    assert not np.array_equal(weight, Dense(200, 100, rng=4).weight)
    assert 0.99 * np.sqrt(6 / 300) < np.abs(weight).max() <= np.sqrt(6 / 300)


def test_a_layer_without_bias_has_false_in_its_place():
    layer = Dense(3, 2, bias=False, rng=0)
    assert layer.bias is False and len(params(layer)) == 1
    np.testing.assert_allclose(layer(INPUT), layer.weight @ INPUT, rtol=1e-15)


@pytest.mark.parametrize(
    ("activation", "at", "value", "slope"),
    [
        (identity, -2.0, -2.0, 1.0),
        (tanh, 0.5, 0.46211715726000975, 0.7864477329659274),
        (relu, 3.0, 3.0, 1.0),
        (relu, -3.0, 0.0, 0.0),
        (relu, 0.0, 0.0, 0.0),  # at the kink the slope of the flat side
        (sigmoid, 0.0, 0.5, 0.25),
        (sigmoid, -700.0, 9.859676543759770e-305, 9.859676543759770e-305),
        (sigmoid, 700.0, 1.0, 9.859676543759770e-305),
    ],
)
def test_activation_has_its_value_and_slope(activation: Callable, at: float, value: float, slope: float):
    x = np.array([at])
    np.testing.assert_allclose(activation(x), [value], rtol=1e-13)
    (g,) = gradient(lambda x: np.sum(activation(x) * 1.0), x)
    np.testing.assert_allclose(g, [slope], rtol=1e-13)


def test_relu_keeps_nan():
    assert np.isnan(relu(np.array([np.nan]))).all()


# -- parameters by walk ------------------------------------------------------------------------------------------------

Pair = namedtuple("Pair", "left right")


class Slotted:
    __slots__ = ("weight",)

    def __init__(self, weight: np.ndarray) -> None:
        self.weight = weight


def test_params_are_in_the_order_of_the_walk():
    a, b, c, d = (np.full(2, i) * 1.0 for i in range(4))
    model = fields(first=[a, {"k": b}], second=(Pair(c, 1.0), None), third="text", fourth=d, size=3)
    assert [p is q for p, q in zip(params(model), [a, b, c, d], strict=True)] == [True] * 4


def test_shared_arrays_and_layers_count_once_and_cycles_end():
    layer = Dense(2, 2, rng=0)
    tied = Dense(2, 2, rng=1)
    tied.weight = layer.weight
    model = Chain(layer, layer, tied)
    model.itself = model
    assert [id(p) for p in params(model)] == [id(layer.weight), id(layer.bias), id(tied.bias)]


def test_equal_arrays_are_two_parameters():
    assert len(params([np.ones(2), np.ones(2)])) == 2


def test_integers_functions_classes_and_modules_hold_no_parameters():
    def function():
        return None

    function.array = np.ones(2)
    assert len(params([np.arange(3), function, Dense, np, np.sum, "text", 1.0, None])) == 0


def test_fields_in_slots_are_found():
    weight = np.ones(2)
    assert params(Slotted(weight))[0] is weight


# -- collections by identity -------------------------------------------------------------------------------------------


def test_identity_set_keeps_what_is_equal_apart_and_alive():
    seen = IdSet()
    for _ in range(100):  # without being kept alive, the lists would get each other's identity
        seen.add([1])
    assert len(seen) == 100 and [1] not in seen and all(member in seen for member in seen)


def test_params_holds_each_array_once():
    W, b = np.ones((2, 2)), np.ones(2)
    ps = Params(iter([W, b, W]))
    assert len(ps) == 2 and ps[0] is W and ps[-1] is b and list(map(id, ps)) == [id(W), id(b)]
    assert W in ps and W.copy() not in ps


@pytest.mark.parametrize("bad", [[1.0], [np.arange(3)], ["W"], [None], [[np.ones(2)]], np.ones((2, 2))])
def test_params_takes_arrays_of_floats_only(bad: Any):
    with pytest.raises(ArgumentError, match=r"Params (collects arrays of floats|takes the arrays in a list)"):
        Params(bad)


def test_grads_are_looked_up_by_the_array_itself():
    W, b = np.ones(2), np.ones(2)
    grads = gradient(lambda: np.sum(W * W), Params([W, b]))
    assert isinstance(grads, Grads) and len(grads) == 2
    assert np.array_equal(grads[W], 2 * W) and grads[b] is None
    assert [p is q for (p, _), q in zip(grads.items(), [W, b], strict=True)] == [True, True]
    with pytest.raises(KeyError, match="is none of the 2 parameters"):
        grads[W.copy()]


def test_a_view_made_outside_the_loss_is_another_array_and_one_made_inside_is_not():
    W = np.array([2.0, 3.0])
    outside = W[:1]
    assert np.array_equal(gradient(lambda: np.sum(outside * W), Params([W]))[W], [2, 2])
    assert np.array_equal(gradient(lambda: np.sum(W[:1] * W), Params([W]))[W], [2 * 2 + 3, 2])


# -- gradients through it ----------------------------------------------------------------------------------------------


def test_the_report_that_started_it():
    """Flux.jl#2497."""
    m = Chain(Dense(3, 3), np.sum)
    (g,) = gradient(lambda m: np.sum(params(m)[0]), m)
    assert np.array_equal(g.layers[0].weight, np.ones((3, 3)))
    assert g.layers[0].bias is None and g.layers[0].activation is None and g.layers[1] is None


def test_without_its_rule_the_identity_set_is_a_foreign_call_that_says_where_and_what_to_do():
    def penalty(m):
        return np.sum(params(m)[0])

    with removed(dict.setdefault), pytest.raises(ForeignCallError) as caught:
        gradient(penalty, Chain(Dense(3, 3), np.sum))
    text = str(caught.value)
    line = penalty.__code__.co_firstlineno + 1
    assert text.startswith("Can't differentiate foreigncall expression dict.setdefault(")
    assert "implicit.py" in text and f"{__file__}:{line}, in penalty" in text
    assert re.findall(r", in (\w+)", text) == ["add", "_collect", "params", "penalty"]
    assert all(way in text for way in ("engine.rule(dict.setdefault", "engine.constant(dict.setdefault)", "avoid it"))


@pytest.mark.parametrize("activation", [identity, tanh, sigmoid])
@pytest.mark.parametrize("x", [INPUT, BATCH], ids=["one", "batch"])
def test_explicit_gradient_of_a_model_agrees_with_differences(activation: Callable, x: np.ndarray):
    def loss(m, x):
        return np.sum(m(x) ** 2)

    model = shifted(network(tanh, activation))
    got = neutral(gradient(loss, model, x))
    assert first_difference(got, central_differences(loss, model, x), BY_DIFFERENCES) is None


def test_implicit_gradient_of_a_model_agrees_with_differences():
    model = shifted(network(sigmoid, tanh))
    ps = params(model)
    grads = gradient(lambda: np.sum(model(BATCH) ** 2), ps)
    expected = implicit_differences(lambda: np.sum(model(BATCH) ** 2), list(ps))
    assert first_difference(tuple(d for _, d in grads.items()), expected, BY_DIFFERENCES) is None


def test_penalty_over_collected_parameters_agrees_with_differences():
    def loss(m):
        return np.sum(m(INPUT)) + sum(np.sum(p**3) for p in params(m))

    model = shifted(network(tanh, identity))
    got = neutral(gradient(loss, model))
    assert first_difference(got, central_differences(loss, model), BY_DIFFERENCES) is None


def test_tied_layers_sum_in_implicit_mode():
    layer = shifted(Dense(3, 3, tanh, rng=0))
    model = Chain(layer, layer)
    grads = gradient(lambda: np.sum(model(INPUT)), params(model))
    expected = implicit_differences(lambda: np.sum(model(INPUT)), [layer.weight, layer.bias])
    assert len(grads) == 2
    assert first_difference((grads[layer.weight], grads[layer.bias]), expected, BY_DIFFERENCES) is None


def test_a_layer_in_two_places_is_one_variable_with_one_gradient():
    layer = shifted(Dense(3, 3, tanh, rng=0))
    (g,) = gradient(lambda m: np.sum(m(INPUT)), Chain(layer, layer))
    expected, _ = implicit_differences(lambda: np.sum(layer(layer(INPUT))), [layer.weight, layer.bias])
    assert g.layers[0] is g.layers[1]
    assert first_difference(g.layers[0].weight, expected, BY_DIFFERENCES) is None


def test_an_array_in_two_places_has_a_gradient_for_each_place():
    weight = np.array([[0.5, -0.2], [0.1, 0.3]])
    (g,) = gradient(lambda m: np.sum((m["a"] @ m["b"]) ** 2), {"a": weight, "b": weight})
    expected = central_differences(lambda a, b: np.sum((a @ b) ** 2), weight, weight.copy())
    assert first_difference((g["a"], g["b"]), expected, BY_DIFFERENCES) is None


def test_a_model_that_holds_itself_has_a_gradient():
    model = Chain(shifted(Dense(2, 2, rng=0)))
    model.itself = model
    (g,) = gradient(lambda m: np.sum(params(m)[0]), model)
    assert np.array_equal(g.layers[0].weight, np.ones((2, 2)))


# -- flattening --------------------------------------------------------------------------------------------------------


def test_rebuilding_from_its_own_vector_gives_the_same_model():
    model = shifted(network(tanh, relu))
    flat, rebuild = destructure(model)
    again = rebuild(flat)
    assert again is not model and np.array_equal(again(INPUT), model(INPUT))
    assert rebuild(flat).layers[1].activation is relu and destructure([np.sum])[1](np.zeros(0)) == [np.sum]
    assert again.layers[0].activation is tanh and again.layers[0].weight is not model.layers[0].weight
    assert np.array_equal(flat, np.concatenate([p.ravel() for p in params(model)]))


def test_rebuilding_keeps_what_is_shared_shared_and_what_is_cyclic_cyclic():
    layer = Dense(2, 2, rng=0)
    model = Chain(layer, [layer, {"deep": (layer.weight, 7)}])
    model.itself = model
    flat, rebuild = destructure(model)
    again = rebuild(2 * flat)
    assert flat.shape == (6,) and again.itself is again and again.layers[0] is again.layers[1][0]
    assert again.layers[1][1]["deep"][0] is again.layers[0].weight and again.layers[1][1]["deep"][1] == 7
    assert np.array_equal(again.layers[0].weight, 2 * layer.weight)


@dataclass(frozen=True, slots=True)
class Frozen:
    weight: np.ndarray
    name: str = "frozen"


def test_rebuilding_reaches_slots_and_frozen_objects():
    flat, rebuild = destructure([Slotted(np.ones(2)), Frozen(np.ones(3))])
    again = rebuild(3 * flat)
    assert np.array_equal(again[0].weight, [3, 3]) and np.array_equal(again[1].weight, [3, 3, 3])
    assert again[1].name == "frozen"
    (g,) = gradient(lambda v: np.sum(rebuild(v)[0].weight ** 2) + np.sum(rebuild(v)[1].weight), flat)
    assert np.array_equal(g, [2, 2, 1, 1, 1])


def test_rebuilding_keeps_dtypes_and_kinds_of_containers():
    model = Pair(np.ones(2, np.float32), fields(b=np.ones(1), n=np.arange(2)))
    flat, rebuild = destructure(model)
    again = rebuild(flat)
    assert type(again) is Pair and again.left.dtype == np.float32 and again.right.b.dtype == np.float64
    assert again.right.n is model.right.n


def test_a_vector_of_another_length_is_refused():
    _, rebuild = destructure(Dense(3, 2, rng=0))
    with pytest.raises(ValueError, match=r"the model has 8 parameters, .* has shape \(7,\)"):
        rebuild(np.zeros(7))


def test_a_model_without_parameters_is_the_empty_vector():
    flat, rebuild = destructure(Chain(np.tanh))
    assert flat.shape == (0,) and rebuild(flat)(0.0) == 0.0


def test_gradient_for_the_vector_agrees_with_differences():
    def loss(v):
        return np.sum(rebuild(v)(BATCH) ** 2)

    flat, rebuild = destructure(shifted(network(tanh, sigmoid)))
    assert first_difference(gradient(loss, flat), central_differences(loss, flat), BY_DIFFERENCES) is None


def test_gradient_for_the_vector_of_a_tied_model_sums():
    layer = shifted(Dense(3, 3, tanh, rng=0))
    flat, rebuild = destructure(Chain(layer, layer))

    def loss(v):
        return np.sum(rebuild(v)(INPUT))

    assert first_difference(gradient(loss, flat), central_differences(loss, flat), BY_DIFFERENCES) is None


def test_the_vector_is_a_differentiable_function_of_the_model():
    model = shifted(network(tanh, identity))
    (g,) = gradient(lambda m: np.sum(destructure(m)[0] ** 2), model)
    assert np.array_equal(g.layers[1].weight, 2 * model.layers[1].weight)


def test_second_derivative_through_a_rebuilt_model():
    flat, rebuild = destructure(shifted(network(tanh, tanh, out=1)))

    def slope(v):
        (g,) = gradient(lambda x: np.sum(rebuild(v)(x)), INPUT)
        return np.sum(g**2)

    assert first_difference(gradient(slope, flat), central_differences(slope, flat), BY_DIFFERENCES) is None
