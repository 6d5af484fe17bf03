"""zhtj: the organisation relationships of China's Youth League members (团员组织关系转接)."""
