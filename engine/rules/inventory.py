"""What is left of NumPy, Python's builtins and `operator`: names without a derivative, and names that are refused.

A rule, a composition or a mark `constant` given by a family takes the place of a refusal here.
"""

from __future__ import annotations

import builtins

import numpy as np

from .registry import constant, existing, refused

constant(
    *existing(
        np,
        "__array_namespace_info__ array2string array_repr array_str base_repr binary_repr busday_count"
        " busday_offset busdaycalendar datetime_as_string datetime_data errstate format_float_positional"
        " format_float_scientific frombuffer fromfile fromregex fromstring genfromtxt get_include get_printoptions"
        " getbufsize geterr geterrcall info is_busday isdtype issubdtype iterable load loadtxt mask_indices"
        " min_scalar_type mintypecode ndindex packbits printoptions promote_types set_printoptions setbufsize"
        " seterr seterrcall show_config show_runtime test typename unpackbits",
    ),
    reason="text, kinds, settings or positions",
)
refused(
    *existing(
        np,
        "save savetxt savez savez_compressed broadcast bytes_ character complexfloating datetime64 flatiter"
        " flexible floating generic inexact integer longlong matrix memmap ndarray number object_ recarray record"
        " signedinteger str_ timedelta64 ufunc ulonglong unsignedinteger void",
    ),
    reason="what it makes or writes holds numbers where nothing is recorded",
    way_out="a plain array of floats",
)
refused(
    *existing(
        np,
        "asmatrix bmat",
    ),
    reason="a product of two np.matrix objects is not that of their elements, so rules for arrays do not hold for them",
    way_out="arrays, and @ for the product of matrices",
)
refused(
    *existing(np, "from_dlpack nested_iters"),
    reason="it opens the memory of an array to code that is not seen",
    way_out="index the array, or loop over np.ndindex",
)
# ---- names that NumPy 1 has and NumPy 2 has not
if np.lib.NumpyVersion(np.__version__) < "2.0.0":
    constant(
        *existing(
            np,
            "_add_newdoc_ufunc _get_promotion_state _no_nep50_warning _set_promotion_state _using_numpy2_behavior"
            " add_docstring add_newdoc add_newdoc_ufunc byte_bounds deprecate deprecate_with_doc disp find_common_type"
            " geterrobj issctype issubclass_ issubsctype lookfor maximum_sctype obj2sctype safe_eval sctype2char"
            " set_numeric_ops set_string_function seterrobj source who",
        ),
        reason="text, kinds, settings or positions",
    )
    refused(
        *existing(
            np,
            "DataSource alltrue asfarray chararray compare_chararrays cumproduct fastCopyAndTranspose format_parser"
            " get_array_wrap in1d msort product recfromcsv recfromtxt round_ sometrue",
        ),
        reason="NumPy 2 has no function of this name",
        way_out="its namesake in NumPy 2: prod, cumprod, sort, round, isin, all, any, asarray",
    )
    refused(
        *existing(np.ndarray, "itemset newbyteorder ptp tostring"),
        reason="NumPy 2 has no method of this name",
        way_out="x[i] = v for itemset, np.ptp(x) for ptp",
    )
refused(
    *existing(
        np.random,
        "BitGenerator Generator MT19937 PCG64 PCG64DXSM Philox RandomState SFC64 SeedSequence default_rng"
        " random_integers ranf sample seed get_state set_state",
    ),
    reason="how the draw depends on its parameters is not stated",
    way_out="draw at fixed parameters and scale the draw, mu + sigma * rng.standard_normal(n)",
)
for owner, names in (
    (np.random.Generator, "bit_generator bytes random spawn standard_cauchy standard_exponential standard_normal"),
    (
        np.random.RandomState,
        "bytes get_state rand randn random random_sample seed set_state standard_cauchy"
        " standard_exponential standard_normal tomaxint",
    ),
):
    refused(
        *existing(owner, names),
        reason="it takes no parameter that a draw could be differentiated by",
        way_out="call it with plain values",
    )
refused(
    *existing(
        np.ndarray,
        "base ctypes data device dtype dump dumps flags flat itemsize nbytes strides to_device tobytes tofile",
    ),
    reason="it shows or copies the memory, past what is recorded",
    way_out="index the array",
)
refused(
    *existing(
        np.ufunc, "accumulate at identity nargs nin nout ntypes outer reduce reduceat resolve_dtypes signature types"
    ),
    reason="taken from the class it belongs to no function",
    way_out="call the method of a function, np.add.reduce(x)",
)
refused(
    *existing(builtins, "aiter anext breakpoint eval exec locals help"),
    reason="it runs or reads what the engine does not see",
    way_out="write the operation out",
)
