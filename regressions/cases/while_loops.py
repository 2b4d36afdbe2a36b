"""Loops that go on while a test holds: the number of rounds is known only when they have run."""

from __future__ import annotations

import math

from engine.traced.levels import plain

from ..case import Raises, case
from ..defects import with_rule
from ..defects.flow import (
    first_product_gets,
    reverse_of_a_loop_fails,
    sweeps_inside_fail,
)
from ..defects.state import in_runtime


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
