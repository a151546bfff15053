"""An oracle without a secret: lawful for a survivor, silent while it can be, honest after that."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqsim.errors import BadInput, QueryRefused, ToleranceUnreachable
from sqsim.links import hermite, relu, residual
from sqsim.loop import run
from sqsim.lowrank import dense
from sqsim.oracles.candidates import Family, family_of, fresh_directions, turned
from sqsim.oracles.evader import Evader
from sqsim.oracles.null_law import null_law, null_mean
from sqsim.oracles.policies import Window
from sqsim.oracles.quadrature import Quadrature
from sqsim.oracles.sampling import MonteCarlo
from sqsim.oracles.scoring import loss
from sqsim.problems import ReluRegression
from sqsim.problems.corruption import Decoy, LabelNoise, LowDegreeRemoval
from sqsim.problems.index import SingleIndex
from sqsim.queries import Batch, Correlation, Opaque, Ridge, Statistic
from sqsim.strategy import ask
from sqsim.testing import check_oracle
from sqsim.tolerance import L2, Absolute, Mean, RootMeanSquare, Scale

HARD = ReluRegression(6, norm=1.0, bias=-1.0).draw(corruptions=[LowDegreeRemoval(2)])
CUBIC = residual(hermite(3), 0)


def cubics(count: int, dimension: int) -> list[Any]:
    """y = h_3(x_i), i < count: an orthonormal family."""
    problem = SingleIndex(dimension, CUBIC)
    return [problem.draw(direction=e) for e in np.eye(dimension)[:count]]


def evader(what: Any, tau: float, **options: Any) -> Evader[Any]:
    return Evader(family_of(what), tolerance=L2(tau), **options)


def lawful(member: Any, one: Any) -> bool:
    """Whether the answer is in the member's window, by quadrature, up to rounding."""
    mean = Quadrature().means(member, [one.query], [one.tolerance.scale])[0]
    radius = one.tolerance.radius(mean) + mean.error
    return bool(np.all(np.abs(dense(one.answer) - dense(mean.value)) <= radius * (1 + 1e-9)))


def question(seed: int, power: int, *, labelled: bool) -> Any:
    """A query with a jump, along a random direction."""
    w = np.random.default_rng(seed).standard_normal(HARD.problem.dimension)
    if labelled:
        return Statistic(
            Ridge(lambda s, y: (s > 0.3) * (y > 0.1), w, power, kinks=(0.3,), levels=(0.1,))
        )
    return Correlation(Ridge(lambda s: np.where(s > 0.3, s, 0.0), w, power, kinks=(0.3,)))


@settings(max_examples=8)
@given(
    seeds=st.lists(st.integers(0, 99), min_size=1, max_size=3),
    power=st.integers(0, 2),
    tau=st.sampled_from([1e-3, 0.02, 0.2]),
    correlational=st.booleans(),
    finite=st.booleans(),
)
def test_every_answer_is_within_tolerance_of_every_survivor(
    seeds, power, tau, correlational, finite
):
    """The law of the evader: nobody could have been answered otherwise than lawfully."""
    directions = np.random.default_rng(5).standard_normal((5, 6))
    members = [
        HARD.problem.draw(direction=v, corruptions=[LowDegreeRemoval(2)]) for v in directions
    ]
    oracle = evader(
        members if finite else HARD, tau, correlational=correlational, candidates=4, seed=1
    )
    for turn, seed in enumerate(seeds):
        oracle.answer(Batch((question(seed, power, labelled=not correlational),)), turn)
    assert oracle.survivors
    assert len(oracle.history) == len(seeds)
    for member in oracle.survivors:
        assert all(lawful(member, one) for one in oracle.history)


@pytest.mark.parametrize("tolerance", [Absolute(0.05), RootMeanSquare(0.1), L2(0.05)], ids=repr)
@pytest.mark.parametrize("correlational", [True, False], ids=["csq", "sq"])
def test_every_convention_is_kept(tolerance, correlational):
    """Outside the L2 convention members are judged by their means."""
    oracle: Evader[Any] = Evader(
        family_of(HARD), tolerance=tolerance, correlational=correlational, candidates=4
    )
    for turn, power in enumerate((1, 2)):
        oracle.answer(Batch((question(turn, power, labelled=not correlational),)), turn)
    for member in oracle.survivors:
        assert all(lawful(member, one) for one in oracle.history)


def test_it_keeps_the_laws_of_an_oracle():
    """Pure at a turn, JSON header, no finer tolerance, inside the window of what survives."""
    batch = Batch((question(0, 0, labelled=False), question(1, 1, labelled=False)))
    oracle = evader(HARD, 0.05)
    oracle.answer(batch, 0)
    member = oracle.survivors[0]
    means = Quadrature().means(member, list(batch.queries), [Scale.FUNCTION] * 2)
    check_oracle(evader(HARD, 0.05), batch, means)


def test_it_says_nothing_while_someone_allows_that():
    """Correlations with a residual label are 0 for a member orthogonal to all that is asked."""
    hard = ReluRegression(40, norm=1.0, bias=-3.0).draw(corruptions=[LowDegreeRemoval(6)])
    oracle = evader(hard, 1e-4)
    generator = np.random.default_rng(0)
    for turn in range(30):
        w = generator.standard_normal(40)
        form = Ridge(lambda s: s > 1, w, power=turn % 3, kinks=(1.0,))
        (answer,) = oracle.answer(Batch((Correlation(form),)), turn)
        assert not dense(answer).any()
    assert not oracle.committed


def test_fresh_directions_are_drawn_when_the_first_are_all_seen():
    """A learner that looks along every candidate of a sphere meets others."""
    oracle = evader(HARD, 0.01, candidates=3)
    seen = [member.direction for member in oracle.survivors]
    query = Correlation(Ridge(lambda s: s**3 - 3 * s, np.stack(seen, axis=1)[:, 0]))
    several = [query] + [Correlation(Ridge(lambda s: s**3 - 3 * s, v)) for v in seen[1:]]
    oracle.answer(Batch(tuple(several)), 0)
    assert oracle.tried > 3
    assert not oracle.committed
    assert all(abs(member.direction @ v) < 0.5 for member in oracle.survivors for v in seen)
    for member in oracle.survivors:
        assert all(lawful(member, one) for one in oracle.history)


def test_when_nobody_is_left_it_stays_with_one_member():
    """In the plane a fine mesh of directions sees everyone: the last survivor is answered for."""
    problem = ReluRegression(2, norm=1.0, bias=-1.0)
    hard = problem.draw(corruptions=[LowDegreeRemoval(2)])
    oracle = evader(hard, 1e-3)
    angles = np.linspace(0, np.pi, 12, endpoint=False)
    for turn, a in enumerate(angles):
        w = np.array([np.cos(a), np.sin(a)])
        oracle.answer(Batch((Correlation(Ridge(lambda s: s**3 - 3 * s, w)),)), turn)
    assert oracle.committed
    assert len(oracle.survivors) >= 1
    for member in oracle.survivors:
        assert all(lawful(member, one) for one in oracle.history)
    assert any(not one.is_zero for one in oracle.history)


def exhaustive(instances: list[Any], width: int, tau: float) -> Any:
    """Asks for `width` members at a time; returns those that an answer proves to be among them."""
    for start in range(0, len(instances), width):
        group = range(start, min(start + width, len(instances)))
        frame = np.stack([instances[i].direction for i in group], axis=1)

        def together(s: Any) -> Any:
            return np.sum(s**3 - 3 * s, axis=1) / np.sqrt(6 * s.shape[1])

        answer = yield from ask(Correlation(Ridge(together, frame)))
        if float(answer) > tau:
            return list(group)
    return []


@pytest.mark.parametrize(
    ("width", "tau"), [(1, 0.49), (1, 0.2), (2, 0.35), (2, 0.1)], ids=lambda value: f"{value}"
)
def test_no_learner_finds_one_of_n_orthonormal_members_with_fewer_queries_than_allowed(width, tau):
    """By Bessel a query of norm 1 eliminates at most 1/tau^2 members: (N - 1) tau^2 are needed."""
    members = cubics(12, 12)
    oracle = evader(members, tau)
    result = run(exhaustive(members, width, tau), oracle)
    eliminated = len(members) - len(oracle.survivors)
    assert eliminated == len(members) - width
    assert result.ledger.queries >= eliminated * tau**2
    # And it makes this learner ask for all groups, but for rounding in its favour.
    assert result.ledger.queries >= len(members) / width - 1


def test_too_coarse_a_tolerance_eliminates_nobody():
    """Means 0 and 1 have a point in common at tau >= 1/2, and the evader finds it each time."""
    members = cubics(8, 8)
    oracle = evader(members, 0.9)
    assert run(exhaustive(members, 1, 0.9), oracle).value == []
    assert len(oracle.survivors) == 8
    assert all(float(one.answer) == pytest.approx(0.1) for one in oracle.history)


def test_a_scalar_answer_keeps_as_many_as_any_answer_could():
    """Where intervals meet most, by trying every end of every interval."""
    generator = np.random.default_rng(2)
    members = [
        SingleIndex(4, relu(-0.5)).draw(direction=v) for v in generator.standard_normal((9, 4))
    ]
    query = Correlation(Ridge(lambda s: s, np.array([1.0, 2.0, 0.0, -1.0])))
    for tau in (0.05, 0.1, 0.3):
        oracle = evader(members, tau)
        oracle.answer(Batch((query,)), 0)
        windows = [
            Window(mean, L2(tau))
            for member in members
            for mean in Quadrature().means(member, [query], [Scale.FUNCTION])
        ]
        low = np.array([float(w.low) for w in windows])
        high = np.array([float(w.high) for w in windows])
        most = max(int(np.sum((low <= p) & (p <= high))) for p in [*low, *high])
        assert len(oracle.survivors) == most


def test_turns_are_asked_in_order():
    """Turn 0 begins anew, a turn asked again replaces what came after, a gap is refused."""
    batches = [Batch((question(k, 1, labelled=False),)) for k in range(3)]
    oracle = evader(HARD, 1e-3, candidates=4)
    first = [oracle.answer(batch, turn)[0] for turn, batch in enumerate(batches)]
    again = oracle.answer(batches[1], 1)[0]
    assert np.array_equal(again, first[1])
    assert len(oracle.history) == 2
    with pytest.raises(BadInput, match=r"asked turn 5 after 2 turns.*without a transcript"):
        oracle.answer(batches[2], 5)
    assert np.array_equal(oracle.answer(batches[2], 2)[0], first[2])
    oracle.answer(batches[0], 0)
    assert len(oracle.history) == 1
    fresh = evader(HARD, 1e-3, candidates=4)
    assert np.array_equal(fresh.answer(batches[0], 0)[0], first[0])


def test_a_refused_batch_leaves_no_trace():
    """The turn is spent, and no answer of it binds the evader."""
    oracle = evader(HARD, 0.01)
    good, bad = question(0, 0, labelled=False), question(0, 0, labelled=True)
    with pytest.raises(QueryRefused, match="not a CSQ strategy"):
        oracle.answer(Batch((good, bad)), 0)
    assert oracle.history == ()
    oracle.answer(Batch((good,)), 1)
    assert len(oracle.history) == 1


def test_its_header_is_json_and_hides_nothing_it_does_not_have():
    """There is no secret to leak: the header names the family."""
    header = json.loads(json.dumps(evader(HARD, 0.01).describe()))
    assert header["access"] == "CSQ"
    assert "any direction in dimension 6" in header["family"]
    assert evader(cubics(3, 4), 0.1).describe()["family"] == "3 instances"


def test_the_null_answer_is_the_mean_of_an_independent_label():
    """E[y^2 (<w, x>^2)] T_2 factors: 2 w w' E[y^2] when y knows nothing of x."""
    w = np.array([3.0, 0, 4.0, 0, 0, 0]) / 5
    query = Statistic(Ridge(lambda s, y: s**2 * y**2, w, power=2))
    found = dense(null_mean(null_law(HARD), query, 6))
    energy = HARD.labels.terms[0].link.second_moment
    assert found == pytest.approx(2 * energy * np.outer(w, w), abs=1e-12)
    scalar = Statistic(Ridge(lambda s, y: (s > 0) * y**2, w, kinks=(0.0,)))
    assert float(null_mean(null_law(HARD), scalar, 6)) == pytest.approx(energy / 2, rel=1e-9)


def test_the_null_answer_of_several_directions_and_noise():
    """A decoy and noise: the label keeps its own law, E[y] and E[y^2] included."""
    both = ReluRegression(5, norm=1.0, bias=-0.5).draw(
        corruptions=[Decoy(0.3, -0.2, 0.4), LabelNoise(0.2)]
    )
    null = null_law(both)
    query = Correlation(Ridge(lambda s: s**2, np.eye(5)[1]))
    mean = Quadrature().means(both, [Correlation(Ridge())], [Scale.NONE])[0].number
    assert float(null_mean(null, query, 5)) == pytest.approx(mean, rel=1e-9)


def test_turning_an_instance_turns_its_answers():
    """A member is the model in other coordinates: the same losses, budgets and overlaps."""
    model = ReluRegression(5, norm=2.0, bias=-0.5).draw(corruptions=[Decoy(0.3, -0.2, 0.4)])
    v = np.array([0.0, 0.6, 0.0, 0.8, 0.0])
    member = turned(model, v)
    assert np.array_equal(member.direction, v)
    one, two = (m.labels.terms for m in (model, member))
    assert one[0].direction @ one[1].direction == pytest.approx(v @ two[1].direction, abs=1e-12)
    assert member.opt_upper_bound == model.opt_upper_bound
    losses = [loss(m, m.target).number for m in (model, member)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-9)


def test_half_of_the_fresh_directions_are_orthogonal_to_all_frames():
    """And where frames span everything, they keep to the half seen least."""
    generator = np.random.default_rng(0)
    frames = [generator.standard_normal(10), generator.standard_normal((10, 3)), np.zeros(10)]
    drawn = fresh_directions(frames, 10, 8, generator)
    assert drawn.shape == (10, 8)
    assert np.linalg.norm(drawn, axis=0) == pytest.approx(1)
    assert np.abs(np.concatenate([frames[0][None], frames[1].T]) @ drawn[:, :4]).max() < 1e-12
    scales = np.diag([5.0] * 5 + [0.1] * 5)
    drawn = fresh_directions([scales], 10, 8, generator)
    assert np.abs(drawn[:5, :4]).max() < 1e-12


def test_an_opaque_query_needs_an_evaluator_that_samples():
    """Quadrature cannot integrate it; Monte Carlo judges the members by their means."""
    query = Correlation(Opaque(lambda x: x[:, 0] * x[:, 1]))
    with pytest.raises(QueryRefused, match="Opaque"):
        evader(HARD, 0.5).answer(Batch((query,)), 0)
    oracle = evader(HARD, 0.5, means=MonteCarlo(20_000), candidates=2)
    (answer,) = oracle.answer(Batch((query,)), 0)
    assert float(answer) == 0.0


def test_a_function_that_cannot_be_evaluated_is_noticed():
    """Though nothing is integrated, a query must be one."""
    broken = Correlation(Ridge(lambda s: s[:3], np.eye(6)[0]))
    with pytest.raises(BadInput, match="h returned shape"):
        evader(HARD, 10.0).answer(Batch((broken,)), 0)


def test_an_error_above_the_radius_is_confessed():
    """Neither null answer nor member can be judged where the evaluator is too coarse."""

    class Coarse:
        def means(self, instance, queries, scales, *, seed, turn):
            return [Mean(np.asarray(0.0), 1.0) for _ in queries]

    oracle: Evader[Any] = Evader(
        family_of(HARD), tolerance=Absolute(1e-3), means=Coarse(), candidates=2
    )
    with pytest.raises(ToleranceUnreachable, match="Coarse on query"):
        oracle.answer(Batch((question(0, 0, labelled=False),)), 0)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (3, "made of a problem, an instance or a list"),
        ([], "made of a problem"),
        ([HARD, 4], "holds int"),
        ([HARD, cubics(1, 6)[0]], "must be told the same"),
    ],
    ids=["number", "empty", "mixed", "problems"],
)
def test_what_is_no_family_is_named(what, message):
    """Found, wanted, and what to do."""
    with pytest.raises(BadInput, match=message):
        family_of(what)
    assert isinstance(family_of(HARD.problem), Family)


def test_options_are_checked():
    """A tolerance says its norm, and candidates are drawn at least one at a time."""
    with pytest.raises(BadInput, match="wanted for example L2"):
        Evader(family_of(HARD), tolerance=0.1)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="at least one direction"):
        evader(HARD, 0.1, candidates=0)


def test_directions_beyond_memory_are_refused_before_they_are_drawn():
    """With the estimate."""
    with pytest.raises(BadInput, match="GiB"):
        evader(HARD, 0.1, candidates=10**9)
