#!/usr/bin/env python3
"""Makes corpus.jsonl anew from catalogues: python3 bench/search/corpus.py CATALOGS

It imports them into a hub of its own in a temporary directory and writes what that hub knows of each
server, so names and facts are exactly those of an import. MCPHUB names the program to import with;
without it, it is built from this repository.
"""

import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MODULE = HERE.parent.parent

SERVERS = """
SELECT s.*, t.capabilities AS caps, t.readme AS text
FROM servers s JOIN version_texts t ON t.version_id = s.latest_id
ORDER BY s.name
"""


def words(column):
    return json.loads(column) if column else []


def capability(c):
    return {k: c[k] for k in ("type", "name", "title", "description", "schema") if c.get(k)}


def line(row):
    readme = row["text"]
    fields = {
        "name": row["name"],
        "title": row["title"],
        "description": row["description"],
        "keywords": words(row["keywords"]),
        "categories": words(row["categories"]),
        "capabilities": [capability(c) for c in words(row["caps"])],
        "packageTypes": words(row["latest_package_types"]),
        "transports": words(row["latest_transports"]),
        "runtime": row["latest_runtime"],
        "license": row["license"],
        "mirrored": row["origin"] != "",
        "score": row["score"],
        "readme": readme.decode() if isinstance(readme, bytes) else readme,
    }
    return json.dumps({k: v for k, v in fields.items() if v}, ensure_ascii=False, separators=(",", ":"))


def main(catalogs):
    with tempfile.TemporaryDirectory() as tmp:
        program = os.environ.get("MCPHUB")
        if not program:
            program = os.path.join(tmp, "mcphub")
            subprocess.run(["go", "build", "-o", program, "./cmd/mcphub"], cwd=MODULE, check=True)
        data = os.path.join(tmp, "data")
        subprocess.run(
            [program, "import", "--starter=false", "--data", data, os.path.abspath(catalogs)],
            check=True, stdout=subprocess.DEVNULL,
        )
        db = sqlite3.connect(os.path.join(data, "mcphub.db"))
        db.row_factory = sqlite3.Row
        lines = [line(row) for row in db.execute(SERVERS)]
    (HERE / "corpus.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} servers")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
