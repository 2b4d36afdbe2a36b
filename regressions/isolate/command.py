"""The command `isolate`: its words, and in which Python they are answered.

Exit status: 0 nothing wrong was found, 1 something was, 2 the command makes no sense.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

from ..environments import Unusable, interpreter, release_of
from ..results import is_asked_here
from .answer import answer, say
from .question import Request

__all__ = ["add_commands"]

ISOLATE = """\
Name the operation that is wrong, with the line it stands on, and write the smallest program that fails in the same way.

Each operation that the reference engine records is held against differences, with the values and the cotangent that it
saw. Then statements are dropped, calls and variables inlined, arrays shrunk and numbers made simple, for as long as the
rest fails as the whole does: changed copies of your program run. Of other engines there is the shrinking alone.
"""
EXAMPLES = """\
examples:
  python -m regressions isolate mymodel:loss --args "np.ones(3), 2.0"
  python -m regressions isolate mymodel:loss > small.py
  python -m regressions isolate flux-2497 --bite                  with its bug put back
  python -m regressions isolate jax-347 --engine autograd==1.5
  python -m regressions new https://github.com/jax-ml/jax/issues/1 --from-isolate small.py
"""


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add `isolate` to the commands."""
    isolating = commands.add_parser(
        "isolate", help="the operation that is wrong, and the smallest program that fails in the same way",
        description=ISOLATE, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    isolating.set_defaults(command=_isolate)
    isolating.add_argument("what", help="module:function, or a case by its id or thread: flux-2497")
    isolating.add_argument("--args", metavar="EXPR", help="its arguments, with np: 'np.ones(3), 2.0' (or its defaults)")
    isolating.add_argument("--engine", default="reference", help="another engine, or a release: autograd==1.5")
    isolating.add_argument("--bite", action="store_true", help="put the defect of the case back first")
    isolating.add_argument(
        "--seconds", metavar="S", type=float, default=60.0, help="time for the shrinking; 0 is none (%(default)g)"
    )


def _isolate(options: argparse.Namespace) -> int:
    if options.seconds < 0:
        raise ValueError("--seconds takes a number from 0")
    if options.bite and (":" in options.what or options.engine != "reference"):
        raise ValueError("--bite puts the defect of a case back into the reference engine")
    request = Request(options.what, options.args, options.engine, options.bite, options.seconds)
    if is_asked_here(options.engine) or ("==" not in options.engine and find_spec(options.engine) is not None):
        return answer(request)
    try:
        python = interpreter(release_of(options.engine), say)
    except Unusable as problem:
        raise ValueError(f"{options.engine}: {problem}") from None
    paths = [str(Path(__file__).parents[2]), os.getcwd(), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [str(python), "-m", "regressions.isolate.answer", json.dumps(request)]
    return subprocess.run(command, env=environment, check=False).returncode
