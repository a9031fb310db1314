//! The columns of `kpi_series`, one row each. From this table come the dataset's columns and the cells of its rows
//! (`series`), and the object `KpiSeriesPoint` of the API (`series::graphql`): a new column is one row here.

/// Passes the table to the macro `$consumer`, which takes out what it needs. A row is
///
/// ```text
/// name [empty]: type in the API, type of the dataset => cell, "description" [, "description in the API"];
/// ```
///
/// `empty` marks columns whose cells may be empty. The cell is a closure that makes it from a `SeriesRow`.
macro_rules! kpi_series_columns {
    ($consumer:ident) => {
        $consumer! {
            row_id: ID, Words => |row| Value::Text(row.row_id()),
                "The row's id: made of its period and what it stands for, so that it is the same in every answer.",
                "The point's id: made of its period and what it stands for, so that it is the same in every answer.";
            period_start: Date, Day => |row| Value::Day(row.period().begin),
                "The first day of the period.";
            period_end: Date, Day => |row| Value::Day(row.period().end),
                "The first day behind the period.";
            is_complete: bool, Boolean => |row| Value::Boolean(row.is_complete()),
                "Whether all days of the period are asked about and have passed.";
            kpi_id empty: Option<ID>, IdOf(KpiId::PREFIX) => |row| Value::id(row.kpi().map(|kpi| kpi.id)),
                "The KPI; empty where a row is of several.",
                "The KPI; null where the point is of several.";
            kpi_key empty: Option<String>, Words => |row| Value::text(row.kpi().map(|kpi| &*kpi.key)),
                "The KPI's key.";
            kpi_name empty: Option<String>, Words => |row| Value::text(row.kpi().map(|kpi| &*kpi.name)),
                "The KPI's name, as it is today.";
            unit: Unit, Word(Unit::texts) => |row| Value::text(Some(row.like().unit.as_str())),
                "What the value counts. Units never mix.";
            currency empty: Option<String>, Words => |row| Value::text(row.like().currency.as_deref()),
                "ISO 4217 code, where the unit is CURRENCY.";
            direction: Direction, Word(Direction::texts) => |row| Value::text(Some(row.like().direction.as_str())),
                "Which way is better.";
            aggregation: Aggregation, Word(Aggregation::texts) => |row| Value::text(Some(row.like().aggregation.as_str())),
                "How the values came together.";
            department_id empty: Option<ID>, IdOf(DepartmentId::PREFIX) => |row| Value::id(row.department().map(|one| one.id)),
                "The department, where that is asked for; empty where nobody held a role.",
                "The department, where that is asked for; null where nobody held a role.";
            department_key empty: Option<String>, Words => |row| Value::text(row.department().map(|one| one.key)),
                "The department's key.";
            department_name empty: Option<String>, Words => |row| Value::text(row.department().map(|one| one.name)),
                "The department's name, as it is today.";
            blueprint_id empty: Option<ID>, IdOf(BlueprintId::PREFIX) => |row| Value::id(row.journey().map(|one| one.id)),
                "The blueprint, where that is asked for.";
            blueprint_key empty: Option<String>, Words => |row| Value::text(row.journey().map(|one| &*one.key)),
                "The blueprint's key.";
            phase_id empty: Option<ID>, IdOf(PhaseId::PREFIX) => |row| Value::id(row.phase().map(|one| one.id)),
                "The phase, where that is asked for.";
            phase_name empty: Option<String>, Words => |row| Value::text(row.phase().map(|one| &*one.name)),
                "The phase's name, as it is today.";
            stage empty: Option<Stage>, Word(Stage::texts) => |row| Value::text(row.stage().map(Stage::as_str)),
                "The stage, where that is asked for.";
            touchpoint_id empty: Option<ID>, IdOf(TouchpointId::PREFIX) => |row| Value::id(row.touchpoint().map(|one| one.id)),
                "The touchpoint, where that is asked for.";
            touchpoint_key empty: Option<String>, Words => |row| Value::text(row.touchpoint().map(|one| &*one.key)),
                "The touchpoint's key.";
            touchpoint_name empty: Option<String>, Words => |row| Value::text(row.touchpoint().map(|one| &*one.name)),
                "The touchpoint's name, as it is today.";
            channel_id empty: Option<ID>, IdOf(ChannelId::PREFIX) => |row| Value::id(row.channel().map(|one| one.id)),
                "The channel, where that is asked for.";
            channel_key empty: Option<String>, Words => |row| Value::text(row.channel().map(|one| one.key)),
                "The channel's key.";
            persona_id empty: Option<ID>, IdOf(PersonaId::PREFIX) => |row| Value::id(row.persona().map(|one| one.id)),
                "The main persona of the blueprint, where that is asked for.";
            persona_key empty: Option<String>, Words => |row| Value::text(row.persona().map(|one| one.key)),
                "The persona's key.";
            segment_id empty: Option<ID>, IdOf(SegmentId::PREFIX) => |row| Value::id(row.segment().map(|one| one.id)),
                "The segment, where that is asked for.";
            segment_key empty: Option<String>, Words => |row| Value::text(row.segment().map(|one| one.key)),
                "The segment's key.";
            value empty: Option<f64>, Number => |row| Value::number(row.value()),
                "What the values come to, in the unit; empty where that is not defined: several values on the last day, or shares without their parts.",
                "What the values come to, in the unit; null where that is not defined: several values on the last day, or\nshares without their numerators and denominators.";
            numerator empty: Option<f64>, Number => |row| Value::number(row.parts().map(|parts| parts.0)),
                "The numerators, added up; empty where a value has none.",
                "The numerators, added up; null where a value has none.";
            denominator empty: Option<f64>, Number => |row| Value::number(row.parts().map(|parts| parts.1)),
                "The denominators, added up; empty where a value has none.",
                "The denominators, added up; null where a value has none.";
            // Counts of answers lie far below 2⁵³: exact.
            sample_size empty: Option<f64>, Number => |row| Value::number(row.sample_size().map(|size| size as f64)),
                "How many answered; empty where that is not known of every value.",
                "How many answered; null where that is not known of every value.";
            measurements: i32, Integer => |row| Value::Integer(i32::try_from(row.measurements()).unwrap_or(i32::MAX)),
                "How many measurements it is made of.";
            target empty: Option<f64>, Number => |row| Value::number(row.target().map(|target| target.0)),
                "The target of the period's last day; of a SUM the targets of the days that were measured, added up. Empty where there is none, and where a row is of several KPIs that are not added up.",
                "The target of the period's last day; of a SUM the targets of the days that were measured, added up. Null where\nthere is none, and where the point is of several KPIs that are not added up.";
            warning empty: Option<f64>, Number => |row| Value::number(row.target().and_then(|target| target.1)),
                "The warning level, in the same way.";
            state: KpiState, Word(KpiState::texts) => |row| Value::text(Some(row.state().as_str())),
                "What the value comes to against the target.";
        }
    };
}

pub(in crate::bi) use kpi_series_columns;
