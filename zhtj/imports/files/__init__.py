"""From an upload to plain rows: sheets, headings, cells, and what is wrong with them."""
