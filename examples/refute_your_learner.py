"""A ten-line learner, and the hidden direction on which it fails."""

from __future__ import annotations

import numpy as np

from sqsim import CSQ, L2, Correlation, Ridge, ask, refute
from sqsim.problems import ReluHypothesis, ReluRegression
from sqsim.problems.corruption import LowDegreeRemoval
from sqsim.problems.problem import Problem


def steepest_coordinate(problem: Problem) -> CSQ[ReluHypothesis]:
    """Two rounds: along the largest degree-1 correlation, then once more near the kink."""
    first = yield from ask(Correlation(Ridge(power=1), "E[y x]"))
    w = np.eye(problem.dimension)[int(np.argmax(np.abs(first)))]
    gate = Ridge(lambda s: (s > 2.0).astype(float), w, power=1, kinks=(2.0,))
    second = yield from ask(Correlation(gate, "E[y x 1(<w, x> > 2)]"))
    length = float(np.linalg.norm(second))
    if length == 0.0:
        return ReluHypothesis(np.zeros(problem.dimension), 0.0)
    return ReluHypothesis(second / length, problem.bias or 0.0)


def main() -> None:
    problem = ReluRegression(1000, norm=1.0, bias=-7.0)
    # The labels of one hard instance; the evader may turn it in any direction.
    model = problem.draw(corruptions=[LowDegreeRemoval(9)])
    found = refute(steepest_coordinate, model, L2(5e-11))
    print(found.message)
    print(f"{found.queries} queries, {found.candidates} candidates, answers {found.grade}")
    for answer in found.answers:
        print(f"{answer.label:22s} within {float(answer.upper):.2g} of the instance's mean")


if __name__ == "__main__":
    main()
