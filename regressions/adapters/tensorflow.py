"""TensorFlow: a tape over its own NumPy; https://github.com/tensorflow/tensorflow."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
import tensorflow.experimental.numpy as tnp

from ..arrays import ArrayAdapter
from ..transplant import Namespace

__all__ = ["ADAPTERS"]

tnp.experimental_enable_numpy_behavior()


class TensorFlow(ArrayAdapter):
    """Its tensors cannot be written into; its storage and its work are not Python's."""

    name, version = "tensorflow", tf.__version__
    capabilities = frozenset({"complex", "containers", "nested", "objects"})
    namespace = Namespace(tnp)
    lacks = {
        r"Tensor\w*' object has no attribute '(\w+)'": r"the method \1 of an array",
        "does not support item assignment": "arrays that are written into",
    }
    native = {"checkpoint": tf.recompute_grad, "stop_gradient": tf.stop_gradient}

    def vjp(self, f: Callable, *arrays: Any) -> tuple[Any, Callable[[Any], Sequence[Any]]]:
        tensors = [tf.identity(self.lift(array)) for array in arrays]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(tensors)
            value = tf.convert_to_tensor(f(*tensors))
        return value, lambda seed: tape.gradient(value, tensors, output_gradients=seed)

    def lift(self, array: Any) -> Any:
        return tf.convert_to_tensor(array if tf.is_tensor(array) else np.asarray(array))

    def lower(self, array: Any) -> Any:
        return tf.convert_to_tensor(array).numpy()

    def one(self, value: Any) -> Any:
        return tf.ones_like(value)


ADAPTERS = [TensorFlow()]
