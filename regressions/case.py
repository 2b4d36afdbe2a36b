"""The form of a case: one reported bug as a small program, the point, the right answer, and what was reported instead.

A case is written above its own program, which is plain NumPy and knows no engine:

    @case(
        "flux-1614",
        "https://github.com/FluxML/Flux.jl/pull/1614",
        title="...", month="2021-06", symptom="wrong-value", cause="...",
        at=(W, b), right=(...), oracle="closed form: 2 (Wx + b) xᵀ", reported=(...), defect=...,
    )
    def unused_collection_changes_nothing(W, b): ...

The file it stands in is its topic. Every word that is chosen from a list is checked when the case is made.

What a program returns: a real scalar where its gradient is asked for (a program that computes an array, a complex
number or a structure weighs it to one); anything made of numbers, arrays, text and containers where its value is.
"""

from __future__ import annotations

import copy
import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

__all__ = [
    "ASKS",
    "COSTS",
    "KINDS",
    "NEEDS",
    "ORACLES",
    "SYMPTOMS",
    "TRACKERS",
    "Between",
    "Case",
    "Growth",
    "OneOf",
    "Raises",
    "Tolerance",
    "case",
    "fields",
    "thread_id",
]

SYMPTOMS = {
    "raises": "an exception where there is an answer",
    "no-error": "an answer where there is none",
    "wrong-value": "numbers that are not the derivative",
    "nan-inf": "NaN or infinity where the derivative is finite",
    "missing-gradient": "nothing, or zero, where the derivative is not zero",
    "wrong-structure": "cotangents in other places than the values they belong to",
    "wrong-shape": "a cotangent of another shape than its primal",
    "wrong-dtype": "a cotangent of another dtype than its primal",
    "slow": "work that grows faster than the program's own",
    "memory": "storage that grows faster than the program's own work, or is never given back",
}

NEEDS = {
    "complex": "complex numbers",
    "containers": "gradients of lists, tuples and dicts, and programs that fill them",
    "counted-bytes": "work whose storage Python's tracemalloc sees",
    "counted-calls": "work that is done by calls of Python functions, which a profiler sees",
    "objects": "gradients of objects",
    "forward": "forward mode: jvp",
    "implicit": "parameters found by identity",
    "mutation": "arrays that are written in place",
    "nested": "a derivative inside the program",
    "plain-values": "values in the program are plain floats and arrays, which foreign code accepts",
    "refusal": "a foreign call that could carry a derivative is refused by name",
    "rules": "rules of one's own for foreign functions",
}

TRACKERS = {
    "adbench": "microsoft/ADBench",
    "aesara": "aesara-devs/aesara",
    "autograd": "HIPS/autograd",
    "casadi": "casadi/casadi",
    "chainer": "chainer/chainer",
    "chainrules": "JuliaDiff/ChainRules.jl",
    "coordinax": "GalacticDynamics/coordinax",
    "diffrax": "patrick-kidger/diffrax",
    "drjit": "mitsuba-renderer/drjit",
    "enzyme": "EnzymeAD/Enzyme",
    "enzymejl": "EnzymeAD/Enzyme.jl",
    "equinox": "patrick-kidger/equinox",
    "flax": "google/flax",
    "flux": "FluxML/Flux.jl",
    "forwarddiff": "JuliaDiff/ForwardDiff.jl",
    "jax": "jax-ml/jax",
    "jaxjs": "ekzhang/jax-js",
    "keras": "keras-team/keras",
    "micrograd": "karpathy/micrograd",
    "mlx": "ml-explore/mlx",
    "mxnet": "apache/mxnet",
    "mygrad": "rsokl/MyGrad",
    "myia": "mila-iqia/myia",
    "nabla": "invenia/Nabla.jl",
    "nnlib": "FluxML/NNlib.jl",
    "nx": "elixir-nx/nx",
    "optax": "google-deepmind/optax",
    "optimisers": "FluxML/Optimisers.jl",
    "pytensor": "pymc-devs/pytensor",
    "pytorch": "pytorch/pytorch",
    "quadrants": "Genesis-Embodied-AI/quadrants",
    "reversediff": "JuliaDiff/ReverseDiff.jl",
    "scimlsensitivity": "SciML/SciMLSensitivity.jl",
    "sleipnir": "SleipnirGroup/Sleipnir",
    "stan-math": "stan-dev/math",
    "swift": "swiftlang/swift",
    "taichi": "taichi-dev/taichi",
    "tangent": "google/tangent",
    "tensorflow": "tensorflow/tensorflow",
    "theano": "Theano/Theano",
    "thunder": "Lightning-AI/lightning-thunder",
    "tinygrad": "tinygrad/tinygrad",
    "tracker": "FluxML/Tracker.jl",
    "uncertainties": "lmfit/uncertainties",
    "warp": "NVIDIA/warp",
    "zygote": "FluxML/Zygote.jl",
}

ASKS = {
    "gradient": "the gradient of the program, for every argument",
    "value": "what the program returns: it takes derivatives itself",
}

COSTS = {
    "calls": "calls of Python and C functions",
    "allocated": "bytes asked for, whether given back or not: the work on arrays, which calls do not show",
    "peak": "bytes in use when most are",
    "kept": "bytes still in use when the answer has been dropped",
}

ORACLES = ("closed form", "complex step", "finite differences", "mpmath", "definition")

KINDS = {
    "foreign-call": "a call into code that cannot be differentiated",
    "mutation": "a write that is not supported",
    "unsupported": "a construct of the language that is not supported",
    "source": "the source of a function that cannot be had",
    "argument": "an argument or a result of the wrong kind",
    "crash": "any other exception, such as an IndexError from inside the engine",
}

Rules = Sequence[tuple[Callable, Mapping[str, Callable]]]

fields = SimpleNamespace  # the cotangent of an object: fields(weight=..., bias=None)


@dataclass(frozen=True)
class Raises:
    """An exception, as an answer: its kind, and a pattern to be found in `TypeName: message`.

    A crash needs its pattern: any other exception is one, and a case must not take a new bug for the one it is about.

    >>> Raises("foreign-call", "cbrt").matches("foreign-call", "ForeignCallError: cbrt has no rule")
    True
    >>> Raises("foreign-call", "cbrt").matches("crash", "TypeError: cbrt takes a float")
    False
    """

    kind: str
    text: str = ""

    def __post_init__(self) -> None:
        _check("exception", self.kind, KINDS)
        if self.kind == "crash" and not self.text:
            raise ValueError("any exception is a crash: say which one was reported, Raises('crash', pattern)")

    def matches(self, kind: str, text: str) -> bool:
        """Is an exception of this kind and text the one meant?"""
        return kind == self.kind and re.search(self.text, text) is not None


@dataclass(frozen=True)
class Growth:
    """A cost, as an answer: it grows no faster than n ** exponent; `inf` is exponential growth, as only reports have.

    Counted, never timed, at the sizes n, 2n and 4n. A right growth also knows the right answer at each size, so that
    an engine is not right by doing nothing: `answer(n)` is the tuple that `right` would be at the arguments `at(n)`.

    >>> Growth("calls", 1).allows(1.2), Growth("calls", 1).allows(2.0), Growth("calls", 2).reached_by(1.9)
    (True, False, True)
    """

    of: str
    exponent: float
    answer: Callable[[int], tuple] | None = None
    n: int = 32

    def __post_init__(self) -> None:
        _check("cost", self.of, COSTS)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Where the cost is counted."""
        return self.n, 2 * self.n, 4 * self.n

    def allows(self, exponent: float) -> bool:
        """Is a cost that was found to grow so no more than this? Halfway to the next whole power is the bound."""
        return exponent <= self.exponent + 0.5

    def reached_by(self, exponent: float) -> bool:
        """Is a cost that was found to grow so as bad as this? Whatever is beyond the fourth power is exponential."""
        return exponent >= min(self.exponent - 0.5, 4.0)


@dataclass(frozen=True)
class Between:
    """In the place of a number or an array of an admissible answer: anything from `low` to `high`, elementwise."""

    low: Any
    high: Any


class OneOf(tuple):
    """In the place of a number or an array of an admissible answer: OneOf((a, b, c)), elementwise one of these."""


@dataclass(frozen=True)
class Tolerance:
    """How far a right answer may be from the exact one: |got - right| <= rtol |right| + atol, element by element.

    rtol None means three quarters of the digits of the answer's own dtype, and no more than a few thousand units in the
    last place (`compare.room`); anything wider says why. Engines that do the same operations in another order also get
    `largest`: units in the last place of the largest element.
    """

    rtol: float | None = None
    atol: float = 0.0
    why: str = ""
    largest: float = 0.0

    def __post_init__(self) -> None:
        if (self.rtol is not None or self.atol) and not self.why:
            raise ValueError("a tolerance of its own needs a reason: Tolerance(..., why='...')")


@dataclass(frozen=True, eq=False)
class Case:
    """One reported bug. Made by `case`; see there for what each field means."""

    tracker_id: str
    threads: tuple[str, ...]
    program: Callable
    title: str
    month: str
    symptom: str
    cause: str
    right: tuple | Raises | Growth
    oracle: str
    reported: tuple | Raises | Growth
    at: tuple | Callable[[int], tuple] = ()
    wrt: tuple | None = None
    admissible: tuple[tuple, ...] = ()
    asks: str = "gradient"
    needs: frozenset[str] = frozenset()
    rules: Rules = ()
    tolerance: Tolerance = Tolerance()
    no_differences: str = ""
    exact: Callable | None = None
    defect: Callable[[], AbstractContextManager] | None = None
    no_defect: str = ""

    def __post_init__(self) -> None:
        where = f"the case {self.id}: "
        if unfilled := [field for field, content in vars(self).items() if content is ...]:
            raise ValueError(f"{where}{', '.join(unfilled)} to be filled in")
        if not self.threads or self.thread_ids[0] != self.tracker_id:
            raise ValueError(
                f"{where}its first thread, of {', '.join(self.threads) or 'none'}, has to be the one it is named after"
            )
        _check(where + "symptom", self.symptom, SYMPTOMS)
        for need in self.needs:
            _check(where + "need", need, NEEDS)
        if not self.oracle.startswith(ORACLES):
            raise ValueError(f"{where}the oracle, {self.oracle!r}, begins with none of {', '.join(ORACLES)}")
        _check(where + "question", self.asks, ASKS)
        growth = isinstance(self.right, Growth)
        if growth != isinstance(self.reported, Growth) or growth != callable(self.at):
            raise ValueError(f"{where}a cost is a Growth, right and reported, and its `at` a function of the size")
        if isinstance(self.right, Growth) and (self.right.answer is None or math.isinf(self.right.exponent)):
            raise ValueError(f"{where}the right growth is finite and knows the right answer at each size: answer=")
        if self.admissible and not re.search(r"convention [0-9]+", self.oracle):
            raise ValueError(f"{where}an answer is chosen among the admissible by a convention; the oracle cites it")
        if self.exact is not None and not self.oracle.startswith("mpmath"):
            raise ValueError(f"{where}exact computes with mpmath, which the oracle then names")
        if self.asks == "value" and "nested" not in self.needs:
            raise ValueError(f"{where}a case that asks for the value takes derivatives itself: it needs 'nested'")
        if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", self.month):
            raise ValueError(f"{where}the month is written YYYY-MM, not {self.month!r}")
        if (self.defect is None) != bool(self.no_defect):
            raise ValueError(f"{where}give the defect to put back, or say in no_defect why there is none; not both")
        if ("implicit" in self.needs) != (self.wrt is not None):
            raise ValueError(f"{where}wrt names the parameters of a case that needs 'implicit', and of no other")
        if ("rules" in self.needs) != bool(self.rules):
            raise ValueError(f"{where}rules holds the rules of a case that needs 'rules', and of no other")

    @property
    def id(self) -> str:
        """Number for the historian, sentence for the reader: flux-2497-params_collected_inside_gradient."""
        return f"{self.tracker_id}-{self.program.__name__}"

    @cached_property
    def thread_ids(self) -> tuple[str, ...]:
        """The threads as tracker and number: flux-930, zygote-941."""
        return tuple(map(thread_id, self.threads))

    @property
    def trackers(self) -> set[str]:
        """Whose bug it is: the trackers it was reported to."""
        return {name.rsplit("-", 1)[0] for name in self.thread_ids}

    def arguments(self, n: int | None = None) -> tuple:
        """Fresh arguments: those of the case; for a cost those of the size n, or of the smallest size."""
        if not callable(self.at):
            return copy.deepcopy(self.at)
        assert isinstance(self.right, Growth)
        return self.at(self.right.n if n is None else n)

    @property
    def topic(self) -> str:
        """The name of the file the case stands in."""
        return self.program.__module__.rsplit(".", 1)[-1].replace("_", "-")


def case(
    tracker_id: str, *threads: str, needs: str | tuple[str, ...] = (), **answer: Any
) -> Callable[[Callable], Case]:
    """Make the case whose program stands below.

    tracker_id  tracker and number of the first thread: "flux-2497"
    threads     where it was reported; several when several trackers met the same defect
    title       what happened, in one line
    month       when it was first reported, "2024-10"
    symptom     one of SYMPTOMS
    cause       what was wrong, and why, in a sentence or two
    needs       what an engine must be able to do to be asked: of NEEDS
    at          the arguments: the gradient is taken for all of them; for a cost a function from the size to them
    wrt         instead: the arrays, known by identity, that a program without arguments is differentiated for
    asks        "gradient", or "value" for a program that takes derivatives itself and returns what is judged, such as
                a jvp, a Hessian, or an exception's text; right and reported are then one-tuples with that value
    right       the answer: a tuple, one cotangent an argument, None where nothing depends; or `Raises`, the refusal;
                or `Growth`, the bound of a cost
    admissible  at a kink: further answers that engines of other conventions may give, each like `right`, with
                `Between` and `OneOf` in the place of numbers and arrays; the reference engine gives `right`
    oracle      where the answer comes from: one of ORACLES, then the particulars; with `admissible`, its convention
    no_differences  why the differences of the program cannot confirm the answer (they are tried, and must not)
    exact       the program written in mpmath, for an answer whose oracle is mpmath: it is given the arguments with an
                mpf in the place of each float, arrays as arrays of objects, and differentiated with 60 digits
    reported    what came instead: a tuple, or `Raises`, or `Growth`
    rules       pairs (function, {argument: pullback}): the rules that the program is run with, `jvp` among them where
                it has one; (function, {}) declares the function constant
    tolerance   a `Tolerance` of its own, with the reason
    defect      a function without arguments that returns a context manager: inside it the bug is back in the engine
    no_defect   where there is none: why

    A program that needs "nested" takes the differentiation system under test as its keyword argument `ad`, which has
    the names of the reference engine: gradient, value_and_gradient, pullback, grad, value_and_grad, vjp, jvp, jacobian,
    hessian, hvp, stop_gradient, checkpoint, Params. Another engine that lacks one of them cannot be asked.

    Raises:
        ValueError: a word that is in no list, or fields that contradict each other.
    """

    def decorate(program: Callable) -> Case:
        words = {needs} if isinstance(needs, str) else set(needs)
        if isinstance(answer.get("right"), Growth):
            words.add("counted-calls" if answer["right"].of == "calls" else "counted-bytes")
        return Case(tracker_id, threads, program, needs=frozenset(words), **answer)

    return decorate


def thread_id(url: str) -> str:
    """A thread as tracker and number.

    Raises:
        ValueError: it is no thread of a tracker that is known.

    >>> thread_id("https://github.com/jax-ml/jax/issues/347")
    'jax-347'
    """
    match = re.fullmatch(r"https://github\.com/([^/]+/[^/]+)/(?:issues|pull)/([1-9][0-9]*)", url)
    if match is None:
        raise ValueError(f"{url!r} is no thread: write https://github.com/OWNER/NAME/issues/NUMBER, or pull for issues")
    for name, repository in TRACKERS.items():
        if match[1] == repository:
            return f"{name}-{match[2]}"
    near = "".join(f"; the nearest is {found}" for found in difflib.get_close_matches(match[1], TRACKERS.values(), 1))
    raise ValueError(f"{url!r} is no thread of a tracker that is known{near}; add its name to TRACKERS in case.py")


def _check(what: str, word: str, vocabulary: Mapping[str, str]) -> None:
    if word not in vocabulary:
        raise ValueError(f"{what}: {word!r} is none of {', '.join(sorted(vocabulary))}")
