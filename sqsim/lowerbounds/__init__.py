"""What no learner can do, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqsim.lazy import attach

if TYPE_CHECKING:
    from sqsim.lowerbounds.approximation import L1, L2, approximation_degree
    from sqsim.lowerbounds.averages import (
        average_correlation,
        average_dimension,
        conditional_dimension,
    )
    from sqsim.lowerbounds.basin_limits import (
        LimitLaw,
        best_shift,
        cap_angle,
        limit_roots,
        limit_threshold,
        optimal_exponent,
        plain_exponent,
        reweighted_exponent,
        two_stage_bias,
    )
    from sqsim.lowerbounds.basins import (
        BasinPoint,
        LocalStep,
        OptimalStep,
        PlainStep,
        ReweightedStep,
        SmoothedStep,
        basin_point,
    )
    from sqsim.lowerbounds.certificate import Certificate, Verdict, check
    from sqsim.lowerbounds.closed_forms import hermite_closed_form
    from sqsim.lowerbounds.components import (
        component_chi_squared,
        component_coefficients,
        component_correlation,
        least_smoothing,
        matched_moments,
    )
    from sqsim.lowerbounds.conditional import lambda_squared
    from sqsim.lowerbounds.conjunctions import (
        ConjunctionBound,
        agnostic_conjunction_bound,
        conjunction_family,
    )
    from sqsim.lowerbounds.correlation import pairwise_correlation
    from sqsim.lowerbounds.covers import cover_number, fractional_cover
    from sqsim.lowerbounds.damped import DampedSquare
    from sqsim.lowerbounds.detectable import (
        FiniteJunta,
        all_functions,
        cube_junta,
        detectable_sets,
        identity_function,
        loss_functions,
    )
    from sqsim.lowerbounds.dimension import (
        average_from_pairwise,
        correlation_dimension,
        spectral_count,
        sq_dimension,
    )
    from sqsim.lowerbounds.discrimination import (
        Decision,
        chi_square_correlations,
        deterministic_dimension,
        randomised_dimension,
        told_apart,
        told_apart_by_roots,
    )
    from sqsim.lowerbounds.duality import L1Approximation, SignPattern, l1_approximation
    from sqsim.lowerbounds.eigenvalues import (
        is_positive_semidefinite,
        largest_eigenvalue,
        perron_eigenvalue,
    )
    from sqsim.lowerbounds.evasion import correlation_bound, seen_square
    from sqsim.lowerbounds.explicit_packings import (
        equiangular_packing,
        hadamard_packing,
        kerdock_packing,
        orthonormal_packing,
        simplex_packing,
    )
    from sqsim.lowerbounds.exponents import (
        ExponentResult,
        generative_exponent,
        information_exponent,
    )
    from sqsim.lowerbounds.families import (
        EstimatedGram,
        ExactGram,
        distribution_family,
        function_family,
        gaussian_family,
        parity_family,
    )
    from sqsim.lowerbounds.family_bounds import (
        csq_finite_family_bound,
        csq_orthogonal_networks_bound,
        ngca_bound,
        relu_parity_margin,
        sq_parity_bound,
    )
    from sqsim.lowerbounds.fourier import (
        WalshSpectrum,
        degree_masses,
        heaviest_parities,
        spectral_weight,
        walsh_coefficients,
        walsh_table,
    )
    from sqsim.lowerbounds.gram import Gram, gram_summary, ridge_gram
    from sqsim.lowerbounds.hermite import (
        hermite_coefficients,
        low_degree_mass,
        parseval_tail,
        relu_tail_bound,
        second_moment,
        t_eps,
    )
    from sqsim.lowerbounds.label_kernels import LabelSpectrum, label_spectrum
    from sqsim.lowerbounds.leaps import (
        SparseFunction,
        cover,
        fourier_monomials,
        hermite_monomials,
        leap,
    )
    from sqsim.lowerbounds.lifts import lifted_correlation, lifted_masses
    from sqsim.lowerbounds.matrices import Correlations
    from sqsim.lowerbounds.mixtures import MatchedComponent, Mixture, matched_component, mixture
    from sqsim.lowerbounds.named import named_expansion
    from sqsim.lowerbounds.networks import network_values, orthogonal_network_norm
    from sqsim.lowerbounds.noisy import LabelTransform, kernel_lambda_squared, noisy_lambda_squared
    from sqsim.lowerbounds.norms import (
        discrimination_norm,
        mean_discrimination,
        spectral_discrimination,
    )
    from sqsim.lowerbounds.packing import (
        Packing,
        check_packing,
        measured_packing,
        random_packing,
        random_packing_count,
        sharper_packing_count,
    )
    from sqsim.lowerbounds.parities import (
        relu_parity_correlation,
        relu_parity_gap,
        relu_parity_leading_term,
        relu_parity_series,
    )
    from sqsim.lowerbounds.parity_gaps import parity_neuron_gain
    from sqsim.lowerbounds.patterns import extreme_queries
    from sqsim.lowerbounds.precision import Enclosure
    from sqsim.lowerbounds.quantities import Estimate, Quantity, Rational
    from sqsim.lowerbounds.relu_bounds import PackingBound, csq_relu_bound, csq_relu_packing_bound
    from sqsim.lowerbounds.rowsums import GramSummary
    from sqsim.lowerbounds.sign_gram import sign_gram_summary
    from sqsim.lowerbounds.spectrum import RidgeSpectrum, ridge_spectrum, sphere_moment
    from sqsim.lowerbounds.subfamilies import (
        Subfamily,
        check_subfamily,
        nearly_orthogonal_graph,
        nearly_orthogonal_subfamily,
    )
    from sqsim.lowerbounds.suprema import polynomial_range, uniform_error
    from sqsim.lowerbounds.theorems import (
        VstatBound,
        average_bound,
        average_to_vstat,
        conditional_average_to_vstat,
        pairwise_bound,
        spectral_bound,
        sphere_bound,
        sq_dimension_bound,
        statistical_bound,
    )
    from sqsim.lowerbounds.uniform import (
        Chebyshev,
        Minimax,
        RangeSafe,
        UniformApproximation,
        uniform_approximation,
    )
    from sqsim.lowerbounds.uniform_degrees import uniform_degree
    from sqsim.lowerbounds.uniform_report import markov_norm_bound

__all__ = [
    "BasinPoint",
    "Certificate",
    "Chebyshev",
    "ConjunctionBound",
    "Correlations",
    "DampedSquare",
    "Decision",
    "Enclosure",
    "Estimate",
    "EstimatedGram",
    "ExactGram",
    "ExponentResult",
    "FiniteJunta",
    "Gram",
    "GramSummary",
    "L1",
    "L1Approximation",
    "L2",
    "LabelSpectrum",
    "LabelTransform",
    "LimitLaw",
    "LocalStep",
    "MatchedComponent",
    "Minimax",
    "Mixture",
    "OptimalStep",
    "Packing",
    "PackingBound",
    "PlainStep",
    "Quantity",
    "RangeSafe",
    "Rational",
    "ReweightedStep",
    "RidgeSpectrum",
    "SignPattern",
    "SmoothedStep",
    "SparseFunction",
    "Subfamily",
    "UniformApproximation",
    "Verdict",
    "VstatBound",
    "WalshSpectrum",
    "agnostic_conjunction_bound",
    "all_functions",
    "approximation_degree",
    "average_bound",
    "average_correlation",
    "average_dimension",
    "average_from_pairwise",
    "average_to_vstat",
    "basin_point",
    "best_shift",
    "cap_angle",
    "check",
    "check_packing",
    "check_subfamily",
    "chi_square_correlations",
    "component_chi_squared",
    "component_coefficients",
    "component_correlation",
    "conditional_average_to_vstat",
    "conditional_dimension",
    "conjunction_family",
    "correlation_bound",
    "correlation_dimension",
    "cover",
    "cover_number",
    "csq_finite_family_bound",
    "csq_orthogonal_networks_bound",
    "csq_relu_bound",
    "csq_relu_packing_bound",
    "cube_junta",
    "degree_masses",
    "detectable_sets",
    "deterministic_dimension",
    "discrimination_norm",
    "distribution_family",
    "equiangular_packing",
    "extreme_queries",
    "fourier_monomials",
    "fractional_cover",
    "function_family",
    "gaussian_family",
    "generative_exponent",
    "gram_summary",
    "hadamard_packing",
    "heaviest_parities",
    "hermite_closed_form",
    "hermite_coefficients",
    "hermite_monomials",
    "identity_function",
    "information_exponent",
    "is_positive_semidefinite",
    "kerdock_packing",
    "kernel_lambda_squared",
    "l1_approximation",
    "label_spectrum",
    "lambda_squared",
    "largest_eigenvalue",
    "leap",
    "least_smoothing",
    "lifted_correlation",
    "lifted_masses",
    "limit_roots",
    "limit_threshold",
    "loss_functions",
    "low_degree_mass",
    "markov_norm_bound",
    "matched_component",
    "matched_moments",
    "mean_discrimination",
    "measured_packing",
    "mixture",
    "named_expansion",
    "nearly_orthogonal_graph",
    "nearly_orthogonal_subfamily",
    "network_values",
    "ngca_bound",
    "noisy_lambda_squared",
    "optimal_exponent",
    "orthogonal_network_norm",
    "orthonormal_packing",
    "pairwise_bound",
    "pairwise_correlation",
    "parity_family",
    "parity_neuron_gain",
    "parseval_tail",
    "perron_eigenvalue",
    "plain_exponent",
    "polynomial_range",
    "random_packing",
    "random_packing_count",
    "randomised_dimension",
    "relu_parity_correlation",
    "relu_parity_gap",
    "relu_parity_leading_term",
    "relu_parity_margin",
    "relu_parity_series",
    "relu_tail_bound",
    "reweighted_exponent",
    "ridge_gram",
    "ridge_spectrum",
    "second_moment",
    "seen_square",
    "sharper_packing_count",
    "sign_gram_summary",
    "simplex_packing",
    "spectral_bound",
    "spectral_count",
    "spectral_discrimination",
    "spectral_weight",
    "sphere_bound",
    "sphere_moment",
    "sq_dimension",
    "sq_dimension_bound",
    "sq_parity_bound",
    "statistical_bound",
    "t_eps",
    "told_apart",
    "told_apart_by_roots",
    "two_stage_bias",
    "uniform_approximation",
    "uniform_degree",
    "uniform_error",
    "walsh_coefficients",
    "walsh_table",
]

_NAMES = {
    "sqsim.lowerbounds.approximation": ("L1", "L2", "approximation_degree"),
    "sqsim.lowerbounds.averages": (
        "average_correlation",
        "average_dimension",
        "conditional_dimension",
    ),
    "sqsim.lowerbounds.basin_limits": (
        "LimitLaw",
        "best_shift",
        "cap_angle",
        "limit_roots",
        "limit_threshold",
        "optimal_exponent",
        "plain_exponent",
        "reweighted_exponent",
        "two_stage_bias",
    ),
    "sqsim.lowerbounds.basins": (
        "BasinPoint",
        "LocalStep",
        "OptimalStep",
        "PlainStep",
        "ReweightedStep",
        "SmoothedStep",
        "basin_point",
    ),
    "sqsim.lowerbounds.certificate": ("Certificate", "Verdict", "check"),
    "sqsim.lowerbounds.closed_forms": ("hermite_closed_form",),
    "sqsim.lowerbounds.components": (
        "component_chi_squared",
        "component_coefficients",
        "component_correlation",
        "least_smoothing",
        "matched_moments",
    ),
    "sqsim.lowerbounds.conditional": ("lambda_squared",),
    "sqsim.lowerbounds.conjunctions": (
        "ConjunctionBound",
        "agnostic_conjunction_bound",
        "conjunction_family",
    ),
    "sqsim.lowerbounds.correlation": ("pairwise_correlation",),
    "sqsim.lowerbounds.covers": ("cover_number", "fractional_cover"),
    "sqsim.lowerbounds.damped": ("DampedSquare",),
    "sqsim.lowerbounds.detectable": (
        "FiniteJunta",
        "all_functions",
        "cube_junta",
        "detectable_sets",
        "identity_function",
        "loss_functions",
    ),
    "sqsim.lowerbounds.dimension": (
        "average_from_pairwise",
        "correlation_dimension",
        "spectral_count",
        "sq_dimension",
    ),
    "sqsim.lowerbounds.discrimination": (
        "Decision",
        "chi_square_correlations",
        "deterministic_dimension",
        "randomised_dimension",
        "told_apart",
        "told_apart_by_roots",
    ),
    "sqsim.lowerbounds.duality": ("L1Approximation", "SignPattern", "l1_approximation"),
    "sqsim.lowerbounds.eigenvalues": (
        "is_positive_semidefinite",
        "largest_eigenvalue",
        "perron_eigenvalue",
    ),
    "sqsim.lowerbounds.evasion": ("correlation_bound", "seen_square"),
    "sqsim.lowerbounds.explicit_packings": (
        "equiangular_packing",
        "hadamard_packing",
        "kerdock_packing",
        "orthonormal_packing",
        "simplex_packing",
    ),
    "sqsim.lowerbounds.exponents": (
        "ExponentResult",
        "generative_exponent",
        "information_exponent",
    ),
    "sqsim.lowerbounds.families": (
        "EstimatedGram",
        "ExactGram",
        "distribution_family",
        "function_family",
        "gaussian_family",
        "parity_family",
    ),
    "sqsim.lowerbounds.family_bounds": (
        "csq_finite_family_bound",
        "csq_orthogonal_networks_bound",
        "ngca_bound",
        "relu_parity_margin",
        "sq_parity_bound",
    ),
    "sqsim.lowerbounds.fourier": (
        "WalshSpectrum",
        "degree_masses",
        "heaviest_parities",
        "spectral_weight",
        "walsh_coefficients",
        "walsh_table",
    ),
    "sqsim.lowerbounds.gram": ("Gram", "gram_summary", "ridge_gram"),
    "sqsim.lowerbounds.hermite": (
        "hermite_coefficients",
        "low_degree_mass",
        "parseval_tail",
        "relu_tail_bound",
        "second_moment",
        "t_eps",
    ),
    "sqsim.lowerbounds.label_kernels": ("LabelSpectrum", "label_spectrum"),
    "sqsim.lowerbounds.leaps": (
        "SparseFunction",
        "cover",
        "fourier_monomials",
        "hermite_monomials",
        "leap",
    ),
    "sqsim.lowerbounds.lifts": ("lifted_correlation", "lifted_masses"),
    "sqsim.lowerbounds.matrices": ("Correlations",),
    "sqsim.lowerbounds.mixtures": ("MatchedComponent", "Mixture", "matched_component", "mixture"),
    "sqsim.lowerbounds.named": ("named_expansion",),
    "sqsim.lowerbounds.networks": ("network_values", "orthogonal_network_norm"),
    "sqsim.lowerbounds.noisy": ("LabelTransform", "kernel_lambda_squared", "noisy_lambda_squared"),
    "sqsim.lowerbounds.norms": (
        "discrimination_norm",
        "mean_discrimination",
        "spectral_discrimination",
    ),
    "sqsim.lowerbounds.packing": (
        "Packing",
        "check_packing",
        "measured_packing",
        "random_packing",
        "random_packing_count",
        "sharper_packing_count",
    ),
    "sqsim.lowerbounds.parities": (
        "relu_parity_correlation",
        "relu_parity_gap",
        "relu_parity_leading_term",
        "relu_parity_series",
    ),
    "sqsim.lowerbounds.parity_gaps": ("parity_neuron_gain",),
    "sqsim.lowerbounds.patterns": ("extreme_queries",),
    "sqsim.lowerbounds.precision": ("Enclosure",),
    "sqsim.lowerbounds.quantities": ("Estimate", "Quantity", "Rational"),
    "sqsim.lowerbounds.relu_bounds": ("PackingBound", "csq_relu_bound", "csq_relu_packing_bound"),
    "sqsim.lowerbounds.rowsums": ("GramSummary",),
    "sqsim.lowerbounds.sign_gram": ("sign_gram_summary",),
    "sqsim.lowerbounds.spectrum": ("RidgeSpectrum", "ridge_spectrum", "sphere_moment"),
    "sqsim.lowerbounds.subfamilies": (
        "Subfamily",
        "check_subfamily",
        "nearly_orthogonal_graph",
        "nearly_orthogonal_subfamily",
    ),
    "sqsim.lowerbounds.suprema": ("polynomial_range", "uniform_error"),
    "sqsim.lowerbounds.theorems": (
        "VstatBound",
        "average_bound",
        "average_to_vstat",
        "conditional_average_to_vstat",
        "pairwise_bound",
        "spectral_bound",
        "sphere_bound",
        "sq_dimension_bound",
        "statistical_bound",
    ),
    "sqsim.lowerbounds.uniform": (
        "Chebyshev",
        "Minimax",
        "RangeSafe",
        "UniformApproximation",
        "uniform_approximation",
    ),
    "sqsim.lowerbounds.uniform_degrees": ("uniform_degree",),
    "sqsim.lowerbounds.uniform_report": ("markov_norm_bound",),
}

# Hidden from type checkers: they would take any misspelt name for a lazy one.
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(__name__, _NAMES)
