"""Put values into a form of a finished page, as a browser would show them had they been typed there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

from markupsafe import escape

Attributes = list[tuple[str, str | None]]
UNTOUCHED = frozenset({"hidden", "password", "file", "submit", "button", "reset", "image"})
TICKED = frozenset({"checkbox", "radio"})


@dataclass
class _Control:
    """A place in the page that shows a value.

    Args:
        start, end: of the opening tag.
        inside: end of a textarea's text; else the same as ``end``.
    """

    tag: str
    name: str
    attributes: Attributes
    start: int
    end: int
    inside: int = 0


@dataclass
class _Form:
    names: set[str] = field(default_factory=set)
    controls: list[_Control] = field(default_factory=list)
    around: list[_Control] = field(default_factory=list)


class _Reader(HTMLParser):
    """Finds the forms that post to ``action``, with their controls and the ``<details>`` around them."""

    def __init__(self, page: str, action: str) -> None:
        super().__init__(convert_charrefs=True)
        self.action = action
        self.forms: list[_Form] = []
        self.form: _Form | None = None
        self.details: list[_Control] = []
        self.select = ""
        # The parser tells positions as line and column, and only this ends a line for it.
        self.starts = [0]
        for line in page.split("\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.feed(page)
        self.close()

    def _offset(self) -> int:
        line, column = self.getpos()
        return self.starts[line - 1] + column

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        start = self._offset()
        values = dict(attrs)
        control = _Control(tag, values.get("name") or "", attrs, start, start + len(self.get_starttag_text() or ""))
        if tag == "details":
            self.details.append(control)
        elif tag == "form" and urlsplit(values.get("action") or self.action).path == self.action:
            self.form = _Form(around=list(self.details))
            self.forms.append(self.form)
        elif self.form is not None and tag in {"input", "textarea", "select", "option", "button"}:
            self._control(control)

    def _control(self, control: _Control) -> None:
        form = self.form
        if form is None:
            return
        if control.tag == "select":
            self.select = control.name
        elif control.tag == "option":
            control.name = self.select
        form.names.add(control.name)
        if control.tag in {"input", "textarea", "option"}:
            form.controls.append(control)

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == "details" and self.details:
            self.details.pop()
        elif tag == "form":
            self.form = None
        elif tag == "textarea" and self.form and self.form.controls and self.form.controls[-1].tag == "textarea":
            self.form.controls[-1].inside = self._offset()


def refill(page: str, action: str, fields: Sequence[tuple[str, str]]) -> tuple[str, bool]:
    """Fill a form in.

    Args:
        page: a whole page of ours.
        action: path the form posts to.
        fields: names and values; hidden fields and passwords stay as the page has them.

    Returns:
        The page, and whether it has such a form. If it has several, the one with most of the names is filled in.
    """
    names = {name for name, _ in fields}
    forms = _Reader(page, action).forms
    if not forms:
        return page, False
    form = max(forms, key=lambda one: len(one.names & names))
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    edits = [(one.start, one.end, _tag("details", [*one.attributes, ("open", None)])) for one in form.around]
    edits += [edit for control in form.controls for edit in _edits(control, values.get(control.name))]
    for start, end, text in sorted(edits, reverse=True):
        page = page[:start] + text + page[end:]
    return page, True


def _edits(control: _Control, values: list[str] | None) -> list[tuple[int, int, str]]:
    """What changes at one control; ``values`` is None for a box that was not ticked."""
    own = dict(control.attributes)
    kind = own.get("type") or "text"
    if control.tag == "textarea":
        return [(control.end, control.inside, str(escape(values.pop(0))))] if values and control.inside else []
    if control.tag == "option":
        return [_marked(control, "selected", own.get("value") in values)] if values else []
    if kind in TICKED:
        return [_marked(control, "checked", (own.get("value") or "on") in (values or []))]
    if kind in UNTOUCHED or not values:
        return []
    others = [(name, value) for name, value in control.attributes if name != "value"]
    return [(control.start, control.end, _tag(control.tag, [*others, ("value", values.pop(0))]))]


def _marked(control: _Control, mark: str, is_set: bool) -> tuple[int, int, str]:  # noqa: FBT001 - what is to be shown
    others = [(name, value) for name, value in control.attributes if name != mark]
    return control.start, control.end, _tag(control.tag, [*others, (mark, None)] if is_set else others)


def _tag(name: str, attributes: Attributes) -> str:
    parts = [key if value is None else f'{key}="{escape(value)}"' for key, value in dict(attributes).items()]
    return f"<{' '.join([name, *parts])}>"
