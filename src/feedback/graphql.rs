//! Feedback in the API: answers, what they come to, and what people do about them.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{
    feedback, follow_up, playbook, routing_rule,
    words::{FeedbackGroup, FeedbackScale, FollowUpCause, FollowUpState},
};
use sea_orm::{QueryFilter, QueryOrder};

use super::{
    FeedbackFilter, FollowUpFilter,
    follow_up::{FollowUpAssignInput, FollowUpUpdateInput, FollowUpsHandOverInput},
    playbook::PlaybookSetInput,
    record::{AnswersRecorded, FeedbackRecordInput},
    respondent::RespondentEraseInput,
    routing::RoutingRuleSetInput,
    summary::{self, AnswerSummary},
};
use crate::{
    account::authorship::Authorship,
    error::{Result, UserError},
    input::{self, AtVersionInput, MOST_AT_ONCE},
    meter::{BudgetChargedList, metered_list},
    page::{self, ObjectPage, PageArguments},
    payload,
    payload::{caller, done_or_refused, into_node, load_conflicts_and_errors, mutation_caller},
    scalar::Date,
};

/// An answer of a customer. Single answers of employees are shown to nobody.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Feedback {
    /// The object's id.
    pub id: ID,
    /// The scale of the question.
    pub scale: FeedbackScale,
    /// The score, in the range of its scale.
    pub score: i32,
    /// The group of the score on its scale.
    pub group: FeedbackGroup,
    /// Time of the answer; the last moment of the day if only the day is known.
    pub answered_at: DateTime<Utc>,
    /// The day of the answer.
    pub answered_on: Date,
    /// The day of the contact that it is about; null if unknown.
    pub met_on: Option<Date>,
    /// The cause that the customer named; null if none. What was found out is in `followUp.cause`.
    pub cause: Option<FollowUpCause>,
    /// Time of recording.
    pub recorded_at: DateTime<Utc>,
    /// Time at which respondent, contact and comment were erased; null if they were not.
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
            met_on: row.met_on.map(Date),
            cause: row.cause,
            recorded_at: row.recorded_at,
            erased_at: row.erased_at,
            row,
        }
    }
}

/// The follow-up on an answer whose respondent is known, satisfied or not.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct FollowUp {
    /// The object's id.
    pub id: ID,
    /// Its state.
    pub state: FollowUpState,
    /// The day on which it is due.
    pub due_on: Date,
    /// The cause of the answer.
    pub cause: Option<FollowUpCause>,
    /// Time of closing; null while it is open.
    pub closed_at: Option<DateTime<Utc>>,
    /// Version number: rises with every change of the object. Send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
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
            authorship: Authorship::of(row.id.0, row.created_at),
            row,
        }
    }
}

/// The organisation's handling of the answers of one group.
#[derive(Clone, SimpleObject)]
pub struct Playbook {
    /// The object's id.
    pub id: ID,
    /// The group.
    pub group: FeedbackGroup,
    /// The instructions.
    pub text: String,
    /// Days from the answer until its follow-up is due.
    pub due_days: i32,
    /// Of a hundred answers whose respondent is known, about how many get a follow-up, chosen at random.
    pub follow_up_percent: i32,
    /// Version number: rises with every change of the object. Send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
}

impl From<playbook::Model> for Playbook {
    fn from(row: playbook::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            group: row.answer_group,
            text: row.text,
            due_days: row.due_days,
            follow_up_percent: row.follow_up_percent,
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
        }
    }
}

/// The department that works answers on the relationship as a whole of a segment, by a channel or with a cause.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct RoutingRule {
    /// The object's id.
    pub id: ID,
    /// The cause of the answers; null for any.
    pub cause: Option<FollowUpCause>,
    /// Version number: rises with every change of the object. Send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    #[graphql(skip)]
    pub row: routing_rule::Model,
}

impl From<routing_rule::Model> for RoutingRule {
    fn from(row: routing_rule::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            cause: row.cause,
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            row,
        }
    }
}

/// Totals of answers. Employees' answers are counted only in whole cells: one place on one scale in a block of closed
/// months of receipt, months being joined until there are five answers. They are not broken down by department, by
/// group or within a block.
#[derive(Clone, Debug, SimpleObject)]
pub struct FeedbackSummary {
    /// Number of answers on all scales; null where only employees may have answered.
    pub answers: Option<i32>,
    /// Number of answers in the group SATISFIED.
    pub satisfied: Option<i32>,
    /// Number of answers in the group INDIFFERENT.
    pub indifferent: Option<i32>,
    /// Number of answers in the group DISSATISFIED.
    pub dissatisfied: Option<i32>,
    /// Net promoter score, from −100 to 100; null without answers.
    pub nps: Option<f64>,
    /// Mean of the CSAT answers, from 1 to 5; null without answers.
    pub csat: Option<f64>,
    /// Share of CSAT answers 4 and 5, from 0 to 1; null without answers.
    pub csat_satisfied_share: Option<f64>,
    /// Mean of the CES answers, from 1 to 7, higher is better; null without answers.
    pub ces: Option<f64>,
    /// Net promoter score among employees, from −100 to 100; null without answers.
    pub enps: Option<f64>,
    /// Whether employees are asked here and their answers are withheld: answers are shown from five on, once the month
    /// of their receipt is over. It does not reveal whether anybody has answered.
    pub withheld: bool,
    /// Number of employees' answers in cells whose answers all fall in one group. They are left out of everything else
    /// here, as the score of such a cell would reveal each single answer.
    pub alike: i32,
}

impl From<AnswerSummary> for FeedbackSummary {
    fn from(summary: AnswerSummary) -> Self {
        let all = summary.tally_of_all();
        // That of employees nothing can be told is not the same as that nobody answered.
        let told = all.answers() > 0 || !summary.withheld && summary.alike == 0;
        let count = |many: i64| told.then(|| i32::try_from(many).unwrap_or(i32::MAX));
        let csat = summary.tally_of_scale(FeedbackScale::Csat);
        Self {
            answers: count(all.answers()),
            satisfied: count(all.satisfied),
            indifferent: count(all.indifferent),
            dissatisfied: count(all.dissatisfied),
            nps: summary.tally_of_scale(FeedbackScale::Nps).net_score(),
            csat: csat.mean_score(),
            csat_satisfied_share: csat.satisfied_share(),
            ces: summary.tally_of_scale(FeedbackScale::Ces).mean_score(),
            enps: summary.tally_of_scale(FeedbackScale::Enps).net_score(),
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
    ) -> Result<ObjectPage<Feedback>> {
        let caller = caller(ctx)?;
        let which = filter.unwrap_or_default().condition()?;
        let select = caller.select::<feedback::Entity>().filter(which);
        page::page_oldest_first(ctx, select, PageArguments { first, after }, Feedback::from).await
    }

    /// The totals of answers, including those of employees.
    async fn feedback_summary(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<FeedbackFilter>,
    ) -> Result<FeedbackSummary> {
        let filter = filter.unwrap_or_default();
        Ok(summary::summarise(caller(ctx)?, &filter).await?.into())
    }

    /// Follow-ups, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn follow_ups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<FollowUpFilter>,
    ) -> Result<ObjectPage<FollowUp>> {
        let caller = caller(ctx)?;
        let select = super::select_follow_ups(caller, &filter.unwrap_or_default())?;
        page::page_oldest_first(ctx, select, PageArguments { first, after }, FollowUp::from).await
    }

    /// A follow-up by id; null if there is none that you may see.
    async fn follow_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id.")] id: ID,
    ) -> Option<Result<FollowUp>> {
        into_node(async {
            let id = input::parse_id("id", &id)?;
            caller(ctx)?.get::<follow_up::Entity>(id).await
        })
        .await
    }

    /// The rules by which answers on the relationship as a whole are routed, in the order of creation. Of the rules that
    /// fit an answer the one with the most conditions counts, of equals the one about the segment, then about the
    /// channel. Where none fits, the answer goes to the owner of the blueprint that it is about, if that is published,
    /// else to the owner of the KPIs that it feeds, if they have one.
    async fn routing_rules(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<RoutingRule>> {
        let caller = caller(ctx)?;
        let rows = caller
            .select::<routing_rule::Entity>()
            .order_by_asc(routing_rule::Column::CreatedAt)
            .order_by_asc(routing_rule::Column::Id)
            .all(caller.connection())
            .await?;
        Ok(metered_list(rows))
    }

    /// The playbooks, at most one per group of answers. Without a playbook, follow-ups are due 2 days after a
    /// dissatisfied answer, 7 after an indifferent and 14 after a satisfied one.
    async fn playbooks(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Playbook>> {
        let caller = caller(ctx)?;
        let rows = caller
            .select::<playbook::Entity>()
            .order_by_asc(playbook::Column::AnswerGroup)
            .all(caller.connection())
            .await?;
        Ok(metered_list(rows))
    }
}

payload! {
    /// Result of a mutation on a follow-up.
    FollowUpPayload {
        /// The follow-up as it is now.
        follow_up: FollowUp of follow_up::Entity
    }
}

payload! {
    /// Result of a mutation on a playbook.
    PlaybookPayload {
        /// The playbook as it is now.
        playbook: Playbook of playbook::Entity
    }
}

payload! {
    /// Result of a mutation on a routing rule.
    RoutingRulePayload {
        /// The rule as it is now; as it was, where it was deleted.
        routing_rule: RoutingRule of routing_rule::Entity
    }
}

/// Result of handing follow-ups over.
#[derive(SimpleObject)]
pub struct FollowUpsHandOverPayload {
    /// The follow-ups as they are now, in the order of the input; where nothing was done, those in conflict.
    pub follow_ups: Option<BudgetChargedList<FollowUp>>,
    /// The reasons why the mutation was refused; empty if it was carried out.
    pub user_errors: Vec<UserError>,
}

/// Result of recording answers.
#[derive(SimpleObject)]
pub struct FeedbackRecordPayload {
    /// Number of new entries.
    pub recorded: i32,
    /// Number of entries that were recorded before.
    pub unchanged: i32,
    /// Number of new answers whose follow-up no department works.
    pub unroutable: i32,
    /// The reasons why nothing was recorded; empty if everything was.
    pub user_errors: Vec<UserError>,
}

/// Result of erasing a respondent.
#[derive(SimpleObject)]
pub struct RespondentErasePayload {
    /// Number of answers from which it was erased.
    pub erased: i32,
    /// The reasons why the mutation was refused; empty if it was carried out.
    pub user_errors: Vec<UserError>,
}

/// Recording and working feedback.
#[derive(Default)]
pub struct FeedbackMutation;

#[Object]
impl FeedbackMutation {
    /// Records at most 1,000 answers, all or none; those recorded before, by their `externalId`, are not recorded
    /// again. An answer with a respondent gets a follow-up, unless the playbook of its group says otherwise. The
    /// department that was ACCOUNTABLE at the touchpoint at the time of the answer, or on the day of the contact, works
    /// it; on the relationship as a whole `routingRules` say who does. Only CX managers record such answers. Requires:
    /// RECORD_FEEDBACK.
    async fn feedback_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The answers to record.")] input: FeedbackRecordInput,
    ) -> Result<FeedbackRecordPayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::record::record(&caller, input).await;
        let (done, user_errors): (AnswersRecorded, _) = done_or_refused(&caller, result).await?;
        Ok(FeedbackRecordPayload {
            recorded: done.recorded,
            unchanged: done.unchanged,
            unroutable: done.unroutable,
            user_errors,
        })
    }

    /// Records the handling of an answer: state, cause and result of its follow-up. An answer on the
    /// relationship as a whole that no department works is routed where its cause is set, by a rule about the cause. Requires: WORK_FOLLOW_UP.
    async fn follow_up_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: FollowUpUpdateInput,
    ) -> Result<FollowUpPayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::follow_up::update(&caller, input).await;
        FollowUpPayload::from_result(&caller, result).await
    }

    /// Assigns a follow-up to an account and sets its due day. Requires: ASSIGN_FOLLOW_UP.
    async fn follow_up_assign(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The follow-up, the version that you read, who works it, and its due day."
        )]
        input: FollowUpAssignInput,
    ) -> Result<FollowUpPayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::follow_up::assign(&caller, input).await;
        FollowUpPayload::from_result(&caller, result).await
    }

    /// Hands up to 200 open follow-ups to a department, in one act: all of them, or none. Its lead assigns them anew. For
    /// those that no department works (`unroutable`), and those that the wrong one does. Requires: HAND_OVER_FOLLOW_UP.
    #[graphql(
        complexity = "input.follow_ups.len().min(MOST_AT_ONCE).saturating_mul(child_complexity)"
    )]
    async fn follow_ups_hand_over(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The follow-ups with the versions that you read, and the department.")]
        input: FollowUpsHandOverInput,
    ) -> Result<FollowUpsHandOverPayload> {
        let caller = mutation_caller(ctx)?;
        let (rows, user_errors) = match super::follow_up::hand_over_many(&caller, input).await {
            Ok(rows) => (rows, Vec::new()),
            Err(error) => load_conflicts_and_errors::<follow_up::Entity>(&caller, error).await?,
        };
        Ok(FollowUpsHandOverPayload {
            follow_ups: Some(metered_list(rows)),
            user_errors,
        })
    }

    /// Creates the routing rule with these conditions, or replaces its department. It routes answers recorded from now
    /// on, and those whose cause is set from now on while no department works them. Requires: KEEP_CATALOGUE.
    async fn routing_rule_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The conditions, and the department.")] input: RoutingRuleSetInput,
    ) -> Result<RoutingRulePayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::routing::set_rule(&caller, input).await;
        RoutingRulePayload::from_result(&caller, result).await
    }

    /// Deletes a routing rule; what it routed stays where it is. Requires: KEEP_CATALOGUE.
    async fn routing_rule_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<RoutingRulePayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::routing::delete_rule(&caller, &input).await;
        RoutingRulePayload::from_result(&caller, result).await
    }

    /// Creates or replaces the playbook of a group. Requires: KEEP_CATALOGUE.
    async fn playbook_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The group, and its playbook.")] input: PlaybookSetInput,
    ) -> Result<PlaybookPayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::playbook::set_playbook(&caller, input).await;
        PlaybookPayload::from_result(&caller, result).await
    }

    /// Erases a respondent from all answers: name or number, contact, comments and the notes of follow-ups, which are
    /// closed. Scores, and all figures computed from them, stay. Requires: ERASE_RESPONDENT.
    async fn respondent_erase(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The respondent to erase.")] input: RespondentEraseInput,
    ) -> Result<RespondentErasePayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::respondent::erase_respondent(&caller, &input).await;
        let (erased, user_errors) = done_or_refused(&caller, result).await?;
        Ok(RespondentErasePayload {
            erased: i32::try_from(erased).unwrap_or(i32::MAX),
            user_errors,
        })
    }
}
