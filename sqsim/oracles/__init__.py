"""Who answers: means, policies inside the tolerance, and the oracles made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqsim.lazy import attach

if TYPE_CHECKING:
    from sqsim.bounded import RootStat, Stat, SupNorm, VStat, WeakVStat
    from sqsim.guarantee import Guarantee
    from sqsim.oracles.adversaries import consistent, drifting, quantised
    from sqsim.oracles.bits import bits_for_stat, one_stat, through_bits
    from sqsim.oracles.boolean_quadrature import BooleanQuadrature
    from sqsim.oracles.candidates import Family
    from sqsim.oracles.central import central_private
    from sqsim.oracles.distributed import Distributed
    from sqsim.oracles.engines import Inline
    from sqsim.oracles.enumeration import Enumerate
    from sqsim.oracles.evader import Evader
    from sqsim.oracles.holdout import ReusableHoldout, reusable_holdout
    from sqsim.oracles.holdout_plans import HoldoutPlan, holdout_plan
    from sqsim.oracles.limits import Private, limited
    from sqsim.oracles.local_protocols import local_simulation_cost, simulate_local
    from sqsim.oracles.looking_ahead import against, against_progress, look_ahead
    from sqsim.oracles.mixture_quadrature import MixtureQuadrature
    from sqsim.oracles.noisy_means import NoisyMeans
    from sqsim.oracles.parity_quadrature import ParityQuadrature
    from sqsim.oracles.polar import Polar
    from sqsim.oracles.policies import exact, grid, toward, toward_zero, uniform, worst_direction
    from sqsim.oracles.private import local_private
    from sqsim.oracles.quadrature import Quadrature
    from sqsim.oracles.randomisers import DiscreteLaplaceReport, LaplaceReport, RandomisedResponse
    from sqsim.oracles.randomness import Secure, Seeded
    from sqsim.oracles.sample_counts import (
        SampleCount,
        honest_samples,
        local_privacy_users,
        median_of_means_samples,
        one_bit_by_vstat,
        one_bit_samples,
        stat_samples,
        stat_samples_of_bits,
        vstat_by_one_bit,
        vstat_samples,
        vstat_samples_of_bits,
    )
    from sqsim.oracles.sampled import SampledOracle
    from sqsim.oracles.sampling import MonteCarlo, Sample
    from sqsim.oracles.sampling_oracles import fresh_stat, honest, reused_stat, unbiased
    from sqsim.oracles.simulated import csq, sq
    from sqsim.oracles.spending import PrivacyLedger, local_ledger
    from sqsim.oracles.tolerance_conversions import convert
    from sqsim.oracles.tolerance_theorems import Conversion
    from sqsim.oracles.watching import recorded, reordered
    from sqsim.oracles.windows import Question, Window
    from sqsim.oracles.wrappers import cached, replaying
    from sqsim.partitions import MVStat, Partition, partition
    from sqsim.truncation import truncated

__all__ = [
    "BooleanQuadrature",
    "Conversion",
    "DiscreteLaplaceReport",
    "Distributed",
    "Enumerate",
    "Evader",
    "Family",
    "Guarantee",
    "HoldoutPlan",
    "Inline",
    "LaplaceReport",
    "MVStat",
    "MixtureQuadrature",
    "MonteCarlo",
    "NoisyMeans",
    "ParityQuadrature",
    "Partition",
    "Polar",
    "PrivacyLedger",
    "Private",
    "Quadrature",
    "Question",
    "RandomisedResponse",
    "ReusableHoldout",
    "RootStat",
    "Sample",
    "SampleCount",
    "SampledOracle",
    "Secure",
    "Seeded",
    "Stat",
    "SupNorm",
    "VStat",
    "WeakVStat",
    "Window",
    "against",
    "against_progress",
    "bits_for_stat",
    "cached",
    "central_private",
    "consistent",
    "convert",
    "csq",
    "drifting",
    "exact",
    "fresh_stat",
    "grid",
    "holdout_plan",
    "honest",
    "honest_samples",
    "limited",
    "local_ledger",
    "local_privacy_users",
    "local_private",
    "local_simulation_cost",
    "look_ahead",
    "median_of_means_samples",
    "one_bit_by_vstat",
    "one_bit_samples",
    "one_stat",
    "partition",
    "quantised",
    "recorded",
    "reordered",
    "replaying",
    "reusable_holdout",
    "reused_stat",
    "simulate_local",
    "sq",
    "stat_samples",
    "stat_samples_of_bits",
    "through_bits",
    "toward",
    "toward_zero",
    "truncated",
    "unbiased",
    "uniform",
    "vstat_by_one_bit",
    "vstat_samples",
    "vstat_samples_of_bits",
    "worst_direction",
]

_NAMES = {
    "sqsim.bounded": ("RootStat", "Stat", "SupNorm", "VStat", "WeakVStat"),
    "sqsim.guarantee": ("Guarantee",),
    "sqsim.oracles.adversaries": ("consistent", "drifting", "quantised"),
    "sqsim.oracles.bits": ("bits_for_stat", "one_stat", "through_bits"),
    "sqsim.oracles.boolean_quadrature": ("BooleanQuadrature",),
    "sqsim.oracles.candidates": ("Family",),
    "sqsim.oracles.central": ("central_private",),
    "sqsim.oracles.distributed": ("Distributed",),
    "sqsim.oracles.engines": ("Inline",),
    "sqsim.oracles.enumeration": ("Enumerate",),
    "sqsim.oracles.evader": ("Evader",),
    "sqsim.oracles.holdout": ("ReusableHoldout", "reusable_holdout"),
    "sqsim.oracles.holdout_plans": ("HoldoutPlan", "holdout_plan"),
    "sqsim.oracles.limits": ("Private", "limited"),
    "sqsim.oracles.local_protocols": ("local_simulation_cost", "simulate_local"),
    "sqsim.oracles.looking_ahead": ("against", "against_progress", "look_ahead"),
    "sqsim.oracles.mixture_quadrature": ("MixtureQuadrature",),
    "sqsim.oracles.noisy_means": ("NoisyMeans",),
    "sqsim.oracles.parity_quadrature": ("ParityQuadrature",),
    "sqsim.oracles.polar": ("Polar",),
    "sqsim.oracles.policies": (
        "exact",
        "grid",
        "toward",
        "toward_zero",
        "uniform",
        "worst_direction",
    ),
    "sqsim.oracles.private": ("local_private",),
    "sqsim.oracles.quadrature": ("Quadrature",),
    "sqsim.oracles.randomisers": ("DiscreteLaplaceReport", "LaplaceReport", "RandomisedResponse"),
    "sqsim.oracles.randomness": ("Secure", "Seeded"),
    "sqsim.oracles.sample_counts": (
        "SampleCount",
        "honest_samples",
        "local_privacy_users",
        "median_of_means_samples",
        "one_bit_by_vstat",
        "one_bit_samples",
        "stat_samples",
        "stat_samples_of_bits",
        "vstat_by_one_bit",
        "vstat_samples",
        "vstat_samples_of_bits",
    ),
    "sqsim.oracles.sampled": ("SampledOracle",),
    "sqsim.oracles.sampling": ("MonteCarlo", "Sample"),
    "sqsim.oracles.sampling_oracles": ("fresh_stat", "honest", "reused_stat", "unbiased"),
    "sqsim.oracles.simulated": ("csq", "sq"),
    "sqsim.oracles.spending": ("PrivacyLedger", "local_ledger"),
    "sqsim.oracles.tolerance_conversions": ("convert",),
    "sqsim.oracles.tolerance_theorems": ("Conversion",),
    "sqsim.oracles.watching": ("recorded", "reordered"),
    "sqsim.oracles.windows": ("Question", "Window"),
    "sqsim.oracles.wrappers": ("cached", "replaying"),
    "sqsim.partitions": ("MVStat", "Partition", "partition"),
    "sqsim.truncation": ("truncated",),
}

# Hidden from type checkers: they would take any misspelt name for a lazy one.
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(__name__, _NAMES)
