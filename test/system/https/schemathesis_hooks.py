"""What schemathesis is taught of the API."""

import re
import uuid

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    """A key is good for one request, and schemathesis sends the same one again: each gets its own, but for those that are none."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch(r"[A-Za-z0-9_.:~-]{1,255}", key):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())


@schemathesis.serializer("application/offset+octet-stream")
def part_of_upload(context, value):
    return {"data": value if isinstance(value, bytes) else str(value).encode()}
