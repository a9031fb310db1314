//! `kpiFacts`: flat rows in the API.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject, connection::Edge};
use entity::words::{Direction, KpiState, Role, Stage, Unit};

use super::{
    api_value::{api_description, next_value},
    datasets::fact_columns::kpi_fact_columns,
    fact_page::{self, FactFilter},
    model::value::Value,
};
use crate::{
    error::Result,
    input::refuse_reversed_range,
    meter::BudgetCharged,
    page::{self, ObjectPage, PageArguments},
    payload::caller,
    scalar::Date,
};

/// Makes the object of the API out of the table of columns.
macro_rules! api_object {
    ($($name:ident $($empty:ident)?: $api:ty, $of:expr => $sql:tt, $read:expr, $($description:tt),*;)*) => {
        /// A measurement of a KPI, joined with one touchpoint that the KPI judged at the end of the measurement's day
        /// and with one department that held a role there at that time.
        #[derive(Clone, SimpleObject)]
        pub struct KpiFact {
            $(#[doc = api_description!($($description),*)] pub $name: $api,)*
        }

        impl KpiFact {
            /// Takes the values of all columns, in their order.
            fn from_values(values: Vec<Value>) -> Result<Self> {
                let mut values = values.into_iter();
                Ok(Self {
                    $($name: next_value(&mut values)?,)*
                })
            }
        }
    };
}

kpi_fact_columns!(api_object);

/// Conditions on the rows; all that are given must hold. An absent condition lets all rows through, an empty list none.
/// No filter changes `rowWeight`.
#[derive(Default, InputObject)]
pub struct KpiFactFilter {
    /// The first day of measurement (included).
    pub from: Option<Date>,
    /// The day after the last day of measurement (excluded, like every end of a period in this API). All of March is
    /// `from: 2025-03-01, to: 2025-04-01`.
    pub to: Option<Date>,
    /// Only of KPIs with one of these keys.
    pub kpi_keys: Option<Vec<String>>,
    /// Only of departments with one of these keys; departments below them have to be named too.
    pub department_keys: Option<Vec<String>>,
    /// Only in blueprints with one of these keys.
    pub blueprint_keys: Option<Vec<String>>,
    /// Only where the department held one of these roles.
    pub roles: Option<Vec<Role>>,
    /// Only in one of these states.
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
    /// Every measurement in force, joined with the places that its KPI judged and the departments that held a role
    /// there at the end of its day, ordered by day. A KPI that judges a phase or a whole blueprint gives a row without
    /// touchpoint, department and role. A measurement at a touchpoint is joined with that touchpoint alone. A
    /// measurement without any place, or where nobody held a role, has one row with null columns. Drafts and FUTURE
    /// blueprints are treated as not linked. A LEAD sees the rows of the departments that they lead. Requires:
    /// PULL_FLAT_ROWS.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn kpi_facts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<KpiFactFilter>,
    ) -> Option<Result<ObjectPage<KpiFact>>> {
        Some(
            pull_facts(
                ctx,
                filter.unwrap_or_default().into(),
                PageArguments { first, after },
            )
            .await,
        )
    }
}

async fn pull_facts(
    ctx: &Context<'_>,
    filter: FactFilter,
    page: PageArguments,
) -> Result<ObjectPage<KpiFact>> {
    refuse_reversed_range(filter.from, filter.to)?;
    let counts = page::wants_total(ctx);
    let (mut rows, total) =
        fact_page::load_page_of_facts(caller(ctx)?, &filter, &page, counts).await?;
    let size = usize::try_from(page.size()?).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    let mut connection = ObjectPage::new(page.after.is_some(), more, total);
    for row in rows {
        let fact = KpiFact::from_values(row.values()?)?;
        let edge = Edge::new(row.key()?.encode(), BudgetCharged(fact));
        connection.edges.push(edge);
    }
    Ok(connection)
}
