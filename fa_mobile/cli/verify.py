"""``fa-mobile verify``: replay a bundle's golden vectors in its real runtime, here or on ARM."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fa_mobile.cli import show

NAME = "verify"
EPILOG = (
    "Examples:  fa-mobile verify dist/imx258-onnx-int8   |   fa-mobile verify dist/* --json   |   "
    "fa-mobile verify dist/imx258-executorch-int8 --arm cortex-a76"
)


def run(
    bundles: Annotated[list[Path], typer.Argument(help="Bundle folder(s).", metavar="BUNDLE...")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    arm: Annotated[
        str | None,
        typer.Option(metavar="CPU", help="Under QEMU, as on this ARM core: cortex-a76, ..."),
    ] = None,
) -> None:
    """Check hashes and schema, then every golden vector. Exit code 1 when one fails."""
    from fa_mobile.verify import verify_bundle

    if arm is None:
        reports = [verify_bundle(folder) for folder in bundles]
    else:
        from fa_mobile.bench.arm import find_arm_environment, run_golden

        environment = find_arm_environment()
        reports = [run_golden(environment, folder, arm) for folder in bundles]
    if as_json:
        show.print_json([report.to_dict() for report in reports])
    on = "" if arm is None else f" on {arm} (QEMU)"
    for report in () if as_json else reports:
        rows = [
            [
                "-" if v.gain is None else f"{v.gain:.6g}",
                f"{v.a:.6g}",
                str(v.member),
                f"{v.max_abs_dn:.4f}",
                f"{v.noise_ratio:.4f}",
                f"{v.psnr_vs_float_db:.1f}",
                f"{v.psnr_loss_db:+.3f}",
            ]
            for v in report.vectors
        ]
        columns = ("gain", "a", "member", "max DN", "of noise", "PSNR vs float", "dB lost")
        if rows:
            show.table(report.bundle, columns, rows)
        typer.echo(f"{report.bundle}{on}: {report.status}")
        for problem in report.problems:
            typer.echo(f"  {problem}", err=True)
    if any(report.status == "failed" for report in reports):
        raise typer.Exit(1)
