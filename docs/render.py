"""Write the tables of the documents and the model cards from the JSON files in docs/results/.

Run by 'make docs' after the measuring commands named in each JSON's section; a test checks that
the files are as this script leaves them. Text between ``<!-- NAME -->`` and ``<!-- /NAME -->`` is
replaced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fa_mobile.experiments.markdown import document, section
from fa_mobile.experiments.results import read_table

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
CARDS = sorted(ROOT.glob("fa_mobile/checkpoints/*/README.md"))
DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "docs" / "experiments.md",
    ROOT / "docs" / "quality.md",
    *CARDS,
)


def load(name: str) -> Any:
    """A result by name."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; columns after the first align right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def bundles() -> str:
    """What 'fa-mobile export --json' said of each bundle."""
    rows = []
    for item in load("export"):
        ran = item["psnr_vs_float_db"] is not None
        rows.append(
            [
                f"{item['target']} {item['precision']}",
                f"{item['model_bytes']:,}",
                f"{item['gmacs_per_mp']:.2f}",
                f"{item['executed_gmacs_per_mp']:.2f}",
                str(sum(item["delegated"].values())),
                str(sum(item["undelegated"].values())) if ran else "-",
                f"{item['psnr_vs_float_db']:.1f} dB" if ran else "-",
                f"{item['psnr_loss_db']:.3f} dB" if ran else "-",
                item["status"],
            ]
        )
    header = [
        "bundle", "bytes", "GMACs/MP", "executed", "operators in the networks", "outside",
        "worst PSNR vs float", "lost vs truth", "status",
    ]  # fmt: skip
    return markdown(header, rows)


def quality(*names: str) -> str:
    """RAW PSNR per gain: noisy, and each subject below it."""
    results = {name: load(f"quality-{name}")["scores"] for name in names}
    first = results[names[0]]
    header = ["gain", *[f"{s['gain']:g}" for s in first]]
    rows = [["noisy", *[f"{s['noisy_db']:.2f}" for s in first]]]
    for name, scores in results.items():
        rows.append([SUBJECTS[name], *[f"{s['denoised_db']:.2f}" for s in scores]])
    return markdown(header, rows)


SUBJECTS = {
    "mobile": "`mobile`, float checkpoint",
    "mobile-executorch-int8": "`mobile`, ExecuTorch int8 bundle",
    "mobile-onnx-int8": "`mobile`, ONNX int8 bundle",
    "paper": "`paper`, float checkpoint",
    "paper-executorch-int8": "`paper`, ExecuTorch int8 bundle",
    "paper-onnx-int8": "`paper`, ONNX int8 bundle",
}


def of_network(network: str) -> list[str]:
    """The subjects of one network that were measured."""
    return [
        name
        for name in SUBJECTS
        if name.split("-")[0] == network and (RESULTS / f"quality-{name}.json").is_file()
    ]


def networks() -> str:
    """What 'fa-mobile macs --json' said."""
    rows = [
        [name, f"{cost['gmacs_per_mp']:.4f}", f"{cost['parameters']:,}"]
        for name, cost in load("macs").items()
    ]
    return markdown(["network", "GMACs/MP", "parameters"], rows)


def paper_table(name: str) -> str:
    """What 'fa-mobile experiment' made of one of the paper's tables."""
    path = RESULTS / f"{name}.json"
    return section(read_table(path) if path.is_file() else None, "results/")


def paper_documents() -> dict[Path, str]:
    """The Markdown beside each of the paper's tables, as it has to be."""
    return {
        path.with_suffix(".md"): document(read_table(path))
        for path in sorted(RESULTS.rglob("table*.json"))
    }


NOT_RUN = "*Not run yet.*"


def measured(name: str, table: Callable[[Any], str]) -> str:
    """``table`` of a result, or that it was not run."""
    return table(load(name)) if (RESULTS / f"{name}.json").is_file() else NOT_RUN


def versus(result: Any) -> str:
    """RAW PSNR by gain of the subject, and of those on the same captures."""
    header = ["", *[f"{s['gain']:g}" for s in result["scores"]], "mean"]
    every = (*result["scores"], result["mean"])
    rows = [["noisy", *[f"{s['noisy_db']:.2f}" for s in every]]]
    for one in (result, *result["versus"]):
        cells = [f"{s['denoised_db']:.2f}" for s in (*one["scores"], one["mean"])]
        rows.append([f"`{one['subject']}`", *cells])
    return markdown(header, rows)


def versus_means(result: Any) -> str:
    """Every measure, averaged over the gains."""
    names = [name for name in result["metrics"] if name != "raw-psnr"]
    rows = [["noisy", *[f"{result['mean']['noisy'][name]:.4g}" for name in names]]]
    for one in (result, *result["versus"]):
        cells = [f"{one['mean']['denoised'][name]:.4g}" for name in names]
        rows.append([f"`{one['subject']}`", *cells])
    return markdown(["", *names], rows)


def flat(result: Any) -> str:
    """The channel that is furthest off, by gray and subject downwards and gain across."""
    patches = result["subjects"][0]["patches"]
    gains = list(dict.fromkeys(patch["gain"] for patch in patches))
    levels = list(dict.fromkeys(patch["level"] for patch in patches))
    rows = []
    for level in levels:
        for subject in result["subjects"]:
            cells = []
            for gain in gains:
                (patch,) = (
                    p for p in subject["patches"] if (p["gain"], p["level"]) == (gain, level)
                )
                worst = max(patch["channels"].values(), key=lambda c: abs(c["error_percent"]))
                spread = 2 * worst["standard_error_percent"]
                cells.append(f"{worst['error_percent']:+.2f} ± {spread:.2f}")
            rows.append([f"{100 * level:g} %, `{subject['subject']}`", *cells])
    return markdown(["gray", *[f"{gain:g}" for gain in gains]], rows)


def off_profile(result: Any) -> str:
    """What each corner costs, by gain."""
    corners = result["corners"]
    header = ["captures have", *[f"{s['gain']:g}" for s in corners[0]["lost_db"]], "mean"]
    rows = [
        [
            "{a:g} x a, {b:g} x b".format(**corner["noise_scale"]),
            *[f"{s['lost_db']:.3f}" for s in corner["lost_db"]],
            f"{corner['mean_lost_db']:.3f}",
        ]
        for corner in corners
    ]
    return markdown(header, rows)


def edges(result: Any) -> str:
    """The same captures with the member on either side of each edge."""
    rows = [
        [f"{e['gain']:.2f}", f"{e['below_db']:.3f}", f"{e['above_db']:.3f}", f"{e['step_db']:+.3f}"]
        for e in result["edges"]
    ]
    return markdown(["edge at gain", "member below", "member above", "step"], rows)


SECTIONS: dict[str, Callable[[], str]] = {
    "bundles": bundles,
    "quality": lambda: quality(*of_network("mobile"), "paper"),
    "quality-paper": lambda: quality(*of_network("paper")),
    "quality-mobile": lambda: quality(*of_network("mobile")),
    "networks": networks,
    "versus": lambda: measured("quality-versus", versus),
    "versus-means": lambda: measured("quality-versus", versus_means),
    "flat": lambda: measured("flat", flat),
    "off-profile": lambda: measured("off-profile", off_profile),
    "edges": lambda: measured("edges", edges),
    "teacher": lambda: measured("teacher", versus),
    "table1": lambda: paper_table("table1"),
    "table2": lambda: paper_table("table2"),
    "table3": lambda: paper_table("table3"),
}


def rendered(text: str, sections: dict[str, Callable[[], str]] | None = None) -> str:
    """``text`` with every marked section (of ``SECTIONS`` by default) written anew."""
    for name, make in (SECTIONS if sections is None else sections).items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if pattern.search(text):
            table = make()
            text = pattern.sub(lambda m, table=table: f"{m[1]}{table}\n{m[2]}", text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    for path in DOCUMENTS:
        path.write_text(rendered(path.read_text(encoding="utf-8")), encoding="utf-8")
    for path, text in paper_documents().items():
        path.write_text(text, encoding="utf-8")
