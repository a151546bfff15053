"""Settings that must hold before numpy loads, and hypothesis without luck."""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

from hypothesis import settings  # noqa: E402

settings.register_profile("sqsim", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("sqsim")
