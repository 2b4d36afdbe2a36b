"""Functions without Python source: they have a rule, or nothing to carry, or are refused; never silently cut off."""

from __future__ import annotations

import ctypes
import io
import logging
import time

import numpy as np

from engine import frontend
from engine.rules import registry
from engine.traced import ufuncs

from ..case import Raises, case
from ..defects import declared_constant, on_traced_tier, patched, with_rule, without_rule
from ..defects.state import traced

LIBM = ctypes.CDLL(None)
LIBM.cbrt.restype, LIBM.cbrt.argtypes = ctypes.c_double, [ctypes.c_double]


@case(
    "scimlsensitivity-334",
    "https://github.com/SciML/SciMLSensitivity.jl/issues/334",
    title="a call into another language makes every gradient zero, silently",
    month="2020-09",
    symptom="no-error",
    cause="The foreign function returned a number that nothing connects with its argument, and nothing said so.",
    needs=("refusal",),
    at=(8.0,),
    right=Raises("foreign-call", r"(?s)Can't differentiate foreigncall expression .*cbrt.*foreign_calls\.py:[0-9]+"),
    oracle="definition: the derivative exists, and code that is not Python does not tell it",
    reported=(None,),
    defect=declared_constant(LIBM.cbrt),
)
def c_function_without_a_rule_is_refused(x):
    return LIBM.cbrt(x)


def unheard(*args, **pullbacks):
    """A rule is given, and not found when the function is called."""


@case(
    "zygote-789",
    "https://github.com/FluxML/Zygote.jl/issues/789",
    title="the rule given for a function of another language is not found",
    month="2020-09",
    symptom="raises",
    cause="Rules were looked up by the type of the callee, and all foreign functions had the same one.",
    needs=("plain-values", "rules"),
    at=(8.0,),
    rules=[(LIBM.cbrt, {"x": lambda d, out, x: d / (3 * out * out)})],
    right=(2.0 + 8.0 / 12.0,),
    oracle="closed form: 4/3 of the cube root of x",
    reported=Raises("foreign-call"),
    defect=patched(registry, "rule", unheard),
)
def c_function_with_a_rule(x):
    return LIBM.cbrt(x) * x


@case(
    "chainrules-498",
    "https://github.com/JuliaDiff/ChainRules.jl/issues/498",
    title="copysign has no rule",
    month="2021-08",
    symptom="raises",
    cause="The function moves the sign bit by an intrinsic on bits, and nobody had written down its derivative.",
    at=(-1.5, 2.0),
    right=(-4.0, None),
    oracle="closed form: (2 |x| + 1) sign x sign y; only the sign of y matters, so nothing depends on y",
    reported=Raises("foreign-call"),
    defect=without_rule(np.copysign),
)
def copysign_follows_the_magnitude(x, y):
    return np.copysign(x, y) ** 2 + np.copysign(x, y)


@case(
    "zygote-293",
    "https://github.com/FluxML/Zygote.jl/issues/293",
    title="pop on a local list that does not feed the result is a foreign call",
    month="2019-08",
    symptom="raises",
    cause="The engine went into the method of the container and met a native call without a derivative, though no "
    "gradient flows there.",
    needs=("containers",),
    at=(np.array([4.0, 5.0]),),
    right=(np.array([1.0, 1.0]),),
    oracle="closed form: a sum of the entries; the list is not read again",
    reported=Raises("foreign-call", "Can't differentiate foreigncall expression"),
    defect=on_traced_tier(without_rule(list.pop)),
)
def pop_beside_the_result(x):
    history = [x, x * 0.5]
    history.pop()
    return np.sum(x)


class Key:
    """Hashed by identity."""


HEAD, TAIL = Key(), Key()


@case(
    "zygote-1421",
    "https://github.com/FluxML/Zygote.jl/issues/1421",
    title="walking over a dictionary keyed by identity hits a native call",
    month="2023-05",
    symptom="raises",
    cause="The walk over the keys was followed into the hash table, where it became a call for the next index; it has "
    "no derivative, the lookups have.",
    needs=("containers",),
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.array([3.0, 5.0, 7.0]),),
    oracle="closed form: 1 + 2x",
    reported=Raises("foreign-call"),
    defect=without_rule(dict.keys),
)
def walk_over_keys_with_identity(x):
    parts = {HEAD: x, TAIL: x**2}
    total = 0.0
    for key in parts.keys():
        total = total + np.sum(parts[key])
    return total


@case(
    "flux-1244",
    "https://github.com/FluxML/Flux.jl/issues/1244",
    title="a normalisation layer raises on the floor division of two sizes",
    month="2020-06",
    symptom="raises",
    cause="Integer division of sizes reached the differentiation as a primitive without a rule.",
    at=(np.array([[1.0, 2.0, 4.0], [0.0, 3.0, 1.0]]),),
    right=(np.array([[2.0, -13.0, 11.0], [2.0, 11.0, -13.0]]) / 3,),
    oracle="closed form: 3 (x - m)² less its mean over the row",
    reported=Raises("foreign-call"),
    no_defect="integers carry no derivative, so that what is done with them needs no rule",
)
def floor_division_of_sizes(x):
    length = x.size // x.shape[0]
    mean = x.sum(1, keepdims=True) / length
    return np.sum((x - mean) ** 3)


SECONDS = []


@case(
    "zygote-351",
    "https://github.com/FluxML/Zygote.jl/pull/351",
    title="code that measures its own time cannot be differentiated",
    month="2019-10",
    symptom="raises",
    cause="Reading the clock was not declared to have no derivative.",
    at=(np.array([0.1, 0.2]),),
    right=(np.cos(np.array([0.1, 0.2])),),
    oracle="closed form: cos x",
    reported=Raises("foreign-call"),
    no_defect="nothing that carries a derivative is within reach of the clock, so that it needs no rule",
)
def clock_read_inside_the_loss(x):
    start = time.perf_counter()
    y = np.sum(np.sin(x))
    SECONDS.append(time.perf_counter() - start)
    return y


@case(
    "zygote-548",
    "https://github.com/FluxML/Zygote.jl/issues/548",
    title="printing a value inside the loss raises",
    month="2020-03",
    symptom="raises",
    cause="Output functions were not declared to have no derivative, and printing itself was differentiated.",
    needs=("plain-values",),
    at=(3.0,),
    right=(6.0,),
    oracle="closed form: 2x",
    reported=Raises("foreign-call"),
    defect=without_rule(print),
)
def print_inside_the_loss(x):
    print("loss", x, file=io.StringIO())
    return x * x


@case(
    "zygote-562",
    "https://github.com/FluxML/Zygote.jl/pull/562",
    title="writing a value as text inside the loss raises",
    month="2020-03",
    symptom="raises",
    cause="Conversion to text was not declared to have no derivative.",
    needs=("plain-values",),
    at=(3.0,),
    right=(6.0,),
    oracle="closed form: 2x",
    reported=Raises("foreign-call"),
    defect=without_rule(repr),
)
def value_written_as_text(x):
    name = f"{x:.1f}" + repr(x)
    return x**2 if len(name) > 0 else 0.0


LOG = logging.getLogger("gradpin.cases")
LOG.setLevel(logging.CRITICAL)


@case(
    "zygote-1662",
    "https://github.com/FluxML/Zygote.jl/issues/1662",
    title="a warning in one branch of the loss brings the process down",
    month="2026-07",
    symptom="raises",
    cause="Logging asks whether a local variable is defined, and lowering had put a value in the place of its name.",
    needs=("plain-values",),
    at=(-1.0,),
    right=(1.0,),
    oracle="closed form: x in this branch",
    reported=Raises("crash", "segmentation fault"),
    no_defect="the mistake was in lowering a question the language does not have",
)
def warning_in_one_branch(x):
    if x > 0:
        return x * 2
    LOG.warning("negative: %s", x)
    return x


@case(
    "zygote-1662",
    "https://github.com/FluxML/Zygote.jl/issues/1662",
    title="logging a value that is being differentiated enters the logging library",
    month="2026-07",
    symptom="raises",
    cause="Logging was not declared to have no derivative.",
    needs=("plain-values",),
    at=(-1.0,),
    right=(-2.0,),
    oracle="closed form: 2x",
    reported=Raises("foreign-call"),
    no_defect="without its declaration the logging library is followed as the Python it is, to the same answer",
)
def message_holds_the_value(x):
    LOG.info("x = %r", x)
    return x**2


GRID = np.array([1.0, 2.0, 3.0, 4.0, 5.0])


@case(
    "zygote-1156",
    "https://github.com/FluxML/Zygote.jl/issues/1156",
    title="a binary search inside the loss raises about a variable nobody has written",
    month="2022-02",
    symptom="raises",
    cause="Searches had no rule, so the engine went into the midpoint's bit shift; the refusal it then generated "
    "named an argument that had been renamed.",
    at=(np.array([3.5, 1.2]),),
    right=(np.array([3.0, 1.0]),),
    oracle="closed form: the indices, which are constant",
    reported=Raises("foreign-call"),
    defect=without_rule(np.searchsorted),
)
def binary_search_inside_the_loss(x):
    index = np.searchsorted(GRID, x)
    return np.sum(x * index)


class Boxed:
    """An array with something around it that hands ufuncs on."""

    def __init__(self, data):
        self.data = data

    def __array_ufunc__(self, ufunc, method, *operands, **kwargs):
        operands = [operand.data if isinstance(operand, Boxed) else operand for operand in operands]
        return Boxed(getattr(ufunc, method)(*operands, **kwargs))


PAIR = np.array([0.5, -0.25])


@case(
    "autograd-717",
    "https://github.com/HIPS/autograd/pull/717",
    title="a ufunc of an object that hands it on to the array inside raises",
    month="2026-06",
    symptom="raises",
    cause="What carries a derivative did not say what ufuncs mean for it, so that NumPy took it for an object of no "
    "known kind.",
    needs=("objects", "plain-values"),
    at=(PAIR,),
    right=(2 * PAIR * np.exp(PAIR**2),),
    oracle="closed form: of exp(x²)",
    reported=Raises("foreign-call", "multiply"),
    defect=traced(ufuncs, "by_override", lambda ufunc, args, kwargs: None),
)
def ufuncs_of_a_box(x):
    box = np.multiply(Boxed(x), x)
    return np.sum(np.exp(box).data)


@case(
    "jax-23923",
    "https://github.com/jax-ml/jax/pull/23923",
    title="ldexp has a derivative of 0",
    month="2024-09",
    symptom="missing-gradient",
    cause="Mantissa and exponent were put together from their bits, as whole numbers, and no derivative goes through "
    "these.",
    at=(1.7,),
    right=(8.0,),
    oracle="closed form: 2³",
    reported=(0.0,),
    defect=with_rule(np.ldexp, x=lambda d, out, x, i, /: 0.0 * d),
)
def eight_times_by_its_exponent(x):
    return np.ldexp(x, 3)


scope = {"np": np}
exec("def written_nowhere(x):\n    return np.sin(x) * x", scope)
WRITTEN_NOWHERE = scope["written_nowhere"]


@case(
    "tangent-10",
    "https://github.com/google/tangent/issues/10",
    title="a function whose source cannot be had fails deep inside",
    month="2017-11",
    symptom="raises",
    cause="The transformation reads the source of what it is given, and let the error of the library that looks for "
    "it through.",
    needs=("refusal",),
    at=(0.7,),
    right=Raises("source", "written_nowhere: its Python source is needed"),
    oracle="definition: a function without source is refused by name",
    reported=Raises("crash", "OSError: could not get source code"),
    defect=traced(frontend, "_no_source", lambda code, reason: OSError("could not get source code")),
)
def function_that_is_written_nowhere(x):
    return WRITTEN_NOWHERE(x)
