"""The member's workbench, on a phone: where is my relationship, who must act, what can I do next."""

from zhtj.web.member import applications, changes, destination, home, letters, papers, staying
from zhtj.web.member.applying import advice, guides, questions

__all__ = [
    "advice",
    "applications",
    "changes",
    "destination",
    "guides",
    "home",
    "letters",
    "papers",
    "questions",
    "staying",
]
