//! Feedback in the API: answers, what they come to, and what people do about them.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{
    feedback, follow_up, playbook,
    words::{FeedbackGroup, FeedbackScale, FollowUpCause, FollowUpState},
};
use sea_orm::{QueryFilter, QueryOrder};

use super::{
    FeedbackFilter, FollowUpFilter,
    follow_up::{FollowUpAssignInput, FollowUpUpdateInput},
    playbook::PlaybookSetInput,
    record::{AnswersRecorded, FeedbackRecordInput},
    respondent::RespondentEraseInput,
    summary::{self, Summary},
};
use crate::{
    access::Caller,
    error::{Result, UserError},
    input,
    meter::{Listed, listed},
    page::{self, Page, Pages},
    payload,
    payload::{acting, caller, found, refusal},
    scalar::Date,
};

/// An answer of a customer. Single answers of employees are shown to nobody.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Feedback {
    /// Its id.
    pub id: ID,
    /// The scale that was asked on.
    pub scale: FeedbackScale,
    /// The score.
    pub score: i32,
    /// What the score says on its scale.
    pub group: FeedbackGroup,
    /// When the customer answered; the last moment of the day where only the day is known.
    pub answered_at: DateTime<Utc>,
    /// The day of the answer.
    pub answered_on: Date,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Since when who gave it, and what they wrote, is erased.
    pub erased_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    pub row: feedback::Model,
}

impl From<feedback::Model> for Feedback {
    fn from(row: feedback::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            scale: row.scale,
            score: row.score,
            group: row.answer_group,
            answered_at: row.answered_at,
            answered_on: Date(row.answered_on),
            recorded_at: row.recorded_at,
            erased_at: row.erased_at,
            row,
        }
    }
}

/// What is done about an answer whose giver is known, whether satisfied or not.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct FollowUp {
    /// Its id.
    pub id: ID,
    /// Where it stands.
    pub state: FollowUpState,
    /// The day on which it is due.
    pub due_on: Date,
    /// What lay behind the answer.
    pub cause: Option<FollowUpCause>,
    /// Since when nothing more is to be done.
    pub closed_at: Option<DateTime<Utc>>,
    /// Counts its changes; send it as `expectedVersion`.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    #[graphql(skip)]
    pub row: follow_up::Model,
}

impl From<follow_up::Model> for FollowUp {
    fn from(row: follow_up::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            state: row.state,
            due_on: Date(row.due_on),
            cause: row.cause,
            closed_at: row.closed_at,
            version: row.version,
            created_at: row.created_at,
            row,
        }
    }
}

/// What the organisation does about the answers of one group.
#[derive(Clone, SimpleObject)]
pub struct Playbook {
    /// Its id.
    pub id: ID,
    /// The group.
    pub group: FeedbackGroup,
    /// What to do.
    pub text: String,
    /// Days from the answer until its follow-up is due.
    pub due_days: i32,
    /// Counts its changes; send it as `expectedVersion`.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl From<playbook::Model> for Playbook {
    fn from(row: playbook::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            group: row.answer_group,
            text: row.text,
            due_days: row.due_days,
            version: row.version,
            created_at: row.created_at,
        }
    }
}

/// What answers come to. Of employees only whole cells are counted: a place on a scale in a block of closed months of
/// receipt, joined until there are five answers. Neither a department, a group, nor a part of a block is told of them.
#[derive(Clone, Debug, SimpleObject)]
pub struct FeedbackSummary {
    /// How many answers there are, on whatever scale; null where there are none but what employees may have answered.
    pub answers: Option<i32>,
    /// How many of them are satisfied.
    pub satisfied: Option<i32>,
    /// How many of them are indifferent.
    pub indifferent: Option<i32>,
    /// How many of them are dissatisfied.
    pub dissatisfied: Option<i32>,
    /// Net promoter score, from −100 to 100; null without answers.
    pub nps: Option<f64>,
    /// The mean of the CSAT answers, from 1 to 5; null without answers.
    pub csat: Option<f64>,
    /// The share of CSAT answers 4 and 5, from 0 to 1; null without answers.
    pub csat_satisfied_share: Option<f64>,
    /// The mean of the CES answers, from 1 to 7, higher is better; null without answers.
    pub ces: Option<f64>,
    /// Net promoter score among employees, from −100 to 100; null without answers.
    pub enps: Option<f64>,
    /// Whether employees are asked here and nothing is told of them: their answers are shown from five answers on, once the
    /// month of their receipt is over. It says nothing of whether anybody has answered.
    pub withheld: bool,
    /// How many answers of employees are in cells whose answers are all in one group: counted in nothing else here, as
    /// the score of such a cell would be everybody's own.
    pub alike: i32,
}

impl From<Summary> for FeedbackSummary {
    fn from(summary: Summary) -> Self {
        let all = summary.all();
        // That of employees nothing can be told is not the same as that nobody answered.
        let told = all.answers() > 0 || !summary.withheld && summary.alike == 0;
        let count = |many: i64| told.then(|| i32::try_from(many).unwrap_or(i32::MAX));
        let csat = summary.on(FeedbackScale::Csat);
        Self {
            answers: count(all.answers()),
            satisfied: count(all.satisfied),
            indifferent: count(all.indifferent),
            dissatisfied: count(all.dissatisfied),
            nps: summary.on(FeedbackScale::Nps).net(),
            csat: csat.mean(),
            csat_satisfied_share: csat.satisfied_share(),
            ces: summary.on(FeedbackScale::Ces).mean(),
            enps: summary.on(FeedbackScale::Enps).net(),
            withheld: summary.withheld,
            alike: i32::try_from(summary.alike).unwrap_or(i32::MAX),
        }
    }
}

/// Reading feedback.
#[derive(Default)]
pub struct FeedbackQuery;

#[Object]
impl FeedbackQuery {
    /// Answers of customers, in the order of recording.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn feedback(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<FeedbackFilter>,
    ) -> Result<Pages<Feedback>> {
        let caller = caller(ctx)?;
        let which = filter.unwrap_or_default().condition()?;
        let select = caller.select::<feedback::Entity>().filter(which);
        page::by_creation(ctx, select, Page { first, after }, Feedback::from).await
    }

    /// What answers come to, those of employees among them.
    async fn feedback_summary(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<FeedbackFilter>,
    ) -> Result<FeedbackSummary> {
        let filter = filter.unwrap_or_default();
        Ok(summary::of(caller(ctx)?, &filter).await?.into())
    }

    /// What is done about answers, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn follow_ups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<FollowUpFilter>,
    ) -> Result<Pages<FollowUp>> {
        let caller = caller(ctx)?;
        let select = super::filtered(caller, &filter.unwrap_or_default())?;
        page::by_creation(ctx, select, Page { first, after }, FollowUp::from).await
    }

    /// A follow-up by id; null where there is none, or none that you may see.
    async fn follow_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id.")] id: ID,
    ) -> Option<Result<FollowUp>> {
        found(async {
            let id = input::id("id", &id)?;
            caller(ctx)?.get::<follow_up::Entity>(id).await
        })
        .await
    }

    /// What to do about the answers of each group that has a playbook. Where a group has none, follow-ups are due
    /// 2 days after a dissatisfied answer, 7 after an indifferent and 14 after a satisfied one.
    async fn playbooks(&self, ctx: &Context<'_>) -> Result<Listed<Playbook>> {
        let caller = caller(ctx)?;
        let rows = caller
            .select::<playbook::Entity>()
            .order_by_asc(playbook::Column::AnswerGroup)
            .all(caller.reader())
            .await?;
        Ok(listed(rows))
    }
}

payload! {
    /// What became of a mutation on a follow-up.
    FollowUpPayload {
        /// The follow-up as it is now.
        follow_up: FollowUp of follow_up::Entity
    }
}

payload! {
    /// What became of a mutation on a playbook.
    PlaybookPayload {
        /// The playbook as it is now.
        playbook: Playbook of playbook::Entity
    }
}

/// What became of a batch of answers.
#[derive(SimpleObject)]
pub struct FeedbackRecordPayload {
    /// How many are new.
    pub recorded: i32,
    /// How many were there already.
    pub unchanged: i32,
    /// How many of the new ones have a follow-up that no department looks after.
    pub unroutable: i32,
    /// Why nothing was recorded; empty when everything was.
    pub user_errors: Vec<UserError>,
}

/// What became of erasing a respondent.
#[derive(SimpleObject)]
pub struct RespondentErasePayload {
    /// From how many answers.
    pub erased: i32,
    /// Why it was not done; empty when it was.
    pub user_errors: Vec<UserError>,
}

/// What was done, or nothing of it and why.
async fn done_or_not<T: Default>(
    caller: &Caller,
    result: Result<T>,
) -> Result<(T, Vec<UserError>)> {
    match result {
        Ok(done) => Ok((done, Vec::new())),
        Err(error) => Ok((T::default(), refusal(caller, error).await?.errors)),
    }
}

/// Recording and working feedback.
#[derive(Default)]
pub struct FeedbackMutation;

#[Object]
impl FeedbackMutation {
    /// Records a batch of answers: all or none, and those recorded before by their `externalId` once. An answer with a
    /// respondent gets a follow-up, looked after by the department that was ACCOUNTABLE at the touchpoint in that
    /// moment. On the relationship as a whole only CX managers record. Requires: RECORD_FEEDBACK.
    async fn feedback_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The answers to record.")] input: FeedbackRecordInput,
    ) -> Result<FeedbackRecordPayload> {
        let caller = acting(ctx)?;
        let result = super::record::record(&caller, input).await;
        let (done, user_errors): (AnswersRecorded, _) = done_or_not(&caller, result).await?;
        Ok(FeedbackRecordPayload {
            recorded: done.recorded,
            unchanged: done.unchanged,
            unroutable: done.unroutable,
            user_errors,
        })
    }

    /// Says what was done about an answer: where its follow-up stands, what lay behind it, what came of it.
    /// Requires: WORK_FOLLOW_UP.
    async fn follow_up_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: FollowUpUpdateInput,
    ) -> Result<FollowUpPayload> {
        let caller = acting(ctx)?;
        let result = super::follow_up::update(&caller, input).await;
        FollowUpPayload::answer(&caller, result).await
    }

    /// Says who works a follow-up, and until when. Requires: ASSIGN_FOLLOW_UP.
    async fn follow_up_assign(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The follow-up, the version that you read, who works it, and its due day."
        )]
        input: FollowUpAssignInput,
    ) -> Result<FollowUpPayload> {
        let caller = acting(ctx)?;
        let result = super::follow_up::assign(&caller, input).await;
        FollowUpPayload::answer(&caller, result).await
    }

    /// Makes or replaces the playbook of a group. Requires: KEEP_CATALOGUE.
    async fn playbook_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The group, and its playbook.")] input: PlaybookSetInput,
    ) -> Result<PlaybookPayload> {
        let caller = acting(ctx)?;
        let result = super::playbook::set(&caller, input).await;
        PlaybookPayload::answer(&caller, result).await
    }

    /// Erases a respondent from all answers: who it was, how to reach them and what they wrote, and what was noted in
    /// follow-ups, which are over. Scores and all numbers that they give stay. Requires: ERASE_RESPONDENT.
    async fn respondent_erase(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The respondent to erase.")] input: RespondentEraseInput,
    ) -> Result<RespondentErasePayload> {
        let caller = acting(ctx)?;
        let result = super::respondent::erase(&caller, &input).await;
        let (erased, user_errors) = done_or_not(&caller, result).await?;
        Ok(RespondentErasePayload {
            erased: i32::try_from(erased).unwrap_or(i32::MAX),
            user_errors,
        })
    }
}
