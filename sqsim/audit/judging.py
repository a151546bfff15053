"""Answers of turns judged: granted, finite, and inside their windows or drawn again.

This file does not know transcripts, nor how a mean is found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from sqsim.audit.findings import Finding
from sqsim.audit.granting import instance_of, refusal_of
from sqsim.audit.independent import IndependentMean, independent_mean
from sqsim.audit.replay import Turn
from sqsim.audit.verdicts import Verdict, judged
from sqsim.errors import BadInput, NotCertified, QueryRefused, SqsimError, ToleranceUnreachable
from sqsim.lowerbounds.evasion import correlation_bound, seen_square
from sqsim.lowrank import LowRank, dense
from sqsim.oracles.candidates import only_link
from sqsim.problems.index import IndexInstance
from sqsim.queries import Batch, Correlation, Query, Ridge
from sqsim.tolerance import L2, Mean, RootMeanSquare, Tolerance, Unperturbed

PROVED = "proved"
DRAWN = "drawn again"
_NO_MEAN = (BadInput, NotCertified, QueryRefused, ToleranceUnreachable)


class Judge:
    """Checks the answers of turns and keeps count."""

    def __init__(self, oracle: Any, digits: int) -> None:
        self._oracle, self._digits = oracle, digits
        self._instance = instance_of(oracle)
        self._proved: dict[Hashable, Fraction | None] = {}
        self.findings: list[Finding] = []
        self.grades: Counter[str] = Counter()
        self.queries, self.edges, self.misses, self.unjudged, self.largest = 0, 0, 0, 0, 0.0
        # Oracles that answer with averages of examples are no functions of a mean.
        self._drawn = not hasattr(oracle, "means")
        # A promise about a clipped query says nothing of the query's own mean.
        about = getattr(getattr(oracle, "guarantee", None), "about", None)
        self._promised = not self._drawn or about == "E[phi]"

    def check(self, turn: Turn) -> None:
        """Judge every answer of a turn; turns come in their order."""
        lawful = [self._lawful(turn, index) for index in range(len(turn.queries))]
        if self._drawn and turn.queries:
            lawful = self._drawn_again(turn, lawful)
        for index, (query, answer) in enumerate(zip(turn.queries, turn.answers, strict=True)):
            self.queries += 1
            if not lawful[index]:
                continue
            if not self._promised:
                self.unjudged += query.size(self._oracle.dimension)
                continue
            self._compare(query, answer, turn.number, index)

    def _lawful(self, turn: Turn, index: int) -> bool:
        """Whether the oracle may answer the query, and the answer is a number."""
        query, answer = turn.queries[index], turn.answers[index]
        refusal = refusal_of(self._oracle, query)
        if refusal is not None:
            return self._wrong(f"is answered, and the oracle refuses it: {refusal}", turn, index)
        parts = (answer.basis, answer.core) if isinstance(answer, LowRank) else (answer,)
        if not all(np.isfinite(part).all() for part in parts):
            return self._wrong("has an answer that is not a finite number", turn, index)
        return True

    def _wrong(self, words: str, turn: Turn, index: int) -> bool:
        label = turn.queries[index].label
        message = f"query {index} ({label!r}) {words}"
        self.findings.append(Finding("answer", message, turn.number, index, label))
        return False

    def _drawn_again(self, turn: Turn, lawful: list[bool]) -> list[bool]:
        """Whether the same examples give the same answers."""
        try:
            again = self._oracle.answer(Batch(turn.queries), turn.number)
        except SqsimError as error:
            if all(lawful):
                self._wrong(f"cannot be drawn again: {error}", turn, 0)
            return [False] * len(lawful)
        for index, (mine, its) in enumerate(zip(again, turn.answers, strict=True)):
            self.grades[DRAWN] += turn.queries[index].size(self._oracle.dimension)
            if lawful[index] and not np.allclose(dense(mine), dense(its), rtol=1e-9, atol=1e-12):
                lawful[index] = self._wrong("has another answer when drawn again", turn, index)
        return lawful

    def _compare(self, query: Query, answer: Any, turn: int, index: int) -> None:
        """With its mean, found in another way."""
        tolerance = (query.tolerance or self._oracle.tolerance).of(query)
        proved = None if self._drawn else self._proof(query, tolerance, answer)
        if proved is not None:
            self.grades[PROVED] += query.size(self._oracle.dimension)
            self.largest = max(self.largest, float(proved / Fraction(tolerance.tau)))
            return
        try:
            found = self._mean(query, tolerance, turn)
            verdict = judged(answer, found, tolerance_for(tolerance))
        except _NO_MEAN as error:
            if self._drawn:
                self.unjudged += query.size(self._oracle.dimension)
                return
            words = f"query {index} ({query.label!r}) has no mean: {error}"
            self.findings.append(Finding("answer", words, turn, index, query.label))
            return
        self._count(query, found, verdict, turn, index)

    def _count(
        self, query: Query, found: IndependentMean, verdict: Verdict, turn: int, index: int
    ) -> None:
        if not self._drawn:
            self.grades[found.method] += query.size(self._oracle.dimension)
        self.edges += verdict.edges
        worst = verdict.worst
        self.largest = max(self.largest, worst.part)
        if not verdict.outside:
            return
        if self._drawn:
            self.misses += verdict.outside
            return
        where = f"{worst.what} {worst.entry} " if worst.entry else ""
        words = (
            f"query {index} ({query.label!r}): {verdict.outside} of {verdict.entries} numbers are "
            f"outside; {where}is {worst.answer:.17g}, the mean is in [{worst.mean[0]:.17g}, "
            f"{worst.mean[1]:.17g}] by {found.method}, the radius {worst.radius:.6g}"
        )
        self.findings.append(
            Finding(
                "answer",
                words,
                turn,
                index,
                query.label,
                worst.entry,
                worst.answer,
                worst.mean,
                worst.radius,
            )
        )

    def _mean(self, query: Query, tolerance: Tolerance, turn: int) -> IndependentMean:
        oracle = self._oracle
        found = independent_mean(oracle, query, tolerance.scale, turn=turn, digits=self._digits)
        if not isinstance(tolerance, Unperturbed):
            return found
        # The window of such an answer is the error that the oracle's evaluator confesses.
        means = oracle.means.means(
            self._instance, [query], [tolerance.scale], seed=oracle.seed, turn=turn
        )
        error = np.broadcast_to(
            np.asarray(means[0].error, dtype=np.float64), found.mean.value.shape
        )
        mean = Mean(found.mean.value, found.mean.error, np.array(error))
        return replace(found, mean=mean, scale_error=0.0, square_error=0.0, exact=None)

    def _proof(self, query: Query, tolerance: Tolerance, answer: Any) -> Fraction | None:
        """An upper bound below tau on |mean| / ||g|| for an answer that is 0 throughout."""
        instance, form = self._instance, query.form
        zero = not np.any(answer.core if isinstance(answer, LowRank) else answer)
        if not (
            zero
            and isinstance(instance, IndexInstance)
            and isinstance(query, Correlation)
            and isinstance(form, Ridge)
            and type(tolerance) is L2
        ):
            return None
        link = only_link(instance)
        if link is None:
            return None
        # Rounds that move nothing ask again with the same frame.
        key = (b"" if form.frame is None else form.frame.tobytes(), form.power)
        if key not in self._proved:
            direction = instance.labels.terms[0].direction
            try:
                square = seen_square(direction, form.frame, power=form.power)
                bound = correlation_bound(link, square, digits=self._digits)
                self._proved[key] = bound.bounds[1]
            except (NotCertified, BadInput):
                self._proved[key] = None
        upper = self._proved[key]
        return upper if upper is not None and upper <= Fraction(tolerance.tau) else None


def tolerance_for(tolerance: Tolerance) -> Tolerance:
    """The tolerance that measures in the units of the independent mean's norms."""
    return RootMeanSquare(1.0) if isinstance(tolerance, Unperturbed) else tolerance
