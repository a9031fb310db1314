//! The reader's scope as SQL: which rows of a table they may see, which blueprints count, whose rows they pull, and
//! when a day ends. A dataset's SQL never asks who reads: the same text serves a request, for which values are bound,
//! and a view, which looks them up by its login whenever it is read.

use chrono::NaiveDate;
use chrono_tz::Tz;
use entity::{blueprint, department, kpi, measurement};
use sea_orm::{
    ColumnTrait, Condition, DbBackend, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::SelectStatement,
};

use crate::{
    access::{self, Caller, Guarded, Principal, scope},
    policy::Action,
    statement::SqlBuilder,
};

/// The scope of a reader, and what a query asks for.
pub struct ReaderScope<'c> {
    viewer: ScopeViewer<'c>,
    backend: DbBackend,
    /// Whether drafts, what is in review and FUTURE blueprints are asked for.
    include_drafts: bool,
    /// The days that are asked about.
    days: &'c [NaiveDate],
    /// A condition on measurements that follows from the filter, and so changes no row.
    measurement_filter: Condition,
}

enum ScopeViewer<'c> {
    Caller(&'c Caller),
    /// The BI login that reads a view, in a deployment of this time zone.
    Login(Tz),
}

impl<'c> ReaderScope<'c> {
    /// The scope of a caller.
    #[must_use]
    pub fn for_caller(caller: &'c Caller, backend: DbBackend) -> Self {
        Self::new(ScopeViewer::Caller(caller), backend)
    }

    /// The scope of the BI login that reads a view, on every day from the first measurement on.
    #[must_use]
    pub fn for_bi_login(zone: Tz) -> Self {
        Self::new(ScopeViewer::Login(zone), DbBackend::Postgres)
    }

    fn new(viewer: ScopeViewer<'c>, backend: DbBackend) -> Self {
        Self {
            viewer,
            backend,
            include_drafts: false,
            days: &[],
            measurement_filter: Condition::all(),
        }
    }

    /// Limits it to these days.
    #[must_use]
    pub fn on_days(self, days: &'c [NaiveDate]) -> Self {
        Self { days, ..self }
    }

    /// Includes blueprints that do not count: drafts, those in review and FUTURE ones.
    #[must_use]
    pub fn including_drafts(self, include_drafts: bool) -> Self {
        Self {
            include_drafts,
            ..self
        }
    }

    /// Limits measurements by a condition that follows from the filter.
    #[must_use]
    pub fn with_measurement_filter(self, measurement_filter: Condition) -> Self {
        Self {
            measurement_filter,
            ..self
        }
    }

    /// The database that the SQL is for.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.backend
    }

    fn principal(&self) -> Principal<'_> {
        match self.viewer {
            ScopeViewer::Caller(caller) => caller.principal(),
            ScopeViewer::Login(_) => Principal::Login,
        }
    }

    fn select_visible_rows<E: Guarded>(&self) -> Select<E> {
        E::find().filter(E::readable_condition(self.principal()))
    }

    /// The rows of a table that may be seen.
    #[must_use]
    pub fn select_visible<E: Guarded>(&self) -> SelectStatement {
        self.select_visible_rows::<E>().into_query()
    }

    /// The ids of the rows of a table that may be seen; none where it is all of them.
    #[must_use]
    pub fn select_visible_ids<E: Guarded>(&self) -> Option<SelectStatement> {
        let readable = E::readable_condition(self.principal());
        (!readable.is_empty()).then(|| select_ids_where::<E>(readable).into_query())
    }

    /// The ids of the blueprints that may be seen and count: CURRENT ones in force, or all where that is asked for.
    #[must_use]
    pub fn select_published_current_blueprint_ids(&self) -> SelectStatement {
        select_ids_where::<blueprint::Entity>(self.reportable_condition()).into_query()
    }

    /// The blueprints that may be seen and count.
    #[must_use]
    pub fn select_reportable_blueprints(&self) -> Select<blueprint::Entity> {
        blueprint::Entity::find().filter(self.reportable_condition())
    }

    fn reportable_condition(&self) -> Condition {
        let readable = blueprint::Entity::readable_condition(self.principal());
        match self.include_drafts {
            true => readable,
            false => Condition::all()
                .add(readable)
                .add(scope::published_current_blueprints_condition()),
        }
    }

    /// The KPIs whose values may be seen.
    #[must_use]
    pub fn select_kpis_with_visible_values(&self) -> Select<kpi::Entity> {
        let values = scope::kpi_values_condition(self.principal());
        self.select_visible_rows::<kpi::Entity>().filter(values)
    }

    /// The ids of the KPIs whose values may be seen; nothing where it is all of them.
    #[must_use]
    pub fn select_visible_value_kpi_ids(&self) -> Option<SelectStatement> {
        let definitions = kpi::Entity::readable_condition(self.principal());
        let values = scope::kpi_values_condition(self.principal());
        let all = definitions.is_empty() && values.is_empty();
        let both = Condition::all().add(definitions).add(values);
        (!all).then(|| select_ids_where::<kpi::Entity>(both).into_query())
    }

    /// The measurements that may be seen, are in force and are asked about.
    #[must_use]
    pub fn select_measurements(&self) -> SelectStatement {
        let mut measured = self
            .select_visible_rows::<measurement::Entity>()
            .filter(measurement::Column::SupersededById.is_null())
            .filter(self.measurement_filter.clone());
        // The range spares the database measurements of other days; the join with the days themselves is the dataset's.
        if let (Some(first), Some(last)) = (self.days.iter().min(), self.days.iter().max()) {
            measured = measured
                .filter(measurement::Column::MeasuredOn.gte(*first))
                .filter(measurement::Column::MeasuredOn.lte(*last));
        }
        measured.into_query()
    }

    /// The ids of the departments whose rows are pulled; nothing where it is those of all, and rows without one.
    #[must_use]
    pub fn select_pullable_department_ids(&self) -> Option<SelectStatement> {
        let pulled = scope::pullable_flat_rows_condition(
            self.principal(),
            department::Column::Id.as_column_ref(),
        );
        (!pulled.is_empty()).then(|| select_ids_where::<department::Entity>(pulled).into_query())
    }

    /// Appends the condition that the reader pulls the row, by the column of its department.
    #[must_use]
    pub fn append_pullable_condition(&self, text: SqlBuilder, department_id: &str) -> SqlBuilder {
        let Some(pulled) = self.select_pullable_department_ids() else {
            return text;
        };
        let text = text.then(" AND (");
        let text = match self.viewer {
            ScopeViewer::Caller(_) => text,
            // Who pulls everything pulls rows without a department as well.
            ScopeViewer::Login(_) => text
                .then("EXISTS (")
                .select(&access::select_if_login_reaches_everything(
                    Action::PullFlatRows,
                ))
                .then(") OR "),
        };
        text.then(department_id)
            .then(" IN (")
            .select(&pulled)
            .then("))")
    }

    /// Appends a common table of the query's days: `day (day, ends)`, each with the moment at which it ends in the
    /// deployment's time zone. Of a view: the days from the first measurement through the last, or today.
    #[must_use]
    pub fn append_days_table(&self, text: SqlBuilder) -> SqlBuilder {
        let text = text.then("day (day, ends) AS (");
        match self.viewer {
            ScopeViewer::Caller(caller) => {
                let days = self
                    .days
                    .iter()
                    .map(|day| [(*day).into(), caller.end_of_day(*day).into()]);
                text.values_rows(days)
            }
            ScopeViewer::Login(zone) => text.then(&every_day_sql(zone)),
        }
        .then(")")
    }

    /// The same for rows of measurements: of a view the days that have some, of which the database looks one up where a
    /// day is asked for, and does not make every day to find it.
    #[must_use]
    pub fn append_measured_days_table(&self, text: SqlBuilder) -> SqlBuilder {
        match self.viewer {
            ScopeViewer::Caller(_) => self.append_days_table(text),
            ScopeViewer::Login(zone) => text
                .then("day (day, ends) AS (")
                .then(&measured_days_sql(zone))
                .then(")"),
        }
    }

    /// Appends today as a day.
    #[must_use]
    pub fn append_today(&self, text: SqlBuilder) -> SqlBuilder {
        match self.viewer {
            ScopeViewer::Caller(caller) => text.value(caller.today),
            ScopeViewer::Login(zone) => text.then(&today_sql(zone)),
        }
    }

    /// The SQL of an id as text; NULL where it is NULL, of which SQLite's `hex` would make an empty text.
    #[must_use]
    pub fn id_text_sql(&self, prefix: &str, id: &str) -> String {
        match self.backend {
            DbBackend::Postgres => format!("('{prefix}_' || replace(CAST({id} AS text), '-', ''))"),
            _ => format!("('{prefix}_' || NULLIF(lower(hex({id})), ''))"),
        }
    }

    /// The SQL of a part of a day, as a whole number.
    #[must_use]
    pub fn day_part_sql(&self, part: DayPart, day: &str) -> String {
        let (postgres, sqlite) = match part {
            DayPart::Year => ("year", "%Y"),
            DayPart::Month => ("month", "%m"),
            DayPart::DayOfMonth => ("day", "%d"),
            DayPart::IsoYear => ("isoyear", "%G"),
            DayPart::IsoWeek => ("week", "%V"),
            DayPart::Weekday => ("isodow", "%u"),
        };
        match self.backend {
            DbBackend::Postgres => format!("CAST(extract({postgres} FROM {day}) AS integer)"),
            _ => format!("CAST(strftime('{sqlite}', {day}) AS integer)"),
        }
    }
}

/// The name of a time zone comes from a closed list, and has no quote in it: it can stand in SQL as it is.
fn today_sql(zone: Tz) -> String {
    format!("CAST(now() AT TIME ZONE '{zone}' AS date)")
}

/// Every day with its end, as [`crate::clock::Clock::end_of_day`] has it: where the zone repeats midnight, the earlier
/// one, while PostgreSQL takes the later.
fn every_day_sql(zone: Tz) -> String {
    let today = today_sql(zone);
    // `measurement_in_order` gives least and greatest without a scan.
    let in_force = "FROM measurement WHERE superseded_by_id IS NULL";
    let ends = ends_sql(zone);
    format!(
        "SELECT CAST(midnight - interval '1 day' AS date), {ends}
FROM (SELECT midnight, midnight AT TIME ZONE '{zone}' AS ends
    FROM generate_series(
        CAST(LEAST((SELECT MIN(measured_on) {in_force}), {today}) + 1 AS timestamp),
        CAST(GREATEST((SELECT MAX(measured_on) {in_force}), {today}) + 1 AS timestamp),
        interval '1 day') AS midnight) AS ended"
    )
}

/// Every day with measurements, with its end.
fn measured_days_sql(zone: Tz) -> String {
    let ends = ends_sql(zone);
    format!(
        "SELECT measured_on, {ends}
FROM (SELECT measured_on, CAST(measured_on + 1 AS timestamp) AS midnight,
        CAST(measured_on + 1 AS timestamp) AT TIME ZONE '{zone}' AS ends
    FROM (SELECT DISTINCT measured_on FROM measurement WHERE superseded_by_id IS NULL) AS measured_day) AS ended"
    )
}

/// The end of a day from the midnight after it and the moment that PostgreSQL takes for that.
fn ends_sql(zone: Tz) -> String {
    format!(
        "CASE WHEN (ends - interval '1 hour') AT TIME ZONE '{zone}' = midnight THEN ends - interval '1 hour' ELSE ends END"
    )
}

/// A part of a day.
#[derive(Clone, Copy, Debug)]
pub enum DayPart {
    Year,
    Month,
    DayOfMonth,
    IsoYear,
    IsoWeek,
    /// From Monday, 1, to Sunday, 7.
    Weekday,
}

/// The ids of the rows of a table that meet a condition.
pub(super) fn select_ids_where<E: Guarded>(which: Condition) -> Select<E> {
    E::find().select_only().column(E::id_column()).filter(which)
}
