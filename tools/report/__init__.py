"""Pages of results: one for each study and an index, generated from results files alone."""
