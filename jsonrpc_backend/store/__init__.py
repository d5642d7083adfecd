"""SQLite, and only here. Functions take an open connection and answer one question each.

They run on a database thread: reads through `Database.read`, writes through `Database.write`, where a whole
function is one transaction.
"""
