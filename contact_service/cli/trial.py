"""``contact-service trial``: design a trial, and estimate one from counts or rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from contact_service.cli.common import fail, print_json
from contact_service.evaluation.trial import analysis, tables
from contact_service.evaluation.trial.counts import read_counts
from contact_service.evaluation.trial.faults import TrialRefused
from contact_service.evaluation.trial.measures import Means, Measure, Proportions, Times
from contact_service.evaluation.trial.picture import power_curve
from contact_service.evaluation.trial.power import Design, curve, plan
from contact_service.evaluation.trial.reading import choose_control
from contact_service.evaluation.trial.rows import Columns, read_rows

REFUSED = 2

app = typer.Typer(no_args_is_help=True)
design = typer.Typer(
    no_args_is_help=True, help="人数・検出力・検出できる差 / sample size, power, detectable effect"
)
app.add_typer(design, name="power")

Json = Annotated[bool, typer.Option("--json", help="JSONで出力 / print JSON")]
Source = Annotated[
    Path, typer.Argument(help="CSV: arm,n,events[,clusters] か1人1行の表 / counts, or rows")
]
_COLUMN = "COLUMN"
ArmColumn = Annotated[str | None, typer.Option(metavar=_COLUMN, help="群 / arm")]
OutcomeColumn = Annotated[
    str | None, typer.Option(metavar=_COLUMN, help="結果の有無 1/0 / outcome, yes or no")
]
ClusterColumn = Annotated[
    str | None, typer.Option(metavar=_COLUMN, help="世帯など / household or other cluster")
]
StrataColumns = Annotated[
    list[str] | None, typer.Option(metavar=_COLUMN, help="層（繰返し可） / stratum, repeatable")
]
TimeColumn = Annotated[
    str | None, typer.Option(metavar=_COLUMN, help="観察した期間 / time watched")
]
EventColumn = Annotated[
    str | None, typer.Option(metavar=_COLUMN, help="1=事象、0=打切り / event or censored")
]
AmountColumn = Annotated[str | None, typer.Option(metavar=_COLUMN, help="金額 / amount")]
ControlName = Annotated[
    str | None, typer.Option(metavar="NAME", help="対照群の名前 / name of the control arm")
]
StatedIcc = Annotated[
    float | None, typer.Option(min=0, max=1, help="clusters列の級内相関 / ICC for clusters")
]


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except TrialRefused as refusal:
        raise fail(str(refusal), REFUSED) from None


@app.command()
def estimate(
    file: Source,
    arm: ArmColumn = None,
    outcome: OutcomeColumn = None,
    cluster: ClusterColumn = None,
    strata: StrataColumns = None,
    time: TimeColumn = None,
    event: EventColumn = None,
    amount: AmountColumn = None,
    control: ControlName = None,
    icc: StatedIcc = None,
    as_json: Json = False,
) -> None:
    """各群を対照群と比べる / compare every arm with the control."""
    columns = (arm, outcome, cluster, time, event, amount, *(strata or ()))
    with _refusals():
        if not any(columns):
            counts = read_counts(file)
            if icc is not None and counts.clusters is None:
                raise TrialRefused(
                    f"--icc を使うには {file.name} に clusters の列が必要です",
                    f"--icc needs a column clusters in {file.name}",
                )
            chosen = choose_control(file, list(counts.arms), control)
            document = analysis.of_counts(counts, chosen, icc)
        else:
            if icc is not None:
                raise TrialRefused(
                    "--icc は集計表だけに使います。行の表では --cluster から推定します",
                    "--icc is for counts; with rows it is estimated from --cluster",
                )
            named = Columns(
                arm or "arm", outcome, cluster, tuple(strata or ()), time, event, amount
            )
            rows = read_rows(file, named)
            document = analysis.of_rows(rows, choose_control(file, rows.arms, control))
    if as_json:
        print_json(document)
    else:
        tables.show_estimates(Console(), document)


Alpha = Annotated[float, typer.Option(help="両側の有意水準 / two-sided alpha")]
Power = Annotated[float, typer.Option(help="目標の検出力 / power aimed at")]
N = Annotated[int | None, typer.Option(min=1, help="対照群の人数 / people in the control")]
Ratio = Annotated[float, typer.Option(help="実施群1つの人数÷対照群 / each treated arm ÷ control")]
Arms = Annotated[int, typer.Option(help="対照群を含む群の数 / arms, the control among them")]
Icc = Annotated[float, typer.Option(help="級内相関 / intracluster correlation")]
ClusterSize = Annotated[float, typer.Option(help="クラスターの平均人数 / mean people in a cluster")]
Picture = Annotated[
    Path | None, typer.Option(metavar="FILE.svg", help="人数と検出力の図 / power against size")
]


@design.command("proportions")
def proportions(
    control: Annotated[float, typer.Option(help="対照群の割合 / share in the control, 0–1")],
    treated: Annotated[float | None, typer.Option(help="実施群の割合 / share treated, 0–1")] = None,
    n: N = None,
    power: Power = 0.8,
    alpha: Alpha = 0.05,
    ratio: Ratio = 1.0,
    arms: Arms = 2,
    icc: Icc = 0.0,
    cluster_size: ClusterSize = 1.0,
    picture: Picture = None,
    as_json: Json = False,
) -> None:
    """割合の差 / a difference of proportions."""
    with _refusals():
        given = Design(alpha, power, ratio, arms, icc, cluster_size)
        difference = None if treated is None else treated - control
        _run(Proportions(control), given, difference, n, picture, as_json)


@design.command("means")
def means(
    sd: Annotated[float, typer.Option(help="標準偏差 / standard deviation")],
    difference: Annotated[float | None, typer.Option(help="平均の差 / difference")] = None,
    n: N = None,
    power: Power = 0.8,
    alpha: Alpha = 0.05,
    ratio: Ratio = 1.0,
    arms: Arms = 2,
    icc: Icc = 0.0,
    cluster_size: ClusterSize = 1.0,
    picture: Picture = None,
    as_json: Json = False,
) -> None:
    """平均（金額など）の差 / a difference of means."""
    with _refusals():
        given = Design(alpha, power, ratio, arms, icc, cluster_size)
        _run(Means(sd), given, difference, n, picture, as_json)


@design.command("time")
def time_to_event(
    control_events: Annotated[
        float, typer.Option(help="期間中に事象がある対照群の割合 / share with the event, 0–1")
    ],
    hazard_ratio: Annotated[float | None, typer.Option(help="ハザード比 / hazard ratio")] = None,
    n: N = None,
    power: Power = 0.8,
    alpha: Alpha = 0.05,
    ratio: Ratio = 1.0,
    arms: Arms = 2,
    icc: Icc = 0.0,
    cluster_size: ClusterSize = 1.0,
    picture: Picture = None,
    as_json: Json = False,
) -> None:
    """事象までの時間（ログランク） / time to an event (log-rank)."""
    with _refusals():
        given = Design(alpha, power, ratio, arms, icc, cluster_size)
        _run(Times(control_events), given, hazard_ratio, n, picture, as_json)


def _run(
    measure: Measure,
    given: Design,
    effect: float | None,
    n: int | None,
    picture: Path | None,
    as_json: bool,
) -> None:
    found: dict[str, Any] = plan(measure, given, effect=effect, n=n)
    if picture is not None:
        _draw(measure, given, found, picture)
    if as_json:
        print_json(found)
    else:
        tables.show_plan(Console(), found)


def _draw(measure: Measure, given: Design, found: dict[str, Any], picture: Path) -> None:
    """A design without an effect is drawn for the smallest one it can find."""
    if found["effect"] is None:
        found = {**found, "power": given.power}
    effect = found["minimum_detectable_effect"] if found["effect"] is None else found["effect"]
    if effect is None:
        raise TrialRefused(
            "この人数ではどんな差も検出できないため、図を描けません。--n を大きくしてください",
            "no effect can be found with so few people, so there is no picture; raise --n",
        )
    points = curve(measure, given, effect, found["n_control"])
    try:
        picture.write_text(power_curve(points, found), encoding="utf-8")
    except OSError as error:
        raise TrialRefused(
            f"{picture} に書けません（{error.strerror}）。場所を確かめてください",
            f"cannot write to {picture} ({error.strerror}); check the place",
        ) from None
