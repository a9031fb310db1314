//! Sources: where something is known from. One stays as long as an insight rests on it.

use async_graphql::{ID, InputObject, MaybeUndefined};
use chrono::NaiveDate;
use entity::{
    id::{BlueprintId, PhaseId, SourceId, TouchpointId},
    insight, insight_source, source,
    words::{Basis, SourceKind},
};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, QueryTrait, Set,
    sea_query::SimpleExpr,
};

use super::action_required_to_describe;
use crate::{
    access::{Caller, Guarded, Permit, expect_version, location_ties, row_after_change},
    blueprint::{refuse_if_row_limit_reached, refuse_taken_name},
    error::{Error, Reason, Result, UserErrorCode},
    input::{self, AtVersionInput, Faults, set_if_given, set_or_clear},
    policy::Action,
    scalar::Date,
    touchpoint::place::BlueprintOrPartId,
};

/// How many sources one blueprint holds at the most.
pub const MOST_SOURCES: u64 = 500;

/// A new source.
#[derive(InputObject)]
pub struct SourceCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Id of the blueprint to create it in.
    pub blueprint_id: ID,
    /// Its title, unique in the blueprint.
    pub title: String,
    /// The kind of source.
    pub kind: SourceKind,
    /// The day of the observation; one to come only where it is planned.
    pub held_on: Option<Date>,
    /// Whether it is still to be asked: nothing OBSERVED rests on it alone.
    #[graphql(default)]
    pub planned: bool,
    /// Sample size: number of participants, at least 1.
    pub sample_size: Option<i32>,
    /// An http or https address.
    pub link: Option<String>,
    /// A note.
    pub note: Option<String>,
}

/// Changes to a source. Absent fields stay as they are; null clears, or is REQUIRED where there is always a value.
#[derive(InputObject)]
pub struct SourceUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new title.
    pub title: MaybeUndefined<String>,
    /// The kind of source.
    pub kind: MaybeUndefined<SourceKind>,
    /// The day of the observation; one to come only where it is planned.
    pub held_on: MaybeUndefined<Date>,
    /// Whether it is still to be asked: nothing OBSERVED rests on it alone.
    pub planned: MaybeUndefined<bool>,
    /// Sample size: number of participants, at least 1.
    pub sample_size: MaybeUndefined<i32>,
    /// An http or https address.
    pub link: MaybeUndefined<String>,
    /// A note.
    pub note: MaybeUndefined<String>,
}

/// How many took part: somebody.
pub fn check_sample_size(faults: &mut Faults, path: &str, people: Option<i32>) -> Option<i32> {
    faults.check_within(path, people, 1..=i32::MAX)
}

/// Finds fault with a day outside the calendar, and with one to come of a source that is not planned.
pub fn check_day_of_source(
    faults: &mut Faults,
    path: &str,
    (held_on, planned): (Option<NaiveDate>, bool),
    today: NaiveDate,
) {
    let held_on = held_on.map(|day| faults.check_day(path, day));
    if let Some(day) = held_on.filter(|day| *day > today && !planned) {
        let message =
            format!("{day} is to come: say `planned: true` of a source that is still to be asked.");
        faults.add(
            path,
            UserErrorCode::Invalid,
            Some(Reason::InFuture),
            message,
        );
    }
}

/// Makes a source.
pub async fn create(caller: &Caller, input: SourceCreateInput) -> Result<source::Model> {
    let mut faults = Faults::default();
    let id: SourceId = faults.parse_or_make_id(input.id.as_ref());
    let blueprint_id: BlueprintId = faults.parse_id("blueprintId", &input.blueprint_id);
    let title = faults.check_name("title", &input.title);
    let sample_size = check_sample_size(&mut faults, "sampleSize", input.sample_size);
    let held_on = input.held_on.map(|day| day.0);
    check_day_of_source(
        &mut faults,
        "heldOn",
        (held_on, input.planned),
        caller.today,
    );
    let link = faults.check_link("link", input.link.as_deref());
    let note = faults.check_optional_text("note", input.note.as_deref());
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let place = BlueprintOrPartId::Blueprint(blueprint_id)
        .lock_and_locate(&mut permit)
        .await?;
    place
        .require_permission(&permit, Action::DescribeTouchpoint)
        .await?;
    let same = |row: &source::Model| row.title == title && row.blueprint_id == blueprint_id;
    if let Some(row) = permit
        .find_already_created::<source::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let there = source::Entity::find().filter(source::Column::BlueprintId.eq(blueprint_id));
    refuse_if_row_limit_reached(&permit, there, "blueprintId", (MOST_SOURCES, "sources")).await?;
    refuse_taken_title(&permit, blueprint_id, &title, id).await?;
    let row = permit
        .insert::<source::Entity>(source::ActiveModel {
            id: Set(id),
            blueprint_id: Set(blueprint_id),
            title: Set(title),
            kind: Set(input.kind),
            held_on: Set(held_on),
            planned: Set(input.planned),
            sample_size: Set(sample_size),
            link: Set(link),
            note: Set(note),
            created_at: Set(caller.now),
            version: Set(1),
        })
        .await?;
    permit.commit().await?;
    Ok(row)
}

/// Refuses a title that another of the blueprint has.
async fn refuse_taken_title(
    permit: &Permit<'_>,
    blueprint: BlueprintId,
    title: &str,
    but: SourceId,
) -> Result<()> {
    use source::Column;
    let inside = (Column::BlueprintId, blueprint);
    refuse_taken_name::<source::Entity>(permit, inside, (Column::Title, "title", title), but).await
}

/// Changes what a source says of itself.
pub async fn update(caller: &Caller, input: SourceUpdateInput) -> Result<source::Model> {
    let mut faults = Faults::default();
    let id: SourceId = faults.parse_id("id", &input.id);
    let title = set_if_given(faults.given("title", &input.title), |title| {
        faults.check_name("title", title)
    });
    let kind = set_if_given(faults.given("kind", &input.kind), |kind| *kind);
    let planned = set_if_given(faults.given("planned", &input.planned), |planned| *planned);
    let sample_size = set_or_clear(&input.sample_size, |people| {
        check_sample_size(&mut faults, "sampleSize", people.copied())
    });
    let link = set_or_clear(&input.link, |link| {
        faults.check_link("link", link.map(String::as_str))
    });
    let note = set_or_clear(&input.note, |text| {
        faults.check_optional_text("note", text.map(String::as_str))
    });
    faults.check()?;
    let (row, mut permit) = fetch_source_at_version(caller, id, input.expected_version).await?;
    if let Set(title) = &title {
        refuse_taken_title(&permit, row.blueprint_id, title, id).await?;
    }
    let change = source::ActiveModel {
        title,
        kind,
        held_on: set_or_clear(&input.held_on, |day| day.map(|day| day.0)),
        planned,
        sample_size,
        link,
        note,
        ..Default::default()
    };
    let after = row_after_change::<source::Entity>(&row, &change)?;
    let mut faults = Faults::default();
    let day = (after.held_on, after.planned);
    check_day_of_source(&mut faults, "heldOn", day, caller.today);
    faults.check()?;
    if after.planned && !row.planned {
        refuse_if_observed_by_it_alone(&permit, &row, "planned").await?;
    }
    let row = permit.update::<source::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Refuses to say that a source is still to be asked while it is all that something OBSERVED rests on.
pub async fn refuse_if_observed_by_it_alone(
    permit: &Permit<'_>,
    row: &source::Model,
    field: &str,
) -> Result<()> {
    use insight_source::Column;
    let resting = |which: SimpleExpr| {
        let places = insight_source::Entity::find().filter(which).select_only();
        places.column(Column::InsightId).into_query()
    };
    let asked = source::Entity::find()
        .select_only()
        .column(source::Column::Id)
        .filter(source::Column::Planned.eq(false))
        .filter(source::Column::Id.ne(row.id))
        .filter(source::Column::BlueprintId.eq(row.blueprint_id));
    let observed = insight::Entity::find()
        .filter(insight::Column::Basis.eq(Basis::Observed))
        .filter(insight::Column::Id.in_subquery(resting(Column::SourceId.eq(row.id))))
        .filter(
            insight::Column::Id
                .not_in_subquery(resting(Column::SourceId.in_subquery(asked.into_query()))),
        )
        .count(permit.tx())
        .await?;
    if observed == 0 {
        return Ok(());
    }
    let message = format!(
        "{observed} insights are OBSERVED and rest on it alone: make them ASSUMED or name another source first."
    );
    Err(Error::conflict(field, Reason::InUse, message).with_current(row.id.0))
}

/// Deletes a source that no insight rests on.
pub async fn delete(caller: &Caller, input: &AtVersionInput) -> Result<source::Model> {
    let id: SourceId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = fetch_source_at_version(caller, id, input.expected_version).await?;
    let resting = insight_source::Entity::find()
        .filter(insight_source::Column::SourceId.eq(row.id))
        .count(permit.tx())
        .await?;
    if resting > 0 {
        let message = format!("{resting} insights rest on it.");
        return Err(Error::conflict("id", Reason::InUse, message).with_current(row.id.0));
    }
    permit.delete::<source::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}

/// Whether a source is the caller's own: all insights that rest on it are at places that they may describe, or none
/// does and it was they who made it.
async fn is_own_source(permit: &Permit<'_>, row: &source::Model) -> Result<bool> {
    let resting = insight_source::Entity::find()
        .select_only()
        .column(insight_source::Column::InsightId)
        .filter(insight_source::Column::SourceId.eq(row.id));
    let resting: Vec<(Option<PhaseId>, Option<TouchpointId>)> = insight::Entity::find()
        .filter(insight::Column::Id.in_subquery(resting.into_query()))
        .select_only()
        .columns([insight::Column::PhaseId, insight::Column::TouchpointId])
        .distinct()
        .into_tuple()
        .all(permit.tx())
        .await?;
    for (phase, touchpoint) in &resting {
        let ties = location_ties(permit.tx(), row.blueprint_id, *phase, *touchpoint).await?;
        if !permit
            .caller
            .may(action_required_to_describe(*phase, *touchpoint), &ties)
        {
            return Ok(false);
        }
    }
    Ok(!resting.is_empty() || permit.is_created_by_caller::<source::Entity>(row).await?)
}

async fn fetch_source_at_version(
    caller: &Caller,
    id: SourceId,
    expected_version: i32,
) -> Result<(source::Model, Permit<'_>)> {
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit.lock_and_read_row::<source::Entity>("id", id).await?;
    let ties = source::Entity::load_ties(permit.tx(), &row).await?;
    let action = if is_own_source(&permit, &row).await? {
        Action::DescribeTouchpoint
    } else {
        Action::DescribeBlueprint
    };
    permit.require_permission_on_row::<source::Entity>(action, &ties, &row)?;
    permit.require_unarchived_blueprint(row.blueprint_id)?;
    expect_version::<source::Entity>(&row, expected_version)?;
    Ok((row, permit))
}
