"""Files as people send them: whole ones of every kind that is taken, as small as they come."""

from __future__ import annotations

from zhtj.kernel.attachments import Upload

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64 + b"IEND\xaeB`\x82"
PDF = b"%PDF-1.7\n" + b"0" * 64 + b"\n%%EOF\n"
JPG = b"\xff\xd8\xff\xe0" + b"0" * 64 + b"\xff\xd9"
SHOT = Upload("截图.png", PNG)
