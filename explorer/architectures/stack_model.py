"""Stacks of *Build your own* as networks of the catalogue, by a name that says all: "stack-28x28x1_conv_…"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.architectures import untrained
from explorer.architectures.build_sketch import build_stack
from explorer.architectures.registration import stack_text
from explorer.architectures.sketch import Clash
from explorer.architectures.stack import StackError
from explorer.networks.work_context import SentenceError

if TYPE_CHECKING:
    import keras


def build(name: str) -> keras.Model:
    """Return the Keras model of a stack with random weights.

    It takes what the stack takes, grey pictures or a row of values too, and gives logits: a softmax or sigmoid at the
    end is left out.

    Args:
        name: "stack-" and the stack's text, as `explorer.architectures.stack.to_text` writes it.

    Raises:
        SentenceError: if the text is no stack, or shapes clash in it.
    """
    try:
        return untrained.with_logits(build_stack(stack_text(name)))
    except (StackError, Clash) as error:
        raise SentenceError(str(error)) from error
