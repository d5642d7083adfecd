"""Users in files: written out completely, read in from what other systems export. Knows no terminal."""
