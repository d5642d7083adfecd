"""Mails: what they say, the outbox that they wait in, SMTP. Knows neither JSON-RPC nor HTTP."""
