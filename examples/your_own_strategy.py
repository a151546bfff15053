"""A ten-line strategy against every kind of oracle: exact, sampled and on a table."""

from __future__ import annotations

import numpy as np

from sqsim import (
    CSQ,
    L2,
    Correlation,
    MonteCarlo,
    Quadrature,
    Ridge,
    ask,
    csq,
    run,
    sq,
    toward_zero,
)
from sqsim.lowrank import Array
from sqsim.oracles.protocol import Oracle
from sqsim.problems import Dataset, ReluHypothesis, ReluRegression
from sqsim.problems.problem import Problem


def degree_one(problem: Problem) -> CSQ[ReluHypothesis]:
    """w = 2 E[y x]: one round, d correlational queries."""
    moment = yield from ask(Correlation(Ridge(power=1), "E[y x]"))
    return ReluHypothesis(2 * moment, 0.0)


def table(direction: Array, examples: int) -> Dataset:
    """A table like one that a user would bring."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((examples, len(direction)))
    y = np.maximum(x @ direction - 1.0, 0.0) + 0.1 * rng.standard_normal(examples)
    return Dataset(x, y)


def main() -> None:
    instance = ReluRegression(20).draw(bias=-1.0, seed=0)
    data = table(instance.direction, examples=20_000)
    tolerance = L2(1e-2)
    oracles: dict[str, Oracle[Correlation]] = {
        "csq, quadrature": csq(
            instance, tolerance=tolerance, policy=toward_zero, means=Quadrature()
        ),
        # A correlational strategy runs against the stronger oracle too.
        "sq, quadrature": sq(instance, tolerance=tolerance, policy=toward_zero),
        "csq, Monte Carlo": csq(
            instance, tolerance=tolerance, policy=toward_zero, means=MonteCarlo(samples=200_000)
        ),
        "csq, the table": csq(data, tolerance=tolerance, policy=toward_zero),
    }
    for name, oracle in oracles.items():
        problem = data.problem if "table" in name else instance.problem
        result = run(degree_one(problem), oracle)
        assert result.value is not None
        overlap = result.value.overlap(instance.direction)
        print(f"{name:16s}  overlap {overlap:.4f}  queries {result.ledger.queries}")


if __name__ == "__main__":
    main()
