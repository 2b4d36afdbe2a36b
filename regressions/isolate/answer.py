"""A question about one program answered: the operation that is wrong, and the smallest program that fails likewise.

Run as `python -m regressions.isolate.answer REQUEST` by the Python of an environment in which another engine is
installed; it imports nothing that is not in it.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import signal
import sys
import textwrap
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from .. import report
from ..adapters import Adapter, adapters_of
from ..case import Case, Growth
from ..corpus import find_alone
from ..records import recorded
from ..scaffold import PROGRAM, QUESTION
from ..scripts import ENGINES
from ..verdicts import Verdict
from .carried import carrier
from .culprits import RAISES, Culprit, culprit_of_error
from .extract import NoText, at_of_case, subject_of, texts
from .operations import watching
from .shrink import candidates, shrink, size
from .symptoms import Subject, Symptom, Undecided, asked, of_case, symptom
from .tiers import blamed

__all__ = ["Request", "answer", "say"]


class Request(NamedTuple):
    """What is asked, as the command line says it."""

    what: str
    args: str | None = None
    engine: str = "reference"
    bite: bool = False
    seconds: float = 60.0


@dataclass(frozen=True)
class Question:
    """What the command asks: of which program, called what, at which point, as it is written."""

    name: str
    subject: Subject
    at: str
    case: Case | None = None


def answer(request: Request) -> int:
    """Print the report and the program; the exit status.

    Raises:
        ValueError, ImportError, LookupError: the question makes no sense; the message says why.
    """
    question = _of_function(request) if ":" in request.what else _of_case(request)
    adapter = adapters_of(request.engine.partition("==")[0])[0]
    defect = question.case.defect if question.case and request.bite else None
    silent = contextlib.redirect_stdout(io.StringIO())  # the program runs many times; what it prints says nothing new
    with warnings.catch_warnings(), silent, defect() if defect else nullcontext():
        warnings.simplefilter("ignore")
        try:
            status, small = _answered(question, adapter, request)
        except Undecided as reason:
            raise ValueError(f"{question.name}: {reason}") from None
    print(small, end="")
    return status


def _of_case(request: Request) -> Question:
    case = find_alone(request.what)
    if request.args is not None:
        raise ValueError("--args belongs to module:function; a case has its own arguments")
    if isinstance(case.right, Growth):
        raise ValueError(f"{case.id} is about a cost, and no operation answers wrongly; try bisect {case.id}")
    if request.bite and case.defect is None:
        raise ValueError(f"{case.id} carries no defect: {case.no_defect}")
    return Question(case.id, of_case(case), at_of_case(case.program), case)


def _of_function(request: Request) -> Question:
    module, _, name = request.what.partition(":")
    function = import_module(module)
    for part in name.split("."):
        function = getattr(function, part, None)  # type: ignore[assignment]
    if not callable(function):
        raise ValueError(f"there is no function {name!r} in {module}")
    if request.args is not None:
        at = f"({request.args.rstrip().rstrip(',')},)" if request.args.strip() else "()"
        try:
            return Question(request.what, Subject(function, eval(at, {"np": np})), at)
        except Exception as error:
            raise ValueError(f"--args {request.args!r}: {type(error).__name__}: {error}") from None
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD,
        ):  # fmt: skip
            raise ValueError(f"{request.what} has no default for {parameter.name}; say --args 'np.ones(3), 2.0'")
    values = tuple(p.default for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    return Question(request.what, Subject(function, values), "")


def _answered(question: Question, adapter: Adapter, request: Request) -> tuple[int, str]:
    """The exit status, and the smallest program."""
    subject, ours = question.subject, request.engine == "reference"
    if question.case is not None:
        record = recorded(question.case, adapter, asked=request.engine)
        if record.verdict == Verdict.NOT_ASKED.value:
            raise Undecided(f"{adapter.name} {record.got}")
        if record.holds:
            say(f"{question.name}: nothing wrong was found: the answer is right   [{record.on}]")
            return 0, ""
        say(report.failure(question.case, record).partition("\n  again")[0])
    try:
        failure = symptom(subject, adapter)
    except Undecided:
        if question.case is None:
            raise
        failure = None
    culprit, counted = _search(subject) if ours else (None, "")
    if failure is None and question.case is None and (culprit is None or culprit.kind is not RAISES):
        say(f"{question.name}: nothing wrong was found: the gradient is that of the differences   [{adapter.name}]")
        if culprit is not None:  # a convention, or a rule that means to say something else
            say("\n".join(["though one operation is not pulled back as its own differences say:", *culprit.lines()]))
        return 0, ""
    if failure is not None and question.case is None:
        say(f"{question.name}: {failure}   [{adapter.name}]")
        if failure.expected:
            say(f"  expected  {failure.expected}\n  got       {failure.got}")
    if ours:
        say("\n".join(culprit.lines() if culprit else _no_culprit(subject, failure, question)))
        say(f"  ({counted})")
    return 1, _shrunk(question, adapter, failure, culprit, request.seconds)


def _search(subject: Subject) -> tuple[Culprit | None, str]:
    """The operation that is wrong on the traced tier, and how much was asked."""
    error = None
    with watching() as watch:
        try:
            asked(subject, adapters_of("reference")[-1])
        except Exception as raised:
            error = raised
    counted = f"{watch.asked} operations held against differences, {watch.unsettled} without a verdict"
    return watch.raised or (culprit_of_error(error) if error else watch.culprit), counted


def _no_culprit(subject: Subject, failure: Symptom | None, question: Question) -> list[str]:
    """What there is to say where no single operation is wrong: a pass of the typed tier, or the way between them."""
    compiled, traced = adapters_of("reference")[0], adapters_of("reference")[-1]

    def fails(adapter: Adapter) -> bool:
        if failure is None and question.case is not None:
            return not recorded(question.case, adapter).holds
        return symptom(subject, adapter) is not None

    if not fails(traced):
        first, *more = blamed(lambda: fails(compiled))
        return [f"no operation is wrong, and the traced tier is right: it is {first}", *more]
    if subject.asks == "value":
        return ["no operation alone is wrong: it is in how the derivatives are taken that the program asks for itself"]
    if culprit := carrier(lambda: asked(subject, traced)[0]):
        return culprit.lines()
    right = "no operation is wrong as far as differences can tell, nor is the cotangent that comes to the result of one"
    if failure is None or not failure.where:
        return [right]
    return [right + ":", f"it is between the operations that take the argument and the argument: {failure}"]


# -- the smallest program ----------------------------------------------------------------------------------------------


class _Late(BaseException):
    """A candidate has run for too long; no `except Exception` on the way may take it for the program's own."""


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise _Late

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _shrunk(
    question: Question, adapter: Adapter, failure: Symptom | None, culprit: Culprit | None, seconds: float
) -> str:
    """The smallest program that fails in the same way, as a text; nothing, and a word why, where there is none."""
    if failure is None:
        say("not shrunk: differences cannot see this failure in other programs")
        return ""
    if question.subject.wrt is not None or question.subject.rules:
        say("not shrunk: it hangs on arrays or rules of its own module, by identity")
        return ""
    if not seconds:
        return ""
    name = question.subject.program.__name__
    start = time.monotonic()

    def fails(text: str, patience: float = 0.0) -> bool:
        return _same_way(text, name, question.subject, adapter, failure, culprit, patience or limit)

    try:
        limit = seconds
        program = question.subject.program
        whole = list(texts(program, question.subject, question.at))
        if culprit is not None and culprit.operation.startswith(f"{program.__module__}."):
            whole.reverse()  # the function whose rule is wrong is imported, or the rule would be shrunk with the rest
        first = next(filter(fails, whole), "")
    except NoText as reason:
        say(f"not shrunk: {reason}")
        return ""
    if not first:
        say("not shrunk: taken out of its module it does not fail in this way")
        return ""
    limit = 1.0 + 5 * (time.monotonic() - start)
    small = shrink(first, lambda text: candidates(text, name), _told(fails, first), size, _over(start + seconds))
    left = subject_of(small, name, question.subject)
    found = symptom(left, adapter)
    say(f"shrunk from {size(first)[1]} characters to {size(small)[1]}; it fails in the same way:")
    return _script(small, name, left, found or failure, question, adapter)


def _over(end: float) -> Callable[[], bool]:
    return lambda: time.monotonic() > end


def _told(fails: Callable[[str], bool], whole: str) -> Callable[[str], bool]:
    """`fails`, with a word about the progress every other second."""
    last, tried = time.monotonic(), 0

    def told(text: str) -> bool:
        nonlocal last, tried
        tried += 1
        found = fails(text)
        if found and time.monotonic() - last > 2:
            last = time.monotonic()
            say(f"  {size(text)[1]} of {size(whole)[1]} characters after {tried} programs")
        return found

    return told


def _same_way(
    text: str, name: str, like: Subject, adapter: Adapter, failure: Symptom, culprit: Culprit | None, patience: float
) -> bool:
    """Does the program in a text fail with the same symptom, and because of the same operation?"""
    quiet = io.StringIO()
    try:
        with _limited(patience), contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            subject = subject_of(text, name, like)
            if symptom(subject, adapter) != failure:
                return False
            if culprit is None:
                return True
            again = _search(subject)[0]
            return again is not None and (again.operation, again.kind) == (culprit.operation, culprit.kind)
    except (Exception, SystemExit, _Late):  # whatever nonsense a step has made
        return False


def _script(text: str, name: str, subject: Subject, found: Symptom, question: Question, adapter: Adapter) -> str:
    """The program, and what it asks, in the form in which it stands alone."""
    engine = adapter.name.partition("-")[0]
    prelude = textwrap.dedent(ENGINES[engine]).strip() if engine in ENGINES else ""
    if prelude:
        text = text.replace("import numpy as np\n", "")
    partial = f"lambda *args: {name}(*args, ad=ad)" if subject.nested else name
    call = f"{name}(*at, ad=ad)" if subject.asks == "value" else f"gradient({partial}, *at)"
    expected = found.expected or ("an answer" if found.error else "a number")
    lines = [
        f"# {question.name}, on {adapter.name} {adapter.version}".rstrip(),
        f"# {found}",
        prelude,
        "",
        PROGRAM,
        text,
    ]
    lines += ["", QUESTION, f"print('expected', {expected!r})", f"print('got     ', {call})", ""]
    return "\n".join(lines)


def say(line: str) -> None:
    """A line of the report: only the program goes to the standard output."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(answer(Request(*json.loads(sys.argv[1]))))
    except (ValueError, ImportError, LookupError) as error:
        say(f"error: {error}")
        sys.exit(2)
