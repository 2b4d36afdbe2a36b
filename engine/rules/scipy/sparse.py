"""scipy.sparse: products of constant ones; active numbers in one are out of sight, and refused by name."""

from __future__ import annotations

from scipy import sparse

from ..registry import constant, existing, refused, rule

# The product of a constant sparse array with a dense one that is active: ā is out of sight, x̄ = Aᴴ d.
rule(sparse.csr_array.__matmul__, other=lambda d, out, self, other: self.conj().T @ d)
rule(sparse.csr_array.dot, other=lambda d, out, self, other: self.conj().T @ d)

constant(
    *existing(sparse, "issparse isspmatrix get_index_dtype eye eye_array identity load_npz safely_cast_index_arrays"),
    *existing(sparse, " ".join(f"isspmatrix_{kind}" for kind in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil"))),
    reason="it depends on sizes and kinds only",
)
refused(
    *existing(sparse, " ".join(f"{kind}_{form}" for kind in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
                               for form in ("array", "matrix"))),
    *existing(
        sparse,
        "block_array block_diag bmat diags diags_array expand_dims find hstack kron kronsum"
        " matrix_transpose permute_dims rand random random_array save_npz sparray spdiags spmatrix swapaxes"
        " tril triu vstack",
    ),
    reason="numbers inside a sparse array are out of sight",
    way_out="keep the sparse array constant, or use a dense one",
)  # fmt: skip
