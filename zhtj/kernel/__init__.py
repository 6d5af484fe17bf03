"""What every room stands on: clock, database, encryption, permissions, audit, paging, errors. Knows no domain."""
