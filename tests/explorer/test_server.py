"""The server answers its own page on this machine, and nobody else."""

import json
import struct
import threading
import time

import numpy as np
import pytest
from starlette.testclient import TestClient

import corundum as co
from corundum.explorer.payload import packed
from corundum.explorer.serve import bound
from corundum.storage.arviz_data import arviz_data

AMPLITUDE = "mass_loading.amplitude"


@pytest.fixture(scope="module")
def client(explorer):
    return TestClient(co.explorer.application(explorer), base_url="http://127.0.0.1:8080")


@pytest.fixture(scope="module")
def headers(explorer):
    return {"X-Token": explorer.token}


def unpacked(message):
    (length,) = struct.unpack("<I", message[:4])
    header = json.loads(message[4 : 4 + length])
    numbers = np.frombuffer(message, "<f4", offset=4 + length)
    arrays = {}
    for name, entry in header["arrays"].items():
        size = int(np.prod(entry["shape"]))
        arrays[name] = numbers[entry["first"] : entry["first"] + size].reshape(entry["shape"])
    return header, arrays


def test_messages_hold_what_was_packed_and_no_number_that_json_lacks():
    sent = {"a": np.array([[1.0, np.nan], [3.0, 4.0]]), "b": np.array([True, False]), "c": np.zeros((2, 0))}
    header, arrays = unpacked(packed(sent, misfit=[(np.float64(np.inf), 2)], names=["x"]))
    assert header["misfit"] == [[None, 2]] and header["names"] == ["x"]
    for name, array in sent.items():
        np.testing.assert_array_equal(arrays[name], array)


def test_the_page_and_its_files_come_from_the_package(client, explorer):
    page = client.get("/", params={"token": explorer.token})
    assert page.status_code == 200 and "text/html" in page.headers["content-type"]
    for name in ("explorer.js", "uPlot.iife.min.js", "explorer.css"):
        assert f"page/{name}" in page.text
        assert client.get(f"/page/{name}").status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "http://" not in page.text and "https://" not in page.text


def test_pictures_and_slopes_are_those_of_the_engine(client, headers, explorer):
    values = {AMPLITUDE: 2.0}
    engine = explorer.engine({})
    header, arrays = unpacked(client.post("/solve", json={"values": values}, headers=headers).content)
    picture = engine.solve(values)
    np.testing.assert_allclose(arrays["y"], picture["y"], rtol=1e-6)
    asked = {"values": values, "names": [AMPLITUDE, "seed.mass"]}
    header, arrays = unpacked(client.post("/slopes", json=asked, headers=headers).content)
    assert header["names"] == asked["names"]
    np.testing.assert_allclose(arrays["mean"], engine.slopes(values, asked["names"])["mean"], rtol=1e-5, atol=1e-6)


def test_other_laws_of_one_tab_do_not_disturb_another(client, headers):
    before = client.post("/describe", json={}, headers=headers).json()
    other = client.post("/describe", json={"laws": {"mass_loading": "ConstantLoading"}}, headers=headers).json()
    assert other["laws"]["mass_loading"]["law"] == "ConstantLoading"
    assert client.post("/describe", json={}, headers=headers).json() == before


def test_a_step_and_a_run_file_and_what_is_being_computed(client, headers):
    moved = client.post("/step", json={"names": [AMPLITUDE]}, headers=headers).json()
    assert moved == {} or moved[AMPLITUDE] > 0
    text = client.post("/runfile", json={"values": {AMPLITUDE: 2.0}}, headers=headers).json()["text"]
    assert AMPLITUDE in text
    assert client.get("/busy", headers=headers).json() == {"busy": None}


def test_modes_and_indices_are_those_of_the_engine(client, headers, explorer):
    engine = explorer.engine({})
    modes = client.post("/modes", json={"halo": 3, "time": 20}, headers=headers).json()["modes"]
    assert modes == engine.modes({}, 3, 20) and len(modes) > 2
    header, arrays = unpacked(client.post("/indices", json={"names": [AMPLITUDE]}, headers=headers).content)
    assert header["names"] == [AMPLITUDE]
    np.testing.assert_allclose(arrays["indices"], engine.indices({}, [AMPLITUDE])["indices"], rtol=1e-6)


def test_a_posterior_gives_intervals_and_bands_of_its_own_model(believing, client, headers):
    own = TestClient(co.explorer.application(believing), base_url="http://127.0.0.1:8080")
    token = {"X-Token": believing.token}
    other = own.post("/describe", json={"laws": {"mass_loading": "ConstantLoading"}}, headers=token).json()
    assert own.post("/describe", json={}, headers=token).json()["posterior"] and not other["posterior"]
    header, arrays = unpacked(own.post("/posterior", json={}, headers=token).content)
    intervals = {entry.pop("name"): entry for entry in header["intervals"]}
    assert sorted(intervals) == ["mass_loading.amplitude", "mass_loading.slope"]
    for name, draws in believing.draws.items():
        np.testing.assert_allclose(intervals[name]["middle"], np.median(draws))
        assert np.mean((draws > intervals[name]["low"]) & (draws < intervals[name]["high"])) == pytest.approx(
            0.68, abs=0.02
        )
    middle = believing.engine({}).solve({name: entry["middle"] for name, entry in intervals.items()})
    reached = middle["reached"]
    assert (np.diff(arrays["bands"][:, reached], axis=0) > 0.0).all()
    np.testing.assert_allclose(arrays["bands"][1][reached], middle["mean"][reached], atol=0.03)
    answer = client.post("/posterior", json={}, headers=headers)
    assert answer.status_code == 422 and "--posterior FILE" in answer.json()["message"]


def test_a_posterior_of_another_model_is_refused(explorer):
    posterior = arviz_data({"posterior": {"height": np.zeros((1, 3))}})
    with pytest.raises(ValueError, match="posterior: it is about height, and the model has none of these"):
        co.explorer.Explorer(explorer.view, posterior=posterior)


def test_what_is_compiled_is_said_and_others_go_on(client, headers, explorer):
    client.post("/solve", json={}, headers=headers)  # so that its program is there
    compiled = threading.Event()
    thread = threading.Thread(target=explorer._computing, args=("something long", {}, compiled.wait))
    thread.start()
    try:
        while not explorer.compiling:
            time.sleep(0.001)
        busy = client.get("/busy", headers=headers).json()["busy"]
        assert busy["what"] == ["something long"] and busy["seconds"] >= 0.0
        assert client.post("/solve", json={}, headers=headers).status_code == 200
    finally:
        compiled.set()
        thread.join()
    assert client.get("/busy", headers=headers).json() == {"busy": None}


@pytest.mark.parametrize("token", [None, "", "wrong", "\u00e4"])
def test_a_wrong_token_is_refused(client, token):
    headers = {} if token is None else {"X-Token": token.encode("utf-8")}
    for answer in (
        client.post("/solve", json={}, headers=headers),
        client.get("/busy", headers=headers),
        client.get("/", params={} if token is None else {"token": token}),
    ):
        assert answer.status_code == 403
        assert "open the whole address" in answer.json()["message"]


def test_names_that_lead_here_and_other_pages_are_refused(client, headers):
    assert client.post("/solve", json={}, headers={**headers, "Host": "evil.example:8080"}).status_code == 403
    assert client.get("/page/explorer.js", headers={"Host": "evil.example"}).status_code == 403
    foreign = {**headers, "Origin": "http://evil.example"}
    assert client.post("/solve", json={}, headers=foreign).status_code == 403
    own = {**headers, "Origin": "http://127.0.0.1:8080"}
    assert client.post("/describe", json={}, headers=own).status_code == 200


@pytest.mark.parametrize(
    "path", ["/page/nothing.js", "/page/..%2Fserver.py", "/page/%2Fetc%2Fpasswd", "/page/", "/nothing"]
)
def test_no_other_file_is_served(client, path):
    assert client.get(path).status_code == 404


def test_huge_requests_are_refused_without_being_read(client, headers):
    answer = client.post("/solve", content=b"x" * 300_000, headers=headers)
    assert answer.status_code == 413 and "at most" in answer.json()["message"]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/solve", b"not json", "Expecting value"),
        ("/solve", b"[" * 90_000, "nested too deep|recursion|Expecting"),
        ("/solve", b"[]", "laws: expected a table"),
        ("/solve", b'{"values": {"nothing": 1.0}}', "the model has none of this name"),
        ("/solve", b'{"values": {"mass_loading.amplitude": NaN}}', "got nan; allowed a number"),
        ("/solve", b'{"values": {"mass_loading.amplitude": [1.0]}}', "allowed a number"),
        ("/solve", b'{"values": 3}', "values: expected a table"),
        ("/describe", b'{"laws": {"mass_loading": "Cooling"}}', "mass_loading: got 'Cooling'; allowed "),
        ("/describe", b'{"laws": {"mass_loading": ["x"]}}', "laws: expected the name of a law"),
        ("/slopes", b'{"names": "mass_loading.amplitude"}', "names: expected a list"),
        ("/slopes", b'{"names": ["nothing"]}', "slopes: got unknown nothing"),
        ("/modes", b'{"halo": 99, "time": 0}', "halo 99; allowed a whole number from 0 to 11"),
        ("/modes", b'{"halo": "0"}', "halo '0'; allowed"),
        ("/indices", b'{"names": ["nothing"]}', "got unknown nothing"),
        ("/step", b'{"names": []}', "no parameter is free"),
        ("/runfile", b'{"values": {"seed.mass": -1.0}}', "seed.mass: got -1.0"),
    ],
)
def test_wrong_requests_are_refused_in_one_sentence(client, headers, path, body, message):
    answer = client.post(path, content=body, headers=headers)
    assert answer.status_code == 422
    text = answer.json()["message"]
    assert "\n" not in text and "Traceback" not in text
    assert any(part in text for part in message.split("|")), text


def test_ports_that_are_taken_or_none_are_refused():
    with bound(0) as first:
        port = first.getsockname()[1]
        with pytest.raises(ValueError, match=f"port: {port} is taken; give another one"):
            bound(port)
    for port in (-1, 65536):
        with pytest.raises(ValueError, match=f"port: got {port}; allowed 0"):
            bound(port)


def test_only_this_machine_is_listened_to():
    with bound(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
