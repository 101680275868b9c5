"""What an empty rerun costs with and without a collection: `python -m tests.benchmarks.rerun_floor`.

`postScriptGC = false` in .streamlit/config.toml is a hidden option of Streamlit; if it goes away, both
numbers become equal and this benchmark fails. Reruns are asked for through Streamlit's agent address, which answers
when the script has ended, so no browser is measured.
"""

from __future__ import annotations

import json
import time
import urllib.request
from statistics import median

from tests.app_server import AppServer

RERUNS = 40


def rerun_milliseconds(collect: bool) -> float:
    """Return the median time of a rerun of the home page, in milliseconds."""
    environment = {
        "STREAMLIT_RUNNER_POST_SCRIPT_GC": str(collect).lower(),
        "STREAMLIT_SERVER_ENABLE_AGENT_API": "true",
    }
    with AppServer(environment=environment) as server:
        server.wait_for("/ready", seconds=120)

        def ask(body: dict) -> dict:
            request = urllib.request.Request(
                f"{server.url}/_stcore/agent/interact",
                data=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)

        session = ask({})["session_id"]
        times = []
        for _ in range(RERUNS):
            begin = time.perf_counter()
            ask({"session_id": session})
            times.append(1000 * (time.perf_counter() - begin))
        return median(times)


def main() -> None:
    """Measure both, print them, and fail if the option has no effect."""
    without, with_collection = rerun_milliseconds(False), rerun_milliseconds(True)
    print(f"rerun of the home page, median of {RERUNS}: {without:.1f} ms without, {with_collection:.1f} ms with")
    assert without < 0.7 * with_collection, "runner.postScriptGC no longer does anything"


if __name__ == "__main__":
    main()
