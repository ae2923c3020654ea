"""Inputs that keep their values while another view is shown: Streamlit forgets those of widgets that it doesn't show.

Their keys begin with KEPT. They stay in the session and nowhere else.
"""

from __future__ import annotations

import streamlit as st

KEPT = "kept "


def keep_inputs() -> None:
    """Make the values of all inputs with such a key the session's own; to be called before any of them is shown.

    https://docs.streamlit.io/develop/concepts/architecture/widget-behavior, "Save widget values in Session State".
    """
    for key in [key for key in st.session_state if isinstance(key, str) and key.startswith(KEPT)]:
        st.session_state[key] = st.session_state[key]
