"""Two dtypes in one program, casts between them, and a float that is in no list."""

from __future__ import annotations

import numpy as np

from engine import api
from engine.errors import ForeignCallError
from engine.rules import shape

from ..case import Raises, case
from ..defects import patched, raising, with_rule
from ..defects.numbers import cotangents_fitted_by, in_another_precision


def of_one_precision(d, primal):
    if isinstance(primal, np.ndarray) and np.asarray(d).dtype != primal.dtype:
        raise RuntimeError(f"Found dtype {np.asarray(d).dtype} but expected {primal.dtype}")
    return d


@case(
    "pytorch-94086",
    "https://github.com/pytorch/pytorch/issues/94086",
    title="the squared error of a float32 and a float64 array fails on the way back",
    month="2023-02",
    symptom="raises",
    cause="The difference is a double; its cotangent, handed to the argument in single precision as it is, does not "
    "pass the check of types.",
    at=(np.float32([1.0, 2.0]), np.array([0.5, 3.0])),
    right=(np.float32([0.5, -1.0]), np.array([-0.5, 1.0])),
    oracle="closed form: the difference, and minus the difference",
    reported=Raises("crash", "RuntimeError: Found dtype float64 but expected float32"),
    defect=cotangents_fitted_by(of_one_precision),
)
def error_between_two_precisions(x, y):
    return np.mean((x - y) ** 2)


def typed_kernel(d, out, a, v, mode="full"):
    if d.dtype != v.dtype:
        raise TypeError(f"no method matches a kernel of {v.dtype} and a cotangent of {d.dtype}")
    return np.convolve(d, v[::-1], "full")


@case(
    "flux-711",
    "https://github.com/FluxML/Flux.jl/issues/711",
    title="a convolution of float32 cannot take the double cotangent that comes back to it",
    month="2019-03",
    symptom="raises",
    cause="A double enters after the convolution. The kernel of its pullback wants one type for all it is given, and "
    "nobody had converted the cotangent to the type of the result.",
    at=(np.float32([1.0, 2.0, 3.0, 4.0]), np.float32([0.5, -1.0])),
    right=(np.float32([-2.0, -1.0, -1.0, 1.0]), np.float32([18.0, 12.0])),
    oracle="closed form: twice the sums of what each element is multiplied with",
    reported=Raises("crash", "TypeError: no method matches"),
    defect=in_another_precision(
        np.convolve, a=typed_kernel, v=lambda d, out, a, v, mode="full": np.convolve(a[::-1], d, mode)
    ),
)
def convolution_doubled_afterwards(x, w):
    return 2.0 * np.float64(np.sum(np.convolve(x, w, mode="valid")))


@case(
    "taichi-687",
    "https://github.com/taichi-dev/taichi/pull/687",
    title="a cast to single precision and back loses the gradient",
    month="2020-03",
    symptom="missing-gradient",
    cause="Casts had no adjoint, as if a float cast to a float were a number without a neighbour.",
    at=(1.5,),
    right=(3.0,),
    oracle="closed form: twice x and once x",
    reported=(None,),
    defect=with_rule(np.float32, x=lambda d, out, x: None),
)
def casts_there_and_back(x):
    y = np.float32(x)
    return np.float64(y) * 2.0 + np.float64(np.float32(x * 1.0))


astype = getattr(np, "astype", np.ndarray.astype)  # a function since NumPy 2


@case(
    "autograd-714",
    "https://github.com/HIPS/autograd/pull/714",
    title="np.astype has no gradient, the method astype has one",
    month="2025-07",
    symptom="raises",
    cause="NumPy 2 has the method as a function too, and that was not registered.",
    at=(np.array([1.0, 2.0]),),
    right=(np.array([3.0, 5.0]),),
    oracle="closed form: 2x + 1",
    reported=Raises("foreign-call", "astype"),
    defect=raising(astype if hasattr(np, "astype") else shape.astype, ForeignCallError, "np.astype has no rule"),
)
def casts_by_function_and_method(x):
    return np.sum(astype(x, np.float32) ** 2) + np.sum(x.astype(np.float32))


def real_for_the_real(d, primal):
    if np.iscomplexobj(d) and not np.iscomplexobj(primal):
        raise RuntimeError("expected a real gradient for a real input but got a complex one")
    return d


@case(
    "pytorch-192719",
    "https://github.com/pytorch/pytorch/issues/192719",
    title="a real array that is summed as complex numbers cannot be differentiated",
    month="2026-08",
    symptom="raises",
    cause="The sum hands its cotangent on as it is, complex; the array is real, and only the real part of it belongs "
    "there.",
    needs=("complex",),
    at=(np.ones((2, 2)),),
    right=(np.full((2, 2), 2.0),),
    oracle="closed form: of twice the sum",
    reported=Raises("crash", "RuntimeError: expected a real gradient"),
    defect=cotangents_fitted_by(real_for_the_real),
)
def real_numbers_summed_as_complex_ones(x):
    return np.real(np.sum(x, dtype=np.complex128) * (2 + 1j))


def no_such_type(f, position, value):
    if isinstance(value, np.ndarray) and value.dtype == np.longdouble:
        raise TypeError("Can't differentiate w.r.t. type numpy.longdouble")


@case(
    "autograd-590",
    "https://github.com/HIPS/autograd/issues/590",
    title="an array of extended precision is refused",
    month="2023-04",
    symptom="raises",
    cause="The floats that may be differentiated for stand in a list, and the longest is not in it; putting it there "
    "broke the platforms that have none.",
    at=(np.ones(2, np.longdouble),),
    right=(np.full(2, 2.0, np.longdouble),),
    oracle="closed form: 2x",
    reported=Raises("crash", "TypeError: Can't differentiate"),
    defect=patched(api, "_refuse_number", no_such_type),
)
def squares_in_extended_precision(x):
    return np.sum(x**2)
