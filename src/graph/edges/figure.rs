//! Current figures in the API, with what they were put together from.

use async_graphql::{ComplexObject, Context, SimpleObject};
use entity::words::KpiState;

use crate::{
    batch::{load, load_many},
    error::Result,
    judgement::{
        CurrentFigure, KpiFigurePlace,
        current::{KpiPace, PartFigure, RunningFigure},
    },
    kpi::graphql::KpiTarget,
    meter::{BudgetChargedList, metered_list},
    payload::into_node,
    persona::graphql::{Channel, Segment},
    scalar::Date,
    touchpoint::graphql::Touchpoint,
};

/// The current figure of a KPI at a place: what was measured in the newest period of its cadence that has enough answers
/// or cases, put together by its aggregation.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct KpiFigure {
    /// The value, in the KPI's unit. Null where there is none, or only channels or segments have one.
    pub value: Option<f64>,
    /// The number of answers or cases that it is made of: sample sizes added up, of shares their denominators, 1 for
    /// each measurement without.
    pub n: f64,
    /// What the value comes to against `target`.
    pub state: KpiState,
    /// The first day of its period (included); null where nothing was measured.
    pub period_start: Option<Date>,
    /// The day after its period's last one (excluded).
    pub period_end: Option<Date>,
    /// The number of periods that it is made of: 1, or up to 3 where none of them has enough answers or cases by itself.
    pub periods: i32,
    /// Number of periods of the KPI's cadence that have passed since its period ended; 0 while it runs.
    pub periods_since: Option<i32>,
    /// The latest day with a measurement that it is made of.
    pub measured_on: Option<Date>,
    /// Where it was measured.
    pub place: Option<KpiFigurePlace>,
    /// Whether it is a sum whose period still runs, and that values to come cannot bring back to its target.
    pub is_decided: bool,
    /// What the running period has come to, where that is not the figure yet.
    pub running: Option<KpiRunningFigure>,
    #[graphql(skip)]
    pub figure: CurrentFigure,
}

/// What the running period of a KPI has come to so far.
#[derive(SimpleObject)]
pub(super) struct KpiRunningFigure {
    /// The value so far, in the KPI's unit. Null where only channels or segments have one.
    pub value: Option<f64>,
    /// The number of answers or cases so far.
    pub n: f64,
    /// The first day of the period.
    pub period_start: Date,
    /// How a sum is getting on against its target's share of the days gone; null for other aggregations, and without a
    /// target.
    pub pace: Option<KpiPace>,
}

/// What a channel, a segment or a touchpoint has contributed to a figure.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct KpiFigurePart {
    /// The value of the part, in the KPI's unit.
    pub value: Option<f64>,
    /// The number of answers or cases of the part.
    pub n: f64,
    /// What the value comes to against `target`.
    pub state: KpiState,
    #[graphql(skip)]
    pub part: PartFigure,
}

impl From<CurrentFigure> for KpiFigure {
    fn from(figure: CurrentFigure) -> Self {
        Self {
            value: figure.value,
            n: figure.n,
            state: figure.state,
            period_start: figure.period.map(|period| Date(period.begin)),
            period_end: figure.period.map(|period| Date(period.end)),
            periods: i32::try_from(figure.periods).unwrap_or(i32::MAX),
            periods_since: figure.periods_since,
            measured_on: figure.measured_on.map(Date),
            place: figure.place,
            is_decided: figure.is_decided,
            running: figure.running.as_ref().map(KpiRunningFigure::from),
            figure,
        }
    }
}

impl From<&RunningFigure> for KpiRunningFigure {
    fn from(running: &RunningFigure) -> Self {
        Self {
            value: running.value,
            n: running.n,
            period_start: Date(running.period.begin),
            pace: running.pace,
        }
    }
}

#[ComplexObject]
impl KpiFigure {
    /// The target by which it is judged; null if there is none.
    async fn target(&self) -> Option<KpiTarget> {
        self.figure.target.clone().map(KpiTarget::from)
    }

    /// What it was put together from: values of channels, of segments, of both, or of touchpoints. Empty where it was
    /// measured as a whole, or in each of its periods in other parts. Touchpoints that you may not read are left out.
    async fn parts(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<KpiFigurePart>> {
        let parts = &self.figure.parts;
        let touchpoints = parts.iter().filter_map(|part| part.touchpoint);
        let readable = load_many(ctx, touchpoints).await?;
        let is_shown =
            |part: &&PartFigure| part.touchpoint.is_none_or(|id| readable.contains_key(&id));
        let shown = parts.iter().filter(is_shown).map(|part| KpiFigurePart {
            value: part.value,
            n: part.n,
            state: part.state,
            part: part.clone(),
        });
        Ok(metered_list(shown))
    }
}

#[ComplexObject]
impl KpiFigurePart {
    /// The channel; null for all.
    async fn channel(&self, ctx: &Context<'_>) -> Option<Result<Channel>> {
        into_node(load(ctx, self.part.channel?)).await
    }

    /// The segment; null for all.
    async fn segment(&self, ctx: &Context<'_>) -> Option<Result<Segment>> {
        into_node(load(ctx, self.part.segment?)).await
    }

    /// The touchpoint, where the KPI as a whole is put together from touchpoints.
    async fn touchpoint(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        into_node(load(ctx, self.part.touchpoint?)).await
    }

    /// The target of the part; null if there is none.
    async fn target(&self) -> Option<KpiTarget> {
        self.part.target.clone().map(KpiTarget::from)
    }
}
