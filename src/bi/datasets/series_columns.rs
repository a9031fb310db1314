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
                "Id of the row: derived from its period and group, so that it is the same in every answer.",
                "Id of the point: derived from its period and group, so that it is the same in every answer.";
            period_start: Date, Day => |row| Value::Day(row.period().begin),
                "The first day of the period (included).";
            period_end: Date, Day => |row| Value::Day(row.period().end),
                "The day after the period's last one (excluded).";
            is_complete: bool, Boolean => |row| Value::Boolean(row.is_complete()),
                "Whether all days of the period are requested, and none is later than today.";
            kpi_id empty: Option<ID>, IdOf(KpiId::PREFIX) => |row| Value::id(row.kpi().map(|kpi| kpi.id)),
                "Id of the KPI; empty where several are combined.",
                "Id of the KPI; null where several are combined.";
            kpi_key empty: Option<String>, Words => |row| Value::text(row.kpi().map(|kpi| &*kpi.key)),
                "The KPI's key.";
            kpi_name empty: Option<String>, Words => |row| Value::text(row.kpi().map(|kpi| &*kpi.name)),
                "The KPI's name, as it is today.";
            unit: Unit, Word(Unit::texts) => |row| Value::text(Some(row.representative_kpi().unit.as_str())),
                "The unit of the value. Values of different units are never combined.";
            currency empty: Option<String>, Words => |row| Value::text(row.representative_kpi().currency.as_deref()),
                "ISO 4217 code, where the unit is CURRENCY.";
            direction: Direction, Word(Direction::texts) => |row| Value::text(Some(row.representative_kpi().direction.as_str())),
                "Whether a higher or a lower value is better.";
            aggregation: Aggregation, Word(Aggregation::texts) => |row| Value::text(Some(row.representative_kpi().aggregation.as_str())),
                "The way the values were combined.";
            department_id empty: Option<ID>, IdOf(DepartmentId::PREFIX) => |row| Value::id(row.department().map(|one| one.id)),
                "Id of the department, if grouped by it; empty where nobody held a role.",
                "Id of the department, if grouped by it; null where nobody held a role.";
            department_key empty: Option<String>, Words => |row| Value::text(row.department().map(|one| one.key)),
                "The department's key.";
            department_name empty: Option<String>, Words => |row| Value::text(row.department().map(|one| one.name)),
                "The department's name, as it is today.";
            blueprint_id empty: Option<ID>, IdOf(BlueprintId::PREFIX) => |row| Value::id(row.journey().map(|one| one.id)),
                "Id of the blueprint, if grouped by it.";
            blueprint_key empty: Option<String>, Words => |row| Value::text(row.journey().map(|one| &*one.key)),
                "The blueprint's key.";
            phase_id empty: Option<ID>, IdOf(PhaseId::PREFIX) => |row| Value::id(row.phase().map(|one| one.id)),
                "Id of the phase, if grouped by it.";
            phase_name empty: Option<String>, Words => |row| Value::text(row.phase().map(|one| &*one.name)),
                "The phase's name, as it is today.";
            stage empty: Option<Stage>, Word(Stage::texts) => |row| Value::text(row.stage().map(Stage::as_str)),
                "The stage, if grouped by it.";
            touchpoint_id empty: Option<ID>, IdOf(TouchpointId::PREFIX) => |row| Value::id(row.touchpoint().map(|one| one.id)),
                "Id of the touchpoint, if grouped by it.";
            touchpoint_key empty: Option<String>, Words => |row| Value::text(row.touchpoint().map(|one| &*one.key)),
                "The touchpoint's key.";
            touchpoint_name empty: Option<String>, Words => |row| Value::text(row.touchpoint().map(|one| &*one.name)),
                "The touchpoint's name, as it is today.";
            channel_id empty: Option<ID>, IdOf(ChannelId::PREFIX) => |row| Value::id(row.channel().map(|one| one.id)),
                "Id of the channel, if grouped by it.";
            channel_key empty: Option<String>, Words => |row| Value::text(row.channel().map(|one| one.key)),
                "The channel's key.";
            persona_id empty: Option<ID>, IdOf(PersonaId::PREFIX) => |row| Value::id(row.persona().map(|one| one.id)),
                "Id of the blueprint's main persona, if grouped by it.";
            persona_key empty: Option<String>, Words => |row| Value::text(row.persona().map(|one| one.key)),
                "The persona's key.";
            segment_id empty: Option<ID>, IdOf(SegmentId::PREFIX) => |row| Value::id(row.segment().map(|one| one.id)),
                "Id of the segment, if grouped by it.";
            segment_key empty: Option<String>, Words => |row| Value::text(row.segment().map(|one| one.key)),
                "The segment's key.";
            value empty: Option<f64>, Number => |row| Value::number(row.value()),
                "The combined value, in the unit; empty where it is not defined: several values on the last day, or shares without numerators and denominators.",
                "The combined value, in the unit; null where it is not defined: several values on the last day, or shares without numerators and denominators.";
            numerator empty: Option<f64>, Number => |row| Value::number(row.numerator_and_denominator().map(|parts| parts.0)),
                "Sum of the numerators; empty if a value has none.",
                "Sum of the numerators; null if a value has none.";
            denominator empty: Option<f64>, Number => |row| Value::number(row.numerator_and_denominator().map(|parts| parts.1)),
                "Sum of the denominators; empty if a value has none.",
                "Sum of the denominators; null if a value has none.";
            // Counts of answers lie far below 2⁵³: exact.
            sample_size empty: Option<f64>, Number => |row| Value::number(row.sample_size().map(|size| size as f64)),
                "Sum of the sample sizes; empty if unknown for any value.",
                "Sum of the sample sizes; null if unknown for any value.";
            measurements: i32, Integer => |row| Value::Integer(i32::try_from(row.measurement_count()).unwrap_or(i32::MAX)),
                "Number of measurements combined.";
            target empty: Option<f64>, Number => |row| Value::number(row.target().map(|target| target.0)),
                "The target in force on the last day of the period that is asked about and has come; for the aggregation SUM, the sum of those of the periods of the KPI's cadence in it. Empty if there is none, and where several KPIs are combined other than by SUM.",
                "The target in force on the last day of the period that is asked about and has come; for the aggregation SUM, the sum of those of the periods of the KPI's cadence in it. Null if there is none, and where several KPIs are combined other than by SUM.";
            warning empty: Option<f64>, Number => |row| Value::number(row.target().and_then(|target| target.1)),
                "The warning level, determined like the target.",
                "The warning level, determined like `target`.";
            state: KpiState, Word(KpiState::texts) => |row| Value::text(Some(row.state().as_str())),
                "The state of the value, judged by the target.";
        }
    };
}

pub(in crate::bi) use kpi_series_columns;
