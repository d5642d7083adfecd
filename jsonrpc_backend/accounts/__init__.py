"""Accounts: usernames, passwords, sessions and tokens, what guards them, and what is done to them.

Knows neither JSON-RPC nor HTTP.
"""
