"""Closed forms of the binarised network's loss, its gradient, and the coarse gradients.

Yin, Lyu, Zhang, Osher, Qi and Xin (2019), x ~ N(0, I); their loss f has the factor 1/2, so that
E[(yhat - y)^2] = 2 f.  This file asks nothing.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.binarised import BinarisedNetwork

Estimator: TypeAlias = Literal["relu", "identity"]
"""What stands for the derivative of the step 1(s > 0) backwards: 1(s > 0), or 1."""


def network_loss(target: BinarisedNetwork, network: BinarisedNetwork) -> float:
    """f = E[(yhat - y)^2] / 2, with theta the angle between the filters:

    (v'(I + J) v - 2 v'((1 - 2 theta/pi) I + J) v* + v*'(I + J) v*) / 8, J the matrix of ones.
    Invariant to the lengths of the filters, which must not be 0.
    """
    v, planted = _pair(target, network)
    share = 1 - 2 * _angle(target, network) / math.pi
    total, wanted = float(v.sum()), float(planted.sum())
    own, theirs = v @ v + total**2, planted @ planted + wanted**2
    return float(own - 2 * (share * (v @ planted) + total * wanted) + theirs) / 8


def network_gradient(target: BinarisedNetwork, network: BinarisedNetwork) -> tuple[Array, Array]:
    """Gradient of `network_loss` in v and in w.

    (I + J) v / 4 - ((1 - 2 theta/pi) I + J) v* / 4, and -(<v, v*> / (2 pi ||w||)) times the unit
    vector of w* orthogonal to w.  The step has derivative 0 almost everywhere, so that no example
    shows the second; it does not exist where w and w* are parallel (0 is returned).
    """
    v, planted = _pair(target, network)
    share = 1 - 2 * _angle(target, network) / math.pi
    in_outer = (v + v.sum() - share * planted - planted.sum()) / 4
    unit, wanted = _unit(network.filter), _unit(target.filter)
    side = wanted - (wanted @ unit) * unit
    length = float(np.linalg.norm(side))
    if length == 0.0:
        return in_outer, np.zeros_like(unit)
    scale = float(v @ planted) / (2 * math.pi * float(np.linalg.norm(network.filter)))
    return in_outer, -scale * side / length


def coarse_gradient(
    target: BinarisedNetwork, network: BinarisedNetwork, *, estimator: Estimator
) -> Array:
    """E[Z'(mu'(Zw) v)(yhat - y)]: what back-propagation takes for the gradient in w.

    relu: h u / (2 sqrt(2 pi)) - cos(theta/2) <v, v*> (u + u*)/||u + u*|| / sqrt(2 pi) with
    h = ||v||^2 + (1'v)^2 - (1'v)(1'v*) + <v, v*> and u, u* the unit filters; identity:
    (||v||^2 u - <v, v*> u*) / sqrt(2 pi).
    """
    v, planted = _pair(target, network)
    unit, wanted = _unit(network.filter), _unit(target.filter)
    overlap = float(v @ planted)
    if check_estimator(estimator) == "identity":
        return (float(v @ v) * unit - overlap * wanted) / math.sqrt(2 * math.pi)
    total, other = float(v.sum()), float(planted.sum())
    h = float(v @ v) + total**2 - total * other + overlap
    # cos(theta/2) (u + u*)/||u + u*|| = (u + u*)/2, without the division at theta = pi.
    return (h * unit - overlap * (unit + wanted)) / (2 * math.sqrt(2 * math.pi))


def check_estimator(estimator: Estimator) -> Estimator:
    """The estimator, if it is one."""
    if estimator not in ("relu", "identity"):
        raise BadInput(f"estimator is {estimator!r}; there are 'relu' and 'identity'")
    return estimator


def _pair(target: BinarisedNetwork, network: BinarisedNetwork) -> tuple[Array, Array]:
    """The two outer layers, checked to be of one length."""
    v, planted = np.asarray(network.outer), np.asarray(target.outer)
    if v.shape != planted.shape or network.filter.shape != target.filter.shape:
        raise BadInput(
            f"networks of shapes {v.shape} x {network.filter.shape} and {planted.shape} x "
            f"{target.filter.shape}; wanted the same"
        )
    return v, planted


def _unit(vector: Array) -> Array:
    length = float(np.linalg.norm(vector))
    if not 0 < length < np.inf:
        raise BadInput(f"a filter has length {length}; wanted a finite one that is not 0")
    return np.asarray(vector / length)


def _angle(target: BinarisedNetwork, network: BinarisedNetwork) -> float:
    """The angle between the filters, accurate near 0 and pi."""
    one, two = _unit(network.filter), _unit(target.filter)
    return 2 * math.atan2(float(np.linalg.norm(one - two)), float(np.linalg.norm(one + two)))
