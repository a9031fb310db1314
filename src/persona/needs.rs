//! The needs of a persona, an ordered list of its own, and the verdicts that go with a need.

use std::collections::BTreeSet;

use async_graphql::{ID, InputObject};
use entity::{
    evaluation, evaluation_verdict,
    id::{BlueprintId, NeedId, PersonaId},
    persona, persona_need,
    words::Verdict,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, Set,
    sea_query::{LockType, SelectStatement},
};

use crate::{
    access::Permit,
    error::{Error, Reason, Result, UserErrorCode},
    id,
    input::{Faults, LIST, SENTENCE},
};

/// One need of a persona, in its place in the list.
#[derive(InputObject)]
pub struct PersonaNeedInput {
    /// The need that stays; absent for a new one.
    pub id: Option<ID>,
    /// The need, as a text.
    pub text: String,
}

/// A need as it was read from the input.
pub(super) struct WantedNeed {
    id: Option<NeedId>,
    text: String,
}

pub(super) fn parse_need_inputs(
    faults: &mut Faults,
    input: &[PersonaNeedInput],
) -> Vec<WantedNeed> {
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

/// Selects the ids of the persona's needs that are not among those kept.
fn select_lost_needs(persona: PersonaId, kept: &[NeedId]) -> SelectStatement {
    persona_need::Entity::find()
        .select_only()
        .column(persona_need::Column::Id)
        .filter(persona_need::Column::PersonaId.eq(persona))
        .filter(persona_need::Column::Id.is_not_in(kept.iter().copied()))
        .into_query()
}

/// Selects the evaluations with a verdict on a need of the persona that is not among those kept.
fn select_losing_evaluations(persona: PersonaId, kept: &[NeedId]) -> Select<evaluation::Entity> {
    let on_lost = evaluation_verdict::Entity::find()
        .select_only()
        .column(evaluation_verdict::Column::EvaluationId)
        .filter(evaluation_verdict::Column::NeedId.in_subquery(select_lost_needs(persona, kept)));
    evaluation::Entity::find()
        .filter(evaluation::Column::Id.in_subquery(on_lost.into_query()))
        .order_by_asc(evaluation::Column::Id)
}

/// Takes the locks of the blueprints in which evaluations lose a verdict with a need, before that of the persona: acts
/// on a blueprint take theirs in this order.
pub(super) async fn lock_evaluations_that_lose_a_verdict(
    permit: &mut Permit<'_>,
    persona: PersonaId,
    wanted: &[WantedNeed],
) -> Result<()> {
    let kept: Vec<NeedId> = wanted.iter().filter_map(|need| need.id).collect();
    let blueprints = select_losing_evaluations(persona, &kept)
        .select_only()
        .column(evaluation::Column::BlueprintId)
        .into_tuple::<BlueprintId>()
        .all(permit.tx())
        .await?;
    for blueprint in BTreeSet::from_iter(blueprints) {
        permit.lock_blueprint(blueprint).await?;
    }
    Ok(())
}

/// Stores what an evaluation found, in this order; where that is something else, the evaluation is changed.
pub(crate) async fn store_verdicts(
    permit: &mut Permit<'_>,
    row: &evaluation::Model,
    verdicts: &[(NeedId, Verdict)],
) -> Result<()> {
    let list = verdicts.iter().zip(1..);
    let list = list.map(|((need, verdict), position)| evaluation_verdict::Model {
        evaluation_id: row.id,
        need_id: *need,
        position,
        verdict: *verdict,
    });
    let list: Vec<evaluation_verdict::Model> = list.collect();
    let after = serde_json::json!({ "verdicts": list });
    let its = evaluation_verdict::Column::EvaluationId.eq(row.id);
    let position = evaluation_verdict::Column::Position;
    permit
        .replace_list::<evaluation_verdict::Entity, evaluation::Entity>(
            row,
            (its, position),
            list,
            after,
        )
        .await
}

/// Takes the verdicts on needs that go out of their evaluations, each of which is thereby changed: whoever has read it
/// is told.
///
/// # Errors
/// CONFLICT where one was recorded in another blueprint since the locks were taken.
async fn drop_verdicts_on_lost_needs(
    permit: &mut Permit<'_>,
    persona: PersonaId,
    needs: &[persona_need::Model],
) -> Result<()> {
    let kept: Vec<NeedId> = needs.iter().map(|need| need.id).collect();
    // Locked, so that no more verdicts come in on them: what is recorded at this moment is waited for.
    persona_need::Entity::find()
        .filter(persona_need::Column::Id.in_subquery(select_lost_needs(persona, &kept)))
        .order_by_asc(persona_need::Column::Id)
        .lock(LockType::Update)
        .all(permit.tx())
        .await?;
    let losing = select_losing_evaluations(persona, &kept);
    for row in losing.all(permit.tx()).await? {
        if !permit.has_locked_blueprint(row.blueprint_id) {
            let message = "A need that goes is being judged at this moment. Try again.";
            return Err(Error::conflict("needs", Reason::InUse, message));
        }
        let left: Vec<(NeedId, Verdict)> = evaluation_verdict::Entity::find()
            .select_only()
            .column(evaluation_verdict::Column::NeedId)
            .column(evaluation_verdict::Column::Verdict)
            .filter(evaluation_verdict::Column::EvaluationId.eq(row.id))
            .filter(
                evaluation_verdict::Column::NeedId
                    .not_in_subquery(select_lost_needs(persona, &kept)),
            )
            .order_by_asc(evaluation_verdict::Column::Position)
            .into_tuple()
            .all(permit.tx())
            .await?;
        store_verdicts(permit, &row, &left).await?;
        permit
            .update::<evaluation::Entity>(&row, evaluation::ActiveModel::default())
            .await?;
    }
    Ok(())
}

/// Makes the needs these, in this order: those named by their id keep it.
pub(super) async fn replace_needs(
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
    drop_verdicts_on_lost_needs(permit, row.id, &after).await?;
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
