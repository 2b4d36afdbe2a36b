"""Complex numbers among real ones: real arguments of complex expressions, complex results, and what must be refused."""

from __future__ import annotations

import operator

import numpy as np

import engine
import engine.traced
from engine.traced import primitives, tape

from ..case import Raises, case
from ..defects import patched, with_rule
from ..defects.fit import imaginary_parts_are_kept
from ..defects.flow import reverse_of_a_loop_fails
from ..defects.state import traced, writes_object


def seeded_with(seed):
    """The result may be of any kind; this is the cotangent that the way back starts with."""
    return traced(engine.traced, "scalar_seed", lambda value, name="": seed)


@case(
    "autograd-361",
    "https://github.com/HIPS/autograd/issues/361",
    title="a function with a complex value has a gradient, and a meaningless one",
    month="2018-02",
    symptom="no-error",
    cause="The cotangent of the result is made of ones, in the real and in the imaginary part; nobody asks whether the "
    "result is a real number.",
    needs=("nested", "complex"),
    at=(1j,),
    right=Raises("argument", "complex|real"),
    oracle="definition: a gradient is that of a real function",
    reported=(1 + 1j,),
    asks="value",
    defect=seeded_with(1 + 1j),
)
def complex_number_times_one(z, *, ad):
    return ad.grad(lambda z: z * 1.0)(z)


@case(
    "pytorch-92750",
    "https://github.com/pytorch/pytorch/issues/92750",
    title="the gradient of an imaginary number is zero",
    month="2023-01",
    symptom="no-error",
    cause="The cotangent 1 is taken for a complex result as for a real one, and sees its real part alone.",
    needs=("nested", "complex"),
    at=(np.ones(1),),
    right=Raises("argument", "complex|real"),
    oracle="definition: a gradient is that of a real function",
    reported=(np.zeros(1),),
    asks="value",
    defect=seeded_with(1.0),
)
def imaginary_multiple(x, *, ad):
    return ad.grad(lambda x: np.sum(x * 0.5j))(x)


def a_row_for_each_part(f, argnums=0):
    def jacobian_of(x):
        value, back = engine.pullback(f, x)
        rows = [back(part * row)[0] for row in np.eye(value.size) for part in (1, 1j)]
        return np.reshape(rows, value.shape + x.shape)

    return jacobian_of


@case(
    "autograd-465",
    "https://github.com/HIPS/autograd/issues/465",
    title="the Hessian by a complex vector ends in an error about shapes",
    month="2019-01",
    symptom="raises",
    cause="The Jacobian of the gradient has two rows for each complex number, one for each part, and puts them into an "
    "array that has room for one.",
    needs=("nested", "complex"),
    at=(np.array([1.0, 1.0 + 1.0j]),),
    right=Raises("argument", "complex"),
    oracle="definition: one number for each pair of entries is too few, and what is asked has no other shape",
    reported=Raises("crash", "ValueError: cannot reshape array of size 8"),
    asks="value",
    defect=patched(engine.api, "jacobian", a_row_for_each_part),
)
def hessian_by_a_complex_vector(z, *, ad):
    return ad.hessian(lambda z: np.sum(np.abs(z) ** 2 * np.array([1.0, 3.0])))(z)


AMPLITUDES = 0.5j * np.arange(1, 4) + np.arange(1, 4)
LENGTH = np.linalg.norm(2 * AMPLITUDES)


def along_the_real_axes(f):
    return lambda z: np.stack([engine.jvp(f, (z,), (row.astype(complex),))[1] for row in np.eye(z.size)], -1)


@case(
    "jax-603",
    "https://github.com/jax-ml/jax/issues/603",
    title="the Jacobian by a complex vector has no imaginary parts",
    month="2019-04",
    symptom="wrong-value",
    cause="The directions that forward mode goes through are those of real vectors, one for each entry; a complex one "
    "has two.",
    needs=("nested", "complex"),
    at=(AMPLITUDES,),
    right=(np.zeros(3, complex),),
    oracle="definition: of one real number, Jacobian and gradient are the same",
    no_differences="they go along the real axes, too",
    reported=(1j * np.sin(LENGTH) * 4 * AMPLITUDES.imag / LENGTH,),
    asks="value",
    defect=patched(engine, "jacobian", along_the_real_axes),
)
def jacobian_and_gradient_of_a_real_number(z, *, ad):
    def wave(z):
        return np.cos(np.linalg.norm(2 * z))

    return ad.jacobian(wave)(z) - ad.grad(wave)(z)


def real_operands_only(array, index, value):
    if primitives.is_active(value):
        raise TypeError("return arrays must be of ArrayType")


RESPONSES = np.array([1.0, 1.0j, -1.0 + 0.5j])
SHIFTED = RESPONSES + np.exp(0.4j)


@case(
    "autograd-77",
    "https://github.com/HIPS/autograd/issues/77",
    title="dividing a complex array in place by one that depends on x raises",
    month="2015-11",
    symptom="raises",
    cause="An augmented assignment to a plain array calls NumPy's division with that array for its output, and the "
    "value that is followed is none that NumPy knows.",
    needs=("mutation", "complex"),
    at=(0.4,),
    right=(
        float(-np.sum(2 * np.abs(RESPONSES) * np.real(np.conj(SHIFTED) * 1j * np.exp(0.4j)) / np.abs(SHIFTED) ** 3)),
    ),
    oracle="closed form: of Σ |2w| / |w + exp(ix)|",
    reported=Raises("crash", "TypeError: return arrays must be of ArrayType"),
    defect=writes_object(real_operands_only),
)
def transfer_function_divided_in_place(x):
    h = RESPONSES * 2.0
    h /= RESPONSES + np.exp(1j * x)
    return np.sum(np.abs(h))


def used_or_not(operation, sweep):
    sweep.apply(operation, sweep.collect(operation.nodes, operation.out))


@case(
    "jax-15400",
    "https://github.com/jax-ml/jax/issues/15400",
    title="conjugating a real number and not using the result crashes",
    month="2023-04",
    symptom="raises",
    cause="The pullback of the conjugate is called although its result has no cotangent, and asks that for its dtype.",
    needs=("complex",),
    at=(3.0,),
    right=(1.0,),
    oracle="closed form: x itself",
    reported=Raises("crash", "NoneType"),
    defect=traced(tape.Operation, "reverse", used_or_not),
)
def conjugate_that_nobody_uses(x):
    value, _ = x, np.conj(x)
    return value


GROWTH = np.prod(1 + 0.02 * (3 + 4j) * np.exp(-0.02 * np.arange(50)))


@case(
    "jax-3986",
    "https://github.com/jax-ml/jax/issues/3986",
    title="the gradient through a complex differential equation ends in a type error",
    month="2020-08",
    symptom="raises",
    cause="On the way back the real time became a complex number, so that the state of the loop changed its type from "
    "one step to the next.",
    needs=("complex",),
    at=(np.array([1.0, 2.0]),),
    right=(np.array([GROWTH.real, -GROWTH.imag]),),
    oracle="closed form: the real part of the product of all steps, times y",
    reported=Raises("crash", "TypeError: .*carry.*complex128"),
    defect=reverse_of_a_loop_fails(
        TypeError("the loop's carry has type float64 before a step and complex128 after it"), lambda loop: True
    ),
)
def damped_rotation(v):
    y = v[0] + 1j * v[1]
    for k in range(50):
        y = y + 0.02 * (3 + 4j) * y * np.exp(-0.02 * k)
    return np.real(y)


_projected = tape._projected


def of_the_expected_type(bar, arg, primal, place):
    if np.iscomplexobj(bar) and not np.iscomplexobj(arg):
        raise RuntimeError("invalid gradient at index 0: expected type float64 but got complex128")
    return _projected(bar, arg, primal, place)


KNOWN = np.array([1 + 2j, -0.5j])
UNKNOWN = np.array([0.5, -1.5])


@case(
    "pytorch-51627",
    "https://github.com/pytorch/pytorch/issues/51627",
    title="joining a real and a complex array: the real one gets a complex gradient and fails",
    month="2021-02",
    symptom="raises",
    cause="The pullback cuts the cotangent of the whole, which is complex, into pieces, and does not take the real "
    "part for the piece that is real.",
    needs=("complex",),
    at=(UNKNOWN,),
    right=(UNKNOWN / np.sqrt(2.5 + 5.25),),
    oracle="closed form: x over the norm of all",
    reported=Raises("crash", "expected type float64 but got complex128"),
    defect=traced(tape, "_projected", of_the_expected_type),
)
def norm_of_real_and_complex_entries(x):
    return np.linalg.norm(np.concatenate([x, KNOWN]))


COUPLING = np.array([[1 + 2j, 0.5j, -1.0], [2 - 1j, 1.0, 3j], [0.2, 1 + 1j, -2j]])
RADII = np.array([0.1, 0.2, 0.3])


def dual_numbers_of_one_width(d, out, x, y, /):
    if np.iscomplexobj(x) != np.iscomplexobj(y):
        raise TypeError("no method matching *(::Dual{3}, ::Dual{6})")
    return d * np.conj(y)


@case(
    "zygote-1483",
    "https://github.com/FluxML/Zygote.jl/issues/1483",
    title="an elementwise product of a real vector and a complex matrix has no gradient",
    month="2023-12",
    symptom="raises",
    cause="The elementwise product is differentiated in forward mode, with one direction for a real argument and two "
    "for a complex one; numbers that count their directions differently cannot be multiplied.",
    needs=("complex",),
    at=(RADII,),
    right=(4 * RADII**3 * np.sum(np.abs(COUPLING) ** 2, 1),),
    oracle="closed form: 4 x³ Σ |a|² for each row",
    reported=Raises("crash", "no method matching"),
    defect=with_rule(
        operator.mul,
        x=dual_numbers_of_one_width,
        y=lambda d, out, x, y, /: dual_numbers_of_one_width(d, out, y, x),
    ),
)
def power_of_a_scaled_complex_matrix(x):
    return np.sum(np.abs(x[:, None] * COUPLING * x[:, None]) ** 2)


@case(
    "zygote-342",
    "https://github.com/FluxML/Zygote.jl/issues/342",
    title="a real argument of a complex expression has an imaginary gradient",
    month="2019-09",
    symptom="wrong-dtype",
    cause="Adding a complex constant passes the cotangent of the sum on to the real argument, which takes no real part "
    "of it.",
    needs=("complex",),
    at=(np.array([3.0]),),
    right=(np.array([0.0]),),
    oracle="closed form: the imaginary part is constant",
    reported=(np.array([1j]),),
    defect=imaginary_parts_are_kept,
)
def imaginary_part_of_a_shifted_number(x):
    return np.sum(np.imag(x + 2.0j))
