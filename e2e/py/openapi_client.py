"""Checks a server's OpenAPI document, and makes a client of it that asks the server something.

    openapi_client.py BASE_URL MODULE [NAME=VALUE ...] [--key KEY]

MODULE is that of the generated client, such as `status.get_status`; what it gives is printed.
"""

import argparse
import importlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

from openapi_spec_validator import validate

arguments = argparse.ArgumentParser()
arguments.add_argument("base")
arguments.add_argument("module")
arguments.add_argument("values", nargs="*")
arguments.add_argument("--key")
given = arguments.parse_args()

with urllib.request.urlopen(f"{given.base}/openapi.json", timeout=30) as answer:
    document = json.load(answer)
validate(document)

with tempfile.TemporaryDirectory(prefix="gridproof-openapi-") as folder:
    root = pathlib.Path(folder)
    (root / "openapi.json").write_text(json.dumps(document))
    # A block of IPFS is bytes.
    (root / "config.json").write_text(
        json.dumps({"content_type_overrides": {"application/vnd.ipld.raw": "application/octet-stream"}})
    )
    programs = pathlib.Path(sys.executable).parent
    made = subprocess.run(
        [programs / "openapi-python-client", "generate", "--path", "openapi.json", "--meta", "none", "--output-path", "made", "--config", "config.json", "--fail-on-warning"],
        cwd=root,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    if made.returncode != 0:
        sys.exit(f"no client can be made of the document: {made.stdout}{made.stderr}")
    sys.path.insert(0, folder)
    client = importlib.import_module("made.client")
    if given.key:
        connection = client.AuthenticatedClient(base_url=given.base, token=given.key)
    else:
        connection = client.Client(base_url=given.base)
    call = importlib.import_module(f"made.api.{given.module}")
    values = dict(value.split("=", 1) for value in given.values)
    answer = call.sync_detailed(client=connection, **values)
    if answer.status_code != 200 or answer.parsed is None:
        sys.exit(f"the client got {answer.status_code}: {answer.content[:500]!r}")
    count = sum(len(path) for path in document["paths"].values())
    shown = answer.parsed if isinstance(answer.parsed, dict) else answer.parsed.to_dict()
    print(f"{count} operations; {given.module}: {json.dumps(shown)[:200]}")
