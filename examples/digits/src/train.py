"""Learn to read handwritten digits from a channel of PNG files named ``<label>/<number>.png``.

It reads what SageMaker puts below /opt/ml and writes what SageMaker takes from there; nothing in it knows by which
road the files came.
"""

from __future__ import annotations

import json
import os
import pickle
import time
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

INPUT = Path(os.environ.get("SM_CHANNEL_TRAIN", "/opt/ml/input/data/train"))
MODEL = Path(os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))
HYPERPARAMETERS = Path(os.environ.get("SM_INPUT_CONFIG_DIR", "/opt/ml/input/config")) / "hyperparameters.json"
SHADES = 255


def read_images(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """All images as rows of pixels in 0..1, and their labels."""
    paths = sorted(folder.rglob("*.png"))
    pixels = np.stack([np.asarray(Image.open(path), dtype=np.float32).ravel() / SHADES for path in paths])
    return pixels, np.array([int(path.parent.name) for path in paths])


def main() -> None:
    """Train on four fifths of the images, and measure on the fifth that was not seen."""
    hyperparameters = json.loads(HYPERPARAMETERS.read_text())
    started = time.perf_counter()
    pixels, labels = read_images(INPUT)
    seconds = time.perf_counter() - started
    print(f"images={len(labels)} read_images_per_second={len(labels) / seconds:.0f}")

    seen, unseen, seen_labels, unseen_labels = train_test_split(
        pixels, labels, test_size=0.2, random_state=int(hyperparameters["seed"]), stratify=labels
    )
    classifier = LogisticRegression(max_iter=int(hyperparameters["max_iterations"]))
    classifier.fit(seen, seen_labels)
    print(f"train_accuracy={classifier.score(seen, seen_labels):.4f}")
    print(f"accuracy={classifier.score(unseen, unseen_labels):.4f}")

    MODEL.mkdir(parents=True, exist_ok=True)
    (MODEL / "classifier.pickle").write_bytes(pickle.dumps(classifier))


if __name__ == "__main__":
    main()
