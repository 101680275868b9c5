"""The text under the filters page: what is computed, with which formula, and by whom it was found."""

import streamlit as st


def show() -> None:
    """Explain, briefly, what the page shows."""
    with st.expander("Background, formulas, source"):
        st.markdown(
            r"""
Training changes the weights and keeps the pictures. **Gradient ascent** on the input keeps the weights and changes
the picture, so that one number $S$ of the network becomes as large as possible:

$$x^\ast = \arg\max_{x}\; \mathbb{E}_{\tau}\big[S(\tau(x))\big] - \lambda\, R(x)$$

- **What is made large.** A channel: the mean of its map *before* the activation, because behind a ReLU a channel
  that does not answer has no gradient and never starts. A class: its logit, or its evidence in the middle of the last
  maps against the other classes, which asks for one object in the middle.
- **Why regularise.** Without more, the result is noise that only the network understands: an *adversarial* picture.
  A **Fourier** image ($1/f^d$) lets long waves move first; **shaking** $\tau$ (shift, turn, scale) keeps only what
  survives it; **smoothness** $R$ holds neighbours together. A network trained to be **robust** needs least of it:
  what it wants looks like the thing.
- **How good.** *Reached*: $S$ on the finished image. *Under 16 shakes*: its mean after fresh random shakes. *Fine
  detail*: share of the spectrum's power above a quarter of the sampling frequency. **Flat** means that nothing began.
- **What it does not prove.** It is one picture that drives the channel, found by a search with a taste of its own
  (the regularisers). Others may drive it as much: look at the real pictures beside it, and at several copies.
- **Dream.** The same ascent on a photo, on everything that a layer answers to, on growing sizes (octaves).

Source: Erhan et al., *Visualizing higher-layer features*, 2009; Simonyan, Vedaldi, Zisserman, *Deep inside
convolutional networks*, 2014; Mordvintsev, Olah, Tyka, *Inceptionism*, 2015; Olah, Mordvintsev, Schubert, *Feature
visualization*, Distill 2017; Engstrom et al., *Adversarial robustness as a prior*, 2019; F. Chollet, *Deep Learning
with Python*, ch. 9.
"""
        )
