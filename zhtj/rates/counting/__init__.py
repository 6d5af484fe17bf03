"""Standings and counters, kept with every change and counted anew at night."""
