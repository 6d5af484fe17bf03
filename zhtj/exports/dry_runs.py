"""The applications for which a dry run of an edition found something otherwise (PD-62)."""

from __future__ import annotations

from zhtj.editions import operations
from zhtj.editions.operations import DifferingApplication, DryRunFilters
from zhtj.editions.rules import Touched
from zhtj.exports.lists import Column, ExportList
from zhtj.exports.transfers import APPLICATION
from zhtj.kernel.permissions import Permission


def _said(one: DifferingApplication, touched: Touched) -> str:
    found = [each for each in one.changes if each.difference.touches is touched]
    return "；".join(f"{each.difference.label}：{each.before} → {each.after}" for each in found)


def _of_application(column: Column) -> Column:
    return Column(column.heading, lambda one: column.cell(one.application))


def _of(touched: Touched) -> Column:
    return Column(touched.label, lambda one: _said(one, touched))


DRY_RUN = ExportList(
    "dry-run",
    "试行政策层",
    Permission.POLICY,
    DryRunFilters,
    operations.listing,
    (*map(_of_application, APPLICATION), *map(_of, Touched)),
)
LISTS = (DRY_RUN,)
