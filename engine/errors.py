"""Every exception the engine raises, and how it names the place in the user's own program.

A message is one sentence of fact, the user's file and line, and one or more ways out. The place is found by walking the
running frames: a frame counts as the user's when its code was generated from the user's source (generated code keeps
the user's file name and line numbers) and registered here with `register_generated`.
"""

from __future__ import annotations

import sys
from types import CodeType, FrameType

__all__ = [
    "ArgumentError",
    "CotangentMismatchError",
    "DifferentiationError",
    "ForeignCallError",
    "MutationError",
    "SourceError",
    "UnsupportedSyntaxError",
]


class DifferentiationError(Exception):
    """A derivative was asked for that the engine cannot give; the base of all errors of this package."""


class ForeignCallError(DifferentiationError):
    """A callable without Python source and without a rule was given something that could carry a derivative."""


class UnsupportedSyntaxError(DifferentiationError):
    """The program uses a construct of the language that has no derivative here, such as `await`."""


class MutationError(DifferentiationError):
    """A write that would make the gradient depend on memory the engine cannot follow."""


class SourceError(DifferentiationError):
    """The Python source of a function is needed and cannot be had (typed into exec, deleted, or compiled away)."""


class ArgumentError(DifferentiationError, TypeError):
    """An argument or a result of the wrong kind: an int where a float belongs, a loss that is no real scalar."""


class CotangentMismatchError(DifferentiationError):
    """A rule returned a cotangent whose shape or structure is not that of its primal."""


_generated: set[CodeType] = set()


def register_generated(code: CodeType) -> None:
    """Mark `code`, and the functions nested in it, as generated from user source that has its line numbers."""
    _generated.add(code)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            register_generated(constant)


def is_generated(code: CodeType) -> bool:
    """Was this code generated from user source?"""
    return code in _generated


def call_chain(frame: FrameType | None = None) -> list[tuple[str, str, int]]:
    """The user's running functions, innermost first, as (function name, file name, line)."""
    frame = frame or sys._getframe(1)
    chain = []
    while frame is not None:
        if frame.f_code in _generated:
            chain.append((frame.f_code.co_name, frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return chain


def where(chain: list[tuple[str, str, int]] | None = None) -> str:
    """The innermost user line and the chain of calls that led to it, ready to be put into a message."""
    chain = call_chain(sys._getframe(1)) if chain is None else chain
    if not chain:
        return "(called directly, outside any user function)"
    (name, filename, line), *callers = chain
    text = f"{filename}:{line}, in {name}"
    if callers:
        text += "".join(f"\n    called from {file}:{number}, in {caller}" for caller, file, number in callers)
    return text
