"""What of the paper had to be repaired: as printed, what happens, what is done instead.

Formulas are LaTeX. ``trial`` is the study and its variant that leave the repair out, so that its
worth is measured as the difference to the method with all repairs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Repair:
    """One repair of the method.

    ``switches`` are (printed, repaired), as options of the method or names of the library.
    """

    name: str
    where: str
    printed: str
    happens: str
    repaired: str
    instead: str
    switches: tuple[str, str]
    trial: tuple[str, str] | None = None


REPAIRS = (
    Repair(
        "Mean in the denominator, and a scale",
        "Equation 9",
        r"\left[-\log\frac{e^{f^\top\mu_m-a_1}}{\sum_{k:\,c(k)\neq c(m)}e^{f^\top\mu_k}}\right]_+",
        "The hinge reaches zero only for a1 ≤ 1 − cos θ − log K′ / s. With K′ = 6 other clusters "
        "and s = 1 the largest margin that can ever be met is 2 − log 6 = 0.21, while its bound "
        "is 2: the loss pulls for ever.",
        r"\left[s\,a_1-s\,f^\top\mu_m+\log\frac1{K'}\sum_{k:\,c(k)\neq c(m)}"
        r"e^{s f^\top\mu_k}\right]_+",
        "A mean takes the term log K′ away; a scale s = 8 makes what is left of it small.",
        ('denominator="sum", scale=1', 'denominator="mean", scale=8'),
        ("scale-x-denominator", "sum, s = 1"),
    ),
    Repair(
        "Bound of a1 on the sphere",
        "Figure 4",
        r"a_1\le\cos 0-\cos\frac{2\pi}{C}",
        "The bound puts C classes on a circle. For 10,575 of them it is 0.0000002: no margin at "
        "all. Features live on a sphere, where there is far more room.",
        r"a_1\le\begin{cases}1+\frac1{C-1}&C\le d+1\\1&d+1<C\le 2d\\"
        r"\text{disjoint caps}&\text{beyond}\end{cases}",
        "C classes of R^d can be the corners of a simplex (Rankin 1955). The margin is an eighth "
        "of the largest that can be met.",
        ("margin_bounds(...).between", "margin_bounds(...).between_sphere"),
    ),
    Repair(
        "Bound of a2 that does not fall back",
        "Figure 4",
        r"a_2^{(c)}\le\cos 0-\cos\frac{2\pi L_c}{L}",
        "A class with over half of the images has points that are half a turn apart, so that its "
        "bound is 2; the printed one falls back to 0.",
        r"a_2^{(c)}\le\begin{cases}1-\cos\frac{2\pi L_c}{L}&L_c<L/2\\2&L_c\ge L/2\end{cases}",
        "The bound is monotone. The recipe leaves the term within a class out (within_weight=0).",
        ("margin_bounds(...).within", "margin_bounds(...).within_arc"),
    ),
    Repair(
        "Batches spread over all clusters",
        "Section 3.3",
        r"\begin{gathered}\text{batch}=\{m_1\}\;\cup\\"
        r"\text{the }M-1\text{ nearest clusters of }m_1\end{gathered}",
        "Every batch shows one small neighborhood of a large class. The rest of that class "
        "drifts meanwhile, until nearly all is judged as the majority.",
        r"\begin{gathered}\Pr(m)\propto(\text{mean cached loss of }m)^2,\\"
        r"m\in\text{all clusters}\end{gathered}",
        "A batch is spread over all clusters, hard ones more often, with a softmax on the same "
        "samples beside Eq. 9.",
        ('sampler="cluster-neighborhood"', 'sampler="all-clusters"'),
        ("components", "one neighborhood per batch"),
    ),
    Repair(
        "Half of a large class evenly",
        "Section 3.3",
        r"\text{the query is the hardest cluster}",
        "Where nearly all is learned, one cluster holds nearly all of the loss and fills the places "
        "of its class. What it does not show is lost within a few steps.",
        r"\Pr(i)=\tfrac12\,\Pr\nolimits_{\text{hard}}(i)+\tfrac12\,\frac1{L_c}",
        "Half of the places of a class above the mean size go to hard clusters, half evenly over "
        "the class.",
        ("hard_fraction=1", "hard_fraction=0.5"),
        ("hard-fraction", "all samples from hard clusters"),
    ),
    Repair(
        "No rare image twice in a batch",
        "Section 3.3",
        r"\begin{gathered}20\text{ samples of each cluster,}\\"
        r"\text{whatever its size}\end{gathered}",
        "A class of a few dozen images is shown thousands of times and learned by heart.",
        r"\text{places of class }c\text{ in a batch}\le 0.4\,L_c",
        "A batch holds at most two fifths of a class's images, from the first step on; logits are "
        "corrected for classes that are not drawn evenly.",
        ("distinct=False, max_class_fraction=1", "distinct=True, max_class_fraction=0.4"),
        ("components", "repeated images in a batch"),
    ),
    Repair(
        "A light Eq. 9 beside a softmax",
        "Section 3.2",
        r"J=J_{\text{Eq. 9}}",
        "Alone, or at the weight of the softmax, Eq. 9 learns the few by heart.",
        r"J=J_{\text{softmax}}+0.05\,J_{\text{Eq. 9}}",
        "Eq. 9 stands at a twentieth of the weight of a softmax on the same samples.",
        ("margin_weight=1, softmax_weight=0", "margin_weight=0.05, softmax_weight=1"),
        ("components", "Eq. 9 with ten times the weight"),
    ),
    Repair(
        "Eq. 9 waits for features that tell the classes",
        "Section 3.2",
        r"J_{\text{Eq. 9}}\text{ from the first clusters on}",
        "Where prior features do not tell the classes, neighbors of another class are any, and "
        "pushing them apart keeps the features from what there is to learn.",
        r"J_{\text{Eq. 9}}\text{ once }\frac{A-1/C}{1-1/C}\ge 0.1",
        "Eq. 9 begins when balanced accuracy A on validation images has come a tenth of the way "
        "from chance to 1. Tasks that can be told apart from the start never notice.",
        ("readiness=0", "readiness=0.1"),
        ("warmup", "Eq. 9 without warm-up"),
    ),
    Repair(
        "Centroids of the index",
        "Equation 9",
        r"\hat\mu_m=\frac1n\sum_{i\in\text{batch}\cap I_m}f_i",
        "The mean of a few samples of a cluster is noisy, and of one sample it is that sample.",
        r"\begin{gathered}\mu_m\leftarrow 0.9\,\mu_m+0.1\,\hat\mu_m,\\"
        r"\text{the 6 nearest of other classes}\end{gathered}",
        "Centroids of the index, moved by the batches in between; each sample meets its nearest "
        "own cluster and the nearest of other classes.",
        ('centroids="batch"', 'centroids="local"'),
        ("components", "centroids of the batch"),
    ),
    Repair(
        "A test rule that does not count clusters",
        "Equation 10",
        r"\min_{m:\,c(m)=c}\frac{e^{f^\top\mu_m}}{\sum_{k:\,c(k)\neq c}e^{f^\top\mu_k}}",
        "The class with more of the N retrieved clusters meets a shorter sum, and wins for that "
        "alone. Offsets fitted on validation images put it right as well.",
        r"\min_{m\in N_c}s f^\top\mu_m-\log\frac1{|R\setminus N_c|}"
        r"\sum_{k\in R\setminus N_c}e^{s f^\top\mu_k}",
        "N clusters of every class are retrieved, and a mean stands in place of the sum.",
        ('rule="printed"', 'rule="per-class"'),
        ("classifier", "printed"),
    ),
    Repair(
        "Offsets from validation images",
        "Equation 10",
        r"\hat c=\arg\max_c\,\text{score}_c",
        "Scores of rare classes are lower throughout, since the head has seen few of them.",
        r"\hat c=\arg\max_c\left(w^\top[\text{score}_c,\,\text{log-odds}_c]+b_c\right)",
        "The rule's scores and the head's log-odds are weighed, and offsets of the classes fitted, "
        "by class-balanced logistic regression on validation images.",
        ("stack_head=False, calibration=none", "stack_head=True, calibration=offsets"),
        ("components", "cluster classifier alone, uncalibrated"),
    ),
)
ALL_AT_ONCE = ("components", "clmle-paper")  # the study and variant with none of the repairs
