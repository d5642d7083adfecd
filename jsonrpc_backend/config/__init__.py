"""The settings: what there is, what each may be, and the file they are written in."""
