//! Recording what employees answer: a score at a place, and apart from it that something was received under an id.

use std::collections::HashSet;

use entity::{employee_answer, employee_receipt};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

use super::{
    entry::{AnswerEntry, MOST, digest_external_id},
    references::AnswerReferences,
};
use crate::{access::Permit, error::Result, id, kpi::cells::closing};

/// Keeps answers of employees that are new. Says how many they were. Neither a department nor the journey is told of
/// them: that somebody answered is told by a cell alone.
pub(super) async fn store_employee_answers(
    permit: &Permit<'_>,
    places: &AnswerReferences,
    entries: Vec<AnswerEntry>,
) -> Result<i32> {
    if entries.is_empty() {
        return Ok(0);
    }
    // Under the lock of the month, before anything is read: two batches with one id in them come one after the other,
    // and a month cannot close in between.
    let received_in = closing::lock_receiving_month(permit).await?;
    let (mut receipts, mut answers) = (Vec::new(), Vec::new());
    let mut received = find_received_digests(permit, &entries).await?;
    for entry in entries {
        if let Some(external) = &entry.external_id {
            let digest = digest_external_id(permit.caller.account(), external)?;
            // Also within the batch: the second of two with one id finds the first.
            if !received.insert(digest.clone()) {
                continue;
            }
            receipts.push(employee_receipt::ActiveModel {
                digest: Set(digest),
            });
        }
        answers.push(employee_answer::ActiveModel {
            // Random and not in the order of time, which would tell in which order people answered.
            id: Set(id::new_random()),
            scale: Set(entry.scale),
            score: Set(entry.score),
            blueprint_id: Set(places.blueprint_of(&entry)),
            touchpoint_id: Set(entry.touchpoint),
            received_in: Set(received_in),
        });
    }
    let recorded = i32::try_from(answers.len()).unwrap_or(i32::MAX);
    // What comes in one order is kept in another: within a batch neither table tells which receipt is of which answer.
    receipts.sort_unstable_by(|one, other| one.digest.as_ref().cmp(other.digest.as_ref()));
    answers.sort_unstable_by_key(|answer| *answer.id.as_ref());
    permit
        .insert_all_unaudited::<employee_receipt::Entity>(receipts)
        .await?;
    permit
        .insert_all_unaudited::<employee_answer::Entity>(answers)
        .await?;
    Ok(recorded)
}

/// The digests of the ids under which the caller has recorded answers of employees before.
async fn find_received_digests(
    permit: &Permit<'_>,
    entries: &[AnswerEntry],
) -> Result<HashSet<String>> {
    let ids = entries
        .iter()
        .filter_map(|entry| entry.external_id.as_ref());
    let digests = ids.map(|id| digest_external_id(permit.caller.account(), id));
    let digests = digests.collect::<Result<Vec<String>>>()?;
    let mut received = HashSet::new();
    for some in digests.chunks(MOST) {
        let rows = employee_receipt::Entity::find()
            .filter(employee_receipt::Column::Digest.is_in(some))
            .all(permit.tx())
            .await?;
        received.extend(rows.into_iter().map(|row| row.digest));
    }
    Ok(received)
}
