"""What `serve --dev --demo` puts into an empty backend, so that pages and apps have something to show."""
