"""Trials whose figures are public."""

from __future__ import annotations

#: Freireich et al. (1963) Blood 21:699-716: weeks in remission, 1 = relapse.
SIX_MP = [
    (6, 1), (6, 1), (6, 1), (6, 0), (7, 1), (9, 0), (10, 1), (10, 0), (11, 0), (13, 1), (16, 1),
    (17, 0), (19, 0), (20, 0), (22, 1), (23, 1), (25, 0), (32, 0), (32, 0), (34, 0), (35, 0),
]  # fmt: skip
PLACEBO = [
    (week, 1)
    for week in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)
]  # fmt: skip

#: Colditz et al. (1994) JAMA 271:698-702: tuberculosis, no tuberculosis among the vaccinated
#: (BCG), then among the controls, trial by trial.
BCG = [
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619),
    (33, 5036, 47, 5761), (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892),
    (29, 7470, 45, 7232), (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338),
    (27, 16886, 29, 17825),
]  # fmt: skip

#: Gerber, Green, Larimer (2008) American Political Science Review 102:33-48, table 2: people and
#: voters by arm of a trial randomised by household.
TURNOUT = {
    "control": (191243, 56730),
    "civic duty": (38218, 12021),
    "hawthorne": (38204, 12316),
    "self": (38218, 13191),
    "neighbors": (38201, 14438),
}

#: Bickel, Hammel, O'Connell (1975) Science 187:398-404, Berkeley's admissions by department:
#: men admitted, men rejected, women admitted, women rejected (R's UCBAdmissions).
BERKELEY = [
    (512, 313, 89, 19), (353, 207, 17, 8), (120, 205, 202, 391), (138, 279, 131, 244),
    (53, 138, 94, 299), (22, 351, 24, 317),
]  # fmt: skip
