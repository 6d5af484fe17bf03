"""衔接率: the five rates, who is behind each figure, their history, targets and reports (family M, PD-24 … PD-26)."""
