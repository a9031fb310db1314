//! The columns of `kpi_facts`, one row each. From this table come the dataset's columns and its SELECT (`facts`), the
//! readers of the join in memory (`fact_join`) and the object `KpiFact` of the API (`graphql`): a new column is one row
//! here.

/// Passes the table to the macro `$consumer`, which takes out what it needs. A row is
///
/// ```text
/// name [empty]: type in the API, type of the dataset =>
///     SQL, reader of the join, "description" [, "description in the API"];
/// ```
///
/// `empty` marks columns whose cells may be empty. The SQL is an expression, or in parentheses a function that makes
/// one. Names are resolved where the table is expanded, so each consumer imports only what the parts it uses name.
macro_rules! kpi_fact_columns {
    ($consumer:ident) => {
        $consumer! {
            row_id: ID, Words => (row_id_sql), |row| ValueRef::Text(row.row_id_text()),
                "Id of the row: derived from its parts, so that it is the same in every answer.";
            measurement_id: ID, IdOf(MeasurementId::PREFIX) => "joined.measurement_id", |row| id_cell(Some(row.measured.id)),
                "Id of the measurement. It occurs in one row per combination of place, department and role.";
            kpi_id: ID, IdOf(KpiId::PREFIX) => "joined.kpi_id", |row| id_cell(Some(row.measured.kpi)),
                "Id of the KPI.";
            kpi_key: String, Words => "kpi.key", |row| ValueRef::Text(&row.measured.kpi_key),
                "The KPI's key.";
            kpi_name: String, Words => "kpi.name", |row| ValueRef::Text(&row.measured.kpi_name),
                "The KPI's name, as it is today.";
            unit: Unit, Word(Unit::texts) => "kpi.unit", |row| ValueRef::Text(row.measured.unit.as_str()),
                "The unit of the value. Values of different units are never combined.";
            currency empty: Option<String>, Words => "kpi.currency", |row| text_cell(row.measured.currency.as_deref()),
                "ISO 4217 code, where the unit is CURRENCY.";
            direction: Direction, Word(Direction::texts) => "kpi.direction", |row| ValueRef::Text(row.measured.direction.as_str()),
                "Whether a higher or a lower value is better.";
            measured_on: Date, Day => "joined.measured_on", |row| ValueRef::Day(row.measured.day),
                "The day of the measurement.";
            value: f64, Number => "joined.value", |row| ValueRef::Number(row.measured.value),
                "The value, in the unit: 6.1 is 6.1 %.";
            numerator empty: Option<f64>, Number => "joined.numerator", |row| number_cell(row.measured.numerator),
                "Numerator of a share: the number of cases counted. Divide the sum of numerators by the sum of denominators; never average shares.";
            denominator empty: Option<f64>, Number => "joined.denominator", |row| number_cell(row.measured.denominator),
                "Denominator of a share: the number of cases.";
            sample_size empty: Option<i32>, Integer => "joined.sample_size", |row| integer_cell(row.measured.sample_size),
                "Sample size: the number of answers.";
            channel_id empty: Option<ID>, IdOf(ChannelId::PREFIX) => "joined.channel_id", |row| id_cell(row.measured.channel),
                "The channel that it was measured on; empty for all.",
                "The channel that it was measured on; null for all.";
            segment_id empty: Option<ID>, IdOf(SegmentId::PREFIX) => "joined.segment_id", |row| id_cell(row.measured.segment),
                "The segment that it was measured in; empty for all.",
                "The segment that it was measured in; null for all.";
            target empty: Option<f64>, Number => "target.value", |row| number_cell(row.measured.target.map(|target| target.0)),
                "The target in force on the day; empty if there was none.",
                "The target in force on the day; null if there was none.";
            warning empty: Option<f64>, Number => (warning_level_sql), |row| number_cell(row.measured.target.and_then(|target| target.1)),
                "The warning level in force on the day; empty if there was none.",
                "The warning level in force on the day; null if there was none.";
            state: KpiState, Word(KpiState::texts) => (fact_state_sql), |row| ValueRef::Text(row.state().as_str()),
                "The state of the value, judged by the target of the day.";
            blueprint_id empty: Option<ID>, IdOf(BlueprintId::PREFIX) => "joined.blueprint_id", |row| id_cell(row.journey.map(|journey| journey.id)),
                "Id of the blueprint.";
            blueprint_key empty: Option<String>, Words => "blueprint.key", |row| text_cell(row.journey.map(|journey| &*journey.key)),
                "The blueprint's key.";
            phase_id empty: Option<ID>, IdOf(PhaseId::PREFIX) => "joined.phase_id", |row| id_cell(row.phase.map(|phase| phase.id)),
                "The phase; empty where the KPI judges the whole blueprint.",
                "The phase; null where the KPI judges the whole blueprint.";
            phase_name empty: Option<String>, Words => "phase.name", |row| text_cell(row.phase.map(|phase| &*phase.name)),
                "The phase's name, as it is today.";
            stage empty: Option<Stage>, Word(Stage::texts) => "phase.stage", |row| text_cell(row.phase.map(|phase| phase.stage.as_str())),
                "The stage of the phase.";
            touchpoint_id empty: Option<ID>, IdOf(TouchpointId::PREFIX) => "joined.touchpoint_id", |row| id_cell(row.touchpoint.map(|touchpoint| touchpoint.id)),
                "The touchpoint; empty where the KPI judges a phase or a whole blueprint, or nothing.",
                "The touchpoint; null where the KPI judges a phase or a whole blueprint, or nothing.";
            touchpoint_key empty: Option<String>, Words => "touchpoint.key", |row| text_cell(row.touchpoint.map(|touchpoint| &*touchpoint.key)),
                "The touchpoint's key.";
            touchpoint_name empty: Option<String>, Words => "touchpoint.name", |row| text_cell(row.touchpoint.map(|touchpoint| &*touchpoint.name)),
                "The touchpoint's name, as it is today.";
            department_id empty: Option<ID>, IdOf(DepartmentId::PREFIX) => "joined.department_id", |row| id_cell(row.department.map(|department| department.id)),
                "The department; empty where nobody held a role there.",
                "The department; null where nobody held a role there.";
            department_key empty: Option<String>, Words => "department.key", |row| text_cell(row.department.map(|department| department.key)),
                "The department's key.";
            department_name empty: Option<String>, Words => "department.name", |row| text_cell(row.department.map(|department| department.name)),
                "The department's name, as it is today.";
            role empty: Option<Role>, Word(Role::texts) => "joined.role", |row| text_cell(row.holder.map(|holder| holder.role.as_str())),
                "The department's role.";
            is_delivering: bool, Boolean => (is_delivering_sql), |row| ValueRef::Boolean(row.holder.is_some_and(|holder| is_delivering_role(holder.role))),
                "Whether the role is RESPONSIBLE or ACCOUNTABLE.";
            row_weight: f64, Number => "CAST(1 AS double precision) / joined.siblings", |row| ValueRef::Number(1.0 / row.siblings as f64),
                "1 / (number of rows of this measurement that you may see, before any filter): the weights of a measurement add up to 1. Use it for grand totals; in slices count distinct measurement ids.",
                "1 / (number of rows of this measurement that you may see, before any filter): the weights of a measurement add up to 1. Use it for grand totals; in slices count distinct `measurementId`s.";
            channel_key empty: Option<String>, Words => "channel.key", |row| text_cell(row.measured.channel_key.as_deref()),
                "The channel's key; empty for all.",
                "The channel's key; null for all.";
            segment_key empty: Option<String>, Words => "segment.key", |row| text_cell(row.measured.segment_key.as_deref()),
                "The segment's key; empty for all.",
                "The segment's key; null for all.";
        }
    };
}

pub(in crate::bi) use kpi_fact_columns;
