"""What a browser may do with a page of ours: run our own files, talk to us, and nothing else."""

import base64
import hashlib
import re

from app.language import LANGUAGES, language_script
from app.serving.first_page import first_page


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _inline_scripts() -> list[str]:
    """The scripts that stand within pages: those of the first page, and the one that sets the language."""
    return [*re.findall(r"<script>(.*?)</script>", first_page(), re.DOTALL), *map(language_script, LANGUAGES)]


_POLICY = {
    "default-src": "'self'",
    "script-src": " ".join(["'self'", "blob:", *map(_digest, _inline_scripts())]),
    "style-src": "'self' 'unsafe-inline'",  # Streamlit writes its styles into the page
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "connect-src": "'self'",
    "frame-src": "'none'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'self'",
}
CONTENT_POLICY = "; ".join(f"{name} {value}" for name, value in _POLICY.items())
MEDIA_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"  # a picture or a download
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
}
