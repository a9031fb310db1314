//! Flat rows in the API.

use async_graphql::{
    Context, ID, InputObject, Object, SimpleObject,
    connection::{Connection, Edge},
};
use entity::words::{Direction, KpiState, Role, Stage, Unit};

use super::fact_page::{self, FactFilter, FactRow};
use crate::{
    error::Result,
    meter::Metered,
    page::{self, Page},
    payload::caller,
    scalar::Date,
};

/// A measurement of a KPI, joined with one touchpoint that the KPI judged when the measurement's day ended, and with
/// one department that held a role there then.
#[derive(Clone, SimpleObject)]
pub struct KpiFact {
    /// The row's id: made of its parts, so that it is the same in every answer.
    pub row_id: ID,
    /// The measurement. It stands in as many rows as it has places, departments and roles.
    pub measurement_id: ID,
    /// The KPI.
    pub kpi_id: ID,
    /// The KPI's key.
    pub kpi_key: String,
    /// The KPI's name, as it is today.
    pub kpi_name: String,
    /// What the value counts. Units never mix.
    pub unit: Unit,
    /// ISO 4217 code, where the unit is CURRENCY.
    pub currency: Option<String>,
    /// Which way is better.
    pub direction: Direction,
    /// The day.
    pub measured_on: Date,
    /// The value, in the unit: 6.1 is 6.1 %.
    pub value: f64,
    /// What was counted, for a share. Add these up, and the denominators: never average shares.
    pub numerator: Option<f64>,
    /// Out of how many.
    pub denominator: Option<f64>,
    /// How many answered.
    pub sample_size: Option<i32>,
    /// The channel that it was measured on; null for all.
    pub channel_id: Option<ID>,
    /// The segment that it was measured in; null for all.
    pub segment_id: Option<ID>,
    /// The target of the day; null where there was none.
    pub target: Option<f64>,
    /// The warning level of the day; null where there was none.
    pub warning: Option<f64>,
    /// What the value comes to against the target of the day.
    pub state: KpiState,
    /// The blueprint.
    pub blueprint_id: Option<ID>,
    /// The blueprint's key.
    pub blueprint_key: Option<String>,
    /// The phase; null where the KPI judges the whole blueprint.
    pub phase_id: Option<ID>,
    /// The phase's name, as it is today.
    pub phase_name: Option<String>,
    /// Where the phase stands relative to what the customer came for.
    pub stage: Option<Stage>,
    /// The touchpoint; null where the KPI judges a phase or a whole blueprint, or nothing.
    pub touchpoint_id: Option<ID>,
    /// The touchpoint's key.
    pub touchpoint_key: Option<String>,
    /// The touchpoint's name, as it is today.
    pub touchpoint_name: Option<String>,
    /// The department; null where nobody held a role there.
    pub department_id: Option<ID>,
    /// The department's key.
    pub department_key: Option<String>,
    /// The department's name, as it is today.
    pub department_name: Option<String>,
    /// What the department answered for.
    pub role: Option<Role>,
    /// Whether the role is RESPONSIBLE or ACCOUNTABLE.
    pub is_delivering: bool,
    /// 1 / the rows of this measurement that you may see, before any filter: the weights of a measurement add up to
    /// 1. Right for grand totals; in slices count distinct `measurementId`s.
    pub row_weight: f64,
}

impl From<FactRow> for KpiFact {
    fn from(fact: FactRow) -> Self {
        fn id(id: impl ToString) -> ID {
            ID(id.to_string())
        }
        Self {
            row_id: ID(fact.row_id),
            measurement_id: id(fact.measurement_id),
            kpi_id: id(fact.kpi_id),
            is_delivering: fact.is_delivering,
            row_weight: fact.row_weight,
            kpi_key: fact.kpi_key,
            kpi_name: fact.kpi_name,
            unit: fact.unit,
            currency: fact.currency,
            direction: fact.direction,
            measured_on: Date(fact.measured_on),
            value: fact.value,
            numerator: fact.numerator,
            denominator: fact.denominator,
            sample_size: fact.sample_size,
            channel_id: fact.channel_id.map(id),
            segment_id: fact.segment_id.map(id),
            target: fact.target,
            warning: fact.warning,
            state: fact.state,
            blueprint_id: fact.blueprint_id.map(id),
            blueprint_key: fact.blueprint_key,
            phase_id: fact.phase_id.map(id),
            phase_name: fact.phase_name,
            stage: fact.stage,
            touchpoint_id: fact.touchpoint_id.map(id),
            touchpoint_key: fact.touchpoint_key,
            touchpoint_name: fact.touchpoint_name,
            department_id: fact.department_id.map(id),
            department_key: fact.department_key,
            department_name: fact.department_name,
            role: fact.role,
        }
    }
}

/// Which rows to give. What is absent lets everything through, an empty list nothing. No filter changes a row's
/// weight.
#[derive(Default, InputObject)]
pub struct KpiFactFilter {
    /// Measured on this day or later.
    pub from: Option<Date>,
    /// Measured before this day: it is itself left out, like every end of a period here. All of March is
    /// `from: 2025-03-01, to: 2025-04-01`.
    pub to: Option<Date>,
    /// Of KPIs with one of these keys.
    pub kpi_keys: Option<Vec<String>>,
    /// Of departments with one of these keys; those below them only where they are named too.
    pub department_keys: Option<Vec<String>>,
    /// In blueprints with one of these keys.
    pub blueprint_keys: Option<Vec<String>>,
    /// Where the department held one of these roles.
    pub roles: Option<Vec<Role>>,
    /// In one of these states.
    pub states: Option<Vec<KpiState>>,
}

impl From<KpiFactFilter> for FactFilter {
    fn from(filter: KpiFactFilter) -> Self {
        Self {
            from: filter.from.map(Into::into),
            to: filter.to.map(Into::into),
            kpi_keys: filter.kpi_keys,
            department_keys: filter.department_keys,
            blueprint_keys: filter.blueprint_keys,
            roles: filter.roles,
            states: filter.states,
        }
    }
}

/// Pulling flat rows.
#[derive(Default)]
pub struct BiQuery;

#[Object]
impl BiQuery {
    /// Every measurement that is in force, joined with what its KPI judged and who held a role there when its day
    /// ended, by day. A KPI that judges a phase or a whole blueprint gives a row without touchpoint, department and
    /// role; a measurement at a touchpoint belongs to that touchpoint alone; one without any such place, and one
    /// where nobody held a role, keeps one row with empty columns. Drafts and FUTURE blueprints count as not linked.
    /// A LEAD sees the rows of the departments that they lead. Requires: PULL_FLAT_ROWS.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn kpi_facts(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        filter: Option<KpiFactFilter>,
    ) -> Option<Result<Connection<String, Metered<KpiFact>>>> {
        Some(
            pull(
                ctx,
                filter.unwrap_or_default().into(),
                Page { first, after },
            )
            .await,
        )
    }
}

async fn pull(
    ctx: &Context<'_>,
    filter: FactFilter,
    page: Page,
) -> Result<Connection<String, Metered<KpiFact>>> {
    let mut rows = fact_page::facts(caller(ctx)?, &filter, &page).await?;
    let size = usize::try_from(page.size()?).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    let mut connection = Connection::new(page.after.is_some(), more);
    connection.edges.extend(
        rows.into_iter()
            .map(|fact| Edge::new(fact.cursor(), Metered(fact.into()))),
    );
    Ok(connection)
}
