"""Instances that ask the other tier where their own answer is in doubt, or where something was raised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..tangents import Tangent, has_nan
from .core import Const, Pack
from .types import FLOAT, Array, Doubtful, NotTyped, Scalar, Seq, is_complex, type_of

MISS = type("Miss", (), {"__repr__": lambda self: "MISS"})()
FLOATING = (ArithmeticError, RuntimeWarning)
"""What floats raise that NumPy's numbers need not. Whose it is, the program's or only its derivative's, the traced tier
tells."""


try:  # what np.errstate does, in a quarter of its time
    from numpy._core.umath import _extobj_contextvar, _make_extobj  # type: ignore[attr-defined]

    reset_errors = _extobj_contextvar.reset

    def set_errors(**how: str) -> Any:
        """np.seterr, to be undone by `reset_errors` of what it returns."""
        return _extobj_contextvar.set(_make_extobj(**how))
except ImportError:  # NumPy 1
    set_errors = np.seterr

    def reset_errors(before: Any) -> None:
        np.seterr(**before)


def handling(instance: Callable) -> Callable:
    """The instance of a program with an except clause: the other tier says what is done with what is raised."""

    def asked(f: Any, args: tuple, kwargs: dict) -> Any:
        try:
            return instance(f, args, kwargs)
        except (*FLOATING, NotTyped):
            raise
        except Exception as error:
            raise NotTyped(f"{error!r}, which the program may handle") from error

    return asked


def doubting(instance: Callable, doubt: Doubt) -> Callable:
    """The instance of a program whose gradient may be in doubt.

    Where it leaves entries out, a NaN may belong to such an entry, and a floating-point warning too: the traced tier
    finds out (convention 4). What is typed is pure, so it may run once more.
    """
    if not doubt.of_nan:

        def read(f: Any, args: tuple, kwargs: dict) -> Any:
            result = instance(f, args, kwargs)
            if result is not MISS and doubt.suspects(result[1]):
                doubt.judge(result[1])
            return result

        return read

    def asked(f: Any, args: tuple, kwargs: dict) -> Any:
        errors = set_errors(divide="raise", over="raise", invalid="raise")
        try:
            result = instance(f, args, kwargs)
            if result is MISS or not doubt.suspects(result[1]):
                return result
        except FLOATING as error:
            raise Doubtful(str(error)) from error
        finally:
            reset_errors(errors)
        doubt.judge(result[1])
        return result

    return asked


class Doubt:
    """What may be wrong with the gradients of a program.

    of_nan: a NaN may belong to an entry that is not looked at. of_zeros: a zero may stand for no dependence.
    """

    def __init__(self, gradients: Any, of_nan: bool, of_zeros: bool) -> None:
        self.of_nan, self.of_zeros = of_nan, of_zeros
        tests = " and ".join(self.tests(gradients, "g") if of_nan or of_zeros else ()) or "True"
        self.suspects: Callable[[Any], bool] = eval(f"lambda g: not ({tests})")
        """May there be something to look for? It takes no time to speak of, and where it is not sure it says yes, or
        raises an overflow if NaNs count."""

    def tests(self, arg: Any, path: str) -> list[str]:
        """What holds of a gradient, an atom or a structure of them, with neither a NaN nor a zero."""
        if type(arg) is Pack:
            return [test for i, item in enumerate(arg.items) for test in self.tests(item, f"{path}[{i}]")]
        if type(arg) is Const and arg.value is None:
            return []
        of = type_of(arg)
        if isinstance(of, Array) and of.dtype.kind == "f":
            return [f'(x := {path}.ravel("K")).dot(x) > 0' if self.of_nan else f"{path}.size and {path}.item(0)"]
        if isinstance(of, Scalar) and not is_complex(of):
            return [f"({path} > 0 or {path} < 0)"]
        if of == Seq(FLOAT):
            return [f"(s := sum({path})) == s", *[f"all({path})"] * self.of_zeros]
        return ["False"]

    def judge(self, gradients: Any) -> None:
        """
        Raises:
            NotTyped: the other tier has to answer.
        """
        if self.of_nan and has_nan(gradients):
            raise Doubtful("a NaN that may belong to an entry that is not looked at")
        if self.of_zeros and has_zeros(gradients):
            raise NotTyped("a zero that may stand for no dependence: the traced tier knows")


def has_zeros(gradients: Any) -> bool:
    """Is there a number 0 among these gradients, or an array of nothing else? Most begin with another number."""
    kind = type(gradients)
    if kind is np.ndarray:
        return not (gradients.size and (gradients.item(0) or gradients.any()))
    if isinstance(gradients, tuple | list):
        if set(map(type, gradients)) == {float}:
            return 0.0 in gradients
        return any(map(has_zeros, gradients))
    if kind is dict:
        return any(map(has_zeros, gradients.values()))
    if kind is Tangent:
        return any(map(has_zeros, gradients._fields().values()))
    return gradients is not None and not np.any(gradients)
