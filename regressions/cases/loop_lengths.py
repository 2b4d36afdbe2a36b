"""How often a loop runs: trip counts, early exits, empty and very long loops, and tests that decide when to stop."""

from __future__ import annotations

import math

import numpy as np

import engine
from engine.api import _LevelAware
from engine.traced import items, tape
from engine.traced.levels import live, plain
from engine.typed import adjoint

from ..case import Raises, case
from ..defects import on_traced_tier, patched, with_rule
from ..defects.flow import (
    first_product_gets,
    reverse_of_a_loop_fails,
    rows_are_constants,
    sweep_recurses,
    sweeps_inside_fail,
)
from ..defects.state import in_runtime, traced

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
    "jax-5900",
    "https://github.com/jax-ml/jax/issues/5900",
    title="a loop whose condition is always true has three times its gradient",
    month="2021-03",
    symptom="wrong-value",
    cause="The compiler took one iteration too many for a loop whose condition is constant: the way back multiplied "
    "by x once more.",
    at=(3.0,),
    right=(108.0,),
    oracle="closed form: 4x³",
    reported=(324.0,),
    defect=first_product_gets(lambda d, operation: d * operation.args[1]),
)
def product_while_it_goes_on(x):
    value, goes_on = 1.0, True
    for _ in range(4):
        if goes_on:
            value = value * x
            goes_on = True
    return value


@case(
    "equinox-408",
    "https://github.com/patrick-kidger/equinox/pull/408",
    title="a while loop with a bound on its length has a wrong gradient when it stops before the bound",
    month="2023-07",
    symptom="wrong-value",
    cause="The loop was filled up to its bound with iterations that change nothing, but whose pullbacks multiplied "
    "the cotangent all the same.",
    at=(1.5,),
    right=(8 * 1.5**7,),
    oracle="closed form: of x to the power 8, since three squarings pass 20",
    reported=(8 * 1.5**7 * (2 * 1.5**8) ** 5,),
    defect=first_product_gets(lambda d, operation: d * (2 * operation.out) ** 5),
)
def squared_until_it_is_large(x):
    n = 0
    while n < 8 and x < 20.0:
        x = x * x
        n += 1
    return x


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


def unequal_if_they_carry_derivatives(a, b):
    return plain(a) is not a or plain(a) != plain(b)


@case(
    "forwarddiff-756",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/756",
    title="an iteration that stops when its value repeats never stops under a second derivative",
    month="2025-06",
    symptom="slow",
    cause="Two numbers that carry derivatives counted as equal only if those are equal too, and derivatives go on "
    "changing in their last bits.",
    needs=("nested",),
    at=(2.0,),
    right=(True,),
    oracle="definition: the test compares values, which repeat after a few steps",
    reported=(False,),
    asks="value",
    defect=in_runtime("ne", unequal_if_they_carry_derivatives),
)
def root_until_it_repeats(x, *, ad):
    steps = []

    def root(x):
        y, before, count = x, None, 0
        while (before is None or y != before) and count < 60:
            before = y
            y = 0.5 * (y + x / y)
            count += 1
        steps.append(count)
        return y

    ad.grad(ad.grad(root))(x)
    return max(steps) < 60


@case(
    "tensorflow-35012",
    "https://github.com/tensorflow/tensorflow/issues/35012",
    title="the third derivative of a while loop raises that None cannot be converted",
    month="2019-12",
    symptom="raises",
    cause="The gradient of a loop keeps the values of its iterations in accumulators, and those of a gradient of a "
    "gradient were made without a type.",
    needs=("nested",),
    at=(1.5,),
    right=(135.0,),
    oracle="closed form: 60x², of x to the power 5",
    reported=Raises("crash", "TypeError: .*None"),
    asks="value",
    defect=sweeps_inside_fail(TypeError("cannot convert None to a dtype"), levels=2),
)
def third_derivative_of_a_loop(x, *, ad):
    def power(x):
        y, i = x, 0
        while i < 4:
            y = y * x
            i += 1
        return y

    return ad.grad(ad.grad(ad.grad(power)))(x)


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


def with_steps_of_its_own(y0):
    """The value of the controlled integration and its derivative, carried along as pairs."""
    y, dy, t, dt, h, dh = y0, 1.0, 0.0, 0.0, 0.1, 0.0
    while t < 1.0:
        if 1.0 - t < h:
            h, dh = 1.0 - t, -dt
        error, derror = h * h * y, 2 * h * dh * y + h * h * dy
        y, dy = y - h * y, dy - dh * y - h * dy
        t, dt = t + h, dt + dh
        factor = math.sqrt(0.02 / error)
        dfactor = -0.5 * factor * derror / error
        if not 0.5 < factor < 2.0:
            factor, dfactor = min(2.0, max(0.5, factor)), 0.0
        h, dh = h * factor, dh * factor + h * dfactor
    return y, dy


@case(
    "diffrax-499",
    "https://github.com/patrick-kidger/diffrax/issues/499",
    title="with steps of adaptive size the gradient disagrees with finite differences",
    month="2024-08",
    symptom="wrong-value",
    cause="The estimate of the error, which chooses the next step, was cut off from differentiation: the steps "
    "counted as given, though they depend on the initial value.",
    at=(1.0,),
    right=(with_steps_of_its_own(1.0)[1],),
    oracle="closed form: the derivative carried along with each variable of the loop, by hand",
    reported=(with_steps_of_its_own(1.0)[0],),
    defect=with_rule(abs, x=lambda d, out, x, /: 0.0 * d),
)
def decay_in_adaptive_steps(y0):
    y, t, h = y0, 0.0, 0.1
    while t < 1.0:
        h = min(h, 1.0 - t)
        error = abs(h * h * y)
        y = y + h * (-y)
        t = t + h
        h = h * min(2.0, max(0.5, (0.02 / error) ** 0.5))
    return y


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


@case(
    "zygote-242",
    "https://github.com/FluxML/Zygote.jl/issues/242",
    title="a return out of an `if` inside a loop crashes the compiler",
    month="2019-06",
    symptom="raises",
    cause="A branch was reversed, and so was a way out of a loop, but not both in one place: the block to come back "
    "to was looked up where there is none.",
    at=(1.0,),
    right=(sum((-1.0) ** k / math.factorial(2 * k) for k in range(6)),),
    oracle="closed form: the terms of the cosine up to the one that is left out",
    reported=Raises("crash", "IndexError"),
    defect=reverse_of_a_loop_fails(IndexError("no block 0"), lambda loop: loop.go is not None),
)
def sine_until_its_terms_are_small(x):
    total, sign = 0.0, -1.0
    for i in range(1, 20):
        if i % 2 == 1:
            term = x**i / math.factorial(i)
            if abs(term) < 1e-8:
                return total
            sign = -sign
            total = total + sign * term
    return total
