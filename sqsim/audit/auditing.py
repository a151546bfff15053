"""An audit from the file to the outcome.

This file does not know how an answer is judged or a mean is found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType

from sqsim.audit.findings import Audit, Finding
from sqsim.audit.judging import Judge
from sqsim.audit.reading import read_transcript
from sqsim.audit.rebuilding import compare_header, rebuilt
from sqsim.audit.replay import Replay
from sqsim.audit.results import compare_results
from sqsim.errors import BadInput
from sqsim.lowerbounds.precision import bits_for
from sqsim.record import Ledger
from sqsim.transcript import Transcript


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
    fed to the strategy, and what it then asks is compared with what is on record.  Every query is
    one that the oracle may answer, by its own check.  Every entry of every answer is compared with
    a mean that is found in another way than the oracle found it (see `independent_mean`), and so
    are the sums over the sets of a multi-valued one; zeros of correlations in the L2 convention
    are proved in exact and ball arithmetic where that decides.  Answers that are averages of
    examples are drawn again from the seed; how many of them miss their window is counted, where
    the promise is about E[phi] and that mean is found in some way.  The ledger is derived again,
    and compared with the records and with results.json beside the transcript.

    A lawful answer that was changed to another lawful one, with all checksums made again and with
    the strategy's later questions, is a lawful transcript and cannot be told from an honest one.
    Nor can a run that a budget cut be told from one that was cut later by hand: no transcript
    records the budget of its run, so a turn that says BudgetSpent of queries or rounds is believed.

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
    transcript = read_transcript(path)
    if not transcript.sealed and not prefix:
        torn = transcript.repaired or "numbers beside it belong to no record"
        raise BadInput(f"{path}: {torn}; go on with the run, or audit it as a prefix with --prefix")
    strategy, oracle = rebuilt(transcript, trust)
    findings = compare_header(transcript, oracle)
    judge = Judge(oracle, digits)
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
        judge.unjudged,
    )


def _compare_ledger(transcript: Transcript, replay: Replay) -> list[Finding]:
    recorded = transcript.ledger
    if recorded == replay.ledger:
        return []
    return [Finding("ledger", f"the records cost {recorded}; the questions cost {replay.ledger}")]
