"""Write scikit-learn's handwritten digits as 1,797 small PNG files: ``<folder>/<label>/<number>.png``.

A real data set of many small files that needs no download: 8 by 8 pixels, 16 shades, ten classes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits


def write_digits(folder: Path) -> int:
    """Write all images below ``folder``; the number of files."""
    digits = load_digits()
    for number, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        path = folder / str(label) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        # 16 shades spread over the 256 of a greyscale PNG, without loss
        Image.fromarray((pixels * 15).astype("uint8"), mode="L").save(path)
    return len(digits.images)


if __name__ == "__main__":
    print(write_digits(Path(sys.argv[1])), "files")
