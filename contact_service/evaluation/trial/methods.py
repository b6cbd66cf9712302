"""Every method by the name that results carry, and where it is described."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from contact_service.evaluation.estimates import Estimate

NEWCOMBE = "Newcombe"
NEWCOMBE_CLUSTERED = "Newcombe, effective sample size"
KATZ = "log-Wald (Katz)"
KATZ_CLUSTERED = "log-Wald (Katz), effective sample size"
WOOLF = "log-Wald (Woolf)"
WOOLF_CLUSTERED = "log-Wald (Woolf), effective sample size"
WILSON = "Wilson"
POOLED_Z = "pooled z"
FISHER = "Fisher"
POOLED_Z_CLUSTERED = "pooled z, effective sample size"
MH_DIFFERENCE = "Mantel-Haenszel (Sato)"
MH_RATIO = "Mantel-Haenszel (Greenland-Robins)"
MH_ODDS = "Mantel-Haenszel (Robins-Breslow-Greenland)"
CMH = "Cochran-Mantel-Haenszel"
LINEAR_CLUSTERED = "OLS, cluster-robust"
POISSON_CLUSTERED = "Poisson GEE (independence), cluster-robust"
LOGIT_CLUSTERED = "logistic GEE (independence), cluster-robust"
WALD_CLUSTERED = "Wald t, cluster-robust"
WELCH = "Welch t"
LINEAR_STRATIFIED = "OLS with strata, HC2"
WALD_STRATIFIED = "Wald t with strata, HC2"
BOOTSTRAP = "percentile bootstrap"
BOOTSTRAP_CLUSTERED = "percentile bootstrap of clusters"
WINSORISED = "Welch t, winsorised at the 99th percentile"
WINSORISED_LINEAR = "OLS, winsorised at the 99th percentile"
KAPLAN_MEIER = "Kaplan-Meier, log-log"
RMST = "restricted mean, Greenwood"
RMST_CLUSTERED = "restricted mean, cluster-robust"
LOG_RANK = "log-rank"
LOG_RANK_STRATIFIED = "stratified log-rank"
COX = "Cox (Efron)"
COX_CLUSTERED = "Cox (Breslow), cluster-robust"
COX_WALD_CLUSTERED = "Cox Wald, cluster-robust"
BOUNDS = "extreme-case bounds"
HOLM = "Holm"
ICC = "analysis of variance"
LIN = "Lin (interacted OLS), HC2"
LIN_CLUSTERED = "Lin (interacted OLS), cluster-robust"
NUMBER_NEEDED = "reciprocal of the risk difference"
STANDARDISED = "standardised difference"
CHI_SQUARE = "chi-square goodness of fit"
BENJAMINI_HOCHBERG = "Benjamini-Hochberg"
OBRIEN_FLEMING = "O'Brien-Fleming spending (Lan-DeMets)"
HETEROGENEITY = "Cochran's Q over groups"
SEGMENTED_NB = "segmented negative binomial regression, Newey-West"
SEGMENTED_POISSON = "segmented Poisson regression, Newey-West"
COMPLIER = "Wald (instrumental variable), Fieller"
REPEATED = "repeated confidence interval"
COST_PER_YEN = "ratio of differences, Fieller"
WELCH_HC2 = "difference of means, HC2"

_NEWCOMBE_1998 = (
    "Newcombe RG (1998) Interval estimation for the difference between independent proportions. "
    "Statistics in Medicine 17:873-890, method 10"
)
_KATZ_1978 = (
    "Katz D et al. (1978) Obtaining confidence intervals for the risk ratio in cohort studies. "
    "Biometrics 34:469-474"
)
_WOOLF_1955 = (
    "Woolf B (1955) On estimating the relation between blood group and disease. "
    "Annals of Human Genetics 19:251-253"
)
_PEARSON_1900 = (
    "Pearson K (1900) On the criterion that a given system of deviations from the probable ... "
    "Philosophical Magazine 50:157-175, without continuity correction"
)
_KISH = "Kish L (1965) Survey Sampling. Wiley: design effect 1 + (m - 1) ICC"
_LIANG_ZEGER = (
    "Liang KY, Zeger SL (1986) Longitudinal data analysis using generalized linear models. "
    "Biometrika 73:13-22; small-sample factor G/(G-1)*(N-1)/(N-K), t with G-1 degrees of freedom"
)
_ZOU = (
    "Zou G (2004) A modified Poisson regression approach to prospective studies with binary data. "
    "American Journal of Epidemiology 159:702-706"
)
_SATO = (
    "Sato T, Greenland S, Robins JM (1989) On the variance estimator for the Mantel-Haenszel risk "
    "difference. Biometrics 45:1323-1324"
)
_WELCH_1947 = (
    "Welch BL (1947) The generalization of Student's problem when several different population "
    "variances are involved. Biometrika 34:28-35"
)
_MACKINNON_WHITE = (
    "MacKinnon JG, White H (1985) Some heteroskedasticity-consistent covariance matrix "
    "estimators with improved finite sample properties. Journal of Econometrics 29:305-325"
)
_EFRON = "Efron B, Tibshirani RJ (1993) An Introduction to the Bootstrap. Chapman & Hall, ch. 13"
_WINSOR = "Tukey JW (1962) The future of data analysis. Annals of Mathematical Statistics 33:1-67"
_LIN_WEI = (
    "Lin DY, Wei LJ (1989) The robust inference for the Cox proportional hazards model. "
    "Journal of the American Statistical Association 84:1074-1078"
)
_LIN = (
    "Lin W (2013) Agnostic notes on regression adjustments to experimental data. "
    "Annals of Applied Statistics 7:295-318"
)
_SEGMENTED = (
    "Wagner AK et al. (2002) Segmented regression analysis of interrupted time series studies. "
    "Journal of Clinical Pharmacy and Therapeutics 27:299-309; Newey WK, West KD (1987) "
    "Econometrica 55:703-708; lags 4(n/100)^(2/9) (Newey, West 1994), factor n/(n-k)"
)
_FIELLER = (
    "Fieller EC (1954) Some problems in interval estimation. Journal of the Royal Statistical "
    "Society B 16:175-185"
)
_MANTEL = (
    "Mantel N (1966) Evaluation of survival data and two new rank order statistics arising in "
    "its consideration. Cancer Chemotherapy Reports 50:163-170"
)

REFERENCES: Mapping[str, str] = {
    NEWCOMBE: _NEWCOMBE_1998,
    NEWCOMBE_CLUSTERED: f"{_NEWCOMBE_1998}; {_KISH}",
    KATZ: _KATZ_1978,
    KATZ_CLUSTERED: f"{_KATZ_1978}; {_KISH}",
    WOOLF: _WOOLF_1955,
    WOOLF_CLUSTERED: f"{_WOOLF_1955}; {_KISH}",
    WILSON: "Wilson EB (1927) Probable inference, the law of succession, and statistical "
    "inference. Journal of the American Statistical Association 22:209-212",
    POOLED_Z: _PEARSON_1900,
    POOLED_Z_CLUSTERED: f"{_PEARSON_1900}; {_KISH}",
    FISHER: "Fisher RA (1935) The logic of inductive inference. Journal of the Royal "
    "Statistical Society 98:39-82",
    MH_DIFFERENCE: _SATO,
    MH_RATIO: "Greenland S, Robins JM (1985) Estimation of a common effect parameter from "
    "sparse follow-up data. Biometrics 41:55-68",
    MH_ODDS: "Robins J, Breslow N, Greenland S (1986) Estimators of the Mantel-Haenszel "
    "variance consistent in both sparse data and large-strata limiting models. "
    "Biometrics 42:311-323",
    CMH: "Mantel N, Haenszel W (1959) Statistical aspects of the analysis of data from "
    "retrospective studies of disease. JNCI 22:719-748, without continuity correction",
    LINEAR_CLUSTERED: _LIANG_ZEGER,
    POISSON_CLUSTERED: f"{_ZOU}; {_LIANG_ZEGER}",
    LOGIT_CLUSTERED: _LIANG_ZEGER,
    WALD_CLUSTERED: _LIANG_ZEGER,
    WELCH: _WELCH_1947,
    LINEAR_STRATIFIED: _MACKINNON_WHITE,
    WALD_STRATIFIED: _MACKINNON_WHITE,
    BOOTSTRAP: _EFRON,
    BOOTSTRAP_CLUSTERED: f"{_EFRON}; clusters drawn whole",
    WINSORISED: f"{_WINSOR}; {_WELCH_1947}",
    WINSORISED_LINEAR: _WINSOR,
    KAPLAN_MEIER: "Kaplan EL, Meier P (1958) Nonparametric estimation from incomplete "
    "observations. Journal of the American Statistical Association 53:457-481",
    RMST: "Royston P, Parmar MKB (2013) Restricted mean survival time. BMC Medical Research "
    "Methodology 13:152",
    RMST_CLUSTERED: "Royston P, Parmar MKB (2013) BMC Medical Research Methodology 13:152; "
    f"influences: Andersen PK et al. (1993) Statistical Models Based on Counting Processes. "
    f"Springer, ch. IV; {_LIANG_ZEGER}",
    LOG_RANK: _MANTEL,
    LOG_RANK_STRATIFIED: _MANTEL,
    COX: "Cox DR (1972) Regression models and life-tables. Journal of the Royal Statistical "
    "Society B 34:187-220; ties: Efron B (1977) JASA 72:557-565",
    COX_CLUSTERED: _LIN_WEI,
    COX_WALD_CLUSTERED: _LIN_WEI,
    BOUNDS: "Manski CF (1990) Nonparametric bounds on treatment effects. American Economic "
    "Review 80:319-323",
    LIN: f"{_LIN}; {_MACKINNON_WHITE}",
    LIN_CLUSTERED: f"{_LIN}; {_LIANG_ZEGER}",
    NUMBER_NEEDED: "Altman DG (1998) Confidence intervals for the number needed to treat. "
    "BMJ 317:1309-1312",
    STANDARDISED: "Austin PC (2009) Balance diagnostics for comparing the distribution of "
    "baseline covariates between treatment groups. Statistics in Medicine 28:3083-3107",
    CHI_SQUARE: _PEARSON_1900,
    BENJAMINI_HOCHBERG: "Benjamini Y, Hochberg Y (1995) Controlling the false discovery rate. "
    "Journal of the Royal Statistical Society B 57:289-300",
    OBRIEN_FLEMING: "Lan KKG, DeMets DL (1983) Discrete sequential boundaries for clinical "
    "trials. Biometrika 70:659-663; O'Brien PC, Fleming TR (1979) Biometrics 35:549-556",
    REPEATED: "Jennison C, Turnbull BW (1989) Interim analyses: the repeated confidence interval "
    "approach. Journal of the Royal Statistical Society B 51:305-361",
    HETEROGENEITY: "Cochran WG (1954) The combination of estimates from different experiments. "
    "Biometrics 10:101-129",
    SEGMENTED_NB: _SEGMENTED,
    SEGMENTED_POISSON: _SEGMENTED,
    COMPLIER: "Angrist JD, Imbens GW, Rubin DB (1996) Identification of causal effects using "
    f"instrumental variables. JASA 91:444-455; {_FIELLER}",
    COST_PER_YEN: _FIELLER,
    WELCH_HC2: _MACKINNON_WHITE,
    HOLM: "Holm S (1979) A simple sequentially rejective multiple test procedure. "
    "Scandinavian Journal of Statistics 6:65-70",
    ICC: "Donner A, Koval JJ (1980) The estimation of intraclass correlation in the analysis "
    "of family data. Biometrics 36:19-25",
}


def described(found: Estimate | None) -> dict[str, Any] | None:
    """For JSON, with the method's reference; a bound that lies at infinity is ``None``."""
    if found is None:
        return None
    numbers = {"estimate": found.estimate, "low": found.low, "high": found.high}
    return {
        **{name: value if isfinite(value) else None for name, value in numbers.items()},
        "method": found.method,
        "reference": REFERENCES[found.method],
    }
