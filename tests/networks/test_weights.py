"""Downloads arrive whole or not at all, can be stopped, and fail in one sentence (against a local server)."""

import hashlib
import http.server
import threading
from dataclasses import replace

import pytest

from explorer.networks import catalogue, weights
from explorer.networks.weights import DownloadFailed, download, download_work, fetch, main
from explorer.networks.work_context import NO_CONTEXT, SentenceError, Stopped
from explorer.settings import Settings

CONTENT = b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 8000  # 2 MB
NAME = "MobileNetV2"


class Server(http.server.BaseHTTPRequestHandler):
    """Gives out CONTENT in the manner that the path names."""

    asked: list[str] = []
    wait = threading.Event()

    def do_GET(self):
        self.asked.append(self.path)
        manner = self.path.rsplit("/", 1)[1]
        if manner == "missing":
            self.send_error(404)
            return
        body = b"<html>Please sign in</html>" if manner == "portal" else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            if manner == "cut":
                self.wfile.write(body[: len(body) // 2])
                return
            if manner == "slow":
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                self.wait.wait(20)
            self.wfile.write(body if manner != "slow" else body[len(body) // 2 :])
        except (BrokenPipeError, ConnectionResetError):
            pass

    def log_message(self, *args):
        pass


class Listener:
    """A context that remembers what it heard, and says stop after some bytes."""

    def __init__(self, stop_after=None):
        self.heard, self.stop_after = [], stop_after

    def report(self, done=None, total=None, unit="", message=""):
        self.heard.append((done, total, unit))

    def stopped(self):
        return self.stop_after is not None and any((done or 0) >= self.stop_after for done, _, _ in self.heard)

    def raise_if_stopped(self):
        if self.stopped():
            raise Stopped


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(weights, "_REPORT_SECONDS", 0.0)
    Server.asked = []
    Server.wait = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Server.wait.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def served(address, monkeypatch):
    """Put addresses of the server into the catalogue; returns an entry for a manner."""
    monkeypatch.setattr(catalogue, "_entries", dict(catalogue._entries))
    monkeypatch.setattr(
        catalogue, "CLASS_INDEX", replace(catalogue.CLASS_INDEX, url=f"{address}/names", file_hash=None)
    )

    def entry(manner="good", file_hash=None):
        mine = catalogue.entry(NAME)
        file = replace(mine.weights, url=f"{address}/{manner}", file_hash=file_hash, megabytes=len(CONTENT) / 1e6)
        mine = replace(mine, weights=file)
        catalogue.register(mine, f"keras.applications:{NAME}")
        return mine

    return entry


def only_whole_files(folder):
    return {path.name for path in folder.iterdir()}


def test_a_download_arrives_with_its_hash_checked(served, tmp_path):
    for digest in (hashlib.sha256(CONTENT).hexdigest(), hashlib.md5(CONTENT).hexdigest()):
        folder = tmp_path / digest
        entry = served(file_hash=digest)
        path = download(entry, NO_CONTEXT, folder)
        assert path.read_bytes() == CONTENT
        assert path == catalogue.weights_path(entry, folder)
        assert only_whole_files(folder) == {entry.weights.file_name, "imagenet_class_index.json"}


def test_progress_counts_bytes(served, tmp_path):
    listener = Listener()
    entry = served()
    fetch(entry.weights, entry.title, tmp_path, listener)
    assert listener.heard[-1] == (len(CONTENT), len(CONTENT), "bytes")
    done = [heard[0] for heard in listener.heard]
    assert done == sorted(done)
    assert len(done) > 4


def test_what_is_there_is_not_fetched_again(served, tmp_path):
    entry = served()
    download(entry, NO_CONTEXT, tmp_path)
    asked = len(Server.asked)
    download(entry, NO_CONTEXT, tmp_path)
    assert len(Server.asked) == asked


@pytest.mark.parametrize(
    ("manner", "file_hash", "words"),
    [
        ("good", "0" * 64, "not the file that Keras knows"),
        ("cut", None, "broke off after 1.0 of 2.0 MB"),
        ("missing", None, "404"),
        ("portal", None, "sign-in page"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_leaves_nothing(served, tmp_path, manner, file_hash, words):
    entry = served(manner, file_hash)
    with pytest.raises(DownloadFailed, match=words) as error:
        download(entry, NO_CONTEXT, tmp_path)
    assert isinstance(error.value, SentenceError)
    assert "\n" not in str(error.value)
    assert only_whole_files(tmp_path) <= {"imagenet_class_index.json"}


def test_without_internet_the_folder_is_named(served, tmp_path):
    entry = served()
    entry = replace(entry, weights=replace(entry.weights, url="http://127.0.0.1:9/file"))
    with pytest.raises(DownloadFailed, match="does not reach 127.0.0.1") as error:
        download(entry, NO_CONTEXT, tmp_path)
    assert str(tmp_path) in str(error.value)
    assert entry.weights.file_name in str(error.value)


def test_a_stopped_download_leaves_nothing_and_can_start_again(served, tmp_path):
    entry = served()
    with pytest.raises(Stopped):
        fetch(entry.weights, entry.title, tmp_path, Listener(stop_after=500_000))
    assert only_whole_files(tmp_path) == set()
    assert fetch(entry.weights, entry.title, tmp_path).read_bytes() == CONTENT


def test_two_who_want_one_file_fetch_it_once(served, tmp_path):
    entry = served("slow")
    second = Listener()
    found = []
    threads = [
        threading.Thread(target=lambda context=context: found.append(fetch(entry.weights, "it", tmp_path, context)))
        for context in (NO_CONTEXT, second)
    ]
    for thread in threads:
        thread.start()
    threads[1].join(0.8)
    Server.wait.set()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert Server.asked == ["/slow"]


def test_a_folder_that_cannot_be_made_is_one_sentence(served, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadFailed, match="cannot be made"):
        download(served(), NO_CONTEXT, tmp_path / "file" / "weights")


def test_visitors_download_only_where_it_is_allowed(served, tmp_path, monkeypatch):
    entry = served()
    settings = Settings(weights_folder=tmp_path, allow_downloads=False)
    monkeypatch.setattr(weights, "get_settings", lambda: settings)
    monkeypatch.setattr(catalogue, "get_settings", lambda: settings)
    with pytest.raises(DownloadFailed, match="switched off") as error:
        download_work(NO_CONTEXT, NAME)
    assert str(tmp_path) in str(error.value)
    allowed = Settings(weights_folder=tmp_path)
    monkeypatch.setattr(weights, "get_settings", lambda: allowed)
    assert download_work(NO_CONTEXT, NAME) == entry.weights.file_name
    assert catalogue.weights_present(entry)
    assert download_work(NO_CONTEXT, NAME) == entry.weights.file_name
    with pytest.raises(DownloadFailed, match="no trained weights"):
        catalogue.register(replace(entry, name="bare", weights=None), "a:b")
        download_work(NO_CONTEXT, "bare")


def test_the_command_fills_a_folder(served, tmp_path, capsys):
    entry = served()
    assert main([NAME, "--folder", str(tmp_path)]) == 0
    assert catalogue.weights_present(entry, tmp_path)
    assert (tmp_path / "imagenet_class_index.json").is_file()
    assert main(["--list", "--folder", str(tmp_path)]) == 0
    listed = capsys.readouterr().out
    assert f"{NAME}  " in listed
    assert "there" in listed
    with pytest.raises(SystemExit):
        main(["NoSuchNet"])
    with pytest.raises(SystemExit):
        main([])


def test_the_command_tells_what_failed(served, tmp_path, capsys):
    served("missing")
    assert main([NAME, "--folder", str(tmp_path)]) == 1
    assert "404" in capsys.readouterr().err
