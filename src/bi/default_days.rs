//! The days of a pull that leaves an end of its range open: from the first measured day that may be seen, through today,
//! as the views of PostgreSQL have them; of more than ten years the last ten.

use chrono::{Days, NaiveDate};
use entity::measurement;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    model::query::{DatasetQuery, DayRange, MOST_DAYS, list_days_between},
    series::SeriesRequest,
    source::reader::ReadContext,
};
use crate::error::{Error, Result};

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
    let from = match query.range.from {
        Some(from) => from,
        None => {
            let first = find_first_measured_day(context).await?;
            let earliest = to.checked_sub_days(Days::new(MOST_DAYS as u64));
            first
                .unwrap_or(context.caller.today)
                .max(earliest.unwrap_or(to))
        }
    };
    if let Some(series) = &mut query.series {
        return cover_whole_periods(series, DayRange::new(Some(from), Some(to)));
    }
    query.days = list_days_between(from, to).ok_or_else(too_many_days)?;
    Ok(())
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
    let begin = grain.begin_of_period(from);
    let first = if begin < from {
        grain.next_begin(begin)
    } else {
        begin
    };
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
        "The range has at most {MOST_DAYS} days. Say both of its ends."
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
