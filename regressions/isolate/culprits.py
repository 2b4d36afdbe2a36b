"""What there is to say of an operation that is wrong: its name, how, where in the program, and both derivatives."""

from __future__ import annotations

import inspect
import linecache
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np

from engine import errors
from engine.traced.foreign import describe

from .. import defects

__all__ = [
    "CARRIED",
    "COMPOSED",
    "CONSTANT",
    "DERIVED",
    "FORM",
    "FORWARD",
    "KINK",
    "LOST",
    "NAN",
    "NOWHERE",
    "RAISES",
    "WRONG",
    "Culprit",
    "Kind",
    "culprit_of_error",
    "named",
]

ENGINE, DEFECTS = (os.path.dirname(inspect.getfile(module)) for module in (errors, defects))
NOWHERE = ("<engine>", 0)  # called by the engine itself, at no line of a program
ENTRIES = {
    "ArrayStore": "a write into an array",
    "Load": "what was read from a container",
    "Store": "what was put into a container",
    "Edit": "an edit of a list",
    "Permutation": "a list put in another order",
    "Creation": "a container that was made",
    "Recomputation": "a checkpointed call",
}


class Kind(NamedTuple):
    """One way of being wrong, in words, and how early in a report it is named."""

    words: str
    rank: int


RAISES = Kind("raises", 0)
NAN = Kind("is the first to give NaN", 1)
WRONG = Kind("is pulled back wrongly", 1)
FORWARD = Kind("is pushed forward wrongly", 1)
LOST = Kind("loses the dependence", 1)
FORM = Kind("gives a cotangent of another form than its argument", 1)
CONSTANT = Kind("is declared constant, and is not", 2)
CARRIED = Kind("is right, but the cotangent that comes to its result is not: it is lost or spoiled on the way back", 4)
DERIVED = Kind("answers otherwise than differences of its function do", 5)
KINK = Kind("stands at a kink, and takes one of the slopes that are possible there", 6)
COMPOSED = Kind("is differentiated as a composition that has another derivative", 3)


@dataclass(frozen=True)
class Culprit:
    """An operation that is wrong: which, how, in which argument, where in the program, and both derivatives."""

    operation: str
    kind: Kind
    place: tuple[str, int]
    argument: str = ""
    expected: str = ""
    got: str = ""

    def key(self) -> tuple[str, str]:
        """What it has in common with the culprit of a smaller program."""
        return self.operation, self.kind.words

    @property
    def line(self) -> str:
        """The line of source it stands on."""
        return linecache.getline(*self.place).strip()

    def lines(self) -> list[str]:
        """What there is to say, as lines of a report."""
        inside = " (a rule of the engine, differentiated in turn)" if self.place[0].startswith(ENGINE) else ""
        return [
            f"{self.operation} {self.kind.words}" + (f", in {self.argument}" if self.argument else ""),
            *([] if self.place == NOWHERE else [f"  at        {self.place[0]}:{self.place[1]}{inside}"]),
            *([f"            {self.line}"] if self.line else []),
            *([f"  expected  {self.expected}"] if self.expected else []),
            *([f"  got       {self.got}"] if self.got else []),
        ]


def culprit_of_error(error: BaseException) -> Culprit:
    """Where the engine raised: at which operation of which line of the program, as the frames of the exception tell."""
    place, operation, method, entry = NOWHERE, "", "", ""
    tb: TracebackType | None = error.__traceback__
    while tb is not None:
        code, values = tb.tb_frame.f_code, tb.tb_frame.f_locals
        if errors.is_generated(code):
            place = place if _is_ours(code.co_filename) and place != NOWHERE else (code.co_filename, tb.tb_lineno)
            operation, method = "", f"{code.co_name} of the engine" if _is_ours(code.co_filename) else ""
        elif place != NOWHERE:
            operation = operation or (named(values["function"]) if callable(values.get("function")) else "")
            method = method or (f"the method {values['name']}" if isinstance(values.get("name"), str) else code.co_name)
        elif code.co_name == "reverse" and code.co_filename.startswith(ENGINE):
            entry = f"the way back over {ENTRIES.get(type(values['self']).__name__, 'an operation')}"
        elif code.co_filename.startswith(ENGINE):
            method = f"{code.co_qualname} of {Path(code.co_filename).relative_to(Path(ENGINE).parent)}:{tb.tb_lineno}"
        tb = tb.tb_next
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    return Culprit(entry or operation or method or "the engine", RAISES, place, got=text)


def _is_ours(filename: str) -> bool:
    """Is this the engine, or a bug that is put back into it?"""
    return filename.startswith((ENGINE, DEFECTS))


def named(function: Any) -> str:
    """The name a user would write for a primitive.

    >>> import operator
    >>> named(operator.mul), named(np.sum), named(np.logaddexp.reduce)
    ('operator.mul', 'numpy.sum', 'numpy.logaddexp.reduce')
    """
    if isinstance(ufunc := getattr(function, "__self__", None), np.ufunc):
        return f"{describe(ufunc)}.{function.__name__}"
    return describe(function).removeprefix("_")
