"""The whole benchmark on a tiny array: report, refusals, and a planted regression."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fa_mobile.bench import peers
from fa_mobile.bench.files import read_report, write_report
from fa_mobile.bench.gate import compare
from fa_mobile.bench.peers import Peer, parse_peer, peer_bundle
from fa_mobile.bench.picture import draw
from fa_mobile.bench.request import Request, resolve
from fa_mobile.bench.run import bench
from fa_mobile.bench.schema import Report
from fa_mobile.bundle import write_sums
from fa_mobile.errors import UserError
from fa_mobile.exporting import export_recipe
from fa_mobile.folding import UNFOLDED
from fa_mobile.nsma import save_checkpoint
from fa_mobile.targets import onnx
from fa_mobile.targets.base import ExportJob
from tests.bench.reports import entry_of, report_of
from tests.conftest import visible_array, write_recipe
from tests.fakes import write_fake_bundle
from tests.test_cli import fa_mobile, refused


def quiet(_line: str) -> None:
    pass


NAME = "imx258-onnx-fp32"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``good`` and ``naive``: one array of one member, folded and not."""
    folder = tmp_path_factory.mktemp("bench")
    recipe, array = write_recipe(folder, tile=128), visible_array(1)
    save_checkpoint(array, folder / "array")
    (made,) = export_recipe(recipe, quiet, folder / "good")
    naive = folder / "naive" / NAME
    shutil.copytree(made.folder, naive)
    job = ExportJob(array, "fp32", "gain", 128, [], naive, quiet)
    exported = onnx.export(job, plan=UNFOLDED)
    facts = made.manifest.network
    changes = {
        "delegated": exported.delegated,
        "model_bytes": (naive / "model.onnx").stat().st_size,
        "network": facts.model_copy(update={"executed_gmacs_per_mp": facts.gmacs_per_mp}),
    }
    text = made.manifest.model_copy(update=changes).model_dump_json(indent=2)
    (naive / "manifest.json").write_text(text)
    write_sums(naive)
    return folder


def measured(folder: Path, *bundles: str, **changes: object) -> Report:
    given = {"sizes": ((128, 128),), "rounds": 7, "threads": 1, "ceilings": False}
    names = tuple(str(folder / bundle / NAME) for bundle in bundles)
    return bench(Request(bundles=names, **(given | changes)), quiet)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    """Both beside each other, one call and tiles, with ceilings."""
    return measured(
        folder, "good", versus=str(folder / "naive" / NAME), ceilings=True,
        sizes=((128, 128), (200, 144)), peers=folder / "peers",
    )  # fmt: skip


def test_report_holds_every_bundle_at_every_size(report: Report) -> None:
    assert [e.key for e in report.entries] == [
        (f"good/{NAME}", 128, 128), (f"naive/{NAME}", 128, 128),
        (f"good/{NAME}", 200, 144), (f"naive/{NAME}", 200, 144),
    ]  # fmt: skip
    good, naive, tiled, _ = report.entries
    assert good.timing is not None and len(good.timing.samples_ms) == 7
    assert good.ratio is not None and good.ratio.peer == f"naive/{NAME}"
    assert naive.ratio is None and "is the peer" in naive.missing["ratio"]
    assert (good.tiles, tiled.tiles) == (1, 6)
    assert good.weights == "trained" and good.start is not None and good.start.load_ms > 0
    assert good.memory is not None and good.memory.peak_bytes > 2**20
    assert good.counts.arena_bytes is not None and good.counts.arena_bytes > 2**20
    assert good.operators is not None and good.operators[0].kind == "convolution"
    assert sum(o.share for o in good.operators) == pytest.approx(1)
    assert "instructions" in good.missing["instructions_per_mp"]


def test_roofline_of_a_report(report: Report, tmp_path: Path) -> None:
    good, naive, tiled, _ = report.entries
    assert report.bandwidth is not None and {c.precision for c in report.ceilings} == {
        "int8", "fp32",
    }  # fmt: skip
    assert good.roof is not None and naive.roof is not None and tiled.roof is not None
    assert good.roof.executed_gmacs_per_s > good.roof.nominal_gmacs_per_s
    assert naive.roof.executed_gmacs_per_s == pytest.approx(naive.roof.nominal_gmacs_per_s)
    assert tiled.traffic is not None and good.traffic is not None
    assert tiled.traffic.bytes_per_mp > good.traffic.bytes_per_mp  # tiles overlap
    for name in ("roof.png", "roof.svg"):
        draw(tmp_path / name, report)
    assert (tmp_path / "roof.png").read_bytes().startswith(b"\x89PNG")
    assert f"good/{NAME} at 128 x 128" in (tmp_path / "roof.svg").read_text()
    with pytest.raises(UserError, match=r"allowed endings are \.png and \.svg"):
        draw(tmp_path / "roof.gif", report)
    with pytest.raises(UserError, match="nothing to draw"):
        draw(tmp_path / "x.png", report_of(entry_of([1.0], [1.0])))


@pytest.fixture(scope="module")
def before(folder: Path) -> Report:
    """The good bundle alone."""
    return measured(folder, "good")


def test_an_unfolded_export_is_caught(folder: Path, before: Report) -> None:
    """The planted regression: the same bundle, exported without its folds."""
    result = compare(measured(folder, "naive"), before)
    assert "delegated operators" in {line.quantity for line in result.regressions}
    again = compare(measured(folder, "good"), before)
    assert again.regressions == () and again.compared == 5


def test_command_compares_and_exits_1(folder: Path, before: Report, tmp_path: Path) -> None:
    baseline, output = tmp_path / "before.json", tmp_path / "now.json"
    write_report(baseline, before)
    result = fa_mobile(
        "bench", folder / "naive" / NAME, "--side", 128, "--rounds", 7, "--threads", 1,
        "--no-ceiling", "--output", output, "--compare", baseline,
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    assert NAME in result.stdout and "no instructions were counted" in result.stdout
    assert read_report(output).entries[0].bundle == NAME
    assert "grew: " in result.stderr and "delegated operators" in result.stderr
    assert "not compared: " in result.stderr  # no --vs, so no time


def test_a_baseline_of_other_settings_is_refused_before_the_run(
    folder: Path, before: Report, tmp_path: Path
) -> None:
    baseline = tmp_path / "before.json"
    write_report(baseline, before)
    result = fa_mobile(
        "bench", folder / "naive" / NAME, "--threads", 2, "--rounds", 7, "--compare", baseline
    )
    refused(result, "threads is 2, was 1", "--counts-only")
    assert "verifying" not in result.stderr and "round" not in result.stderr


def test_what_the_command_refuses(folder: Path, tmp_path: Path) -> None:
    good = folder / "good" / NAME
    refused(fa_mobile("bench", tmp_path / "none"), "none is not a bundle")
    refused(fa_mobile("bench", "plain"), "at least one folder of a bundle", "peers pmrid, plain")
    refused(fa_mobile("bench", good, "--vs", "resnet"), "resnet", "allowed peers are pmrid, plain")
    refused(fa_mobile("bench", good, "--compare", tmp_path / "none.json"), "none.json")
    many = fa_mobile("bench", good, "--threads", 999, "--side", 128, "--no-ceiling")
    refused(many, "threads=999", "allowed are 1 to")
    apple = write_fake_bundle(tmp_path / "apple", target="coreml", name="imx258-coreml-int8")
    refused(fa_mobile("bench", apple), "coreml does not run", "executorch, onnx")


def test_a_bundle_that_does_not_verify_is_not_timed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fa_mobile.bench import run

    broken = tmp_path / "broken" / NAME
    shutil.copytree(folder / "good" / NAME, broken)
    (vector, *_) = sorted((broken / "golden").glob("*.reference.f32"))
    vector.write_bytes(bytes(len(vector.read_bytes())))
    with pytest.raises(UserError, match="another hash"):
        measured(tmp_path, "broken")
    write_sums(broken)
    monkeypatch.setattr(run, "run_child", lambda *_: pytest.fail("it was timed"))
    with pytest.raises(UserError, match=r"was not timed.*failed.*off by"):
        measured(tmp_path, "broken")


def test_names_of_peers() -> None:
    assert parse_peer("plain") == Peer("plain")
    assert parse_peer("plain-int8") == Peer("plain", precision="int8")
    assert parse_peer("plain-onnx-int8") == Peer("plain", "onnx", "int8")
    assert parse_peer("plain-onnx-int8-small") is None and parse_peer("plain-int8-onnx") is None
    assert parse_peer("dist/plain") is None and parse_peer("resnet-fp32") is None


def test_a_peer_is_exported_once_and_says_that_its_weights_are_random(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported: list[str] = []

    def export(
        name: str, target: str, precision: str, bundle: Path, tile: object, report: object
    ) -> None:
        assert tile == (128, 128)  # that of the bundle it is held against
        exported.append(f"{name} {target} {precision}")
        write_fake_bundle(bundle, checkpoint="random-plain", precision=precision)

    monkeypatch.setattr(peers, "_export", export)
    for name in ("plain", "plain-fp32", "plain-int8"):
        request = Request((str(folder / "good" / NAME),), versus=name, peers=tmp_path)
        candidates, versus = resolve(request, quiet)
        assert [c.random for c in candidates] == [False, True]
        assert versus == candidates[1].label == candidates[1].folder.name
    assert exported == ["plain onnx fp32", "plain onnx int8"]
    with pytest.raises(UserError, match=r"'resnet'.*allowed are pmrid, plain"):
        peer_bundle("resnet", "onnx", "fp32", tmp_path, (128, 128))
    with pytest.raises(UserError, match=r"onnx fp16.*onnx fp32"):
        peer_bundle("plain", "onnx", "fp16", tmp_path, (128, 128))


def test_bundles_that_cannot_be_told_apart(folder: Path) -> None:
    good = str(folder / "good" / NAME)
    (only,), _ = resolve(Request((good, good)), quiet)
    assert only.label == NAME
