"""The form that corrects contact, unit, address and remark of an application that runs (PD-16, A-20)."""

from __future__ import annotations

from collections.abc import Mapping

from wtforms.validators import InputRequired
from wtforms.validators import Optional as MayBeEmpty

from zhtj.orgs.policies import policy_of
from zhtj.policy.vocabulary import Reason
from zhtj.transfers.applying import checks
from zhtj.transfers.models import Application
from zhtj.transfers.operations import AMENDABLE
from zhtj.transfers.workflow import Track
from zhtj.web.forms.transfer import TransferForm


def amend_form(application: Application) -> TransferForm:
    """The fields that may be amended, as they stand now; those the reason asks for may not be emptied."""
    spec = policy_of(application.from_org).reasons[Reason(application.reason)]
    needed = {checks.COLUMN_OF[field] for field in spec.fields_for(application.kind)}
    described = [] if application.track is Track.SPECIAL else ["unit_name", "unit_address"]
    shown = [name for name in described if name in needed or getattr(application, name)]
    names = ("contact_mobile", *shown, "remark")
    form = TransferForm.only(*names, spec=spec, data={name: getattr(application, name) or "" for name in names})
    if not application.contact_mobile:
        _relax(form)
    if application.warnings or application.track is Track.SPECIAL:
        form.require("remark", "请在备注中写明情况。")
    return form


def _relax(form: TransferForm) -> None:
    """A number nobody gave when the application began need not be given now."""
    field = form.contact_mobile
    field.validators = [MayBeEmpty(), *(one for one in field.validators if not isinstance(one, InputRequired))]
    field.flags.required = False


def typed_in(said: Mapping[str, str]) -> str:
    """What somebody typed who came too late, in one line, so that it is not lost."""
    return "；".join(f"{label}：{text}" for name, label in AMENDABLE.items() if (text := said.get(name, "").strip()))


def amended(form: TransferForm) -> dict[str, str]:
    """What ``operations.amend`` takes."""
    return {name: value or "" for name, value in form.wanted().items()}
