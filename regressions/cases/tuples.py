"""Tuples and named tuples: as arguments, as results of primitives, as the nodes of a tree, in a Jacobian."""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from engine import api
from engine.traced import items, run, structure

from ..case import Raises, case
from ..defects.state import attributes_of_results_are_lost, in_runtime, traced

Point = namedtuple("Point", ["x", "y"])


def bare(sweep, shape):
    d = structure.read(sweep, shape)
    return tuple(d) if isinstance(d, tuple) else d


@case(
    "jax-446",
    "https://github.com/jax-ml/jax/issues/446",
    title="the gradient of a named tuple is a plain tuple",
    month="2019-02",
    symptom="wrong-structure",
    cause="A named tuple passed for a tuple when its structure was looked at, and was rebuilt as one.",
    needs=("containers",),
    at=(Point(1.0, 2.0),),
    right=(Point(1 / 5**0.5, 2 / 5**0.5),),
    oracle="closed form: p / |p|",
    reported=((1 / 5**0.5, 2 / 5**0.5),),
    defect=traced(run, "read", bare),
)
def length_of_a_named_tuple(p):
    return np.sqrt(p.x**2 + p.y**2)


class Vector(Point):
    def is_zero(self):
        return self.x == 0 and self.y == 0


enter = structure._traced


def of_the_base_class(level, value, shape):
    made = enter(level, value, shape)
    return Point(*made) if isinstance(made, Vector) else made


@case(
    "jax-806",
    "https://github.com/jax-ml/jax/issues/806",
    title="a method of a class derived from a named tuple is not found",
    month="2019-06",
    symptom="raises",
    cause="The argument was rebuilt as the named tuple it derives from, which is where a search by exact type ends.",
    needs=("containers",),
    at=(Vector(3.0, 4.0),),
    right=(Vector(0.6, 0.8),),
    oracle="closed form: p / |p|",
    reported=Raises("crash", "AttributeError.*is_zero"),
    defect=traced(structure, "_traced", of_the_base_class),
)
def method_of_a_derived_named_tuple(p):
    return 0.0 if p.is_zero() else np.sqrt(p.x**2 + p.y**2)


SYMMETRIC = np.array([[2.0, 1.0], [1.0, 3.0]])
LEAST, LEAST_VECTOR = np.linalg.eigh(SYMMETRIC)[0][0], np.linalg.eigh(SYMMETRIC)[1][:, 0]


@case(
    "autograd-597",
    "https://github.com/HIPS/autograd/issues/597",
    title="the result of an eigendecomposition has no attribute 'eigenvalues'",
    month="2023-06",
    symptom="raises",
    cause="Results of several parts were recognised as exact tuples, and became a tuple; the library has since given "
    "them names.",
    needs=("containers",),
    at=(SYMMETRIC,),
    right=(np.outer(LEAST_VECTOR, LEAST_VECTOR) * np.trace(SYMMETRIC) + LEAST * np.eye(2),),
    oracle="closed form: v vᵀ times the trace, plus the least eigenvalue on the diagonal",
    reported=Raises("crash", "AttributeError.*eigenvalues"),
    defect=attributes_of_results_are_lost,
)
def parts_of_a_decomposition_by_name(a):
    symmetric = (a + a.T) / 2
    return np.linalg.eigh(symmetric).eigenvalues[0] * np.sum(np.linalg.svd(symmetric).S)


def reset(node):
    value, children = node
    total = value * 0
    for child in children:
        total = total + reset(child)
    return total


def last_child_first(iterable):
    if isinstance(iterable, tuple):
        iterable[-1]
    return items.iterate(iterable)


@case(
    "flux-2124",
    "https://github.com/FluxML/Flux.jl/issues/2124",
    title="walking down a tree raises an index error at a node without children",
    month="2022-11",
    symptom="raises",
    cause="The pullback of the walk starts at the last of the children, without a look at whether there are any.",
    needs=("containers",),
    at=(3.0,),
    right=(6.0,),
    oracle="closed form: 2x",
    reported=Raises("crash", "IndexError"),
    defect=in_runtime("iterate", last_child_first),
)
def tree_with_leaves(x):
    tree = (x, ((x * 2, ()), (x * 3, ((x, ()),))))
    return reset(tree) + x**2


def arrays_only(argument, gradients, combine):
    if isinstance(argument, dict):
        raise TypeError("a Jacobian is that of an array, and the argument is a dict")
    return like(argument, gradients, combine)


like = api.like


@case(
    "jax-173",
    "https://github.com/jax-ml/jax/issues/173",
    title="the Jacobian for a dictionary of parameters raises",
    month="2018-12",
    symptom="raises",
    cause="Jacobians and Hessians were made for flat arrays, and did not take apart what holds several.",
    needs=("containers", "nested"),
    at=({"a": 2.0, "b": (3.0, 5.0)},),
    right=({"a": np.array([3.0, 0.0]), "b": (np.array([2.0, 0.0]), np.array([0.0, 10.0]))},),
    oracle="closed form: of (a b0, b1²)",
    no_differences="the Jacobians of differences are those of arrays",
    reported=Raises("crash", "TypeError"),
    asks="value",
    defect=traced(api, "like", arrays_only),
)
def jacobian_for_nested_parameters(p, *, ad):
    return ad.jacobian(lambda p: np.array([p["a"] * p["b"][0], p["b"][1] ** 2]))(p)
