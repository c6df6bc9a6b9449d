"""The README's picture: noisy, denoised and clean side by side, named, with the PSNR of each."""

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from common.report.blocks import Comparison, Picture
from common.store import write_bytes

FILE = Path("figures/front.webp")
WIDTH, STRIP, GAP = 320, 34, 8
"""Pixels: a picture's width, the height of its name, and the room between two."""
INK, PAPER = (28, 31, 35), (255, 255, 255)
QUALITY = 90


def draw_front_picture(comparison: Comparison, results: Path) -> None:
    """Write figures/front.webp: of a panel the noisy picture, its best restoration and the clean one."""
    chosen = [comparison.pictures[index] for index in dict.fromkeys((0, comparison.best, len(comparison.pictures) - 1))]
    height = round(WIDTH * comparison.size[1] / comparison.size[0])
    sheet = Image.new("RGB", (len(chosen) * (WIDTH + GAP) - GAP, height + STRIP), PAPER)
    pen = ImageDraw.Draw(sheet)
    for index, picture in enumerate(chosen):
        left = index * (WIDTH + GAP)
        with Image.open(results / picture.path) as photograph:
            sheet.paste(photograph.resize((WIDTH, height), Image.Resampling.BICUBIC), (left, STRIP))
        pen.text((left + 2, 8), _title(picture), INK, font=ImageFont.load_default(17))
    saved = io.BytesIO()
    sheet.save(saved, "WEBP", quality=QUALITY, method=6)
    write_bytes(results / FILE, saved.getvalue())


def _title(picture: Picture) -> str:
    return picture.name if picture.psnr_db is None else f"{picture.name}, {picture.psnr_db:.2f} dB"
