"""The correlational lower bound of Guo and Vijayaraghavan (2024), with explicit constants."""

from __future__ import annotations

from sqsim.verification.entry import Entry
from sqsim.verification.relu_degrees import RELU_DEGREES
from sqsim.verification.relu_hard_family import RELU_HARD_FAMILY
from sqsim.verification.relu_separations import RELU_SEPARATIONS
from sqsim.verification.sphere_kernels import SPHERE_KERNELS

RELU_LOWER_BOUND: tuple[Entry, ...] = (
    *RELU_DEGREES,
    *RELU_HARD_FAMILY,
    *SPHERE_KERNELS,
    *RELU_SEPARATIONS,
)
