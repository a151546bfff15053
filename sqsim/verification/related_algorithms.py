"""Entries on related algorithms and baselines; they are in the files named here."""

from __future__ import annotations

from sqsim.verification.binarised_landscape import BINARISED_LANDSCAPE
from sqsim.verification.boosting_claims import BOOSTING_CLAIMS
from sqsim.verification.chow_claims import CHOW_CLAIMS
from sqsim.verification.coarse_steps import COARSE_STEPS
from sqsim.verification.descent_claims import DESCENT_CLAIMS
from sqsim.verification.entry import Entry
from sqsim.verification.glmtron_claims import GLMTRON_CLAIMS
from sqsim.verification.index_descent_claims import INDEX_DESCENT_CLAIMS
from sqsim.verification.regression_claims import REGRESSION_CLAIMS

RELATED_ALGORITHMS: tuple[Entry, ...] = (
    *BOOSTING_CLAIMS,
    *CHOW_CLAIMS,
    *REGRESSION_CLAIMS,
    *BINARISED_LANDSCAPE,
    *COARSE_STEPS,
    *DESCENT_CLAIMS,
    *GLMTRON_CLAIMS,
    *INDEX_DESCENT_CLAIMS,
)
