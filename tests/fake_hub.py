"""A Hugging Face hub that takes what is pushed and tells what it got."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class FakeHub:
    """What of the hub's API a push asks for."""

    sent: ClassVar[dict] = {}
    public = False

    def create_repo(self, name, *, repo_type, private, exist_ok):
        assert repo_type == "dataset" and exist_ok
        FakeHub.sent = {"name": name, "private": private}
        return f"https://hub.invalid/datasets/{name}"

    def repo_info(self, name, *, repo_type):
        return type("Info", (), {"private": FakeHub.sent["private"] and not FakeHub.public})

    def upload_folder(self, *, repo_id, folder_path, **_):
        FakeHub.sent["files"] = {path.name: path.read_text() for path in Path(folder_path).iterdir()}
