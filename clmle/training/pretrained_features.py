"""Features of images by a published network, without training."""

import numpy as np
import torch

from clmle.data.base import Progress
from clmle.errors import InputError
from clmle.models.pretrained import NORMALIZATIONS, is_network_file, is_pretrained_name, open_trunk
from clmle.training.extraction import autocast, extraction_batch, pick_device
from clmle.training.images import ImageSource


class PretrainedFeatures:
    """A published network that turns images into vectors.

    ``backbone`` is a name such as "timm:resnet18", or the path of an ONNX or TorchScript file, for
    which ``normalization`` says what pixels it expects: "imagenet", "half" (-1 to 1), "unit" (0 to
    1) or "raw" (0 to 255). ``image_size`` are the pixels of the images that it was trained on.
    """

    def __init__(self, backbone: str, device: str = "auto", normalization: str = "") -> None:
        if not is_pretrained_name(backbone):
            raise InputError(
                f"Backbone {backbone!r} has no published weights; choose efficientnet-lite0, "
                "timm:NAME, torchvision:NAME, open_clip:NAME, transformers:NAME, or an .onnx or "
                "TorchScript (.pt) file."
            )
        self.device = pick_device(device)
        self.trunk = open_trunk(backbone, weights=True)
        if normalization or is_network_file(backbone):
            self.trunk.normalize(*NORMALIZATIONS[normalization or "imagenet"])
        # Channels last takes 0.4 times the time on a CPU (depthwise convolutions at 112 pixels).
        self.trunk.to(self.device).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.image_size = self.trunk.image_size

    def compute(
        self, images: np.ndarray, rows: np.ndarray | None = None, progress: Progress | None = None
    ) -> np.ndarray:
        """Features (n, d) float32 of images (n, height, width, channels) uint8, or of some rows."""
        rows = np.arange(len(images)) if rows is None else rows
        d = self.trunk.fit_to(images.shape[1:3])
        features = np.empty((len(rows), d), dtype=np.float32)
        # Mini-batches: all images may not fit into the memory of a GPU.
        source = ImageSource(images, self.device, max_fraction=0.2)
        step = min(256, extraction_batch(self.device))
        with torch.inference_mode(), autocast(self.device, "auto"):
            for start in range(0, len(rows), step):
                batch = source.batch(rows[start : start + step])
                part = self.trunk(batch.contiguous(memory_format=torch.channels_last))
                features[start : start + step] = part.float().cpu().numpy()
                if progress is not None:
                    progress(min(start + step, len(rows)), len(rows))
        if not np.isfinite(features).all():
            raise InputError(
                "The backbone returns features that are not finite numbers; check its weights, or "
                "the normalization of a network in a file."
            )
        return features
