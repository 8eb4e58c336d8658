"""Corrections of the method: the formula as printed, its problem, and the corrected formula."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Correction:
    r"""One correction of the published method.

    Parameters
    ----------
    name : str
    where : str
        Equation, figure or section of the paper.
    printed, corrected : str
        Formulas in LaTeX.
    problem, explanation : str
        The problem of the printed formula, and what the corrected one does.
    switches : (str, str)
        Options, or names of the library, of the printed and of the corrected version.
    trial : (str, str), optional
        The study and its variant without the correction. The effect of the correction is the
        difference to the method with all corrections.

    Examples
    --------
    >>> from clmle.paper import CORRECTIONS
    >>> CORRECTIONS[0].where, CORRECTIONS[0].switches[1]
    ('Equation 9', 'denominator="mean", scale=8')
    """

    name: str
    where: str
    printed: str
    problem: str
    corrected: str
    explanation: str
    switches: tuple[str, str]
    trial: tuple[str, str] | None = None


CORRECTIONS = (
    Correction(
        "Mean in the denominator, and a scale",
        "Equation 9",
        r"\left[-\log\frac{e^{f^\top\mu_m-a_1}}{\sum_{k:\,c(k)\neq c(m)}e^{f^\top\mu_k}}\right]_+",
        "The hinge is zero only for a1 ≤ 1 − cos θ − log K′ / s. With K′ = 6 other clusters and "
        "s = 1 the largest margin that can be met is 2 − log 6 = 0.21, while its bound is 2, so "
        "that the loss never becomes zero.",
        r"\left[s\,a_1-s\,f^\top\mu_m+\log\frac1{K'}\sum_{k:\,c(k)\neq c(m)}"
        r"e^{s f^\top\mu_k}\right]_+",
        "A mean removes the term log K′; a scale s = 8 reduces the remaining difference between "
        "mean and maximum.",
        ('denominator="sum", scale=1', 'denominator="mean", scale=8'),
        ("scale-x-denominator", "sum, s = 1"),
    ),
    Correction(
        "Bound of a1 on the sphere",
        "Figure 4",
        r"a_1\le\cos 0-\cos\frac{2\pi}{C}",
        "The bound places C classes on a circle. For 10,575 classes it is 0.0000002, which is no "
        "margin. Features are on a sphere, where classes can be much farther apart.",
        r"a_1\le\begin{cases}1+\frac1{C-1}&C\le d+1\\1&d+1<C\le 2d\\"
        r"\text{disjoint caps}&\text{beyond}\end{cases}",
        "C classes in R^d can be the corners of a simplex (Rankin 1955). The margin is an eighth "
        "of the largest that can be met.",
        ("margin_bounds(...).between", "margin_bounds(...).between_sphere"),
    ),
    Correction(
        "Monotone bound of a2",
        "Figure 4",
        r"a_2^{(c)}\le\cos 0-\cos\frac{2\pi L_c}{L}",
        "A class with more than half of the images has points at opposite sides of the circle, so "
        "that its bound is 2; the printed bound decreases to 0.",
        r"a_2^{(c)}\le\begin{cases}1-\cos\frac{2\pi L_c}{L}&L_c<L/2\\2&L_c\ge L/2\end{cases}",
        "The bound is monotone. The default configuration omits the term within a class "
        "(within_weight=0).",
        ("margin_bounds(...).within", "margin_bounds(...).within_arc"),
    ),
    Correction(
        "Batches from all clusters",
        "Section 3.3",
        r"\begin{gathered}\text{batch}=\{m_1\}\;\cup\\"
        r"\text{the }M-1\text{ nearest clusters of }m_1\end{gathered}",
        "Every batch has one small neighborhood of a large class. The rest of that class drifts "
        "meanwhile, until nearly all images are predicted as the majority class.",
        r"\begin{gathered}\Pr(m)\propto(\text{mean cached loss of }m)^2,\\"
        r"m\in\text{all clusters}\end{gathered}",
        "A batch has samples of all clusters, of hard ones more often, with a softmax loss on the "
        "same samples in addition to Eq. 9.",
        ('sampler="cluster-neighborhood"', 'sampler="all-clusters"'),
        ("components", "one neighborhood per batch"),
    ),
    Correction(
        "Half of a large class sampled uniformly",
        "Section 3.3",
        r"\text{the query is the hardest cluster}",
        "When nearly everything is learned, one cluster has nearly all of the loss and gets all "
        "samples of its class. The rest of the class is lost within a few steps.",
        r"\Pr(i)=\tfrac12\,\Pr\nolimits_{\text{hard}}(i)+\tfrac12\,\frac1{L_c}",
        "Of a class above the mean size, half of the samples are from hard clusters, and half are "
        "drawn uniformly from the class.",
        ("hard_fraction=1", "hard_fraction=0.5"),
        ("hard-fraction", "all samples from hard clusters"),
    ),
    Correction(
        "No rare image twice in a batch",
        "Section 3.3",
        r"\begin{gathered}20\text{ samples of each cluster,}\\"
        r"\text{whatever its size}\end{gathered}",
        "The images of a class of a few dozen are seen thousands of times and memorized.",
        r"\text{samples of class }c\text{ in a batch}\le 0.4\,L_c",
        "A batch has at most two fifths of the images of a class, from the first step on. Logits "
        "are adjusted for classes that are not sampled uniformly.",
        (
            "without_replacement=False, max_class_fraction=1",
            "without_replacement=True, max_class_fraction=0.4",
        ),
        ("components", "repeated images in a batch"),
    ),
    Correction(
        "Eq. 9 with a small weight, and a softmax loss",
        "Section 3.2",
        r"J=J_{\text{Eq. 9}}",
        "Alone, or with the weight of the softmax loss, Eq. 9 overfits the minority classes.",
        r"J=J_{\text{softmax}}+0.05\,J_{\text{Eq. 9}}",
        "Eq. 9 has a twentieth of the weight of a softmax loss on the same samples.",
        ("margin_weight=1, softmax_weight=0", "margin_weight=0.05, softmax_weight=1"),
        ("components", "Eq. 9 with ten times the weight"),
    ),
    Correction(
        "Warm-up of Eq. 9",
        "Section 3.2",
        r"J_{\text{Eq. 9}}\text{ from the first clusters on}",
        "If pretrained features do not separate the classes, the nearest clusters of other classes "
        "are random, and pushing them apart interferes with learning.",
        r"J_{\text{Eq. 9}}\text{ once }\frac{A-1/C}{1-1/C}\ge 0.1",
        "Eq. 9 starts when balanced accuracy A on validation images has covered a tenth of the "
        "range from chance to 1. If the classes can be separated early, this makes no difference.",
        ("warmup_until=0", "warmup_until=0.1"),
        ("warmup", "Eq. 9 without warm-up"),
    ),
    Correction(
        "Centroids of the index",
        "Equation 9",
        r"\hat\mu_m=\frac1n\sum_{i\in\text{batch}\cap I_m}f_i",
        "The mean of a few samples of a cluster is noisy, and the mean of one sample is that "
        "sample.",
        r"\begin{gathered}\mu_m\leftarrow 0.9\,\mu_m+0.1\,\hat\mu_m,\\"
        r"\text{the 6 nearest of other classes}\end{gathered}",
        "Centroids of the index, updated by the batches; each sample is compared with the nearest "
        "cluster of its class and the nearest ones of other classes.",
        ('centroids="batch"', 'centroids="local"'),
        ("components", "centroids of the batch"),
    ),
    Correction(
        "Classifier independent of the number of clusters",
        "Equation 10",
        r"\min_{m:\,c(m)=c}\frac{e^{f^\top\mu_m}}{\sum_{k:\,c(k)\neq c}e^{f^\top\mu_k}}",
        "The class with most of the N retrieved clusters has the sum with fewest terms, and is "
        "predicted for that reason alone. Offsets fitted on validation images compensate as well.",
        r"\min_{m\in N_c}s f^\top\mu_m-\log\frac1{|R\setminus N_c|}"
        r"\sum_{k\in R\setminus N_c}e^{s f^\top\mu_k}",
        "N clusters of every class are retrieved, and a mean replaces the sum.",
        ('rule="printed"', 'rule="per-class"'),
        ("classifier", "printed"),
    ),
    Correction(
        "Offsets from validation images",
        "Equation 10",
        r"\hat c=\arg\max_c\,\text{score}_c",
        "Scores of rare classes are lower throughout, since the head has seen few of their images.",
        r"\hat c=\arg\max_c\left(w^\top[\text{score}_c,\,\text{log-odds}_c]+b_c\right)",
        "Weights of the cluster classifier's scores and of the head's log-odds, and an offset of "
        "every class, are fitted by class-balanced logistic regression on validation images.",
        (
            'stack_head=False, calibration="none"',
            'stack_head=True, calibration="offsets"',
        ),
        ("components", "cluster classifier alone, uncalibrated"),
    ),
)
ALL_AT_ONCE = ("components", "clmle-paper")  # the study and variant without any correction
