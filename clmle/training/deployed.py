"""A model as one PyTorch module from raw inputs to probabilities, and its export to files."""

import json
import logging
import os
import warnings
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clmle.classifiers.probabilities import INFINITE
from clmle.classifiers.torch_classifier import as_module
from clmle.errors import InputError
from clmle.files import atomic_path
from clmle.training.model import Model

OUTPUTS = ("probabilities", "scores", "embedding")
OPSET = 18  # the first with the minimum and maximum over indexed entries


class DeployedModel(nn.Module):
    """Scaling, network, classifier and calibration of a model in one module.

    Images (n, height, width, channels) uint8, or features (n, d) float32, to probabilities and
    scores (n, C) and the unit embedding (n, d); for A attributes (n, A, 2) and (n, A, d).
    """

    weight: Tensor
    offset: Tensor

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.network = model.network
        self.classifier = as_module(model.classifier).to(model.device)
        weight = torch.tensor([[m.weight] for m in model.maps], dtype=torch.float32)
        offset = torch.tensor(np.stack([m.offset for m in model.maps]), dtype=torch.float32)
        if not model.attributes:
            weight, offset = weight[0], offset[0]
        self.register_buffer("weight", weight.to(model.device))
        self.register_buffer("offset", offset.to(model.device))
        self.is_image = len(model.image_shape) == 3
        self.eval()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if self.is_image:
            values = (images.permute(0, 3, 1, 2).float() - 127.5) / 128.0
        else:
            values = images[:, :, None, None]
        features, logits = self.network(values)
        scores = self.classifier(features, logits)
        finite = torch.where(scores == torch.inf, torch.full_like(scores, INFINITE), scores)
        finite = torch.where(scores == -torch.inf, torch.full_like(scores, -INFINITE), finite)
        probabilities = F.softmax(self.weight * finite + self.offset, dim=-1)
        return probabilities, scores, F.normalize(features, dim=-1)


def export_model(model: Model, path: str | os.PathLike[str], to: str) -> None:
    """Write a model for other programs.

    Parameters
    ----------
    model : Model
    path : path
        File to write (``.onnx``, ``.pt``), or folder.
    to : {"onnx", "torchscript", "folder"}
        "onnx" and "torchscript" take images (n, height, width, channels) uint8, or features (n, d)
        float32, and return ``probabilities``, ``scores`` and ``embedding``, for any n. "folder" is
        :meth:`Model.save_pretrained`.

    Raises
    ------
    InputError
        If ``to`` is none of these, the path has another ending, a package is missing, or the
        network has an operation that cannot be exported.

    Examples
    --------
    >>> import tempfile
    >>> from dataclasses import replace
    >>> from clmle import create_run, export_model, load_model, preset_config, train
    >>> config = preset_config("quick", "softmax", "digits")
    >>> budget = replace(config.train, backbone="tiny", iterations=2, rounds=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = create_run(folder, replace(config, train=budget).to_dict())
    ...     result = train(run)
    ...     export_model(load_model(run), f"{folder}/model.pt", "torchscript")
    ...     network = torch.jit.load(f"{folder}/model.pt")
    >>> network(torch.zeros(3, 16, 16, 1, dtype=torch.uint8))[0].shape
    torch.Size([3, 10])
    """
    if to == "folder":
        model.save_pretrained(path)
        return
    if to not in WRITERS:
        raise InputError(f"to is {to!r}; choose one of: {', '.join((*WRITERS, 'folder'))}.")
    ending, write = WRITERS[to]
    file = Path(path)
    if file.suffix != ending:
        raise InputError(f"{file} must end in {ending} for {to}.")
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)  # of the exporters, about themselves
    try:
        module = DeployedModel(model)
        with atomic_path(file) as temporary, warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            write(model, module, temporary)
    except ModuleNotFoundError as error:
        raise InputError(
            f"Export to {to} needs the package {error.name}: pip install 'clmle[export]'."
        ) from error
    except (RuntimeError, torch.onnx.OnnxExporterError) as error:
        why = str(error).strip().split("\n")[0][:200]
        raise InputError(
            f"The network {model.config.train.backbone} cannot be exported to {to} ({why}); export "
            "it to folder instead."
        ) from error
    finally:
        logging.disable(disabled)


def _example(model: Model) -> Tensor:
    """Two random inputs: the number of images must not become a constant of the graph."""
    generator = torch.Generator().manual_seed(0)
    if len(model.image_shape) == 3:
        shape = (2, *model.image_shape)
        images = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
        return images.to(model.device)
    return torch.randn(2, *model.image_shape, generator=generator).to(model.device)


def _write_torchscript(model: Model, module: nn.Module, path: Path) -> None:
    traced = torch.jit.trace(module, _example(model), check_trace=False)
    torch.jit.save(torch.jit.freeze(traced), str(path), _extra_files={"clmle": _facts(model)})


def _write_onnx(model: Model, module: nn.Module, path: Path) -> None:
    import onnx

    exported: Any = torch.onnx.export(
        module,
        (_example(model),),
        dynamo=True,
        opset_version=OPSET,
        input_names=["images" if len(model.image_shape) == 3 else "features"],
        output_names=list(OUTPUTS),
        dynamic_shapes={"images": {0: torch.export.Dim("n", min=1)}},
        verbose=False,
    )
    proto = exported.model_proto
    entry = proto.metadata_props.add()
    entry.key, entry.value = "clmle", _facts(model)
    onnx.save(proto, str(path), format="protobuf")


def _facts(model: Model) -> str:
    """What a program needs besides the graph, as JSON."""
    from clmle.training.model_folder import describe_input

    return json.dumps({
        "name": model.stored.name,
        "input": describe_input(model.image_shape, model.value_range),
        "class_names": list(model.class_names),
        "attributes": list(model.attributes),
    })  # fmt: skip


WRITERS: dict[str, tuple[str, Any]] = {
    "onnx": (".onnx", _write_onnx), "torchscript": (".pt", _write_torchscript),
}  # fmt: skip
