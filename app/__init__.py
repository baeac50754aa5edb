"""What a person sees. The only place that knows Streamlit; imports no torch, directly or through others."""
