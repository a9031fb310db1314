//! Personas: the archetypes whose journeys are drawn, with what they need and the segments they stand for.
//! Segments and channels, the rest of the catalogue, have rooms of their own beside it.

pub mod channel;
pub mod graphql;
pub mod segment;

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    id::{NeedId, PersonaId, SegmentId},
    json::Texts,
    persona, persona_need, persona_segment,
    words::Subject,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};

use crate::{
    access::{Caller, Permit, expect_version},
    error::{Error, Result, UserErrorCode},
    id,
    input::{
        self, AtVersionInput, Faults, LIST, SENTENCE, list_if_given, set_if_given, set_or_clear,
    },
    policy::{Action, RowTies},
};

/// One need of a persona, in its place in the list.
#[derive(InputObject)]
pub struct PersonaNeedInput {
    /// The need that stays; absent for a new one.
    pub id: Option<ID>,
    /// The need, as a text.
    pub text: String,
}

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

/// A need as it was read from the input.
struct WantedNeed {
    id: Option<NeedId>,
    text: String,
}

fn parse_need_inputs(faults: &mut Faults, input: &[PersonaNeedInput]) -> Vec<WantedNeed> {
    faults.check_list_length("needs", input.len());
    let read = |(index, need): (usize, &PersonaNeedInput)| {
        let path = format!("needs.{index}.text");
        let text = faults.check_text(&path, &need.text, SENTENCE);
        if text.is_empty() {
            faults.add(&path, UserErrorCode::Required, None, "A text is required.");
        }
        let id = faults.parse_optional_id(&format!("needs.{index}.id"), need.id.as_ref());
        WantedNeed { id, text }
    };
    let read: Vec<WantedNeed> = input.iter().take(LIST).enumerate().map(read).collect();
    let texts = read.iter().map(|need| need.text.as_str());
    // Documents name a need by its text.
    faults.add_alike_faults(|at| format!("needs.{at}.text"), texts);
    read
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

/// Makes the needs these, in this order: those named by their id keep it.
async fn replace_needs(
    permit: &mut Permit<'_>,
    row: &persona::Model,
    needs: &[WantedNeed],
) -> Result<()> {
    let before = persona_need::Entity::find()
        .filter(persona_need::Column::PersonaId.eq(row.id))
        .order_by_asc(persona_need::Column::Position)
        .all(permit.tx())
        .await?;
    let after = need_rows(row.id, &before, needs)?;
    if before == after {
        return Ok(());
    }
    persona_need::Entity::delete_many()
        .filter(persona_need::Column::PersonaId.eq(row.id))
        .filter(persona_need::Column::Id.is_not_in(after.iter().map(|need| need.id)))
        .exec(permit.tx())
        .await?;
    for need in &after {
        match before.iter().find(|old| old.id == need.id) {
            Some(old) if old == need => {}
            Some(_) => {
                let change = persona_need::ActiveModel {
                    position: Set(need.position),
                    text: Set(need.text.clone()),
                    ..Default::default()
                };
                persona_need::Entity::update_many()
                    .set(change)
                    .filter(persona_need::Column::Id.eq(need.id))
                    .exec(permit.tx())
                    .await?;
            }
            None => {
                let fresh = persona_need::ActiveModel {
                    id: Set(need.id),
                    persona_id: Set(need.persona_id),
                    position: Set(need.position),
                    text: Set(need.text.clone()),
                };
                persona_need::Entity::insert(fresh)
                    .exec_without_returning(permit.tx())
                    .await?;
            }
        }
    }
    permit.note_list_change::<persona::Entity>(row, serde_json::json!({ "needs": after }));
    Ok(())
}

/// The needs as rows: every named one is the persona's own, and is named once.
fn need_rows(
    persona: PersonaId,
    before: &[persona_need::Model],
    needs: &[WantedNeed],
) -> Result<Vec<persona_need::Model>> {
    let mut after: Vec<persona_need::Model> = Vec::with_capacity(needs.len());
    for (index, (need, position)) in needs.iter().zip(1..).enumerate() {
        let path = format!("needs.{index}.id");
        let id = match need.id {
            None => id::new(),
            Some(id) if !before.iter().any(|old| old.id == id) => {
                return Err(Error::not_found(&path, "need of this persona"));
            }
            Some(id) if after.iter().any(|earlier| earlier.id == id) => {
                let message = "This need is in the list already.";
                return Err(Error::fault(&path, UserErrorCode::Duplicate, None, message));
            }
            Some(id) => id,
        };
        after.push(persona_need::Model {
            id,
            persona_id: persona,
            position,
            text: need.text.clone(),
        });
    }
    Ok(after)
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn kept(n: u128) -> persona_need::Model {
        persona_need::Model {
            id: Uuid::from_u128(n).into(),
            persona_id: Uuid::from_u128(9).into(),
            position: i32::try_from(n).expect("small"),
            text: format!("need {n}"),
        }
    }

    fn wanted(n: Option<u128>) -> WantedNeed {
        WantedNeed {
            id: n.map(|n| Uuid::from_u128(n).into()),
            text: "text".to_owned(),
        }
    }

    #[test]
    fn needs_that_stay_keep_their_ids_in_their_new_places() {
        let before = [kept(1), kept(2)];
        let needs = [wanted(Some(2)), wanted(None), wanted(Some(1))];
        let after = need_rows(before[0].persona_id, &before, &needs).expect("arranged");
        assert_eq!((after[0].id, after[0].position), (before[1].id, 1));
        assert_eq!((after[2].id, after[2].position), (before[0].id, 3));
        assert!(before.iter().all(|old| old.id != after[1].id));
    }

    #[test]
    fn a_need_of_somebody_else_and_one_named_twice_are_refused() {
        let before = [kept(1)];
        let persona = before[0].persona_id;
        assert!(need_rows(persona, &before, &[wanted(Some(5))]).is_err());
        assert!(need_rows(persona, &before, &[wanted(Some(1)), wanted(Some(1))]).is_err());
    }
}
