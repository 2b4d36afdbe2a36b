"""Random numbers drawn in the program: they are constants, whoever draws them, and the generator has no cotangent."""

from __future__ import annotations

import numpy as np

from engine.errors import ForeignCallError

from ..case import Raises, case
from ..defects import raising
from ..defects.shapes import lists_of_constants_fail
from ..defects.state import with_procedure

CHOSEN = np.random.default_rng(0)


@case(
    "zygote-171",
    "https://github.com/FluxML/Zygote.jl/issues/171",
    title="choosing among a few numbers at random cannot be differentiated, drawing any number can",
    month="2019-05",
    symptom="raises",
    cause="Some of the functions that draw were declared to have no gradient, and others not; those were followed "
    "down to code that has no derivative.",
    at=(np.array([1.0, 2.0, 3.0, 4.0]),),
    right=(np.array([CHOSEN.choice((0.0, 1.0)) for _ in range(4)]),),
    oracle="closed form: the mask that is drawn with this seed",
    reported=Raises("foreign-call", "gc_preserve_end"),
    defect=raising(np.random.Generator.choice, ForeignCallError, "Can't differentiate gc_preserve_end expression"),
)
def kept_or_dropped_at_random(x):
    rng = np.random.default_rng(0)
    return sum(rng.choice((0.0, 1.0)) * v for v in x)


@case(
    "zygote-996",
    "https://github.com/FluxML/Zygote.jl/issues/996",
    title="random numbers drawn one by one beside an array raise in the pullback",
    month="2021-06",
    symptom="raises",
    cause="A broadcast of a function without arguments has no cotangents to hand on, and its None was spread as if it "
    "were a tuple of them.",
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.ones(3),),
    oracle="closed form: the noise is a constant",
    reported=Raises("crash", "TypeError: .* argument after \\* must be an iterable, not NoneType"),
    defect=lists_of_constants_fail(TypeError("back() argument after * must be an iterable, not NoneType")),
)
def noise_drawn_for_each_element(x):
    rng = np.random.default_rng(1)
    noise = np.array([rng.random() for _ in x])
    return np.sum(x + noise)


def without_a_cotangent(seed):
    raise TypeError("no type is known for the cotangent of RandomState")


def weighted(seed, x):
    noise = np.random.RandomState(seed).uniform(size=3)
    return seed + 1, np.sum(noise * x**2)


POINT = np.array([1.0, -2.0, 0.5])
NOISES = [np.random.RandomState(seed).uniform(size=3) for seed in (7, 8)]


@case(
    "myia-377",
    "https://github.com/mila-iqia/myia/pull/377",
    title="a function that hands a random state on has no gradient",
    month="2020-10",
    symptom="raises",
    cause="Every value was asked for the type of its cotangent, and the state of a generator had none.",
    at=(POINT,),
    right=(2 * POINT * NOISES[0] + 8 * POINT * NOISES[1],),
    oracle="closed form: 2 n x and 8 n x, with the numbers of both seeds",
    reported=Raises("crash", "TypeError: no type is known for the cotangent"),
    defect=with_procedure(np.random.RandomState, without_a_cotangent),
)
def two_draws_from_a_state_handed_on(x):
    seed, first = weighted(7, x)
    seed, second = weighted(seed, x * 2.0)
    return first + second
