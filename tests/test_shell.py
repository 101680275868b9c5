"""The web process as it runs: first page, cookie, readiness, options, and no Keras in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

from explorer.interface.page_table import PAGES
from explorer.interface.visitor import COOKIE_NAME
from tests.app_server import ROOT, AppServer

PAGE_REQUEST = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def server() -> Iterator[AppServer]:
    with AppServer() as running:
        yield running


@pytest.mark.parametrize("address", [entry.address for entry in PAGES])
def test_every_address_answers_with_the_app_and_a_visitor_cookie(server, address):
    status, headers, body = server.get(f"/{address}", PAGE_REQUEST)
    assert status == 200
    assert b"<html" in body
    (cookie,) = [value for value in headers["set-cookie"] if value.startswith(COOKIE_NAME)]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert headers["x-content-type-options"] == ["nosniff"]
    value = cookie.split(";")[0]
    again = server.get(f"/{address}", {**PAGE_REQUEST, "Cookie": value})[1]
    assert not any(COOKIE_NAME in later for later in again.get("set-cookie", []))


def test_ready_says_so_for_web_worker_and_disk(server):
    body = json.loads(server.wait_for("/ready", seconds=90))
    assert body["ready"] is True
    assert all(body[part]["ready"] for part in ("web", "worker", "disk"))


def test_only_this_machine_is_answered(server):
    import psutil

    listening = {
        connection.laddr.ip
        for connection in psutil.Process(server.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening <= {"127.0.0.1", "::1"}


def test_streamlit_runs_with_our_options(server):
    code = (
        "from streamlit import config\n"
        "config.get_config_options(force_reparse=True)\n"
        "names = ['runner.postScriptGC', 'browser.gatherUsageStats', 'server.address', 'client.toolbarMode',"
        " 'client.showErrorDetails']\n"
        "import json; print(json.dumps([config.get_option(name) for name in names]))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert json.loads(out.splitlines()[-1]) == [False, False, "localhost", "viewer", "type"]


@pytest.mark.slow
def test_pages_run_without_keras_in_the_web_process():
    """Streamlit would reset Keras' global state after every rerun of every session."""
    code = textwrap.dedent(
        """
        import sys
        from streamlit.testing.v1 import AppTest
        from explorer.interface.page_table import PAGES
        from explorer.interface.server import engine_keeper

        app = AppTest.from_file("explorer/shell.py", default_timeout=120).run()
        try:
            for entry in PAGES:
                app.switch_page(str(entry.path)).run()
                assert not app.exception, (entry.address, app.exception)
                assert app.title, entry.address
                loaded = {"tensorflow", "keras", "jax", "torch"} & set(sys.modules)
                assert not loaded, (entry.address, loaded)
        finally:
            engine_keeper().close()
        print("pages without keras:", len(PAGES))
        """
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=170)
    assert f"pages without keras: {len(PAGES)}" in run.stdout, run.stderr[-3000:]


@pytest.mark.slow
def test_importing_the_web_rooms_brings_no_keras():
    """Faster than a page, and names the module that breaks the rule."""
    code = textwrap.dedent(
        """
        import importlib, pkgutil, sys
        import explorer.interface, explorer.pictures
        for package in (explorer.interface, explorer.pictures):
            for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
                importlib.import_module(module.name)
                loaded = {"tensorflow", "keras"} & set(sys.modules)
                assert not loaded, (module.name, loaded)
        print("clean")
        """
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert "clean" in run.stdout, run.stderr[-2000:]


@pytest.mark.slow
def test_nothing_is_left_when_the_app_ends():
    import psutil

    with AppServer(environment={"CNN_EXPLORER_WARM_NETWORK": ""}) as running:
        running.wait_for("/ready", seconds=90)
        children = psutil.Process(running.pid).children(recursive=True)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_the_log_of_a_quiet_start_has_no_traceback(server):
    assert not re.search(r"Traceback|did not start|Not ready", server.log())
