//! What clients say of touchpoints: the inputs, and how their fields are read with all their faults.

use async_graphql::{ID, InputObject, MaybeUndefined, SimpleObject};
use entity::{
    id::{ChannelId, SegmentId},
    json::{Evidence, EvidenceList, Texts},
    touchpoint,
    words::{Basis, Initiator, Lane, Usage},
};
use sea_orm::ActiveValue;

use crate::{
    error::{Reason, UserErrorCode},
    input::{self, Faults, change, replace},
};

/// What a touchpoint says of itself. Absent keeps (or leaves empty in a new one), null clears.
#[derive(Default, InputObject)]
pub struct TouchpointText {
    /// What the customer does.
    pub customer_action: MaybeUndefined<String>,
    /// Who starts it.
    pub initiator: MaybeUndefined<Initiator>,
    /// How often a month a persona is contacted here.
    pub contacts_per_month: MaybeUndefined<f64>,
    /// What the customer feels, from −2 to 2.
    pub emotion: MaybeUndefined<i32>,
    /// What the employee feels, from −2 to 2.
    pub employee_emotion: MaybeUndefined<i32>,
    /// How much it matters to the customer, from 1 to 5.
    pub importance_customer: MaybeUndefined<i32>,
    /// How much it matters to the organisation, from 1 to 5.
    pub importance_organisation: MaybeUndefined<i32>,
    /// Whether it is used.
    pub usage: Option<Usage>,
    /// Why it is not used.
    pub usage_reason: MaybeUndefined<String>,
    /// Whether the customer decides here to stay or to leave.
    pub moment_of_truth: Option<bool>,
    /// Whether it belongs to the smallest useful map.
    pub essential: Option<bool>,
    /// How many minutes it should take.
    pub expected_minutes: MaybeUndefined<i32>,
    /// How it is known.
    pub basis: Option<Basis>,
    /// What the customer holds or sees; replaces the list.
    pub evidence: Option<Vec<EvidenceInput>>,
    /// The systems that it runs on; replaces the list.
    pub systems: Option<Vec<String>>,
    /// A note.
    pub note: MaybeUndefined<String>,
    /// Its channels, in order; replaces the list.
    pub channel_ids: Option<Vec<ID>>,
    /// The segments that it is for, in order; none means everybody; replaces the list.
    pub audience_segment_ids: Option<Vec<ID>>,
}

/// Something that the customer holds or sees.
#[derive(Clone, InputObject, SimpleObject)]
#[graphql(input_name = "EvidenceInput", name = "Evidence")]
pub struct EvidenceInput {
    /// What it is.
    pub label: String,
    /// Where to find it: an http or https address.
    pub link: Option<String>,
}

/// A new touchpoint at the end of a phase, or behind another.
#[derive(InputObject)]
pub struct TouchpointCreateInput {
    /// An id made by the client (a UUID of version 7), so that a retry makes nothing twice.
    pub id: Option<ID>,
    /// The phase it comes into.
    pub phase_id: ID,
    /// A key, unique in the blueprint; made from the name where none is given.
    pub key: Option<String>,
    /// The name.
    pub name: String,
    /// Who acts in it.
    pub lane: Lane,
    /// The touchpoint behind which it comes: absent for the end of the phase, null for its beginning.
    pub after_id: MaybeUndefined<ID>,
    /// What it says of itself.
    #[graphql(flatten)]
    pub text: TouchpointText,
}

/// What changes in what a touchpoint says. Absent keeps, null clears.
#[derive(InputObject)]
pub struct TouchpointUpdateInput {
    /// Which one.
    pub id: ID,
    /// The version that the change builds on.
    pub expected_version: i32,
    /// What it says of itself.
    #[graphql(flatten)]
    pub text: TouchpointText,
}

/// Another name for a touchpoint.
#[derive(InputObject)]
pub struct TouchpointRenameInput {
    /// Which one.
    pub id: ID,
    /// The version that the change builds on.
    pub expected_version: i32,
    /// The new name.
    pub name: String,
}

/// Another place for a touchpoint.
#[derive(InputObject)]
pub struct TouchpointMoveInput {
    /// Which one.
    pub id: ID,
    /// The version that the change builds on.
    pub expected_version: i32,
    /// The phase it goes to; absent for the one it is in.
    pub phase_id: Option<ID>,
    /// The touchpoint behind which it comes: absent for the end of the phase, null for its beginning.
    pub after_id: MaybeUndefined<ID>,
}

/// Another lane for a touchpoint.
#[derive(InputObject)]
pub struct TouchpointLaneChangeInput {
    /// Which one.
    pub id: ID,
    /// The version that the change builds on.
    pub expected_version: i32,
    /// Who acts in it from now on.
    pub lane: Lane,
}

/// The lists that belong to a touchpoint, where they are to be replaced.
pub(super) struct TouchpointLists {
    pub channels: Option<Vec<ChannelId>>,
    pub audience: Option<Vec<SegmentId>>,
}

impl TouchpointText {
    /// Reads the columns and the lists that change, with every fault in them.
    pub(super) fn read(&self, faults: &mut Faults) -> (touchpoint::ActiveModel, TouchpointLists) {
        let mut text =
            |path: &str, field: &MaybeUndefined<String>| -> ActiveValue<Option<String>> {
                change(field, |text| {
                    faults.optional_text(path, text.map(String::as_str))
                })
            };
        let customer_action = text("customerAction", &self.customer_action);
        let usage_reason = text("usageReason", &self.usage_reason);
        let note = text("note", &self.note);
        let mut scale =
            |path: &str, field: &MaybeUndefined<i32>, scale| -> ActiveValue<Option<i32>> {
                change(field, |value| faults.within(path, value.copied(), scale))
            };
        let row = touchpoint::ActiveModel {
            customer_action,
            usage_reason,
            note,
            emotion: scale("emotion", &self.emotion, -2..=2),
            employee_emotion: scale("employeeEmotion", &self.employee_emotion, -2..=2),
            importance_customer: scale("importanceCustomer", &self.importance_customer, 1..=5),
            importance_organisation: scale(
                "importanceOrganisation",
                &self.importance_organisation,
                1..=5,
            ),
            expected_minutes: scale("expectedMinutes", &self.expected_minutes, 0..=i32::MAX),
            contacts_per_month: change(&self.contacts_per_month, |value| {
                read_contacts(faults, "contactsPerMonth", value.copied())
            }),
            initiator: change(&self.initiator, |value| value.copied()),
            usage: replace(self.usage.as_ref(), |value| *value),
            moment_of_truth: replace(self.moment_of_truth.as_ref(), |value| *value),
            essential: replace(self.essential.as_ref(), |value| *value),
            basis: replace(self.basis.as_ref(), |value| *value),
            evidence: replace(self.evidence.as_ref(), |evidence| {
                let evidence = evidence.iter();
                let evidence = evidence.map(|item| (&*item.label, item.link.as_deref()));
                read_evidence(faults, "evidence", evidence)
            }),
            systems: replace(self.systems.as_ref(), |systems| {
                Texts(faults.names("systems", systems))
            }),
            ..Default::default()
        };
        let channels = self
            .channel_ids
            .as_ref()
            .map(|ids| faults.ids("channelIds", ids));
        let audience = self
            .audience_segment_ids
            .as_ref()
            .map(|ids| faults.ids("audienceSegmentIds", ids));
        (row, TouchpointLists { channels, audience })
    }
}

/// How often a month; not less than never.
pub fn read_contacts(faults: &mut Faults, path: &str, value: Option<f64>) -> Option<f64> {
    let value = faults.finite(path, value);
    if value.is_some_and(|value| value < 0.0) {
        let message = "This cannot be less than nothing.";
        let reason = Some(Reason::OutOfRange);
        faults.add(path, UserErrorCode::Invalid, reason, message);
    }
    value
}

/// What the customer holds or sees: labels and links.
pub fn read_evidence<'e>(
    faults: &mut Faults,
    path: &str,
    evidence: impl ExactSizeIterator<Item = (&'e str, Option<&'e str>)>,
) -> EvidenceList {
    faults.few(path, evidence.len());
    let evidence = evidence.take(input::LIST).enumerate();
    EvidenceList(
        evidence
            .map(|(index, (label, link))| Evidence {
                label: faults.name(&format!("{path}.{index}.label"), label),
                link: faults.link(&format!("{path}.{index}.link"), link),
            })
            .collect(),
    )
}
