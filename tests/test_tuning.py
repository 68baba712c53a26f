"""The tuner: its rewrites are exact, its search keeps the fastest, its table refuses nonsense."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fa_mobile import exporting
from fa_mobile.cli.show_tuning import show_entries, trial_row
from fa_mobile.denoiser import MemberDenoiser
from fa_mobile.errors import UserError
from fa_mobile.folding import FoldPlan, fold
from fa_mobile.folding.modulation import ResidualAlign
from fa_mobile.folding.mosaic import MosaicMember
from fa_mobile.networks.feature_align import FeatureAlignNet
from fa_mobile.sensor import SensorProfile
from fa_mobile.targets import tuned
from fa_mobile.targets.tuned import Entry, Table, Trial, parse_table, plan_for
from fa_mobile.tuning import __main__ as script
from fa_mobile.tuning import recipes
from fa_mobile.tuning.build import Workbench
from fa_mobile.tuning.candidates import CANDIDATES, untried_fields, with_value
from fa_mobile.tuning.search import Call, Found, Refused, Search
from fa_mobile.tuning.tune import Request, present_plan, tune
from tests.conftest import visible_array, write_recipe

EXACT = 1e-10
PLANS = [
    *(FoldPlan(upsample=form) for form in ("transposed", "shuffle")),
    *(FoldPlan(mosaic=form) for form in ("planes", "convolution", "stem")),
    FoldPlan(mosaic="stem", pooling=False, fuse_heads=True),
    FoldPlan(modulation="residual"),
    FoldPlan(dense_heads=True, group_width=8),
    FoldPlan(mosaic="stem", upsample="shuffle", modulation="residual", group_width=None),
]
START = FoldPlan(group_width=16)


def biased_array(network: str) -> nn.Module:
    """One member whose biases differ from channel to channel: an untrained one's are zeros."""
    found = visible_array(1, network).networks[0]
    for parameter in found.parameters():
        if parameter.ndim == 1:
            nn.init.normal_(parameter, std=0.01)
    return found


@pytest.mark.parametrize("plan", PLANS, ids=str)
@pytest.mark.parametrize("name", ["mobile", "paper", "plain"])
def test_rewrites_are_exact(profile: SensorProfile, name: str, plan: FoldPlan) -> None:
    anchor = visible_array(1, name).spec.anchors[0]
    member = MemberDenoiser(biased_array(name), anchor, profile).double().eval()
    raw = 200 + 600 * torch.rand(1, 1, 32, 48, dtype=torch.float64)
    noise = [torch.tensor([value], dtype=torch.float64) for value in profile.noise(4)]
    with torch.no_grad():
        expected, given = member(raw, *noise), fold(member, plan)(raw, *noise)
    assert (expected - raw).abs().max() > 1
    # The bound is for a signal of 0..1, this one is in DN.
    assert float((expected - given).abs().max()) <= EXACT * 1023


def test_stem_takes_the_mosaic_itself(profile: SensorProfile) -> None:
    array = visible_array(1)
    member = MemberDenoiser(array.networks[0], array.spec.anchors[0], profile).eval()
    folded = fold(member, FoldPlan(mosaic="stem"))
    assert isinstance(folded, MosaicMember) and isinstance(folded.pack, nn.Identity)
    assert isinstance(folded.network, FeatureAlignNet)
    assert folded.network.head.weight.shape == (20, 1, 6, 6)
    assert array.networks[0].head.weight.shape == (20, 4, 3, 3)  # the original stays


def test_residual_modulation_takes_two_heads_only() -> None:
    network = visible_array(1).networks[0]
    fused = fold(network, FoldPlan(modulation="residual", fuse_heads=True))
    assert not any(isinstance(module, ResidualAlign) for module in fused.modules())


def test_every_field_of_a_plan_is_tuned() -> None:
    assert not untried_fields()
    for name, values in CANDIDATES.items():
        assert getattr(FoldPlan(), name) in values
        assert getattr(START, name) in values


class FakeRuntime:
    """Plans whose times are made up: ``costs[field][value]`` multiply."""

    def __init__(self, costs: Mapping[str, Mapping[Any, float]], refused: Sequence[str] = ()):
        self.costs, self.refused = costs, refused
        self.built: list[FoldPlan] = []
        self.now = 0.0

    def build(self, plan: FoldPlan) -> Call:
        self.built.append(plan)
        self.now += 10
        for name in self.refused:
            if getattr(plan, name) != getattr(START, name):
                raise Refused(f"{name} left outside: aten.cat x2")
        return lambda: self.cost(plan)

    def cost(self, plan: FoldPlan) -> float:
        time = 100.0
        for name, values in self.costs.items():
            time *= values.get(getattr(plan, name), 1.0)
        return time

    def measure(self, calls: Mapping[str, Call]) -> Mapping[str, Sequence[float]]:
        # The rounds drift together, as on a busy machine.
        return {
            key: [float(call()) * drift for drift in (1.0, 1.5, 1.2)]  # type: ignore[arg-type]
            for key, call in calls.items()
        }

    def search(self, budget_s: float = 1e6, **changes: Any) -> Found:
        given = {"shape": str, "measure": self.measure} | changes
        search = Search(
            START, self.build, report=lambda _: None, budget_s=budget_s,
            clock=lambda: self.now, **given,
        )  # fmt: skip
        return search.run()


def trial(found: Found, name: str, value: object) -> Trial:
    (one,) = (t for t in found.trials if t.field == name and t.value is value)
    return one


def test_search_keeps_the_fastest_of_each_field() -> None:
    runtime = FakeRuntime({"group_width": {None: 0.5, 8: 0.9}, "mosaic": {"planes": 0.8}})
    found = runtime.search()
    assert found.plan == replace(START, group_width=None, mosaic="planes")
    assert found.ratio == pytest.approx(0.4)
    kept = trial(found, "group_width", None)
    assert kept.kept and kept.times is not None and kept.times.median_ratio == 0.5
    assert not trial(found, "group_width", 8).kept
    # The next field starts from what was kept.
    assert runtime.built[-1] == replace(found.plan, modulation="residual")


def test_search_stays_within_the_noise() -> None:
    found = FakeRuntime({"group_width": {None: 0.99}}).search()
    assert found.plan == START and found.ratio == 1
    assert trial(found, "group_width", 16).kept


def test_luck_among_many_is_not_kept() -> None:
    runtime = FakeRuntime({})

    def measure(calls: Mapping[str, Call]) -> Mapping[str, Sequence[float]]:
        lucky = {"8": 0.8} if len(calls) > 2 else {}
        return {key: [lucky.get(key, 1.0)] for key in calls}

    assert runtime.search(measure=measure).plan == START


def test_refused_values_are_recorded() -> None:
    runtime = FakeRuntime({"fuse_heads": {True: 0.1}}, refused=["fuse_heads"])
    found = runtime.search()
    assert found.plan == START
    refused = trial(found, "fuse_heads", True)
    assert refused.reason == "refused: fuse_heads left outside: aten.cat x2"
    assert refused.times is None


def test_a_start_that_is_refused_ends_the_search() -> None:
    def build(plan: FoldPlan) -> Call:
        raise Refused("no")

    runtime = FakeRuntime({})
    runtime.build = build  # type: ignore[method-assign]
    with pytest.raises(Refused, match="no"):
        runtime.search()


def test_plans_that_fold_alike_are_built_once() -> None:
    runtime = FakeRuntime({})
    found = runtime.search(shape=lambda plan: str(plan.upsample))
    assert {t.field for t in found.trials} == {"upsample"}
    assert len(runtime.built) == 1 + 2


def test_search_ends_with_its_time() -> None:
    found = FakeRuntime({"dense_heads": {True: 0.5}}).search(budget_s=15)
    assert found.plan == replace(START, dense_heads=True)  # built in time, and measured
    assert trial(found, "mosaic", "planes").reason == "not run: the time for this search was over"


def test_gains_that_do_not_add_up_are_dropped() -> None:
    runtime = FakeRuntime({"group_width": {0: 0.5}})

    def measure(calls: Mapping[str, Call]) -> Mapping[str, Sequence[float]]:
        if "plan" in calls:
            return {"present": [1.0, 1.0], "plan": [1.1, 1.1]}
        return runtime.measure(calls)

    assert runtime.search(measure=measure).plan == START


def entry(**changes: Any) -> dict[str, Any]:
    times = {"min_ms": 10.0, "median_ms": 11.0, "min_ratio": 0.9, "median_ratio": 0.9}
    return {
        "target": "onnx",
        "precision": "fp32",
        "network": "paper",
        "start": {"group_width": 16},
        "plan": {"group_width": None, "mosaic": "planes"},
        "ratio": 0.9,
        "conditions": {
            "date": "2025-01-31", "cpu": "a cpu", "versions": {"onnxruntime": "1.31.0"},
            "side": 512, "threads": 1, "rounds": 15,
        },
        "trials": [
            {"field": "group_width", "value": None, "kept": True, "times": times},
            {"field": "skips", "value": False, "kept": False, "times": None, "reason": "refused"},
        ],
    } | changes  # fmt: skip


def table(*entries: dict[str, Any], **changes: Any) -> str:
    return json.dumps({"schema_version": 1, "entries": entries} | changes)


def test_table_is_read() -> None:
    read = parse_table(table(entry()), source="tuned.json")
    found = read.entry("onnx", "fp32", "paper")
    assert found is not None and found.plan == FoldPlan(group_width=None, mosaic="planes")
    assert parse_table(read.model_dump_json(), source="again") == read
    assert read.entry("onnx", "int8", "paper") is None


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "Invalid JSON"),
        (table(schema_version=2), "schema_version.*given 2"),
        (table(extra=1), "extra"),
        (table(entry(plan={"groups": 1})), "plan.groups"),
        (table(entry(plan={"mosaic": "tiles"})), "plan.mosaic.*'stem'.*given 'tiles'"),
        (table(entry(plan={"pooling": "yes"})), "plan.pooling"),
        (table(entry(target="tflite")), "allowed are executorch, onnx, coreml"),
        (table(entry(precision="fp16")), "allowed: fp32, int8"),
        (table(entry(network="unet")), "network 'unet'"),
        (table(entry(ratio=0.0)), "ratio"),
        (table(entry(), entry()), "more than one entry for onnx fp32 paper"),
        (table(entry(trials=[{"field": "skips", "value": True, "kept": False, "times": None}])),
         "either times or a reason"),
        (table(entry(trials=[{"field": "skips", "value": True, "kept": True, "times": None,
                              "reason": "refused"}])), "cannot be kept"),
    ],
)  # fmt: skip
def test_damaged_tables_are_refused(text: str, part: str) -> None:
    with pytest.raises(UserError, match=rf"tuned\.json: .*{part}.*make tune") as raised:
        parse_table(text, source="tuned.json")
    assert "\n" not in str(raised.value)


def test_targets_take_the_plan_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = parse_table(table(entry()), source="here")
    monkeypatch.setattr(tuned, "shipped_table", lambda: shipped)
    said: list[str] = []
    found = plan_for("onnx", "fp32", "paper", START, said.append)
    assert found == FoldPlan(group_width=None, mosaic="planes")
    assert said == ["folds: measured on a cpu, 2025-01-31"]
    assert plan_for("onnx", "int8", "paper", START, said.append) == START
    assert "a guess, tuned.json has no entry for paper" in said[1]


def test_shipped_table_is_whole() -> None:
    for kept in tuned.shipped_table().entries:
        assert kept.trials and 0 < kept.ratio <= 1
        assert present_plan(Request(target=kept.target, precision=kept.precision,
                                    network=kept.network)) == kept.plan  # fmt: skip


def test_write_replaces_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tuned.json"
    monkeypatch.setattr(script, "TUNED_FILE", path)
    first = Entry.model_validate_json(json.dumps(entry()))
    script.write_entry(first)
    script.write_entry(first.model_copy(update={"precision": "int8"}))
    script.write_entry(first.model_copy(update={"ratio": 0.5}))
    read = parse_table(path.read_text(), source="it")
    assert [(e.precision, e.ratio) for e in read.entries] == [("fp32", 0.5), ("int8", 0.9)]


def test_one_entry_in_a_real_runtime() -> None:
    request = Request(
        target="onnx", precision="fp32", network="mobile", side=64, rounds=2, budget_s=1e-3
    )
    found = tune(request, lambda _: None)
    assert found.start == found.plan == present_plan(request) and found.ratio == 1
    assert found.conditions.threads == 1 and "onnxruntime" in found.conditions.versions
    # No time was left for another plan; what changes nothing in this network is not listed.
    assert {t.reason for t in found.trials} == {"not run: the time for this search was over"}
    changing = {"fuse_heads", "merge", "modulation", "mosaic", "upsample"}
    assert {t.field for t in found.trials} == changing
    assert Table().with_entry(found).entry("onnx", "fp32", "mobile") == found


def test_what_runtimes_raise_is_a_refusal_without_paths(tmp_path: Path) -> None:
    bench = Workbench("onnx", "fp32", "mobile", 64, tmp_path)

    def broken(plan: FoldPlan) -> Call:
        raise RuntimeError(f"{tmp_path}/model.onnx cannot be loaded\nTraceback ...")

    bench._make = broken  # type: ignore[method-assign]
    with pytest.raises(Refused, match=r"^RuntimeError: model\.onnx cannot be loaded$"):
        bench.build(START)

    def infinite(plan: FoldPlan) -> Call:
        return lambda: Tensor([float("inf")]).numpy()

    bench._make = infinite  # type: ignore[method-assign]
    with pytest.raises(Refused, match="not finite"):
        bench.build(START)


def test_a_recipe_is_tuned_where_its_runtimes_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_recipe(tmp_path, tile=128)
    extra = '[[target]]\nname = "coreml"\nprecisions = ["fp16"]\n'
    path.write_text(path.read_text() + extra, encoding="utf-8")
    asked: list[Request] = []

    def fake(request: Request, report: Any) -> Entry:
        asked.append(request)
        report("a step")
        return Entry.model_validate_json(json.dumps(entry()))

    monkeypatch.setattr(recipes, "tune_apart", fake)
    said: list[str] = []
    (found,) = recipes.tune_recipe(path, said.append)
    assert found.network == "paper"
    assert asked == [Request(target="onnx", precision="fp32", network="paper")]
    assert said[0] == "onnx fp32 paper: a step"
    assert "coreml fp16 paper: not run" in said[1]
    with pytest.raises(UserError, match="target executorch was asked for"):
        recipes.tune_recipe(path, said.append, ["executorch"])


def test_an_export_takes_the_plans_that_were_found(
    tiny_recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[FoldPlan | None] = []
    monkeypatch.setattr(exporting, "_export_one", lambda *_, folds, **__: taken.append(folds))
    plans = {("onnx", "fp32"): START, ("onnx", "int8"): FoldPlan()}
    exporting.export_recipe(tiny_recipe, lambda _: None, tuned=plans)
    exporting.export_recipe(tiny_recipe, lambda _: None)
    assert taken == [START, None]


def test_evidence_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    found = Entry.model_validate_json(json.dumps(entry()))
    assert trial_row(found.trials[0])[-1] == "kept"
    assert trial_row(found.trials[1]) == ["skips", "False", "-", "-", "-", "-", "refused"]
    show_entries([found])
    assert "onnx fp32, paper: 0.900" in capsys.readouterr().out


def test_plans_change_in_one_field() -> None:
    assert with_value(START, "mosaic", "planes") == FoldPlan(group_width=16, mosaic="planes")
