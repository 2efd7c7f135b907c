"""Datasets: pinned files, where their bytes come from, loaders to tidy frames, and checks."""
