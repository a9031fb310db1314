//! The format of an organisation's document, `cx-blueprint/organisation@1`: one struct for each object in it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use entity::words::{
    AcrossParts, Aggregation, BlueprintStatus, Cadence, DepartmentKind, Direction, FeedbackGroup,
    FollowUpCause, InsightKind, KpiScope, KpiType, Medium, ResponsibilityStatus, Role, Sensitivity,
    Stage, Subject, Unit,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::{
    blueprint::{BlueprintDocumentPatch, Document},
    bounds::{read_day, read_day_or_null, read_moment, read_moment_or_null},
    format::DocumentFormat,
};

/// The format that this program reads and writes.
pub const FORMAT: &str = "cx-blueprint/organisation@1";

/// An organisation as it is read.
pub type OrganisationInput = OrganisationDocument<BlueprintDocumentPatch>;
/// An organisation as it is written out.
pub(super) type OrganisationOutput = OrganisationDocument<Document>;

impl DocumentFormat for OrganisationInput {
    const FORMAT: &'static str = FORMAT;

    fn format(&self) -> &str {
        &self.format
    }
}

/// What parts come to where a document does not say: documents of older versions do not.
fn no_sum_across_parts() -> AcrossParts {
    AcrossParts::None
}

macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident $(<$of:ident>)? as $noun:literal { $($(#[$attribute:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
            #[serde(rename_all = "camelCase", deny_unknown_fields)]
            #[schemars(rename = $noun)]
            pub struct $name $(<$of>)? {
                $($(#[$attribute])* pub $field: $type,)*
            }
        )*
    };
}

objects! {
    /// A whole organisation. Order in the document is the order of creation.
    OrganisationDocument<D> as "organisation" {
        /// The format: `cx-blueprint/organisation@1`.
        format: String,
        /// The departments, in any order.
        departments: Vec<DepartmentEntry>,
        /// The channels.
        #[serde(default)]
        channels: Vec<ChannelEntry>,
        /// The segments.
        #[serde(default)]
        segments: Vec<SegmentEntry>,
        /// The personas.
        #[serde(default)]
        personas: Vec<PersonaEntry>,
        /// The KPIs, with their targets and values. What they judge stands in the blueprints.
        #[serde(default)]
        kpis: Vec<KpiEntry>,
        /// What to do about answers, a playbook for each group.
        #[serde(default)]
        playbooks: Vec<PlaybookEntry>,
        /// Which departments work answers on the relationship as a whole.
        #[serde(default)]
        routing_rules: Vec<RoutingRuleEntry>,
        /// What blueprints begin with; absent for the one that every database has.
        #[serde(default)]
        templates: Option<Vec<TemplateEntry>>,
        /// The blueprints.
        #[serde(default = "Vec::<BlueprintEntry<D>>::new")]
        blueprints: Vec<BlueprintEntry<D>>,
    }

    /// A department.
    DepartmentEntry as "department" {
        /// Its key, unique in the organisation.
        key: String,
        /// Its name.
        name: String,
        /// Whether it belongs to the organisation.
        kind: DepartmentKind,
        /// The key of the department that it is part of.
        #[serde(default)]
        parent: Option<String>,
        /// The key of the department that took over what it held.
        #[serde(default)]
        successor: Option<String>,
        /// Since when it is archived.
        #[serde(default, deserialize_with = "read_moment_or_null")]
        archived_at: Option<DateTime<Utc>>,
    }

    /// A channel.
    ChannelEntry as "channel" {
        /// Its key, unique in the organisation.
        key: String,
        /// Its name.
        name: String,
        /// How one meets there.
        medium: Medium,
    }

    /// A segment.
    SegmentEntry as "segment" {
        /// Its key, unique in the organisation.
        key: String,
        /// What people are told apart by.
        dimension: String,
        /// Which of them it is.
        value: String,
    }

    /// A persona.
    PersonaEntry as "persona" {
        /// Its key, unique in the organisation.
        key: String,
        /// Its name.
        name: String,
        /// Whose journeys it makes.
        subject: Subject,
        /// What there is to know of its life.
        #[serde(default)]
        context: Vec<String>,
        /// How often in a month it bears to be contacted.
        #[serde(default)]
        max_contacts_per_month: Option<i32>,
        /// What it needs, in order.
        #[serde(default)]
        needs: Vec<String>,
        /// The keys of the segments that it stands for, in order.
        #[serde(default)]
        segments: Vec<String>,
        /// Since when it is archived.
        #[serde(default, deserialize_with = "read_moment_or_null")]
        archived_at: Option<DateTime<Utc>>,
    }

    /// A KPI.
    KpiEntry as "KPI" {
        /// Its key, unique in the organisation.
        key: String,
        /// Its name.
        name: String,
        /// What exactly is measured, and how.
        #[serde(default)]
        description: Option<String>,
        /// What it is about.
        r#type: KpiType,
        /// What its numbers count.
        unit: Unit,
        /// ISO 4217 code, where the unit is CURRENCY.
        #[serde(default)]
        currency: Option<String>,
        /// How many decimals to show, from 0 to 6.
        decimals: i32,
        /// Which way is better.
        direction: Direction,
        /// How its values become one over time and groups.
        aggregation: Aggregation,
        /// How often it should be measured.
        cadence: Cadence,
        /// The key of the department that owns it.
        owner_department: String,
        /// Who may see its values.
        sensitivity: Sensitivity,
        /// Whether it judges one contact or the relationship as a whole.
        scope: KpiScope,
        /// The day from which on its values are what the answers of feedback give; null where they are recorded. Answers
        /// are not in a document: written out it is never before the day after the export, and no value is of that day or later.
        #[serde(default, deserialize_with = "read_day_or_null")]
        fed_from: Option<NaiveDate>,
        /// As older documents say it: fed from the day after the import on.
        #[serde(default, skip_serializing)]
        fed_by_feedback: bool,
        /// How many answers or cases a period needs to be its current figure; null for the usual.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minimum_sample: Option<i32>,
        /// What the last values of channels, segments or touchpoints come to.
        #[serde(default = "no_sum_across_parts")]
        across_parts: AcrossParts,
        /// Since when it is archived.
        #[serde(default, deserialize_with = "read_moment_or_null")]
        archived_at: Option<DateTime<Utc>>,
        /// What it should reach.
        #[serde(default)]
        targets: Vec<TargetEntry>,
        /// Its values in force; what they corrected is not in it.
        #[serde(default)]
        measurements: Vec<MeasuredEntry>,
    }

    /// What a KPI should reach from a day on.
    TargetEntry as "target" {
        /// The first day.
        #[serde(deserialize_with = "read_day")]
        valid_from: NaiveDate,
        /// The key of the channel that it is for; null for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<String>,
        /// The key of the segment that it is for; null for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        segment: Option<String>,
        /// What it should reach; null for no target from that day on.
        #[serde(default)]
        value: Option<f64>,
        /// The level, on the worse side, up to which a missed target is only AT_RISK.
        #[serde(default)]
        warning: Option<f64>,
    }

    /// A value of a day.
    MeasuredEntry as "measurement" {
        /// The day.
        #[serde(deserialize_with = "read_day")]
        measured_on: NaiveDate,
        /// The key of the blueprint of its touchpoint.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        blueprint: Option<String>,
        /// The key of the touchpoint where it was measured; null for the KPI as a whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        touchpoint: Option<String>,
        /// The key of the channel; null for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<String>,
        /// The key of the segment; null for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        segment: Option<String>,
        /// The value, in the KPI's unit; of a share (the aggregation or the unit RATIO) it may be left out where what was
        /// counted and out of how many is given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<f64>,
        /// What was counted, for a share.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        numerator: Option<f64>,
        /// Out of how many.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        denominator: Option<f64>,
        /// How many answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sample_size: Option<i32>,
        /// Where the value comes from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    }

    /// What to do about the answers of one group.
    PlaybookEntry as "playbook" {
        /// The group.
        group: FeedbackGroup,
        /// The instructions.
        text: String,
        /// Days from the answer until its follow-up is due, from 0 to 365.
        due_days: i32,
        /// Of a hundred answers whose respondent is known, about how many get a follow-up.
        follow_up_percent: i32,
    }

    /// Which department works answers on the relationship as a whole. At least one of the three conditions is set.
    RoutingRuleEntry as "routing rule" {
        /// The key of the segment of the customer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        segment: Option<String>,
        /// The key of the channel of the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<String>,
        /// The cause of the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<FollowUpCause>,
        /// The key of the department.
        department: String,
    }

    /// What blueprints begin with, and the lenses to look at them through.
    TemplateEntry as "template" {
        /// Its key, unique in the organisation.
        key: String,
        /// Its name.
        name: String,
        /// What it is for.
        #[serde(default)]
        description: Option<String>,
        /// The subjects of the journeys that it is for; at least one.
        subjects: Vec<Subject>,
        /// The kinds of insight to look at, in order.
        #[serde(default)]
        lenses: Vec<InsightKind>,
        /// The phases of a new blueprint, in order: 1 to 30.
        phases: Vec<TemplatePhaseEntry>,
    }

    /// A phase with which a blueprint begins.
    TemplatePhaseEntry as "phase of a template" {
        /// Its name.
        name: String,
        /// Where it stands relative to what the customer came for.
        stage: Stage,
        /// What to ask there.
        prompt: String,
        /// The customer's goal in it.
        #[serde(default)]
        customer_goal: Option<String>,
    }

    /// A blueprint: its document, and what has happened to it.
    BlueprintEntry<D> as "blueprint with its history" {
        /// DRAFT, IN_REVIEW or PUBLISHED; of an archived one, what it was archived from.
        status: BlueprintStatus,
        /// Since when it is archived.
        #[serde(default, deserialize_with = "read_moment_or_null")]
        archived_at: Option<DateTime<Utc>>,
        /// Why it was sent back; null unless it is a DRAFT that was.
        #[serde(default)]
        sent_back_reason: Option<String>,
        /// The key of the template that it began with, which names its lenses.
        #[serde(default)]
        template: Option<String>,
        /// What it was copied from.
        #[serde(default)]
        copied_from: Option<OriginEntry>,
        /// What it was, oldest first. One that is PUBLISHED and has none is published as it is.
        #[serde(default = "Vec::<PublicationEntry<D>>::new")]
        publications: Vec<PublicationEntry<D>>,
        /// Who answered for what, and who was asked to, since when. The document's own list stays empty.
        #[serde(default)]
        responsibilities: Vec<ResponsibilityEntry>,
        /// The blueprint as it is.
        document: D,
    }

    /// What a blueprint was copied from.
    OriginEntry as "origin" {
        /// The key of the blueprint.
        blueprint: String,
        /// The keys of its phases, by the keys of the copies.
        #[serde(default)]
        phases: BTreeMap<String, String>,
        /// The keys of its touchpoints, by the keys of the copies.
        #[serde(default)]
        touchpoints: BTreeMap<String, String>,
    }

    /// What a blueprint was.
    PublicationEntry<D> as "publication" {
        /// From 1; null of what was kept before it was replaced.
        #[serde(default)]
        number: Option<i32>,
        /// What people call it.
        #[serde(default)]
        label: Option<String>,
        /// When it was made.
        #[serde(deserialize_with = "read_moment")]
        made_at: DateTime<Utc>,
        /// The blueprint then, without the people named in it.
        document: D,
    }

    /// Touchpoint × department × role: a handshake, and what became of it.
    ResponsibilityEntry as "handshake" {
        /// The key of the touchpoint.
        touchpoint: String,
        /// The key of the department.
        department: String,
        /// Which role.
        role: Role,
        /// What has become of it.
        status: ResponsibilityStatus,
        /// What the department does.
        #[serde(default)]
        tasks: Vec<String>,
        /// What was said with the proposal.
        #[serde(default)]
        note: Option<String>,
        /// The key of the department that proposed; null where a CX manager did.
        #[serde(default)]
        proposed_by_department: Option<String>,
        /// The key of the department that its lead acted from; where it is absent, the one that proposed.
        #[serde(default)]
        proposed_from_department: Option<String>,
        /// When it was proposed; where it is absent, at loading.
        #[serde(default, deserialize_with = "read_moment_or_null")]
        proposed_at: Option<DateTime<Utc>>,
        /// Of a proposal of ACCOUNTABLE: the key of the department that it replaces.
        #[serde(default)]
        replaces: Option<String>,
        /// Why it was declined.
        #[serde(default)]
        reason: Option<String>,
        /// When it was answered.
        #[serde(default, deserialize_with = "read_moment_or_null")]
        decided_at: Option<DateTime<Utc>>,
        /// In force since; null for since ever, once accepted.
        #[serde(default, deserialize_with = "read_moment_or_null")]
        valid_from: Option<DateTime<Utc>>,
        /// In force until, this moment left out.
        #[serde(default, deserialize_with = "read_moment_or_null")]
        valid_to: Option<DateTime<Utc>>,
        /// When whoever was accountable agreed to hand over.
        #[serde(default, deserialize_with = "read_moment_or_null")]
        handed_over_at: Option<DateTime<Utc>>,
        /// Accepted without asking the department, and not confirmed yet.
        #[serde(default)]
        unasked: bool,
    }
}
