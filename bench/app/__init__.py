"""Comparisons of the app: servers, pages and the browser."""
