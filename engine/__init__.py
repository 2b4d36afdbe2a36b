"""A source-to-source automatic differentiation engine for Python programs on NumPy.

>>> from engine import gradient
>>> gradient(lambda x: x ** 2 + 3 * x, 2.0)
(7.0,)
"""

from . import switches
from .api import (
    checkpoint,
    grad,
    gradient,
    hessian,
    hvp,
    jacobian,
    jvp,
    pullback,
    show,
    stop_gradient,
    value_and_grad,
    value_and_gradient,
    vjp,
)
from .checks import GradientCheckError, check_gradient
from .errors import (
    ArgumentError,
    CotangentMismatchError,
    DifferentiationError,
    ForeignCallError,
    MutationError,
    SourceError,
    UnsupportedSyntaxError,
)
from .implicit import Grads, Params
from .rules import constant, rule
from .tangents import Tangent

__all__ = [
    "ArgumentError",
    "CotangentMismatchError",
    "DifferentiationError",
    "ForeignCallError",
    "GradientCheckError",
    "Grads",
    "MutationError",
    "Params",
    "SourceError",
    "Tangent",
    "UnsupportedSyntaxError",
    "check_gradient",
    "checkpoint",
    "constant",
    "grad",
    "gradient",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "pullback",
    "rule",
    "show",
    "stop_gradient",
    "switches",
    "value_and_grad",
    "value_and_gradient",
    "vjp",
]
