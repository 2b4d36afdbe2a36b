"""Keyword arguments that are collected, handed on, read by name and spread again on their way through a program."""

from __future__ import annotations

import numpy as np

from engine.errors import ForeignCallError
from engine.traced import items, storage

from ..case import Raises, case
from ..defects.shapes import fail, fails_on_the_way_back
from ..defects.state import in_runtime, traced

_load = storage.Load.reverse


def first_read_twice(entry, sweep):
    entries = storage.mirror(sweep, entry.storage, entry.size)
    seen = dict(entries)
    _load(entry, sweep)
    if not sweep.__dict__.setdefault("propagated", False) and entries != seen:
        sweep.propagated = True
        entries[entry.key] = 2 * entries[entry.key]


def read(**kw):
    return kw["x"]


def handed_on(**kw):
    return read(x=kw["x"])


@case(
    "zygote-1284",
    "https://github.com/FluxML/Zygote.jl/issues/1284",
    title="a keyword argument that is collected and handed on counts twice",
    month="2022-08",
    symptom="wrong-value",
    cause="The collected keywords looked like a dict, whose cotangents are kept in a table on the side; what was read "
    "from them was entered there, and propagated as well.",
    needs=("containers",),
    at=(0.0,),
    right=(1.0,),
    oracle="closed form: x itself",
    reported=(2.0,),
    defect=traced(storage.Load, "reverse", first_read_twice),
)
def keyword_handed_on(x):
    return handed_on(x=x)


def square_of_a_keyword(**kw):
    return kw["x"] ** 2


@case(
    "zygote-630",
    "https://github.com/FluxML/Zygote.jl/issues/630",
    title="reading from the collected keyword arguments raises in the pullback",
    month="2020-04",
    symptom="raises",
    cause="The keywords are a view of a record; its constructor wanted a cotangent like itself, and was given a dict.",
    needs=("containers",),
    at=(3.0,),
    right=(6.0,),
    oracle="closed form: 2x",
    reported=Raises("crash", "TypeError: need an adjoint for constructor Pairs"),
    defect=in_runtime(
        "kwargs_dict",
        lambda mapping: fails_on_the_way_back(
            lambda: items.kwargs_dict(mapping), TypeError("need an adjoint for constructor Pairs")
        )(),
    ),
)
def keyword_read_by_name(x):
    return square_of_a_keyword(x=x)


def part(algorithm, *args, x=1.0, place=slice(None), **kw):
    return x[place]


def by_algorithm(*args, algorithm=None, **kw):
    return part(algorithm, *args, **kw)


@case(
    "zygote-664",
    "https://github.com/FluxML/Zygote.jl/issues/664",
    title="handing collected keywords on, a slice among them, cannot be differentiated",
    month="2020-05",
    symptom="raises",
    cause="The code that works out a common type for the values of the keywords was followed, down to an expression "
    "of the compiler's.",
    needs=("containers",),
    at=(np.ones(2),),
    right=(np.array([1.0, 0.0]),),
    oracle="closed form: 1 for what the slice takes",
    reported=Raises("foreign-call", "gc_preserve_end"),
    defect=in_runtime(
        "keywords", lambda mapping: fail(ForeignCallError("Can't differentiate gc_preserve_end expression"))
    ),
)
def keywords_handed_on_with_a_slice(x):
    return np.sum(by_algorithm(x=x, place=slice(0, 1)))


def square_of_the_first(p, *rest):
    return p * p


def items_spread(p, **kw):
    return square_of_the_first(p, *kw.items())


@case(
    "zygote-803",
    "https://github.com/FluxML/Zygote.jl/issues/803",
    title="collected keywords, spread as positional arguments, raise in the pullback",
    month="2020-10",
    symptom="raises",
    cause="The cotangent of what was spread is a tuple, and the view of the keywords accepts one like itself only.",
    needs=("containers",),
    at=(5.0,),
    right=(10.0,),
    oracle="closed form: 2p",
    reported=Raises("crash", r"TypeError: no method matching Pairs\(tuple\)"),
    defect=in_runtime(
        "kwargs_dict",
        lambda mapping: fails_on_the_way_back(
            lambda: items.kwargs_dict(mapping), TypeError("no method matching Pairs(tuple)")
        )(),
    ),
)
def items_of_keywords_spread(p):
    return items_spread(p) + items_spread(p, unused=p) - items_spread(p)
