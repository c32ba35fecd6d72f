"""What a pod gets in its environment becomes files that are read like any other."""

import os
from pathlib import Path

import pytest

from runtime import handed
from runtime.launch import LaunchError

MOST_OF_ONE_VARIABLE = 128 * 1024


@pytest.fixture(autouse=True)
def _closed():
    yield
    for path in (handed.ARTIFACT_FILE, handed.KEYS_FILE):
        if os.path.exists(path):
            os.close(int(os.path.basename(path)))


@pytest.mark.parametrize("size", [1, 1000, handed.PIECE_BYTES, handed.PIECE_BYTES + 1, 512 * 1024])
def test_an_artifact_arrives_whole_and_its_variables_are_forgotten(size):
    content = os.urandom(size)
    env = {f"{handed.PIECES}{n}": piece for n, piece in enumerate(handed.pieces(content))}
    assert all(len(f"{name}={value}\0") < MOST_OF_ONE_VARIABLE for name, value in env.items())
    env |= {handed.KEYS: '{"keys": []}', "PATH": "/bin"}
    handed.unpack(env)
    assert env == {"PATH": "/bin"}
    assert Path(handed.ARTIFACT_FILE).read_bytes() == content
    assert Path(handed.KEYS_FILE).read_text() == '{"keys": []}'


def test_without_any_there_is_nothing_to_do():
    handed.unpack({"PATH": "/bin"})
    assert not os.path.exists(handed.ARTIFACT_FILE)


def test_what_is_not_base64_is_told_by_its_name():
    with pytest.raises(LaunchError, match="KUBESERVE_ARTIFACT_1 is not base64"):
        handed.unpack({"KUBESERVE_ARTIFACT_0": "QUJD", "KUBESERVE_ARTIFACT_1": "no!"})
