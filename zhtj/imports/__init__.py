"""Spreadsheets in and out (导入导出): rosters and organisations."""
