"""Who may run against whom.  A line that mypy must reject says so."""

from __future__ import annotations

from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from sqsim import CSQ, L2, SQ, Correlation, Query, cached, csq, run, sq
from sqsim.oracles.protocol import Oracle
from sqsim.problems import ReluRegression

Vector = NDArray[np.float64]


def any_oracle(
    correlational: CSQ[Vector],
    statistical: SQ[Vector],
    csq_oracle: Oracle[Correlation],
    sq_oracle: Oracle[Query],
) -> None:
    assert_type(run(correlational, csq_oracle).value, Vector | None)
    assert_type(run(correlational, sq_oracle).value, Vector | None)
    assert_type(run(statistical, sq_oracle).value, Vector | None)
    run(statistical, csq_oracle)  # rejected


def simulated_oracles(correlational: CSQ[Vector], statistical: SQ[Vector]) -> None:
    instance = ReluRegression(3).draw(seed=0)
    run(correlational, csq(instance, tolerance=L2(0.1)))
    run(correlational, sq(instance, tolerance=L2(0.1)))
    run(correlational, cached(sq(instance, tolerance=L2(0.1))))
    run(statistical, sq(instance, tolerance=L2(0.1)))
    run(statistical, csq(instance, tolerance=L2(0.1)))  # rejected
    run(statistical, cached(csq(instance, tolerance=L2(0.1))))  # rejected
