//! Personas: the archetypes whose journeys are drawn, with what they need and the segments they stand for.
//! Segments and channels, the rest of the catalogue, have rooms of their own beside it.

pub mod channel;
pub mod graphql;
mod needs;
pub mod segment;

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    id::{PersonaId, SegmentId},
    json::Texts,
    persona, persona_segment,
    words::Subject,
};
use sea_orm::{ColumnTrait, Set};

pub use self::needs::PersonaNeedInput;
pub(crate) use self::needs::store_verdicts;
use self::needs::{lock_evaluations_that_lose_a_verdict, parse_need_inputs, replace_needs};
use crate::{
    access::{Caller, Permit, expect_version},
    error::Result,
    input::{self, AtVersionInput, Faults, list_if_given, set_if_given, set_or_clear},
    policy::{Action, RowTies},
};

/// A new persona.
#[derive(InputObject)]
pub struct PersonaCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Key, unique in the organisation; derived from the name if absent.
    pub key: Option<String>,
    /// The name.
    pub name: String,
    /// Whether it is an archetype of customers or of employees.
    #[graphql(default_with = "Subject::Customer")]
    pub subject: Subject,
    /// The context of the persona's life.
    #[graphql(default)]
    pub context: Vec<String>,
    /// The largest number of contacts a month that the persona tolerates.
    pub max_contacts_per_month: Option<i32>,
    /// The persona's needs, in order.
    #[graphql(default)]
    pub needs: Vec<PersonaNeedInput>,
    /// The segments that it represents, in order.
    #[graphql(default)]
    pub segment_ids: Vec<ID>,
}

/// Changes to a persona. Absent fields stay as they are; null clears, or is REQUIRED where there is always a value.
#[derive(InputObject)]
pub struct PersonaUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new name.
    pub name: MaybeUndefined<String>,
    /// The context of the persona's life; replaces the list.
    pub context: MaybeUndefined<Vec<String>>,
    /// The largest number of contacts a month that the persona tolerates.
    pub max_contacts_per_month: MaybeUndefined<i32>,
    /// The persona's needs, in order; replaces the list. A need that stays is named by its id; one that is left out is
    /// deleted, with the verdicts on it.
    pub needs: MaybeUndefined<Vec<PersonaNeedInput>>,
    /// The segments that it represents, in order; replaces the list.
    pub segment_ids: MaybeUndefined<Vec<ID>>,
}

fn check_contact_limit(faults: &mut Faults, per_month: Option<i32>) -> Option<i32> {
    faults.check_within("maxContactsPerMonth", per_month, 0..=i32::MAX)
}

/// Makes a persona.
pub async fn create(caller: &Caller, input: PersonaCreateInput) -> Result<persona::Model> {
    let mut faults = Faults::default();
    let id: PersonaId = faults.parse_or_make_id(input.id.as_ref());
    let name = faults.check_name("name", &input.name);
    let key = input.key.as_deref().map(|key| faults.check_key("key", key));
    let context = faults.check_texts("context", &input.context);
    let max_contacts_per_month = check_contact_limit(&mut faults, input.max_contacts_per_month);
    let needs = parse_need_inputs(&mut faults, &input.needs);
    let segments: Vec<SegmentId> = faults.parse_ids("segmentIds", &input.segment_ids);
    faults.check()?;
    let mut permit = caller
        .open_permit(Action::KeepCatalogue, &RowTies::none())
        .await?;
    let same = |row: &persona::Model| row.name == name && row.subject == input.subject;
    if let Some(row) = permit
        .find_already_created::<persona::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let key = permit
        .choose_unique_key::<persona::Entity>(key.as_deref(), &name, id, None)
        .await?;
    let row = permit
        .insert::<persona::Entity>(persona::ActiveModel {
            id: Set(id),
            key: Set(key),
            name: Set(name),
            subject: Set(input.subject),
            context: Set(Texts(context)),
            max_contacts_per_month: Set(max_contacts_per_month),
            created_at: Set(caller.now),
            archived_at: Set(None),
            version: Set(1),
        })
        .await?;
    replace_needs(&mut permit, &row, &needs).await?;
    replace_segments(&mut permit, &row, &segments).await?;
    permit.commit().await?;
    Ok(row)
}

/// Changes name, context, needs or segments.
pub async fn update(caller: &Caller, input: PersonaUpdateInput) -> Result<persona::Model> {
    let mut faults = Faults::default();
    let id: PersonaId = faults.parse_id("id", &input.id);
    let name = set_if_given(faults.given("name", &input.name), |name| {
        faults.check_name("name", name)
    });
    let context = set_if_given(list_if_given(&input.context), |texts| {
        Texts(faults.check_texts("context", texts))
    });
    let max_contacts_per_month = set_or_clear(&input.max_contacts_per_month, |per_month| {
        check_contact_limit(&mut faults, per_month.copied())
    });
    let needs = list_if_given(&input.needs);
    let needs = needs.map(|list| parse_need_inputs(&mut faults, list));
    let segments = list_if_given(&input.segment_ids);
    let segments: Option<Vec<SegmentId>> = segments.map(|ids| faults.parse_ids("segmentIds", ids));
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    // Before the persona's own row, and only for those who may change it.
    let may = caller.may(Action::KeepCatalogue, &RowTies::none());
    if let Some(needs) = needs.as_ref().filter(|_| may) {
        lock_evaluations_that_lose_a_verdict(&mut permit, id, needs).await?;
    }
    let row = permit
        .fetch_at_version::<persona::Entity>(
            Action::KeepCatalogue,
            "id",
            id,
            input.expected_version,
        )
        .await?;
    if let Some(needs) = &needs {
        replace_needs(&mut permit, &row, needs).await?;
    }
    if let Some(segments) = &segments {
        replace_segments(&mut permit, &row, segments).await?;
    }
    let change = persona::ActiveModel {
        name,
        context,
        max_contacts_per_month,
        ..Default::default()
    };
    let row = permit.update::<persona::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Makes the segments these, in this order.
async fn replace_segments(
    permit: &mut Permit<'_>,
    row: &persona::Model,
    segments: &[SegmentId],
) -> Result<()> {
    permit
        .require_all::<entity::segment::Entity>("segmentIds", segments)
        .await?;
    let list = segments.iter().zip(1..);
    let list = list.map(|(segment, position)| persona_segment::Model {
        persona_id: row.id,
        segment_id: *segment,
        position,
    });
    let its = persona_segment::Column::PersonaId.eq(row.id);
    let position = persona_segment::Column::Position;
    permit
        .replace_list::<persona_segment::Entity, persona::Entity>(
            row,
            (its, position),
            list.collect(),
            serde_json::json!({ "segmentIds": segments }),
        )
        .await
}

/// Archives a persona, or brings it back. Blueprints that show it keep showing it.
pub async fn set_archived(
    caller: &Caller,
    input: &AtVersionInput,
    archived: bool,
) -> Result<persona::Model> {
    let id: PersonaId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = caller
        .fetch_locked::<persona::Entity>(Action::KeepCatalogue, "id", id)
        .await?;
    expect_version::<persona::Entity>(&row, input.expected_version)?;
    if row.archived_at.is_some() == archived {
        return Ok(row);
    }
    let row = permit
        .set_archived::<persona::Entity>(&row, archived)
        .await?;
    permit.commit().await?;
    Ok(row)
}
