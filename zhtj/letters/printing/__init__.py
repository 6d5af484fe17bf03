"""Letters and forms as paper: record to page, page to PDF."""
