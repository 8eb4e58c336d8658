"""Studies that were specified before any of their trials was run.

Baselines, seeds and data were fixed beforehand, and no choice was ever made on these seeds. Every
seed has its own test images; of faces, its own identities and pictures too.
"""

from clmle.studies.spec import FACES, Study, methods

QUESTION = "Does the gain over the strongest baseline hold on data that no choice was made on?"

STUDIES = (
    Study(
        "preregistered-toonfaces",
        "Pre-registered: fourteen attributes of new faces",
        QUESTION,
        methods("clmle", "oversampling + threshold tuning", split=-1),
        attributes=FACES,
        seeds=tuple(range(31, 37)),
        ratios=(),
    ),
    Study(
        "preregistered-digits",
        "Pre-registered: new splits of the digits",
        QUESTION,
        methods("clmle", "oversampling + threshold tuning", "softmax + threshold tuning", split=-1),
        attributes=(),
        seeds=tuple(range(31, 39)),
        ratios=(),
        dataset="digits",
    ),
    Study(
        "preregistered-solar-cells",
        "Pre-registered: photographs of new solar modules",
        QUESTION,
        methods("clmle", "oversampling + threshold tuning", "softmax + threshold tuning", split=-1),
        attributes=("Defective",),
        seeds=tuple(range(31, 39)),
        ratios=(20,),
        dataset="solar-cells",
    ),
    Study(
        "preregistered-imbalance",
        "Pre-registered: fourteen attributes of new faces at 100 : 1",
        "Is the gain over the strongest baseline larger where the minority class is smaller?",
        methods("clmle", "oversampling + threshold tuning", split=-1),
        attributes=FACES,
        seeds=(31, 32, 33, 34),
    ),
)
