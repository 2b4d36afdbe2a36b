"""The derivatives: one file a family of primitives, and the conventions they cite by number.

0. Calls. Rules see arrays, numbers and sequences of arrays. A list or tuple given for an argument that is one array
   stands for np.array of it. A pullback may return None for "nothing". A primitive with several results gets a tuple
   (or list) of cotangents, None for a result that nothing depends on.
1. Complex numbers. For a real loss L the cotangent of z = x + iy is dL/dx + i dL/dy, the direction of steepest ascent.
   A holomorphic function therefore pulls back by the conjugate of its derivative; functions that are not holomorphic
   (|z|, Re z, conj z) state a pullback. What reaches a real argument is the real part.
2. Kinks, ties, and origins. The value is a subgradient that treats equals alike: those that tie for a maximum share the
   cotangent equally, whether they meet in `max`, `maximum`, `sort` or at a bound of `clip`; where a length or a
   deviation is zero (abs, hypot, norm, std, angle at the origin) its gradient is zero, the subgradient of least norm. A
   finite value that keeps the symmetry of the function is of more use than a NaN, and moving all that tie together is
   always right.
   A mean of slopes moves as none of them does, though: where a derivative is differentiated again, a tie moves as if it
   had fallen to one side. To which is seen next to the point, along a curve on which all numbers grow and later ones
   faster (engine.traced.ties): so equals are in order as after a sort, from whichever side they are compared, and
   a modulus of 0 moves as that of a positive number does. Where operands only touch, as in max(x^2, 0) and |-x^2| at 0,
   there is no kink, and the second derivative is that of the side which is the larger one around the point. A program's
   own comparison takes the branch that runs, and an order that it makes by argsort is the one that is made.
   The direction of a vector of length zero has no such side: what moves it is NaN, so that the Hessian of norm(x)**2
   at the origin is NaN and that of sum(x**2) is right.
3. One-sided points. At the edge of a domain the limit from inside: sqrt has slope inf at 0, x^y in x for 0 < y < 1 too;
   x^y in y is 0 at x = 0, because 0^y is constant for y > 0. Where no real derivative exists the partial is NaN: x^y in
   y for x < 0. x^0 is the constant 1.
4. What is not looked at counts for nothing; a zero is not nothing. `where(x > 0, sqrt(x), 0)` at 0 does not look at the
   root: its slope there is 0, at every order, and so for all that selects: indexing, filtering, maximum, clip, max,
   sorting out, a store that overwrites. `sqrt(x) ** 2` at 0 does look at it, with a weight that happens to be zero, and
   0 times an infinite partial is NaN. So it is in `x * sqrt(x)`, whose slope there is 0: the two differ in how fast
   their factors go to 0 and to infinity, which the numbers at the point do not tell, and a program that means the limit
   writes x ** 1.5. A rule that took the one for the other would be silently wrong; the rules say
   instead which of them only move entries (`moves`) and which leave some out (`selects`), and an entry that no path
   looks at contributes exactly nothing (engine.traced.useful). Rows of a Jacobian are asked for one by one: the other
   outputs are not looked at either.
5. NaN and infinite values. A NaN in the primal is never turned into a clean zero gradient of the slice that it
   decided: the maximum of a slice with a NaN has NaN cotangents. Nor is a number that has overflowed: behind exp(800) a
   cotangent is 0 by underflow and the slope infinite, and their product is 0 in 1 / (1 + exp(x)) and 1 in
   log(1 + exp(x)), which the numbers there do not tell apart. It is NaN; expit(-x) and logaddexp(0, x) are right.
6. Empty reductions pull back to empty arrays, whatever their value (0, 1 or NaN).
7. Symmetric matrices. cholesky and eigh read one triangle; their matrix counts as symmetric (Hermitian), and so is its
   cotangent: the gradient among symmetric changes.
8. Equal values and deficient rank. Eigenvectors and singular vectors of values that are equal up to rounding turn
   freely: NaN where a loss answers to it. One that does not is differentiated where its cotangents tell how: values
   alone, vectors that are not looked at (4), a space looked at as a whole. They do not tell where a loss with another
   derivative would have the same ones, as V f(w) V^H at a zero of f: NaN, as are second derivatives through equal
   values, which need (f'(w_i) - f'(w_j)) / (w_i - w_j) and see f' at one value. A sum of singular values needs their
   sums only. Singular values of zero have their kink there (2). pinv and lstsq are differentiated at the rank their
   cutoff finds. QR, slogdet and eig of a matrix without full rank, or without a basis of eigenvectors, have NaN; det
   has its cofactors.
9. The gauge. Signs of vectors do not move and are taken as they come. The phase of complex eigenvectors and singular
   vectors, and the basis that qr "complete" and svd with full matrices add, is an accident of LAPACK: a loss that
   answers to it is refused, which the cotangent tells; forward mode runs the pullback at a cotangent of its own. For
   all others the tangents may be those that do not turn: Im v^H dv = 0, and dQ2 has no part along Q2.
10. Random draws are made once, by NumPy's own generator, and the stream goes on as without a derivative. Without active
   parameters a draw is a constant. With them its derivative is that of the draw as a function of its parameters, at the
   noise that was really drawn, which is read off the draw: (out - loc) / scale. Where the parameter has wiped the noise
   out (a scale of 0) it is NaN; where no smooth function makes the draw (rejection, whole numbers) the call is refused.
11. Dtypes. A cotangent has the dtype, the shape and the kind (Python number, NumPy scalar, array) of its primal, and is
   computed in that precision: half stays half, but many halves are added up in single. Whole numbers and truth values
   have no cotangent and do not raise the precision of the floats they meet. With `dtype=` the loop runs in that
   precision, the cotangent comes back in the operand's.
12. None and zero. `gradient`, `value_and_gradient` and `pullback` have None for an argument that nothing was read of on
   the way that the run took: a branch that was not taken, a loop without an iteration. What was read has a cotangent,
   also where that is 0.
"""

from . import (  # noqa: F401 (with each, its rules enter the table)
    decompositions,
    differences,
    eigen,
    fft,
    functional,
    histograms,
    indexing,
    inventory,
    leastsquares,
    linalg,
    modified_bessel,
    norms,
    padding,
    polynomial,
    products,
    quantiles,
    random,
    ranges,
    reductions,
    samples,
    scalars,
    sets,
    shape,
    signal,
    statistics,
    windows,
)
from . import elementwise as _elementwise  # noqa: F401
from .methods import ATTRIBUTES, METHODS, NUMBER_ATTRIBUTES
from .registry import (
    SEQUENCE_PARAMETERS,
    Rule,
    composed,
    composition,
    constant,
    elementwise,
    generation,
    is_constant,
    lookup,
    refusal,
    refused,
    removed,
    replaced,
    rule,
    vjp_of,
)

__all__ = [
    "ATTRIBUTES",
    "METHODS",
    "NUMBER_ATTRIBUTES",
    "SEQUENCE_PARAMETERS",
    "Rule",
    "composed",
    "composition",
    "constant",
    "elementwise",
    "generation",
    "is_constant",
    "lookup",
    "refusal",
    "refused",
    "removed",
    "replaced",
    "rule",
    "vjp_of",
]
