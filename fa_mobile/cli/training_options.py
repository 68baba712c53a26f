"""Options that every command that trains has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Photos = Annotated[
    list[Path], typer.Argument(help="Folder(s) of photos to train on.", metavar="PHOTOS...")
]
Runs = Annotated[Path, typer.Option(help="Folder of the runs; what it holds is resumed.")]
Network = Annotated[str, typer.Option(help="See fa-mobile macs.")]
Teacher = Annotated[
    Path | None,
    typer.Option(help="Checkpoint folder, or PMRID's weights: for distillation, feature."),
]
PerceptualWeights = Annotated[
    Path | None, typer.Option(help="VGG16's conv1_1 to conv4_3 (.npz): for perceptual.")
]
Optimizer = Annotated[str, typer.Option(help="muon or adam.")]
LearningRate = Annotated[
    float | None, typer.Option(min=1e-7, help="Peak learning rate (muon 0.015, adam 0.002).")
]
Arithmetic = Annotated[
    str, typer.Option("--precision", help="float32, or bfloat16: for wide networks and VGG16.")
]
Batch = Annotated[int, typer.Option(min=1)]
Patch = Annotated[int, typer.Option(min=32, help="Side in mosaic pixels.")]
CommonSteps = Annotated[int, typer.Option(min=1, help="Of the common network.")]
Threads = Annotated[int, typer.Option(min=0, help="0: torch's choice.")]
