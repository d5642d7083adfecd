"""Mails: templates, the outbox, SMTP. Knows neither JSON-RPC nor HTTP."""
