"""What a call costs: the real server under load, beside the floors that nobody can go below. Needs Linux.

`python -m benchmarks` runs all of it; `--quick` in a minute.
"""
