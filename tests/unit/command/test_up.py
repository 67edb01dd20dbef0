"""What `tunedrop up` writes for other programs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from local.command.up import written


def _sourced(path: Path, name: str) -> str:
    done = subprocess.run(
        ["/bin/sh", "-c", f'. "$0"; /bin/sh -c \'printf %s "${name}"\'', str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_shell_that_sources_the_environment_hands_every_value_on_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "up" / "environment"
    variables = {"KEY": "bedrock-api-key-a+b/c==", "ODD": 'it\'s $HOME; `true` "x"'}
    with written(variables, path):
        assert {name: _sourced(path, name) for name in variables} == variables


def test_the_environment_is_its_owners_alone_even_where_it_lay_open_before(tmp_path: Path) -> None:
    path = tmp_path / "environment"
    path.touch(mode=0o644)
    with written({"KEY": "secret"}, path):
        assert path.stat().st_mode & 0o077 == 0


def test_the_environment_is_gone_with_what_it_names_unless_another_wrote_its_own(tmp_path: Path) -> None:
    path = tmp_path / "environment"
    with written({"KEY": "one"}, path):
        assert path.exists()
    assert not path.exists()
    with written({"KEY": "one"}, path):
        path.write_text("export KEY=two\n")
    assert path.read_text() == "export KEY=two\n"
