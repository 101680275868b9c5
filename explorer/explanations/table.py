"""The methods that there are: what a page must know of each without loading Keras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal["gradient", "activation map", "perturbation"]


@dataclass(frozen=True)
class Option:
    """One knob of a method.

    Attributes:
        name: Keyword argument of `explorer.explanations.explain.explain`.
        label: What a visitor calls it.
        default: Its value when nothing is said.
        low: Smallest number.
        high: Largest number.
        step: Of a slider.
        options: Allowed words of a choice, instead of limits.
        help: One sentence.
    """

    name: str
    label: str
    default: float | int | str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    options: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True)
class Method:
    """One way to explain.

    Attributes:
        name: In code and links.
        title: For people.
        family: What it uses.
        question: What its map answers, in one sentence.
        definition: The formula in one line, naming the variant where libraries differ.
        limit: What the map does not prove, in one sentence.
        source: Paper, and section or equation.
        signed: Whether values have a meaningful sign.
        layer: Whether it looks at a layer, which can be chosen.
        sampling: Whether it needs many passes, and so shows progress in the long lane.
        targets: Which kinds of target it can explain.
        options: Its knobs.
    """

    name: str
    title: str
    family: Family
    question: str
    definition: str
    limit: str
    source: str
    signed: bool
    layer: bool
    sampling: bool
    targets: tuple[str, ...]
    options: tuple[Option, ...] = ()


_ANY = ("class", "channel", "cell")
_CLASS = ("class",)
_BASELINE = Option(
    "baseline", "Baseline", "grey", options=("black", "grey", "white", "mean", "blur"),
    help="What stands for absence: one colour, the picture's mean colour, or the picture blurred.",
)  # fmt: skip
_GRADIENT_LIMIT = "It tells what a tiny change would do, not what would happen without the object."
_COARSE_LIMIT = "It tells where on a coarse grid, not which pixels; the smooth edges come from enlarging."

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            "saliency", "Gradient", "gradient",
            "Which pixels change the score most if they change a little?",
            "max over channels of |∂S/∂x|",
            _GRADIENT_LIMIT,
            "Simonyan, Vedaldi, Zisserman 2013, section 3",
            signed=False, layer=False, sampling=False, targets=_ANY,
        ),
        Method(
            "gradient_input", "Gradient × input", "gradient",
            "How much does each pixel add to the score, if the network were linear?",
            "sum over channels of x · ∂S/∂x",
            "What is near the input's zero gets nothing, whatever it means: black, grey or the mean colour, as the "
            "network's preprocessing has it.",
            "Shrikumar, Greenside, Kundaje 2017",
            signed=True, layer=False, sampling=False, targets=_ANY,
        ),
        Method(
            "smoothgrad", "SmoothGrad", "gradient",
            "Which pixels matter on average in the picture's neighbourhood?",
            "mean over noisy copies of max over channels of |∂S/∂x|",
            "The noise is seen by the network as well: what is averaged is no longer this very picture.",
            "Smilkov et al. 2017, section 2",
            signed=False, layer=False, sampling=True, targets=_ANY,
            options=(
                Option("samples", "Samples", 25, 2, 200, 1, help="Noisy copies that are averaged."),
                Option("noise", "Noise", 0.15, 0.0, 0.5, 0.01, help="Deviation as a share of the picture's range."),
            ),
        ),
        Method(
            "integrated_gradients", "Integrated gradients", "gradient",
            "How is the score's difference from a baseline picture shared out among the pixels?",
            "sum over channels of (x − x′) · mean of ∂S/∂x on the way from x′ to x, trapezoid rule",
            "It depends on the baseline: what has the baseline's colour gets nothing.",
            "Sundararajan, Taly, Yan 2017, equations 1 and 3",
            signed=True, layer=False, sampling=True, targets=_ANY,
            options=(
                Option("steps", "Steps", 50, 5, 300, 5, help="Points on the way from the baseline to the picture."),
                _BASELINE,
            ),
        ),
        Method(
            "guided_backprop", "Guided backprop", "gradient",
            "Which edges run through the active units?",
            "max over channels of |∂S/∂x|, with ReLU passing only positive gradients back",
            "It hardly depends on the class, or even on trained weights: it mostly redraws edges.",
            "Springenberg et al. 2014, section 3.4",
            signed=False, layer=False, sampling=False, targets=_ANY,
        ),
        Method(
            "guided_grad_cam", "Guided Grad-CAM", "gradient",
            "Which edges, in the region that Grad-CAM points at?",
            "guided backprop (sum over channels) × enlarged Grad-CAM",
            "It inherits guided backprop's indifference: fine detail in it proves little.",
            "Selvaraju et al. 2017, section 3.2",
            signed=True, layer=True, sampling=False, targets=_CLASS,
        ),
        Method(
            "grad_cam", "Grad-CAM", "activation map",
            "Which regions of a layer's maps speak for the class?",
            "ReLU(Σₖ αₖ Aₖ), αₖ = mean over places of ∂S/∂Aₖ",
            _COARSE_LIMIT,
            "Selvaraju et al. 2017, equations 1 and 2",
            signed=False, layer=True, sampling=False, targets=_ANY,
        ),
        Method(
            "grad_cam_plus_plus", "Grad-CAM++", "activation map",
            "The same, with places weighted so that several objects count.",
            "ReLU(Σₖ wₖ Aₖ), wₖ = Σ αₖ ReLU(∂S/∂Aₖ), αₖ = g² / (2g² + g³ ΣA), zero where the denominator is",
            _COARSE_LIMIT,
            "Chattopadhay et al. 2018, equations 5, 10 and 19 (with g = ∂S/∂A of the logit)",
            signed=False, layer=True, sampling=False, targets=_CLASS,
        ),
        Method(
            "layer_cam", "LayerCAM", "activation map",
            "Which places of a layer speak for the class, each with its own weight?",
            "ReLU(Σₖ ReLU(∂S/∂Aₖ) · Aₖ)",
            "In early layers it is finer, but depends on the gradient of single places.",
            "Jiang et al. 2021, equations 6 and 7",
            signed=False, layer=True, sampling=False, targets=_CLASS,
        ),
        Method(
            "score_cam", "Score-CAM", "activation map",
            "Which maps of a layer, used as a mask on the picture, keep the score high?",
            "ReLU(Σₖ softmaxₖ(S(x ∘ Mₖ)) Aₖ), Mₖ = Aₖ enlarged (corners aligned) and scaled to 0…1",
            "Masked pictures are unlike anything that the network has seen.",
            "Wang et al. 2020, equations 5 to 8",
            signed=False, layer=True, sampling=True, targets=_CLASS,
        ),
        Method(
            "occlusion", "Occlusion", "perturbation",
            "How far does the score fall when a patch is covered?",
            "mean over all windows that cover a pixel of S(x) − S(x with the window covered)",
            "A covered patch is a new object too: the network may answer to the cover itself.",
            "Zeiler, Fergus 2014, section 4.2",
            signed=True, layer=False, sampling=True, targets=_ANY,
            options=(
                Option("window", "Window", 0.25, 0.05, 0.5, 0.01, help="Side of the cover as a share of the picture."),
                Option("stride", "Stride", 0.5, 0.1, 1.0, 0.1, help="How far it moves, as a share of the window."),
                _BASELINE,
            ),
        ),
        Method(
            "lime", "LIME", "perturbation",
            "Which superpixels would a simple model need to copy the network near this picture?",
            "weights of a linear model (or a forest's importances) on superpixels switched on and off",
            "Another segmentation or another seed gives another answer: look at R².",
            "Ribeiro, Singh, Guestrin 2016, section 3.4",
            signed=True, layer=False, sampling=True, targets=_CLASS,
            options=(
                Option("samples", "Samples", 500, 50, 4000, 50, help="Pictures with superpixels switched off."),
                Option("segments", "Superpixels", 50, 4, 200, 1, help="How many to aim at."),
                Option("model", "Model", "ridge", options=("ridge", "lasso", "forest"),
                       help="What copies the network."),
                _BASELINE,
            ),
        ),
        Method(
            "rise", "RISE", "perturbation",
            "How far above its average is the score when this pixel is seen?",
            "mean of (S(x ∘ m) − S̄) · m over random smooth masks m, divided by the share p that they show; the paper "
            "leaves the mean score S̄ in, which lifts the whole map by it",
            "It is a noisy average: with few masks, blotches come from chance.",
            "Petsiuk, Das, Saenko 2018, section 3 and equation 6",
            signed=True, layer=False, sampling=True, targets=_CLASS,
            options=(
                Option("samples", "Masks", 1000, 50, 8000, 50, help="Random masks."),
                Option("grid", "Grid", 7, 3, 16, 1, help="Cells on a side of the masks before enlarging."),
                Option("share", "Shown", 0.5, 0.1, 0.9, 0.05, help="Share of cells that are shown."),
                Option("average", "Average", "removed", options=("removed", "kept"),
                       help="The mean score is taken off, or left in as in the paper."),
            ),
        ),
    )
}  # fmt: skip


def has_box(name: str) -> bool:
    """Return whether the box around a method's strongest region means anything.

    Only maps of regions say where a thing is: the box around a few bright pixels of a gradient means nothing.

    Raises:
        KeyError: with a sentence, if there is no method of that name.
    """
    return method(name).family != "gradient"


def method(name: str) -> Method:
    """Return one method.

    Raises:
        KeyError: with a sentence, if there is none of that name.
    """
    found = METHODS.get(name)
    if found is None:
        raise KeyError(f"There is no method called {name!r}; there are {', '.join(METHODS)}.")
    return found
