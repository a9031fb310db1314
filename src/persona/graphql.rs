//! Personas, segments and channels in the API: what they show of themselves, and what people do to them.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{
    channel, persona, persona_need, segment,
    words::{Medium, Subject},
};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    PersonaCreateInput, PersonaUpdateInput,
    channel::{ChannelCreateInput, ChannelUpdateInput},
    segment::{SegmentCreateInput, SegmentUpdateInput},
};
use crate::{
    account::authorship::Authorship,
    error::Result,
    input::{AtVersionInput, By},
    page::{self, ObjectPage, PageArguments},
    payload,
    payload::{caller, into_node, mutation_caller},
};

/// A persona: an archetype of customers or employees.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Persona {
    /// The object's id.
    pub id: ID,
    /// Its key, unique in the organisation.
    pub key: String,
    /// The name.
    pub name: String,
    /// Whether it is an archetype of customers or of employees.
    pub subject: Subject,
    /// The context of the persona's life.
    pub context: Vec<String>,
    /// The largest number of contacts a month that the persona tolerates.
    pub max_contacts_per_month: Option<i32>,
    /// Counts its changes, those of its needs and segments included; send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    /// Time of archiving; null while it is not archived.
    pub archived_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    pub row: Arc<persona::Model>,
    /// The needs in order, where they were read together with the persona.
    #[graphql(skip)]
    pub known_needs: Option<Vec<persona_need::Model>>,
}

impl From<persona::Model> for Persona {
    fn from(row: persona::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            key: row.key.clone(),
            name: row.name.clone(),
            subject: row.subject,
            context: row.context.0.clone(),
            max_contacts_per_month: row.max_contacts_per_month,
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            archived_at: row.archived_at,
            row: Arc::new(row),
            known_needs: None,
        }
    }
}

impl Persona {
    /// A persona whose needs were read with it.
    #[must_use]
    pub fn with_needs(row: &persona::Model, needs: &[persona_need::Model]) -> Self {
        Self {
            known_needs: Some(needs.to_vec()),
            ..row.clone().into()
        }
    }
}

/// One need of a persona.
#[derive(Clone, SimpleObject)]
pub struct PersonaNeed {
    /// The object's id.
    pub id: ID,
    /// The need, as a text.
    pub text: String,
}

impl From<persona_need::Model> for PersonaNeed {
    fn from(row: persona_need::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            text: row.text,
        }
    }
}

/// A real group of people: a dimension and a value.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Segment {
    /// The object's id.
    pub id: ID,
    /// Its key, unique in the organisation.
    pub key: String,
    /// The dimension, such as LIFE_STAGE.
    pub dimension: String,
    /// The value of the dimension, such as STUDENT.
    pub value: String,
    /// Version number: rises with every change of the object. Send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
}

impl From<segment::Model> for Segment {
    fn from(row: segment::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            key: row.key,
            dimension: row.dimension,
            value: row.value,
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
        }
    }
}

/// A channel through which customers and the organisation meet.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Channel {
    /// The object's id.
    pub id: ID,
    /// Its key, unique in the organisation.
    pub key: String,
    /// The name.
    pub name: String,
    /// The kind of channel.
    pub medium: Medium,
    /// Version number: rises with every change of the object. Send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
}

impl From<channel::Model> for Channel {
    fn from(row: channel::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            key: row.key,
            name: row.name,
            medium: row.medium,
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
        }
    }
}

/// Conditions on the personas to list; all that are given must hold.
#[derive(Default, InputObject)]
pub struct PersonaFilter {
    /// Only of this subject.
    pub subject: Option<Subject>,
    /// Also archived ones.
    #[graphql(default)]
    pub include_archived: bool,
}

/// Conditions on the segments to list; all that are given must hold.
#[derive(Default, InputObject)]
pub struct SegmentFilter {
    /// Only of this dimension.
    pub dimension: Option<String>,
}

/// Conditions on the channels to list; all that are given must hold.
#[derive(Default, InputObject)]
pub struct ChannelFilter {
    /// Only of this medium.
    pub medium: Option<Medium>,
}

/// Reading personas, segments and channels.
#[derive(Default)]
pub struct PersonaQuery;

#[Object]
impl PersonaQuery {
    /// A persona by id or key; null if there is none that you may see.
    async fn persona(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id or its key.")] by: By,
    ) -> Option<Result<Persona>> {
        into_node(async { caller(ctx)?.get_by_id_or_key::<persona::Entity>(&by).await }).await
    }

    /// Personas, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn personas(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<PersonaFilter>,
    ) -> Result<ObjectPage<Persona>> {
        let caller = caller(ctx)?;
        let filter = filter.unwrap_or_default();
        let mut select = caller.select::<persona::Entity>();
        if let Some(subject) = filter.subject {
            select = select.filter(persona::Column::Subject.eq(subject));
        }
        if !filter.include_archived {
            select = select.filter(persona::Column::ArchivedAt.is_null());
        }
        page::page_oldest_first(ctx, select, PageArguments { first, after }, Persona::from).await
    }

    /// A segment by id or key.
    async fn segment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id or its key.")] by: By,
    ) -> Option<Result<Segment>> {
        into_node(async { caller(ctx)?.get_by_id_or_key::<segment::Entity>(&by).await }).await
    }

    /// Segments, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn segments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<SegmentFilter>,
    ) -> Result<ObjectPage<Segment>> {
        let caller = caller(ctx)?;
        let mut select = caller.select::<segment::Entity>();
        if let Some(dimension) = filter.and_then(|filter| filter.dimension) {
            select = select.filter(segment::Column::Dimension.eq(dimension));
        }
        page::page_oldest_first(ctx, select, PageArguments { first, after }, Segment::from).await
    }

    /// A channel by id or key.
    async fn channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id or its key.")] by: By,
    ) -> Option<Result<Channel>> {
        into_node(async { caller(ctx)?.get_by_id_or_key::<channel::Entity>(&by).await }).await
    }

    /// Channels, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn channels(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<ChannelFilter>,
    ) -> Result<ObjectPage<Channel>> {
        let caller = caller(ctx)?;
        let mut select = caller.select::<channel::Entity>();
        if let Some(medium) = filter.and_then(|filter| filter.medium) {
            select = select.filter(channel::Column::Medium.eq(medium));
        }
        page::page_oldest_first(ctx, select, PageArguments { first, after }, Channel::from).await
    }
}

payload! {
    /// Result of a mutation on a persona.
    PersonaPayload {
        /// The persona as it is now.
        persona: Persona of persona::Entity
    }
}

payload! {
    /// Result of a mutation on a segment.
    SegmentPayload {
        /// The segment as it is now; as it was, where it was deleted.
        segment: Segment of segment::Entity
    }
}

payload! {
    /// Result of a mutation on a channel.
    ChannelPayload {
        /// The channel as it is now; as it was, where it was deleted.
        channel: Channel of channel::Entity
    }
}

/// Changing personas, segments and channels.
#[derive(Default)]
pub struct PersonaMutation;

#[Object]
impl PersonaMutation {
    /// Creates a persona. Requires: KEEP_CATALOGUE.
    async fn persona_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: PersonaCreateInput,
    ) -> Result<PersonaPayload> {
        let caller = mutation_caller(ctx)?;
        PersonaPayload::from_result(&caller, super::create(&caller, input).await).await
    }

    /// Changes name, context, needs or segments of a persona. Requires: KEEP_CATALOGUE.
    async fn persona_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: PersonaUpdateInput,
    ) -> Result<PersonaPayload> {
        let caller = mutation_caller(ctx)?;
        PersonaPayload::from_result(&caller, super::update(&caller, input).await).await
    }

    /// Archives a persona; blueprints keep showing it. Requires: KEEP_CATALOGUE.
    async fn persona_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<PersonaPayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::set_archived(&caller, &input, true).await;
        PersonaPayload::from_result(&caller, result).await
    }

    /// Unarchives a persona. Requires: KEEP_CATALOGUE.
    async fn persona_unarchive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<PersonaPayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::set_archived(&caller, &input, false).await;
        PersonaPayload::from_result(&caller, result).await
    }

    /// Creates a segment. Requires: KEEP_CATALOGUE.
    async fn segment_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: SegmentCreateInput,
    ) -> Result<SegmentPayload> {
        let caller = mutation_caller(ctx)?;
        SegmentPayload::from_result(&caller, super::segment::create(&caller, input).await).await
    }

    /// Changes dimension or value of a segment. Requires: KEEP_CATALOGUE.
    async fn segment_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: SegmentUpdateInput,
    ) -> Result<SegmentPayload> {
        let caller = mutation_caller(ctx)?;
        SegmentPayload::from_result(&caller, super::segment::update(&caller, input).await).await
    }

    /// Deletes a segment that no persona, touchpoint, measurement or target names. Requires: KEEP_CATALOGUE.
    async fn segment_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<SegmentPayload> {
        let caller = mutation_caller(ctx)?;
        SegmentPayload::from_result(&caller, super::segment::delete(&caller, &input).await).await
    }

    /// Creates a channel. Requires: KEEP_CATALOGUE.
    async fn channel_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: ChannelCreateInput,
    ) -> Result<ChannelPayload> {
        let caller = mutation_caller(ctx)?;
        ChannelPayload::from_result(&caller, super::channel::create(&caller, input).await).await
    }

    /// Changes name or medium of a channel. Requires: KEEP_CATALOGUE.
    async fn channel_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: ChannelUpdateInput,
    ) -> Result<ChannelPayload> {
        let caller = mutation_caller(ctx)?;
        ChannelPayload::from_result(&caller, super::channel::update(&caller, input).await).await
    }

    /// Deletes a channel that no touchpoint, measurement or target names. Requires: KEEP_CATALOGUE.
    async fn channel_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<ChannelPayload> {
        let caller = mutation_caller(ctx)?;
        ChannelPayload::from_result(&caller, super::channel::delete(&caller, &input).await).await
    }
}
