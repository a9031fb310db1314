//! The edges of feedback: what an answer is about, who gave it, who looks after it, and what is done.

use async_graphql::{ComplexObject, Context};
use entity::feedback as answers;

use super::super::{
    loaders::{FollowUpOf, PlaybookOfFeedbackGroup},
    permissions,
};
use crate::{
    account::graphql::Account,
    batch::load,
    blueprint::graphql::Blueprint,
    department::graphql::Department,
    error::Result,
    feedback::{
        graphql::{Feedback, FollowUp, Playbook, RoutingRule},
        may_see_respondent,
    },
    payload::{caller, into_node},
    persona::graphql::{Channel, Persona, Segment},
    policy::Action,
    touchpoint::graphql::Touchpoint,
};

impl Feedback {
    /// What may be known only by those who look after the answer.
    fn read_respondent_detail(
        &self,
        ctx: &Context<'_>,
        what: impl FnOnce(&answers::Model) -> Option<&String>,
    ) -> Result<Option<String>> {
        let may_know = may_see_respondent(caller(ctx)?, &self.row);
        Ok(what(&self.row).filter(|_| may_know).cloned())
    }
}

#[ComplexObject]
impl Feedback {
    /// The permissions that you have on it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::on_feedback(caller(ctx)?, &self.row))
    }

    /// The respondent: a customer number or a name; null if unknown, erased, or not for you to see. Requires:
    /// WORK_FOLLOW_UP.
    async fn respondent(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        self.read_respondent_detail(ctx, |row| row.respondent.as_ref())
            .transpose()
    }

    /// The respondent's contact details; null if unknown, erased, or not for you to see. Requires: WORK_FOLLOW_UP.
    async fn contact(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        self.read_respondent_detail(ctx, |row| row.contact.as_ref())
            .transpose()
    }

    /// The respondent's comment; null if there is none, it was erased, or you may not see it. Requires: WORK_FOLLOW_UP.
    async fn comment(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        self.read_respondent_detail(ctx, |row| row.comment.as_ref())
            .transpose()
    }

    /// Id of the answer in the system that collected it; null if it has none, or you may not see it. Requires:
    /// WORK_FOLLOW_UP.
    async fn external_id(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        self.read_respondent_detail(ctx, |row| row.external_id.as_ref())
            .transpose()
    }

    /// The touchpoint that it is about; null for the relationship as a whole.
    async fn touchpoint(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        into_node(load(ctx, self.row.touchpoint_id?)).await
    }

    /// The blueprint that it is about; null if none was named.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        into_node(load(ctx, self.row.blueprint_id?)).await
    }

    /// The customer's persona; null if none was named.
    async fn persona(&self, ctx: &Context<'_>) -> Option<Result<Persona>> {
        into_node(load(ctx, self.row.persona_id?)).await
    }

    /// The customer's channel; null if none was named.
    async fn channel(&self, ctx: &Context<'_>) -> Option<Result<Channel>> {
        into_node(load(ctx, self.row.channel_id?)).await
    }

    /// The customer's segment; null if none was named.
    async fn segment(&self, ctx: &Context<'_>) -> Option<Result<Segment>> {
        into_node(load(ctx, self.row.segment_id?)).await
    }

    /// The department that works it: the one that was ACCOUNTABLE at the contact, that a routing rule or the owner of what
    /// it is about names, or to which it was handed; null if there is none.
    async fn department(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        into_node(load(ctx, self.row.department_id?)).await
    }

    /// Its follow-up; null if the respondent was never known, or its group's playbook follows up only a share.
    async fn follow_up(&self, ctx: &Context<'_>) -> Option<Result<FollowUp>> {
        into_node(load(ctx, FollowUpOf(self.row.id))).await
    }
}

#[ComplexObject]
impl RoutingRule {
    /// The permissions that you have on it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::on_catalogue(caller(ctx)?))
    }

    /// The segment of the customers; null for any.
    async fn segment(&self, ctx: &Context<'_>) -> Option<Result<Segment>> {
        into_node(load(ctx, self.row.segment_id?)).await
    }

    /// The channel of the answers; null for any.
    async fn channel(&self, ctx: &Context<'_>) -> Option<Result<Channel>> {
        into_node(load(ctx, self.row.channel_id?)).await
    }

    /// The department that works such answers; its successor does, where it is archived.
    async fn department(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        into_node(load(ctx, self.row.department_id)).await
    }
}

#[ComplexObject]
impl FollowUp {
    /// The permissions that you have on it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let answer = load(ctx, self.row.feedback_id).await?;
        let caller = caller(ctx)?;
        Ok(answer.map_or_else(Vec::new, |row| permissions::on_feedback(caller, &row)))
    }

    /// The answer.
    async fn feedback(&self, ctx: &Context<'_>) -> Option<Result<Feedback>> {
        into_node(load(ctx, self.row.feedback_id)).await
    }

    /// The department that works it; null if there is none: it is then unroutable, and worked by CX managers until they
    /// hand it to one.
    async fn department(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        match load(ctx, self.row.feedback_id).await {
            Ok(answer) => into_node(load(ctx, answer?.department_id?)).await,
            Err(error) => Some(Err(error)),
        }
    }

    /// The account that works it; null while none is named.
    async fn assignee(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        into_node(load(ctx, self.row.assignee_account_id?)).await
    }

    /// The result; null if none is noted, or you may not see it. Requires: WORK_FOLLOW_UP.
    async fn note(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        let answer = match load(ctx, self.row.feedback_id).await {
            Ok(answer) => answer?,
            Err(error) => return Some(Err(error)),
        };
        match caller(ctx) {
            Ok(caller) if may_see_respondent(caller, &answer) => self.row.note.clone().map(Ok),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// The playbook for such an answer; null if its group has none.
    async fn playbook(&self, ctx: &Context<'_>) -> Option<Result<Playbook>> {
        into_node(async {
            match load(ctx, self.row.feedback_id).await? {
                Some(answer) => load(ctx, PlaybookOfFeedbackGroup(answer.answer_group)).await,
                None => Ok(None),
            }
        })
        .await
    }
}
