"""A server of several processes: a parent that holds the folder and the sockets, and workers that answer calls."""
