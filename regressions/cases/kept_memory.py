"""What gradients cost and keep when they are many or long: memory is given back, no call is slower than the last."""

from __future__ import annotations

import gc
import weakref
from contextlib import contextmanager

import numpy as np

import engine.traced
from engine.traced import structure, tape

from ..case import Growth, Raises, case
from ..defects import on_traced_tier, patched
from ..defects.flow import sweep_recurses
from ..defects.state import together, traced

_pullback = engine.traced.pullback


@contextmanager
def everything_is_remembered():
    """A cache holds on to each function, and to the tape of each run."""
    cache = []

    def remembered(f, *args, **options):
        found = _pullback(f, *args, **options)
        cache.append((f, found))
        return found

    with on_traced_tier(patched(engine.traced, "pullback", remembered))():
        yield


class Box:
    def __init__(self, array):
        self.array = array


@case(
    "jax-12719",
    "https://github.com/jax-ml/jax/issues/12719",
    title="what a differentiated function has captured lives for ever",
    month="2022-10",
    symptom="memory",
    cause="What was compiled is kept in a table by the functions of the branches, and the table holds on to these and "
    "to all that they capture.",
    needs=("nested", "objects"),
    at=(2.0,),
    right=(True,),
    oracle="definition: nobody needs the box after the gradient",
    reported=(False,),
    asks="value",
    defect=everything_is_remembered,
)
def captured_box_is_collected(x, *, ad):
    def slope_and_box():
        box = Box(np.ones(1024))
        (slope,) = ad.gradient(lambda x: x * box.array[0] if x > 0 else x * box.array[1], x)
        assert slope == 1.0
        return weakref.ref(box)

    box = slope_and_box()
    gc.collect()
    return box() is None


def recurrence(w):
    h = np.zeros(4)
    for t in range(6):
        h = np.tanh(w * h + np.sin(0.3 * t + np.arange(4)))
    return np.sum(h)


def slope_of_the_recurrence(w):
    h = dh = np.zeros(4)
    for t in range(6):
        before, h = h, np.tanh(w * h + np.sin(0.3 * t + np.arange(4)))
        dh = (1 - h**2) * (before + w * dh)
    return float(np.sum(dh))


@case(
    "jax-3348",
    "https://github.com/jax-ml/jax/issues/3348",
    title="each gradient of a loop keeps some memory that is never given back",
    month="2020-06",
    symptom="memory",
    cause="What the reverse pass needed of the forward pass was still referred to when it was over.",
    needs=("nested",),
    at=lambda n: (n,),
    right=Growth("kept", 0, answer=lambda n: (slope_of_the_recurrence(0.7),), n=4),
    oracle="closed form: the derivative carried along with the recurrence",
    reported=Growth("kept", 1),
    asks="value",
    defect=everything_is_remembered,
)
def gradients_of_a_loop_in_a_row(n, *, ad):
    for _ in range(n):
        (slope,) = ad.gradient(recurrence, 0.7)
    return slope


class Leaf:
    def __init__(self, x):
        self.x = x

    def __call__(self, w):
        return np.tanh(w * self.x)


class Branch:
    def __init__(self, left, right):
        self.left, self.right = left, right

    def __call__(self, w):
        return np.tanh(w * (self.left(w) + self.right(w)))


def tree_of(shape):
    """A tree for the digits of a number, another one for each number."""
    tree = Leaf(0.5)
    while shape:
        tree = Branch(tree, Leaf(1.0)) if shape % 2 else Branch(Leaf(-1.0), tree)
        shape //= 2
    return tree


@case(
    "zygote-1326",
    "https://github.com/FluxML/Zygote.jl/issues/1326",
    title="gradients of networks shaped like trees keep memory for every shape",
    month="2022-11",
    symptom="memory",
    cause="The shape of the tree is part of its type, so that each new one has its own code, and code is never given "
    "back.",
    needs=("nested", "objects"),
    at=lambda n: (n,),
    right=Growth("kept", 0, answer=lambda n: (float(0.5 / np.cosh(0.35) ** 2),), n=4),
    oracle="closed form: of tanh(w / 2), the tree of one leaf",
    reported=Growth("kept", 1),
    asks="value",
    defect=everything_is_remembered,
)
def gradients_of_trees_of_all_shapes(n, *, ad):
    for shape in reversed(range(n)):
        (slope,) = ad.gradient(tree_of(shape), 0.7)
    return slope


@contextmanager
def every_call_searches_the_calls_before():
    """A table of what was compiled grows with every call, and every call goes through it."""
    table = []

    def searched(f, *args, **options):
        table.append(f)
        for _ in range(100):
            [id(entry) for entry in table]
        [bytes(10_000) for entry in table]
        return _pullback(f, *args, **options)

    with on_traced_tier(patched(engine.traced, "pullback", searched))():
        yield


class Dense:
    def __init__(self, W, b):
        self.W, self.b = W, b


def lengths_of_all_arrays(layer):
    return sum(np.sqrt(np.sum(p**2)) for p in [v for v in vars(layer).values() if isinstance(v, np.ndarray)])


@case(
    "zygote-1347",
    "https://github.com/FluxML/Zygote.jl/issues/1347",
    title="each gradient of a loss that walks through the parameters is slower than the one before",
    month="2022-12",
    symptom="slow",
    cause="Every call made a closure of a new type, which was compiled and entered in a list; and the list was "
    "searched in every call.",
    needs=("nested", "objects", "plain-values"),
    at=lambda n: (n,),
    right=Growth("calls", 1, answer=lambda n: (np.array([[0.6, 0.8], [0.0, 0.0]]),), n=8),
    oracle="closed form: a matrix over its length",
    reported=Growth("calls", 2),
    asks="value",
    defect=every_call_searches_the_calls_before,
)
def lengths_of_parameters_in_a_row(n, *, ad):
    layer = Dense(np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([5.0, 12.0]))
    for _ in range(n):
        (found,) = ad.gradient(lengths_of_all_arrays, layer)
    return found.W


def leaves(tree):
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in leaves(part)]
    return [tree]


def sum_of_all_arrays(tree):
    total = 0.0
    for leaf in leaves(tree):
        if isinstance(leaf, np.ndarray):
            total = total + np.sum(leaf)
    return total


@case(
    "zygote-1509",
    "https://github.com/FluxML/Zygote.jl/issues/1509",
    title="each gradient of a loss that walks through a tree allocates more than the one before",
    month="2024-03",
    symptom="memory",
    cause="The recursive walk is specialised on its arguments once more in each call.",
    needs=("nested", "containers", "plain-values"),
    at=lambda n: (n,),
    right=Growth("allocated", 1, answer=lambda n: (np.ones(3),), n=4),
    oracle="closed form: a sum of the entries",
    reported=Growth("allocated", 2),
    asks="value",
    defect=every_call_searches_the_calls_before,
)
def sums_of_a_tree_in_a_row(n, *, ad):
    tree = {"a": np.ones(2), "b": {"c": np.ones(3), "name": "x"}}
    for _ in range(n):
        (found,) = ad.gradient(sum_of_all_arrays, tree)
    return found["b"]["c"]


@case(
    "micrograd-90",
    "https://github.com/karpathy/micrograd/pull/90",
    title="a chain of five thousand operations is too deep to differentiate",
    month="2025-02",
    symptom="raises",
    cause="The order for the reverse pass is found by a function that calls itself for what each value was made of.",
    at=(2.0,),
    right=(1.0,),
    oracle="closed form: of x plus a constant",
    reported=Raises("crash", "RecursionError"),
    defect=sweep_recurses,
)
def long_chain_of_sums(x):
    for _ in range(5000):
        x = x * 1.0 + 0.001
    return x


class Thunk:
    """A sum that is not made yet."""

    def __init__(self, a, b):
        self.a, self.b = a, b

    def __call__(self):
        a, b = (part() if isinstance(part, Thunk) else part for part in (self.a, self.b))
        return a + b


def made_later(a, b):
    return Thunk(a, b) if a is not None and b is not None else b if a is None else a


_of_its_kind = structure.of_its_kind


def made_now(d, value):
    return _of_its_kind(d() if isinstance(d, Thunk) else d, value)


@case(
    "zygote-1555",
    "https://github.com/FluxML/Zygote.jl/pull/1555",
    title="a value used very many times overflows the stack",
    month="2025-01",
    symptom="raises",
    cause="The sum of two cotangents that are not computed yet was one of that kind itself, so that it was as deep as "
    "the value has uses.",
    at=(1.0,),
    right=(2000.0,),
    oracle="closed form: half of the number of uses",
    reported=Raises("crash", "RecursionError"),
    defect=together(traced(tape, "accumulate", made_later), traced(structure, "of_its_kind", made_now)),
)
def value_used_four_thousand_times(x):
    total = 0.0
    for _ in range(4000):
        total = total + x * 0.5
    return total
