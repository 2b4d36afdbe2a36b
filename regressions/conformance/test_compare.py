"""The comparison, the verdicts, the saboteurs and the oracles: each is shown to reject what it must."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from regressions import differences, oracles
from regressions.adapters import Adapter, UnknownEngine, adapters_of
from regressions.case import NEEDS, Between, Case, OneOf, Raises, Tolerance, fields
from regressions.compare import first_difference
from regressions.corpus import all_cases, find
from regressions.saboteurs import encoded
from regressions.verdicts import Answer, Failure, NotAsked, Verdict, ask, judge

Pair = namedtuple("Pair", "left right")


class Framed(np.ndarray):
    """An array of another class."""


EPS = float(np.finfo(float).eps)
a = np.array

# -- comparison --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("got", "expected", "difference"),
    [
        # structure
        (None, 0.0, "g: kind: expected float, got None"),
        (0.0, None, "g: kind: expected None, got float"),
        ([1.0], (1.0,), "g: kind: expected tuple, got list"),
        ((1.0, 2.0), Pair(1.0, 2.0), "g: kind: expected Pair, got tuple"),
        ((1.0,), (1.0, 2.0), "g: parts: expected 2 ([0] [1]), got 1 ([0])"),
        ((), (None,), "g: parts: expected 1 ([0]), got none"),
        ({"a": 1.0}, {"a": 1.0, "b": None}, "g: parts: expected 2 (['a'] ['b']), got 1 (['a'])"),
        (fields(w=1.0), fields(w=1.0, b=None), "g: parts: expected 2 (.w .b), got 1 (.w)"),
        ({"a": 1.0}, fields(a=1.0), "g: kind: expected SimpleNamespace, got dict"),
        ([{"a": (1.0, 2.0)}], [{"a": (1.0, 3.0)}], "g[0]['a'][1]: value: expected 3.0, got 2.0"),
        (Pair(1.0, fields(w=2.0)), Pair(1.0, fields(w=3.0)), "g.right.w: value: expected 3.0, got 2.0"),
        # type, shape, dtype
        (np.float64(1.0), 1.0, "g: kind: expected float, got float64"),
        (np.float64(1.0), np.float32(1.0), "g: dtype: expected float32, got float64"),
        (a(1.0), 1.0, "g: kind: expected float, got ndarray"),
        (1, 1.0, "g: kind: expected float, got int"),
        (1 + 0j, 1.0, "g: kind: expected float, got complex"),
        (a([1.0]), a(1.0), "g: shape: expected (), got (1,)"),
        (a([[1.0, 2.0]]), a([1.0, 2.0]), "g: shape: expected (2,), got (1, 2)"),
        (np.ones((2, 3)), np.ones((3, 2)), "g: shape: expected (3, 2), got (2, 3)"),
        (np.ones(2), np.ones(2, np.float32), "g: dtype: expected float32, got float64"),
        (np.ones(2, complex), np.ones(2), "g: dtype: expected float64, got complex128"),
        (np.zeros(0, int), np.zeros(0), "g: dtype: expected float64, got int64"),
        # NaN and infinity
        (a([0.0, np.nan]), a([0.0, 0.0]), "g[1]: place of NaN: expected 0.0, got nan"),
        (a([0.0, 0.0]), a([0.0, np.nan]), "g[1]: place of NaN: expected nan, got 0.0"),
        (a([np.inf, 0.0]), a([0.0, 0.0]), "g[0]: place of infinity: expected 0.0, got inf"),
        (a([-np.inf]), a([np.inf]), "g[0]: sign of infinity: expected inf, got -inf"),
        (a([complex(0, np.nan)]), a([complex(np.nan, 0)]), "g[0]: place of NaN: expected (nan+0j), got nanj"),
        (float("nan"), 1.0, "g: place of NaN: expected 1.0, got nan"),
        # values
        (a([[1.0, 2.0], [3.0, 5.0]]), a([[1.0, 2.0], [3.0, 4.0]]), "g[1, 1]: value: expected 4.0, got 5.0"),
        (a([1e9, 2e-9]), a([1e9, 1e-9]), "g[1]: value: expected 1e-09, got 2e-09"),
        (1e-300, 0.0, "g: value: expected 0.0, got 1e-300"),
        (a([1j]), a([-1j]), "g[0]: value: expected (-0-1j), got 1j"),
        (1.0 + 5000 * EPS, 1.0, "g: value: expected 1.0, got 1.0000000000011102"),
        (np.float32(1.00001), np.float32(1.0), "g: value: expected 1.0, got 1.0000100135803223"),
        (np.float16(1.01), np.float16(1.0), "g: value: expected 1.0, got 1.009765625"),
        (np.ones(1).view(Framed), np.ones(1), "g: kind: expected ndarray, got Framed"),
        (a([True, True]), a([True, False]), "g[1]: value: expected False, got True"),
        (a([1, 2]), a([1, 3]), "g[1]: value: expected 3, got 2"),
        (("x",), ("y",), "g[0]: text: expected 'y', got 'x'"),
        # sets: the nearest member is what was expected
        (1.5, Between(0.0, 1.0), "g: value: expected 1.0, got 1.5"),
        (a([0.5, -0.5]), Between(a([0.0, 0.0]), a([1.0, 1.0])), "g[1]: value: expected 0.0, got -0.5"),
        (a([0.5, 1.0]), OneOf((a([0.0, 0.0]), a([1.0, 1.0]))), "g[0]: value: expected 0.0, got 0.5"),
        (a([0.5]), Between(a([0.0, 0.0]), a([1.0, 1.0])), "g: shape: expected (2,), got (1,)"),
        (a([0.5], np.float32), Between(a([0.0]), a([1.0])), "g: dtype: expected float64, got float32"),
        (float("nan"), Between(0.0, 1.0), "g: place of NaN: expected 0.0, got nan"),
        (None, OneOf((0.0, 1.0)), "g: kind: expected float, got None"),
    ],
)
def test_difference_is_found_and_named(got: Any, expected: Any, difference: str):
    assert str(first_difference(got, expected, path="g")) == difference


@pytest.mark.parametrize(
    "answer",
    [
        (None, 1.0, a([1.0, np.nan, -np.inf])),
        [fields(w=np.ones((2, 2)), b=None), {"n": 1 + 2j}],
        (Pair(np.float32(2.0), a(3.0)), ()),
        (np.zeros((0, 3)), a([complex(np.nan, 1.0)])),
    ],
)
def test_an_answer_is_no_different_from_itself(answer: Any):
    assert first_difference(answer, answer) is None


@pytest.mark.parametrize(
    ("got", "admissible"),
    [
        (0.5, Between(0.0, 1.0)),
        (a([0.0, 0.3, 1.0]), Between(np.zeros(3), np.ones(3))),
        (np.float32(1.0), OneOf((np.float32(0.0), np.float32(1.0)))),
        ((a([0.0, 1.0]), 2.0), (OneOf((np.zeros(2), np.ones(2))), 2.0)),
    ],
)
def test_members_of_a_set_are_no_difference(got: Any, admissible: Any):
    assert first_difference(got, admissible) is None


def test_roundings_are_no_difference():
    assert first_difference(1.0 + 1000 * EPS, 1.0) is None
    assert first_difference(np.float32(1.0 + 5e-6), np.float32(1.0)) is None
    assert first_difference(np.float16(1.005), np.float16(1.0)) is None
    assert first_difference(0.0, -0.0) is None


def test_a_tolerance_of_its_own_needs_a_reason():
    with pytest.raises(ValueError, match="needs a reason"):
        Tolerance(rtol=1e-3)
    assert first_difference(1.001, 1.0, Tolerance(rtol=1e-2, why="a test")) is None
    assert first_difference(1e-9, 0.0, Tolerance(atol=1e-8, why="a test")) is None
    assert first_difference(1.1, 1.0, Tolerance(rtol=1e-2, why="a test")) is not None


def test_an_answer_that_is_no_number_cannot_be_compared():
    with pytest.raises(TypeError, match=r"gradient\[0\]: a bytes cannot be compared"):
        first_difference((b"x",), (b"x",))
    with pytest.raises(TypeError, match="dtype object cannot be compared"):
        first_difference(a([None]), a([None]))


def test_encoding_tells_apart_whatever_differs_in_a_bit():
    answers = [
        None, 0.0, -0.0, 0, False, np.float64(0.0), np.float32(0.0), a(0.0), a([0.0]), a([[0.0]]), a([0]), 0j, (0.0,),
        [0.0], {"a": 0.0}, fields(a=0.0), {"a": None}, (), [], float("nan"), a([0.0, 1.0]), a([1.0, 0.0]),
    ]  # fmt: skip
    assert len({repr(encoded(x)) for x in answers}) == len(answers)
    assert all(encoded(x) == encoded(x) for x in answers)


# -- verdicts ----------------------------------------------------------------------------------------------------------

BY_VALUE = find("flux-2091")[0]  # reported: nothing
BY_ERROR = find("zygote-293")[0]  # reported: a foreign call error
REFUSED = find("scimlsensitivity-334")[0]  # right: a foreign call error; reported: nothing
FOREIGN = "ForeignCallError: Can't differentiate foreigncall expression list.pop"


@pytest.mark.parametrize(
    ("case", "outcome", "verdict"),
    [
        (BY_VALUE, Answer(None, BY_VALUE.right), Verdict.RIGHT),
        (BY_VALUE, Answer(None, (None,)), Verdict.REPORTED),
        (BY_VALUE, Answer(None, ({"x": None, "y": None},)), Verdict.WRONG),
        (BY_VALUE, Failure("foreign-call", FOREIGN), Verdict.ERROR),
        (BY_VALUE, NotAsked(frozenset({"objects"})), Verdict.NOT_ASKED),
        (BY_ERROR, Failure("foreign-call", FOREIGN), Verdict.REPORTED),
        (BY_ERROR, Failure("foreign-call", "ForeignCallError: something else"), Verdict.ERROR),
        (BY_ERROR, Failure("crash", FOREIGN), Verdict.ERROR),
        (BY_ERROR, Answer(None, (None,)), Verdict.WRONG),
        (REFUSED, Failure("foreign-call", f"{FOREIGN} cbrt at foreign_calls.py:7"), Verdict.RIGHT),
        (REFUSED, Failure("foreign-call", FOREIGN), Verdict.ERROR),
        (REFUSED, Answer(None, (None,)), Verdict.REPORTED),
        (REFUSED, Answer(None, (1 / 12,)), Verdict.WRONG),
    ],
)
def test_verdict(case: Case, outcome: Any, verdict: Verdict):
    assert judge(case, outcome)[0] is verdict


def test_a_right_gradient_with_a_wrong_value_is_not_right():
    verdict, difference = judge(BY_VALUE, Answer(2.0, BY_VALUE.right), value=3.0)
    assert verdict is Verdict.WRONG and difference.path == "value"


class Broken(Adapter):
    """An engine with the right value and the gradients that `answer` makes of the arguments."""

    name = "broken"
    capabilities = frozenset(NEEDS)
    face = differences
    keeps_conventions = has_none = True

    def __init__(self, answer: Callable[[tuple], Any]) -> None:
        self.answer = answer

    def vjp(self, f: Callable, *args: Any) -> tuple[Any, Callable]:
        return f(*args), lambda seed: self.answer(args)

    def value(self, program: Callable, *args: Any) -> Any:
        return self.answer((super().value(program, *args),))[0]

    def implicit(self, f: Callable, arrays: Any) -> tuple[Any, tuple]:
        return f(), self.answer(tuple(arrays))

    def given(self, rules: Any):
        return pytest.MonkeyPatch.context()


def no_engine(args: tuple) -> tuple:
    raise RuntimeError("no engine here")


def zeros(x: Any) -> Any:
    if isinstance(x, tuple | list):
        return type(x)(map(zeros, x))
    return np.zeros_like(x) if isinstance(x, np.ndarray) else 0.0


@pytest.mark.parametrize("answer", [zeros, lambda args: (None,) * len(args), lambda args: (), no_engine])
@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_no_case_holds_on_a_broken_engine(case: Case, answer: Callable[[tuple], Any]):
    outcome = ask(case, Broken(answer))
    verdict, _ = judge(case, outcome)
    # no parameters: no gradients is the answer; a function may have slope zero
    by_luck = isinstance(outcome, Answer) and encoded(outcome.gradient) == encoded(case.right)
    assert (verdict is Verdict.RIGHT) == by_luck


def test_an_engine_is_not_asked_what_it_cannot_do():
    class Limited(Broken):
        capabilities = frozenset()

    outcome = ask(BY_VALUE, Limited(zeros))
    assert outcome == NotAsked(BY_VALUE.needs)
    assert judge(BY_VALUE, outcome) == (Verdict.NOT_ASKED, None)


def test_an_unknown_engine_is_refused_by_name():
    with pytest.raises(UnknownEngine, match="there is no engine 'abacus'; there is autograd"):
        adapters_of("abacus")


def test_an_unknown_kind_of_exception_is_refused():
    with pytest.raises(ValueError, match="'surprise' is none of"):
        Raises("surprise")


# -- oracles -----------------------------------------------------------------------------------------------------------

SMOOTH = [
    (lambda x: np.sin(x) * x, (0.7,)),
    (lambda x, y: np.sum(np.exp(x) / y), (a([0.1, -2.0]), a([3.0, 50.0]))),
    (lambda w, x: np.sum(np.tanh(w @ x) ** 3), (a([[0.5, -0.2], [0.1, 0.3]]), a([1.0, 2.0]))),
    (
        lambda m: m["w"][0] ** 2 * m["n"] + np.sum(m["o"].b) * 1e-3,
        ({"w": (3.0, None), "n": 2, "o": fields(b=a([1.0]))},),
    ),
    (lambda p: p.left * p.right**2, (Pair(1e6, 1e-3),)),
]


@pytest.mark.parametrize(("f", "args"), SMOOTH)
def test_two_oracles_agree(f: Callable, args: tuple):
    limit, exact = oracles.central_differences(f, *args), oracles.complex_step(f, *args)
    assert first_difference(limit, exact, Tolerance(rtol=1e-8, atol=1e-9, why="extrapolated differences")) is None


def test_implicit_differences_agree_and_leave_the_arrays_alone():
    w, b = a([[1.0, 2.0], [3.0, 4.0]]), a([0.5, -1.0])
    before = w.copy()
    found = oracles.implicit_differences(lambda: np.sum((w @ b) ** 2), [w, b])
    exact = 2 * np.outer(w @ b, b), 2 * w.T @ (w @ b)
    assert first_difference(found, exact, Tolerance(rtol=1e-9, why="extrapolated differences")) is None
    assert np.array_equal(w, before)


def test_complex_arguments_follow_the_convention():
    (g,) = oracles.central_differences(lambda z: np.real(z * z) + np.imag(z), 1.0 + 2.0j)
    assert abs(g - (2.0 - 4.0j + 1.0j)) < 1e-9  # dL/dx + i dL/dy of x² - y² + y


@pytest.mark.parametrize("f", [abs, lambda x: np.sign(x + 1e-3), lambda x: np.sqrt(np.maximum(x, 0.0))])
def test_differences_at_a_kink_or_a_jump_are_unsettled(f: Callable):
    with pytest.raises(oracles.Unsettled):
        oracles.central_differences(lambda x: f(x) + 0.5 * f(2 * x - 1e-3), 0.0)
