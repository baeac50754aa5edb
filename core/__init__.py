"""What computes. Knows neither Streamlit nor plotly nor the texts; runs where torch, torchvision and numpy are."""
