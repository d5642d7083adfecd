"""What an account is made of: username rules, passwords, session ids and tokens. Knows neither JSON-RPC nor HTTP."""
