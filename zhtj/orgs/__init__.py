"""The organisation tree (组织体系)."""
