"""How a program fails on an engine, in terms that a smaller program can be asked for again.

What is right is said by differences along random directions, one number or array of the arguments at a time; for a
program that takes derivatives itself, by differences in the place of its engine. So a symptom names no numbers: it is
an exception with its message, a NaN, a zero or another wrong number in the cotangent of one part of the arguments.
"""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .. import differences
from ..adapters import Adapter, CannotBeAsked
from ..case import Case, Rules
from .operations import DIGITS
from .slopes import inner, leaves, moved_along, random_direction, slope

__all__ = ["VALUE", "Subject", "Symptom", "Undecided", "asked", "of_case", "symptom"]


VALUE = "another value"


class Undecided(Exception):
    """The question makes no sense: the program fails by itself, or the engine cannot be asked. The message says why."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A program at a point, and what is asked of it, as in a case."""

    program: Callable
    at: tuple
    asks: str = "gradient"
    nested: bool = False
    wrt: tuple | None = None
    rules: Rules = ()

    def arguments(self) -> tuple:
        """Fresh arguments."""
        return copy.deepcopy(self.at)


def of_case(case: Case) -> Subject:
    """The program of a case."""
    return Subject(case.program, case.at, case.asks, "nested" in case.needs, case.wrt, case.rules)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Symptom:
    """A way to fail: what comes, in what part of the arguments or of the value; and once more in words."""

    kind: str
    where: str = ""
    text: str = ""
    expected: str = ""
    got: str = ""
    error: Exception | None = None

    def key(self) -> tuple[str, str, str]:
        """What it has in common with the symptom of a smaller program."""
        return self.kind, self.where, self.text

    def __str__(self) -> str:
        return f"{self.kind} {self.where}".strip() if self.error is None else self.got.splitlines()[0]


def asked(subject: Subject, adapter: Adapter) -> tuple[Any, tuple]:
    """The value and the gradient; None and the value in a tuple where that is what is asked.

    Raises whatever the engine raises.
    """
    with adapter.given(subject.rules) if subject.rules else nullcontext():
        if subject.asks == "value":
            return None, (adapter.value(subject.program, *subject.arguments()),)
        program = partial(subject.program, ad=adapter.face) if subject.nested else subject.program
        if subject.wrt is not None:
            return adapter.implicit(program, subject.wrt)
        return adapter.gradient(program, *subject.arguments())


def symptom(subject: Subject, adapter: Adapter) -> Symptom | None:
    """How the program fails on the engine, None if it does not as far as differences can tell.

    Raises:
        Undecided: the program fails in plain Python too, or the engine has not what it takes.
    """
    program = partial(subject.program, ad=differences) if subject.nested else subject.program
    failed: Exception | None = None
    right: Any = None
    try:
        right = program(*subject.arguments())
    except Exception as error:
        failed = error
    try:
        value, gradient = asked(subject, adapter)
    except CannotBeAsked as missing:
        raise Undecided(f"{adapter.name} does not have {missing}") from None
    except Exception as error:
        if lack := adapter.lack(error):
            raise Undecided(f"{adapter.name} does not have {lack}") from None
        if failed is not None and type(failed) is type(error) and str(failed) == str(error):
            raise Undecided(f"it fails without an engine too: {type(error).__name__}: {error}") from None
        text = f"{type(error).__name__}: {error}"
        return Symptom("raises", text=_without_numbers(text), got=text, error=error)
    if failed is not None:
        raise Undecided(f"it fails without an engine: {type(failed).__name__}: {failed}")
    if subject.asks == "value":
        return _of_value(adapter.read(gradient[0], right), right)
    if np.ndim(right) == 0 and not np.allclose(adapter.read(value, right), right, rtol=1e-5, equal_nan=True):
        return Symptom(VALUE, expected=str(right), got=str(value))
    return _of_gradient(program, subject, adapter.read(gradient, subject.wrt or subject.arguments()))


def _without_numbers(text: str) -> str:
    """The first line of a message, the same for other numbers, shapes and places.

    >>> _without_numbers("ValueError: shapes (2,3) and (3, ) at a.py:7")
    'ValueError: shapes () and () at <file>'
    """
    first = re.sub(r"\S+\.py:\d+|<isolate[^>]*>(:\d+)?", "<file>", text.splitlines()[0])
    return re.sub(r"\([#, ]*\)", "()", re.sub(r"-?\b\d+(\.\d*)?(e[-+]?\d+)?", "#", first))


def _of_value(got: Any, right: Any) -> Symptom | None:
    found, wanted = dict(leaves((got,))), dict(leaves((right,)))
    if found.keys() != wanted.keys():
        return Symptom("another structure", expected=str(right), got=str(got))
    for path, leaf in wanted.items():
        ours = found[path]
        where = "in the value" + "".join(f"[{key!r}]" for key in path[1:])
        if np.shape(ours) != np.shape(leaf):
            return Symptom("another shape", where, expected=str(np.shape(leaf)), got=str(np.shape(ours)))
        if np.isnan(ours).any() and not np.isnan(leaf).any():
            return Symptom("NaN", where, expected=str(leaf), got=str(ours))
        if not np.allclose(ours, leaf, rtol=1e-5, atol=1e-7, equal_nan=True):
            kind = "wrong numbers" if np.any(ours) else "zero"
            return Symptom(kind, where, expected=str(leaf), got=str(ours))
    return None


def _of_gradient(program: Callable, subject: Subject, gradient: tuple) -> Symptom | None:
    generator = np.random.default_rng(0)
    names = _names(subject)
    for path, leaf in leaves(subject.at if subject.wrt is None else subject.wrt):
        part = gradient
        for key in path:
            part = None if part is None else part[key] if isinstance(part, tuple | list | dict) else vars(part)[key]
        where = "in the cotangent of " + names[path[0]] + "".join(f"[{key!r}]" for key in path[1:])
        if part is not None and np.shape(part) != np.shape(leaf):
            return Symptom("another shape", where, expected=str(np.shape(leaf)), got=str(np.shape(part)))
        if part is not None and np.asarray(part).dtype != np.asarray(leaf).dtype:
            return Symptom(
                "another dtype", where, expected=str(np.asarray(leaf).dtype), got=str(np.asarray(part).dtype)
            )
        direction = random_direction(leaf, generator)
        found = _along(program, subject, path, leaf, direction)
        if found is None and (part is None or not np.isnan(part).any()):
            continue
        expected = "" if found is None else found.along(direction)
        if part is not None and np.isnan(part).any():
            return Symptom("NaN", where, "" if found else "unsettled", expected=expected, got=str(part))
        got = 0.0 if part is None else float(inner(part, direction))
        size = 0.0 if part is None else float(np.sum(np.abs(np.conj(part) * direction)))
        digits = DIGITS.get(np.asarray(leaf).dtype.char, 1e-5)
        if found is not None and not found.allows(got, size, digits):
            lost = part is None or not np.any(part)
            independent = abs(found.middle) < 1e-8
            kind = "nothing" if part is None else "zero" if lost else "wrong numbers"
            kind = "numbers where nothing depends," if independent else kind
            return Symptom(kind, where, expected=expected, got="nothing" if part is None else f"{got:.9g}")
    return None


def _along(program: Callable, subject: Subject, path: tuple, leaf: Any, direction: Any) -> Any:
    def along(step: complex) -> Any:
        if subject.wrt is None:
            value = program(*copy.deepcopy(moved_along(subject.arguments(), path, direction, step)))
        else:
            with _moved_in_place(leaf, step * direction):
                value = program()
        if np.ndim(value) != 0:
            raise Undecided("it returns no number")
        return np.imag(value) if isinstance(step, complex) else np.real(value)

    size = float(np.max(np.abs(leaf), initial=0.0))
    try:
        return slope(along, size, None if np.iscomplexobj(leaf) or subject.wrt is not None else along)
    except Exception:  # beside the point the program may not be defined
        return None


@contextmanager
def _moved_in_place(array: np.ndarray, by: Any) -> Iterator[None]:
    """A parameter that is known by its identity has other numbers for as long as the context lasts."""
    before = array.copy()
    array += by
    try:
        yield
    finally:
        array[...] = before


def _names(subject: Subject) -> dict[int, str]:
    """What the arguments are called."""
    if subject.wrt is not None:
        return {i: f"parameter {i}" for i in range(len(subject.wrt))}

    def called() -> Iterator[str]:
        for parameter in inspect.signature(subject.program).parameters.values():
            if parameter.kind is parameter.VAR_POSITIONAL:
                yield from (f"{parameter.name}[{i}]" for i in range(len(subject.at)))
            else:
                yield parameter.name

    return dict(zip(range(len(subject.at)), called(), strict=False))
