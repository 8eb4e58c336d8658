"""The page of results, a section a file; :mod:`clmle.experiments.results` puts them together."""
