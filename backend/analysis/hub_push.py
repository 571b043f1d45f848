"""An exported folder as a dataset of the Hugging Face hub."""

from __future__ import annotations

import os
import re
from pathlib import Path

from backend.errors import PoolError

_NAME = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")
# what an earlier export may have left there under other names
_STALE = ["train.*", "test.*", "dataset_info.json", "llama_factory.yaml", "axolotl.yaml"]


def check_push(name: str) -> None:
    """Raise a PoolError where nothing can be pushed: the name is none, or there is no token, or the hub is switched off."""
    import huggingface_hub

    if not _NAME.fullmatch(name):
        raise PoolError(f"{name!r} is not the name of a dataset on the hub (expected OWNER/NAME)")
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        raise PoolError("HF_HUB_OFFLINE is set, so nothing can be sent to the hub; unset it to push")
    if not huggingface_hub.get_token():
        raise PoolError(
            "no token of the Hugging Face hub was found; run `hf auth login`, or put a token that may write into HF_TOKEN"
        )


def push_folder(folder: Path, name: str, *, private: bool = True) -> str:
    """Send an exported folder to the hub, where the dataset is made if it is not there; returns its address.

    Data that an earlier push left there is replaced; the hub keeps the earlier commit. private : nobody but its owner may
    read it; a dataset that is there and public is then left alone.

    Raises
    ------
    PoolError : see `check_push`; the hub cannot be reached or refuses, or the dataset is public and was to be private.
    """
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    check_push(name)
    api = HfApi()
    try:
        made = api.create_repo(name, repo_type="dataset", private=private, exist_ok=True)
        if private and not api.repo_info(name, repo_type="dataset").private:
            raise PoolError(
                f"{name} is on the hub already and anybody can read it; name another dataset, or send it with `export --push {name} --public`"
            )
        api.upload_folder(
            repo_id=name,
            repo_type="dataset",
            folder_path=folder,
            commit_message="Samples exported by IterIT Studio",
            delete_patterns=_STALE,
        )
    except HfHubHTTPError as error:
        raise PoolError(f"the hub refused {name}: {str(error).strip().splitlines()[-1]}") from error
    except (OSError, httpx.TransportError) as error:
        raise PoolError(f"the hub could not be reached to push {name} ({error})") from error
    return str(made)
