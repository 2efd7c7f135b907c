from __future__ import annotations

from reproduce_lib.folders import by_folder


def test_names_stand_by_their_innermost_folder_in_the_order_in_which_they_come() -> None:
    found = by_folder(["b/x", "a/c/z", "top", "b/a", "a/y"])
    assert list(found.items()) == [("b", ["b/x", "b/a"]), ("a/c", ["a/c/z"]), ("", ["top"]), ("a", ["a/y"])]
