"""Dictionaries made, filled, looked up, copied and walked over inside the loss, or differentiated for."""

from __future__ import annotations

import copy

import numpy as np

from engine.errors import UnsupportedSyntaxError
from engine.traced import items
from engine.traced.levels import plain

from ..case import Raises, case
from ..defects import on_traced_tier, without_rule
from ..defects.state import (
    comprehension_refused,
    dict_read_without_its_key,
    dictionaries_do_not_add,
    traced,
    with_procedure,
)


@case(
    "zygote-1065",
    "https://github.com/FluxML/Zygote.jl/issues/1065",
    title="walking over the items of a dictionary raises: no index was given",
    month="2021-09",
    symptom="raises",
    cause="The walk was followed into the table of values inside the dictionary, and its reverse looked a value up "
    "without a key.",
    needs=("containers",),
    at=({"a": 3.0, "b": 4.0, 5: 5.0},),
    right=({"a": 1.0, "b": 2.0, 5: 1.0},),
    oracle="closed form: 1 for each, 2 for what is added twice",
    reported=Raises("crash", "TypeError: .*'key'"),
    defect=dict_read_without_its_key,
)
def items_of_a_dictionary(d):
    total = 0.0
    for key, value in d.items():
        total = total + value
        if key == "b":
            total = total + value
    return total


@case(
    "zygote-1065",
    "https://github.com/FluxML/Zygote.jl/issues/1065",
    title="walking over the values of a dictionary raises: no index was given",
    month="2021-09",
    symptom="raises",
    cause="The values are a view of the dictionary, and going over them read its inner table, for which there was only "
    "a rule with a key.",
    needs=("containers",),
    at=({"a": 3.0, "b": 4.0, 5: 5.0},),
    right=({"a": 1.0, "b": 1.0, 5: 1.0},),
    oracle="closed form: 1 for each",
    reported=Raises("crash", "TypeError: .*'key'"),
    defect=dict_read_without_its_key,
)
def values_of_a_dictionary(d):
    total = 0.0
    for value in d.values():
        total = total + value
    return total


@case(
    "zygote-760",
    "https://github.com/FluxML/Zygote.jl/issues/760",
    title="summing the values of a dictionary that was filled in a loop raises",
    month="2020-08",
    symptom="raises",
    cause="Neither filling nor walking over a dictionary had a rule: both were followed into its inner table.",
    needs=("containers",),
    at=(3.0,),
    right=(sum(i**3 * float(np.log(i)) for i in range(1, 5)),),
    oracle="closed form: Σ i³ log i",
    reported=Raises("crash", "TypeError: .*'key'"),
    defect=dict_read_without_its_key,
)
def dictionary_filled_in_a_loop(x):
    powers = {}
    for i in range(1, 5):
        powers[i] = float(i) ** x
    return sum(powers.values())


def without_default(mapping, key, default=None):
    return items.getitem(mapping, key)


@case(
    "zygote-1610",
    "https://github.com/FluxML/Zygote.jl/issues/1610",
    title="looking up a key with a default raises",
    month="2026-06",
    symptom="raises",
    cause="Looking up a key had a rule only in its plain form; with a default it was followed into the table of the "
    "dictionary.",
    needs=("containers",),
    at=({"a": 2.0, "b": 3.0}, 10.0),
    right=({"a": 3.0, "b": None}, 2.0),
    oracle="closed form: the factors, for the key that is there and for the default of the one that is not",
    reported=Raises("crash", "KeyError"),
    defect=with_procedure(dict.get, without_default),
)
def lookup_with_a_default(d, default):
    return 3.0 * d.get("a", 0.0) + 2.0 * d.get("missing", default)


def contents_copied(value):
    return copy.deepcopy(plain(value))


@case(
    "zygote-1113",
    "https://github.com/FluxML/Zygote.jl/issues/1113",
    title="a deep copy of a dictionary that the loss has built has no gradient",
    month="2021-11",
    symptom="missing-gradient",
    cause="The cotangents of a dictionary are kept by its identity; the copy has another one, and its rule passed on "
    "its own cotangent, not what had been collected for it.",
    needs=("containers",),
    at=(2.0,),
    right=(7.0,),
    oracle="closed form: 1 + 3 · 2",
    reported=(None,),
    defect=with_procedure(copy.deepcopy, contents_copied),
)
def deep_copy_of_a_dictionary(x):
    d = copy.deepcopy({"a": x, "b": 2 * x})
    return d["a"] + 3 * d["b"]


@case(
    "zygote-1233",
    "https://github.com/FluxML/Zygote.jl/issues/1233",
    title="changing one entry of a defensive copy raises when the gradients are added",
    month="2022-05",
    symptom="raises",
    cause="Adding the gradients of two dictionaries asserted that they are one and the same, which a dictionary and "
    "its copy are not.",
    needs=("containers",),
    at=({1: np.ones(1), 2: np.ones(1)},),
    right=({1: np.array([5.0]), 2: np.array([1.0])},),
    oracle="closed form: 5 for the entry that is replaced, 1 for the other",
    reported=Raises("crash", "AssertionError"),
    defect=dictionaries_do_not_add,
)
def entry_replaced_in_a_copy(d):
    mine = copy.deepcopy(d)
    mine[1] = d[1] * 5
    return np.sum(mine[1]) + np.sum(mine[2])


@case(
    "zygote-1525",
    "https://github.com/FluxML/Zygote.jl/pull/1525",
    title="a dictionary of the numbers that are not NaN cannot be made by a comprehension",
    month="2024-09",
    symptom="raises",
    cause="Leaving out items had a rule for arrays and tuples, and none for what enumerate returns.",
    needs=("containers",),
    at=(np.array([0.5, 1.5, np.nan, -1.0]),),
    right=(np.array([1.0, 1.0, 0.0, 1.0]),),
    oracle="closed form: 1 for what is kept, 0 for what is left out",
    reported=Raises("foreign-call"),
    defect=on_traced_tier(without_rule(enumerate)),
)
def numbers_that_are_not_nan(w):
    kept = {i: v for i, v in enumerate(w) if not np.isnan(v)}
    return sum(v for _, v in kept.items())


@case(
    "zygote-725",
    "https://github.com/FluxML/Zygote.jl/issues/725",
    title="a comprehension over a dictionary raises: map is not defined on dictionaries",
    month="2020-07",
    symptom="raises",
    cause="A comprehension was turned into a map over what it walks over, and a map over a dictionary does not exist.",
    needs=("containers",),
    at=(np.array([0.3, -1.0, 2.0]),),
    right=(np.array([1.0, 1.0, 1.0]),),
    oracle="closed form: a sum of the entries",
    reported=Raises("crash", "TypeError: .*'key'"),
    defect=dict_read_without_its_key,
)
def comprehension_over_a_dictionary(w):
    d = {i: 1.0 * v for i, v in enumerate(w)}
    return sum([v for _, v in d.items()])


@case(
    "zygote-1293",
    "https://github.com/FluxML/Zygote.jl/issues/1293",
    title="a dictionary comprehension raises 'try/catch is not supported'",
    month="2022-08",
    symptom="raises",
    cause="The constructor of the dictionary was followed, down to a region that handles exceptions and that is never "
    "entered.",
    needs=("containers",),
    at=(2.0,),
    right=(2.0,),
    oracle="closed form: of 2x",
    reported=Raises("unsupported", "try/catch is not supported"),
    defect=comprehension_refused(UnsupportedSyntaxError("try/catch is not supported")),
)
def dictionary_comprehension(x):
    multiples = {c: x * c for c in range(1, 4)}
    return multiples[2]


def slot_without_a_key(storage, key, value, size=None):
    if isinstance(storage, dict):
        raise TypeError("a dictionary was read without a key")
    return load(storage, key, value, size)


load = items.load


@case(
    "zygote-408",
    "https://github.com/FluxML/Zygote.jl/issues/408",
    title="remembering intermediate results in a dictionary raises",
    month="2019-12",
    symptom="raises",
    cause="Looking up or inserting in one step had no rule and was followed into the table of the dictionary, which is "
    "indexed by slot and not by key.",
    needs=("containers",),
    at=(0.9,),
    right=(5 * 0.9**4 + 4 * 0.9**3 + 9 * 0.9**2 + 4 * 0.9 + 1,),
    oracle="closed form: of x⁵ + x⁴ + 3x³ + 2x² + x",
    reported=Raises("crash", "without a key"),
    defect=traced(items, "load", slot_without_a_key),
)
def recursion_that_remembers(x):
    memo = {}

    def fibonacci(n):
        if n not in memo:
            memo[n] = x if n <= 1 else fibonacci(n - 1) * x + fibonacci(n - 2)
        return memo[n]

    return fibonacci(5)
