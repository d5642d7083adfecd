"""What browsers get: the scripts of apps, the reference and the other pages, the example apps."""
