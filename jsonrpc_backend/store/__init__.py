"""SQL, and only here. Functions take an open `Db` and answer one question each; what they know of it is in engine.py.

They run on a database thread: reads through `Database.read`, writes through `Database.write`, where a whole
function is one transaction. What is SQLite's own is in sqlite/.
"""
