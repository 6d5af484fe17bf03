"""Forms of signing in, opening an account, passwords and one's own contact data."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, EqualTo, InputRequired, Length

from zhtj.kernel.errors import DomainError
from zhtj.people.signing.passwords import LONGEST, SHORTEST

NEW_PASSWORD = f"至少 {SHORTEST} 位，不要用姓名、身份证号码或手机号码。"
CODE = "字母和数字，连字符和空格可以不输。"


def _needed(message: str, longest: int) -> list[object]:
    return [DataRequired(message), _at_most(longest)]


def _at_most(longest: int) -> Length:
    return Length(max=longest, message=f"最多 {longest} 个字。")


class AccountForm(FlaskForm):
    """What these forms share."""

    refusal = ""

    def take(self, error: DomainError) -> None:
        """Show a refusal at the field it speaks of, else above the form."""
        field: Any = self[error.field] if error.field and error.field in self else None
        if field is None or isinstance(field, HiddenField):
            self.refusal = str(error)
        else:
            field.errors = [*field.errors, str(error)]


class LoginForm(AccountForm):
    """Sign in."""

    username = StringField("身份证号码或手机号码", _needed("请填写身份证号码或手机号码。", 40))
    password = PasswordField("密码", _needed("请填写密码。", LONGEST * 4))
    next = HiddenField()

    def take(self, error: DomainError) -> None:
        """Never at a field: which of the two was wrong is not said (PD-04)."""
        self.refusal = str(error)


class NewPasswordForm(AccountForm):
    """A new password, typed twice."""

    password = PasswordField("新密码", [InputRequired("请设置密码。")], description=NEW_PASSWORD)
    again = PasswordField(
        "再输入一次新密码", [InputRequired("请再输入一次。"), EqualTo("password", "两次输入的密码不一样。")]
    )


class CodeForm(AccountForm):
    """Step one of activation."""

    code = StringField("账号激活码", _needed("请填写激活码。", 60), description=CODE)


class ActivationForm(NewPasswordForm):
    """Step two of activation."""

    code = HiddenField()


class ResetForm(NewPasswordForm):
    """A new password with a reset code."""

    username = StringField("身份证号码或手机号码", _needed("请填写身份证号码或手机号码。", 40))
    code = StringField("重置密码验证码", _needed("请填写验证码。", 60), description=CODE)


class SeatForm(AccountForm):
    """A registration code for an account that is signed in."""

    organisation = StringField("组织", _needed("请填写组织编码或组织全称。", 120), description="填组织编码或组织全称。")
    code = StringField(
        "管理员注册码",
        _needed("请填写注册码。", 60),
        description="区分大小写；连字符和空格可以不输。",
    )


class RegistrationForm(SeatForm, NewPasswordForm):
    """A registration code for somebody new."""

    name = StringField("姓名", _needed("请填写姓名。", 60), description="与身份证一致。")
    mobile = StringField("手机号码", _needed("请填写手机号码。", 20), description="以后用它登录，一人一号。")


class ContactForm(AccountForm):
    """One's own contact data."""

    mobile = StringField("手机号码", _needed("请填写手机号码。", 20), description="用来登录和联系您，一人一号。")


class MemberContactForm(ContactForm):
    """A member's own contact data."""

    residence = StringField("现居住地", [_at_most(120)], description="省、市、县（区）和详细地址。")
    emergency_name = StringField("紧急联系人", [_at_most(60)])
    emergency_phone = StringField("紧急联系电话", [_at_most(20)])


class PasswordForm(NewPasswordForm):
    """Change one's own password."""

    current = PasswordField("现在的密码", [InputRequired("请填写现在的密码。")])
