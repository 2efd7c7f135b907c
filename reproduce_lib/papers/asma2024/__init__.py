"""Asma & Aranas (2024): ARIMA, a linear model and five networks on the monthly magnitude in the Philippines.

The paper names its models (section 3) and prints their errors (Table 1) and forecasts (Table 2), but almost
none of their settings. What it leaves open is a parameter here; the reference value of each, its
alternatives and the reasons are the ``decisions`` of ``book/claims/asma2024.yaml``.
"""
