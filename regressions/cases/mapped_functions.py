"""map, comprehensions, generators and reduce over functions that keep a state, and over functions that do not."""

from __future__ import annotations

import math
import operator
from functools import partial, reduce

import numpy as np

from engine.traced import builtins, calls, storage
from engine.traced.levels import plain

from ..case import Raises, case
from ..costs import cost
from ..defects import on_traced_tier, with_rule
from ..defects.flow import mapped_in_forward_order
from ..defects.state import entries_with, traced, with_procedure

INPUTS = (0.5, -0.2, 0.8)


class Cell:
    """h = tanh(w h + x)"""

    def __init__(self, w, h):
        self.w, self.h = w, h

    def __call__(self, x):
        self.h = np.tanh(self.w * self.h + x)
        return self.h


def slope_of_the_sum(w, h, inputs):
    """The derivative of the sum of all states by w, carried along."""
    dh = total = 0.0
    for x in inputs:
        before, h = h, math.tanh(w * h + x)
        dh = (1 - h * h) * (before + w * dh)
        total += dh
    return total


def slope_in_forward_order(w, h, inputs):
    """The same pulled back, first step to last: the cotangent of a state comes after the step that made it."""
    d = dw = 0.0
    for x in inputs:
        before, h = h, math.tanh(w * h + x)
        d = (1.0 + d) * (1 - h * h)
        dw, d = dw + d * before, d * w
    return dw


@case(
    "zygote-676",
    "https://github.com/FluxML/Zygote.jl/pull/676",
    title="map over a cell that keeps a state has a wrong gradient",
    month="2020-07",
    symptom="wrong-value",
    cause="The rule for map is right for pure functions only: it ran the pullbacks first to last, and the cotangent "
    "of a state was read before the next step had written it.",
    needs=("objects",),
    at=(0.7,),
    right=(slope_of_the_sum(0.7, 0.1, INPUTS),),
    oracle="closed form: the derivative carried along with the recurrence",
    reported=(slope_in_forward_order(0.7, 0.1, INPUTS),),
    defect=mapped_in_forward_order,
)
def cell_mapped_over_a_sequence(w):
    return sum(map(Cell(w, 0.1), INPUTS))


@case(
    "flux-1638",
    "https://github.com/FluxML/Flux.jl/issues/1638",
    title="a layer with a cell inside is mapped as if it kept no state",
    month="2021-06",
    symptom="wrong-value",
    cause="Whether to run the pullbacks last to first was decided by looking at the mapped function alone; a layer "
    "that calls a cell does not look like one.",
    needs=("objects",),
    at=(0.7,),
    right=(2 * slope_of_the_sum(0.7, 0.0, INPUTS),),
    oracle="closed form: the derivative carried along with the recurrence",
    reported=(2 * slope_in_forward_order(0.7, 0.0, INPUTS),),
    defect=mapped_in_forward_order,
)
def layer_around_a_cell(w):
    cell = Cell(w, 0.0)

    def layer(x):
        return 2 * cell(x)

    return sum(map(layer, INPUTS))


@case(
    "zygote-777",
    "https://github.com/FluxML/Zygote.jl/pull/777",
    title="the results of a map, unpacked, have gradients in the wrong order",
    month="2020-09",
    symptom="wrong-value",
    cause="The pullbacks were run last to first where the cotangent of the result is an array; unpacking makes it a "
    "tuple, and that case was forgotten.",
    at=(np.array([2.0, 3.0, 4.0]),),
    right=(np.array([102.0, 66.0, 42.0]),),
    oracle="closed form: of 3x0 + 5 x0 x1 + 7 x0 x1 x2",
    reported=(np.array([3.0, 10.0, 132.0]),),
    defect=mapped_in_forward_order,
)
def running_product_unpacked(x):
    product = 1.0

    def step(v):
        nonlocal product
        product = product * v
        return product

    a, b, c = list(map(step, x))
    return 3 * a + 5 * b + 7 * c


ROWS, TARGETS = np.array([1.0, 2.0, 3.0]), np.array([-1.0, -2.0, -3.0])


def last_first(d, out, object, dtype=None):
    return tuple(d[len(object) - 1 - i] for i in range(len(object)))


@case(
    "zygote-1374",
    "https://github.com/FluxML/Zygote.jl/issues/1374",
    title="the rows of a weight matrix get each other's gradients",
    month="2023-02",
    symptom="wrong-value",
    cause="The pullbacks of a comprehension were put in reverse order and the cotangents were not: that was decided "
    "for each of the two on its own, by their types.",
    at=(np.zeros((3, 3)), np.zeros((3, 1))),
    right=(np.outer(ROWS, ROWS), ROWS[:, None]),
    oracle="closed form: the outer product of the error, which is 1, 2, 3, and the input",
    reported=(np.outer(ROWS[::-1], ROWS), ROWS[:, None]),
    defect=on_traced_tier(with_rule(np.array, object=last_first)),
)
def layer_computed_row_by_row(W, b):
    h = np.array([np.sum(ROWS * row) for row in W]).reshape(3, 1) + b
    return np.sum((h[:, 0] - TARGETS) ** 2) / 2


_creation = storage.Creation.reverse


def cotangent_expected(entry, sweep):
    if id(entry.storage) not in sweep.mirrors:
        raise TypeError("'NoneType' object is not iterable")
    _creation(entry, sweep)


@case(
    "zygote-804",
    "https://github.com/FluxML/Zygote.jl/issues/804",
    title="a comprehension whose result is thrown away makes the gradient raise",
    month="2020-10",
    symptom="raises",
    cause="The pullback of a comprehension went through the cotangent of its result, which is None when nobody uses "
    "it.",
    needs=("containers",),
    at=(np.array([1.0, 2.0]),),
    right=(np.array([6.0, 6.0]),),
    oracle="closed form: twice the sum, which the side effects make",
    reported=Raises("crash", "TypeError: 'NoneType'"),
    defect=traced(storage.Creation, "reverse", cotangent_expected),
)
def comprehension_for_its_side_effects(xs):
    total = 0.0

    def add(x):
        nonlocal total
        total = total + x
        return total * x

    [add(x) for x in xs]
    return total**2


BATCH, LABELS = [np.array([[1.0, 2.0]]), np.array([[0.5, -1.0]])], [0, 1]
LOGITS = np.array([[0.3, -0.2], [0.1, 0.4]])


def softmax(z):
    e = np.exp(z - np.max(z))
    return e / np.sum(e)


ERRORS = [softmax(x @ LOGITS) - np.eye(2)[label] for x, label in zip(BATCH, LABELS, strict=True)]


@case(
    "theano-2619",
    "https://github.com/Theano/Theano/issues/2619",
    title="a map over the results of a map ends in an IndexError when differentiated",
    month="2015-03",
    symptom="raises",
    cause="The gradient of a loop looked for the cotangents of its outputs behind those of its state; a map has no "
    "state, and the list was too short.",
    needs=("containers",),
    at=(LOGITS,),
    right=((BATCH[0].T @ ERRORS[0] + BATCH[1].T @ ERRORS[1]) / 2,),
    oracle="closed form: the mean of xᵀ (softmax - label)",
    reported=Raises("crash", "IndexError"),
    defect=entries_with(lambda size: []),
)
def losses_of_a_list_of_predictions(W):
    predictions = [softmax(np.dot(x, W)) for x in BATCH]
    losses = [-np.log(y[0, label]) for y, label in zip(predictions, LABELS, strict=True)]
    return sum(losses) / len(losses)


def without_a_pullback(*args):
    raise TypeError("'NoneType' object is not iterable")


@case(
    "zygote-1448",
    "https://github.com/FluxML/Zygote.jl/issues/1448",
    title="adding up in an outer variable while reducing a list raises",
    month="2023-08",
    symptom="raises",
    cause="The captured variable makes the mapped function one with a state, and the rule for the reduction then "
    "returned nothing in the place of a pullback.",
    needs=("containers",),
    at=(np.array([0.5, -1.0, 2.0]),),
    right=(np.array([2.0, -1.0, 5.0]),),
    oracle="closed form: 2x + 1",
    reported=Raises("crash", "TypeError"),
    defect=with_procedure(reduce, without_a_pullback),
)
def sum_kept_beside_a_reduction(x):
    so_far = 0.0

    def square(value):
        nonlocal so_far
        so_far = so_far + value
        return [value**2]

    squares = reduce(lambda a, b: a + b, [square(value) for value in x], [])
    return sum(squares) + so_far


MATRICES = [np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([[0.5, 0.0], [1.0, -1.0]])]


@case(
    "zygote-231",
    "https://github.com/FluxML/Zygote.jl/issues/231",
    title="a sum over an index, of a function that captures the arrays, has no gradient",
    month="2019-06",
    symptom="missing-gradient",
    cause="The rule for a sum of a function over a range gave the range its cotangent, which is none, and left out "
    "what the function has captured.",
    at=(np.array([0.3, 0.7]),),
    right=(np.array([7.0, -0.5]),),
    oracle="closed form: the sum of Mz, for each matrix",
    reported=(None,),
    defect=with_procedure(sum, lambda iterable, start=0: plain(builtins.total(iterable, start))),
)
def combination_of_captured_matrices(a):
    mixed = sum(a[i] * MATRICES[i] for i in range(2))
    return np.sum(mixed @ np.array([1.0, 2.0]))


class Partial:
    """A partial function as Python code."""

    def __init__(self, function, /, *args, **kwargs):
        if not callable(function):
            raise TypeError("the first argument must be callable")
        if isinstance(function, Partial):
            args = function.args + args
            kwargs = {**function.kwargs, **kwargs}
            function = function.function
        self.function, self.args, self.kwargs = function, args, kwargs

    def __call__(self, /, *args, **kwargs):
        return self.function(*self.args, *args, **{**self.kwargs, **kwargs})


def followed(function, args, kwargs):
    made = calls.call(Partial, function.func, *function.args, **function.keywords)
    return calls.call(made, *args, **kwargs)


@case(
    "zygote-957",
    "https://github.com/FluxML/Zygote.jl/issues/957",
    title="a partial function costs several times as much as the same lambda",
    month="2021-05",
    symptom="slow",
    cause="There was no rule for making and calling partial functions, so that both were followed as calls of "
    "ordinary code, once for each element.",
    needs=("nested", "containers", "counted-calls"),
    at=(np.linspace(0.5, 1.5, 20),),
    right=(True,),
    oracle="definition: they do the same work, so that one costs no more than half as much again",
    reported=(False,),
    asks="value",
    defect=traced(calls, "_partial", followed),
)
def partial_costs_no_more_than_a_lambda(x, *, ad):
    def by_partial(x):
        return np.prod(list(map(partial(operator.add, 1.0), x)))

    def by_lambda(x):
        add_one = lambda v: 1.0 + v  # noqa: E731
        return np.prod(list(map(add_one, x)))

    counts = []
    for f in (by_partial, by_lambda):
        ad.gradient(f, x)  # what is compiled is compiled now
        counts.append(cost(partial(ad.gradient, f, x), "calls"))
    return counts[0] <= 1.5 * counts[1]
