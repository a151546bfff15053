"""What is proved about the instance of a separation, beside what its runs measured."""

from __future__ import annotations

from sqsim.links import relu
from sqsim.lowerbounds.precision import exact_fraction
from sqsim.lowerbounds.relu_bounds import csq_relu_bound
from sqsim.lowerbounds.spectrum import ridge_spectrum

DIGITS = 15


def certified_csq_queries(
    *, dimension: int, bias: float, cutoff: int, tolerance: float, norm: str, ratio: float
) -> dict[str, str]:
    """Queries below which no correlational learner gets to `ratio` times the bound on OPT.

    Returns
    -------
    dict
        "lower": exact decimal text, "Infinity" where no number of queries suffices, "0" where
        nothing is proved; "norm": the convention it holds in.

    Notes
    -----
    The theorem (`csq_relu_bound`) speaks of l2 alone.  In the absolute convention a query may be
    scaled up at will, in vstat its radius shrinks with the labels: nothing is proved there.
    """
    if norm != "l2":
        return {"lower": "0", "norm": norm}
    tau = exact_fraction(tolerance)
    found = ridge_spectrum(relu(bias), dimension=dimension, cutoff=cutoff, digits=DIGITS)
    null, removed = found.second_moment.bounds[0], found.removed.bounds[1]
    if exact_fraction(ratio) * removed >= null:
        return {"lower": "0", "norm": norm}
    if tau * tau >= found.second_moment.bounds[1]:
        return {"lower": "Infinity", "norm": norm}
    # The theorem covers outputs that gain tau^2 over zero; those at this ratio must gain as much.
    if exact_fraction(ratio) * removed > null - tau * tau:
        return {"lower": "0", "norm": norm}
    certificate = csq_relu_bound(
        dimension=dimension, bias=bias, cutoff=cutoff, tolerance=tau, digits=DIGITS
    )
    return {"lower": certificate.queries.lower, "norm": norm}
