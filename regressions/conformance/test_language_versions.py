"""Syntax that is not in every version of Python, or that the compiler warns of: programs in files of their own.

A program of a newer Python does not parse in an older one, and where warnings are errors one that the compiler warns
of could not be imported as a test. Each is held to central differences, on both tiers.
"""

import importlib.util
import itertools
import sys
import warnings
from textwrap import dedent

import pytest

from engine import UnsupportedSyntaxError, gradient

from .oracle import TIERS, tier

FINALLY_RETURNS = """
def f(x):
    def raised(v):
        try:
            raise ValueError(v)
        finally:
            return v * x
    for i in range(2):
        try:
            x = x * 2
        finally:
            continue
    return raised(x * x)
"""
COMPARED_WITH_A_LITERAL = r"""
def f(x):
    "a \d string"
    if x is 3.0:
        return x
    return x * len("\d")
"""
IN_A_LAMBDA = r"""
f = lambda x: (lambda y: y * len("\d"))(x) * x
"""
FUNCTIONS = """
from functools import partial, Placeholder

def scale(a, b, c):
    return a - 2 * b + 3 * c * c

held = partial(scale, Placeholder, 5.0)

def f(x):
    inside = partial(partial(scale, Placeholder, x), x * x, c=2.0)
    return inside() * held(x, x) + partial(partial(scale, Placeholder, Placeholder, x), x * x)(x)
"""
STRICT_MAP = """
def f(x):
    return sum(map(lambda a, b: a * b, [x, 2 * x], [x, 3.0], strict=True))
"""
NONE_OR_NOT = """
import operator

def f(x):
    return x * x if operator.is_not_none(x) and not operator.is_none(x) else x
"""
HANDLERS_WITHOUT_BRACKETS = """
def f(x):
    try:
        raise KeyError(x)
    except KeyError, ValueError:
        return x * x
"""
ANNOTATIONS_THAT_ARE_NOT_READ = """
from functools import lru_cache

class Model:
    weight: NotYet
    def __init__(self, weight):
        self.weight = weight

def f(x: Undefined) -> Undefined:
    y: Undefined = x * x

    @lru_cache
    def inner(z: Undefined):
        return z * y
    return inner(x) * Model(x).weight
"""
BATCHES = """
import itertools

def f(x):
    pairs = itertools.batched([x, 2 * x, x * x, 3.0], 2)
    return sum(a * b for a, b in pairs) + len(list(itertools.batched([x], 3))) * x
"""
PARAMETERS_OF_TYPES = """
type Number = float

class Box[T]:
    def __init__(self, value: T):
        self.value = value

def f[T: float](x: T) -> Number:
    def double[S](y: S) -> S:
        return 2 * y
    return double(x) * Box[T](x * x).value
"""

PROGRAMS = [
    ((3, 11), FINALLY_RETURNS),
    ((3, 11), COMPARED_WITH_A_LITERAL),
    ((3, 11), IN_A_LAMBDA),
    ((3, 12), BATCHES),
    ((3, 12), PARAMETERS_OF_TYPES),
    ((3, 14), FUNCTIONS),
    ((3, 14), STRICT_MAP),
    ((3, 14), NONE_OR_NOT),
    ((3, 14), HANDLERS_WITHOUT_BRACKETS),
    ((3, 14), ANNOTATIONS_THAT_ARE_NOT_READ),
]
REFUSED = [
    ((3, 12), "def f(x):\n    type Number = float\n    return x\n", "a `type` statement inside a function", 2),
    ((3, 12), "def f(x):\n    class C[T]: pass\n    return x\n", "a nested class with type parameters", 2),
    ((3, 12), "def f(x):\n    def g[T](y): return y, T\n    return g(x)[0]\n", "reads its own type parameters", 2),
    ((3, 14), "def f(x):\n    return t'{x}'.values[0]\n", "a template string", 2),
]


def of_this_python(rows):
    """Those that this Python parses, the others skipped."""
    names = {id(value): name for name, value in globals().items() if isinstance(value, str)}
    made = []
    for since, text, *more in rows:
        written = ".".join(map(str, since))
        late = pytest.mark.skipif(sys.version_info < since, reason=f"syntax or functions of Python {written}")
        made.append(pytest.param(text, *more, id=names.get(id(text), text.split("\n")[1].strip()), marks=late))
    return made


@pytest.fixture
def imported(tmp_path):
    """Imports a text as it was imported once, whatever was said of it then."""
    numbers = itertools.count()

    def load(text):
        path = tmp_path / f"program{next(numbers)}.py"
        path.write_text(dedent(text))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            spec.loader.exec_module(module)
        return module.f

    return load


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize("text", of_this_python(PROGRAMS))
def test_as_differences(text, tier_name, imported):
    f, x, h = imported(text), 1.25, 1e-4
    with tier(tier_name):
        (slope,) = gradient(f, x)
    assert slope == pytest.approx((f(x - 2 * h) - 8 * f(x - h) + 8 * f(x + h) - f(x + 2 * h)) / (12 * h), rel=1e-9)


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize("text, what, line", of_this_python(REFUSED))
def test_refused(text, what, line, tier_name, imported):
    with tier(tier_name), pytest.raises(UnsupportedSyntaxError, match=rf"{what}.*\.py:{line}, in f"):
        gradient(imported(text), 1.25)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="a function of Python 3.14")
@pytest.mark.parametrize("tier_name", TIERS)
def test_errors_of_a_strict_map_and_of_places_left_open_are_pythons(tier_name, imported):
    for text in (
        "def f(x):\n    return sum(map(lambda a, b: a * b, [x, x], [x], strict=True))\n",
        "from functools import partial, Placeholder\ndef f(x):\n    return partial(max, Placeholder, x)()\n",
    ):
        f = imported(text)
        with pytest.raises((TypeError, ValueError)) as plain:
            f(1.25)
        with tier(tier_name), pytest.raises(plain.type) as ours:
            gradient(f, 1.25)
        assert str(plain.value) in str(ours.value)
