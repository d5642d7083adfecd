"""One app's tenant while the server runs, and what all of them share."""
