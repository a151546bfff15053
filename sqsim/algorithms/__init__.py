"""Learners, one file for each family.  They know a problem and never its secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqsim.lazy import attach

if TYPE_CHECKING:
    from sqsim.algorithms.best_weight import optimal_descent
    from sqsim.algorithms.biased_descent import scaled_gradient_descent
    from sqsim.algorithms.biased_halfspaces import Narrowing, biased_halfspace
    from sqsim.algorithms.boolean_labels import AtLeast, TwoValued
    from sqsim.algorithms.boosting import BoostedConcept, boosted_p_concept, frank_wolfe_excess
    from sqsim.algorithms.chow import PiecewisePolynomial, piecewise_regression
    from sqsim.algorithms.coarse_landscape import coarse_gradient, network_gradient, network_loss
    from sqsim.algorithms.conjunction_reduction import (
        RelevantSigns,
        best_conjunction,
        parity_by_conjunctions,
    )
    from sqsim.algorithms.correlating import agnostic_choice, agnostic_neuron, agnostic_parity
    from sqsim.algorithms.deflation import Pursuit, deflated, pursue
    from sqsim.algorithms.descent import (
        gradient_descent,
        projected_gradient_descent,
        reweighted_pgd,
    )
    from sqsim.algorithms.generalised_linear import GeneralisedLinear, glmtron, surrogate_descent
    from sqsim.algorithms.guesses import GeometricMesh, PaperMesh
    from sqsim.algorithms.guo_vijayaraghavan import learn_relu
    from sqsim.algorithms.halfspace_progress import proved_distance
    from sqsim.algorithms.halfspaces import Halfspace
    from sqsim.algorithms.hermite_series import HermiteSum, activation
    from sqsim.algorithms.hidden_families import (
        best_component,
        best_orthogonal_network,
        best_plane,
        energy_subspace,
    )
    from sqsim.algorithms.index_descent import alternating_sgd, batch_reuse_sgd, correlation_sgd
    from sqsim.algorithms.initialisations import Initialisation, LabelThreshold, ThresholdedPca
    from sqsim.algorithms.isotonic import IsotonicHypothesis, isotron
    from sqsim.algorithms.joint import fit_outer, refine_jointly
    from sqsim.algorithms.label_free import LabelFree
    from sqsim.algorithms.label_transforms import (
        LabelSteps,
        conditional_mean,
        transformed_spectral_start,
        transformed_start,
    )
    from sqsim.algorithms.localisation import Localisation, localised_halfspace
    from sqsim.algorithms.network_learners import (
        LearnedNetwork,
        deflate_correlational,
        deflate_thresholded,
        tensor_correlational,
        tensor_thresholded,
    )
    from sqsim.algorithms.network_means import distance_between, neuron_gram
    from sqsim.algorithms.network_polynomials import (
        agnostic_network,
        agnostic_parametric_relu,
        max_affine,
        reliable_parametric_relu,
    )
    from sqsim.algorithms.parity_reduction import Relevance, relevant_variables
    from sqsim.algorithms.parity_search import (
        eliminating_parity,
        exhaustive_parity,
        greedy_parity,
        staged_parity,
    )
    from sqsim.algorithms.partial_trace import (
        partial_trace_start,
        tensor_power_steps,
        transformed_partial_trace_start,
    )
    from sqsim.algorithms.partition_fitting import PartitionFit, fit_partitions
    from sqsim.algorithms.planted import nearest_sparse, planted_descent
    from sqsim.algorithms.polynomial_regression import (
        agnostic_polynomial,
        agnostic_polynomial_asking,
    )
    from sqsim.algorithms.profile import fit_norm_and_bias
    from sqsim.algorithms.reconstruction import (
        ReconstructionPlan,
        reconstruct_polynomial,
        reconstruction_plan,
    )
    from sqsim.algorithms.regression import biased_one_shot_regression, one_shot_regression
    from sqsim.algorithms.relabelling import with_random_signs
    from sqsim.algorithms.reliable import ReliableOutcome, reliable_relu
    from sqsim.algorithms.reliable_constants import ReliablePlan, reliable_plan
    from sqsim.algorithms.scaled_cube import on_the_sphere
    from sqsim.algorithms.set_search import exhaustive_neurons
    from sqsim.algorithms.several_directions import (
        correlational_moments,
        correlational_span,
        separated_directions,
        thresholded_moments,
        thresholded_span,
    )
    from sqsim.algorithms.smoothed import smoothed_descent
    from sqsim.algorithms.spectral import spectral_start, thresholded_pca
    from sqsim.algorithms.straight_through import coarse_gradient_descent
    from sqsim.algorithms.threshold_start import threshold_and_smooth
    from sqsim.algorithms.thresholding import threshold_and_halfspace
    from sqsim.algorithms.two_neurons import (
        Ending,
        active_moments,
        population_descent,
        population_gradient,
        population_loss,
    )

__all__ = [
    "AtLeast",
    "BoostedConcept",
    "Ending",
    "GeneralisedLinear",
    "GeometricMesh",
    "Halfspace",
    "HermiteSum",
    "Initialisation",
    "IsotonicHypothesis",
    "LabelFree",
    "LabelSteps",
    "LabelThreshold",
    "LearnedNetwork",
    "Localisation",
    "Narrowing",
    "PaperMesh",
    "PartitionFit",
    "PiecewisePolynomial",
    "Pursuit",
    "ReconstructionPlan",
    "Relevance",
    "RelevantSigns",
    "ReliableOutcome",
    "ReliablePlan",
    "ThresholdedPca",
    "TwoValued",
    "activation",
    "active_moments",
    "agnostic_choice",
    "agnostic_network",
    "agnostic_neuron",
    "agnostic_parametric_relu",
    "agnostic_parity",
    "agnostic_polynomial",
    "agnostic_polynomial_asking",
    "alternating_sgd",
    "batch_reuse_sgd",
    "best_component",
    "best_conjunction",
    "best_orthogonal_network",
    "best_plane",
    "biased_halfspace",
    "biased_one_shot_regression",
    "boosted_p_concept",
    "coarse_gradient",
    "coarse_gradient_descent",
    "conditional_mean",
    "correlation_sgd",
    "correlational_moments",
    "correlational_span",
    "deflate_correlational",
    "deflate_thresholded",
    "deflated",
    "distance_between",
    "eliminating_parity",
    "energy_subspace",
    "exhaustive_neurons",
    "exhaustive_parity",
    "fit_norm_and_bias",
    "fit_outer",
    "fit_partitions",
    "frank_wolfe_excess",
    "glmtron",
    "gradient_descent",
    "greedy_parity",
    "isotron",
    "learn_relu",
    "localised_halfspace",
    "max_affine",
    "nearest_sparse",
    "network_gradient",
    "network_loss",
    "neuron_gram",
    "on_the_sphere",
    "one_shot_regression",
    "optimal_descent",
    "parity_by_conjunctions",
    "partial_trace_start",
    "piecewise_regression",
    "planted_descent",
    "population_descent",
    "population_gradient",
    "population_loss",
    "projected_gradient_descent",
    "proved_distance",
    "pursue",
    "reconstruct_polynomial",
    "reconstruction_plan",
    "refine_jointly",
    "relevant_variables",
    "reliable_parametric_relu",
    "reliable_plan",
    "reliable_relu",
    "reweighted_pgd",
    "scaled_gradient_descent",
    "separated_directions",
    "smoothed_descent",
    "spectral_start",
    "staged_parity",
    "surrogate_descent",
    "tensor_correlational",
    "tensor_power_steps",
    "tensor_thresholded",
    "threshold_and_halfspace",
    "threshold_and_smooth",
    "thresholded_moments",
    "thresholded_pca",
    "thresholded_span",
    "transformed_partial_trace_start",
    "transformed_spectral_start",
    "transformed_start",
    "with_random_signs",
]

_NAMES = {
    "sqsim.algorithms.best_weight": ("optimal_descent",),
    "sqsim.algorithms.biased_descent": ("scaled_gradient_descent",),
    "sqsim.algorithms.biased_halfspaces": ("Narrowing", "biased_halfspace"),
    "sqsim.algorithms.boolean_labels": ("AtLeast", "TwoValued"),
    "sqsim.algorithms.boosting": ("BoostedConcept", "boosted_p_concept", "frank_wolfe_excess"),
    "sqsim.algorithms.chow": ("PiecewisePolynomial", "piecewise_regression"),
    "sqsim.algorithms.coarse_landscape": ("coarse_gradient", "network_gradient", "network_loss"),
    "sqsim.algorithms.conjunction_reduction": (
        "RelevantSigns",
        "best_conjunction",
        "parity_by_conjunctions",
    ),
    "sqsim.algorithms.correlating": ("agnostic_choice", "agnostic_neuron", "agnostic_parity"),
    "sqsim.algorithms.deflation": ("Pursuit", "deflated", "pursue"),
    "sqsim.algorithms.descent": (
        "gradient_descent",
        "projected_gradient_descent",
        "reweighted_pgd",
    ),
    "sqsim.algorithms.generalised_linear": ("GeneralisedLinear", "glmtron", "surrogate_descent"),
    "sqsim.algorithms.guesses": ("GeometricMesh", "PaperMesh"),
    "sqsim.algorithms.guo_vijayaraghavan": ("learn_relu",),
    "sqsim.algorithms.halfspace_progress": ("proved_distance",),
    "sqsim.algorithms.halfspaces": ("Halfspace",),
    "sqsim.algorithms.hermite_series": ("HermiteSum", "activation"),
    "sqsim.algorithms.hidden_families": (
        "best_component",
        "best_orthogonal_network",
        "best_plane",
        "energy_subspace",
    ),
    "sqsim.algorithms.index_descent": ("alternating_sgd", "batch_reuse_sgd", "correlation_sgd"),
    "sqsim.algorithms.initialisations": ("Initialisation", "LabelThreshold", "ThresholdedPca"),
    "sqsim.algorithms.isotonic": ("IsotonicHypothesis", "isotron"),
    "sqsim.algorithms.joint": ("fit_outer", "refine_jointly"),
    "sqsim.algorithms.label_free": ("LabelFree",),
    "sqsim.algorithms.label_transforms": (
        "LabelSteps",
        "conditional_mean",
        "transformed_spectral_start",
        "transformed_start",
    ),
    "sqsim.algorithms.localisation": ("Localisation", "localised_halfspace"),
    "sqsim.algorithms.network_learners": (
        "LearnedNetwork",
        "deflate_correlational",
        "deflate_thresholded",
        "tensor_correlational",
        "tensor_thresholded",
    ),
    "sqsim.algorithms.network_means": ("distance_between", "neuron_gram"),
    "sqsim.algorithms.network_polynomials": (
        "agnostic_network",
        "agnostic_parametric_relu",
        "max_affine",
        "reliable_parametric_relu",
    ),
    "sqsim.algorithms.parity_reduction": ("Relevance", "relevant_variables"),
    "sqsim.algorithms.parity_search": (
        "eliminating_parity",
        "exhaustive_parity",
        "greedy_parity",
        "staged_parity",
    ),
    "sqsim.algorithms.partial_trace": (
        "partial_trace_start",
        "tensor_power_steps",
        "transformed_partial_trace_start",
    ),
    "sqsim.algorithms.partition_fitting": ("PartitionFit", "fit_partitions"),
    "sqsim.algorithms.planted": ("nearest_sparse", "planted_descent"),
    "sqsim.algorithms.polynomial_regression": ("agnostic_polynomial", "agnostic_polynomial_asking"),
    "sqsim.algorithms.profile": ("fit_norm_and_bias",),
    "sqsim.algorithms.reconstruction": (
        "ReconstructionPlan",
        "reconstruct_polynomial",
        "reconstruction_plan",
    ),
    "sqsim.algorithms.regression": ("biased_one_shot_regression", "one_shot_regression"),
    "sqsim.algorithms.relabelling": ("with_random_signs",),
    "sqsim.algorithms.reliable": ("ReliableOutcome", "reliable_relu"),
    "sqsim.algorithms.reliable_constants": ("ReliablePlan", "reliable_plan"),
    "sqsim.algorithms.scaled_cube": ("on_the_sphere",),
    "sqsim.algorithms.set_search": ("exhaustive_neurons",),
    "sqsim.algorithms.several_directions": (
        "correlational_moments",
        "correlational_span",
        "separated_directions",
        "thresholded_moments",
        "thresholded_span",
    ),
    "sqsim.algorithms.smoothed": ("smoothed_descent",),
    "sqsim.algorithms.spectral": ("spectral_start", "thresholded_pca"),
    "sqsim.algorithms.straight_through": ("coarse_gradient_descent",),
    "sqsim.algorithms.threshold_start": ("threshold_and_smooth",),
    "sqsim.algorithms.thresholding": ("threshold_and_halfspace",),
    "sqsim.algorithms.two_neurons": (
        "Ending",
        "active_moments",
        "population_descent",
        "population_gradient",
        "population_loss",
    ),
}

# Hidden from type checkers: they would take any misspelt name for a lazy one.
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(__name__, _NAMES)
