"""The process: what listens, receives, answers, and ends."""
