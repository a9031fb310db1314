//! Measurements: one a day for every KPI, written one KPI at a time, so that memory does not grow with their number.

use chrono::{Days, NaiveDate};
use cx_blueprint::error::Result;
use entity::{
    id::{MeasurementId, TouchpointId},
    measurement,
    words::Aggregation,
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;

use super::{
    generator::Generator,
    kpi::{KpiProfile, round_to},
    random::Random,
};

/// Rows a statement inserts at the most: their values travel as one text.
const ROWS: usize = 4_000;

/// The values come as arrays written as text: sea-orm binds no arrays, and one statement a KPI is an order of
/// magnitude faster than a parameter for every value.
const POSTGRES: &str = "\
INSERT INTO measurement (id, kpi_id, measured_on, value, numerator, denominator, sample_size, source, recorded_at)
SELECT day.id, $1, $2::date + (day.at - 1)::integer, day.value, day.numerator, day.denominator, day.sample_size, $3, $4
FROM unnest($5::text::uuid[], $6::text::float8[], $7::text::float8[], $8::text::float8[], $9::text::integer[])
    WITH ORDINALITY AS day (id, value, numerator, denominator, sample_size, at)";

const SQLITE: &str = "\
INSERT INTO measurement (id, kpi_id, measured_on, value, numerator, denominator, sample_size, source, recorded_at)
SELECT unhex(day.value ->> 0), $1, date($2, '+' || day.key || ' days'), day.value ->> 1, day.value ->> 2, day.value ->> 3,
    day.value ->> 4, $3, $4
FROM json_each($5) AS day";

const SOURCE: &str = "Generated";

/// One value, with its numerator and denominator where it is a ratio.
struct SampledValue {
    value: f64,
    ratio: Option<(f64, f64)>,
    sample_size: i32,
}

/// A random walk that is pulled back to the level of its KPI.
struct RandomWalk<'m> {
    kpi: &'m KpiProfile,
    /// A fraction of the way from the lowest possible value to the highest.
    at: f64,
}

impl<'m> RandomWalk<'m> {
    fn new(kpi: &'m KpiProfile) -> Self {
        Self { kpi, at: kpi.level }
    }

    fn next_value(&mut self, random: &mut Random) -> SampledValue {
        self.at += 0.05 * (random.fraction() - 0.5) + 0.03 * (self.kpi.level - self.at);
        self.at = self.at.clamp(0.01, 0.99);
        let template = self.kpi.template;
        let value = template.low + (template.high - template.low) * self.at;
        let sample_size = random.between(20, 400);
        if template.aggregation == Aggregation::Ratio {
            let numerator = round_to(value / 100.0 * f64::from(sample_size), 0);
            let denominator = f64::from(sample_size);
            return SampledValue {
                value: 100.0 * numerator / denominator,
                ratio: Some((numerator, denominator)),
                sample_size,
            };
        }
        SampledValue {
            value: round_to(value, template.decimals),
            ratio: None,
            sample_size,
        }
    }
}

impl Generator<'_> {
    pub(super) async fn generate_measurements(&mut self) -> Result<()> {
        for at in 0..self.kpis.len() {
            let kpi = self.kpis[at];
            let mut random = self.random_stream(1_000_000_000 + at as u64);
            let mut walk = RandomWalk::new(&kpi);
            let (mut from, mut left) = (self.size.first_day(), self.size.days as usize);
            while left > 0 {
                let count = left.min(ROWS);
                let values: Vec<SampledValue> =
                    (0..count).map(|_| walk.next_value(&mut random)).collect();
                self.insert_daily_values(&kpi, from, &values).await?;
                self.progress.add_rows(count);
                from = from + Days::new(count as u64);
                left -= count;
            }
        }
        Ok(())
    }

    async fn insert_daily_values(
        &mut self,
        kpi: &KpiProfile,
        from: NaiveDate,
        values: &[SampledValue],
    ) -> Result<()> {
        let ids: Vec<MeasurementId> = values.iter().map(|_| self.ids.next()).collect();
        let backend = self.tx().get_database_backend();
        let mut parameters = vec![
            kpi.id.into(),
            from.into(),
            SOURCE.into(),
            self.made_at.into(),
        ];
        let sql = if backend == DbBackend::Postgres {
            parameters.push(postgresql_array_text(ids.iter().map(|id| id.0.to_string())).into());
            parameters
                .push(postgresql_array_text(values.iter().map(|day| day.value.to_string())).into());
            let numerators = values
                .iter()
                .filter_map(|day| day.ratio)
                .map(|ratio| ratio.0.to_string());
            parameters.push(postgresql_array_text(numerators).into());
            let denominators = values
                .iter()
                .filter_map(|day| day.ratio)
                .map(|ratio| ratio.1.to_string());
            parameters.push(postgresql_array_text(denominators).into());
            parameters.push(
                postgresql_array_text(values.iter().map(|day| day.sample_size.to_string())).into(),
            );
            POSTGRES
        } else {
            let days: Vec<serde_json::Value> = ids
                .iter()
                .zip(values)
                .map(|(id, day)| {
                    let (numerator, denominator) = day.ratio.unzip();
                    json!([
                        id.0.simple().to_string(),
                        day.value,
                        numerator,
                        denominator,
                        day.sample_size
                    ])
                })
                .collect();
            parameters.push(json!(days).to_string().into());
            SQLITE
        };
        self.tx()
            .execute_raw(Statement::from_sql_and_values(backend, sql, parameters))
            .await?;
        Ok(())
    }

    /// Values of a KPI at one touchpoint, one in thirty days, the last of them within the last five days.
    pub(super) fn generate_touchpoint_values(
        &mut self,
        random: &mut Random,
        kpi: &KpiProfile,
        touchpoint: TouchpointId,
        months: u32,
    ) -> Vec<measurement::Model> {
        let mut walk = RandomWalk::new(kpi);
        let first = self.size.first_day();
        let last = self.size.until - Days::new(random.below(5) as u64);
        let days = (0..u64::from(months))
            .rev()
            .map(|month| last - Days::new(30 * month));
        days.filter(|day| *day >= first)
            .map(|day| {
                let value = walk.next_value(random);
                let (numerator, denominator) = value.ratio.unzip();
                measurement::Model {
                    id: self.ids.next(),
                    kpi_id: kpi.id,
                    touchpoint_id: Some(touchpoint),
                    channel_id: None,
                    segment_id: None,
                    measured_on: day,
                    value: value.value,
                    numerator,
                    denominator,
                    sample_size: Some(value.sample_size),
                    source: Some(SOURCE.to_owned()),
                    recorded_at: self.made_at,
                    recorded_by_account_id: None,
                    superseded_by_id: None,
                    series_revision: 0,
                }
            })
            .collect()
    }
}

/// The text of an array of PostgreSQL.
fn postgresql_array_text(values: impl Iterator<Item = String>) -> String {
    let values: Vec<String> = values.collect();
    format!("{{{}}}", values.join(","))
}
