"""An audit from the file to the outcome.

This file does not know how an answer is judged or a mean is found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from sqsim.audit.findings import Audit, Finding
from sqsim.audit.independent import IndependentMean, independent_mean
from sqsim.audit.rebuilding import compare_header, rebuilt
from sqsim.audit.replay import Replay, Turn
from sqsim.audit.results import compare_results
from sqsim.audit.verdicts import Verdict, judged
from sqsim.errors import BadInput, NotCertified
from sqsim.lowerbounds.evasion import correlation_bound, seen_square
from sqsim.lowerbounds.precision import bits_for
from sqsim.lowrank import LowRank, dense
from sqsim.oracles.candidates import only_link
from sqsim.problems.index import IndexInstance
from sqsim.queries import Batch, Correlation, Query, Ridge
from sqsim.record import Ledger
from sqsim.tolerance import L2, Mean, RootMeanSquare, Tolerance, Unperturbed
from sqsim.transcript import Transcript

PROVED = "proved"
DRAWN = "drawn again"


def audit_transcript(
    path: str | Path,
    *,
    digits: int = 40,
    trust: Sequence[str] = (),
    prefix: bool = False,
    watch: Callable[[int], object] | None = None,
) -> Audit:
    """Check that a transcript is what it says: its questions, every answer, and what it cost.

    Strategy and oracle are made again from the recipe in the header.  The recorded answers are
    fed to the strategy, and what it then asks is compared with what is on record.  Every entry of
    every answer is compared with a mean that is found in another way than the oracle found it (see
    `independent_mean`), zeros of correlations in the L2 convention are proved in exact and ball
    arithmetic where that decides.  Answers that are averages of examples are drawn again from the
    seed; how many of them miss their window is counted.  The ledger is derived again, and compared
    with the records and with results.json beside the transcript.

    A lawful answer that was changed to another lawful one, with all checksums made again and with
    the strategy's later questions, is a lawful transcript and cannot be told from an honest one.

    Parameters
    ----------
    digits : of the quadrature and of the proofs.
    trust : modules
        Whose functions may be called where a recipe names one.  Those of sqsim always are.
    prefix : whether a run that was stopped before its end is accepted.
    watch : called with the number of each turn before it is checked.

    Raises
    ------
    BadInput
        Where the file cannot be read, was changed without new checksums, has no recipe, or one
        that is not trusted or makes something else.
    """
    bits_for(digits)
    transcript = _read(path)
    if not transcript.sealed and not prefix:
        torn = transcript.repaired or "numbers beside it belong to no record"
        raise BadInput(f"{path}: {torn}; go on with the run, or audit it as a prefix")
    strategy, oracle = rebuilt(transcript, trust)
    findings = compare_header(transcript, oracle)
    judge = _Judge(oracle, digits)
    if not findings:
        replay = Replay(strategy, oracle, transcript)
        for turn in replay:
            if watch is not None:
                watch(turn.number)
            judge.check(turn)
        strategy.close()
        stopped = [one for one in replay.findings if not (prefix and one.about == "end")]
        findings += [*stopped, *judge.findings]
        if not stopped:
            findings += _compare_ledger(transcript, replay)
            if replay.finished:
                findings += compare_results(Path(path), replay.ledger, replay.value)
        ledger, turns = replay.ledger, replay.turns
    else:
        ledger, turns = Ledger(), 0
    return Audit(
        str(path),
        tuple(findings),
        turns,
        judge.queries,
        sum(judge.grades.values()),
        judge.edges,
        judge.misses,
        judge.largest,
        ledger,
        digits,
        MappingProxyType(dict(judge.grades)),
    )


def _read(path: str | Path) -> Transcript:
    try:
        transcript = Transcript.read(path)
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is no transcript: {error!r:.120}") from error
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder; name one of the transcripts in it") from None
    if not transcript.header:
        raise BadInput(f"{path} is empty; there is nothing to audit")
    return transcript


def _compare_ledger(transcript: Transcript, replay: Replay) -> list[Finding]:
    recorded = transcript.ledger
    if recorded == replay.ledger:
        return []
    return [Finding("ledger", f"the records cost {recorded}; the questions cost {replay.ledger}")]


class _Judge:
    """Checks the answers of turns and keeps count."""

    def __init__(self, oracle: Any, digits: int) -> None:
        self._oracle, self._digits = oracle, digits
        self._proved: dict[Hashable, Fraction | None] = {}
        self.findings: list[Finding] = []
        self.grades: Counter[str] = Counter()
        self.queries, self.edges, self.misses, self.largest = 0, 0, 0, 0.0
        # Oracles that answer with averages of examples are no functions of a mean.
        self._drawn = not hasattr(oracle, "means")
        self._promised = not self._drawn or hasattr(oracle, "guarantee")

    def check(self, turn: Turn) -> None:
        if self._drawn:
            self._draw_again(turn)
        if not self._promised:
            self.queries += len(turn.queries)
            return
        for index, (query, answer) in enumerate(zip(turn.queries, turn.answers, strict=True)):
            self.queries += 1
            tolerance = (query.tolerance or self._oracle.tolerance).of(query)
            proved = self._proof(query, tolerance, answer)
            if proved is not None:
                self.grades[PROVED] += query.size(self._oracle.dimension)
                self.largest = max(self.largest, float(proved / Fraction(tolerance.tau)))
                continue
            try:
                found = self._mean(query, tolerance, turn.number)
                verdict = judged(answer, found, tolerance_for(tolerance))
            except BadInput as error:
                words = f"query {index} ({query.label!r}) has no mean: {error}"
                self.findings.append(Finding("answer", words, turn.number, index, query.label))
                continue
            self._count(query, found, verdict, turn.number, index)

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
        where = f"entry {worst.entry} " if worst.entry else ""
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

    def _draw_again(self, turn: Turn) -> None:
        """Whether the same examples give the same answers."""
        batch = Batch(turn.queries)
        again = self._oracle.answer(batch, turn.number)
        for index, (mine, its) in enumerate(zip(again, turn.answers, strict=True)):
            query = turn.queries[index]
            self.grades[DRAWN] += query.size(self._oracle.dimension)
            if not np.allclose(dense(mine), dense(its), rtol=1e-9, atol=1e-12):
                words = f"query {index} ({query.label!r}) has another answer when drawn again"
                self.findings.append(Finding("answer", words, turn.number, index, query.label))

    def _mean(self, query: Query, tolerance: Tolerance, turn: int) -> IndependentMean:
        oracle = self._oracle
        found = independent_mean(oracle, query, tolerance.scale, turn=turn, digits=self._digits)
        if not isinstance(tolerance, Unperturbed):
            return found
        # The window of such an answer is the error that the oracle's evaluator confesses.
        means = oracle.means.means(
            oracle.instance, [query], [tolerance.scale], seed=oracle.seed, turn=turn
        )
        error = np.broadcast_to(
            np.asarray(means[0].error, dtype=np.float64), found.mean.value.shape
        )
        mean = Mean(found.mean.value, found.mean.error, np.array(error))
        return replace(found, mean=mean, scale_error=0.0, square_error=0.0, exact=None)

    def _proof(self, query: Query, tolerance: Tolerance, answer: Any) -> Fraction | None:
        """An upper bound below tau on |mean| / ||g|| for an answer that is 0 throughout."""
        instance, form = self._oracle.instance, query.form
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
