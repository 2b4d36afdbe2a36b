"""What the engine cannot do and does not refuse either: pinned, so that the README tells the truth about it."""

import numpy as np
import pytest

from engine import DifferentiationError, grad, gradient, jvp


def test_a_test_for_equality_hides_the_branch_that_did_not_run():
    def product_up_to_a_zero(x):
        product = 1.0
        for factor in x:
            product = product * factor
            if product == 0:
                break
        return product

    x = np.array([1.0, 2.0, 0.0, 3.0, 4.0])  # the function's own derivative is 24 in the third place
    assert gradient(product_up_to_a_zero, x)[0].tolist() == [0, 0, 2, 0, 0]


def test_a_kink_hidden_by_another():
    assert grad(grad(lambda u: np.abs(-(u**2))))(0.0) == 0.0  # of u², it would be 2


def test_the_phase_of_an_eigenvector_is_seen_in_reverse_only():
    def part_of_a_vector(a):
        return np.real(np.linalg.eig(a)[1][0, 0])

    a = np.array([[1.0, 2.0], [-3.0, 0.5]])
    with pytest.raises(DifferentiationError, match="depends on the phase"):
        gradient(part_of_a_vector, a)
    assert np.isfinite(jvp(part_of_a_vector, (a,), (np.ones((2, 2)),))[1])
