"""Cases asked of an engine, of whatever release, in a process of its own -> a record for each; kept, and used again.

A record is used again as long as the case's file, the engine's release and the harness are what they were. A process
that dies or hangs over a case is that case's error, and the rest is asked of another process.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import adapters
from .case import Case
from .corpus import program_file
from .environments import Release, Unusable, cache_directory, installable, interpreter, locked, release_of
from .records import Record
from .verdicts import Verdict

__all__ = ["Record", "adapter_files", "ask_all", "is_asked_here"]

HERE = Path(__file__).parent
START_SECONDS, CASE_SECONDS = 300, 60
HARNESS = "arrays case compare costs differences oracles records report transplant verdicts worker".split()


def ask_all(
    engine: str, cases: Sequence[Case], say: Callable[[str], None] = lambda line: None, fresh: bool = False
) -> dict[str, Record]:
    """A record for each case, by its id.

    `engine` is "reference", "autograd", "autograd==1.5" or "module:attribute". A release is asked in an environment of
    its own, which is made when it is missing; so is an engine without a release that cannot be imported here. `say`
    hears of progress; with `fresh` nothing is used again.

    Raises:
        UnknownEngine, ValueError: there is no such engine, or that is no version.
    """
    name = engine.partition("==")[0]
    if ":" not in engine and name not in adapters.engine_names():
        adapters.adapters_of(name)  # raises
    release = release_of(engine) if "==" in engine or (name in installable() and find_spec(name) is None) else None
    store = _Store(engine if release is None else str(release))
    with locked(store.path.with_suffix(".lock")):
        kept = {} if fresh or ":" in engine else store.read()
        missing = [case for case in cases if kept.get(case.id, ("", None))[0] != _key(case, name)]
        if missing:
            say(f"{store.name}: {len(missing)} cases to ask, {len(cases) - len(missing)} known from before")
            for record in _asked(engine, release, missing, say):
                kept[record.case] = (_key(next(c for c in missing if c.id == record.case), name), record)
            if ":" not in engine:  # whose files are not known
                store.write(kept)
    return {case.id: kept[case.id][1] for case in cases}


def is_asked_here(engine: str) -> bool:
    """Is this engine asked in this process: the reference engine, and an adapter of one's own?"""
    return engine == "reference" or ":" in engine


class _Store:
    """The records of one release, in one file."""

    def __init__(self, name: str) -> None:
        self.name = name
        python = f"py{sys.version_info[0]}.{sys.version_info[1]}"
        self.path = cache_directory() / "results" / f"{name.replace('/', '_')}-{python}.json"

    def read(self) -> dict[str, tuple[str, Record]]:
        try:
            rows = json.loads(self.path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return {row["case"]: (row.pop("key"), Record(**row)) for row in rows}

    def write(self, records: dict[str, tuple[str, Record]]) -> None:
        rows = [{"key": key, **asdict(record)} for key, record in records.values()]
        partial = self.path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(rows, indent=0))
        partial.replace(self.path)


def _key(case: Case, engine: str) -> str:
    """What a record hangs on, as a short text."""
    return _digest(program_file(case), *(HERE / f"{name}.py" for name in HARNESS), *_engine_files(engine))


def adapter_files(engine: str) -> list[Path]:
    """What an engine is asked through."""
    return [HERE / "adapters" / "__init__.py", HERE / "adapters" / f"{engine}.py"]


def _engine_files(engine: str) -> tuple[Path, ...]:
    sources = HERE.parent / "engine"
    beside = sorted(sources.rglob("*.py")) if engine == "reference" else [sources / "nn.py", sources / "implicit.py"]
    return (*adapter_files(engine), *beside)


@cache
def _digest(*files: Path) -> str:
    digest = hashlib.sha256(platform.python_version().encode())
    for file in files:
        digest.update(file.read_bytes() if file.exists() else b"")
    return digest.hexdigest()[:20]


def _asked(engine: str, release: Release | None, cases: Sequence[Case], say: Callable[[str], None]) -> Iterable[Record]:
    name, version = engine.partition("==")[0], "" if release is None else release.version
    asked = engine if release is None else str(release)
    left = {case.id: case for case in cases}
    try:
        python = Path(sys.executable) if release is None else interpreter(release, say)
        while left:
            for message in _Conversation(python, name, list(left)).messages():
                if "importing" in message:
                    version = version or message["version"]
                elif "unusable" in message:
                    raise Unusable(message["unusable"])
                else:
                    case = left.pop(message["case"])
                    yield Record(**{"engine": name, **message, "version": version, "asked": asked})
                    done = len(cases) - len(left)
                    if done % 50 == 0 or not left:
                        say(f"{engine}: {done} of {len(cases)} cases, {case.id}")
    except Unusable as problem:
        for case in left.values():
            yield Record(case.id, name, version, Verdict.NOT_ASKED.value, "", str(problem), usable=False, asked=asked)


class _Conversation:
    """One process, and what it says about some cases until it is done, dies, or is too slow."""

    def __init__(self, python: Path, engine: str, ids: list[str]) -> None:
        paths = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [str(python), "-m", "regressions.worker", engine], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )  # fmt: skip
        self.said: queue.Queue[str] = queue.Queue()
        self.errors: deque[str] = deque(maxlen=20)
        for work in (lambda: self._tell(ids), self._listen, self._collect):
            threading.Thread(target=work, daemon=True).start()

    def _tell(self, ids: list[str]) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write("\n".join(ids) + "\n")
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended, which the listener sees

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.put(line)
        self.said.put("")

    def _collect(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(line.strip() for line in self.process.stderr)

    def messages(self) -> Iterator[dict[str, Any]]:
        """What it says; for a case that it does not survive, an error in its place."""
        with self.process:
            case, patience = "", START_SECONDS
            while line := self._next_line(patience):
                message = json.loads(line)
                if "begin" in message:
                    case, patience = message["begin"], CASE_SECONDS
                else:
                    yield message
            if self.process.poll() is None and line is None:
                self.process.kill()
                yield self._failed(case, f"no answer in {patience} seconds")
            elif status := self.process.wait():
                last = self.errors[-1] if self.errors else "without a word"
                yield self._failed(case, f"the process ended with status {status}: {last}")

    def _next_line(self, patience: float) -> str | None:
        """A line; nothing when the process has ended; None when it takes too long."""
        try:
            return self.said.get(timeout=patience)
        except queue.Empty:
            return None

    def _failed(self, case: str, text: str) -> dict[str, Any]:
        if not case:
            return {"unusable": f"does not start: {text}"}
        return {"case": case, "verdict": Verdict.ERROR.value, "expected": "", "got": text}
