"""Programs that a step of the shrinking has made, tried in a process of their own.

Such a program may do anything: loop, recurse until the stack is gone, call a library that does not come back. A signal
does not end it everywhere: an exception that arises in a callback of the collector is lost. A process can be ended, and
another one begun.

Run as `python -m regressions.isolate.trials REQUEST` it reads programs from the standard input, each as a line of JSON,
and answers with a line for each: does it fail in the same way?
"""

from __future__ import annotations

import io
import json
import os
import select
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from typing import Any

from .culprits import Culprit
from .extract import subject_of
from .question import Request, adapter_of, question_of, search
from .symptoms import Symptom, symptom

__all__ = ["Trials"]

START_SECONDS = 120
MODULE = "regressions.isolate.trials"
YES, NO = "yes\n", "no\n"


class Trials:
    """Programs tried one after the other: which of them fail as the question of `request` does, with this `culprit`?"""

    def __init__(self, request: Request, failure: Symptom, culprit: Culprit | None) -> None:
        self.told = [request, failure.key(), culprit and culprit.key()]
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Trials:
        self._begun()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def fails(self, text: str, seconds: float) -> bool:
        """Does this program fail in the same way, and in that time?

        Raises:
            OSError: there is no such process, and none begins.
        """
        process = self.process or self._begun()
        answer = self._answer(process, [text, seconds], seconds)
        if not answer:
            self._end()  # too slow, or gone
        return answer == YES

    def _begun(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", MODULE, json.dumps(self.told)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
        self.process = subprocess.Popen(
            command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if not self._answer(self.process, ["", START_SECONDS], START_SECONDS):
            self._end()
            raise OSError("the process that tries programs does not begin")
        return self.process

    def _answer(self, process: subprocess.Popen[str], message: Any, seconds: float) -> str:
        """A line; nothing where none comes in time."""
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            return ""
        return process.stdout.readline() if select.select([process.stdout], [], [], seconds)[0] else ""

    def _end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def serve(fails: Callable[[str], bool]) -> None:
    """Answer the standard input; the first line is an empty one, and only wants an answer."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        text, seconds = json.loads(line)
        signal.alarm(int(seconds) + 5)  # whoever asked may have been killed
        answer = NO
        with redirect_stdout(io.StringIO()), suppress(Exception, SystemExit):  # whatever nonsense a step has made
            answer = YES if fails(text) else NO
        signal.alarm(0)
        out.write(answer)
        out.flush()


def _main(request: list, wanted: list, culprit: list | None) -> None:
    question = question_of(Request(*request))
    adapter = adapter_of(Request(*request))
    name = question.subject.program.__name__

    def fails(text: str) -> bool:
        subject = subject_of(text, name, question.subject)
        found = symptom(subject, adapter)
        if found is None or found.key() != tuple(wanted):
            return False
        if culprit is None:
            return True
        again = search(subject)
        return tuple(culprit) in [one.key() for one in (again.culprit, again.kink) if one is not None]

    with warnings.catch_warnings(), question.put_back():
        warnings.simplefilter("ignore")
        serve(fails)


if __name__ == "__main__":
    _main(*json.loads(sys.argv[1]))
