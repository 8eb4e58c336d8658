"""All runs as a table: filter, sort, choose which to show, name and tag, delete and undo."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import pandas as pd
import streamlit as st

from app.visitors import may_change, own_runs_dir, read_only
from app.widgets.literal import literal
from app.widgets.pages import link
from app.widgets.run_annotation import annotation_form
from app.widgets.run_facts import facts_of
from app.widgets.runs import all_runs, data_name, label
from app.widgets.terms import meaning
from clmle import RunFolder, figures, jobs

MOST_ROWS = 9  # visible without scrolling in the table
MOST_SHOWN = 12  # runs below the table
FIRST_SHOWN = 3  # runs chosen to begin with, as many as the demonstration trains
MOST_IN_ADDRESS = 30
PICKED = "runs-picked"  # names of the chosen runs, in the state of the session


def runs_table() -> list[RunFolder]:
    """The table with its buttons; returns the chosen runs.

    The page's address holds them, so that a reload keeps them.
    """
    runs = {run.name: run for run in all_runs()}
    if PICKED not in st.session_state:
        wanted = [name for name in st.query_params.get_all("runs") if name in runs]
        st.session_state[PICKED] = wanted or list(runs)[:FIRST_SHOWN]
    rows = {name: _row(run) for name, run in runs.items()}
    words = st.text_input(
        "Filter runs", key="find", bind="query-params", icon=":material/search:",
        placeholder="words of method, data, state, tags or note, such as: clmle digits done",
    )  # fmt: skip
    found = [name for name, row in rows.items() if matches(row, words)]
    kept = [name for name in st.session_state[PICKED] if name in runs and name not in found]
    picked = [*_chosen(found, [rows[name] for name in found]), *kept]
    st.session_state[PICKED] = picked
    if picked[:MOST_IN_ADDRESS] != st.query_params.get_all("runs"):
        st.query_params["runs"] = picked[:MOST_IN_ADDRESS]
    if kept:
        st.caption(f"{len(kept)} of the {len(picked)} chosen runs are hidden by the filter.")
    chosen = [runs[name] for name in picked]
    _buttons(chosen, sorted({tag for row in rows.values() for tag in row["tags"]}))
    if len(chosen) > MOST_SHOWN:
        st.info(f"The first {MOST_SHOWN} of the {len(chosen)} chosen runs are shown below.")
    return chosen[:MOST_SHOWN]


def matches(row: Mapping[str, Any], words: str) -> bool:
    """Whether each word occurs in the row."""
    text = " ".join(str(value) for value in row.values() if value is not None).casefold()
    return all(word in text for word in words.casefold().split())


def _row(run: RunFolder) -> dict[str, Any]:
    """A run as the table shows it."""
    facts = facts_of(run)
    return {
        "run": label(run),
        "balanced accuracy": facts["balanced_accuracy"],
        "state": facts["state"],
        "tags": facts["tags"],
        "data": data_name(facts["data"]),
        "target": facts["target"].replace("_", " "),
        "seed": facts["seed"],
        **{name: facts[key] for key, name in figures.METRICS.items() if key != "balanced_accuracy"},
        "minutes": None if facts["seconds"] is None else facts["seconds"] / 60,
        "began": None if facts["began"] is None
        else pd.Timestamp(facts["began"], unit="s", tz="UTC").tz_convert(_zone()).tz_localize(None),
        "note": facts["note"],
    }  # fmt: skip


def _zone() -> str:
    """Time zone of the visitor's browser; UTC where there is none."""
    return str(st.context.timezone or "UTC")


def _chosen(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Draw the rows; the names of those whose box is checked."""
    if not names:
        st.info("No run has all of these words; shorten the filter.", icon=":material/info:")
        return []
    known = st.session_state[PICKED]
    number = st.column_config.NumberColumn
    config: dict[str, Any] = {
        **{name: number(format="%.3f", help=meaning(name)) for name in figures.METRICS.values()},
        "seed": number(help=meaning("seed")),
        "run": st.column_config.TextColumn(pinned=True, width="medium"),
        "minutes": number(format="%.1f"),
        "began": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
        "tags": st.column_config.ListColumn(),
        "note": st.column_config.TextColumn(width="medium"),
    }
    # A selection is by number of the row: another list of runs is another table.
    key = f"runs-{sha256(' '.join(names).encode()).hexdigest()[:12]}"
    default: Any = {"selection": {"rows": [i for i, name in enumerate(names) if name in known]}}
    event: Any = st.dataframe(
        pd.DataFrame(rows), key=key, on_select="rerun", selection_mode="multi-row",
        selection_default=default, hide_index=True, column_config=config,
        height=38 + 35 * min(MOST_ROWS, len(rows)), placeholder="–",
        alt=f"{len(rows)} runs; check a box to show the run below",
    )  # fmt: skip
    return [names[i] for i in event.selection.rows if i < len(names)]


def _buttons(chosen: list[RunFolder], tags: list[str]) -> None:
    """What can be done with the chosen runs, and undone."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if not chosen:
            st.caption("Check the boxes of the runs to show; click a heading to sort.")
        elif own := [run for run in chosen if may_change(run)]:
            annotation_form(own, tags)
            _delete(own)
        _compare(chosen)
        if not read_only():
            _undo()


def _delete(runs: list[RunFolder]) -> None:
    with st.popover(f"Delete {len(runs)}", icon=":material/delete:", key="ask-chosen"):
        st.markdown("\n".join(f"- {literal(label(run))}" for run in runs[:MOST_SHOWN]))
        if len(runs) > MOST_SHOWN:
            st.caption(f"and {len(runs) - MOST_SHOWN} more")
        if st.button("Delete these runs", key="delete-chosen"):
            jobs.trash_runs(runs)
            st.rerun()


def _compare(chosen: list[RunFolder]) -> None:
    """A link to the embeddings of two runs side by side."""
    with_rounds = [run for run in chosen if facts_of(run)["rounds"]]
    if len(with_rounds) == 2:
        one, two = with_rounds
        link("embeddings", "Compare their embeddings", run=one.name, other=two.name)


def _undo() -> None:
    batch = next(iter(jobs.trashed(own_runs_dir())), None)
    if batch is None:
        return
    what = "the deleted run" if len(batch.names) == 1 else f"the {len(batch.names)} deleted runs"
    if st.button(f"Undo: restore {what}", icon=":material/undo:", key="undo"):
        jobs.restore_runs(own_runs_dir(), batch)
        st.rerun()
    with st.popover("Empty the trash", icon=":material/delete_forever:", key="ask-empty"):
        st.markdown("Deleted runs are kept for 30 days. Remove all of them for good now?")
        if st.button("Yes, remove them", key="empty-trash"):
            jobs.empty_trash(own_runs_dir())
            st.rerun()
