"""Photographs that clmle predict decodes and predicts per CPU second."""

import tempfile
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.comparison import Comparison, Tables, number
from clmle import create_run, load_model, preset_config, train
from clmle.training.predict import prediction_batches
from clmle.training.prediction_inputs import inputs_of

SIDE = 112  # pixels of the photographs
REPEATS = 3


def run(quick: bool = False) -> list[dict]:
    """CPU seconds of all threads, so that other processes of the machine count little."""
    from PIL import Image

    n = 60 if quick else 2000
    rng = np.random.default_rng(0)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        photographs = Path(folder) / "photographs"
        for i in range(n):
            file = photographs / str(i % 2) / f"{i}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(file, quality=90)
        config = preset_config("quick", "clmle", str(photographs))
        budget = replace(config.train, iterations=2, pretrain_iterations=1, rounds=1)
        one = create_run(folder, replace(config, train=budget).to_dict())
        train(one)
        model = load_model(one, "cpu")

        def seconds(predicts: bool) -> float:
            began = time.process_time()
            inputs = inputs_of(model, photographs, print)
            done = prediction_batches(model, inputs) if predicts else inputs.batches()
            for _ in done:
                pass
            return time.process_time() - began

        decoding, whole = (min(seconds(p) for _ in range(REPEATS)) for p in (False, True))
    return [{
        "photographs": n, "decoded at": config.data.image_size, "network": budget.backbone,
        "decoding s": round(decoding, 3), "all s": round(whole, 3),
    }]  # fmt: skip


def values(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    row = tables[""][0]
    whole = number(row["all s"])
    return {
        "size": row["decoded at"], "network": row["network"],
        "speed": number(row["photographs"]) / whole,
        "decoding": number(row["decoding s"]) / whole,
    }  # fmt: skip


COMPARISON = Comparison("prediction", run, values)
