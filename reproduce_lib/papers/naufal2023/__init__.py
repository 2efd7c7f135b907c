"""Naufal & Wibowo (2023): LSTM, LSTM-GRU and CNN-LSTM-GRU forecasts of the next day's closing price.

The models follow section 3.3 of the paper, the pairs its equations 1 and 2, the scores its equations
3 and 4. What the paper leaves open is a parameter here; its default and its alternatives, each with the
reason, are the ``decisions`` of ``book/claims/naufal2023.yaml``.
"""
