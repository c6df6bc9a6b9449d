"""Figures of this paper alone: depth (Fig. 4), the cascade's layers (U5) and its course (U6), compression (Fig. 7)."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from common.report.plots import figure, legend_below, line_styles
from common.store import write_json

CAPTIONS = {
    "depth": "Fig. 4: DnCNN with D middle layers, mean PSNR on the test images of Table 1 (claim U3).",
    "layers": (
        "DN-ResNet at the end of each phase of its cascade, by layers, mean gain over the noisy input on each noise's "
        "test images (claim U5). Each network has been trained longer than the ones before it, as in the paper."
    ),
    "cascade": (
        "DN-ResNet-13 by cascade and at once, over the same images: validation PSNR (claim U6). The cascade grows "
        "where its line dips, and where the rate follows one cycle each of its phases has a cycle of its own; its "
        "small networks cost less, see the ledger."
    ),
    "compression": (
        "Fig. 7: PSNR over bits per pixel, decoded and restored by DN-ResNet, mean over test images at each quality; "
        "HEVC-intra stands in for BPG, whose files hold one HEVC intra frame (claim U17). Where nothing is restored, "
        "this profile trains no network for the codec."
    ),
}
TITLES = {
    "gaussian": "Gaussian",
    "poisson": "Poisson",
    "poisson_gaussian": "Poisson-Gaussian",
    "jpeg": "JPEG",
    "jpeg2000": "JPEG 2000",
    "hevc_intra": "HEVC-intra, in place of BPG",
}
"""Of experiments."""


def draw(
    folder: Path,
    depths: Mapping[int, float],
    layers: Mapping[str, Mapping[int, float]],
    histories: Mapping[str, pd.DataFrame],
    rates: pd.DataFrame,
) -> None:
    """Write the figures for which this profile trained networks, and captions.json.

    depths: D → mean PSNR in dB. layers: experiment → layers → mean gain over the noisy input in dB. histories: label →
    history of a variant. rates: points of Fig. 7, as `compression.rate_distortion` gives them.
    """
    draw_rate_distortion(rates, folder / "compression.png")
    drawn = ["compression"]
    if len(depths) > 1:
        draw_lines({"DnCNN": depths}, ("middle layers D", "PSNR, dB"), folder / "depth.png")
        drawn.append("depth")
    if any(len(gains) > 1 for gains in layers.values()):
        named = {TITLES[experiment]: gains for experiment, gains in layers.items()}
        draw_lines(named, ("layers", "gain over noisy, dB"), folder / "layers.png")
        drawn.append("layers")
    if len(histories) > 1:
        draw_courses(histories, folder / "cascade.png")
        drawn.append("cascade")
    write_json(folder / "captions.json", {name: text for name, text in CAPTIONS.items() if name in drawn})


def draw_lines(lines: Mapping[str, Mapping[int, float]], labels: tuple[str, str], path: Path) -> None:
    """A line through the points x → y of each name; labels: of x and y."""
    with figure(2.7, path) as drawn:
        axes = drawn.subplots()
        for name, style in line_styles(list(lines)).items():
            points = sorted(lines[name].items())
            axes.plot(*zip(*points, strict=True), marker="o", label=name, **style)
        axes.set(xlabel=labels[0], ylabel=labels[1])
        axes.set_xticks(sorted({x for points in lines.values() for x in points}))
        if len(lines) > 1:
            legend_below(drawn, [axes])


def draw_courses(histories: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Validation PSNR over the images of the training, a line for each seed."""
    with figure(2.9, path) as drawn:
        axes = drawn.subplots()
        for name, style in line_styles(list(histories)).items():
            for number, (_, own) in enumerate(histories[name].groupby("seed")):
                label = None if number else name
                axes.plot(own["images_seen"] / 1000, own["val_psnr_db"], label=label, linewidth=1, **style)
        axes.set(xlabel="training images seen, thousands", ylabel="validation PSNR, dB")
        legend_below(drawn, [axes])


def draw_rate_distortion(table: pd.DataFrame, path: Path) -> None:
    """Fig. 7: PSNR over bits per pixel, decoded and restored, a panel for each codec.

    table: of `compression.rate_distortion`, of one codec or several.
    """
    codecs = list(table.groupby("codec", sort=False))
    with figure(2.1 * len(codecs) + 0.4, path) as drawn:
        panels = drawn.subplots(len(codecs), squeeze=False)[:, 0]
        for axes, (codec, rungs) in zip(panels, codecs, strict=True):
            for series, style in line_styles(["decoded", "restored"]).items():
                axes.plot(rungs["bits_per_pixel"], rungs[f"{series}_psnr_db"], marker=".", label=series, **style)
            axes.set(title=TITLES[str(codec)], ylabel="PSNR, dB")
        panels[-1].set_xlabel("bits per pixel")
        legend_below(drawn, panels)
