//! What KPIs measure: ten kinds, and where the values of one KPI lie.

use entity::{
    id::KpiId,
    words::{
        Aggregation::{self, Average, Last, Ratio, Sum},
        Direction::{self, Higher, Lower},
        KpiType, Unit,
    },
};

/// A KPI as far as its values and targets need to know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct KpiProfile {
    pub(super) id: KpiId,
    pub(super) template: &'static KpiTemplate,
    /// The level around which its values move, as a fraction of the way from the lowest to the highest possible.
    pub(super) level: f64,
}

/// What is measured in general; a KPI measures it of one thing.
#[derive(Debug)]
pub(super) struct KpiTemplate {
    pub(super) name: &'static str,
    pub(super) kpi_type: KpiType,
    pub(super) unit: Unit,
    pub(super) currency: Option<&'static str>,
    pub(super) decimals: i32,
    pub(super) direction: Direction,
    pub(super) aggregation: Aggregation,
    /// The lowest possible value.
    pub(super) low: f64,
    /// The highest possible value.
    pub(super) high: f64,
}

const fn kpi_template(
    name: &'static str,
    kpi_type: KpiType,
    unit: Unit,
    decimals: i32,
    direction: Direction,
    aggregation: Aggregation,
    (low, high): (f64, f64),
) -> KpiTemplate {
    KpiTemplate {
        name,
        kpi_type,
        unit,
        currency: None,
        decimals,
        direction,
        aggregation,
        low,
        high,
    }
}

pub(super) static KPI_TEMPLATES: [KpiTemplate; 10] = [
    kpi_template(
        "Satisfaction with",
        KpiType::Csat,
        Unit::Scale1To5,
        2,
        Higher,
        Average,
        (1.0, 5.0),
    ),
    kpi_template(
        "Recommendation after",
        KpiType::Nps,
        Unit::Score,
        1,
        Higher,
        Ratio,
        (-100.0, 100.0),
    ),
    kpi_template(
        "Ease of",
        KpiType::Ces,
        Unit::Scale1To7,
        2,
        Higher,
        Average,
        (1.0, 7.0),
    ),
    kpi_template(
        "Minutes spent on",
        KpiType::Duration,
        Unit::Minutes,
        1,
        Lower,
        Average,
        (1.0, 240.0),
    ),
    kpi_template(
        "Share that gives up at",
        KpiType::Abandonment,
        Unit::Percent,
        1,
        Lower,
        Ratio,
        (0.0, 100.0),
    ),
    kpi_template(
        "Promises kept about",
        KpiType::Promise,
        Unit::Percent,
        1,
        Higher,
        Ratio,
        (0.0, 100.0),
    ),
    kpi_template(
        "Calls about",
        KpiType::Activity,
        Unit::Count,
        0,
        Lower,
        Sum,
        (0.0, 900.0),
    ),
    KpiTemplate {
        currency: Some("DKK"),
        ..kpi_template(
            "Cost of",
            KpiType::Cost,
            Unit::Currency,
            2,
            Lower,
            Average,
            (5.0, 800.0),
        )
    },
    kpi_template(
        "Days until",
        KpiType::Duration,
        Unit::Days,
        1,
        Lower,
        Last,
        (0.0, 45.0),
    ),
    kpi_template(
        "Use of",
        KpiType::Adoption,
        Unit::Percent,
        1,
        Higher,
        Last,
        (0.0, 100.0),
    ),
];

/// Rounds to `decimals` places. Adding 0.0 turns −0.0 into 0.0, which some readers print differently.
pub(super) fn round_to(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale + 0.0
}
