"""Puts the project's own architectures into the catalogue of networks, so that other pages open them untrained."""

from __future__ import annotations

from explorer.architectures.cards import cards
from explorer.architectures.results import Card
from explorer.architectures.stack import StackError, from_text, report
from explorer.architectures.tables import totals
from explorer.networks import catalogue
from explorer.networks.catalogue import NetworkEntry, Preprocessing
from explorer.networks.work_context import SentenceError

BUILDER = "explorer.architectures.untrained:build"
STACK_BUILDER = "explorer.architectures.stack_model:build"

# How each family's authors (or Keras) prepare pictures; the others take values from 0 to 1.
_PREPROCESSING: dict[str, Preprocessing] = {
    "AlexNet": "caffe",
    "ZFNet": "caffe",
    "VGG": "caffe",
    "Inception": "tf",
    "ResNet": "caffe",
    "ResNeXt": "torch",
    "Wide ResNet": "torch",
    "DenseNet": "torch",
    "SENet": "torch",
    "SqueezeNet": "caffe",
    "MobileNet": "tf",
    "Xception": "tf",
    "ShuffleNet": "torch",
}


def register_networks() -> None:
    """Register every network that is built here; what is registered already stays, so it may be called again.

    Web process and workers both call it when they start; it imports no Keras.
    """
    known = {entry.name for entry in catalogue.entries()}
    parameters = {one.name: one.parameters for one in totals()}
    for one in cards():
        if one.origin == "own" and one.name not in known and one.name in parameters:
            catalogue.register(entry_of(one, parameters[one.name]), BUILDER)


def entry_of(one: Card, parameters: int) -> NetworkEntry:
    """Return what the catalogue says about one of the project's own networks."""
    height, width, channels = one.input_shape
    grey = "" if channels == 3 else " Pictures are made grey before they go in."
    # The small Xception scales its input itself.
    preparing: Preprocessing = (
        "included" if one.name == "small_xception" else _PREPROCESSING.get(one.family, "zero_one")
    )
    return NetworkEntry(
        name=one.name,
        title=f"{one.title} · untrained",
        family=f"{one.family}, untrained",
        input_size=(height, width),
        preprocessing=preparing,
        class_names=None,
        parameters=parameters,
        weights=None,
        note=f"{'' if one.year is None else f'{one.year}: '}{one.idea}{grey}",
    )


def stack_text(name: str) -> str:
    """Return the text of a stack out of its name in the catalogue."""
    return name.removeprefix(catalogue.STACK_PREFIX)


def resolve_stack(name: str) -> tuple[NetworkEntry, str]:
    """Return a stack of *Build your own* as a network of the catalogue, and what builds it; imports no Keras.

    Args:
        name: "stack-" and the stack's text, as `explorer.architectures.stack.to_text` writes it.

    Raises:
        SentenceError: if the text is no stack, or shapes clash in it.
    """
    try:
        stack = from_text(stack_text(name))
    except StackError as error:
        raise SentenceError(str(error)) from error
    found = report(stack)
    if found.broken is not None:
        raise SentenceError(found.sentence)
    height, width = stack.input_shape[:2] if len(stack.input_shape) == 3 else (1, stack.input_shape[0])
    entry = NetworkEntry(
        name=name,
        title="Own stack · untrained",
        family="Own stacks",
        input_size=(height, width),
        preprocessing="zero_one",
        class_names=None,
        parameters=sum(row.parameters for row in found.rows),
        weights=None,
        note=f"Built layer by layer: {len(stack.layers)} layers.",
    )
    return entry, STACK_BUILDER
