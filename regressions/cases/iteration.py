"""Walks over arrays and tuples: comprehensions with and without a condition, zip, enumerate, products, splats."""

from __future__ import annotations

import itertools

import numpy as np

from engine.errors import MutationError
from engine.traced import builtins, items, run, structure, tape
from engine.traced.calls import call
from engine.traced.levels import plain

from ..case import Raises, case
from ..defects import on_traced_tier, without_rule
from ..defects.state import (
    collected_items_are_cut_off,
    comprehension_refused,
    together,
    traced,
    with_procedure,
)

NOT_SUPPORTED = "Mutating arrays is not supported"


def equally_long(*iterables, strict=False):
    return builtins.zipped(*iterables, strict=True)


@case(
    "zygote-221",
    "https://github.com/FluxML/Zygote.jl/issues/221",
    title="a loop over two sequences of different length raises",
    month="2019-06",
    symptom="raises",
    cause="Walking over two sequences at once had no rule for one that ends before the other; what is left of the "
    "longer one has the gradient zero.",
    at=(np.linspace(0.0, 1.0, 5),),
    right=(np.array([13.0, 13.0, 13.0, 0.0, 0.0]),),
    oracle="closed form: the factor for those that have a partner, 0 for the others",
    reported=Raises("crash", "is shorter than argument"),
    defect=with_procedure(zip, equally_long),
)
def sequences_of_different_length(s):
    total = 0.0
    for a, b in zip(s, np.array([1.0, 2.0, 3.0])):  # noqa: B905
        total = total + 13 * a + 17 * b
    return total


@case(
    "zygote-785",
    "https://github.com/FluxML/Zygote.jl/pull/785",
    title="a comprehension with a condition on the items raises",
    month="2020-09",
    symptom="raises",
    cause="Leaving out items had no rule; it fills its result in place, and that was refused.",
    needs=("containers",),
    at=(np.array([2.0, 3.0, 4.0]),),
    right=(np.array([4.0, 0.0, 8.0]),),
    oracle="closed form: 2x for the even, 0 for the odd",
    reported=Raises("mutation", NOT_SUPPORTED),
    defect=comprehension_refused(MutationError(NOT_SUPPORTED)),
)
def squares_of_the_even(xs):
    return sum([x**2 for x in xs if round(x) % 2 == 0])


@case(
    "zygote-785",
    "https://github.com/FluxML/Zygote.jl/pull/785",
    title="a comprehension over enumerate raises",
    month="2020-09",
    symptom="raises",
    cause="What enumerate returns had no rule, and was followed into its inner state.",
    needs=("containers",),
    at=(np.array([2.0, 3.0, 4.0]),),
    right=(np.array([1.0, 6.0, 48.0]),),
    oracle="closed form: i x^(i - 1)",
    reported=Raises("foreign-call"),
    defect=on_traced_tier(without_rule(enumerate)),
)
def powers_by_position(xs):
    return sum([x**i for i, x in enumerate(xs, 1)])


@case(
    "zygote-785",
    "https://github.com/FluxML/Zygote.jl/pull/785",
    title="a comprehension over all pairs has no gradient",
    month="2020-09",
    symptom="missing-gradient",
    cause="The walk over all pairs of two sequences had no rule, and what was collected from it was a constant.",
    needs=("containers",),
    at=(np.array([2.0, 3.0, 4.0]), np.array([3.0, 5.0])),
    right=(np.array([8.0, 12.0, 16.0]), np.array([3.0, 3.0])),
    oracle="closed form: twice 2x, three times 1",
    reported=(None, None),
    defect=collected_items_are_cut_off,
)
def sums_over_all_pairs(xs, ys):
    return sum([x**2 + y for x in xs for y in ys])


drawn = itertools.product


def second_alone(*iterables):
    rows = [list(items.iterate(i)) for i in iterables]
    return (tuple([v if k == 1 else plain(v) for k, v in enumerate(row)]) for row in drawn(*rows))


@case(
    "zygote-1170",
    "https://github.com/FluxML/Zygote.jl/pull/1170",
    title="in a walk over a product of four sequences, of which two are used, half the gradient is lost",
    month="2022-02",
    symptom="wrong-value",
    cause="The positions that nobody uses have no cotangent, and were not left out but spoilt the sum over the others.",
    needs=("containers",),
    at=(np.array([1.0, 2.0, 3.0, 4.0]),),
    right=(np.full(4, 320.0),),
    oracle="closed form: 16 · 2 · Σ x",
    reported=(np.full(4, 160.0),),
    defect=with_procedure(itertools.product, second_alone),
)
def product_of_which_two_are_used(x):
    return sum([y[1] * y[2] for y in itertools.product(x, x, x, x)])


@case(
    "zygote-492",
    "https://github.com/FluxML/Zygote.jl/issues/492",
    title="keeping the positive entries of a vector raises 'mutating arrays is not supported'",
    month="2020-02",
    symptom="raises",
    cause="What is kept is put into a new array one by one, and that was refused as a mutation.",
    needs=("containers",),
    at=(np.array([1.0, -2.0, 3.0]),),
    right=(np.array([2.0, 0.0, 6.0]),),
    oracle="closed form: 2x for the positive, 0 for the others",
    reported=Raises("mutation", NOT_SUPPORTED),
    defect=comprehension_refused(MutationError(NOT_SUPPORTED)),
)
def positive_entries_kept(x):
    kept = np.array([v for v in x if v > 0])
    return np.sum(kept**2)


@case(
    "zygote-1150",
    "https://github.com/FluxML/Zygote.jl/issues/1150",
    title="a comprehension with a condition on the index raises: None is no integer",
    month="2022-01",
    symptom="raises",
    cause="The rule for leaving out items put the cotangents back among the indices, which have none, into an array of "
    "integers.",
    needs=("containers",),
    at=(np.array([[0.0, 1.0, 2.0]]),),
    right=(np.array([[1.0, 1.0, 1.0]]),),
    oracle="closed form: a sum of the entries",
    reported=Raises("crash", "to an integer"),
    defect=comprehension_refused(TypeError("cannot convert None to an integer")),
)
def condition_on_the_index(x):
    return sum([x[0, i] for i in range(3) if i != 100])


def collected_by_collecting(made, pairs):
    return items.make_list([value for _, value in pairs])


@case(
    "zygote-176",
    "https://github.com/FluxML/Zygote.jl/issues/176",
    title="a table made by a comprehension in two indices overflows the stack",
    month="2019-05",
    symptom="raises",
    cause="Collecting a comprehension had a rule that maps, and mapping one that collects; neither did the work.",
    needs=("containers",),
    at=(np.zeros((2, 3)),),
    right=(np.array([[4.0, 6.0, 8.0], [6.0, 8.0, 10.0]]),),
    oracle="closed form: 2 (i + j + x)",
    reported=Raises("crash", "RecursionError"),
    defect=traced(items, "created", collected_by_collecting),
)
def table_by_a_comprehension(x):
    table = np.array([[i + j for j in range(1, 4)] for i in range(1, 3)], dtype=float)
    return np.sum((table + x) ** 2)


@case(
    "zygote-65",
    "https://github.com/FluxML/Zygote.jl/issues/65",
    title="copying a vector by a comprehension raises",
    month="2019-01",
    symptom="raises",
    cause="Collecting a generator had no rule: the generator is an object, and its constructor was given an array for "
    "its gradient.",
    needs=("containers",),
    at=(np.array([1.1, 2.2, 3.3]),),
    right=(np.array([1.0, 1.0, 1.0]),),
    oracle="closed form: a sum of the entries",
    reported=Raises("crash", "constructor"),
    defect=comprehension_refused(TypeError("no constructor of a generator takes an array")),
)
def vector_copied_by_a_comprehension(v):
    return sum([x for x in v])  # noqa: C416


@case(
    "zygote-139",
    "https://github.com/FluxML/Zygote.jl/issues/139",
    title="an array made of a comprehension has no gradient",
    month="2019-04",
    symptom="missing-gradient",
    cause="Turning what a comprehension has collected into an array had no rule, and cut it off.",
    needs=("containers",),
    at=(np.array([0.1, 0.2, 0.3]),),
    right=(np.cos(np.array([0.1, 0.2, 0.3])),),
    oracle="closed form: cos x",
    reported=(None,),
    defect=collected_items_are_cut_off,
)
def array_of_a_comprehension(x):
    return np.sum(np.array([np.sin(x[i]) for i in range(len(x))]))


def of_one_type(sweep, shape):
    d = read(sweep, shape)
    return tuple(map(float, d)) if isinstance(d, tuple) else d


read = structure.read


def squares(a, b):
    return [a**2, b**2]


@case(
    "zygote-1162",
    "https://github.com/FluxML/Zygote.jl/issues/1162",
    title="using one of several results of a comprehension over zip raises",
    month="2022-02",
    symptom="raises",
    cause="The gradient of a tuple was rebuilt as one sequence of numbers, and the entries that nothing depends on are "
    "none.",
    needs=("containers",),
    at=((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)),
    right=((None, 4.0, None), (None, 10.0, None)),
    oracle="closed form: 2a and 2b in the place that is used",
    reported=Raises("crash", "TypeError"),
    defect=traced(run, "read", of_one_type),
)
def one_result_of_several(firsts, seconds):
    results = [squares(a, b) for a, b in zip(firsts, seconds, strict=True)]
    return results[1][0] + results[1][1]


def first_component(sweep, shape):
    d = read(sweep, shape)
    return float(d[0]) if isinstance(d, np.ndarray) else d


def together_as_given(*parts):
    return parts


@case(
    "zygote-62",
    "https://github.com/FluxML/Zygote.jl/issues/62",
    title="the gradient of an array that is splatted into a call is its first component",
    month="2019-01",
    symptom="wrong-structure",
    cause="The cotangents of the arguments were handed back one for each splatted object, as if each were one long.",
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.array([1.0, 2.0, 3.0]),),
    oracle="closed form: the factors",
    reported=(1.0,),
    defect=traced(run, "read", first_component),
)
def array_splatted_into_a_call(x):
    a, b, c = together_as_given(*x)
    return a + 2 * b + 3 * c


def element(array, index):
    return array[index]


def tuple_of(d, array, index):
    return tuple([d if i == index else 0.0 * d for i in range(len(array))])


def rows_with_tuples(array):
    from engine.rules import registry

    if registry.lookup(element) is None:
        registry.rule(element, array=lambda d, out, array, index: tuple_of(d, array, index))
    return (call(element, array, i) for i in range(len(plain(array))))


project = tape._projected


def tuples_as_they_are(bar, arg, primal, place):
    return bar if isinstance(bar, tuple) else project(bar, arg, primal, place)


def of_one_kind(a, b):
    if a is not None and b is not None and isinstance(a, tuple) is not isinstance(b, tuple):
        raise TypeError("no method for the sum of a tuple and a vector")
    return accumulate(a, b)


accumulate = tape.accumulate

splat_hands_a_tuple_back = together(
    traced(items, "_rows", rows_with_tuples),
    traced(tape, "_projected", tuples_as_they_are),
    traced(tape, "accumulate", of_one_kind),
)


@case(
    "zygote-1417",
    "https://github.com/FluxML/Zygote.jl/issues/1417",
    title="stacking the splatted elements of a stacked array raises",
    month="2023-05",
    symptom="raises",
    cause="The splat hands the array a tuple for its cotangent, and the rule of the function that has made the array "
    "expects an array.",
    needs=("containers",),
    at=(1.0,),
    right=(1.0,),
    oracle="closed form: of x",
    reported=Raises("crash", "tuple"),
    defect=splat_hands_a_tuple_back,
)
def splatted_elements_stacked_again(theta):
    once = np.hstack([[theta], 5.0])
    again = np.hstack([*once])
    return again[0]


@case(
    "zygote-731",
    "https://github.com/FluxML/Zygote.jl/issues/731",
    title="an array that is splatted and used as a whole raises: no sum of a tuple and a vector",
    month="2020-07",
    symptom="raises",
    cause="The two uses give cotangents of different kinds, a tuple and an array, and nothing makes them one before "
    "they are added.",
    needs=("containers",),
    at=(np.ones(3),),
    right=(np.full(3, 3.0),),
    oracle="closed form: 2x + 1",
    reported=Raises("crash", "sum of a tuple and a vector"),
    defect=splat_hands_a_tuple_back,
)
def array_splatted_and_used_whole(x):
    return sum([x @ x, *x])
