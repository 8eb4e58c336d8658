"""The page of CIFAR-10-LT with ResNet-32: test metrics, learning curves, published end points."""

from clmle import figures
from clmle.studies.convergence import learning_curves
from clmle.studies.study_results import StudyResults
from tools.report import comparison
from tools.report.markdown import Page, number

# Cao and others, NeurIPS 2019: top-1 accuracy after 200 epochs at 100 : 1, called ERM there.
PUBLISHED = {"softmax": 0.7036}
EPOCHS = 200


def write(page: Page, study: StudyResults) -> None:
    """The page of a comparison, then published values and the curves that lead towards them."""
    comparison.write(page, study)
    curves = learning_curves(study.summaries)
    if not curves:
        return
    page.heading("Learning curves and published end points")
    page.text(
        f"Published accuracies are those of {EPOCHS} epochs (Cao and others, 2019); the runs here "
        "have as many epochs as the setup says, so that their ends are no reproduction of them."
    )
    means = study.frame.groupby("variant")["accuracy"].mean()
    page.table(
        ["method", "accuracy here", f"published, {EPOCHS} epochs"],
        [[name, number(means[name]), number(v)] for name, v in PUBLISHED.items() if name in means],
    )
    figure = figures.training_curves(
        {name: (curve.steps, curve.values) for name, curve in curves.items()},
        "Validation metric during training",
        level=PUBLISHED["softmax"],
        reached={},
    )
    text = "Lines: mean over seeds; bands: one standard deviation; dotted: published for softmax"
    page.figure(f"{study.name}-curves", figure, study.caption(text + "."))
