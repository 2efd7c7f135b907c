"""The guard that keeps tests off the collection's own records."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from reproduce_lib import paths
from tests.support import PROJECT


@pytest.mark.parametrize("folder", [paths.records_folder(), paths.artifacts_folder(), paths.claims_folder()])
def test_no_test_can_write_delete_or_replace_what_is_recorded(folder: Path, tmp_path: Path) -> None:
    inside = folder / "naufal2023" / "never"
    (tmp_path / "file").touch()
    for attempt in (inside.touch, inside.unlink, lambda: (tmp_path / "file").replace(inside)):
        with pytest.raises(PermissionError):
            attempt()
    assert not inside.exists()


def test_properties_are_tried_on_the_same_examples_each_time_and_make_test_all_looks_further() -> None:
    assert settings.get_profile("reproduce").derandomize
    assert not settings.get_profile("further").derandomize
    assert settings.default is settings.get_profile(os.environ.get("REPRODUCE_EXAMPLES", "reproduce"))
    recipe = (PROJECT / "Makefile").read_text(encoding="utf-8").split("test-all: ")[1].split("\n\n")[0]
    assert "REPRODUCE_EXAMPLES=further " in recipe


def test_users_folder_and_cache_are_the_tests_own(tmp_path: Path) -> None:
    assert paths.user_folder().is_relative_to(tmp_path)
    assert paths.data_cache().is_relative_to(tmp_path)
    assert os.environ["REPRODUCE_HOME"] != os.environ["REPRODUCE_CACHE"]
