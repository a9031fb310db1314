//! The days of a pull that leaves an end of its range open: from the first measured day that may be seen, of a series
//! from the beginning of its period, through today, as the views of PostgreSQL have them; of more than ten years the last
//! ten. An end that is said and lies further away than that is taken to be there: `le 9999-12-31` asks for all there is.

use chrono::{Days, NaiveDate};
use entity::measurement;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    model::query::{DatasetQuery, DayRange, MOST_DAYS, list_days_between},
    series::SeriesRequest,
    source::reader::ReadContext,
};
use crate::{
    error::{Error, Result},
    judgement::period::Grain,
};

/// Most days of a range.
const MOST: Days = Days::new(MOST_DAYS as u64);

/// Closes an open end of the query's range.
///
/// # Errors
/// The range has more days than a pull may have; it was closed on both sides then, or half of it.
pub(super) async fn close_open_range(
    context: ReadContext<'_>,
    query: &mut DatasetQuery,
) -> Result<()> {
    if !query.dataset.needs_days || query.range.ends().is_some() || !query.days.is_empty() {
        return Ok(());
    }
    let tomorrow = context.caller.today + Days::new(1);
    let to = query.range.to.unwrap_or(tomorrow);
    let is_far = |from: NaiveDate| from.checked_add_days(MOST).is_some_and(|end| end < to);
    let (from, to) = match query.range.from {
        Some(from) if !is_far(from) => (from, to),
        said => {
            let first = find_first_measured_day(context).await?;
            let first = first.unwrap_or(context.caller.today);
            let near = to.min(tomorrow);
            let (begin, last_ten_years) = match &query.series {
                Some(series) => (
                    series.grain.begin_of_period(first),
                    first_default_period(series.grain, first, near),
                ),
                None => (
                    first,
                    first.max(near.checked_sub_days(MOST).unwrap_or(near)),
                ),
            };
            // Before the first day there is nothing; what somebody asks for behind it is never cut off.
            let from = said.map_or(last_ten_years, |said| said.max(begin));
            (from, if is_far(from) { near } else { to })
        }
    };
    if let Some(series) = &mut query.series {
        if from >= to {
            // No period begins in the range.
            (series.from, series.to) = (to, to);
            return Ok(());
        }
        cover_whole_periods(series, DayRange::new(Some(from), Some(to)))?;
        if query.is_range_of_days {
            series.to = series.to.min(to);
        }
        return Ok(());
    }
    query.days = list_days_between(from, to).ok_or_else(too_many_days)?;
    Ok(())
}

/// The beginning of the period that has the first day, or of the earliest one from which on there are not too many days
/// until the end of the last.
fn first_default_period(grain: Grain, first: NaiveDate, to: NaiveDate) -> NaiveDate {
    let last = grain.begin_of_period(to.pred_opt().unwrap_or(to));
    let end = grain.next_begin(last);
    let earliest = end.checked_sub_days(MOST).unwrap_or(end);
    match grain.begin_of_period(first) {
        begin if begin >= earliest => begin,
        _ => first_begin_from(grain, earliest),
    }
}

/// The beginning of the first period that begins on a day or later.
fn first_begin_from(grain: Grain, day: NaiveDate) -> NaiveDate {
    match grain.begin_of_period(day) {
        begin if begin < day => grain.next_begin(begin),
        begin => begin,
    }
}

/// Lets a series read whole periods: those that begin in a range of days.
///
/// # Errors
/// They have more days than a pull may have.
pub fn cover_whole_periods(series: &mut SeriesRequest, begins: DayRange) -> Result<()> {
    let Some((from, to)) = begins.ends() else {
        return Ok(());
    };
    let grain = series.grain;
    let first = first_begin_from(grain, from);
    let last = grain.begin_of_period(to.pred_opt().unwrap_or(to));
    // One period at least: where none begins in the range, the filter leaves no row of it.
    let end = grain.next_begin(last.max(first));
    let days = end.signed_duration_since(first).num_days();
    if usize::try_from(days).is_ok_and(|days| days > MOST_DAYS) {
        return Err(too_many_days());
    }
    (series.from, series.to) = (first, end);
    Ok(())
}

fn too_many_days() -> Error {
    Error::BadInput(format!(
        "The range has at most {MOST_DAYS} days. Say both of its ends, nearer together."
    ))
}

async fn find_first_measured_day(context: ReadContext<'_>) -> Result<Option<NaiveDate>> {
    use measurement::Column::{MeasuredOn, SupersededById};
    let first = context
        .caller
        .select::<measurement::Entity>()
        .select_only()
        .column(MeasuredOn)
        .filter(SupersededById.is_null())
        .order_by_asc(MeasuredOn)
        .limit(1);
    Ok(first.into_tuple().one(context.tx).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bi::model::dataset::SeriesPeriods;

    #[test]
    fn by_default_a_series_begins_with_the_period_of_its_first_day_and_has_never_too_many_days() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        for (grain, begins) in [
            (Grain::Day, "2025-01-31"),
            (Grain::Week, "2025-01-27"),
            (Grain::Month, "2025-01-01"),
            (Grain::Quarter, "2025-01-01"),
            (Grain::Year, "2025-01-01"),
        ] {
            let first = first_default_period(grain, day("2025-01-31"), day("2025-06-01"));
            assert_eq!(first, day(begins), "{grain:?}");
            for to in day("2025-01-01").iter_days().take(800) {
                let begin = first_default_period(grain, day("1990-05-05"), to);
                let mut series = SeriesRequest::for_pull(SeriesPeriods::Asked, Some(grain), None);
                cover_whole_periods(&mut series, DayRange::new(Some(begin), Some(to)))
                    .expect("not too many days");
                assert_eq!(series.from, begin, "{grain:?} {to}");
                let days = (series.to - begin).num_days();
                assert!(days > MOST_DAYS as i64 - 366, "{grain:?} {to}: {days}");
            }
        }
    }
}
