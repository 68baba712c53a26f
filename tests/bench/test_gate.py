"""The gate on planted numbers, and its silence on honest reruns of real graphs."""

from __future__ import annotations

import random

import pytest

from fa_mobile.bench import ceiling_onnx
from fa_mobile.bench.chains import Chain
from fa_mobile.bench.gate import Comparison, compare, confirmed
from fa_mobile.bench.jobs import ChainSubject
from fa_mobile.bench.schema import Report
from fa_mobile.bench.subjects import ready
from fa_mobile.bench.timing import race, repeats_for
from fa_mobile.errors import UserError
from tests.bench.reports import COUNTS, HOST, PEER, SETTINGS, entry_of, report_of

BASE = [150.0 + i % 4 for i in range(15)]
ELSEWHERE = HOST.model_copy(update={"cpu": "Another CPU", "flags": ("avx2", "avx512_vnni")})


def grown(**factors: float) -> Report:
    """The base report with some counts multiplied."""
    values = {name: getattr(COUNTS, name) * factor for name, factor in factors.items()}
    return report_of(entry_of(BASE, counts=COUNTS.model_copy(update=values)))


def found(now: Report, then: Report | None = None) -> list[str]:
    return [str(line) for line in compare(now, then or report_of(entry_of(BASE))).regressions]


@pytest.mark.parametrize(
    ("field", "title"),
    [
        ("executed_gmacs_per_mp", "executed GMACs/MP"),
        ("bundle_bytes", "bundle bytes"),
        ("arena_bytes", "arena bytes"),
        ("delegated", "delegated operators"),
        ("undelegated", "undelegated operators"),
    ],
)
def test_counts_may_grow_by_one_percent_and_no_more(field: str, title: str) -> None:
    (line,) = found(grown(**{field: 1.05}))
    assert line.startswith("bundle at 1024 x 1024: " + title) and "(+5.0 %)" in line
    assert found(grown(**{field: 1.015})) != [] and found(grown(**{field: 1.005})) == []
    assert found(grown(**{field: 0.5})) == []


def test_instructions_are_compared_cpu_by_cpu() -> None:
    def with_instructions(**counts: float) -> Report:
        named = {name.replace("_", "-"): count for name, count in counts.items()}
        changed = COUNTS.model_copy(update={"instructions_per_mp": named})
        return report_of(entry_of(BASE, counts=changed))

    before = with_instructions(cortex_a76=1e9, cortex_a55=1e9)
    result = compare(with_instructions(cortex_a76=1.015e9, cortex_a710=1e9), before)
    assert [line.quantity for line in result.regressions] == ["instructions per MP on cortex-a76"]
    assert sum("not counted in both" in line for line in result.skipped) == 2
    assert found(with_instructions(cortex_a76=1.005e9), before) == []


def test_an_operator_where_there_was_none_is_a_regression() -> None:
    none = report_of(entry_of(BASE, counts=COUNTS.model_copy(update={"undelegated": 0})))
    assert "was none" in found(report_of(entry_of(BASE)), none)[0]


def test_time_needs_a_large_and_a_sure_growth() -> None:
    slower = [sample * 1.2 for sample in BASE]
    (line,) = found(report_of(entry_of(slower)))
    assert "time over peer" in line and "+20.0 %" in line and "p = " in line
    sure_but_small = [sample * 1.05 for sample in BASE]
    assert found(report_of(entry_of(sure_but_small))) == []
    rng = random.Random(0)
    large_but_unsure = [sample * rng.choice((0.6, 1.25, 1.3)) for sample in BASE]
    noisy = [sample * rng.choice((0.6, 1.0, 1.4)) for sample in BASE]
    now, then = report_of(entry_of(large_but_unsure)), report_of(entry_of(noisy))
    assert now.entries[0].ratio and then.entries[0].ratio
    assert now.entries[0].ratio.median > 1.1 * then.entries[0].ratio.median
    assert found(now, then) == []


def test_time_that_grew_in_the_median_only_is_noise() -> None:
    """Ten of fifteen rounds disturbed: the fastest ones are what they were."""
    disturbed = [sample * (1.3 if i % 3 else 1.0) for i, sample in enumerate(BASE)]
    now, then = report_of(entry_of(disturbed)), report_of(entry_of(BASE))
    assert now.entries[0].ratio and then.entries[0].ratio
    assert now.entries[0].ratio.median > 1.2 * then.entries[0].ratio.median
    assert found(now) == []


def test_a_time_must_be_slower_twice_and_a_count_once() -> None:
    slower = [sample * 1.3 for sample in BASE]
    bigger = COUNTS.model_copy(update={"bundle_bytes": 2_000_000})
    then = report_of(entry_of(BASE))
    first = compare(report_of(entry_of(slower, counts=bigger)), then)
    assert [line.quantity for line in first.slower] == ["time over peer"]
    assert confirmed(first, first).regressions == first.regressions
    once = confirmed(first, compare(report_of(entry_of(BASE)), then))
    assert [line.quantity for line in once.regressions] == ["bundle bytes"]
    assert any("not seen again" in line and "+30.0 %" in line for line in once.skipped)


def test_a_slower_machine_is_no_regression() -> None:
    """Twice the milliseconds for bundle and peer alike: the ratio is what it was."""
    now = report_of(entry_of([2 * s for s in BASE], [2 * s for s in PEER]))
    assert found(now) == []


def test_too_few_rounds_are_said_to_judge_nothing() -> None:
    few = report_of(entry_of([sample * 2 for sample in BASE[:5]], PEER[:5]))
    result = compare(few, report_of(entry_of(BASE[:5], PEER[:5])))
    assert result.regressions == ()
    assert any("can never reach p" in line for line in result.skipped)


def test_other_machines_and_settings_are_refused_by_name() -> None:
    then = report_of(entry_of(BASE))
    with pytest.raises(UserError) as error:
        compare(report_of(entry_of(BASE), device=ELSEWHERE), then)
    for part in ("Another CPU", "was Test CPU", "avx512_vnni", "--counts-only"):
        assert part in str(error.value)
    changed = SETTINGS.model_copy(update={"threads": 2, "gain": 4.0})
    with pytest.raises(UserError, match="threads is 2, was 1; gain is 4, was 16"):
        compare(report_of(entry_of(BASE), settings=changed), then)


def test_counts_of_another_machine_can_be_compared() -> None:
    now = grown(bundle_bytes=1.05).model_copy(update={"device": ELSEWHERE})
    result = compare(now, report_of(entry_of([1.0] * 15)), counts_only=True)
    assert [line.quantity for line in result.regressions] == ["bundle bytes"]
    assert any("time" in line for line in result.skipped)


def test_another_peer_is_not_compared_with() -> None:
    entry = entry_of([sample * 2 for sample in BASE])
    assert entry.ratio is not None
    other = entry.ratio.model_copy(update={"peer_sha256": "c" * 64})
    result = compare(
        report_of(entry.model_copy(update={"ratio": other})), report_of(entry_of(BASE))
    )
    assert result.regressions == ()
    assert any("another bundle than in the baseline" in line for line in result.skipped)


def test_bundles_and_sizes_that_only_one_report_has_are_named() -> None:
    now = report_of(entry_of(BASE), entry_of(BASE, bundle="new"))
    then = report_of(entry_of(BASE), entry_of(BASE, bundle="old"))
    result = compare(now, then)
    assert "new at 1024 x 1024: in the new run only" in result.skipped
    assert "old at 1024 x 1024: in the baseline only" in result.skipped
    with pytest.raises(UserError, match="nothing in common"):
        compare(report_of(entry_of(BASE, width=512)), report_of(entry_of(BASE)))


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ChainSubject]:
    """Tiny networks of a millisecond or two; "slow" does more than twice the work of "bundle"."""
    folder = tmp_path_factory.mktemp("graphs")
    chains = {"bundle": Chain(3, 32, 48), "peer": Chain(3, 48, 40), "slow": Chain(3, 48, 48)}
    subjects = {}
    for name, chain in chains.items():
        path = folder / f"{name}.onnx"
        path.write_bytes(ceiling_onnx.chain_model(chain, "fp32"))
        subjects[name] = ChainSubject(
            key=name, file=str(path), target="onnx", channels=chain.channels, side=chain.side
        )
    return subjects


def run_of(graphs: dict[str, ChainSubject], bundle: str, rounds: int = 15) -> Report:
    """One run as ``fa-mobile bench`` makes it: loaded anew, interleaved, all samples kept."""
    calls = {name: ready(graphs[name], 1) for name in (bundle, "peer")}
    repeats = {name: repeats_for(call, least_ms=20) for name, call in calls.items()}
    samples = race(calls, rounds=rounds, repeats=repeats).samples_ms
    return report_of(entry_of(samples[bundle], samples["peer"]))


def judged(graphs: dict[str, ChainSubject], bundle: str, baseline: Report) -> Comparison:
    """As the command judges: what seems slower is timed once more."""
    result = compare(run_of(graphs, bundle), baseline)
    if result.slower:
        result = confirmed(result, compare(run_of(graphs, bundle), baseline))
    return result


def test_silent_on_ten_honest_reruns(graphs: dict[str, ChainSubject]) -> None:
    baseline = run_of(graphs, "bundle", rounds=50)
    results = [judged(graphs, "bundle", baseline) for _ in range(10)]
    assert [str(line) for result in results for line in result.regressions] == []
    assert all(result.compared == 7 for result in results)  # six counts and the time


def test_catches_a_graph_that_became_slower(graphs: dict[str, ChainSubject]) -> None:
    """More than twice the work: the time says so, by ratio and p."""
    (line,) = judged(graphs, "slow", run_of(graphs, "bundle", rounds=50)).regressions
    assert line.quantity == "time over peer" and line.growth > 1.5
    assert line.p is not None and line.p < 0.002
