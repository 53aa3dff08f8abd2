"""Learn to read handwritten digits from a channel, by whichever road the images come.

In a folder (S3 File and FastFile, FSx for Lustre, EFS) an image is ``<label>/<number>.png``; through a pipe it is a
record of an augmented manifest, followed by a record with its label. The order is the same on every road, and so is
the model. It prints how long it waited for data, and how fast the data came.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import ingest
import numpy as np
from PIL import Image

MODEL = Path(os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))
SHADES = 255
READERS = 8
DIGITS = 10
WEIGHT_SCALE, RIDGE = 0.3, 0.1
BYTES_PER_MB = 1_000_000


@dataclass
class Read:
    """The data set in memory, and how it came. Seconds count from the script's start."""

    images: list[bytes]
    labels: list[int]
    first_byte_seconds: float
    seconds: float

    @property
    def mb_per_second(self) -> float:
        """Millions of bytes a second, listing and opening included."""
        return sum(map(len, self.images)) / BYTES_PER_MB / self.seconds


def read_folder(channel: ingest.Channel) -> Iterator[tuple[bytes, int]]:
    """The images of a folder in the order of their names, several read at once, with their labels."""
    paths = sorted(channel.files("*.png"))
    with ThreadPoolExecutor(READERS) as pool:
        labels = (int(path.parent.name) for path in paths)
        yield from zip(pool.map(Path.read_bytes, paths), labels, strict=True)


def read_pipe(channel: ingest.Channel) -> Iterator[tuple[bytes, int]]:
    """The images of one epoch of a pipe, with their labels."""
    with channel.open_epoch(0) as stream:
        for image, label in ingest.grouped(ingest.read_recordio(stream), 2):
            yield image, int(label)


def read(channel: ingest.Channel, started: float) -> Read:
    """Read all of the channel. ``started``: time.perf_counter() at the script's start."""
    pairs = read_pipe(channel) if channel.mode == "Pipe" else read_folder(channel)
    images, labels = [], []
    first_byte_seconds = 0.0
    for image, label in pairs:
        first_byte_seconds = first_byte_seconds or time.perf_counter() - started
        images.append(image)
        labels.append(label)
    return Read(images, labels, first_byte_seconds, time.perf_counter() - started)


def main() -> None:
    """Train on four fifths of the images, and measure on the fifth that was not seen."""
    job = ingest.job()
    data = read(ingest.channel("train"), time.perf_counter())
    print(f"images={len(data.images)} first_byte_seconds={data.first_byte_seconds:.4f}")
    print(f"read_mb_per_second={data.mb_per_second:.4f} data_wait_seconds={data.seconds:.4f}")

    seed, feature_count = int(job.hyperparameters["seed"]), int(job.hyperparameters["features"])
    opened = (Image.open(io.BytesIO(image)) for image in data.images)
    pixels = np.stack([np.asarray(each, dtype=np.float32).ravel() / SHADES for each in opened])
    classifier, accuracy = learn(pixels, np.array(data.labels), seed, feature_count)
    print(f"accuracy={accuracy:.4f}")

    MODEL.mkdir(parents=True, exist_ok=True)
    np.savez(MODEL / "classifier.npz", **classifier)


def learn(pixels: np.ndarray, labels: np.ndarray, seed: int, feature_count: int) -> tuple[dict[str, np.ndarray], float]:
    """Train on four fifths of the images; the classifier, and its accuracy on the fifth that was not seen.

    Ridge regression on random Fourier features: a kernel method that needs no more than numpy's solver.
    Source: Rahimi and Recht, "Random Features for Large-Scale Kernel Machines", 2007.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(labels))
    unseen, seen = np.split(order, [len(order) // 5])
    weights = random.normal(scale=WEIGHT_SCALE, size=(pixels.shape[1], feature_count))
    phases = random.uniform(0, 2 * np.pi, feature_count)
    features = np.cos(pixels @ weights + phases)
    known, digits = features[seen], np.eye(DIGITS)[labels[seen]]
    coefficients = np.linalg.solve(known.T @ known + RIDGE * np.eye(feature_count), known.T @ digits)
    accuracy = float(np.mean((features[unseen] @ coefficients).argmax(axis=1) == labels[unseen]))
    return {"weights": weights, "phases": phases, "coefficients": coefficients}, accuracy


if __name__ == "__main__":
    main()
