"""Classifies film reviews with convolutions over words, beside a bag of words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.feature_extraction.text import CountVectorizer

from explorer.runs.context import RunContext
from explorer.runs.data.loading import load_text
from explorer.runs.data.sequence_pictures import written
from explorer.runs.data.sequences import REVIEW_CLASSES, Reviews, reviews
from explorer.runs.data.stored import TextSet
from explorer.runs.fitting import fit
from explorer.runs.lessons.one_dimension import IMDB, JUDGED_TEXTS, WIDTHS, sentence_of, variant_of_width
from explorer.runs.outcome import (
    MOST_KEPT_PICTURES,
    Guesses,
    Number,
    Numbers,
    Table,
    Verdict,
    add_moment,
    confusion_of,
    write_outcome,
    write_predictions,
    write_probe,
    write_validation,
)
from explorer.runs.scoring import accuracy, class_table, compiled, probabilities
from explorer.runs.tasks.sequences.baseline import logistic_regression
from explorer.runs.trained import file_of

VALIDATION_SEED = 1_000_000
PAD, UNKNOWN, FIRST_WORD = 0, 1, 2
VECTOR = 16
PROBES = 6
SHOWN_FILTERS = 8
SHOWN_PHRASES = 4
CLEARLY = 0.05
"""A convolution sees the order if it is right so much more often than the bag of words."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """Texts as numbers.

    Attributes:
        words: int32 (n, length); 0 pads, 1 is a word that is not known.
        labels: int64 (n,).
        texts: the same as words.
    """

    words: np.ndarray
    labels: np.ndarray
    texts: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Judged:
    """What a network is worth.

    Attributes:
        width: words that a filter sees.
        model: trained.
        chances: (n, 2), of the validation texts.
        seconds: of training.
    """

    width: int
    model: keras.Model
    chances: np.ndarray
    seconds: float


def build(vocabulary: int, length: int, width: int, filters: int) -> keras.Model:
    """Return an embedding, one convolution over words, the mean over the text, and logits.

    Args:
        vocabulary: numbers that words can have, padding among them.
        length: of a text.
        width: words that a filter sees.
        filters: how many.

    Returns:
        A model from integers (n, length) to logits (n, 2).
    """
    words = keras.Input((length,), dtype="int32", name="words")
    x = layers.Embedding(vocabulary, VECTOR, name="word_vectors")(words)
    x = layers.Conv1D(filters, width, padding="same", activation="relu", name="phrases")(x)
    x = layers.GlobalAveragePooling1D(name="over_the_text")(x)
    return keras.Model(words, layers.Dense(len(REVIEW_CLASSES), name="classes")(x), name="text")


def train(context: RunContext, settings: dict[str, Any]) -> None:
    """Train a bag of words and a network for each width of filters on the same texts."""
    training, validation, names = load(context, settings)
    _show_texts(context, validation)
    context.say("logistic regression on a bag of words")
    bag = bag_of_words(context, training, validation)
    write_predictions(context, bag, "linear")
    judged: list[Judged] = []
    complete = True
    for number, width in enumerate(settings["widths"], start=1):
        if context.stopped():
            break
        context.say(f"filters of {WIDTHS[width]}, {number} of {len(settings['widths'])}")
        context.part(number, len(settings["widths"]))
        one, whole = _trained(context, settings, width, training, validation, len(names))
        judged.append(one)
        complete = complete and whole
        write_outcome(context, _items(settings, judged, bag, validation, names, complete=False))
    write_outcome(context, _items(settings, judged, bag, validation, names, complete and not context.stopped()))


def load(context: RunContext, settings: dict[str, Any]) -> tuple[Encoded, Encoded, tuple[str, ...]]:
    """Return texts to learn from, texts to be judged by, and the word of each number.

    Raises:
        SentenceError: if IMDB is asked for and not there.
    """
    seed = context.config.seed
    if settings["corpus"] == "imdb":
        data = {"source": "imdb", **IMDB, "pictures": settings["examples"], "download": settings["download"]}
        sets = load_text(data, seed=seed, context=context)
        training, validation = (_of_imdb(each) for each in sets)
        return training, validation, ("", *sets[0].words[1:])
    context.say("writing reviews")
    told = reviews(settings["examples"], settings["negated"], seed)
    names = vocabulary(told.texts)
    length = max(len(text.split()) for text in told.texts)
    judged_by = reviews(JUDGED_TEXTS, settings["negated"], seed + VALIDATION_SEED)
    return encoded(told, names, length), encoded(judged_by, names, length), names


def _of_imdb(texts: TextSet) -> Encoded:
    return Encoded(texts.tokens, texts.labels, tuple(texts.text(number) for number in range(len(texts))))


def vocabulary(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the word of each number: padding, the unknown word, and then all words of the texts."""
    return ("", "?", *sorted({word for text in texts for word in text.split()}))


def encoded(texts: Reviews, names: tuple[str, ...], length: int) -> Encoded:
    """Return texts as numbers, cut or padded at the end."""
    numbers = {word: number for number, word in enumerate(names) if number >= FIRST_WORD}
    words = np.full((len(texts.texts), length), PAD, np.int32)
    for row, text in enumerate(texts.texts):
        known = [numbers.get(word, UNKNOWN) for word in text.split()[:length]]
        words[row, : len(known)] = known
    return Encoded(words, texts.labels, texts.texts)


def bag_of_words(context: RunContext, training: Encoded, validation: Encoded) -> np.ndarray:
    """Return the probabilities (n, 2) of a logistic regression that knows which words are in a text, and how often."""
    counter = CountVectorizer(token_pattern=r"\S+")
    found = logistic_regression(context, counter.fit_transform(training.texts), training.labels)
    return found.predict_proba(counter.transform(validation.texts))


def _show_texts(context: RunContext, validation: Encoded) -> None:
    pixels = np.stack([written(text) for text in validation.texts[:MOST_KEPT_PICTURES]])
    names = [f"review {number + 1}" for number in range(len(pixels))]
    write_validation(context, pixels, validation.labels[: len(pixels)].tolist(), REVIEW_CLASSES, names)
    write_probe(context, pixels[:PROBES], REVIEW_CLASSES, validation.labels[:PROBES].tolist(), names[:PROBES])


def _trained(
    context: RunContext, settings: dict[str, Any], width: int, training: Encoded, validation: Encoded, words: int
) -> tuple[Judged, bool]:
    keras.utils.set_random_seed(context.config.seed)
    model = build(words, training.words.shape[1], width, settings["filters"])
    compiled(model, settings["learning_rate"])
    variant = variant_of_width(width)

    def show(epoch: int, numbers: dict[str, float]) -> None:
        rows = probabilities(model, validation.words[:PROBES])
        guesses = tuple(tuple(round(float(chance), 5) for chance in row) for row in rows)
        add_moment(context, epoch, Guesses(title="Reviews it has not learnt from", probabilities=guesses), variant)

    fitted = fit(
        context,
        model,
        training.words,
        training.labels,
        validation=(validation.words, validation.labels),
        epochs=settings["epochs"],
        batch_size=settings["batch_size"],
        variant=variant,
        on_epoch=show,
    )
    context.save_model(model, file_of(variant))
    chances = probabilities(model, validation.words)
    write_predictions(context, chances, variant)
    return Judged(width, model, chances, fitted.seconds), fitted.complete


# --- what is shown ---


def phrases(judged: Judged, texts: Encoded, names: tuple[str, ...]) -> Table:
    """Return the phrases that the filters with the most say respond to most."""
    responses = keras.Model(judged.model.inputs, judged.model.get_layer("phrases").output)
    maps = np.asarray(responses.predict(texts.words, batch_size=256, verbose=0))
    weights = np.asarray(keras.ops.convert_to_numpy(judged.model.get_layer("classes").kernel))
    says = weights[:, 1] - weights[:, 0]
    loudness = maps.mean(axis=(0, 1))
    most = np.argsort(-np.abs(says) * loudness, kind="stable")[:SHOWN_FILTERS]
    rows = []
    for number in most.tolist():
        found = _phrases_of(maps[:, :, number], texts.words, judged.width, names)
        rows.append((f"filter {number + 1}", REVIEW_CLASSES[int(says[number] > 0)], " · ".join(found)))
    return Table(
        title=f"What filters of {WIDTHS[judged.width]} respond to most",
        columns=("filter", "speaks for", "phrases"),
        rows=tuple(rows),
        note="The filters whose mean response weighs most; phrases of texts that were not learnt from.",
    )


def _phrases_of(responses: np.ndarray, words: np.ndarray, width: int, names: tuple[str, ...]) -> list[str]:
    """Return the different phrases with the largest responses (n, length); Keras' "same" puts fewer zeros in front."""
    before = (width - 1) // 2
    padded = np.pad(words, ((0, 0), (before, width - 1 - before)))
    found: list[str] = []
    for flat in np.argsort(-responses, axis=None, kind="stable").tolist():
        row, place = divmod(flat, words.shape[1])
        phrase = " ".join(filter(None, (names[word] for word in padded[row, place : place + width].tolist())))
        if responses[row, place] <= 0:
            break
        if phrase and phrase not in found:
            found.append(phrase)
        if len(found) == SHOWN_PHRASES:
            break
    return found


def _items(
    settings: dict[str, Any],
    judged: list[Judged],
    bag: np.ndarray,
    validation: Encoded,
    names: tuple[str, ...],
    complete: bool,
) -> list[Any]:
    truth = validation.labels
    shares = {one.width: accuracy(truth, one.chances) for one in judged}
    bag_share = accuracy(truth, bag)
    majority = float(max(truth.mean(), 1 - truth.mean()))
    numbers = [Number(label="Bag of words", value=100 * bag_share, unit="%", digits=1, baseline=True)]
    numbers += [
        Number(label=f"Filters of {WIDTHS[width]}", value=100 * share, unit="%", digits=1)
        for width, share in shares.items()
    ]
    rows: list[tuple[str | float | int | None, ...]] = [
        ("bag of words, logistic regression", bag_share, None, None),
        *(
            (f"filters of {WIDTHS[one.width]}", shares[one.width], one.model.count_params(), round(one.seconds, 1))
            for one in judged
        ),
        ("always the more frequent class", majority, None, None),
    ]
    table = Table(
        title="The classifiers",
        columns=("classifier", "accuracy", "parameters", "seconds"),
        rows=tuple(rows),
        lit=tuple((row, 1) for row in range(1 + len(judged))),
    )
    shown: list[Any] = [_verdict(settings, shares, bag_share, complete), Numbers(rows=tuple(numbers))]
    shown += [phrases(one, validation, names) for one in reversed(judged)]
    shown.append(table)
    if judged:
        best = max(judged, key=lambda one: shares[one.width])
        answers = best.chances.argmax(axis=1)
        shown.append(class_table(truth, answers, REVIEW_CLASSES, f"Class by class, filters of {WIDTHS[best.width]}"))
    for one in judged:
        title = f"Filters of {WIDTHS[one.width]}"
        answers = one.chances.argmax(axis=1)
        shown.append(confusion_of(truth, answers, REVIEW_CLASSES, variant_of_width(one.width), title))
    shown.append(confusion_of(truth, bag.argmax(axis=1), REVIEW_CLASSES, "linear", "Bag of words"))
    return shown


def _verdict(settings: dict[str, Any], shares: dict[int, float], bag: float, complete: bool) -> Verdict:
    sentence = sentence_of(settings)
    wide = {width: share for width, share in shares.items() if width > 1}
    if not complete or not wide:
        why = "Filters of two words or more have to be trained to the end to see the order of words."
        return Verdict(sentence=sentence, holds=None, because=why)
    said = ", ".join(f"filters of {WIDTHS[width].split(':')[0]} {share:.2f}" for width, share in shares.items())
    because = f"Accuracy on reviews that none has seen: {said}, bag of words {bag:.2f}."
    return Verdict(sentence=sentence, holds=max(wide.values()) >= bag + CLEARLY, because=because)
