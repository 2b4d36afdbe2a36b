"""What the engine cannot do and does not refuse either: pinned, so that the README tells the truth about it."""

import numpy as np

from engine import grad, gradient


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


def test_a_sort_where_numbers_touch():
    """Next to 0 the larger one is x², whichever comes last at 0."""
    assert grad(grad(lambda x: np.sort(np.stack([x**2, -(x**2)]))[1]))(0.0) == -2.0  # of x², it would be 2
