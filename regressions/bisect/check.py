"""One question put to the engine at hand, of whatever age: what a search asks at each place.

Run as `python -m regressions.bisect.check REQUEST` it answers a request with a line of JSON:

    {"case": id, "engine": "jax"}     {"verdict": ..., "text": ...}
    {"script": path, ...}             {"status": ..., "printed": ..., "error": ...}
    {"passes": true}                  {"passes": [...]}, the engine's passes in the order in which they run
    {"engine": "jax"}                 {"beside": ...}: it imports, and differentiates, with this NumPy and SciPy

or with {"unusable": why}. A case or a script is run with the passes "off" switched off, and the pass of "limit" let
take a number of steps only; then the answer also says how many it asked for, and which was the last it took.

Old engines meet today's case files, which name parts of today's engine, to put defects back. Here no defect is put
back, and a part that the engine does not have yet is replaced by one that does nothing.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import json
import os
import runpy
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any

__all__ = ["answer", "serve"]


class Absent(ModuleType):
    """Stands for what an older engine does not have: whatever is asked of it is absent too."""

    def __init__(self, name: str, present: Any = None) -> None:
        super().__init__(name)
        self.__dict__["_present"] = present

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._present, name, None) or Absent(f"{self.__name__}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def __getitem__(self, key: Any) -> Any:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())


@contextmanager
def absent_parts_tolerated() -> Iterator[None]:
    """Let case files import what the engine at hand does not have."""
    original = builtins.__import__

    def tolerant(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        importer = (globals or {}).get("__name__", "")
        ours = importer.startswith("regressions.cases.") and (name.startswith("engine") or level == 2)
        if ours and level == 2 and name.startswith("defects"):
            return Absent(name)
        try:
            module = original(name, globals, locals, fromlist, level)
        except ImportError:
            if not (ours and level == 0):
                raise
            return Absent(name)
        return Absent(name, module) if ours and level == 0 and fromlist else module

    builtins.__import__ = tolerant
    try:
        yield
    finally:
        builtins.__import__ = original


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request."""
    engine = request.get("engine", "reference")
    try:
        if engine == "reference":
            import_module("engine")
        if "script" in request:
            import_module("engine" if engine == "reference" else engine)
            return _under(request, lambda: _of_script(request["script"]))
        if "passes" in request:
            return {"passes": ["typed", *import_module("engine.switches").PASSES]}
        adapter = import_module("regressions.adapters").adapters_of(engine)[0]
    except Exception as error:  # an engine that does not import is not bad: it cannot be asked
        return {"unusable": f"does not import: {type(error).__name__}: {error}".splitlines()[0]}
    if "case" in request:
        return _under(request, lambda: _of_case(request["case"], adapter))
    adapter.gradient(lambda x: x * x, 3.0)
    return {"beside": ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy"))}


def _of_case(name: str, adapter: Any) -> dict[str, Any]:
    with absent_parts_tolerated():
        from .. import corpus, report
        from ..verdicts import run

        case = corpus.find_alone(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an engine that only warns has not said no
        found = run(case, adapter)
    return {"verdict": found.verdict.value, "text": report.described(found.outcome)}


def _of_script(path: str) -> dict[str, Any]:
    printed, error, status = io.StringIO(), "", 0
    sys.argv = [path]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    with contextlib.redirect_stdout(printed):
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except Exception as problem:
            traceback.print_exc()
            status, error = 1, f"{type(problem).__name__}: {problem}"
    return {"status": status, "printed": printed.getvalue().strip(), "error": error}


def _under(request: dict[str, Any], run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The answer of `run`, with parts of the engine switched off as the request asks."""
    if not request.get("off") and "limit" not in request:
        return run()
    switches: Any = import_module("engine.switches")
    with switches.off(*request["off"]):
        if "limit" not in request:
            return run()
        with switches.limited(*request["limit"]) as limit:
            return {**run(), "steps": limit.asked, "last": limit.last}


def serve(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer the request on the command line; what the engine prints goes to the standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    request = json.loads(sys.argv[1])
    signal.alarm(request.get("seconds", 0))  # whoever asked may have been killed
    # A package that is installed for editing lends its own modules to an older one that lacks them.
    sys.meta_path[:] = [f for f in sys.meta_path if not getattr(f, "__module__", "").startswith("__editable__")]
    out.write(json.dumps(answer(request)))
    out.flush()


if __name__ == "__main__":
    serve(answer)
