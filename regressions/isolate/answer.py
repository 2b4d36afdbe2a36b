"""A question about one program answered: the operation that is wrong, and the smallest program that fails likewise.

Run as `python -m regressions.isolate.answer REQUEST` by the Python of an environment in which another engine is
installed; it imports nothing that is not in it.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import textwrap
import time
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .. import report
from ..adapters import Adapter, adapters_of
from ..case import Raises
from ..records import recorded
from ..scaffold import PROGRAM, QUESTION
from ..scripts import ENGINES
from ..verdicts import Verdict
from .carried import carrier, uses
from .culprits import RAISES, Culprit
from .derivatives import derived
from .extract import NoText, subject_of, texts
from .question import Question, Request, adapter_of, question_of, search
from .shrink import candidates, shrink, size
from .slopes import leaves, moved_along
from .symptoms import VALUE, Subject, Symptom, Undecided, asked, symptom
from .trials import Trials

__all__ = ["answer", "say"]

GIVEN = [
    "for function, pullbacks in rules:",
    "    ad.rule(function, **pullbacks) if pullbacks else ad.constant(function)",
]


def answer(request: Request) -> int:
    """Print the report and the program; the exit status.

    Raises:
        ValueError, ImportError, LookupError: the question makes no sense; the message says why.
    """
    question, adapter = question_of(request), adapter_of(request)
    silent = contextlib.redirect_stdout(io.StringIO())  # the program runs many times; what it prints says nothing new
    with warnings.catch_warnings(), silent, question.put_back():
        warnings.simplefilter("ignore")
        try:
            status, small = _answered(question, adapter, request)
        except Undecided as reason:
            raise ValueError(f"{question.name}: {reason}") from None
    print(small, end="")
    return status


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
    culprit, kink, counted = search(subject) if ours else (None, None, "")
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
        lines = culprit.lines() if culprit else _between(subject, failure, question, kink)
        if culprit is None and kink is not None and lines == kink.lines():
            culprit = kink
        say("\n".join([*lines, f"  ({counted})"]))
    return 1, _shrunk(question, adapter, failure, culprit, request)


def _between(subject: Subject, failure: Symptom | None, question: Question, kink: Culprit | None) -> list[str]:
    """What there is to say where no operation is wrong: a pass, a derivative that is taken, or the way between them."""
    compiled, traced = adapters_of("reference")[0], adapters_of("reference")[-1]

    def fails(adapter: Adapter) -> bool:
        if failure is None and question.case is not None:
            return not recorded(question.case, adapter).holds
        return symptom(subject, adapter) is not None

    if not fails(traced):
        from .tiers import blamed  # it takes packages that the environments of other engines do not have

        first, *more = blamed(lambda: fails(compiled))
        return [f"no operation is wrong, and the traced tier is right: it is {first}", *more]
    if question.case is not None and isinstance(refusal := question.case.right, Raises):
        return [f"nothing refuses it: it has to end in an exception ({refusal.kind}), and has an answer"]
    if failure is not None and failure.kind == VALUE:
        return [
            f"no operation is wrong: what runs is another program, which returns {failure.got}, not {failure.expected}"
        ]
    if subject.asks == "value":
        if culprit := kink or derived(subject.program, subject.arguments()):
            return culprit.lines()
        return ["no operation alone is wrong: it is in how the derivatives are taken that the program asks for itself"]
    if culprit := carrier(lambda: asked(subject, traced)[0]) or kink:
        return culprit.lines()
    right = "no operation is wrong as far as differences can tell, nor is the cotangent that comes to the result of one"
    if failure is None or not failure.where:
        return [right]
    between = f"it is between the operations that take the argument and the argument: {failure}"
    return [right + ":", between, *_uses(subject, traced)]


MOST_USES = 5  # that are listed


def _uses(subject: Subject, adapter: Adapter) -> list[str]:
    """The operations that take the arguments, as lines of a report."""
    if subject.wrt is not None:
        return []
    at = subject.at
    for path, leaf in leaves(subject.at):
        at = moved_along(at, path, np.ones(np.shape(leaf)), 1e-3)
    try:
        found = uses(lambda: asked(subject, adapter), lambda: asked(replace(subject, at=at), adapter))
    except Exception:  # beside the point it may not be defined
        return []
    lines = [f"  taken by  {name} at {file}:{line}" for name, (file, line) in found[:MOST_USES]] or [
        "  taken by  no operation"
    ]
    return lines + ([f"            and {len(found) - MOST_USES} more"] if len(found) > MOST_USES else [])


# -- the smallest program ----------------------------------------------------------------------------------------------


def _shrunk(
    question: Question, adapter: Adapter, failure: Symptom | None, culprit: Culprit | None, request: Request
) -> str:
    """The smallest program that fails in the same way, as a text; nothing, and a word why, where there is none."""
    if not request.seconds:
        return ""
    if failure is None:
        say("not shrunk: differences cannot see this failure in other programs")
        return ""
    program, name = question.subject.program, question.subject.program.__name__
    try:
        whole = list(texts(program, question.subject, question.written))
    except NoText as reason:
        say(f"not shrunk: {reason}")
        return ""
    if culprit is not None and culprit.operation.startswith(f"{program.__module__}."):
        whole.reverse()  # the function whose rule is wrong is imported, or the rule would shrink with the rest
    with Trials(request, failure, culprit) as trials:
        start = time.monotonic()
        first = next((text for text in whole if trials.fails(text, request.seconds)), "")
        if not first:
            say("not shrunk: taken out of its module it does not fail in this way")
            return ""
        patience = 1.0 + 5 * (time.monotonic() - start)
        small = first

        def fails(text: str) -> bool:
            nonlocal small
            found = trials.fails(text, patience)
            small = text if found else small
            return found

        try:
            shrink(
                first, lambda text: candidates(text, name), _told(fails, first), size, _over(start + request.seconds)
            )
        except KeyboardInterrupt:
            say("interrupted: this is the smallest so far")
    left = subject_of(small, name, question.subject)
    say(f"shrunk from {size(first)[1]} characters to {size(small)[1]}; it fails in the same way:")
    return _script(small, name, left, symptom(left, adapter) or failure, question, adapter)


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


def _script(text: str, name: str, subject: Subject, found: Symptom, question: Question, adapter: Adapter) -> str:
    """The program, and what it asks, in the form in which it stands alone."""
    engine = adapter.name.partition("-")[0]
    prelude = textwrap.dedent(ENGINES[engine]).strip() if engine in ENGINES else ""
    if prelude:
        text = text.replace("import numpy as np\n", "")
    partial = f"lambda *args: {name}(*args, ad=ad)" if subject.nested else name
    call = f"{name}(*at, ad=ad)" if subject.asks == "value" else f"gradient({partial}, *at)"
    if subject.wrt is not None:
        call = f"[cotangent for _, cotangent in gradient({partial}, ad.Params(wrt)).items()]"
    expected = found.expected or ("an answer" if found.error else "a number")
    lines = [
        f"# {question.name}, on {adapter.name} {adapter.version}".rstrip(),
        f"# {found}",
        prelude,
        "",
        PROGRAM,
        text,
    ]
    lines += [
        "",
        QUESTION,
        *(GIVEN if subject.rules else []),
        f"print('expected', {expected!r})",
        f"print('got     ', {call})",
        "",
    ]
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
