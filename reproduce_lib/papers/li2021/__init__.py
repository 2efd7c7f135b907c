"""Li, Lu, Li, Yang, Qiu & Zhang (2021): DLEP, a network that forecasts the size class of the next main shock.

A catalogue is cut into main shocks and what came before them (section II-A); eight seismicity indicators and a
convolutional network's features of the same events are fused by an attention (section III-B) and trained with a loss
that weighs classes (section III-C). What the paper leaves open is a parameter here; the reference value of each, its
alternatives and the reasons are the ``decisions`` of ``book/claims/li2021.yaml``.
"""
