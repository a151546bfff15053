"""What oracles know of each kind of instance: who computes its means, and what tells it apart.

This file does not know what is asked.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np

from sqsim.errors import BadInput
from sqsim.inputs import Gaussian
from sqsim.oracles.protocol import Means
from sqsim.oracles.sampling import Sample
from sqsim.problems.chunked import Chunked
from sqsim.problems.components import ComponentInstance
from sqsim.problems.cube import CubeLaw
from sqsim.problems.dataset import Dataset
from sqsim.problems.labels import LabelLaw
from sqsim.problems.network import NetworkRegression
from sqsim.problems.p_concepts import BooleanLaw, PConceptInstance


def default_means(instance: Any) -> Means:
    """The evaluator that an oracle over this instance has unless told otherwise."""
    if isinstance(instance, Dataset | Chunked):
        return Sample()
    if isinstance(getattr(instance, "labels", None), CubeLaw):
        if isinstance(instance.problem.inputs, Gaussian):
            from sqsim.oracles.parity_quadrature import ParityQuadrature

            return ParityQuadrature()
        from sqsim.oracles.enumeration import Enumerate

        return Enumerate()
    if isinstance(instance, PConceptInstance):
        from sqsim.oracles.boolean_quadrature import BooleanQuadrature

        return BooleanQuadrature()
    if isinstance(instance, ComponentInstance):
        from sqsim.oracles.mixture_quadrature import MixtureQuadrature

        return MixtureQuadrature()
    if isinstance(instance.problem, NetworkRegression):
        from sqsim.oracles.polar import Polar

        return Polar()
    if isinstance(instance.problem.inputs, Gaussian):
        from sqsim.oracles.quadrature import Quadrature

        return Quadrature()
    raise BadInput(
        f"no default way to compute means over {type(instance.problem.inputs).__name__} inputs; "
        "name one, for example means=MonteCarlo(samples=1_000_000)"
    )


def fingerprint(instance: Any) -> str | None:
    """A digest that tells instances apart and gives no secret away; None for unknown kinds.

    A transcript that was begun on one instance is then not resumed on another.
    """
    if isinstance(instance, Chunked):
        return instance.fingerprint
    digest = blake2b(digest_size=8)
    if isinstance(instance, Dataset):
        digest.update(np.ascontiguousarray(instance.inputs).data)
        digest.update(np.ascontiguousarray(instance.targets).data)
    elif isinstance(labels := getattr(instance, "labels", None), LabelLaw):
        digest.update(repr(labels).encode())
        for column in labels.columns:
            digest.update(np.ascontiguousarray(column).data)
    elif isinstance(labels, CubeLaw):
        for part in labels.parts():
            digest.update(part)
    elif isinstance(labels, BooleanLaw):
        digest.update(f"{labels.transfer!r} {labels.score!r}".encode())
        for column in labels.columns:
            digest.update(np.ascontiguousarray(column).data)
    elif isinstance(instance, ComponentInstance):
        digest.update(repr(instance.problem).encode())
        digest.update(np.ascontiguousarray(instance.direction).data)
    else:
        return None
    return digest.hexdigest()
