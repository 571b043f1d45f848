"""Names by which a visitor may try to reach a file that lies outside the folders which the app may read."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

SECRET = "open sesame 7431"


def spellings(root: Path, file: Path) -> list[str]:
    """Names of `file`, which lies in a folder beside `root`; also links in the root that lead to it are made and named.

    The working folder must be the one that holds both, and HOME the file's folder.
    """
    outside, name = file.parent, file.name
    (root / "inner").mkdir(exist_ok=True)
    links = {
        "link" + file.suffix: file,
        "folder": outside,
        "again" + file.suffix: root / ("link" + file.suffix),
        "inner/up": root.parent,
    }
    for link, target in links.items():
        if not (root / link).is_symlink():
            (root / link).symlink_to(target)
    up = os.path.relpath(file, root)
    absolute = str(file)
    encoded = quote(absolute, safe="")
    return [
        absolute,
        f"{root}/{up}",
        f"{root}/./inner/../{up}",
        f"{root}//..//{outside.name}//{name}",
        f"{root}/inner/../../{outside.name}/./{name}",
        f"{root}/nothing/../../{outside.name}/{name}",
        up,
        f"./{up}",
        f"{root.name}/{up}",
        f"{outside.name}/{name}",
        f"./{outside.name}/{name}",
        f"../{root.parent.name}/{outside.name}/{name}",
        *(str(root / link) for link in links if link.endswith(file.suffix)),
        f"{root}/folder/{name}",
        f"{root}/folder/../{outside.name}/{name}",
        f"{root}/inner/up/{outside.name}/{name}",
        f"folder/{name}",
        f"inner/up/{outside.name}/{name}",
        f"~/{name}",
        f"$HOME/{name}",
        "${HOME}/" + name,
        f"file://{absolute}",
        f"file:{absolute}",
        f"//localhost{absolute}",
        f"/{absolute}",
        f"/proc/self/cwd/{outside.name}/{name}",
        f"/proc/self/root{absolute}",
        f"{root}/../{outside.name}/*{file.suffix}",
        f"{root}/**/../../{outside.name}/{name}",
        f"{absolute}/",
        f"{absolute}/.",
        f" {absolute} ",
        f"{absolute}\n",
        f"{absolute}\0.json",
        f"{root}/own{file.suffix}\0/../../{outside.name}/{name}",
        f"{root}\\..\\{outside.name}\\{name}",
        f"..\\{outside.name}\\{name}",
        encoded,
        encoded.replace("%", "%25"),
        f"{root}/%2e%2e/{outside.name}/{name}",
        f"{root}/..%2f{outside.name}%2f{name}",
        f"{root}/%252e%252e/{outside.name}/{name}",
        f"{root}/‥/{outside.name}/{name}",
        f"{root}/．．/{outside.name}/{name}",
        f"{root}/..;/{outside.name}/{name}",
        f"{root}/..%00/{outside.name}/{name}",
        f"zip://{absolute}",
        f"local://{absolute}",
        f"simplecache::file://{absolute}",
        f"hf://datasets/../../{absolute}",
        f"http://127.0.0.1{absolute}",
        f"@{absolute}",
        f"{absolute}#x",
        f"{absolute}?x",
        f"{root.parent}",
        f"{outside}",
        f"{root}/..",
        "..",
        "/",
        "~",
    ]
