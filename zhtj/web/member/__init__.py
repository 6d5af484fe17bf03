"""The member's workbench, on a phone: where is my relationship, who must act, what can I do next."""

from zhtj.web.member import applications, certification, changes, destination, home, letters, staying
from zhtj.web.member.applying import advice, guides, questions

__all__ = [
    "advice",
    "applications",
    "certification",
    "changes",
    "destination",
    "guides",
    "home",
    "letters",
    "questions",
    "staying",
]
