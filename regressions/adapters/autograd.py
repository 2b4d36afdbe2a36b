"""autograd: operator overloading over a wrapped NumPy; https://github.com/HIPS/autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import autograd
import autograd.numpy
import autograd.scipy
import autograd.scipy.linalg
import autograd.scipy.special
from autograd.core import make_vjp, vspace
from autograd.differential_operators import make_jvp

from ..arrays import ArrayAdapter
from ..transplant import Namespace

__all__ = ["ADAPTERS"]


def jvp(f: Callable, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """autograd's forward mode, which takes its arguments one after the other."""
    return make_jvp(lambda args: f(*args))(tuple(primals))(tuple(tangents))


def jacobian(f: Callable, argnums: int = 0) -> Callable:
    """autograd's Jacobian, which has another name for the place of its argument."""
    return autograd.jacobian(f, argnums)


class Autograd(ArrayAdapter):
    """Arguments that are written into, and functions beyond NumPy, are out of its reach."""

    name, version = "autograd", version("autograd")
    capabilities = frozenset(
        {"complex", "containers", "counted-bytes", "counted-calls", "forward", "nested", "objects"}
    )
    namespace, scipy = Namespace(autograd.numpy), autograd.scipy
    conjugates = True
    native = {"checkpoint": autograd.checkpoint, "jacobian": jacobian, "jvp": jvp}

    def vjp(self, f: Callable, *arrays: Any) -> tuple[Any, Callable[[Any], Sequence[Any]]]:
        back, value = make_vjp(lambda packed: f(*packed), arrays)
        return value, back

    def one(self, value: Any) -> Any:
        return vspace(value).ones()

    def kind_of(self, error: Exception) -> str:
        return "foreign-call" if isinstance(error, NotImplementedError) else "crash"


ADAPTERS = [Autograd()]
