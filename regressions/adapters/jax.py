"""JAX: programs traced to a functional core, in double precision; https://github.com/jax-ml/jax."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy

from ..arrays import ArrayAdapter
from ..transplant import Namespace

__all__ = ["ADAPTERS"]

jax.config.update("jax_enable_x64", True)


class Jax(ArrayAdapter):
    """Its arrays cannot be written into; its storage is not Python's."""

    name, version = "jax", jax.__version__
    capabilities = frozenset({"complex", "containers", "counted-calls", "forward", "nested", "objects"})
    namespace, scipy = Namespace(jnp), jax.scipy
    lacks = {
        "does not support item assignment": "arrays that are written into",
        "([a-z]+) requires ndarray or scalar arguments": r"np.\1 of lists",
        "a non-tuple sequence for multidimensional indexing": "lists of indices",
        r"'[\w.]*ArrayImpl' object has no attribute '(\w+)'": r"the attribute \1 of an array",
    }
    conjugates = True
    native = {
        "checkpoint": jax.checkpoint,
        "hessian": jax.hessian,
        "jacobian": jax.jacrev,
        "jvp": jax.jvp,
        "stop_gradient": jax.lax.stop_gradient,
    }

    def vjp(self, f: Callable, *arrays: Any) -> tuple[Any, Callable[[Any], Sequence[Any]]]:
        return jax.vjp(f, *arrays)

    def lift(self, array: Any) -> Any:
        return jnp.asarray(array)

    def one(self, value: Any) -> Any:
        return jnp.ones_like(value)


ADAPTERS = [Jax()]
