"""What a recorded run would cost in each access model, round by round.

This file does not know strategies or instances: queries and tolerances are all it reads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias, final

from sqsim.audit.reading import described, read_transcript
from sqsim.errors import BadInput
from sqsim.oracles.sample_counts import (
    SampleCount,
    honest_samples,
    local_privacy_users,
    median_of_means_samples,
    one_bit_samples,
    stat_samples,
    vstat_samples,
)
from sqsim.transcript import Transcript

Count: TypeAlias = Callable[..., SampleCount]


def _vstat(tau: float, *, queries: int, failure: float) -> SampleCount:
    # VSTAT(1 / tau^2) answers STAT(tau) on [-1, 1]: `stat_of_vstat`, from t = 4 on.
    return vstat_samples(max(1 / tau**2, 2 / tau), queries=queries, failure=failure)


MODELS: Mapping[str, Count] = MappingProxyType(
    {
        "stat": stat_samples,
        "vstat": _vstat,
        "l2": median_of_means_samples,
        "honest": honest_samples,
        "one_stat": one_bit_samples,
        "ldp": local_privacy_users,
    }
)
"""Examples, or users, by the name of the access model."""


@final
@dataclass(frozen=True)
class RoundCost:
    """One round.

    Attributes
    ----------
    queries : scalar queries.
    finest : smallest tau.
    counts : fresh examples of the round, by access model.
    """

    round: int
    queries: int
    finest: float
    counts: Mapping[str, int]


@final
@dataclass(frozen=True)
class RunCosts:
    """All rounds of a run.

    Attributes
    ----------
    failure : delta, the probability that some answer of the whole run is off by more than its tau.
    epsilon : privacy loss of each user of local privacy.
    vstat : the t of VSTAT(t) that answers the finest query, 1 / tau^2.
    totals : examples of the whole run, by access model.
    theorems, assumes : by access model.
    """

    transcript: str
    tolerance: str
    failure: float
    epsilon: float
    queries: int
    vstat: float
    rounds: tuple[RoundCost, ...]
    totals: Mapping[str, int]
    theorems: Mapping[str, str]
    assumes: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Strict JSON of schema sqsim.costs/1; counts are whole numbers of any length."""
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name in ("totals", "theorems", "assumes"):
            found[name] = dict(found[name])
        found["rounds"] = [{**_fields(one), "counts": dict(one.counts)} for one in self.rounds]
        return {"schema": "sqsim.costs/1", **found}


def _fields(one: RoundCost) -> dict[str, Any]:
    return {"round": one.round, "queries": one.queries, "finest": one.finest}


def run_costs(path: str | Path, *, failure: float = 0.05, epsilon: float = 1.0) -> RunCosts:
    """Sample sizes of a run, from its transcript.

    Every round gets fresh examples, since its questions depend on earlier answers.  Each of the q
    scalar queries of the whole run may fail with probability failure / q, so that the run fails
    with at most `failure`.  tau is taken as the radius for queries with values in [-1, 1], but in
    the model "l2" as that for queries of standard deviation at most 1.

    Raises
    ------
    BadInput
        Where the transcript cannot be read, holds no answers, or its tolerance is 0.
    """
    if not 0 < failure < 1:
        raise BadInput(f"delta is {failure!r}; a probability lies strictly between 0 and 1")
    transcript = read_transcript(path)
    rounds = _rounds(transcript)
    total = sum(size for prices in rounds for size, _ in prices)
    if not total:
        raise BadInput(f"{path} holds no answered query; there is nothing to price")
    finest = min(tau for prices in rounds for _, tau in prices)
    if not 0 < finest < math.inf:
        raise BadInput(
            f"{path} was answered without a tolerance, which no number of examples buys; run it "
            "with one"
        )
    share = failure / total
    priced = _Prices(share, epsilon)
    found = tuple(
        RoundCost(
            number,
            sum(size for size, _ in prices),
            min(tau for _, tau in prices),
            MappingProxyType({name: priced.batch(name, prices) for name in MODELS}),
        )
        for number, prices in enumerate(rounds)
    )
    totals = {name: sum(one.counts[name] for one in found) for name in MODELS}
    oracle = transcript.header.get("oracle")
    tolerance = oracle.get("tolerance") if isinstance(oracle, dict) else None
    examples = {name: priced.single(name, finest) for name in MODELS}
    return RunCosts(
        str(path),
        str(tolerance),
        failure,
        epsilon,
        total,
        1 / finest**2,
        found,
        MappingProxyType(totals),
        MappingProxyType({name: one.theorem for name, one in examples.items()}),
        MappingProxyType({name: one.assumes for name, one in examples.items()}),
    )


class _Prices:
    """Counts for one query at each tau, found once."""

    def __init__(self, share: float, epsilon: float) -> None:
        self._share, self._epsilon = share, epsilon
        self._found: dict[tuple[str, float], SampleCount] = {}

    def single(self, name: str, tau: float) -> SampleCount:
        key = (name, tau)
        if key not in self._found:
            more = {"epsilon": self._epsilon} if name == "ldp" else {}
            self._found[key] = MODELS[name](tau, queries=1, failure=self._share, **more)
        return self._found[key]

    def batch(self, name: str, prices: Sequence[tuple[int, float]]) -> int:
        """A shared sample serves its finest query; others add up."""
        counts = [(size, self.single(name, tau)) for size, tau in prices]
        if all(one.shared for _, one in counts):
            return max(one.samples for _, one in counts)
        return sum(size * one.samples for size, one in counts)


def _rounds(transcript: Transcript) -> list[list[tuple[int, float]]]:
    """(scalar queries, tau) of the answered queries of every round."""
    try:
        found = [
            [(asked.size, asked.tau) for asked in record.queries[: len(record.stored)]]
            for record in transcript
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(
            f"{transcript.path} holds a record that is none: {described(error)}"
        ) from error
    return [prices for prices in found if prices]
