"""A scene whose numbers come with the app for its first settings, and are computed live for others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.gradient_flow.stored_results import stored
from explorer.interface import jobs
from explorer.interface.gradient_flow import frame
from explorer.interface.gradient_flow.page_state import LARGEST_SEED, STATE
from explorer.interface.jobs import Job


def unfinished(result: Any, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Return what work about depth needs to go on after it gave way to others; None when all is done."""
    return None if result.state is None else {"state": result.state}


@dataclass(frozen=True)
class Stepwise:
    """One scene's work.

    Attributes:
        name: in the engine's table, and of the job.
        label: what is being done, for the progress line.
        button: what starts it.
        seed: name of the seed among the page's properties.
        always: whether every change of the settings starts it by itself, because it takes about a second.
    """

    name: str
    label: str
    button: str
    seed: str
    always: bool = False

    @property
    def key(self) -> str:
        """Of the job and of what is drawn for it."""
        return self.name.replace(".", "_")

    @property
    def _refused(self) -> str:
        return f"_{self.key}_refused"

    @property
    def _before(self) -> str:
        """Where the last result that was drawn is kept, so that the stage is not empty while the next begins."""
        return f"_{self.key}_before"

    def _begin(self, plan: Any) -> None:
        st.session_state.pop(self._refused, None)
        try:
            jobs.start(self.key, self.name, label=self.label, identity=(plan,), go_on=unfinished, plan=plan)
        except jobs.JobRefused as refusal:
            st.session_state[self._refused] = (plan, str(refusal))

    def _another(self, plan: Any) -> None:
        """Take the next seed, and compute with it."""
        seed = (plan.seed + 1) % (LARGEST_SEED + 1)
        STATE.set(self.seed, seed)
        self._begin(type(plan)(**{**plan.__dict__, "seed": seed}))

    def _refusal(self, plan: Any) -> str:
        refused = st.session_state.get(self._refused)
        return refused[1] if refused is not None and refused[0] == plan else ""

    def show(
        self,
        plan: Any,
        draw: Callable[[Any], None],
        *,
        code: Callable[[Any], str],
        table: Callable[[Any], bytes],
        empty: Callable[[], None] | None = None,
    ) -> None:
        """Draw what is known for a plan, stored, computed, or being computed, and what one takes along.

        Args:
            plan: What the settings ask for.
            draw: Draws a result, also one of the work so far.
            code: From a plan to the lines that give the same numbers in a notebook.
            table: From a result to a CSV file.
            empty: Draws what there is before any result.
        """
        self._show_stage(plan, draw, empty)
        result = self._result(plan)
        frame.take_along(
            self.name.rpartition(".")[2], code(plan), None if result is None else lambda: table(result)
        )  # fmt: skip

    def _result(self, plan: Any) -> Any:
        """Return what is known for a plan and will not change any more; None while there is nothing."""
        job = jobs.job(self.key)
        return job.result if job is not None and job.identity == (plan,) else stored(plan)

    def _show_stage(self, plan: Any, draw: Callable[[Any], None], empty: Callable[[], None] | None) -> None:
        watched = jobs.job(self.key)
        fits = watched is not None and watched.identity == (plan,)
        known = None if fits else stored(plan)
        self._is_first(plan)
        if known is not None:
            if watched is not None and watched.running:
                watched.stop()  # nobody looks at it any more
            self._bar(plan, None, f"Computed beforehand, seed {plan.seed}.")
            st.session_state[self._before] = known
            draw(known)
            return
        wanted = self.always or (watched is None and self._is_first(plan))
        if wanted and not fits and not self._refusal(plan) and not jobs.let_go(self.key):
            self._begin(plan)
            watched = jobs.job(self.key)
        if watched is None:
            let_go = jobs.LET_GO if jobs.let_go(self.key) else ""
            self._bar(plan, None, self._refusal(plan) or let_go or self._changed(empty), anew=True)
            self._draw_former(draw, empty)
            return
        jobs.poll(watched, lambda job: self._body(job, plan, draw, empty))

    def _is_first(self, plan: Any) -> bool:
        """Tell whether the scene was opened with these settings, by a link: it then computes them without a click."""
        return st.session_state.setdefault(f"_{self.key}_first", plan) == plan

    def _changed(self, empty: Callable[[], None] | None) -> str:
        if empty is None and self._before in st.session_state:
            return "The settings have changed since; what is shown is of the former ones."
        return f"The settings are new: press “{self.button}”."

    def _draw_former(self, draw: Callable[[Any], None], empty: Callable[[], None] | None) -> None:
        """Draw what needs no computing, or what was drawn last."""
        if empty is not None:
            empty()
        elif (former := st.session_state.get(self._before)) is not None:
            draw(former)

    def _body(self, job: Job, plan: Any, draw: Callable[[Any], None], empty: Callable[[], None] | None) -> None:
        fits = job.identity == (plan,)
        self._bar(plan, job, self._ending(job, plan, fits, empty), anew=not fits or bool(job.sentence))
        shown = job.payload if job.running or job.result is None else job.result
        if not fits and not job.running:
            self._draw_former(draw, empty)
        elif shown is not None:
            st.session_state[self._before] = shown
            draw(shown)
        elif empty is not None:
            empty()
        elif (former := st.session_state.get(self._before)) is not None:
            st.caption(f"Still what was computed before{'; the new numbers are on their way' if job.running else ''}.")
            draw(former)

    def _ending(self, job: Job, plan: Any, fits: bool, empty: Callable[[], None] | None) -> str:
        """Say how a job has ended, or why it no longer is what the settings ask for."""
        if words := self._refusal(plan) or job.sentence:
            return words
        if not fits:
            return self._changed(empty)
        return f"{frame.how_it_ended(job)}; seed {plan.seed}."

    def _bar(self, plan: Any, job: Job | None, words: str, anew: bool = False) -> None:
        """Draw the line between controls and stage: what can be started or stopped, and what is shown."""
        with st.container(horizontal=True, vertical_alignment="center", key=f"{self.key}_bar", gap="small"):
            if job is not None and job.running:
                st.button(
                    "Stop", key=f"{self.key}_stop", icon=":material/stop:", on_click=job.stop,
                    disabled=job.state == "stopping",
                )  # fmt: skip
                with st.container(width="stretch"):
                    jobs.progress_line(job)
                return
            if anew or job is not None:
                st.button(
                    self.button, key=f"{self.key}_start", icon=":material/play_arrow:", on_click=self._begin,
                    args=(plan,), type="primary" if anew else "secondary",
                )  # fmt: skip
            st.button(
                "Another seed", key=f"{self.key}_another", icon=":material/casino:", on_click=self._another,
                args=(plan,), help="Computes everything anew with the next seed.",
            )  # fmt: skip
            st.caption(words)
