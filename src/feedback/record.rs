//! Recording answers by the batch: all or none, the same batch twice changes nothing, and every fault is told at once.
//! The number of statements does not depend on the size of the batch.

use std::collections::HashMap;

use async_graphql::{ID, InputObject};
use chrono::{DateTime, Duration, NaiveDate, SubsecRound, Utc};
use entity::{
    feedback, follow_up,
    id::{BlueprintId, DepartmentId, FeedbackId},
    words::{FeedbackScale, FollowUpCause, FollowUpState, Subject},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

use super::{
    employees,
    entry::{AnswerEntry, ERASED, MOST, digest_external_id},
    playbook::Playbooks,
    references::{AnswerReferences, lock_live_successors},
    routing::Routing,
    rules::{due_on, is_closed},
};
use crate::{
    access::{Caller, FindingDependency, Permit, with_all_columns_set},
    audit::AuditedChange,
    error::{Reason, Result, UserErrorCode},
    id,
    input::{Faults, NAME},
    kpi::{
        answers,
        fed::{self, RecountScope},
    },
    scalar::Date,
    text::is_blank,
};

/// Answers to record: all or none.
#[derive(InputObject)]
pub struct FeedbackRecordInput {
    /// At most 1,000 entries.
    pub feedback: Vec<FeedbackInput>,
}

/// An answer of a customer or an employee about a blueprint that is or was published. Of an employee's answer only
/// score, place and month of receipt are stored, and only until they are counted in a cell of at least five answers.
#[derive(Clone, Debug, InputObject)]
pub struct FeedbackInput {
    /// Id of the answer in the system that collected it: recording the same again with the same account changes nothing, and
    /// saying something else of it is refused. Each
    /// account has ids of its own. For an employee's answer the id alone decides: the other fields are not compared.
    pub external_id: Option<String>,
    /// The scale of the question.
    pub scale: FeedbackScale,
    /// The score: from 0 to 10 for NPS and ENPS, 1 to 5 for CSAT, 1 to 7 for CES.
    pub score: i32,
    /// Id of the touchpoint that the question was about; null for the relationship as a whole.
    pub touchpoint_id: Option<ID>,
    /// Id of the blueprint, where the question was about the relationship as a whole.
    pub blueprint_id: Option<ID>,
    /// Id of the customer's persona.
    pub persona_id: Option<ID>,
    /// Day of the answer, not after today, where the time is unknown. Exactly one of this and `answeredAt`.
    pub answered_on: Option<Date>,
    /// Time of the answer, not in the future. Exactly one of this and `answeredOn`.
    pub answered_at: Option<DateTime<Utc>>,
    /// Day of the contact that the answer is about, not after the answer: the department that was ACCOUNTABLE at the
    /// touchpoint at its end works the answer. Absent: the one that was so when the customer answered.
    pub met_on: Option<Date>,
    /// The respondent: a customer number or a name. An answer with one gets a follow-up, unless the playbook of its
    /// group says otherwise.
    pub respondent: Option<String>,
    /// The respondent's contact details.
    pub contact: Option<String>,
    /// The respondent's comment.
    pub comment: Option<String>,
    /// Id of the customer's channel.
    pub channel_id: Option<ID>,
    /// Id of the customer's segment.
    pub segment_id: Option<ID>,
    /// The cause of the answer, where the customer named it. Routing rules may look at it.
    pub cause: Option<FollowUpCause>,
}

/// An answer, and how far its follow-up has come already.
#[derive(Clone, Debug)]
pub struct FeedbackWithFollowUp {
    pub said: FeedbackInput,
    pub follow_up: FollowUpState,
}

impl From<FeedbackInput> for FeedbackWithFollowUp {
    fn from(said: FeedbackInput) -> Self {
        Self {
            said,
            follow_up: FollowUpState::Open,
        }
    }
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswersRecorded {
    /// Answers that are new.
    pub recorded: i32,
    /// Answers that were there already.
    pub unchanged: i32,
    /// New answers with a follow-up that no department looks after.
    pub unroutable: i32,
}

/// Records a batch of a client.
pub async fn record(caller: &Caller, input: FeedbackRecordInput) -> Result<AnswersRecorded> {
    let mut faults = Faults::default();
    faults.check_count("feedback", input.feedback.len(), MOST);
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let done = record_within_permit(
        &mut permit,
        input.feedback.into_iter().map(FeedbackWithFollowUp::from),
    )
    .await?;
    permit.commit().await?;
    Ok(done)
}

/// Records answers as a part of a larger act, which commits them: all of them or none.
pub async fn record_within_permit(
    permit: &mut Permit<'_>,
    list: impl IntoIterator<Item = FeedbackWithFollowUp>,
) -> Result<AnswersRecorded> {
    let mut faults = Faults::default();
    let entries = read_entries(permit.caller, &mut faults, list);
    let places = AnswerReferences::load(permit, &entries).await?;
    // Before faults are told: who may not record at a touchpoint is not told what is wrong with the answers there.
    places
        .require_recording_permission(permit, &entries)
        .await?;
    places.add_reference_faults(&mut faults, &entries);
    let total = entries.len();
    let of_an_employee = |entry: &AnswerEntry| places.who_was_asked(entry) == Subject::Employee;
    let (of_employees, of_customers): (Vec<AnswerEntry>, Vec<AnswerEntry>) =
        entries.into_iter().partition(of_an_employee);
    let known = find_recorded_answers(permit, &mut faults, &of_customers).await?;
    faults.check()?;
    let fresh = of_customers.into_iter().filter(|entry| {
        let id = entry.external_id.as_ref();
        !id.is_some_and(|id| known.contains_key(id))
    });
    // Months close under a lock that comes before those of KPIs.
    let employees = employees::store_employee_answers(permit, &places, of_employees).await?;
    let mut done = store_customer_answers(permit, &places, fresh.collect()).await?;
    if done.recorded + employees > 0 {
        // How many employees answered when is told by nothing but their cells.
        permit.add_audit_event(AuditedChange::for_bulk_write(serde_json::json!({
            "recorded": done.recorded,
            "unroutable": done.unroutable,
        })));
    }
    done.recorded += employees;
    // By difference, since employees' answers are not compared one by one.
    done.unchanged = clamp_to_i32(total) - done.recorded;
    Ok(done)
}

fn clamp_to_i32(many: usize) -> i32 {
    i32::try_from(many).unwrap_or(i32::MAX)
}

/// Reads the list, and finds what is wrong with it by itself.
fn read_entries(
    caller: &Caller,
    faults: &mut Faults,
    list: impl IntoIterator<Item = FeedbackWithFollowUp>,
) -> Vec<AnswerEntry> {
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut entries = Vec::new();
    for (at, told) in list.into_iter().enumerate() {
        let entry = read_entry(caller, faults, format!("feedback.{at}"), told);
        // Refused and not skipped: of two answers with one id in a batch nobody knows which one is meant.
        if let Some(external) = &entry.external_id
            && let Some(other) = first.insert(external.clone(), at)
        {
            let message = format!("This is the external id of answer {other} too.");
            faults.add(
                &entry.field_path("externalId"),
                UserErrorCode::Duplicate,
                None,
                message,
            );
        }
        entries.push(entry);
    }
    entries
}

fn read_entry(
    caller: &Caller,
    faults: &mut Faults,
    path: String,
    told: FeedbackWithFollowUp,
) -> AnswerEntry {
    let FeedbackWithFollowUp { said, follow_up } = told;
    let field = |name: &str| format!("{path}.{name}");
    faults.check_within(
        &field("score"),
        Some(said.score),
        answers::score_range(said.scale),
    );
    let (at, on) = read_answer_time(caller, faults, &path, &said);
    let met_on = said.met_on.map(|day| day.0);
    if let Some(day) = met_on {
        add_contact_day_faults(faults, &path, &said, (day, on));
    }
    let met_at = met_on.map_or(at, |day| last_moment_of(caller, day).min(at));
    let mut line = |name: &str, text: Option<&String>| {
        let text = faults.check_text(&field(name), text?, NAME);
        (!text.is_empty()).then_some(text)
    };
    let respondent = line("respondent", said.respondent.as_ref());
    let contact = line("contact", said.contact.as_ref());
    let external_id = said.external_id.as_ref();
    let external_id = external_id.map(|id| faults.check_text_as_is(&field("externalId"), id, NAME));
    let external_id = external_id.filter(|id| !id.is_empty());
    if external_id.as_deref().is_some_and(is_blank) {
        let message = "An external id has a character that is seen.";
        faults.add(&field("externalId"), UserErrorCode::Required, None, message);
    }
    if external_id
        .as_ref()
        .is_some_and(|id| id.starts_with(ERASED))
    {
        let message =
            "An external id does not begin with `erased:`: that marks those that are erased.";
        faults.add(&field("externalId"), UserErrorCode::Invalid, None, message);
    }
    if contact.is_some() && respondent.is_none() {
        let message = "A contact needs a respondent: say who answered.";
        faults.add(&field("respondent"), UserErrorCode::Required, None, message);
    }
    AnswerEntry {
        scale: said.scale,
        score: said.score,
        touchpoint: faults.parse_optional_id(&field("touchpointId"), said.touchpoint_id.as_ref()),
        blueprint: faults.parse_optional_id(&field("blueprintId"), said.blueprint_id.as_ref()),
        persona: faults.parse_optional_id(&field("personaId"), said.persona_id.as_ref()),
        channel: faults.parse_optional_id(&field("channelId"), said.channel_id.as_ref()),
        segment: faults.parse_optional_id(&field("segmentId"), said.segment_id.as_ref()),
        comment: faults.check_optional_text(&field("comment"), said.comment.as_deref()),
        path,
        at,
        moment_said: said.answered_at.is_some(),
        on,
        met_on,
        met_at,
        cause: said.cause,
        external_id,
        respondent,
        contact,
        follow_up,
    }
}

/// The last moment of a day: by it the day is judged.
fn last_moment_of(caller: &Caller, day: NaiveDate) -> DateTime<Utc> {
    caller.end_of_day(day) - Duration::microseconds(1)
}

fn add_contact_day_faults(
    faults: &mut Faults,
    path: &str,
    said: &FeedbackInput,
    (met_on, answered_on): (NaiveDate, NaiveDate),
) {
    let path = format!("{path}.metOn");
    if said.touchpoint_id.is_none() {
        let message = "Only an answer at a touchpoint has a day of contact.";
        faults.add(&path, UserErrorCode::Invalid, None, message);
    } else if met_on > answered_on {
        let message = format!("The contact is after the answer, which is of {answered_on}.");
        faults.add(&path, UserErrorCode::Invalid, None, message);
    } else {
        faults.check_day(&path, met_on);
    }
}

/// The moment and the day of an answer. Of a day the last moment counts, as a day is judged by what held at its end.
fn read_answer_time(
    caller: &Caller,
    faults: &mut Faults,
    path: &str,
    said: &FeedbackInput,
) -> (DateTime<Utc>, NaiveDate) {
    let (field, at, on) = match (said.answered_at, said.answered_on) {
        (Some(at), None) => {
            // What both databases keep.
            let at = at.trunc_subsecs(6);
            ("answeredAt", at, caller.local_day_of_moment(at))
        }
        (None, Some(on)) => {
            let last = last_moment_of(caller, on.0);
            let at = if on.0 == caller.today {
                // The day has not ended: its last moment would lie in the future.
                last.min(caller.now)
            } else {
                last
            };
            ("answeredOn", at, on.0)
        }
        _ => {
            let message = "Give exactly one of `answeredAt` and `answeredOn`.";
            faults.add(path, UserErrorCode::Invalid, None, message);
            // Stand-ins, so that reading goes on and every fault is told; with a fault nothing is recorded.
            return (caller.now, caller.today);
        }
    };
    let path = format!("{path}.{field}");
    if at > caller.now {
        let message = "The answer is in the future.";
        faults.add(
            &path,
            UserErrorCode::Invalid,
            Some(Reason::InFuture),
            message,
        );
    } else {
        faults.check_day(&path, on);
    }
    (at, on)
}

/// The answers of customers that the caller has recorded already under one of the external ids, those erased since
/// among them. One that says something else is a fault. What others recorded has ids of its own: else an id would tell
/// of their answers.
async fn find_recorded_answers(
    permit: &Permit<'_>,
    faults: &mut Faults,
    entries: &[AnswerEntry],
) -> Result<HashMap<String, FeedbackId>> {
    use feedback::Column;
    let recorder = permit.caller.account();
    let mine = match recorder {
        Some(account) => Column::RecordedByAccountId.eq(account),
        None => Column::RecordedByAccountId.is_null(),
    };
    let mut said: HashMap<String, &String> = HashMap::new();
    for id in entries.iter().filter_map(|one| one.external_id.as_ref()) {
        said.insert(id.clone(), id);
        // An erased answer is kept under the digest of its id alone: looked up as well, it is known when it is sent
        // again.
        said.insert(digest_external_id(recorder, id)?, id);
    }
    let kept: Vec<&String> = said.keys().collect();
    let mut known = HashMap::new();
    for ids in kept.chunks(2 * MOST) {
        let rows = feedback::Entity::find()
            .filter(Column::ExternalId.is_in(ids.iter().copied()))
            .filter(mine.clone())
            .all(permit.tx())
            .await?;
        known.extend(rows.into_iter().filter_map(|row| {
            let id = said.get(row.external_id.as_ref()?)?;
            Some(((*id).clone(), row))
        }));
    }
    for entry in entries {
        let before = entry.external_id.as_ref().and_then(|id| known.get(id));
        let unlike = before.map(|row| entry.fields_unlike_stored_answer(row));
        if let Some(unlike) = unlike.filter(|unlike| !unlike.is_empty()) {
            let message = format!(
                "You have recorded this external id with another `{}`.",
                unlike.join("`, `")
            );
            let path = entry.field_path("externalId");
            faults.add(
                &path,
                UserErrorCode::Duplicate,
                Some(Reason::IdTaken),
                message,
            );
        }
    }
    Ok(known
        .into_iter()
        .map(|(external, row)| (external, row.id))
        .collect())
}

/// Keeps answers of customers that are new, each with who looks after it and, where it is known who gave it, a
/// follow-up.
async fn store_customer_answers(
    permit: &mut Permit<'_>,
    places: &AnswerReferences,
    entries: Vec<AnswerEntry>,
) -> Result<AnswersRecorded> {
    let mut done = AnswersRecorded::default();
    if entries.is_empty() {
        return Ok(done);
    }
    // The locks of KPIs before those of departments, as everywhere.
    let fed = fed::lock_fed_kpis(permit, entries.iter().map(|entry| entry.scale)).await?;
    let recount = RecountScope::Of {
        days: entries.iter().map(|entry| entry.on).collect(),
        touchpoints: entries
            .iter()
            .filter_map(|entry| entry.touchpoint)
            .collect(),
    };
    let routing = Routing::load(permit, &fed, &entries).await?;
    let candidates = entries
        .iter()
        .map(|entry| routing.candidates(entry, places));
    let candidates: Vec<Vec<DepartmentId>> = candidates.collect();
    let all = candidates.iter().flatten().copied().collect();
    let heirs = lock_live_successors(permit, all).await?;
    let playbooks = Playbooks::load(permit).await?;
    let (mut rows, mut follow_ups) = (Vec::new(), Vec::new());
    for (entry, candidates) in entries.into_iter().zip(candidates) {
        let department = candidates.iter().find_map(|id| heirs.get(id).copied());
        let state = entry.follow_up;
        let blueprint = places.blueprint_of(&entry);
        let row = feedback_row(permit.caller, blueprint, entry, department);
        if row.respondent.is_some() && playbooks.follows_up(&row) {
            let days = playbooks.due_days(row.answer_group);
            follow_ups.push(new_follow_up(permit.caller, &row, state, days));
            if department.is_none() {
                done.unroutable += 1;
                row.blueprint_id
                    .into_iter()
                    .for_each(|id| permit.invalidate_findings(FindingDependency::Blueprint(id)));
            }
        }
        department
            .into_iter()
            .for_each(|id| permit.show_audit_to_leads_of(id));
        done.recorded += 1;
        rows.push(with_all_columns_set::<feedback::Entity>(row));
    }
    // Answers first: follow-ups refer to them.
    permit
        .insert_all_unaudited::<feedback::Entity>(rows)
        .await?;
    permit
        .insert_all_unaudited::<follow_up::Entity>(follow_ups)
        .await?;
    // After the answers are there, as the values of their days are counted from them anew.
    fed::feed_kpis(permit, &fed, &recount).await?;
    Ok(done)
}

fn feedback_row(
    caller: &Caller,
    blueprint: Option<BlueprintId>,
    entry: AnswerEntry,
    department: Option<DepartmentId>,
) -> feedback::Model {
    feedback::Model {
        id: id::new(),
        subject: Subject::Customer,
        scale: entry.scale,
        score: entry.score,
        answer_group: entry.group(),
        blueprint_id: blueprint,
        touchpoint_id: entry.touchpoint,
        persona_id: entry.persona,
        channel_id: entry.channel,
        segment_id: entry.segment,
        answered_at: entry.at,
        answered_on: entry.on,
        met_on: entry.met_on,
        cause: entry.cause,
        department_id: department,
        external_id: entry.external_id,
        respondent: entry.respondent,
        contact: entry.contact,
        comment: entry.comment,
        erased_at: None,
        recorded_at: caller.now,
        recorded_by_account_id: caller.account(),
    }
}

fn new_follow_up(
    caller: &Caller,
    answer: &feedback::Model,
    state: FollowUpState,
    days: i32,
) -> follow_up::ActiveModel {
    follow_up::ActiveModel {
        id: Set(id::new()),
        feedback_id: Set(answer.id),
        state: Set(state),
        assignee_account_id: Set(None),
        due_on: Set(due_on(answer.answered_on, days)),
        cause: Set(answer.cause),
        note: Set(None),
        closed_at: Set(is_closed(state).then_some(caller.now)),
        created_at: Set(caller.now),
        version: Set(1),
    }
}
