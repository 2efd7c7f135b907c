"""Earthquakes in the pinned records that nobody labelled: where they are, and which stretches hold none of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

# For each record from when to when another earthquake is heard, in seconds after the labelled P: from its P to where
# the motion of a second is back at 1.5 times the background. Where to look was told by PhaseNet's released weights
# (peaks of 0.3), by a ratio of averages, and by sheets of all other records; P and S of each were then seen by eye,
# between 1 and 20 Hz and above 2 Hz, or one of them where it could be nothing else. From 30 s before P to 60 after, of
# all 254 records with P and S; of those with P alone, before it. Half of them are weak, and weaker ones may have been
# missed. Of 22 more records nobody can tell.
OTHER_EARTHQUAKES: Mapping[str, tuple[tuple[float, float], ...]] = {
    "BG.ACR..DP.0346833.npz": ((15.06, 16.58),),
    "BG.BRP..DP.0414480.npz": ((49.25, 52.27),),
    "BG.RGP..DP.0279913.npz": ((-22.08, -18.65),),
    "BG.TCH..DP.0283495.npz": (
        (24.26, 35.74),
        (40.67, 42.68),
    ),
    "BG_AL4_2011050109272382.npz": ((5.6, 10.0),),
    "BG_BUC_2011042314090451.npz": ((13.07, 17.0),),
    "BG_BUC_2016010523005440.npz": ((-2.44, 0.0),),
    "BG_CLV_2014093006271251.npz": ((12.81, 17.0),),
    "BG_HVC_2015031008403145.npz": (
        (-19.38, -11.0),
        (14.2, 18.5),
        (24.88, 29.5),
    ),
    "BG_JKR_2011060216251169.npz": (
        (13.2, 16.0),
        (27.3, 30.57),
    ),
    "BG_MCL_2011041301543132.npz": (
        (6.48, 13.0),
        (15.33, 17.37),
        (22.22, 24.64),
    ),
    "BG_NEG_2011070416090892.npz": (
        (-20.91, -15.5),
        (19.2, 23.51),
    ),
    "BG_NEG_2017071711081046.npz": ((16.92, 22.42),),
    "BG_PFR_2007080600370485.npz": (
        (27.88, 29.4),
        (37.32, 39.58),
    ),
    "BG_PFR_2011020821154783.npz": ((-1.62, -0.5),),
    "BG_SB4_2007081713070678.npz": ((18.6, 20.67),),
    "BG_SQK_2012040517463293.npz": (
        (6.5, 9.5),
        (34.36, 37.13),
    ),
    "BG_SQK_2016121417272497.npz": (
        (-12.16, -7.29),
        (20.55, 22.7),
        (28.76, 36.0),
        (36.6, 38.55),
        (45.3, 47.1),
        (48.54, 50.5),
    ),
    "BG_SSR_2010100919233912.npz": ((21.03, 28.55),),
    "BG_STY_2013010900313751.npz": (
        (15.3, 18.0),
        (24.47, 28.5),
        (40.5, 46.0),
    ),
    "CI.PLM..BH.0275107.npz": ((21.9, 36.0),),
    "CI_MLAC_2014092606030921.npz": ((-17.86, -9.41),),
    "CI_MLAC_2014092819403637.npz": ((-5.2, 0.0),),
    "NC.C029.01.HN.0335084.npz": ((31.15, 35.22),),
    "NC.CLCB..EH.0336071.npz": ((-23.88, -15.0),),
    "NC.GDXB..HN.0415528.npz": (
        (-27.4, -25.5),
        (-25.48, -21.2),
        (8.95, 12.0),
        (12.0, 20.2),
        (20.2, 27.0),
        (29.1, 32.7),
    ),
    "NC.MCB..HH.0227959.npz": (
        (20.97, 25.4),
        (56.27, math.inf),
    ),
    "NC.MCV..EH.0361339.npz": ((30.1, 36.29),),
    "NC.MDY..HN.0376095.npz": (
        (-5.2, -0.5),
        (14.1, 18.5),
        (19.0, 26.0),
    ),
    "NC.MQ1P..EH.0394787.npz": (
        (-4.33, 0.0),
        (32.09, 58.0),
    ),
    "NC_BSR_2004022804075601.npz": ((43.75, math.inf),),
    "NC_CSL_2002112414542687.npz": (
        (31.65, 44.0),
        (49.05, 54.5),
        (55.75, math.inf),
    ),
    "NC_GDXB_2008071720041377.npz": ((10.28, 16.04),),
    "NC_GDXB_2008072815280414.npz": (
        (6.82, 10.0),
        (29.06, 31.9),
        (31.98, 34.3),
    ),
    "NC_GDXB_2009112906092285.npz": ((-27.2, -23.5),),
    "NC_GDXB_2012010123094724.npz": ((15.28, 17.11),),
    "NC_GDXB_2017020915251675.npz": ((8.77, 10.31),),
    "NC_GDXB_2017111608332923.npz": ((-13.08, -11.88),),
    "NC_MCB_2017010105240675.npz": (
        (-31.0, -17.0),
        (48.65, 55.0),
    ),
    "NC_MCV_2017071007270260.npz": ((31.81, 37.0),),
    "NC_MDPB_2012100610434359.npz": ((-6.6, -1.5),),
    "NC_MINS_2014070809315842.npz": ((-27.13, -17.0),),
    "NC_MINS_2017121917375949.npz": (
        (12.65, 14.6),
        (31.98, 34.19),
    ),
    "NN.OMMB..HN.0360784.npz": ((26.1, 30.14),),
    "NN.ORC.N1.EH.0038894.npz": ((21.81, math.inf),),
    "NN_TVH1_2011071500270912.npz": (
        (-17.95, -13.0),
        (36.81, 46.0),
        (55.98, math.inf),
    ),
}
# Records of which the time before P is no noise either. Of the first seven the minute before P holds another
# earthquake, farther from P than is looked at above or seen there too; of the others nobody can tell whether they hold
# one within the 22 s before P.
NOT_NOISE = frozenset(
    {
        "BG.RGP..DP.0279913.npz",
        "NC.GDXB..HN.0244608.npz",
        "NC.GDXB..HN.0359676.npz",
        "NC.GDXB..HN.0415528.npz",
        "NC.MDY..HN.0376095.npz",
        "NC.MQ1P..EH.0394787.npz",
        "PB.B046..EH.0283603.npz",
        "CI_ARV_2008051211505553.npz",
        "CI_BCW_2012110204085188.npz",
        "NC.MQ1P..EH.0273631.npz",
        "NC.NLH..EH.0393054.npz",
        "NC_BBG_2007102001425167.npz",
        "NC_MDY_2017092916214225.npz",
    }
)
# Seconds that a pick may be off.
LATE = 0.1


def stretch_alone(name: str) -> tuple[float, float]:
    """Return from when to when around the labelled P nothing of another earthquake is heard, in seconds after it."""
    others = OTHER_EARTHQUAKES.get(name, ())
    begin = max((end for p, end in others if p < 0), default=-math.inf)
    return begin, min((p - LATE for p, _ in others if p >= 0), default=math.inf)


def holds_noise(name: str) -> bool:
    """Tell whether what stands before a record's P may be taken for noise."""
    return name not in NOT_NOISE and not any(p < 0 for p, _ in OTHER_EARTHQUAKES.get(name, ()))
