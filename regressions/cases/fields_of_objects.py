"""Objects with fields, as arguments, and made and read in the program: gradients have the same fields."""

from __future__ import annotations

import numpy as np

from engine.traced import construct, storage

from ..case import Raises, case, fields
from ..defects.state import reads_are_lost, structures_do_not_add, traced

_construct = construct.construct


class Ref:
    def __init__(self, x):
        self.x = x


class Cell:
    def __init__(self, W, U):
        self.W, self.U = W, U


class Wrapped:
    def __init__(self, cell, state):
        self.cell, self.state = cell, state


def step(layer, x):
    layer.state = np.tanh(layer.cell.W @ x + layer.cell.U @ layer.state)
    return layer.state


X, STATE = np.array([1.0, -1.0]), np.array([0.1, 0.2])
W, U = np.array([[0.2, 0.4], [0.6, -0.3]]), np.array([[0.5, 0.1], [0.0, 0.3]])
SLOPE = 1 - np.tanh(W @ X + U @ STATE) ** 2


@case(
    "flux-1245",
    "https://github.com/FluxML/Flux.jl/issues/1245",
    title="the gradient of a recurrent layer has its state, and nothing for the weights of its cell",
    month="2020-06",
    symptom="missing-gradient",
    cause="The gradient of an object that is written to was made from the record of the writes alone; fields that are "
    "only read were forgotten.",
    needs=("objects",),
    at=(Wrapped(Cell(W, U), STATE),),
    right=(fields(cell=fields(W=np.outer(SLOPE, X), U=np.outer(SLOPE, STATE)), state=U.T @ SLOPE),),
    oracle="closed form: the slope of tanh times what the weights are multiplied by",
    reported=(fields(cell=None, state=U.T @ SLOPE),),
    defect=reads_are_lost(lambda entry: entry.key in ("W", "U")),
)
def recurrent_layer_as_argument(layer):
    return np.sum(step(layer, X))


class Filled:
    """A sequence of ten times the same number."""

    def __init__(self, value):
        self.value = value

    def __len__(self):
        return 10

    def __getitem__(self, i):
        if i >= 10:
            raise IndexError
        return self.value


def last_one_stays(entry, sweep):
    d = storage.collect(sweep, entry.nodes)
    if d is not None:
        storage.mirror(sweep, entry.storage, entry.size)[entry.key] = d


@case(
    "zygote-43",
    "https://github.com/FluxML/Zygote.jl/issues/43",
    title="the sum of a sequence of a class of one's own has a wrong gradient, silently",
    month="2018-12",
    symptom="wrong-value",
    cause="The sum handed back an array of ones that knows its one value, in a field of the same name as that of the "
    "class; the constructor's pullback took it for the gradient of the object.",
    needs=("objects",),
    at=(5.0,),
    right=(10.0,),
    oracle="closed form: ten times x",
    reported=(1.0,),
    defect=traced(storage.Load, "reverse", last_one_stays),
)
def sum_of_a_sequence_of_ones_own(x):
    return sum(Filled(x))


def squared_and_real(ref):
    return abs(ref.x) ** 2 + 7 * np.real(ref.x)


@case(
    "zygote-1111",
    "https://github.com/FluxML/Zygote.jl/issues/1111",
    title="an object in an object has no gradient",
    month="2021-10",
    symptom="missing-gradient",
    cause="The gradient of a mutable object is kept in a table on the side; read out of another object, it was left "
    "in that table.",
    needs=("objects", "complex"),
    at=(Ref(Ref(1 + 1j)),),
    right=(fields(x=fields(x=9 + 2j)),),
    oracle="closed form: 2z + 7",
    reported=(None,),
    defect=reads_are_lost(),
)
def object_in_an_object(outer):
    return squared_and_real(outer.x)


def first_one_twice(entry, sweep):
    d = storage.collect(sweep, entry.nodes)
    if d is not None:
        entries = storage.mirror(sweep, entry.storage, entry.size)
        entries[entry.key] = entries[entry.key] + d if entries.get(entry.key) is not None else d + d


@case(
    "zygote-1111",
    "https://github.com/FluxML/Zygote.jl/issues/1111",
    title="an object in a list, read twice, has one of the two terms counted twice",
    month="2021-10",
    symptom="wrong-value",
    cause="The gradient of a mutable object is kept in a table on the side; read out of a list, it was propagated as "
    "well, and added to itself.",
    needs=("objects", "containers", "complex"),
    at=([Ref(1 + 1j)],),
    right=([fields(x=9 + 2j)],),
    oracle="closed form: 2z + 7",
    reported=([fields(x=16 + 2j)],),
    defect=traced(storage.Load, "reverse", first_one_twice),
)
def object_in_a_list(refs):
    return squared_and_real(refs[0])


@case(
    "zygote-93",
    "https://github.com/FluxML/Zygote.jl/issues/93",
    title="the gradient of a mutable object is None",
    month="2019-03",
    symptom="missing-gradient",
    cause="It was computed, in a table on the side that only implicit parameters were read from.",
    needs=("objects",),
    at=(Ref(3.0),),
    right=(fields(x=6.0),),
    oracle="closed form: 2x",
    reported=(None,),
    defect=reads_are_lost(),
)
def square_of_a_field(ref):
    return ref.x * ref.x


class SVD:
    def __init__(self, U, s, Vh):
        self.U, self.s, self.Vh = U, s, Vh


MATRIX, BAR = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]), np.array([[1.0, -2.0], [0.5, 3.0], [2.0, 1.0]])


def through_the_vectors(x, bar):
    """The cotangents of x through the left and through the right singular vectors of bar · (U Vh)."""
    left, s, right = np.linalg.svd(x, full_matrices=False)
    gaps = s**2 - s[:, None] ** 2 + np.eye(2)
    turned = lambda a: (a - a.T) / gaps * (1 - np.eye(2))  # noqa: E731
    left_bar, right_bar = bar @ right.T, (left.T @ bar).T
    outside = (np.eye(3) - left @ left.T) @ left_bar / s
    return (left @ turned(left.T @ left_bar) * s + outside) @ right, left * s @ turned(right @ right_bar) @ right


@case(
    "zygote-922",
    "https://github.com/FluxML/Zygote.jl/issues/922",
    title="of two fields of a decomposition that the loss uses, one has no part in the gradient",
    month="2021-03",
    symptom="wrong-value",
    cause="The rule gives a record of the one field that was read; two such records were added by the fields of the "
    "first one.",
    needs=("objects",),
    at=(MATRIX,),
    right=(sum(through_the_vectors(MATRIX, BAR)),),
    oracle="closed form: through the left and the right singular vectors",
    reported=(through_the_vectors(MATRIX, BAR)[0],),
    defect=reads_are_lost(lambda entry: entry.key == "Vh"),
)
def orthogonal_factor(x):
    found = SVD(*np.linalg.svd(x, full_matrices=False))
    return np.sum(BAR * (found.U @ found.Vh))


class Two:
    """An object of two fields, of which the constructor sets one."""

    __slots__ = ("x", "y")

    def __init__(self, x):
        self.x = x


def all_fields_given(cls, args, kwargs):
    made = _construct(cls, args, kwargs)
    if not all(hasattr(made, name) for name in getattr(cls, "__slots__", ())):
        raise TypeError("too few arguments in call to new (expected 2)")
    return made


@case(
    "zygote-1517",
    "https://github.com/FluxML/Zygote.jl/issues/1517",
    title="an object whose constructor leaves a field unset cannot be differentiated",
    month="2024-07",
    symptom="raises",
    cause="Making an object was replayed by a primitive that wants all the fields.",
    needs=("objects",),
    at=(2.0,),
    right=(2.0,),
    oracle="closed form: twice x",
    reported=Raises("crash", "TypeError: too few arguments"),
    defect=traced(construct, "construct", all_fields_given),
)
def field_left_unset(x):
    return 2 * Two(x).x


class Charge:
    def __init__(self, x):
        self.x = x


@case(
    "zygote-594",
    "https://github.com/FluxML/Zygote.jl/issues/594",
    title="a function of objects and numbers, broadcast over both, raises in the pullback",
    month="2020-04",
    symptom="raises",
    cause="The sum over the stretched axis starts from a zero of the element type, and a record of fields has none.",
    needs=("objects", "containers"),
    at=([Charge(0.3), Charge(-1.2)], np.array([[1.0, 2.0], [3.0, 4.0]])),
    right=([fields(x=3.0), fields(x=7.0)], np.array([[0.3, 0.3], [-1.2, -1.2]])),
    oracle="closed form: the sum of the factors, and the field",
    reported=Raises("crash", "TypeError: unsupported operand"),
    defect=structures_do_not_add,
)
def charges_times_potentials(charges, potentials):
    total = 0.0
    for charge, row in zip(charges, potentials, strict=True):
        for potential in row:
            total = total + charge.x * potential
    return total
