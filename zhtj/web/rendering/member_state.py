"""What templates ask about one member: identity, application form, what blocks his transfer (U-12, U-13, A-25)."""

from __future__ import annotations

from flask import Flask
from markupsafe import Markup

from zhtj.cases.membership import blockers, e_files
from zhtj.identity import checking
from zhtj.identity.models import CheckState

_TONES = {
    CheckState.VERIFIED: ("done", "check"),
    CheckState.MISMATCH: ("bad", "cross"),
    CheckState.RETRY: ("wait", "wait"),
    CheckState.UNVERIFIED: ("off", "dash"),
}


def register(app: Flask) -> None:
    """Make it available in every template."""
    tags = _tags(app)
    app.jinja_env.globals.update(
        blockers_of=blockers.of,
        stopping_blockers=blockers.stopping,
        e_file_status=e_files.status_of,
        identity_status=checking.status_of,
        identity_tag=lambda member: tags[checking.status_of(member).state],
        identity_state_tag=tags.__getitem__,
    )


def _tags(app: Flask) -> dict[CheckState, Markup]:
    """The badge of every state: 已认证 and the others stand beneath the name (U-13)."""
    status = app.jinja_env.get_template("components/status.html").module
    return {
        state: Markup(status.tag(f"身份{state.label}", *_TONES[state]))  # type: ignore[attr-defined]  # noqa: S704 - ours
        for state in CheckState
    }
