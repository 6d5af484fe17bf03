"""Hand over a file that somebody uploaded, so that it can do no harm."""

from __future__ import annotations

from io import BytesIO

from flask import Response, send_file

# Whatever the file is, it runs nothing and reaches nothing.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:"


def hand_over(content: bytes, media_type: str, filename: str) -> Response:
    """An uploaded file as an answer: a picture is shown, anything else is saved; nobody keeps a copy on the way.

    Args:
        content: its bytes.
        media_type: as found in the content when it came, not as the sender called it.
        filename: what it is saved as.
    """
    response = send_file(
        BytesIO(content),
        mimetype=media_type,
        as_attachment=not media_type.startswith("image/"),
        download_name=filename,
        conditional=False,
        etag=False,
    )
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Cache-Control"] = "no-store"
    return response
