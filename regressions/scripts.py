"""A case -> a program that stands alone, ready to be pasted into the tracker of the engine it is written for.

The program, what it reads of its module, and the point are copied as they are written; only what an engine is called,
and how it is asked, differs.
"""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from .case import Case
from .records import Record
from .sources import program_text

__all__ = ["NoScript", "script"]


class NoScript(Exception):
    """The case cannot be put to this engine in a few lines; the message says why."""


ENGINES = {
    "reference": (
        """
        import numpy as np

        import engine as ad
        from engine import gradient
        """
    ),
    "autograd": (
        """
        from types import SimpleNamespace

        import autograd
        import autograd.numpy as np

        def gradient(f, *args):
            return tuple(autograd.grad(f, i)(*args) for i in range(len(args)))

        ad = SimpleNamespace(**{**vars(autograd), "gradient": gradient})
        """
    ),
    "jax": (
        """
        from types import SimpleNamespace

        import jax
        import jax.numpy as np

        jax.config.update("jax_enable_x64", True)

        def gradient(f, *args):
            return jax.grad(f, tuple(range(len(args))))(*args)

        ad = SimpleNamespace(**{**vars(jax), "gradient": gradient, "jacobian": jax.jacrev,
                                "stop_gradient": jax.lax.stop_gradient,
                                "hvp": lambda f, x, v: jax.jvp(jax.grad(f), (x,), (v,))[1]})
        """
    ),
    "torch": (
        """
        from types import SimpleNamespace

        import array_api_compat.torch as np
        import torch

        torch.set_default_dtype(torch.float64)
        np.array = torch.tensor

        def gradient(f, *args):
            args = [torch.as_tensor(x).clone().requires_grad_() for x in args]
            return torch.autograd.grad(f(*args), args, allow_unused=True, create_graph=True)

        ad = SimpleNamespace(gradient=gradient, grad=torch.func.grad, vjp=torch.func.vjp, jvp=torch.func.jvp,
                             jacobian=torch.func.jacrev, hessian=torch.func.hessian, stop_gradient=torch.Tensor.detach)
        """
    ),
    "mygrad": (
        """
        import mygrad as np

        np.array = np.tensor

        def gradient(f, *args):
            args = [np.tensor(x) for x in args]
            f(*args).backward()
            return tuple(x.grad for x in args)
        """
    ),
    "tensorflow": (
        """
        import numpy
        import tensorflow as tf
        import tensorflow.experimental.numpy as np

        np.experimental_enable_numpy_behavior()

        def gradient(f, *args):
            args = [tf.convert_to_tensor(numpy.asarray(x)) for x in args]
            with tf.GradientTape() as tape:
                tape.watch(args)
                value = f(*args)
            return tape.gradient(value, args)
        """
    ),
}
STRUCTURED: dict[str, Any] = {"reference": object, "autograd": (tuple, list, dict), "jax": (tuple, list, dict)}
DISTRIBUTIONS = {"reference": "gradpin", "tensorflow": "tensorflow-cpu"}


def script(case: Case, record: Record) -> str:
    """The program that asks the engine of the record what it was asked.

    Raises:
        NoScript: the engine has no form here, or cannot be handed what the case is about.
    """
    engine = record.engine.partition("-")[0]
    if engine not in ENGINES:
        raise NoScript(f"there is no form of a program for {record.engine}; there is one for {', '.join(ENGINES)}")
    if callable(case.at) or case.rules or (case.wrt is not None):
        raise NoScript(f"{case.id} counts a cost, gives rules or finds parameters by identity: run it here")
    taken = STRUCTURED.get(engine, ())
    for argument in case.at:
        if not isinstance(argument, float | np.ndarray | np.inexact) and not isinstance(argument, taken):
            raise NoScript(f"{case.id} takes a {type(argument).__name__}, which {engine} has no gradient for")
    name = case.program.__name__
    call = f"{name}(*at, ad=ad)" if case.asks == "value" else f"gradient({_partial(name, case)}, *at)"
    return "\n".join([
        *(f"# {line}" for line in (case.title, *case.threads)),
        f"# {record.on}: {record.verdict}",
        textwrap.dedent(ENGINES[engine]).strip() + "\n",
        program_text(case, skip={"np", "ad", "gradient"}),
        "",
        "import platform",
        "from importlib.metadata import version",
        "",
        f'print("Python", platform.python_version(), "NumPy", version("numpy"), {_version(engine)})',
        f'print("expected", {record.expected!r})',
        f'print("got     ", {call})',
        "",
    ])  # fmt: skip


def _partial(name: str, case: Case) -> str:
    return f"lambda *args: {name}(*args, ad=ad)" if "nested" in case.needs else name


def _version(engine: str) -> str:
    return f'"{engine}", version("{DISTRIBUTIONS.get(engine, engine)}")'
