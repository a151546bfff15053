"""Learners, one file for each family.  They know a problem and never its secret."""

from sqsim.algorithms.descent import gradient_descent, projected_gradient_descent, reweighted_pgd
from sqsim.algorithms.guesses import GeometricMesh, PaperMesh
from sqsim.algorithms.guo_vijayaraghavan import learn_relu
from sqsim.algorithms.profile import fit_norm_and_bias
from sqsim.algorithms.regression import biased_one_shot_regression, one_shot_regression
from sqsim.algorithms.spectral import spectral_start, thresholded_pca

__all__ = [
    "GeometricMesh",
    "PaperMesh",
    "biased_one_shot_regression",
    "fit_norm_and_bias",
    "gradient_descent",
    "learn_relu",
    "one_shot_regression",
    "projected_gradient_descent",
    "reweighted_pgd",
    "spectral_start",
    "thresholded_pca",
]
