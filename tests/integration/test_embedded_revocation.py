"""A revoked API key is refused by running workers at once, and by those of its tenant alone."""

import json
from pathlib import Path

from controlplane.engines.embedded.keys import KeysFiles
from tests.benchmarks.revoking import revocations

WITHIN_S = 1.0


async def test_a_revoked_key_is_refused_within_a_second(tmp_path: Path) -> None:
    assert max(await revocations(tmp_path, 5)) <= WITHIN_S


def test_each_tenant_has_a_file_of_its_own(tmp_path: Path) -> None:
    files = KeysFiles(tmp_path)
    files.open()
    assert json.loads(files.of("acme").read_text())["keys"] == []
    assert files.publish('{"n": 1}', {"rival": '{"n": 2}'})
    assert not files.publish('{"n": 1}', {"rival": '{"n": 2}'})
    assert [files.of(name).read_text() for name in ("acme", "rival", "new")] == [
        '{"n": 1}',
        '{"n": 2}',
        '{"n": 1}',
    ]
    assert files.publish('{"n": 1}', {})
    assert files.of("rival").read_text() == '{"n": 1}'
    again = KeysFiles(tmp_path)
    again.open()
    assert again.of("acme").read_text() == '{"n": 1}'
