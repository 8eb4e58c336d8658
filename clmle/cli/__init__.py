"""Commands of the command line, one file per command, named after it."""
