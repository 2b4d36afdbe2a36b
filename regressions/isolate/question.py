"""What the command `isolate` asks, of which program, at which point; and what the reference engine shows of it."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..adapters import Adapter, adapters_of
from ..case import Case, Growth
from ..corpus import find_alone
from .culprits import Culprit, culprit_of_error
from .extract import as_written
from .operations import watching
from .symptoms import Subject, asked, of_case

__all__ = ["Question", "Request", "Searched", "adapter_of", "question_of", "search"]


class Request(NamedTuple):
    """What is asked, as the command line says it."""

    what: str
    args: str | None = None
    engine: str = "reference"
    bite: bool = False
    seconds: float = 60.0


@dataclass(frozen=True)
class Question:
    """A program, what it is called, its point as it is written, and whether the bug of its case is put back."""

    name: str
    subject: Subject
    written: Mapping[str, str] = field(default_factory=dict)
    case: Case | None = None
    bite: bool = False

    def put_back(self) -> AbstractContextManager:
        """The defect of the case, where it is asked for."""
        return self.case.defect() if self.bite and self.case and self.case.defect else nullcontext()


def adapter_of(request: Request) -> Adapter:
    """The engine that is asked."""
    return adapters_of(request.engine.partition("==")[0])[0]


def question_of(request: Request) -> Question:
    """The question that the words mean.

    Raises:
        ValueError, LookupError: it makes no sense; the message says why.
    """
    return _of_function(request) if ":" in request.what else _of_case(request)


def _of_case(request: Request) -> Question:
    case = find_alone(request.what)
    if request.args is not None:
        raise ValueError("--args belongs to module:function; a case has its own arguments")
    if isinstance(case.right, Growth):
        raise ValueError(f"{case.id} is about a cost, and no operation answers wrongly; try bisect {case.id}")
    if request.bite and case.defect is None:
        raise ValueError(f"{case.id} carries no defect: {case.no_defect}")
    return Question(case.id, of_case(case), as_written(case.program), case, request.bite)


def _of_function(request: Request) -> Question:
    function = _function(request.what)
    if request.args is not None:
        at = f"({request.args.rstrip().rstrip(',')},)" if request.args.strip() else "()"
        try:
            return Question(request.what, Subject(function, eval(at, {"np": np})), {"at": at})
        except Exception as error:
            raise ValueError(f"--args {request.args!r}: {type(error).__name__}: {error}") from None
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD,
        ):  # fmt: skip
            raise ValueError(f"{request.what} has no default for {parameter.name}; say --args 'np.ones(3), 2.0'")
    values = tuple(p.default for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    return Question(request.what, Subject(function, values))


def _function(what: str) -> Any:
    """The function that is called `module:name`.

    Raises:
        ValueError: there is none.
    """
    module, _, name = what.partition(":")
    try:
        parent: Any = import_module(module)
    except Exception as error:  # whatever a module does when it is imported
        hint = ""
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            hint = "; modules are looked for in this folder and on PYTHONPATH"
            hint += f": say {Path(module).stem}:{name} in the folder of the file" if module.endswith(".py") else ""
        raise ValueError(f"{what}: {module!r} does not import: {type(error).__name__}: {error}{hint}") from None
    function = parent
    for part in name.split("."):
        function = getattr(function, part, None)
    if not callable(function):
        own = [key for key, value in vars(parent).items() if inspect.isfunction(value)]
        near = "".join(f"; the nearest is {key}" for key in difflib.get_close_matches(name, own, 1))
        raise ValueError(f"there is no function {name!r} in {module}{near}")
    return function


class Searched(NamedTuple):
    """The operation that is wrong on the traced tier; one that stands at a kink; and how much was asked, in words."""

    culprit: Culprit | None
    kink: Culprit | None
    counted: str


def search(subject: Subject) -> Searched:
    """Each operation that the traced tier records, held against differences."""
    error = None
    with watching() as watch:
        try:
            asked(subject, adapters_of("reference")[-1])
        except Exception as raised:
            error = raised
    culprit = watch.raised or (culprit_of_error(error) if error else watch.culprit)
    counted = f"{watch.asked} operations held against differences, {watch.unsettled} without a verdict"
    return Searched(culprit, watch.kink, counted)
