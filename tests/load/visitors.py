"""Visitors without browsers: each opens a page over Streamlit's WebSocket and keeps changing one control.

`python -m tests.load.visitors --url http://localhost:8501 --visitors 30 --seconds 60 --pid <web process>` prints how
long the page took to open and to answer a change, what failed, and the memory of each process. A visitor speaks the
protocol of Streamlit 1.67 (`streamlit.proto`): BackMsg to the server, ForwardMsg from it. It behaves as a browser
with an empty cache: it carries its own cookie, sends all widget states that it changed, keeps the address bound to
them, runs fragments on their timers and fetches the pictures of the page. Thirty real tabs would measure Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import numpy as np
import psutil
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import connect

LONGEST_SECONDS = 120.0


@dataclass(frozen=True)
class Widget:
    """A control as the page sent it: a selectbox, radio buttons, a row of buttons or a file uploader."""

    id: str
    kind: str
    options: tuple[str, ...]
    parameter: str
    fragment: str

    def state(self, value: str) -> WidgetState:
        """Return the state of the control with `value` chosen."""
        if self.kind == "button_group":
            state = WidgetState(id=self.id)
            state.string_array_value.data.append(value)
            return state
        return WidgetState(id=self.id, string_value=value)


@dataclass
class Answer:
    """One run of the page as its visitor saw it.

    Attributes:
        seconds: From sending until the run had finished.
        seconds_with_pictures: From sending until the pictures that it names had been fetched, too.
        received: Bytes that came.
        errors: The errors shown on the page, or why it never finished.
    """

    seconds: float
    seconds_with_pictures: float
    received: int
    errors: list[str] = field(default_factory=list)


class Visitor:
    """One tab of one visitor; use it in an `async with` statement."""

    def __init__(self, url: str, page: str, query: str = "") -> None:
        self.url, self.page, self.query = url.rstrip("/"), page, query
        self.widgets: dict[str, Widget] = {}
        self.uploaders: dict[str, Widget] = {}
        self._states: dict[str, WidgetState] = {}
        self._script_hash = self._session = ""
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._media: set[str] = set()
        self._fetched: set[str] = set()
        self._errors: list[str] = []
        self._received = 0
        self._awaited: str | None = None  # the fragment whose run is waited for; "" is the whole page
        self._running = False
        self._finished = asyncio.Event()

    async def __aenter__(self) -> Visitor:
        self._cookies = await asyncio.to_thread(self._fetch_cookies)
        self._cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        parts = urlsplit(self.url)
        address = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}{parts.path}/_stcore/stream"
        headers = {"Cookie": self._cookie} if self._cookie else {}
        self._socket = await connect(
            address,
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers=headers,
            origin=f"{parts.scheme}://{parts.netloc}",  # type: ignore[arg-type]
            max_size=None,
            compression=None,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in [*self._timers.values(), self._reader]:
            task.cancel()
        await asyncio.gather(*self._timers.values(), self._reader, return_exceptions=True)
        await self._socket.close()

    def _fetch_cookies(self) -> dict[str, str]:
        """Return the cookies of the page, and the one that uploads must prove to know."""
        found: dict[str, str] = {}
        for path in (self.page, "_stcore/health"):
            with urllib.request.urlopen(f"{self.url}/{path}", timeout=LONGEST_SECONDS) as answer:
                for cookie in answer.headers.get_all("set-cookie") or []:
                    name, _, value = cookie.split(";", 1)[0].partition("=")
                    found[name] = value
        return found

    async def open(self) -> Answer:
        """Open the page for the first time."""
        return await self._run("")

    async def choose(self, key: str, value: str) -> Answer:
        """Choose `value` in the control with the key `key`, as a hand does."""
        widget = self.widgets[key]
        self._states[widget.id] = widget.state(value)
        if widget.parameter:
            others = [pair for pair in parse_qsl(self.query) if pair[0] != widget.parameter]
            self.query = urlencode([*others, (widget.parameter, value)])
        return await self._run(widget.fragment)

    async def upload(self, key: str, name: str, data: bytes) -> Answer:
        """Give the file uploader with the key `key` a file, as a hand does that drops it there."""
        widget = self.uploaders[key]
        request = BackMsg()
        request.file_urls_request.request_id = name
        request.file_urls_request.file_names.append(name)
        request.file_urls_request.session_id = self._session
        self._urls = asyncio.get_running_loop().create_future()
        await self._socket.send(request.SerializeToString())
        urls = await asyncio.wait_for(self._urls, LONGEST_SECONDS)
        await asyncio.to_thread(self._put, urls.upload_url, name, data)
        state = WidgetState(id=widget.id)
        info = state.file_uploader_state_value.uploaded_file_info.add(name=name, size=len(data), file_id=urls.file_id)
        info.file_urls.CopyFrom(urls)
        self._states[widget.id] = state
        return await self._run(widget.fragment)

    def _put(self, path: str, name: str, data: bytes) -> None:
        """Send a file as a browser's form does (RFC 7578)."""
        border = "8f1b0c6d5e"
        head = f'--{border}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'
        body = head.encode() + data + f"\r\n--{border}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={border}",
            "Cookie": self._cookie,
            "X-Xsrftoken": self._cookies.get("_streamlit_xsrf", ""),
        }
        address = f"{self.url}/{path.lstrip('/')}"
        request = urllib.request.Request(address, data=body, headers=headers, method="PUT")
        with urllib.request.urlopen(request, timeout=LONGEST_SECONDS) as answer:
            answer.read()

    async def _run(self, fragment: str) -> Answer:
        self._errors, self._received, self._running, self._awaited = [], 0, False, fragment
        self._finished.clear()
        began = time.perf_counter()
        await self._send_rerun(fragment)
        try:
            await asyncio.wait_for(self._finished.wait(), LONGEST_SECONDS)
        except TimeoutError:
            self._errors.append(f"not finished within {LONGEST_SECONDS:.0f} s")
        finally:
            self._awaited = None
        finished = time.perf_counter()
        await self._fetch_media()
        return Answer(finished - began, time.perf_counter() - began, self._received, list(self._errors))

    async def _send_rerun(self, fragment: str, *, by_timer: bool = False) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self.query
        state.page_script_hash = self._script_hash
        state.page_name = "" if self._script_hash else self.page
        state.fragment_id = fragment
        state.is_auto_rerun = by_timer
        state.widget_states.widgets.extend(self._states.values())
        state.context_info.url = f"{self.url}/{self.page}"
        state.context_info.timezone = "UTC"
        await self._socket.send(message.SerializeToString())

    async def _read(self) -> None:
        """Take in whatever the server sends, for as long as the tab is open."""
        try:
            async for data in self._socket:
                assert isinstance(data, bytes)
                self._received += len(data)
                message = ForwardMsg()
                message.ParseFromString(data)
                self._take(message)
            self._errors.append("the server closed the connection")
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._errors.append(f"{type(error).__name__}: {error}")
        self._finished.set()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._session = message.new_session.initialize.session_id or self._session
            fragments = message.metadata.run.fragment_ids
            self._running = self._running or self._awaited in (fragments or [""])
            if not fragments:
                self._stop_timers(list(self._timers))
        elif kind == "file_urls_response":
            self._urls.set_result(message.file_urls_response.file_urls[0])
        elif kind == "navigation":
            self._script_hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._take_element(message.delta.new_element, message.delta.fragment_id)
        elif kind == "auto_rerun":
            rerun = message.auto_rerun
            self._stop_timers([rerun.fragment_id])
            timer = asyncio.create_task(self._repeat(rerun.fragment_id, rerun.interval))
            self._timers[rerun.fragment_id] = timer
        elif kind == "stop_auto_rerun":
            self._stop_timers(message.stop_auto_rerun.fragment_ids)
        elif kind == "script_finished" and self._running:
            self._take_end(message.script_finished)

    def _take_end(self, status: int) -> None:
        """Take the end of a run as that of the awaited one, once that has begun.

        Finished early for a rerun means that the same run begins anew. A busy server drops the end of a run of
        the page that a fragment's timer follows at once, so the fragment's end is as good.
        """
        if status == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return
        if status == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self._errors.append("the script does not compile")
        self._running = False
        self._finished.set()

    def _take_element(self, element: Element, fragment: str) -> None:
        kind = element.WhichOneof("type")
        content: Any = getattr(element, kind) if kind else None
        if kind == "exception":
            self._errors.append(f"{content.type}: {content.message}")
        elif kind == "alert" and content.format == Alert.ERROR:
            self._errors.append(content.body)
        elif kind == "imgs":
            self._media.update(picture.url for picture in content.imgs if picture.url.startswith("/"))
        elif kind == "file_uploader":
            self.uploaders[content.id.split("-", 2)[-1]] = Widget(content.id, kind, (), "", fragment)
        elif kind in {"selectbox", "radio", "button_group"}:
            key = content.id.split("-", 2)[-1]
            named = kind == "button_group"
            options = tuple(option.content if named else option for option in content.options)
            self.widgets[key] = Widget(content.id, kind, options, content.query_param_key, fragment)

    async def _repeat(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._send_rerun(fragment, by_timer=True)

    def _stop_timers(self, fragments: Any) -> None:
        for fragment in fragments:
            if timer := self._timers.pop(fragment, None):
                timer.cancel()

    async def _fetch_media(self) -> None:
        wanted, self._media = self._media - self._fetched, set()
        self._fetched |= wanted
        for outcome in await asyncio.gather(*(asyncio.to_thread(self._fetch, path) for path in wanted)):
            if isinstance(outcome, str):
                self._errors.append(outcome)
            else:
                self._received += outcome

    def _fetch(self, path: str) -> int | str:
        request = urllib.request.Request(self.url + path, headers={"Cookie": self._cookie})
        try:
            with urllib.request.urlopen(request, timeout=LONGEST_SECONDS) as answer:
                return len(answer.read())
        except OSError as error:
            return f"a picture did not come: {error}"


@dataclass
class Outcome:
    """What all visitors saw, and what it cost.

    Attributes:
        first: The answer of one visitor who came before all others, when the worker may still have been starting.
        opened: One answer a visitor, all at once.
        changed: One answer a change.
        processes: By name: resident MB before, with all visitors there, and at the end; CPU seconds meanwhile.
    """

    first: Answer
    opened: list[Answer]
    changed: list[Answer]
    processes: dict[str, tuple[float, float, float, float]]


async def visit(
    url: str,
    *,
    page: str,
    key: str,
    values: list[str] | None = None,
    query: str = "",
    visitors: int = 30,
    seconds: float = 60.0,
    every: float = 5.0,
    pid: int | None = None,
    seed: int = 0,
) -> Outcome:
    """Let visitors open a page, one first and then all at once, and each change one control again and again.

    Args:
        url: Address of the app.
        page: The page's address below it, without a slash.
        key: Key of the control that is changed: a selectbox, radio buttons or a row of buttons.
        values: What is chosen in turn, in an order of each visitor's own; all options of the control when None.
        query: Query string of the first visit; `{visitor}` in it becomes the visitor's number.
        visitors: How many there are.
        seconds: How long the changing lasts.
        every: Seconds from one change of a visitor to the next.
        pid: Web process, whose memory and that of its children is measured.
        seed: Of the orders and of the moments of the first changes.
    """
    async with Visitor(url, page, query.format(visitor=visitors)) as tab:
        first = await tab.open()
    before = memory(pid)
    tabs = [Visitor(url, page, query.format(visitor=number)) for number in range(visitors)]
    await asyncio.gather(*(tab.__aenter__() for tab in tabs))
    try:
        opened = await asyncio.gather(*(tab.open() for tab in tabs))
        there = memory(pid)
        chances = [random.Random(f"{seed} {number}") for number in range(visitors)]
        end = time.perf_counter() + seconds
        turns = (
            _keep_changing(tab, key, values, chance, every, end) for tab, chance in zip(tabs, chances, strict=True)
        )
        changed = [answer for answers in await asyncio.gather(*turns) for answer in answers]
        after = memory(pid)
    finally:
        await asyncio.gather(*(tab.__aexit__() for tab in tabs), return_exceptions=True)
    processes = {}
    for name, (now, cpu) in after.items():
        (early, spent), (full, _) = before.get(name, (0.0, 0.0)), there.get(name, (0.0, 0.0))
        processes[name] = (early, full, now, cpu - spent)
    return Outcome(first, list(opened), changed, processes)


async def _keep_changing(
    tab: Visitor, key: str, values: list[str] | None, chance: random.Random, every: float, end: float
) -> list[Answer]:
    if key not in tab.widgets:
        return [Answer(0.0, 0.0, 0, [f"the page has no control with the key {key}"])]
    answers: list[Answer] = []
    waiting: list[str] = []
    moment = time.perf_counter() + chance.uniform(0, every)
    while moment < end:
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        if not waiting:
            waiting = list(values or tab.widgets[key].options)
            chance.shuffle(waiting)
        answers.append(await tab.choose(key, waiting.pop()))
        moment = max(moment + every, time.perf_counter())
    return answers


def memory(pid: int | None) -> dict[str, tuple[float, float]]:
    """Return (resident MB, CPU seconds) of the web process and of everything that it started, by name."""
    if pid is None:
        return {}
    web = psutil.Process(pid)
    found: dict[str, tuple[float, float]] = {}
    for process in [web, *web.children(recursive=True)]:
        try:
            name = "web" if process == web else _role(process)
            times = process.cpu_times()
            found[name] = (process.memory_info().rss / 2**20, times.user + times.system)
        except psutil.Error:
            continue  # it has ended meanwhile
    return found


def _role(process: psutil.Process) -> str:
    """Return what a process that the app started is for, by its command line."""
    words = " ".join(process.cmdline())
    roles = {"explorer.engine": "engine", "spawn_main": "worker", "resource_tracker": "resource tracker"}
    role = next((role for sign, role in roles.items() if sign in words), process.name())
    return f"{role} {process.pid}"


def table(outcome: Outcome) -> str:
    """Return the outcome as Markdown."""
    lines = [
        "| | number | p50 | p95 | slowest | p95 with pictures | received, mean | errors |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    rows = {"open, first of all": [outcome.first], "open, all at once": outcome.opened, "change": outcome.changed}
    for name, answers in rows.items():
        seconds = [answer.seconds for answer in answers] or [float("nan")]
        pictures = [answer.seconds_with_pictures for answer in answers] or [float("nan")]
        middle, high = np.percentile(seconds, [50, 95])
        received = sum(answer.received for answer in answers) / max(1, len(answers)) / 1024
        failed = sum(bool(answer.errors) for answer in answers)
        lines.append(
            f"| {name} | {len(answers)} | {1000 * middle:.0f} ms | {1000 * high:.0f} ms | {1000 * max(seconds):.0f} ms "
            f"| {1000 * np.percentile(pictures, 95):.0f} ms | {received:.0f} KB | {failed} |"
        )
    if outcome.processes:
        lines += ["", "| process | before | all there | at the end | CPU |", "|---|---:|---:|---:|---:|"]
    for name, (before, there, after, cpu) in outcome.processes.items():
        lines.append(f"| {name} | {before:.0f} MB | {there:.0f} MB | {after:.0f} MB | {cpu:.1f} s |")
    sentences = sorted({error for answers in rows.values() for answer in answers for error in answer.errors})
    return "\n".join([*lines, *(["", "Errors:"] if sentences else []), *(f"- {error}" for error in sentences)])


def main() -> None:
    """Read the command line, visit, print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--url", default="http://localhost:8501", help="address of the app")
    parser.add_argument("--page", default="feature_maps", help="page below it")
    parser.add_argument("--key", default="feature_maps_layer", help="key of the control that is changed")
    parser.add_argument("--values", help="what is chosen, with commas between; all options when left out")
    parser.add_argument(
        "--query", default="picture=drawn:cat:{visitor}", help="query string; {visitor} becomes the visitor's number"
    )
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they keep changing the control")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two changes of a visitor")
    parser.add_argument("--pid", type=int, help="web process, to measure memory")
    options = vars(parser.parse_args())
    options["values"] = options["values"].split(",") if options["values"] else None
    print(table(asyncio.run(visit(options.pop("url"), **options))))


if __name__ == "__main__":
    main()
