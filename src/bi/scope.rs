//! What a source asks of whoever reads: which rows of a table they may see, which blueprints count, whose rows they
//! pull, and when a day ends. A source never asks who it is, so that the same source serves a request and whatever
//! else can answer these questions in SQL.

use chrono::NaiveDate;
use entity::{blueprint, department, kpi, measurement, words::BlueprintState};
use sea_orm::{
    ColumnTrait, Condition, DbBackend, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::SelectStatement,
};

use crate::{
    access::{Caller, Guarded, scope},
    policy::Reach,
    statement::Text,
};

/// Whoever reads, and what they ask about.
pub struct Scope<'c> {
    caller: &'c Caller,
    reach: Reach,
    backend: DbBackend,
    /// Whether drafts, what is in review and FUTURE blueprints are asked for.
    uncounted: bool,
    /// The days that are asked about.
    days: &'c [NaiveDate],
    /// Conditions on measurements that a filter comes to, where it is known to.
    narrowed: Condition,
}

impl<'c> Scope<'c> {
    /// What a caller may see, with the reach that pulling rows has for them.
    #[must_use]
    pub fn of(caller: &'c Caller, reach: Reach, backend: DbBackend) -> Self {
        Self {
            caller,
            reach,
            backend,
            uncounted: false,
            days: &[],
            narrowed: Condition::all(),
        }
    }

    /// Asked about these days.
    #[must_use]
    pub fn on(self, days: &'c [NaiveDate]) -> Self {
        Self { days, ..self }
    }

    /// Asked for what does not count as well.
    #[must_use]
    pub fn with_uncounted(self, uncounted: bool) -> Self {
        Self { uncounted, ..self }
    }

    /// Asked about these measurements alone.
    #[must_use]
    pub fn narrowed(self, narrowed: Condition) -> Self {
        Self { narrowed, ..self }
    }

    /// The rows of a table that may be seen.
    #[must_use]
    pub fn seen<E: Guarded>(&self) -> SelectStatement {
        self.caller.select::<E>().into_query()
    }

    /// The ids of the rows of a table that may be seen; nothing where it is all of them.
    #[must_use]
    pub fn seen_ids<E: Guarded>(&self) -> Option<SelectStatement> {
        let readable = self.caller.readable::<E>();
        (!readable.is_empty()).then(|| ids::<E>(readable))
    }

    /// The ids of the blueprints that may be seen and count: CURRENT ones in force, or all where that is asked for.
    #[must_use]
    pub fn counted(&self) -> SelectStatement {
        ids::<blueprint::Entity>(self.counting())
    }

    /// The blueprints that may be seen and count.
    #[must_use]
    pub fn counted_blueprints(&self) -> Select<blueprint::Entity> {
        blueprint::Entity::find().filter(self.counting())
    }

    fn counting(&self) -> Condition {
        let readable = self.caller.readable::<blueprint::Entity>();
        match self.uncounted {
            true => readable,
            false => Condition::all()
                .add(readable)
                .add(blueprint::Column::State.eq(BlueprintState::Current))
                .add(scope::in_force()),
        }
    }

    /// The KPIs whose values may be seen.
    #[must_use]
    pub fn kpis_with_values(&self) -> Select<kpi::Entity> {
        let values = scope::kpi_values(&self.caller.standing);
        self.caller.select::<kpi::Entity>().filter(values)
    }

    /// The ids of the KPIs whose values may be seen; nothing where it is all of them.
    #[must_use]
    pub fn valued_kpis(&self) -> Option<SelectStatement> {
        let definitions = self.caller.readable::<kpi::Entity>();
        let values = scope::kpi_values(&self.caller.standing);
        let all = definitions.is_empty() && values.is_empty();
        (!all).then(|| ids::<kpi::Entity>(Condition::all().add(definitions).add(values)))
    }

    /// The measurements that may be seen, are in force and are asked about.
    #[must_use]
    pub fn measured(&self) -> SelectStatement {
        let mut measured = self
            .caller
            .select::<measurement::Entity>()
            .filter(measurement::Column::SupersededById.is_null())
            .filter(self.narrowed.clone());
        if let (Some(first), Some(last)) = (self.days.iter().min(), self.days.iter().max()) {
            measured = measured
                .filter(measurement::Column::MeasuredOn.gte(*first))
                .filter(measurement::Column::MeasuredOn.lte(*last));
        }
        measured.into_query()
    }

    /// The ids of the departments whose rows are pulled; nothing where it is those of all, and rows without one.
    #[must_use]
    pub fn own_departments(&self) -> Option<SelectStatement> {
        (!self.reach.everything).then(|| {
            let own = scope::flat_rows(&self.reach, department::Column::Id.as_column_ref());
            ids::<department::Entity>(own)
        })
    }

    /// Goes on with a common table of the days that are asked about: `day (day, ends)`, each with the moment at which
    /// it ends where we are.
    #[must_use]
    pub fn days(&self, text: Text) -> Text {
        let text = text.then("day (day, ends) AS (");
        let days = self
            .days
            .iter()
            .map(|day| [(*day).into(), self.caller.end_of(*day).into()]);
        text.rows(days).then(")")
    }

    /// Goes on with today's day.
    #[must_use]
    pub fn today(&self, text: Text) -> Text {
        text.value(self.caller.today)
    }

    /// An id as it is shown, in SQL.
    #[must_use]
    pub fn shown(&self, prefix: &str, id: &str) -> String {
        match self.backend {
            DbBackend::Postgres => format!("('{prefix}_' || replace(CAST({id} AS text), '-', ''))"),
            _ => format!("('{prefix}_' || lower(hex({id})))"),
        }
    }

    /// A part of a day as a whole number, in SQL.
    #[must_use]
    pub fn day_part(&self, part: DayPart, day: &str) -> String {
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

fn ids<E: Guarded>(which: Condition) -> SelectStatement {
    E::find()
        .select_only()
        .column(E::id_column())
        .filter(which)
        .into_query()
}
