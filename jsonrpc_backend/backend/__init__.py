"""One app's tenant while the server runs, and the clock that all of them go by."""
