"""What each method does, one file per method or small group."""
