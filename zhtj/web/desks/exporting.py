"""Hand a list out as a file: short ones at once, the others as a job (PD-37, PD-38)."""

from __future__ import annotations

import tempfile
from typing import Any

from flask import flash, redirect, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.exports import operations
from zhtj.exports.models import FileFormat
from zhtj.exports.operations import AT_ONCE, ExportOrder
from zhtj.kernel.database import unit_of_work
from zhtj.web.access import current_seat


def answer(key: str, chosen: Any) -> AnyResponse:
    """The file of a list, or where it will be: short ones at once, the others as a job.

    Args:
        key: of the list.
        chosen: its filters.

    Raises:
        NotFound: there is no such list.
        Forbidden: the seat may not look at it.
    """
    said = request.form.get("format", "")
    seat = current_seat()
    file_format = FileFormat(said) if said in set(FileFormat) else FileFormat.XLSX
    order = ExportOrder(operations.list_of(key, seat), seat, chosen, file_format)
    total = order.count()
    if total > AT_ONCE:
        with unit_of_work():
            operations.ask(order, total)
        flash(f"共 {total:,} 行，正在后台生成。可以离开，做好后在这里下载。", "info")
        return redirect(url_for(".exports"), 303)
    target = tempfile.TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    with unit_of_work():
        name = operations.write_now(order, target)
    target.seek(0)
    return send_file(target, file_format.media_type, as_attachment=True, download_name=name)
