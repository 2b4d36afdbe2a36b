"""What the engine cannot do and does not refuse either: pinned, so that the README tells the truth about it."""

import numpy as np

from engine import grad, gradient, hessian


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


def test_equals_that_are_ordered_from_two_sides():
    """A tie falls to one of the arguments by its place, so both have to be given in the same order."""
    h = hessian(lambda v: np.maximum(v[0], v[1]) * np.minimum(v[1], v[0]))(np.ones(2))
    assert h.tolist() == [[0.0, 0.0], [0.0, 2.0]]  # of the product it would be [[0, 1], [1, 0]]
