//! Erasing who gave answers and what they wrote: on request, or when it is older than it may be kept. The scores stay,
//! and with them every number that they give.

use async_graphql::InputObject;
use chrono::Days;
use entity::{feedback, follow_up, words::FollowUpState};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, ExprTrait, LockType},
};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{
    entry::{ERASED, digest_external_id},
    filter::follow_up_tasks_of_answers_condition,
};
use crate::{
    access::{Caller, FindingDependency, Permit},
    audit::AuditedChange,
    error::{Error, Result},
    input::{Faults, NAME},
    policy::{Action, RowTies},
};

/// How many answers one act of retention erases at the most.
const AT_ONCE: u64 = 1_000;

/// The respondent to erase.
#[derive(InputObject)]
pub struct RespondentEraseInput {
    /// The respondent. Case, blanks and accents may differ from how it was recorded.
    pub respondent: String,
}

/// Erases a respondent from all answers. Says how many there were.
pub async fn erase_respondent(caller: &Caller, input: &RespondentEraseInput) -> Result<u64> {
    let mut faults = Faults::default();
    let respondent = faults.check_text("respondent", &input.respondent, NAME);
    faults.check()?;
    let mut permit = caller
        .open_permit(Action::EraseRespondent, &RowTies::none())
        .await?;
    let spellings = find_spellings_of_respondent(&permit, &respondent).await?;
    let its = Condition::any()
        .add(feedback::Column::Respondent.is_in(spellings.clone()))
        .add(feedback::Column::Contact.is_in(spellings));
    let erased = erase_respondents_of_answers(&mut permit, its, None).await?;
    if erased == 0 {
        return Err(Error::not_found("respondent", "respondent"));
    }
    permit.empty_wal_on_commit();
    permit.commit().await?;
    Ok(erased)
}

/// All that the respondent is called in answers: as it is spelled, but for capitals, blanks and accents.
async fn find_spellings_of_respondent(
    permit: &Permit<'_>,
    respondent: &str,
) -> Result<Vec<String>> {
    use feedback::Column;
    let plain = fold_name(respondent);
    let mut spellings = Vec::new();
    // Compared in the program, as neither database folds accents; DISTINCT, since one name stands in many answers.
    for column in [Column::Respondent, Column::Contact] {
        let all: Vec<String> = feedback::Entity::find()
            .select_only()
            .column(column)
            .distinct()
            .filter(column.is_not_null())
            .into_tuple()
            .all(permit.tx())
            .await?;
        spellings.extend(all.into_iter().filter(|said| fold_name(said) == plain));
    }
    Ok(spellings)
}

/// A name without its capitals, blanks and accents.
fn fold_name(name: &str) -> String {
    name.nfkd()
        .filter(|letter| !is_combining_mark(*letter) && !letter.is_whitespace())
        .flat_map(char::to_lowercase)
        // Unlike å, it has no decomposition.
        .map(|letter| if letter == 'ø' { 'o' } else { letter })
        .collect()
}

/// Erases who gave answers, and what they wrote, where it is more than so many days ago. Says how many there were.
pub async fn erase_respondents_of_old_answers(caller: &Caller, days: u32) -> Result<u64> {
    use feedback::Column;
    let Some(last) = caller.today.checked_sub_days(Days::new(u64::from(days))) else {
        return Ok(0);
    };
    let known = Condition::any()
        .add(Column::Respondent.is_not_null())
        .add(Column::Contact.is_not_null())
        .add(Column::Comment.is_not_null());
    let old = Condition::all().add(Column::AnsweredOn.lt(last)).add(known);
    let any = feedback::Entity::find().filter(old.clone());
    let mut erased = 0;
    // Most of the time there is nothing: that takes no turn from those who write.
    // A thousand at a time: one act over years of answers would keep SQLite's writer from everybody else.
    while any.clone().one(caller.connection()).await?.is_some() {
        let mut permit = caller
            .open_permit(Action::EraseRespondent, &RowTies::none())
            .await?;
        erased += erase_respondents_of_answers(&mut permit, old.clone(), Some(AT_ONCE)).await?;
        permit.empty_wal_on_commit();
        permit.commit().await?;
    }
    Ok(erased)
}

/// Erases who gave these answers and what was written about it. What was still to be done about them is over.
async fn erase_respondents_of_answers(
    permit: &mut Permit<'_>,
    which: Condition,
    most: Option<u64>,
) -> Result<u64> {
    use feedback::Column;
    let rows = feedback::Entity::find()
        .filter(which)
        .order_by_asc(Column::Id)
        .limit(most)
        .lock(LockType::NoKeyUpdate)
        .all(permit.tx())
        .await?;
    if rows.is_empty() {
        return Ok(0);
    }
    for row in &rows {
        let Some(id) = row
            .external_id
            .as_ref()
            .filter(|id| !id.starts_with(ERASED))
        else {
            continue;
        };
        // One statement each, since each id has a digest of its own.
        let digest = digest_external_id(row.recorded_by_account_id, id)?;
        feedback::Entity::update_many()
            .col_expr(Column::ExternalId, Expr::value(digest))
            .filter(Column::Id.eq(row.id))
            .exec(permit.tx())
            .await?;
    }
    for rows in rows.chunks(AT_ONCE as usize) {
        let ids = || rows.iter().map(|row| row.id);
        let nothing = feedback::ActiveModel {
            respondent: Set(None),
            contact: Set(None),
            comment: Set(None),
            erased_at: Set(Some(permit.caller.now)),
            ..Default::default()
        };
        feedback::Entity::update_many()
            .set(nothing)
            .filter(Column::Id.is_in(ids()))
            .exec(permit.tx())
            .await?;
        close_follow_ups(permit, Condition::all().add(Column::Id.is_in(ids()))).await?;
    }
    for row in &rows {
        row.department_id
            .into_iter()
            .for_each(|id| permit.show_audit_to_leads_of(id));
        if row.department_id.is_none() {
            row.blueprint_id
                .into_iter()
                .for_each(|id| permit.invalidate_findings(FindingDependency::Blueprint(id)));
        }
    }
    let erased = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    permit.add_audit_event(AuditedChange::for_bulk_write(
        serde_json::json!({ "erased": erased }),
    ));
    Ok(erased)
}

/// Ends what was still to be done about these answers, and erases what was noted about them.
async fn close_follow_ups(permit: &mut Permit<'_>, answers: Condition) -> Result<()> {
    use follow_up::Column;
    let next = || Expr::col(Column::Version).add(1);
    let its = follow_up_tasks_of_answers_condition(answers);
    let touched = Condition::any()
        .add(Column::ClosedAt.is_null())
        .add(Column::Note.is_not_null());
    let touched = follow_up::Entity::find()
        .filter(its.clone())
        .filter(touched)
        .all(permit.tx())
        .await?;
    touched
        .iter()
        .for_each(|row| permit.note_updated::<follow_up::Entity>(row));
    // Two statements: closed follow-ups keep their state and the moment at which they were closed, and lose their
    // note alone.
    follow_up::Entity::update_many()
        .col_expr(Column::State, Expr::value(FollowUpState::NoContactWanted))
        .col_expr(Column::ClosedAt, Expr::value(permit.caller.now))
        .col_expr(Column::Note, Expr::value(None::<String>))
        .col_expr(Column::Version, next())
        .filter(its.clone())
        .filter(Column::ClosedAt.is_null())
        .exec(permit.tx())
        .await?;
    follow_up::Entity::update_many()
        .col_expr(Column::Note, Expr::value(None::<String>))
        .col_expr(Column::Version, next())
        .filter(its)
        .filter(Column::Note.is_not_null())
        .exec(permit.tx())
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::fold_name;

    #[test]
    fn a_name_is_the_same_in_other_capitals_blanks_and_accents() {
        for spelled in [
            "  josé  nørgård",
            "Jose Norgard",
            "JOSÉ NØRGÅRD",
            "Jose\u{301}\u{a0}Nørgård",
        ] {
            assert_eq!(fold_name(spelled), fold_name("José Nørgård"), "{spelled}");
        }
        assert_ne!(fold_name("Josef Nørgård"), fold_name("José Nørgård"));
    }
}
