"""A session with a tool of GradBench: a message to its standard input, a line of JSON from its standard output.

The tool may be any program: one that dies, hangs, or says something else than it should ends the session with an
error that says so. Whatever it has started ends with it.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.compare.worker import pin

__all__ = ["Session", "ToolError", "evaluations"]


class ToolError(Exception):
    """The command is no tool of GradBench, or no longer."""


class Session:
    """A process on one processor, which has `limit` seconds for each answer; a context, at whose end it is killed."""

    def __init__(self, command: list[str], limit: float, directory: Path | None = None) -> None:
        """
        Raises:
            ToolError: the command does not start.
        """
        self.command, self.limit = shlex.join(command), limit
        self._number, self._late = 0, False
        self._errors = tempfile.TemporaryFile("w+", errors="replace")
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                errors="replace",
                cwd=directory,
                start_new_session=True,  # so that Ctrl-C is for us, and what it starts can be ended
            )
        except OSError as error:
            self._errors.close()
            raise ToolError(f"{self.command} does not start: {error.strerror}") from None
        with suppress(ProcessLookupError):
            pin(1, self._process.pid)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        self._kill()
        with suppress(BrokenPipeError):  # of what it has not read
            self._process.communicate()
        self._errors.close()

    def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The answer to a message.

        Raises:
            ToolError: there is none in time, or it is not an answer to this message.
        """
        message = {"id": self._number, "kind": kind, **fields}
        self._number += 1
        line = self._answered(json.dumps(message) + "\n")
        to = " ".join((kind, *(fields[name] for name in ("module", "function") if name in fields)))
        if self._late:
            raise ToolError(f"{self.command} has not answered {to} in {self.limit:g} seconds")
        if not line:
            raise ToolError(f"{self.command} died instead of answering {to}{self._last_words()}")
        try:
            answer = json.loads(line)
        except ValueError:
            raise ToolError(f"{self.command} answers {to} with {line[:60].rstrip()!r}, which is no JSON") from None
        if not isinstance(answer, dict) or answer.get("id") != message["id"]:
            raise ToolError(f"{self.command} answers {to} with {line[:60].rstrip()!r}, not an object with its id")
        return answer

    def _answered(self, line: str) -> str:
        """The line that follows; nothing where the process ends before, in time or not."""
        assert self._process.stdin is not None and self._process.stdout is not None
        timer = threading.Timer(self.limit, self._give_up)  # ends a write that nobody reads, too
        timer.start()
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
            return self._process.stdout.readline()
        except BrokenPipeError:
            return ""
        finally:
            timer.cancel()

    def _give_up(self) -> None:
        self._late = True
        self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().split("\n")
        return next((f": {line.strip()}" for line in reversed(lines) if line.strip()), ", without a word")


def evaluations(answer: dict[str, Any], session: Session) -> list[int]:
    """The nanoseconds of each run, of an answer to `evaluate`.

    Raises:
        ToolError: it tells none.
    """
    timings = answer.get("timings")
    entries = [entry for entry in timings if isinstance(entry, dict)] if isinstance(timings, list) else []
    told = [entry.get("nanoseconds") for entry in entries if entry.get("name") == "evaluate"]
    runs = [run for run in told if type(run) is int and run >= 0]
    if not runs or len(runs) < len(told):
        raise ToolError(f"{session.command} answers evaluate without the nanoseconds of its runs")
    return runs
