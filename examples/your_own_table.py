"""The complete learner on scikit-learn's diabetes table, through statistical queries only."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_diabetes

from sqsim import L2, Sample, run, sq, toward_zero
from sqsim.algorithms import learn_relu
from sqsim.problems import Dataset
from sqsim.problems.dataset import least_squares_loss, whitened


def main() -> None:
    bunch = load_diabetes()
    # In units of its root mean square, so that the tolerance is a relative one.
    unit = float(np.sqrt(np.mean(bunch.target**2)))
    table = Dataset(bunch.data, bunch.target / unit, bunch.feature_names, "progression")
    white, whitening = whitened(table)
    print(f"zero predictor 1.0000, least squares {least_squares_loss(table):.4f}")
    for tau in (1e-4, 1e-2, 1e-1):
        # Sample() takes the table as the whole population; it is also the default for a Dataset.
        oracle = sq(white, tolerance=L2(tau), policy=toward_zero, means=Sample())
        result = run(learn_relu(white.problem), oracle)
        assert result.value is not None
        neuron = whitening.pull_back(result.value)
        loss = np.mean((neuron(table.inputs) - table.targets) ** 2)
        print(f"tolerance {tau:g}: loss {loss:.4f}, {result.ledger.queries} queries")


if __name__ == "__main__":
    main()
