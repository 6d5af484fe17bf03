"""Exports (导出): any list, as it is filtered, as a file for whoever asked."""
