"""PyTorch: a tape over tensors, met through the Python array API; https://github.com/pytorch/pytorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from types import SimpleNamespace
from typing import Any

import array_api_compat.torch as xp
import numpy as np
import torch
from torch.utils.checkpoint import checkpoint

from ..arrays import ArrayAdapter, leaves_of, put
from ..transplant import Namespace
from . import CannotBeAsked

__all__ = ["ADAPTERS"]

torch.set_default_dtype(torch.float64)
torch.Tensor.copy = torch.Tensor.clone
torch.Tensor.astype = lambda x, dtype: stacked(x, dtype)


def lift(x: Any) -> Any:
    """A number or an array, no matter whose, as a tensor."""
    return x if isinstance(x, torch.Tensor) else torch.tensor(np.asarray(x))


def checkpointed(f: Callable) -> Callable:
    """f, computed again in the reverse sweep."""
    return lambda *args: checkpoint(f, *args, use_reentrant=False)


def stacked(x: Any, dtype: Any = None) -> Any:
    """np.array: numbers, tensors, and lists of them all the way down."""
    tensor = torch.stack([stacked(part) for part in x]) if isinstance(x, list | tuple) and len(x) else lift(x)
    if dtype is None or isinstance(dtype, torch.dtype):
        return tensor.to(dtype)
    return tensor.to(getattr(torch, np.dtype(dtype).name))


def dot(x: Any, y: Any) -> Any:
    """np.dot, of numbers, vectors and matrices."""
    return torch.matmul(x, y) if np.ndim(x) and np.ndim(y) else x * y


def lifting(derivative: Callable) -> Callable:
    """A derivative of torch.func, of functions that are given, and that return, numbers too."""

    def derivative_of(f: Callable, *given: Any, **options: Any) -> Any:
        def of_tensors(*args: Any) -> Any:
            value = f(*args)
            return put(value, map(lift, leaves_of(value)))

        found = derivative(of_tensors, *put(given, map(lift, leaves_of(given))), **options)
        return (lambda *args: found(*put(args, map(lift, leaves_of(args))))) if callable(found) else found

    return derivative_of


def split(x: Any, parts: Any, axis: int = 0) -> Any:
    """np.split: into so many parts, or at these places."""
    return torch.tensor_split(x, parts, dim=axis)


class TensorFunctions(Namespace):
    """Functions of tensors: numbers and lists among their arguments become tensors where nothing else is taken."""

    def __getattr__(self, name: str) -> Any:
        function = super().__getattr__(name)
        if isinstance(function, Namespace):
            return TensorFunctions(function._library, function._name)
        if isinstance(function, type) or not callable(function):
            return function

        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except TypeError:
                tensors = [
                    stacked(arg) if isinstance(arg, float | complex | list | np.generic) else arg for arg in args
                ]
                try:
                    return function(*tensors, **kwargs)
                except TypeError:  # no derivative is at fault: the arguments are not what the function takes
                    raise CannotBeAsked(f"{self._name}.{name} as NumPy has it") from None

        return called


class Torch(ArrayAdapter):
    """Its storage and its work are not Python's."""

    name, version = "torch", torch.__version__.split("+")[0]
    capabilities = frozenset({"complex", "containers", "forward", "mutation", "nested", "objects"})
    namespace = TensorFunctions(
        xp,
        array=stacked,
        asarray=stacked,
        dot=dot,
        conjugate=torch.conj,
        fabs=torch.abs,
        ndarray=torch.Tensor,
        split=split,
    )
    scipy = SimpleNamespace(special=torch.special)
    lacks = {
        r"'Tensor' object has no attribute '(\w+)'": r"the method \1 of an array",
        "'builtin_function_or_method' and '(int|float)'": "the size of an array",
        r"'function' object has no attribute '(\w+)'": r"np.ufunc.\1",
        "expected condition to be a boolean": "conditions that are numbers",
        "step must be greater than zero": "a slice that runs backwards",
        "can't assign a list to": "a list that is written into an array",
        "'torch.dtype' object is not callable": "types of numbers that can be called",
        r"special_(\w+)\(\) missing 1 required": r"scipy.special.\1 over all of an array",
        r"special_(\w+)\(\): argument '\w+' .* must be Tensor, not float": r"scipy.special.\1 of a number",
        "'float' object has no attribute 'is_floating_point'": "np.clip of a number",
        "stack expects each tensor to be equal size": "numbers and arrays joined",
    }
    native = {
        "checkpoint": checkpointed,
        "hessian": lifting(torch.func.hessian),
        "jacobian": lifting(torch.func.jacrev),
        "jvp": lifting(torch.func.jvp),
        "stop_gradient": torch.Tensor.detach,
    }

    def vjp(self, f: Callable, *arrays: Any) -> tuple[Any, Callable[[Any], Sequence[Any]]]:
        if torch._C._functorch.peek_interpreter_stack() is not None:  # inside one of torch.func's own derivatives
            return torch.func.vjp(lambda *tensors: torch.as_tensor(f(*tensors)), *map(lift, arrays))
        inputs = [(x if x.requires_grad else x.clone().requires_grad_()).clone() for x in map(lift, arrays)]
        value = torch.as_tensor(f(*(x.clone() for x in inputs)))  # which may be written into

        def back(seed: Any) -> Sequence[Any]:
            if not value.requires_grad:
                return [torch.zeros_like(x) for x in inputs]
            return torch.autograd.grad(value, inputs, seed, create_graph=True, materialize_grads=True)

        return value, back

    def lift(self, array: Any) -> Any:
        return lift(array)

    def lower(self, array: Any) -> Any:
        return torch.as_tensor(array).detach().resolve_conj().numpy(force=True)

    def one(self, value: Any) -> Any:
        return torch.ones_like(value)


ADAPTERS = [Torch()]
