"""What is done to an account, by its owner or an operator: each a part of one transaction, with its audit line.

These functions may be run again from the start. What they need of the outside, such as times, ids and hashes, is
handed in; what they refuse is a `Refusal`, which takes back the whole transaction.
"""
