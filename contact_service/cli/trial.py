"""``contact-service trial``: design a trial, and estimate one from counts or rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import ceil
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console

from contact_service.cli.common import actor, fail, print_json, service
from contact_service.domain.actors import Role
from contact_service.evaluation.facts import PAYMENT_LAG, NoSuchRun
from contact_service.evaluation.report import latest_run
from contact_service.evaluation.trial import analysis, tables
from contact_service.evaluation.trial.baseline import Baseline, baseline
from contact_service.evaluation.trial.counts import read_counts
from contact_service.evaluation.trial.faults import TrialRefused
from contact_service.evaluation.trial.measures import Means, Measure, Proportions, Times
from contact_service.evaluation.trial.picture import power_curve
from contact_service.evaluation.trial.power import Design, curve, plan
from contact_service.evaluation.trial.reading import choose_control
from contact_service.evaluation.trial.replay import replayed
from contact_service.evaluation.trial.rows import Columns, read_rows

REFUSED = 2


class Outcome(StrEnum):
    """What the ledger's past can be asked for."""

    PAID_SOMETHING = "paid_something"
    PAID_IN_FULL = "paid_in_full"


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
CovariateColumns = Annotated[
    list[str] | None,
    typer.Option(metavar=_COLUMN, help="割付前の数値（繰返し可） / known before"),
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
    covariate: CovariateColumns = None,
    control: ControlName = None,
    icc: StatedIcc = None,
    as_json: Json = False,
) -> None:
    """各群を対照群と比べる / compare every arm with the control."""
    columns = (arm, outcome, cluster, time, event, amount, *(strata or ()), *(covariate or ()))
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
                arm or "arm",
                outcome,
                cluster,
                tuple(strata or ()),
                time,
                event,
                amount,
                tuple(covariate or ()),
            )
            rows = read_rows(file, named)
            document = analysis.of_rows(rows, choose_control(file, rows.arms, control))
    if as_json:
        print_json(document)
    else:
        tables.show_estimates(Console(), document)


@app.command()
def replay(
    run_id: str = typer.Argument("latest", help="実施番号、または latest / a run, or latest"),
    as_json: Json = False,
) -> None:
    """割付をやり直して照合し、登録した計画との違いを示す / deal the arms again, and compare."""
    with service() as found:
        who = actor(Role.EVALUATOR)
        try:
            run = latest_run(found, who) if run_id == "latest" else UUID(run_id)
        except ValueError:
            raise fail(f"{run_id}: 実施番号ではありません / no run identifier", REFUSED) from None
        except NoSuchRun as error:
            raise fail(str(error), REFUSED) from None
        with _refusals(), found.engine.connect() as connection:
            result = replayed(connection, who, run)
    if as_json:
        print_json(result)
    else:
        tables.show_replay(Console(), result)
    if not result["as_registered"]:
        raise typer.Exit(1)


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

Effect = Annotated[float | None, typer.Option(help="割合の差（--treated の代わり） / a rise, 0–1")]
FromLedger = Annotated[
    Outcome | None,
    typer.Option("--from-ledger", help="台帳の過去から / take the control from the ledger's past"),
]
Kinds = Annotated[
    list[str] | None, typer.Option(help="科目（--from-ledger、繰返し可） / kind of claim")
]
Until = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="過去の終わり / its end"),
]
Horizon = Annotated[int, typer.Option(min=1, max=365, help="数える日数 / days that count")]
PerDay = Annotated[
    float | None, typer.Option(min=0.001, help="1日に見込む世帯 / households expected a day")
]


@dataclass(frozen=True, slots=True)
class Flow:
    """Where people come from: the ledger's past, or so many a day; ``horizon`` in days."""

    past: Baseline | None
    per_day: float | None
    horizon: int

    def figures(self, people: int, cluster_size: float) -> dict[str, Any]:
        """The past, and how long the trial takes: households a day until there are enough of
        them, then the horizon."""
        found: dict[str, Any] = {"baseline": self.past.as_dict()} if self.past else {}
        per_day = self.per_day or (self.past.new_per_day if self.past else 0)
        if per_day:
            days = ceil(people / cluster_size / per_day)
            found |= {"per_day": per_day, "days_to_fill": days,
                      "duration_days": days + self.horizon}  # fmt: skip
        return found


def _past(
    outcome: Outcome | None, kinds: list[str] | None, until: datetime | None, horizon: int
) -> Baseline | None:
    if outcome is None:
        return None
    with service() as found, found.engine.connect() as connection:
        # what was paid in the last two weeks may not have reached the ledger yet
        end = until.date() if until else found.clock.now().date() - PAYMENT_LAG
        return baseline(connection, end, horizon, kinds or None)


def _needed(stated: float | None, past: float | None, option: str) -> float:
    value = stated if stated is not None else past
    if value is None:
        raise TrialRefused(
            f"{option} か --from-ledger を指定してください", f"give {option}, or --from-ledger"
        )
    if stated is None and value in (0, 1):  # an sd of nothing, or a share of nobody or everybody
        raise TrialRefused(
            "台帳のその期間では、全世帯の納付が同じです（だれも納めていない、など）。--until・--kind・"
            f"--horizon を変えるか、{option} を指定してください",
            "in that past of the ledger all households paid alike (nobody did, say): change "
            f"--until, --kind or --horizon, or give {option}",
        )
    return value


@design.command("proportions")
def proportions(
    control: Annotated[
        float | None, typer.Option(help="対照群の割合 / share in the control, 0–1")
    ] = None,
    treated: Annotated[float | None, typer.Option(help="実施群の割合 / share treated, 0–1")] = None,
    n: N = None,
    power: Power = 0.8,
    alpha: Alpha = 0.05,
    ratio: Ratio = 1.0,
    arms: Arms = 2,
    icc: Icc = 0.0,
    cluster_size: ClusterSize = 1.0,
    effect: Effect = None,
    ledger: FromLedger = None,
    kind: Kinds = None,
    until: Until = None,
    horizon: Horizon = 28,
    per_day: PerDay = None,
    picture: Picture = None,
    as_json: Json = False,
) -> None:
    """割合の差 / a difference of proportions."""
    with _refusals():
        given = Design(alpha, power, ratio, arms, icc, cluster_size)
        past = _past(ledger, kind, until, horizon)
        share = _needed(control, past.share(ledger) if past and ledger else None, "--control")
        difference = effect if treated is None else treated - share
        flow = Flow(past, per_day, horizon)
        _run(Proportions(share), given, difference, n, flow, picture, as_json)


@design.command("means")
def means(
    sd: Annotated[float | None, typer.Option(help="標準偏差 / standard deviation")] = None,
    difference: Annotated[float | None, typer.Option(help="平均の差 / difference")] = None,
    n: N = None,
    power: Power = 0.8,
    alpha: Alpha = 0.05,
    ratio: Ratio = 1.0,
    arms: Arms = 2,
    icc: Icc = 0.0,
    cluster_size: ClusterSize = 1.0,
    ledger: FromLedger = None,
    kind: Kinds = None,
    until: Until = None,
    horizon: Horizon = 28,
    per_day: PerDay = None,
    picture: Picture = None,
    as_json: Json = False,
) -> None:
    """平均（金額など）の差 / a difference of means."""
    with _refusals():
        given = Design(alpha, power, ratio, arms, icc, cluster_size)
        past = _past(ledger, kind, until, horizon)
        spread = _needed(sd, past.sd_yen if past else None, "--sd")
        _run(Means(spread), given, difference, n, Flow(past, per_day, horizon), picture, as_json)


@design.command("time")
def time_to_event(
    control_events: Annotated[
        float | None,
        typer.Option(help="対照群で事象がある割合 / share with the event"),
    ] = None,
    hazard_ratio: Annotated[float | None, typer.Option(help="ハザード比 / hazard ratio")] = None,
    n: N = None,
    power: Power = 0.8,
    alpha: Alpha = 0.05,
    ratio: Ratio = 1.0,
    arms: Arms = 2,
    icc: Icc = 0.0,
    cluster_size: ClusterSize = 1.0,
    ledger: FromLedger = None,
    kind: Kinds = None,
    until: Until = None,
    horizon: Horizon = 28,
    per_day: PerDay = None,
    picture: Picture = None,
    as_json: Json = False,
) -> None:
    """事象までの時間（ログランク） / time to an event (log-rank)."""
    with _refusals():
        given = Design(alpha, power, ratio, arms, icc, cluster_size)
        past = _past(ledger, kind, until, horizon)
        share = _needed(
            control_events, past.share(ledger) if past and ledger else None, "--control-events"
        )
        flow = Flow(past, per_day, horizon)
        _run(Times(share), given, hazard_ratio, n, flow, picture, as_json)


def _run(
    measure: Measure,
    given: Design,
    effect: float | None,
    n: int | None,
    flow: Flow,
    picture: Path | None,
    as_json: bool,
) -> None:
    found: dict[str, Any] = plan(measure, given, effect=effect, n=n)
    found |= flow.figures(found["n_total"], given.cluster_size)
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
