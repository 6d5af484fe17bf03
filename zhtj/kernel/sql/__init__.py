"""How the databases are asked: planner, replica, subqueries, keyset pages."""
