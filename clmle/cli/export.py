"""``clmle export``: write a trained model for other programs, or as a folder to share."""

from clmle.cli.parser import CommandParser, add_runs_dir
from clmle.files import expanded

KINDS = ("folder", "onnx", "torchscript")


def main(arguments: list[str]) -> int:
    """Run ``clmle export``."""
    parser = CommandParser(
        "export",
        "Write the model of the best round of a run: a folder to share (weights, preprocessing,\n"
        "class names, model card), or one file with scaling, network, classifier and calibrated\n"
        "probabilities for ONNX Runtime or PyTorch without clmle.",
        [
            "export RUN --to folder --out shared-model/",
            "export RUN --to onnx --out model.onnx",
            "export RUN --to torchscript --out model.pt",
        ],
        "MODEL --to KIND --out PATH [options]",
    )
    parser.add_argument(
        "model", metavar="MODEL", help="name of a run, its folder, or the folder of a model"
    )
    parser.add_argument("--to", required=True, choices=KINDS, help="what to write")
    parser.add_argument(
        "--out", required=True, metavar="PATH", help="file to write (.onnx, .pt), or folder"
    )
    add_runs_dir(parser)
    values = parser.parse(arguments)

    from clmle.training.deployed import export_model
    from clmle.training.model_folder import open_model

    out = expanded(values.out)
    export_model(open_model(values.model, values.runs_dir, "cpu"), out, values.to)
    print(out)
    return 0
