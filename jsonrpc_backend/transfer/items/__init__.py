"""Items of collections in files: written out completely, read in from what other systems export."""
