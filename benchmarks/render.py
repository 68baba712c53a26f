"""Write the tables of benchmarks/README.md from the reports in benchmarks/results/.

Run by 'make docs'; the reports are what 'fa-mobile bench --output' wrote, from this machine, from
CI or from a phone's benchmark app, and what 'make equal' trained. Tables are made by
docs/render.py, which does the same for the other documents. The pictures are drawn anew as well.
"""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from fa_mobile.bench import pareto
from fa_mobile.bench.device import PhoneDevice, device_name
from fa_mobile.bench.files import read_report
from fa_mobile.bench.parts import CELLS, FRONT, NO_ALIGN, NO_SUMS, WHOLE, Parts
from fa_mobile.bench.picture import draw as draw_roofs
from fa_mobile.bench.schema import Entry, Report
from fa_mobile.bench.statistics import median
from fa_mobile.experiments.equal import EqualTrainings

HERE = Path(__file__).parent
README = HERE / "README.md"
RESULTS = HERE / "results"
EQUAL = HERE / "equal" / "trainings.json"
PARTS = HERE / "parts"
IMAGES = HERE / "images"
TIMED = "x86-1-thread"
"""The report whose int8 bundles stand in the picture of quality beside speed."""
NONE = "*No report is stored yet.*"


def _docs() -> ModuleType:
    """docs/render.py, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("docs_render", HERE.parent / "docs" / "render.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DOCS = _docs()


def reports() -> dict[str, Report]:
    """Every stored report by its file's name without the ending."""
    return {path.stem: read_report(path) for path in sorted(RESULTS.glob("*.json"))}


def conditions() -> str:
    """Machine and settings of each report."""
    rows = []
    for name, report in reports().items():
        device, settings = report.device, report.settings
        runtimes = ", ".join(f"{key} {value}" for key, value in device.runtimes.items())
        rows.append(
            [name, f"{device_name(device)}, {device.cores} cores", " ".join(device.flags),
             device.os, runtimes, str(settings.threads or "runtime's"),
             f"{settings.gain:g}", settings.kind]
        )  # fmt: skip
    header = ["report", "device", "extensions", "system", "runtimes", "threads", "gain", "kind"]
    return _table(header, rows)


def times() -> str:
    """Each bundle at each size: times, ratio to the peer, memory, attained speed."""
    rows = [
        [name, *_times(report, e)] for name, report in reports().items() for e in report.entries
    ]
    header = [
        "report", "bundle", "MP", "min ms", "median", "p90", "ms/MP", "over peer", "load",
        "first run", "peak MB", "GMAC/s", "of ceiling",
        "median of its fastest", "fastest of its fastest",
    ]  # fmt: skip
    return _table(header, rows)


def _times(report: Report, entry: Entry) -> list[str]:
    timing, ratio, start, roof = entry.timing, entry.ratio, entry.start, entry.roof
    return [
        entry.bundle + (" (random weights)" if entry.weights == "random" else ""),
        f"{entry.megapixels:.2f}",
        *([f"{v:.1f}" for v in (timing.min_ms, timing.median_ms, timing.p90_ms, timing.ms_per_mp)]
          if timing else ["-"] * 4),
        f"{ratio.median:.3f} x {ratio.peer}" if ratio else "-",
        *([f"{start.load_ms:.0f}", f"{start.first_ms:.0f}"] if start else ["-"] * 2),
        f"{entry.memory.peak_bytes / 1e6:.0f}" if entry.memory else "-",
        f"{roof.executed_gmacs_per_s:.1f}" if roof else "-",
        *_of_ceiling(report, entry),
    ]  # fmt: skip


def _of_ceiling(report: Report, entry: Entry) -> list[str]:
    """Round by round; then the median and the fastest round over the ceiling's fastest."""
    timing, roof, share = entry.timing, entry.roof, report.share_of_ceiling(entry)
    ceiling = report.best_ceiling(entry.target, entry.precision)
    if share is None or ceiling is None or timing is None or roof is None:
        return ["-"] * 3
    by_median = roof.executed_gmacs_per_s / ceiling.gmacs_per_s
    by_fastest = by_median * timing.median_ms / timing.min_ms
    return [f"{value:.1%}" for value in (share, by_median, by_fastest)]


def counts() -> str:
    """What does not vary from run to run, and each kind of operator's share of the time."""
    rows = []
    for name, report in reports().items():
        for entry in report.entries:
            c = entry.counts
            rows.append(
                [name, entry.bundle, f"{entry.megapixels:.2f}", f"{c.nominal_gmacs_per_mp:.2f}",
                 f"{c.executed_gmacs_per_mp:.2f}", f"{c.bundle_bytes:,}",
                 "-" if c.arena_bytes is None else f"{c.arena_bytes:,}",
                 f"{c.delegated} + {c.undelegated}",
                 ", ".join(f"{cpu} {n / 1e9:.2f}" for cpu, n in c.instructions_per_mp.items())
                 or "-",
                 _kinds(entry)]
            )  # fmt: skip
    header = [
        "report", "bundle", "MP", "GMACs/MP", "executed", "bundle bytes", "arena bytes",
        "operators in + out", "G instructions/MP", "time by kind of operator",
    ]  # fmt: skip
    return _table(header, rows)


def _kinds(entry: Entry) -> str:
    shares: dict[str, float] = defaultdict(float)
    for operator in entry.operators or ():
        shares[operator.kind] += operator.share
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    return ", ".join(f"{kind} {share:.0%}" for kind, share in ordered) or "-"


def phones() -> str:
    """Each phone's bundles, burst and sustained, and the condition that they ran in."""
    rows = [
        [*_phone(report.device, report), entry.bundle, f"{entry.megapixels:.2f}",
         report.settings.kind, *_pace(entry), *_heat(report.device)]
        for report in reports().values()
        if report.device.kind == "phone"
        for entry in report.entries
    ]  # fmt: skip
    header = [
        "device", "system", "runtime", "threads", "governor", "bundle", "MP", "kind", "median ms",
        "slowed", "thermal status", "battery",
    ]  # fmt: skip
    return _table(header, sorted(rows)) if rows else "*No phone was attached to any of this yet.*"


def _phone(device: PhoneDevice, report: Report) -> list[str]:
    runtimes = ", ".join(f"{name} {version}" for name, version in device.runtimes.items())
    what = f"{device.maker} {device.model}" + (f" ({device.soc})" if device.soc else "")
    threads = str(report.settings.threads or "runtime's")
    return [what, device.os, runtimes, threads, device.governor or "-"]


def _pace(entry: Entry) -> list[str]:
    """Median, and what the last fifth of the samples takes over the first."""
    if entry.timing is None:
        return ["-", "-"]
    samples = entry.timing.samples_ms
    fifth = max(1, len(samples) // 5)
    slowed = median(samples[-fifth:]) / median(samples[:fifth])
    return [f"{entry.timing.median_ms:.1f}", f"{slowed:.2f}"]


def _heat(device: PhoneDevice) -> list[str]:
    ends = (device.temperature_start_c, device.temperature_end_c)
    battery = ["?" if end is None else f"{end:.1f}" for end in ends]
    return [
        f"{device.thermal_start or '?'} to {device.thermal_end or '?'}",
        f"{battery[0]} to {battery[1]} °C",
    ]


def ceilings() -> str:
    """The best convolution of each runtime and precision, and the memory's bandwidth."""
    rows = []
    for name, report in reports().items():
        for target, precision in dict.fromkeys((c.target, c.precision) for c in report.ceilings):
            best = report.best_ceiling(target, precision)
            assert best is not None
            what = f"{best.kernel}x{best.kernel}, {best.channels} channels"
            rows.append([name, f"{target} {precision}", what, f"{best.gmacs_per_s:.1f} GMAC/s"])
        if report.bandwidth is not None:
            rate = f"{report.bandwidth.gbytes_per_s:.1f} GB/s"
            rows.append([name, "memory", f"{report.bandwidth.threads} thread(s)", rate])
    return _table(["report", "what", "of", "best"], rows)


def missing() -> str:
    """What was not measured, with the reason."""
    lines = []
    for name, report in reports().items():
        reasons: dict[tuple[str, str], list[str]] = defaultdict(list)
        for field, reason in report.missing.items():
            reasons[field, reason].append("all")
        for entry in report.entries:
            for field, reason in entry.missing.items():
                reasons[field, reason].append(entry.bundle)
        lines += [
            f"- {name}, {', '.join(dict.fromkeys(who))}: {field.replace('_', ' ')} {reason}"
            for (field, reason), who in reasons.items()
        ]
    return "\n".join(lines) or NONE


def equal() -> str:
    """PSNR by gain of each network, equally trained, and what it has over the paper's."""
    found = _trainings()
    if found is None:
        return NONE
    gains = [f"{score.gain:g}" for score in found.scores(found.networks()[0])]
    rows = []
    for network in found.networks():
        runs = found.best(network)
        means = [run.mean_db for run in runs]
        rows.append(
            [f"`{network}`", *(f"{score.denoised_db:.2f}" for score in found.scores(network)),
             f"{sum(means) / len(means):.3f}", f"{min(means):.3f} to {max(means):.3f}",
             f"{len(runs)}", f"{runs[0].learning_rate:g}"]
        )  # fmt: skip
    table = _table(["network", *gains, "mean", "by seed", "seeds", "rate"], rows)
    return (
        f"{found.steps} steps of {found.batch} patches of {found.patch} x {found.patch}, "
        f"{found.training_images} images, {found.clipped_at_black:.0%} of the captures clipped at "
        f"black,\nmeasured on {found.test_photos} photos that nobody trained on:\n\n{table}"
    )


def _trainings() -> EqualTrainings | None:
    if not EQUAL.is_file():
        return None
    return EqualTrainings.model_validate_json(EQUAL.read_text(encoding="utf-8"))


def points() -> list[pareto.Point]:
    """The networks that were both trained equally and timed in int8."""
    trainings, report = _trainings(), reports().get(TIMED)
    if trainings is None or report is None:
        return []
    found: dict[str, pareto.Point] = {}
    for entry in report.entries:
        raced = (entry.target, entry.precision) == ("executorch", "int8")
        if not raced or entry.timing is None or entry.bundle.startswith("naive"):
            continue
        if entry.network in found or entry.network not in trainings.networks():
            continue
        means = [run.mean_db for run in trainings.best(entry.network)]
        mean = sum(means) / len(means)
        found[entry.network] = pareto.Point(
            entry.network, entry.timing.ms_per_mp, mean, min(means), max(means)
        )
    return list(found.values())


def parts() -> str:
    """Where the time of one member goes: differences between programs with and without a part."""
    rows = []
    for path in sorted(PARTS.glob("*.json")):
        found = Parts.model_validate_json(path.read_text(encoding="utf-8"))
        ms = found.ms_per_mp
        whole, cells, unaligned = ms(WHOLE), ms(CELLS), ms(NO_ALIGN)
        for name, value in (
            ("the whole member", whole),
            ("float: the domain over the mosaic, packing, unpacking", whole - cells),
            ("float: front end and direct way, alone", ms(FRONT)),
            ("Feature-Align in int8", cells - unaligned),
            ("the blocks' sums", unaligned - ms(NO_SUMS)),
            ("the rest: convolutions, skips, rounding in and out", ms(NO_SUMS) - ms(FRONT)),
        ):
            rows.append([name, str(found.threads), f"{value:.2f}", f"{value / whole:.0%}"])
    return _table(["part", "threads", "ms/MP", "share"], rows)


def roofs() -> str:
    """Links to the pictures that :func:`draw_pictures` writes."""
    return "\n\n".join(
        f"![{name}](images/roofs-{name}.png)"
        for name, report in reports().items()
        if report.bandwidth is not None
    )


def draw_pictures() -> None:
    """Quality beside speed, and the roofs of every report that has them."""
    IMAGES.mkdir(exist_ok=True)
    if found := points():
        title = "Equal short trainings (synthetic noise), ExecuTorch int8, 1 thread, x86"
        pareto.draw(IMAGES / "pareto.png", found, title)
    for name, report in reports().items():
        if report.bandwidth is not None:
            draw_roofs(IMAGES / f"roofs-{name}.png", report)


def _table(header: list[str], rows: list[list[str]]) -> str:
    table: str = DOCS.markdown(header, rows) if rows else NONE
    return table


SECTIONS: dict[str, Callable[[], str]] = {
    "conditions": conditions,
    "times": times,
    "phones": phones,
    "counts": counts,
    "ceilings": ceilings,
    "missing": missing,
    "equal": equal,
    "parts": parts,
    "roofs": roofs,
}


def rendered(text: str) -> str:
    """``text`` with every table written anew."""
    made: str = DOCS.rendered(text, SECTIONS)
    return made


if __name__ == "__main__":
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")
    draw_pictures()
