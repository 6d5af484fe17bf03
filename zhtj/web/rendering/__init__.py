"""What surrounds and fills a template: frame, words, formats."""
