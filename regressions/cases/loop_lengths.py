"""How often a loop runs: trip counts, early exits, empty and very long loops, and tests that decide when to stop."""

from __future__ import annotations

import numpy as np

import engine
from engine.api import _LevelAware
from engine.traced import items, tape
from engine.traced.levels import live, plain
from engine.typed import adjoint

from ..case import Raises, case
from ..defects import on_traced_tier, patched
from ..defects.flow import (
    rows_are_constants,
    sweep_recurses,
    sweeps_inside_fail,
)
from ..defects.state import traced

SEQUENCE = np.array([1.0, 2.0, -1.0, 4.0, 7.0])


HALF = 0.5


def pulled_through_three_steps(shift):
    """The gradient by hand, where step t of the way back takes element t + shift for its own."""
    states, dx, d = [HALF], np.zeros(5), 1.0
    for t in range(3):
        states.append(states[-1] * SEQUENCE[t] + SEQUENCE[t] ** 2)
    for t in reversed(range(3)):
        dx[t + shift] = d * (states[t] + 2 * SEQUENCE[t + shift])
        d = d * SEQUENCE[t + shift]
    return dx


_apply = tape.Sweep.apply


def from_the_end(sweep, operation, d):
    """The way back reads and credits the sequence two elements further on."""
    read = {
        entry.nodes: entry.args[0][entry.args[1] + 2]
        for entry in sweep.level.tape
        if type(entry) is tape.Operation and entry.rule.primal.__name__ == "getitem"
    }
    args = tuple(read.get(target, arg) for target, arg in zip(operation.targets, operation.args, strict=True))
    if operation.rule.primal.__name__ == "getitem":
        args = args[0], args[1] + 2
    _apply(sweep, operation.at(args), d)


@case(
    "theano-166",
    "https://github.com/Theano/Theano/pull/166",
    title="a loop over the beginning of a sequence has the gradient of its end",
    month="2011-10",
    symptom="wrong-value",
    cause="For the way back the sequence was reversed at its full length, though only its first elements had been "
    "used, so that each step met an element of another one.",
    at=(SEQUENCE,),
    right=(pulled_through_three_steps(0),),
    oracle="closed form: the chain rule over three steps, by hand",
    reported=(pulled_through_three_steps(2),),
    defect=traced(tape.Sweep, "apply", from_the_end),
)
def first_three_of_five(x):
    state = HALF
    for t in range(3):
        state = state * x[t] + x[t] ** 2
    return state


@case(
    "tangent-67",
    "https://github.com/google/tangent/pull/67",
    title="a loop over an array itself, without an index, loses the gradient",
    month="2018-03",
    symptom="missing-gradient",
    cause="The variable of the loop was taken for an index, though it is an element of the array, whose cotangent has "
    "a place there.",
    at=(np.array([1.0, -2.0, 3.0]),),
    right=(np.array([2.0, -3.0, 8.0]),),
    oracle="closed form: 2x plus the number of the element",
    reported=(None,),
    defect=rows_are_constants,
)
def elements_without_an_index(x):
    total = 0.0
    for v in x:
        total += v**2
    for i, v in enumerate(x):
        total = total + i * v
    return total


@case(
    "jax-753",
    "https://github.com/jax-ml/jax/issues/753",
    title="the sequence that a loop goes through gets a gradient of zero in reverse mode",
    month="2019-05",
    symptom="missing-gradient",
    cause="The transpose of the loop made a cotangent for each element as it came by, and did not put them together "
    "and hand them out; forward mode was right.",
    needs=("nested", "containers"),
    at=(np.arange(3.0),),
    right=(np.tril(np.ones((3, 3))),),
    oracle="closed form: each sum depends on the elements up to its own",
    reported=(np.zeros((3, 3)),),
    asks="value",
    defect=rows_are_constants,
)
def sums_so_far(xs, *, ad):
    def running(xs):
        total, totals = 0.0, []
        for x in xs:
            total = total + x
            totals.append(total)
        return np.array(totals)

    return ad.jacobian(running)(xs)


def not_without_elements(array):
    if len(plain(array)) == 0:
        raise ValueError("zero-length scan is not supported")
    return _rows(array)


_rows = items._rows


@case(
    "jax-2412",
    "https://github.com/jax-ml/jax/issues/2412",
    title="a loop over an empty array raises",
    month="2020-03",
    symptom="raises",
    cause="Each loop was taken to run once at least: what it carries and hands out was learned from its first "
    "iteration.",
    at=(np.array([]), 2.0),
    right=(np.array([]), 1.0),
    oracle="definition: the empty product is 1 and the empty sum 0, and the factor beside them counts once",
    reported=Raises("crash", "ValueError: zero-length"),
    defect=traced(items, "_rows", not_without_elements),
)
def product_and_sum_over_nothing(x, scale):
    product = scale
    for v in x:
        product = product * v
    return product + np.sum(x)


@case(
    "flux-509",
    "https://github.com/FluxML/Flux.jl/issues/509",
    "https://github.com/pytorch/pytorch/issues/5534",
    title="a recurrence of thousands of steps overflows the stack",
    month="2018-03",
    symptom="raises",
    cause="The graph of operations was walked by recursion, in the backward pass or when it was given back, and takes "
    "one frame of the stack for each of them.",
    at=(1.0,),
    right=(1.0001**4096 + 1e-4 * sum(1.0001**k for k in range(4096)),),
    oracle="closed form: the recurrence is linear in x",
    reported=Raises("crash", "RecursionError"),
    defect=sweep_recurses,
)
def recurrence_of_4096_steps(x):
    y = x
    for _ in range(4096):
        y = y * 1.0001 + x * 1e-4
    return y


@case(
    "jax-711",
    "https://github.com/jax-ml/jax/issues/711",
    title="a loop whose body takes a gradient cannot be differentiated",
    month="2019-05",
    symptom="raises",
    cause="Which loop variables carry a derivative was decided in one step, though that of one may depend on another; "
    "with a gradient in the body the answer was wrong, and an assertion failed.",
    needs=("nested",),
    at=(0.5,),
    right=(-3.0,),
    oracle="closed form: ten steps take p off each coordinate; twice the sum of 1 - x + p",
    reported=Raises("crash", "AssertionError"),
    defect=sweeps_inside_fail(AssertionError("the loop has no fixed point")),
)
def descent_in_a_loop(p, *, ad):
    x = np.array([1.0, 2.0, 3.0])
    for _ in range(10):
        x = x - 0.1 * ad.gradient(lambda x: np.sum(x * p), x)[0]
    return np.sum((1.0 - x) ** 2)


class Forgotten:
    """What the way back has found so far is dropped here."""

    selects = False

    def reverse(self, sweep):
        sweep.bars.clear()


@_LevelAware
def forgetful(x):
    for level in live.levels:
        level.tape.append(Forgotten())
    return plain(x)


@case(
    "drjit-253",
    "https://github.com/mitsuba-renderer/drjit/issues/253",
    title="a variable read in a loop that is not differentiated has no gradient afterwards",
    month="2024-08",
    symptom="missing-gradient",
    cause="The loop took the variable into its state and assigned it back, in a scope where differentiation is off: "
    "after that it was a constant.",
    needs=("nested",),
    at=(3.0,),
    right=(6.0,),
    oracle="definition: 2a; what is counted without derivatives is a constant",
    no_differences="they also see what the loop counts",
    reported=(None,),
    defect=on_traced_tier(patched(engine, "stop_gradient", forgetful)),
)
def read_where_derivatives_are_off(a, *, ad):
    def count(b):
        total, i = 0.0, 0
        while i < 5:
            total += b
            i += 1
        return total

    return a * a + ad.stop_gradient(count(a))


def without_residuals(sweep, loop, reverse):
    raise ValueError("there are no residuals to loop over")


@case(
    "equinox-752",
    "https://github.com/patrick-kidger/equinox/pull/752",
    title="a loop that uses a captured value only linearly makes its pullback crash",
    month="2024-06",
    symptom="raises",
    cause="The way back through such a loop needs none of the values of the iterations, and an empty set of them was "
    "not thought of.",
    at=(2.0,),
    right=(1.75,),
    oracle="closed form: 1 + 1/2 + 1/4",
    reported=Raises("crash", "ValueError"),
    defect=patched(adjoint.Sweep, "count", without_residuals),
)
def halved_and_added_to(a):
    y = 1.0
    for _ in range(3):
        y = y * 0.5 + a
    return y
