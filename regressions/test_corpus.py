"""The cases: all are found, their words and links are right, and their answers are true without any engine."""

from __future__ import annotations

import ast
import builtins
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from . import cases, oracles
from .adapters import none_for_zeros
from .bisect.check import Absent, absent_parts_tolerated
from .case import SYMPTOMS, TRACKERS, Between, Case, Growth, OneOf, Raises, Tolerance, case
from .compare import first_difference
from .corpus import FILES, TOPICS, all_cases
from .verdicts import Answer, Failure, Verdict, judge, plain_value

ALL = all_cases()
ANSWERED = [c for c in ALL if not isinstance(c.right, Raises)]
# The extrapolated differences are good to 1e-10 of the loss; nested ones, differences of differences, to 1e-8.
AGREEMENT = Tolerance(rtol=1e-7, atol=1e-8, why="differences of differences")
ZEROS = ("0.0", "-0.0", "0j", "(0+0j)", "False")
KINKS = Tolerance(rtol=1e-5, atol=1e-6, why="one-sided differences")

of_every_case = pytest.mark.parametrize("case", ALL, ids=[c.id for c in ALL])


def files() -> list[Path]:
    return sorted(p for p in Path(cases.__path__[0]).glob("*.py") if p.name != "__init__.py")


def is_case(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and getattr(decorator.func, "id", None) == "case"


# -- all of them -------------------------------------------------------------------------------------------------------


def test_every_case_written_is_collected():
    trees = [ast.parse(path.read_text()) for path in files()]
    written = [
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any(map(is_case, node.decorator_list))
    ]
    assert sorted(written) == sorted(c.program.__name__ for c in ALL)


def test_ids_are_unique():
    assert len({c.id for c in ALL}) == len(ALL)


def test_every_topic_has_cases():
    assert set(TOPICS) == {c.topic for c in ALL}


def test_every_repository_has_one_name():
    assert len(set(TRACKERS.values())) == len(TRACKERS)


@of_every_case
def test_texts_are_short_and_say_something(case: Case):
    assert 10 < len(case.title) <= 100 and not case.title.endswith(".")
    assert 40 < len(case.cause) <= 300 and case.cause.endswith(".")
    assert case.no_defect != "to be decided"


# -- true without an engine --------------------------------------------------------------------------------------------


@of_every_case
def test_program_runs_and_returns_what_can_be_judged(case: Case):
    if isinstance(case.right, Raises):
        try:
            plain_value(case)
        except Exception as error:  # a program that is itself refused, such as a decomposition that does not exist
            assert case.right.matches(case.right.kind, f"{type(error).__name__}: {error}")
    elif case.asks == "gradient":
        value = plain_value(case)
        assert isinstance(value, float | np.floating) or (isinstance(value, np.ndarray) and value.shape == ())
        assert np.asarray(value).dtype.kind == "f"


@pytest.mark.parametrize("case", ANSWERED, ids=[c.id for c in ANSWERED])
def test_answer_agrees_with_its_oracle(case: Case):
    if case.no_differences and case.exact is None:
        try:
            disagreement = disagreement_with_differences(case)
        except Exception as error:  # where differences cannot serve, the program may not even run at a point nearby
            disagreement = error
        assert disagreement is not None, f"differences serve, though {case.no_differences}"
    else:
        assert (disagreement_with_differences if case.exact is None else disagreement_with_mpmath)(case) is None


def disagreement_with_differences(case: Case) -> Any:
    right, at = answer_of(case), widened(case.arguments())
    if case.asks == "value":
        value = widened((plain_value(case, at),))
        return first_difference(none_for_zeros(value, right), widened(right), AGREEMENT)
    if case.admissible:
        left, righthand = oracles.one_sided(program_of(case), *at)
        spans = [spanned(*sides) for sides in zip(left, righthand, strict=True)]
        answers = [right, *(extreme(answer, k) for answer in case.admissible for k in (0, -1))]
        return next(filter(None, (first_difference(widened(answer), tuple(spans), KINKS) for answer in answers)), None)
    if case.wrt is None:
        found: tuple = oracles.central_differences(program_of(case), *at)
    else:
        found = oracles.implicit_differences(lambda: plain_value(case), case.wrt)
    return first_difference(none_for_zeros(found, right), widened(right), AGREEMENT)


def disagreement_with_mpmath(case: Case) -> Any:
    assert case.exact is not None
    right = answer_of(case)
    found = oracles.exact_differences(case.exact, *case.arguments())
    return first_difference(none_for_zeros(found, right), right, case.tolerance)


def answer_of(case: Case) -> tuple:
    """The right answer; for a cost, the one at the smallest size."""
    right = case.right
    assert not isinstance(right, Raises)
    if isinstance(right, tuple):
        return right
    assert right.answer is not None
    return right.answer(right.n)


def program_of(case: Case):
    return lambda *args: plain_value(case, args)


def widened(x: Any) -> Any:
    """`x` in double precision, which differences need."""
    return mapped(x, lambda leaf: leaf.astype(np.result_type(leaf, np.float64)) if is_single(leaf) else leaf)


def is_single(x: Any) -> bool:
    return isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "fc"


def mapped(x: Any, change: Any) -> Any:
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(mapped(part, change) for part in x))
    if isinstance(x, tuple | list) and not isinstance(x, OneOf):
        return type(x)(mapped(part, change) for part in x)
    if isinstance(x, dict):
        return {key: mapped(part, change) for key, part in x.items()}
    return change(x)


def extreme(answer: Any, which: int) -> Any:
    """The answer with the lowest or the highest of each set in it."""

    def end(leaf: Any) -> Any:
        if isinstance(leaf, Between):
            return leaf.low if which == 0 else leaf.high
        return leaf[which] if isinstance(leaf, OneOf) else leaf

    return mapped(answer, end)


def spanned(left: Any, right: Any) -> Any:
    """Everything between the slopes to the left and to the right."""
    if left is None:
        return None
    if isinstance(left, tuple | list):
        return type(left)(spanned(*pair) for pair in zip(left, right, strict=True))
    if isinstance(left, dict):
        return {key: spanned(left[key], right[key]) for key in left}
    return (
        Between(np.minimum(left, right), np.maximum(left, right))
        if is_single(left)
        else Between(*sorted((left, right)))
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_answers_are_made_without_rules_of_the_engine(path: Path, monkeypatch: pytest.MonkeyPatch):
    """The file is imported where rules and tiers are not: what is made with them there is made of nothing."""
    imported = builtins.__import__

    def without(name: str, globals: Any = None, *rest: Any) -> Any:
        inner = name.startswith(("engine.rules", "engine.traced", "engine.typed"))
        if inner and (globals or {}).get("__name__", "").startswith("regressions.cases."):
            raise ImportError(name)
        return imported(name, globals, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    spec = spec_from_file_location(f"regressions.cases.{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    with absent_parts_tolerated():
        spec.loader.exec_module(module)
    for made in vars(module).values():
        if isinstance(made, Case):
            assert not _holds_what_is_absent((made.right, made.reported)), made.id


def _holds_what_is_absent(answer: Any) -> bool:
    return isinstance(answer, Absent) or any(_holds_what_is_absent(part) for _, part in oracles.parts(answer))


@of_every_case
def test_what_was_reported_is_told_from_the_answer(case: Case):
    reported = case.reported
    if isinstance(reported, Raises):
        outcome: Any = Failure(reported.kind, reported.text or "some text")
        assert judge(case, outcome)[0] is Verdict.REPORTED or reported.text  # a pattern need not match itself
    elif isinstance(reported, tuple):
        assert judge(case, Answer(None, reported))[0] is Verdict.REPORTED
        for other in case.admissible:
            assert first_difference(reported, other, case.tolerance) is not None
    else:
        assert isinstance(case.right, Growth)
        assert not case.right.allows(reported.exponent) and reported.of == case.right.of


@of_every_case
def test_symptom_is_what_was_reported(case: Case):
    if isinstance(case.reported, Raises):
        symptoms = {"raises"}
    elif isinstance(case.right, Raises):
        symptoms = {"no-error"}
    elif isinstance(case.reported, Growth):
        symptoms = {{"calls": "slow", "peak": "memory", "kept": "memory"}.get(case.reported.of, case.symptom)}
        assert case.symptom in ("slow", "memory")
    else:
        assert isinstance(case.right, tuple)
        difference = first_difference(case.reported, case.right, case.tolerance)
        assert difference is not None
        symptoms = {
            "kind": {"missing-gradient" if difference.got == "None" else "wrong-structure"},
            "parts": {"wrong-structure"},
            "shape": {"wrong-shape"},
            "dtype": {"wrong-dtype"},
            "value": {"wrong-value", "missing-gradient"} if difference.got in ZEROS else {"wrong-value"},
            "text": {"wrong-value"},
        }.get(difference.what, {"nan-inf"})
        if case.asks == "value" and isinstance(case.right[0], bool | int):  # a count, or a claim about it
            symptoms |= {"slow", "memory"}
    assert case.symptom in symptoms


# -- what the form refuses ---------------------------------------------------------------------------------------------

URL = "https://github.com/FluxML/Flux.jl/issues/7"
GOOD = {
    "title": "a title", "month": "2024-10", "symptom": "raises", "cause": "a cause", "at": (1.0,), "right": (1.0,),
    "oracle": "closed form", "reported": (2.0,), "no_defect": "this is a test",
}  # fmt: skip


def made(*threads: str, **changes: Any) -> Case:
    def program(x):
        return x

    program.__module__ = "regressions.cases.parameters"
    return case("flux-7", *(threads or (URL,)), **{**GOOD, **changes})(program)


def test_a_good_case_is_made():
    assert made().id == "flux-7-program" and made().topic == "parameters"


@pytest.mark.parametrize(
    ("threads", "changes", "message"),
    [
        (["http://github.com/FluxML/Flux.jl/issues/7"], {}, "is no thread: write"),
        (["https://github.com/FluxML/Flux.jl/issues/7#comment"], {}, "is no thread: write"),
        (["https://github.com/FluxML/Nothing.jl/issues/7"], {}, "is no thread of"),
        (["https://github.com/FluxML/Flux.jl/issues/8"], {}, "named after"),
        ([], {"symptom": "slowness"}, "symptom: 'slowness' is none of"),
        ([], {"needs": "luck"}, "need: 'luck' is none of"),
        ([], {"oracle": "I looked at it"}, "begins with none of"),
        ([], {"month": "2024-13"}, "YYYY-MM"),
        ([], {"no_defect": ""}, "say in no_defect why"),
        ([], {"defect": lambda: None}, "not both"),
        ([], {"wrt": (1.0,)}, "wrt names the parameters"),
        ([], {"needs": "implicit"}, "wrt names the parameters"),
        ([], {"needs": "rules"}, "rules holds the rules"),
    ],
)
def test_a_case_that_contradicts_itself_is_refused(threads: list[str], changes: dict, message: str):
    with pytest.raises(ValueError, match=message):
        made(*threads, **changes)


def test_a_crash_that_any_exception_would_match_is_refused():
    with pytest.raises(ValueError, match="say which one was reported"):
        Raises("crash")


def test_vocabularies_explain_each_word():
    assert all(len(text) > 10 for words in (TOPICS, SYMPTOMS) for text in words.values())
