"""Takes a plan file apart and puts it together again, checksums included, so that a test can damage it in exactly one way."""
import hashlib
import io
import json
import zipfile

COMMENT = b"snc plan; SHA-256 of all bytes before it: "
MANIFEST = "manifest.json"


def unpack(data):
    """{entry: bytes} of a plan file's bytes, without the manifest."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != MANIFEST}


def pack(entries):
    """The bytes of a plan file with these entries (runtime/plan/Archive.cpp)."""
    listed = {name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in entries.items()}
    manifest = json.dumps({"entries": listed}, indent=1, sort_keys=True) + "\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in sorted({**entries, MANIFEST: manifest.encode()}.items()):
            archive.writestr(zipfile.ZipInfo(name), content)
        archive.comment = COMMENT + b"0" * 64
    body = out.getvalue()[:-64]
    return body + hashlib.sha256(body).hexdigest().encode()


def edited(data, edit):
    """The plan file with `edit` applied to the object in plan.json."""
    entries = unpack(data)
    plan = json.loads(entries["plan.json"])
    edit(plan)
    entries["plan.json"] = json.dumps(plan, indent=1).encode()
    return pack(entries)
