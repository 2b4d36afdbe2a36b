"""What the engine cannot do and does not refuse either: pinned, so that the README tells the truth about it."""

import numpy as np
import pytest
from scipy.special import expit

from engine import grad, gradient

from .oracle import TIERS, tier


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


def test_an_order_made_by_argsort_where_numbers_touch():
    """Next to 0 the larger one is x², whichever comes last at 0; np.sort sees it, a program's own order does not."""

    def larger(order):
        def f(x):
            both = np.stack([x**2, -(x**2)])
            return order(both)[1]

        return grad(grad(f))(0.0)

    assert larger(lambda both: both[np.argsort(both, kind="stable")]) == -2.0  # of x², it would be 2
    assert larger(np.sort) == 2.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("tier_name", TIERS)
def test_a_formula_that_overflows_on_its_way(tier_name: str):
    """0 times infinity stands for 0 in the first and for 1 in the second: NaN, and never the one for the other."""
    with tier(tier_name):
        for f, slope in ((lambda x: 1 / (1 + np.exp(x)), 0.0), (lambda x: np.log(1 + np.exp(x)), 1.0)):
            assert gradient(f, 700.0)[0] == pytest.approx(slope, abs=1e-300)
            assert np.isnan(gradient(f, 800.0)[0])
        assert gradient(lambda x: expit(-x), 800.0) == (0.0,)
        assert gradient(lambda x: np.logaddexp(0.0, x), 800.0) == (1.0,)
