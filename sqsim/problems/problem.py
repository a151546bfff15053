"""What every learner is given.  This file does not know any secret."""

from __future__ import annotations

from abc import ABC, abstractmethod

from sqsim.inputs import Inputs


class Problem(ABC):
    """All that a learner may know.

    Attributes
    ----------
    dimension : int
    norm, bias : float or None
        Of the target neuron sigma(norm <v, x> + bias), where the learner is told; None: unknown.
    """

    dimension: int
    norm: float | None
    bias: float | None

    @property
    @abstractmethod
    def inputs(self) -> Inputs:
        """The law of the inputs; label-free expectations under it cost no query."""
