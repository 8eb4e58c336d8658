"""The page of results, a section a file; :mod:`tools.report.page` puts them together."""
