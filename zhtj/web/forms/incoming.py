"""登记外部系统转入: what the letter or transfer form of somebody from 北京, 广东 or 福建 says (PD-32)."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import Field, RadioField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length, Optional, Regexp

from zhtj.kernel import clock, names
from zhtj.kernel.errors import DomainError
from zhtj.people import identity
from zhtj.people.operations import NewMember
from zhtj.policy.model import Policy
from zhtj.policy.vocabulary import PlaceTie, Reason
from zhtj.web.forms.transfer import MOBILE, NAME_AT_MOST, REMARK_AT_MOST, digits, tidy

NAME, SHORT = 60, 40
MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"


def _at_most(number: int) -> Length:
    return Length(max=number, message=f"最多 {number} 个字。")


def squeezed(text: str | None) -> str:
    """A number as typed, without blanks, its letters capital."""
    return "".join(tidy(text).split()).upper()


def month(text: str | None) -> str:
    """A month as people write it - 2019.9, 2019年9月, 201909 - in the form 2019-09."""
    plain = tidy(text).rstrip("月").replace("年", "-").replace(".", "-").replace("/", "-")
    if plain.isdecimal() and len(plain) == len("201909"):
        plain = f"{plain[:4]}-{plain[4:]}"
    year, _, number = plain.partition("-")
    return f"{year}-{number.zfill(2)}" if number else plain


class IncomingForm(FlaskForm):
    """Fields of 登记外部系统转入, in the order in which the letter gives them."""

    region = RadioField("从哪个地区的系统转来？", [InputRequired("请选择转出地区。")], validate_choice=False)
    origin_name = StringField(
        "对方系统中的组织全称",
        [InputRequired("请填写对方系统中的组织全称。"), _at_most(NAME_AT_MOST)],
        [tidy],
        description="与介绍信或转接单上写的一致。",
    )
    name = StringField("姓名", [InputRequired("请填写姓名。"), _at_most(NAME)], [tidy])
    id_number = StringField("身份证号码", [InputRequired("请填写身份证号码。")], [squeezed])
    mobile = StringField(
        "手机号码",
        [InputRequired("请填写手机号码。"), Regexp(MOBILE, message="手机号码应为 11 位数字，请核对。")],
        [digits],
    )
    joined_on = StringField(
        "入团年月",
        [InputRequired("请填写入团年月。"), Regexp(MONTH, message="请写年和月，例如 2019-09。")],
        [month],
        description="按入团志愿书填写，例如 2019-09。",
    )
    dev_number = StringField("发展团员编号", [Optional()], [squeezed])
    ethnicity = StringField("民族", [Optional(), _at_most(SHORT)], [tidy])
    political_status = StringField("政治面貌", [Optional(), _at_most(SHORT)], [tidy])
    reason = SelectField("转接原因", [InputRequired("请选择转接原因。")], validate_choice=False)
    graduate = RadioField(
        "是不是应届毕业生",
        validate_choice=False,
        description="转接原因为升学或其他的必须选择；今年毕业的计入本届衔接率。",
    )
    destination = SelectField("转入哪个组织", [InputRequired("请选择转入哪个组织。")], validate_choice=False)
    place = SelectField("本人与转入地的关系", validate_choice=False, description="转往乡镇街道、青年之家、园区时选择。")
    note = TextAreaField(
        "依据",
        [InputRequired("请写明对方已同意转出的依据。"), _at_most(REMARK_AT_MOST)],
        [tidy],
        description="凭什么知道对方已经同意转出，至少 5 个字。例如：10月9日收到北京系统的转接通知，介绍信第 012 号。",
    )
    file = FileField("凭据", description="介绍信、转接通知的照片或文件：PNG、JPG、PDF，不超过 2 MB，加密保存。")

    def __init__(self, policy: Policy, **values: Any) -> None:
        super().__init__(**values)
        self.policy = policy
        since, length = policy.dev_number_required_from.year, policy.dev_number_length
        self.dev_number.description = f"{since} 年及以后入团的必填，{length} 位数字。"

    def validate_id_number(self, field: Field) -> None:
        """A number that can be one."""
        try:
            identity.read(field.data)
        except DomainError as error:
            raise ValidationError(str(error)) from error

    def validate_joined_on(self, _: Field) -> None:
        """Not to come."""
        if self.joined is not None and self.joined > clock.today():
            raise ValidationError("入团年月还没有到，请按入团志愿书填写。")

    def validate_reason(self, field: Field) -> None:
        """One of those that are offered."""
        if field.data not in set(Reason):
            raise ValidationError("请选择转接原因。")

    @property
    def joined(self) -> date | None:
        """First day of the month of joining."""
        try:
            return date.fromisoformat(f"{self.joined_on.data}-01")
        except ValueError:
            return None

    def check_number(self) -> bool:
        """Whether the development number is there and right where it must be (L-20, PD-31); else says so."""
        number, length = self.dev_number.data, self.policy.dev_number_length
        if number in {None, "", self.policy.dev_number_missing}:
            needed = self.joined is not None and self.joined >= self.policy.dev_number_required_from
            problem = (
                f"{self.policy.dev_number_required_from.year} 年及以后入团的须填写 {length} 位发展团员编号。"
                if needed
                else ""
            )
        else:
            right = len(number) == length and number.isascii() and number.isdigit()
            problem = "" if right else f"发展团员编号应为 {length} 位数字，请对照团员证或入团志愿书。"
        if problem:
            self.dev_number.errors = [problem]
        return not problem

    def take(self, error: DomainError) -> None:
        """Put an error of the operation to its field, or above the form."""
        name = {"remark": "note"}.get(error.field or "", error.field or "")
        if name in self:
            self[name].errors = [*self[name].errors, str(error)]
        else:
            self.form_errors.append(str(error))

    def person(self) -> NewMember:
        """Who he is, after a successful ``validate``."""
        who = identity.read(self.id_number.data or "")
        number = self.dev_number.data
        return NewMember(
            name=names.read(self.name.data or ""),
            id_number=who.number,
            mobile=self.mobile.data,
            sex=who.sex,
            joined_on=self.joined or clock.today(),
            ethnicity=self.ethnicity.data or None,
            dev_number=number if number and number != self.policy.dev_number_missing else None,
            political_status=self.political_status.data or None,
        )

    @property
    def graduates(self) -> bool | None:
        """Whether he graduates this season, as far as that was said."""
        return {"yes": True, "no": False}.get(self.graduate.data or "")

    @property
    def tie(self) -> str | None:
        """His tie to the destination's place."""
        return self.place.data if self.place.data in set(PlaceTie) else None
