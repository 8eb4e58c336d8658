"""The app's comparisons as the page has them; how they are measured is each module's own."""

from __future__ import annotations

from bench import controls, pages, scatter, sessions, start
from bench.comparison import Comparison

START = Comparison(
    "start",
    "From the command to the first page",
    start.run,
    "A server is started and its first page opened in a Chromium: one that has never seen it, and "
    "one that has opened it before. Medians of five turns of each, one after the other. The bare "
    "app is a title and nothing else.",
    lambda tables, limits: (
        "Starting Python and Streamlit, then the browser reading Streamlit's own scripts, bound "
        "it: what the bare app takes cannot be had back."
    ),
)
PAGES = Comparison(
    "pages",
    "Scripts of the pages, 50 runs on disk",
    pages.run,
    "The script of a page run whole, without a browser: its first opening, which reads the files "
    "and draws anew, then the median of five.",
    lambda tables, limits: (
        "What bounds a page is Python on one core: building figures and tables, and reading small "
        "files."
    ),
)
SESSIONS = Comparison(
    "sessions",
    "Many people on one server",
    sessions.run,
    "A server of its own with 50 runs on disk; seconds until the script of a page has run and all "
    "of it was sent, without the browser's drawing. *First*: in a new server, libraries still to "
    "be loaded. *Read*: 20 sessions, each opening pages and reading each for a while. *At one "
    "moment*: the same 20 without a pause.",
    lambda tables, limits: (
        "Pages are scripts of one process: twenty people who press a key at the same moment wait "
        "for each other, and one core bounds them all."
    ),
)
SCATTER = Comparison(
    "scatter",
    "The page Embeddings with many points",
    scatter.run,
    "Made-up features, three rounds, Chromium without a GPU. *Face*: from moving the mouse until a "
    "face is shown. *Round moved*: the slider set to another round, until plotly has all points in "
    "their new places; *pictures*: drawn of points on their way, in 650 ms.",
    lambda tables, limits: (
        "Beyond some ten thousand points the browser's drawing bounds it, on the CPU here."
    ),
    gpu="Chromium drawing on it",
)
DIALS = Comparison(
    "dials",
    "A dial of the sphere turned",
    controls.run,
    "From the key until the browser has drawn other training points; and until all frames of two "
    "courses that were trained before are there.",
    lambda tables, limits: (
        "The script of the page and the browser's drawing bound it, one core each."
    ),
)
