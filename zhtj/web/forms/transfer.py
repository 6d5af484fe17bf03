"""The fields of an application: the member fills them in one page after another, an administrator on one page.

    form = TransferForm.only("unit_name", "unit_address", spec=spec)   # just these, labelled and required as spec says
    form.take(error)                                                   # a DomainError goes to the field it speaks of
    form.wanted()                                                      # the filled-in part of a Submission

``reason_options`` and ``place_options`` carry the advice of the destination table to the radio cards (PD-11).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Self

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Regexp

from zhtj.kernel.errors import DomainError
from zhtj.policy.destinations import Verdict, judge
from zhtj.policy.model import Policy
from zhtj.policy.parts import ReasonSpec
from zhtj.policy.vocabulary import Audience, Destination, PlaceTie, Reason, ReasonField, Suitability

MOBILE = r"^1[3-9]\d{9}$"
NAME_AT_MOST, ADDRESS_AT_MOST, REMARK_AT_MOST = 120, 160, 300

# Which form field holds what a reason asks for.
FIELD_OF = {
    ReasonField.UNIT: "unit_name",
    ReasonField.SCHOOL: "unit_name",
    ReasonField.ADDRESS: "unit_address",
    ReasonField.PLACE: "place",
    ReasonField.REMARK: "remark",
}
_LABELS = {
    ReasonField.UNIT: ("工作单位全称", "与劳动合同或营业执照上的名称一致。", "请填写工作单位全称。"),
    ReasonField.SCHOOL: ("录取学校全称", "与录取通知书上的名称一致。", "请填写录取学校全称。"),
    ReasonField.ADDRESS: (
        "详细地址",
        "写到乡镇、街道，例如：安徽省合肥市蜀山区井岗镇。",
        "请填写详细地址，写到乡镇、街道。",
    ),
    ReasonField.REMARK: ("备注", "", "请在备注中写明情况。"),
}


def tidy(text: str | None) -> str:
    """Typed text without stray blanks and line breaks at its ends; full-width figures and letters become plain ones."""
    cleaned = "".join(_plain(sign) for sign in text or "")
    return re.sub(r"[ \t\u3000]+", " ", cleaned).strip()


def _plain(sign: str) -> str:
    return unicodedata.normalize("NFKC", sign) if "\uff10" <= sign <= "\uff5a" and sign.isalnum() else sign


def digits(text: str | None) -> str:
    """A telephone number as typed, without blanks, hyphens and the country's prefix."""
    return re.sub(r"[\s-]", "", tidy(text)).removeprefix("+86")


class TransferForm(FlaskForm):
    """Fields of 组织关系转接申请. ``destination`` takes an organisation's code or full name."""

    reason = RadioField("转接原因", [InputRequired("请选择转接原因。")], validate_choice=False)
    unit_name = StringField("单位或学校全称", [Length(max=NAME_AT_MOST, message="名称不能超过 120 字。")], [tidy])
    unit_address = StringField("详细地址", [Length(max=ADDRESS_AT_MOST, message="地址不能超过 160 字。")], [tidy])
    place = RadioField("与转入地的关系", [InputRequired("请选择您与转入地的关系。")], validate_choice=False)
    destination = StringField("转入组织", [InputRequired("请选择转入组织。")], [tidy])
    contact_mobile = StringField(
        "离校后联系得上的手机号码",
        [InputRequired("请填写离校后联系得上的手机号码。"), Regexp(MOBILE, message="手机号码应为 11 位数字，请核对。")],
        [digits],
        description="对方会打这个号码核实情况。",
    )
    remark = TextAreaField("备注", [Length(max=REMARK_AT_MOST, message="备注不能超过 300 字。")], [tidy])
    external_name = StringField(
        "对方系统中的组织全称",
        [InputRequired("请填写对方系统中的组织全称。"), Length(max=NAME_AT_MOST, message="全称不能超过 120 字。")],
        [tidy],
        description="一字不差，包括括号和“第×”等字样。最好请对方发文字过来。",
    )
    external_name_again = StringField(
        "再填一遍全称",
        [InputRequired("请再填一遍全称。"), Length(max=NAME_AT_MOST, message="全称不能超过 120 字。")],
        [tidy],
        description="两遍要完全一样，写错一个字对方系统就收不到。",
    )
    secret_unit = StringField(
        "单位名称",
        [Length(max=NAME_AT_MOST, message="名称不能超过 120 字。")],
        [tidy],
        description="可以公开的才写；部队番号、涉密单位的名称请不要写。填写的内容加密保存，只有省级团委审批时能打开看。",
    )
    unable = BooleanField("那里的乡镇、街道已经说了接收不了")
    confirmed = BooleanField("情况属实，我已了解上面的说明")

    @classmethod
    def only(cls, *names: str, spec: ReasonSpec | None = None, data: Mapping[str, Any] | None = None) -> Self:
        """The form with these fields alone, worded and required as the reason asks for them (PD-10)."""
        form = cls(data=dict(data or {}))
        for name in [field.name for field in form if field.name not in {*names, "csrf_token"}]:
            del form[name]
        for need in spec.needs if spec else ():
            if need in _LABELS and FIELD_OF[need] in names:
                form._ask(need)
        return form

    def _ask(self, need: ReasonField) -> None:
        label, hint, missing = _LABELS[need]
        field = self[FIELD_OF[need]]
        field.label.text, field.description = label, hint
        self.require(field.name, missing)

    def require(self, name: str, missing: str) -> None:
        """Ask for a field that is optional otherwise, with the sentence that says so."""
        field = self[name]
        if not field.flags.required:
            field.validators = [InputRequired(missing), *field.validators]
            field.flags.required = True

    def take(self, error: DomainError) -> None:
        """Put an error of an operation to its field, or above the form."""
        field = self._field(error.field)
        if field is None:
            self.form_errors.append(str(error))
        else:
            field.errors = [*field.errors, str(error)]

    def _field(self, name: str | None) -> Field | None:
        if name in set(ReasonField):
            name = FIELD_OF[ReasonField(name)]
        return self[name] if name and name in self else None

    def wanted(self) -> dict[str, Any]:
        """What was filled in, by the names of ``Submission``; empty text is None. Without destination."""
        names = ("reason", "place", "unit_name", "unit_address", "contact_mobile", "remark", "confirmed")
        return {name: self[name].data or None for name in names if name in self}


def reason_options(policy: Policy, audience: Audience) -> list[dict[str, str]]:
    """Radio cards of the reasons offered to graduates or to the others, in the order of PD-10."""
    return [
        {"value": code.value, "label": spec.label, "note": spec.hint}
        for code, spec in policy.reasons_for(audience).items()
    ]


def place_bound_first(policy: Policy, reason: Reason) -> bool:
    """Whether with this reason the place decides where to go, so that it is asked for before the organisation."""
    best = [
        to
        for to in Destination
        if any(_at(policy, reason, to, place).level is Suitability.PREFERRED for place in PlaceTie)
    ]
    return bool(best) and all(destination.place_bound for destination in best)


def place_options(known: Mapping[PlaceTie, str], verdict_at: Callable[[PlaceTie], Verdict]) -> list[dict[str, str]]:
    """Radio cards of the ties somebody may have to a place; those the table forbids are greyed, with why.

    Args:
        known: addresses, by tie.
        verdict_at: what the table says to that place.
    """
    offered, best = [], True
    for place in PlaceTie:
        if place is PlaceTie.NONE:
            continue
        verdict = verdict_at(place)
        option = {"value": place.value, "label": place.label, "note": known.get(place, "")}
        if verdict.level is Suitability.FORBIDDEN:
            option["disabled"] = verdict.why
        elif verdict.level is Suitability.WARNED:
            option["warning"] = verdict.why
        elif verdict.level is Suitability.PREFERRED and best:
            option["label"], best = option["label"] + "（首选）", False  # on one alone (PD-60)
        offered.append(option)
    return sorted(offered, key=lambda option: "disabled" in option)


def best_at(policy: Policy, reason: Reason, place: PlaceTie, **facts: bool | None) -> Verdict:
    """The best that the table says to a place, whatever stands there."""
    bound = (kind for kind in Destination if kind.place_bound)
    return min((judge(policy, reason, kind, place, **facts) for kind in bound), key=lambda verdict: verdict.level.rank)


def _at(policy: Policy, reason: Reason, destination: Destination, place: PlaceTie) -> Verdict:
    return judge(policy, reason, destination, place)
