"""Everything a visitor sees: the only room with Streamlit and Plotly."""
