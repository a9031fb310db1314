//! An answer on its way in: read from the input, not yet recorded.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    feedback,
    id::{AccountId, BlueprintId, ChannelId, Id, PersonaId, SegmentId, TouchpointId},
    words::{FeedbackGroup, FeedbackScale, FollowUpCause, FollowUpState},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    error::{Error, Result},
    kpi::answers,
};

/// How many answers one batch has at the most.
pub const MOST: usize = 1_000;

/// An answer as it was read from the input, and where in the list it stands.
pub(super) struct AnswerEntry {
    pub path: String,
    pub scale: FeedbackScale,
    pub score: i32,
    pub touchpoint: Option<TouchpointId>,
    pub blueprint: Option<BlueprintId>,
    pub persona: Option<PersonaId>,
    pub channel: Option<ChannelId>,
    pub segment: Option<SegmentId>,
    pub at: DateTime<Utc>,
    /// Whether the moment was said, and not the day alone.
    pub moment_said: bool,
    pub on: NaiveDate,
    /// The day of the contact that it is about.
    pub met_on: Option<NaiveDate>,
    /// The moment of that contact as far as it is known, else of the answer: who answered for the place then works it.
    pub met_at: DateTime<Utc>,
    pub cause: Option<FollowUpCause>,
    pub external_id: Option<String>,
    pub respondent: Option<String>,
    pub contact: Option<String>,
    pub comment: Option<String>,
    pub follow_up: FollowUpState,
}

impl AnswerEntry {
    pub(super) fn group(&self) -> FeedbackGroup {
        answers::group_of_score(self.scale, self.score)
    }

    pub(super) fn field_path(&self, field: &str) -> String {
        format!("{}.{field}", self.path)
    }

    /// The fields in which it says something else of the answer than what is kept of it; what it leaves out it does not
    /// say. Who gave it, and their words, may have been erased since.
    pub(super) fn fields_unlike_stored_answer(&self, row: &feedback::Model) -> Vec<&'static str> {
        fn differs<T: PartialEq>(said: &Option<T>, kept: &Option<T>) -> bool {
            said.is_some() && said != kept
        }
        let kept = row.erased_at.is_none();
        let fields = [
            ("scale", self.scale != row.scale),
            ("score", self.score != row.score),
            ("answeredAt", self.moment_said && self.at != row.answered_at),
            (
                "answeredOn",
                !self.moment_said && self.on != row.answered_on,
            ),
            ("touchpointId", self.touchpoint != row.touchpoint_id),
            ("blueprintId", differs(&self.blueprint, &row.blueprint_id)),
            ("personaId", differs(&self.persona, &row.persona_id)),
            ("channelId", differs(&self.channel, &row.channel_id)),
            ("segmentId", differs(&self.segment, &row.segment_id)),
            ("metOn", differs(&self.met_on, &row.met_on)),
            ("cause", differs(&self.cause, &row.cause)),
            (
                "respondent",
                kept && differs(&self.respondent, &row.respondent),
            ),
            ("contact", kept && differs(&self.contact, &row.contact)),
            ("comment", kept && differs(&self.comment, &row.comment)),
        ];
        let fields = fields.into_iter().filter(|(_, differs)| *differs);
        fields.map(|(name, _)| name).collect()
    }

    /// What of the answer would tell who an employee is.
    pub(super) fn identifying_fields(&self) -> [(&'static str, bool); 5] {
        [
            ("metOn", self.met_on.is_some()),
            ("cause", self.cause.is_some()),
            ("respondent", self.respondent.is_some()),
            ("contact", self.contact.is_some()),
            ("comment", self.comment.is_some()),
        ]
    }
}

/// What is left of an external id when its answer is erased, or is an employee's: enough to know the answer again when
/// it comes in once more, and no way back to the id but by guessing it.
pub(super) fn digest_external_id(recorder: Option<AccountId>, external_id: &str) -> Result<String> {
    let whose = recorder.map_or_else(Vec::new, |account| account.uuid().as_bytes().to_vec());
    // Keyed by who recorded it: the same id of two systems gives two digests, so that neither learns what the other
    // sent.
    let mut mac = Hmac::<Sha256>::new_from_slice(&whose).map_err(Error::internal)?;
    mac.update(external_id.as_bytes());
    let digest = mac.finalize().into_bytes();
    let hex = digest.iter().map(|byte| format!("{byte:02x}"));
    Ok(format!("{ERASED}{}", hex.collect::<String>()))
}

/// What the external id of an erased answer begins with.
pub(super) const ERASED: &str = "erased:";
