"""What the clients in Python print, and what they send."""

import hashlib
import json


def say(**facts):
    print(json.dumps(facts), flush=True)


def describe(message):
    text = isinstance(message, str)
    data = message.encode() if text else message
    return {
        "type": "text" if text else "binary",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def series(size, period):
    """Count up and start anew after period."""
    return bytes(i % period for i in range(size))
