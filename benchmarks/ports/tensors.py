"""What the ports to PyTorch share: numbers and arrays as tensors, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.ports import Lazy

__all__ = ["lift", "lower", "torch"]

torch = Lazy("torch")


def lower(x: Any) -> Any:
    return x.detach().numpy() if isinstance(x, torch.Tensor) else x


def lift(x: Any) -> Any:
    """Numbers and arrays, in structures, as tensors."""
    if isinstance(x, dict):
        return {name: lift(part) for name, part in x.items()}
    if isinstance(x, list | tuple):
        return type(x)(map(lift, x))
    return torch.tensor(x) if isinstance(x, float | np.ndarray) else x
