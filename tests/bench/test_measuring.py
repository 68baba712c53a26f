"""Small parts of the measuring: memory marks, machine, ceilings, traces, traffic, roofs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from pydantic import ValidationError

from fa_mobile.bench import bandwidth, ceiling, memory
from fa_mobile.bench.chains import LENGTH, Chain
from fa_mobile.bench.device import cpu_name, differences, isa_flags
from fa_mobile.bench.part_programs import programs
from fa_mobile.bench.parts import CELLS, FRONT, NO_ALIGN, NO_SUMS, WHOLE
from fa_mobile.bench.profile import kind_of, parse_trace
from fa_mobile.bench.roofline import roof
from fa_mobile.bench.schema import Ceiling, Roof
from fa_mobile.bench.subjects import is_one_call, tile_areas
from fa_mobile.bench.traffic import bundle_traffic, moved
from fa_mobile.denoiser import MemberDenoiser, RawDenoiser
from fa_mobile.errors import UserError
from fa_mobile.folding import UNFOLDED, FoldPlan
from tests.bench.reports import ABSENT, HOST, PHONE, entry_of, report_of, timing_of
from tests.conftest import visible_array
from tests.fakes import fake_manifest

SMALL = Chain(3, 8, 16)


def test_peak_is_set_back_and_grows_by_what_is_allocated() -> None:
    base = memory.reset_peak()
    if base is None:
        pytest.skip("this system has no /proc/self/clear_refs")
    before = memory.peak()
    block = np.ones(64 * 2**20 // 8)
    after = memory.peak()
    assert before is not None and after is not None
    assert 50 * 2**20 < after - base < 200 * 2**20 and block.size
    del block
    assert memory.peak() == pytest.approx(after, rel=0.05)


def test_memory_where_there_is_no_proc(tmp_path: Path) -> None:
    assert memory.reset_peak(tmp_path / "none", tmp_path / "x" / "none") is None
    assert memory.peak(tmp_path / "none") is None
    assert memory.parse_status("VmRSS:\t  12 kB\nVmHWM:\t  34 kB\n", "VmHWM") == 34 * 1024


def test_cpuinfo_of_both_kinds() -> None:
    x86 = "processor : 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx2 fma avx512_vnni\n"
    arm = "CPU implementer\t: 0x41\nFeatures\t: fp asimd asimddp i8mm\nCPU part\t: 0xd0b\n"
    assert cpu_name(x86) == "AMD EPYC" and isa_flags(x86) == ("avx2", "fma", "avx512_vnni")
    assert cpu_name(arm) == "ARM implementer 0x41 part 0xd0b"
    assert isa_flags(arm) == ("asimd", "asimddp", "i8mm")
    assert cpu_name("") is None and isa_flags("") == ()


def test_devices_differ_by_what_times_depend_on() -> None:
    assert differences(HOST, HOST.model_copy(update={"kernel": "6.12"})) == []
    assert differences(HOST, HOST.model_copy(update={"cores": 4})) == ["cores is 2, was 4"]
    assert differences(HOST, PHONE) == ["device is a host, was a phone"]
    cooler = PHONE.model_copy(update={"temperature_start_c": 20.0})
    assert differences(PHONE, cooler) == []


def test_largest_cache(tmp_path: Path) -> None:
    for index, size in enumerate(("64K", "2048K", "32M")):
        (tmp_path / f"index{index}").mkdir()
        (tmp_path / f"index{index}" / "size").write_text(f"{size}\n")
    assert bandwidth.largest_cache(tmp_path) == 32 * 2**20
    assert bandwidth.largest_cache(tmp_path / "none") == 0


@pytest.mark.parametrize("precision", ceiling.PRECISIONS)
def test_onnx_chains_are_fused_into_the_runtimes_convolutions(
    precision: str, tmp_path: Path
) -> None:
    from fa_mobile.targets.onnx import optimized_operators

    path = tmp_path / "chain.onnx"
    path.write_bytes(ceiling.chain_bytes("onnx", precision, SMALL))
    operators, _ = optimized_operators(path)
    wanted = {"fp32": {"Conv": LENGTH}, "int8": {"QLinearConv": LENGTH}}[precision]
    ends = {"QuantizeLinear", "DequantizeLinear"} if precision == "int8" else set()
    assert {k: v for k, v in operators.items() if k not in ends} == wanted
    x = np.zeros((1, SMALL.channels, SMALL.side, SMALL.side), np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert session.run(None, {"x": x})[0].shape == x.shape


def test_executorch_chain_runs(tmp_path: Path) -> None:
    from fa_mobile.runtimes.executorch import load_methods

    path = tmp_path / "chain.pte"
    path.write_bytes(ceiling.chain_bytes("executorch", "fp32", SMALL))
    x = np.ones((1, SMALL.channels, SMALL.side, SMALL.side), np.float32)
    (y,) = load_methods(path)["forward"]([x])
    assert y.shape == x.shape


def test_chains_are_exported_once(tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        found = ceiling.chain_subjects(["onnx"], tmp_path, said.append, [SMALL])
    assert len(said) == len(found) == len(list(tmp_path.iterdir())) == 2
    made = ceiling.ceilings(found, {key: [2.0, 1.0] for key in found})
    assert [c.precision for c in made] == ["int8", "fp32"]
    assert made[0].gmacs_per_s == pytest.approx(SMALL.gmacs * 1000)
    with pytest.raises(UserError, match=r"coreml .* onnx, executorch"):
        ceiling.chain_bytes("coreml", "int8", SMALL)


def event(name: str, operator: str, duration: float, peak: int = 0) -> dict[str, object]:
    facts = {"op_name": operator, "mem_in_use_peak": str(peak)}
    return {"cat": "Node", "name": f"{name}_kernel_time", "dur": duration, "args": facts}


def test_trace_counts_each_node_once_by_its_median() -> None:
    trace = [
        {"cat": "Session", "name": "model_run", "dur": 9999, "args": {}},
        *(event("a", "QLinearConv", d, 500) for d in (9000, 1000, 1200)),
        *(event("b", "QLinearConv", d) for d in (500, 500, 500)),
        *(event("c", "Mystery", d, 700) for d in (100, 100, 100)),
        *(event("if", "If", d) for d in (9999, 9999, 9999)),
    ]
    operators, arena = parse_trace(trace)
    assert operators == (("QLinearConv", 2, 1.7), ("Mystery", 1, 0.1)) and arena == 700
    assert kind_of("QLinearConv") == "convolution" and kind_of("Mystery") == "other"
    assert parse_trace([]) == ((), None)


def test_roof_is_the_lower_of_both() -> None:
    given = {
        "executed_gmacs_per_mp": 5.0, "nominal_gmacs_per_mp": 2.5, "ms_per_mp": 100.0,
        "ceiling_gmacs_per_s": 200.0, "bandwidth_gbytes_per_s": 20.0,
    }  # fmt: skip
    compute = roof(bytes_per_mp=0.1e9, **given)
    assert (compute.bound, compute.allowed_gmacs_per_s) == ("compute", 200.0)
    assert compute.executed_gmacs_per_s == 50 and compute.nominal_gmacs_per_s == 25
    memory_bound = roof(bytes_per_mp=1e9, **given)
    assert memory_bound.bound == "memory"
    assert memory_bound.allowed_gmacs_per_s == pytest.approx(100)
    assert memory_bound.share == pytest.approx(0.5) and memory_bound.gbytes_per_s == 10


def ceiling_of(samples_ms: list[float], gmacs: float = 2.0) -> Ceiling:
    return Ceiling(
        target="onnx", precision="int8", kernel=3, channels=64, side=64, gmacs=gmacs,
        samples_ms=tuple(samples_ms), gmacs_per_s=gmacs / min(samples_ms) * 1000,
    )  # fmt: skip


def test_share_of_the_ceiling_is_taken_round_by_round() -> None:
    """A round in which the machine was half as fast for both leaves the share as it is."""
    samples = [10.0, 20.0, 10.0, 10.0]
    middle = timing_of(samples).median_ms
    placed = Roof(
        executed_gmacs_per_s=1.0 / middle * 1000, nominal_gmacs_per_s=1, macs_per_byte=1,
        gbytes_per_s=1, allowed_gmacs_per_s=100, share=0.5, bound="compute",
    )  # fmt: skip
    missing = {name: reason for name, reason in ABSENT.items() if name != "roof"}
    entry = entry_of(samples, [5.0] * 4, roof=placed, missing=missing)
    found = report_of(
        entry,
        ceilings=(ceiling_of([8.0, 16.0, 8.0, 8.0]),),
        missing={"bandwidth": "not run: a test"},
    )
    # One GMAC in 10 ms beside two in 8 ms.
    assert found.share_of_ceiling(entry) == pytest.approx(0.1 / 0.25)
    with pytest.raises(ValidationError, match="rounds"):
        report_of(entry, ceilings=(ceiling_of([8.0]),), missing={"bandwidth": "not run: a test"})
    assert report_of(entry).share_of_ceiling(entry) is None


def member_of(network: str) -> MemberDenoiser:
    (member,) = RawDenoiser(visible_array(1, network)).eval().members
    assert isinstance(member, MemberDenoiser)
    return member


def test_traffic_counts_every_tensor_once_an_operator() -> None:
    """By hand for the plain U-Net's operators, in elements per packed position."""
    one = moved(member_of("plain"), 8, lambda _path, _operator: 1)
    four = moved(member_of("plain"), 8, lambda _path, _operator: 4)
    assert four.per_pixel == pytest.approx(4 * one.per_pixel)
    assert one.weights == sum(p.numel() for p in member_of("plain").parameters() if p.dim() > 1)
    only_head = moved(member_of("plain"), 8, lambda path, _: int(path == "network.head"))
    assert only_head.per_pixel == pytest.approx((4 + 20) / 4)  # 4 in, 20 out, 4 pixels a position
    assert only_head.weights == 4 * 20 * 9
    blocks = moved(member_of("plain"), 8, lambda path, _: int(path == "network.enc0.blocks.0"))
    assert blocks.per_pixel == pytest.approx(3 * 20 / 4)  # the residual sum: two in, one out


def test_bundle_traffic_takes_the_fold_of_the_manifest_and_its_islands() -> None:
    facts = fake_manifest().network.model_copy(update={"executed_gmacs_per_mp": 2.66875})
    manifest = fake_manifest(network=facts, precision="int8")
    plans = [FoldPlan(group_width=None), UNFOLDED]
    int8 = bundle_traffic(manifest, 1.0, plans)
    islands = fake_manifest(network=facts, precision="int8", float_islands=("0.head", "3.tail"))
    with_island = bundle_traffic(islands, 1.0, plans)
    assert int8 is not None and with_island is not None
    assert with_island.per_pixel - int8.per_pixel == pytest.approx(3 * (4 + 20) / 4)
    assert bundle_traffic(fake_manifest(), 1.0, plans) is None


def test_tiles_of_a_frame() -> None:
    manifest = fake_manifest()  # stride 8, halo 16, tile 64
    assert is_one_call(manifest, 64, 24) and tile_areas(manifest, 64, 24) == [64 * 24]
    assert not is_one_call(manifest, 64, 20) and not is_one_call(manifest, 72, 64)
    assert tile_areas(manifest, 96, 64) == [64 * 64] * 2
    assert is_one_call(fake_manifest(fixed_shape=True), 64, 64)
    assert not is_one_call(fake_manifest(fixed_shape=True), 64, 32)


def test_parts_of_mobile_run_and_are_parts() -> None:
    """Each program takes what it is given, and leaving out Feature-Align changes the result."""
    with torch.no_grad():
        made = {name: module(*example) for name, (module, example, _) in programs(128, 128).items()}
    assert made[WHOLE].shape == (1, 1, 128, 128)
    assert {made[name].shape for name in (CELLS, FRONT, NO_ALIGN, NO_SUMS)} == {(1, 32, 32, 16)}
    assert not torch.equal(made[CELLS], made[FRONT])
    assert not torch.equal(made[CELLS], made[NO_ALIGN])
    assert not torch.equal(made[NO_ALIGN], made[NO_SUMS])
