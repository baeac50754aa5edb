"""Numbers in, a plotly Figure out. Knows neither Streamlit nor torch."""
