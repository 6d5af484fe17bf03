"""Introduction letters (团员组织关系介绍信): one record, three slips, one page, one number."""
