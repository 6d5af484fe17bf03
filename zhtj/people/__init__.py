"""People (人员): accounts, seats, members, where their membership lies, and the codes that open an account."""
