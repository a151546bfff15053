"""Learners, one file for each family.  They know a problem and never its secret."""

from sqsim.algorithms.biased_descent import scaled_gradient_descent
from sqsim.algorithms.chow import PiecewisePolynomial, piecewise_regression
from sqsim.algorithms.coarse_landscape import coarse_gradient, network_gradient, network_loss
from sqsim.algorithms.descent import gradient_descent, projected_gradient_descent, reweighted_pgd
from sqsim.algorithms.generalised_linear import GeneralisedLinear, glmtron, surrogate_descent
from sqsim.algorithms.guesses import GeometricMesh, PaperMesh
from sqsim.algorithms.guo_vijayaraghavan import learn_relu
from sqsim.algorithms.isotonic import IsotonicHypothesis, isotron
from sqsim.algorithms.planted import nearest_sparse, planted_descent
from sqsim.algorithms.profile import fit_norm_and_bias
from sqsim.algorithms.regression import biased_one_shot_regression, one_shot_regression
from sqsim.algorithms.smoothed import smoothed_descent
from sqsim.algorithms.spectral import spectral_start, thresholded_pca
from sqsim.algorithms.straight_through import coarse_gradient_descent
from sqsim.algorithms.two_neurons import (
    Ending,
    active_moments,
    population_descent,
    population_gradient,
    population_loss,
)

__all__ = [
    "Ending",
    "GeneralisedLinear",
    "GeometricMesh",
    "IsotonicHypothesis",
    "PaperMesh",
    "PiecewisePolynomial",
    "active_moments",
    "biased_one_shot_regression",
    "coarse_gradient",
    "coarse_gradient_descent",
    "fit_norm_and_bias",
    "glmtron",
    "gradient_descent",
    "isotron",
    "learn_relu",
    "nearest_sparse",
    "network_gradient",
    "network_loss",
    "one_shot_regression",
    "piecewise_regression",
    "planted_descent",
    "population_descent",
    "population_gradient",
    "population_loss",
    "projected_gradient_descent",
    "reweighted_pgd",
    "scaled_gradient_descent",
    "smoothed_descent",
    "spectral_start",
    "surrogate_descent",
    "thresholded_pca",
]
