//! The access table: actions × roles. A new action does not compile until the table answers for it.

use async_graphql::Enum;

macro_rules! actions {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)*) => {
        /// A permission: an action of the access table. What is archived keeps its permissions, and refuses changes with
        /// ARCHIVED until it is unarchived.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enum)]
        #[graphql(name = "Permission")]
        pub enum Action {
            $($(#[doc = $doc])+ #[graphql(name = $text)] $name,)*
        }

        impl Action {
            /// Every action, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The action as the API spells it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The action in words, as the API describes it: an imperative sentence.
            #[must_use]
            pub const fn describe(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+),)*
                }
            }
        }
    };
}

actions! {
    /// Read published and archived blueprints of visibility ORGANISATION, personas, KPI definitions, departments, names
    /// of accounts.
    ReadPublished = "READ_PUBLISHED",
    /// Read published and archived blueprints of visibility PARTICIPANTS.
    ReadRestricted = "READ_RESTRICTED",
    /// Read blueprints that are drafts or in review.
    ReadDraft = "READ_DRAFT",
    /// Read the values of a confidential KPI.
    ReadConfidential = "READ_CONFIDENTIAL",
    /// Change the descriptive fields of a touchpoint, its insights, promises and evaluations, and the sources of these
    /// insights.
    DescribeTouchpoint = "DESCRIBE_TOUCHPOINT",
    /// Change insights about a blueprint as a whole, and sources on which other people's insights rest.
    DescribeBlueprint = "DESCRIBE_BLUEPRINT",
    /// Change a blueprint's structure, title, personas and visibility, submit it for review, and delete a
    /// never-published draft.
    ShapeBlueprint = "SHAPE_BLUEPRINT",
    /// Create a blueprint.
    CreateBlueprint = "CREATE_BLUEPRINT",
    /// Publish, send back, archive, unarchive and restore a blueprint, and change its owner.
    GovernBlueprint = "GOVERN_BLUEPRINT",
    /// Create, change and delete personas, segments, channels, templates, playbooks and routing
    /// rules.
    KeepCatalogue = "KEEP_CATALOGUE",
    /// Import a blueprint's document.
    ImportDocument = "IMPORT_DOCUMENT",
    /// Import responsibilities as accepted rather than as proposals.
    ImportAccepted = "IMPORT_ACCEPTED",
    /// Propose a responsibility.
    ProposeResponsibility = "PROPOSE_RESPONSIBILITY",
    /// Accept a proposed responsibility.
    AcceptResponsibility = "ACCEPT_RESPONSIBILITY",
    /// Decline a proposed responsibility.
    DeclineResponsibility = "DECLINE_RESPONSIBILITY",
    /// Withdraw a proposal.
    WithdrawResponsibility = "WITHDRAW_RESPONSIBILITY",
    /// End a responsibility.
    EndResponsibility = "END_RESPONSIBILITY",
    /// Set the tasks and the person of a responsibility.
    DescribeResponsibility = "DESCRIBE_RESPONSIBILITY",
    /// Define a KPI, its targets and links, and grant a confidential one.
    DefineKpi = "DEFINE_KPI",
    /// Archive and unarchive a KPI, and change its owner.
    GovernKpi = "GOVERN_KPI",
    /// Record and correct measurements.
    RecordMeasurement = "RECORD_MEASUREMENT",
    /// Record feedback.
    RecordFeedback = "RECORD_FEEDBACK",
    /// Read the respondent, contact and comment of feedback, and work its follow-up.
    WorkFollowUp = "WORK_FOLLOW_UP",
    /// Assign a follow-up and set its due day.
    AssignFollowUp = "ASSIGN_FOLLOW_UP",
    /// Hand the follow-up of an answer to another department.
    HandOverFollowUp = "HAND_OVER_FOLLOW_UP",
    /// Erase the respondent, contact and comment of feedback.
    EraseRespondent = "ERASE_RESPONDENT",
    /// Create, change and delete improvements.
    KeepImprovements = "KEEP_IMPROVEMENTS",
    /// Dismiss a finding, or reopen it.
    DismissFinding = "DISMISS_FINDING",
    /// Dismiss a finding of severity ERROR, or reopen it.
    DismissError = "DISMISS_ERROR",
    /// Read flat KPI rows for BI.
    PullFlatRows = "PULL_FLAT_ROWS",
    /// Preview the consequences of archiving or merging a department, or of deactivating one of its people.
    WhatIf = "WHAT_IF",
    /// Grant and revoke memberships of a department other than LEAD.
    KeepMembers = "KEEP_MEMBERS",
    /// Manage accounts, departments, leads, successors and service tokens.
    KeepOrganisation = "KEEP_ORGANISATION",
    /// Change one's own password, and read and end one's own sessions.
    KeepOwnSignIn = "KEEP_OWN_SIGN_IN",
    /// Read who changed what in a blueprint, and in a KPI that is one's own or judges one's blueprints.
    ReadHistory = "READ_HISTORY",
    /// Read the audit log.
    ReadAudit = "READ_AUDIT",
}

/// A relation of a department to the thing acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// Owns the blueprint, or holds or is offered a responsibility in it.
    Participates,
    /// Owns the blueprint.
    OwnsBlueprint,
    /// Is RESPONSIBLE or ACCOUNTABLE at the touchpoint.
    Delivers,
    /// Owns the KPI.
    OwnsKpi,
    /// Owns the improvement.
    OwnsImprovement,
    /// Looks after the feedback: it was routed to it.
    LooksAfter,
    /// Holds the responsibility.
    Holds,
    /// Made the proposal, or would make it.
    Proposes,
    /// May say yes to the proposal, by the rules of the handshake.
    MayAccept,
    /// May say no to it.
    MayDecline,
    /// May end the responsibility.
    MayEnd,
    /// Is the department acted on.
    IsIt,
}

impl Relation {
    /// Every relation.
    pub const ALL: &[Self] = &[
        Self::Participates,
        Self::OwnsBlueprint,
        Self::Delivers,
        Self::OwnsKpi,
        Self::OwnsImprovement,
        Self::LooksAfter,
        Self::Holds,
        Self::Proposes,
        Self::MayAccept,
        Self::MayDecline,
        Self::MayEnd,
        Self::IsIt,
    ];

    /// The relation as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Participates => "PARTICIPATES",
            Self::OwnsBlueprint => "OWNS_BLUEPRINT",
            Self::Delivers => "DELIVERS",
            Self::OwnsKpi => "OWNS_KPI",
            Self::OwnsImprovement => "OWNS_IMPROVEMENT",
            Self::LooksAfter => "LOOKS_AFTER",
            Self::Holds => "HOLDS",
            Self::Proposes => "PROPOSES",
            Self::MayAccept => "MAY_ACCEPT",
            Self::MayDecline => "MAY_DECLINE",
            Self::MayEnd => "MAY_END",
            Self::IsIt => "IS_IT",
        }
    }
}

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountRole {
    Member,
    Viewer,
    Contributor,
    Lead,
    Analyst,
    Auditor,
    CxManager,
    Admin,
}

impl AccountRole {
    /// Every role, in the order of the table's columns.
    pub const ALL: &[Self] = &[
        Self::Member,
        Self::Viewer,
        Self::Contributor,
        Self::Lead,
        Self::Analyst,
        Self::Auditor,
        Self::CxManager,
        Self::Admin,
    ];
}

/// The table's answer for one action and one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyCell {
    No,
    /// No, whatever the account's other roles say: AUDITOR, ANALYST and ADMIN read no customer's words.
    Never,
    Yes,
    /// Yes, where the department in which the role is held stands in one of these relations to the thing.
    Where(&'static [Relation]),
    /// Yes, where it was granted to the account by name.
    Granted,
}

/// The row of an action, in the order of [`AccountRole::ALL`].
#[must_use]
#[rustfmt::skip]
pub const fn policy_row(action: Action) -> [PolicyCell; 8] {
    use Action as A;
    use PolicyCell::{Granted, Never, No, Yes};
    const PART: PolicyCell = PolicyCell::Where(&[Relation::Participates]);
    const DELI: PolicyCell = PolicyCell::Where(&[Relation::Delivers]);
    const DE_OW: PolicyCell = PolicyCell::Where(&[Relation::Delivers, Relation::OwnsBlueprint]);
    const OWNS: PolicyCell = PolicyCell::Where(&[Relation::OwnsBlueprint]);
    const KPI: PolicyCell = PolicyCell::Where(&[Relation::OwnsKpi]);
    const IMPRO: PolicyCell = PolicyCell::Where(&[Relation::OwnsImprovement]);
    const AFTER: PolicyCell = PolicyCell::Where(&[Relation::LooksAfter]);
    const HOLDS: PolicyCell = PolicyCell::Where(&[Relation::Holds]);
    const PROPO: PolicyCell = PolicyCell::Where(&[Relation::Proposes]);
    const ACCEP: PolicyCell = PolicyCell::Where(&[Relation::MayAccept]);
    const DECLI: PolicyCell = PolicyCell::Where(&[Relation::MayDecline]);
    const END: PolicyCell = PolicyCell::Where(&[Relation::MayEnd]);
    const OWN: PolicyCell = PolicyCell::Where(&[Relation::IsIt]);
    match action {
        //                           MEMBER VIEWER CONTR. LEAD   ANALYST  AUDIT. CX_M. ADMIN
        A::ReadPublished          => [Yes,  Yes,   Yes,   Yes,   Yes,     Yes,   Yes,  Yes],
        A::ReadRestricted         => [No,   PART,  PART,  PART,  Yes,     Yes,   Yes,  Yes],
        A::ReadDraft              => [No,   PART,  PART,  PART,  No,      Yes,   Yes,  No ],
        A::ReadConfidential       => [No,   No,    KPI,   KPI,   Granted, Yes,   Yes,  No ],
        A::DescribeTouchpoint     => [No,   No,    DELI,  DE_OW, No,      No,    Yes,  No ],
        A::DescribeBlueprint      => [No,   No,    No,    OWNS,  No,      No,    Yes,  No ],
        A::ShapeBlueprint         => [No,   No,    No,    OWNS,  No,      No,    Yes,  No ],
        A::CreateBlueprint        => [No,   No,    No,    OWNS,  No,      No,    Yes,  No ],
        A::GovernBlueprint        => [No,   No,    No,    No,    No,      No,    Yes,  No ],
        A::KeepCatalogue          => [No,   No,    No,    No,    No,      No,    Yes,  No ],
        A::ImportDocument         => [No,   No,    No,    OWNS,  No,      No,    Yes,  No ],
        A::ImportAccepted         => [No,   No,    No,    No,    No,      No,    Yes,  No ],
        A::ProposeResponsibility  => [No,   No,    No,    PROPO, No,      No,    Yes,  No ],
        A::AcceptResponsibility   => [No,   No,    No,    ACCEP, No,      No,    Yes,  No ],
        A::DeclineResponsibility  => [No,   No,    No,    DECLI, No,      No,    Yes,  No ],
        A::WithdrawResponsibility => [No,   No,    No,    PROPO, No,      No,    Yes,  No ],
        A::EndResponsibility      => [No,   No,    No,    END,   No,      No,    Yes,  No ],
        A::DescribeResponsibility => [No,   No,    No,    HOLDS, No,      No,    Yes,  No ],
        A::DefineKpi              => [No,   No,    No,    KPI,   No,      No,    Yes,  No ],
        A::GovernKpi              => [No,   No,    No,    No,    No,      No,    Yes,  No ],
        A::RecordMeasurement      => [No,   No,    KPI,   KPI,   No,      No,    Yes,  No ],
        A::RecordFeedback         => [No,   No,    DELI,  DELI,  No,      No,    Yes,  No ],
        A::WorkFollowUp           => [No,   No,    AFTER, AFTER, Never,   Never, Yes,  Never],
        A::AssignFollowUp         => [No,   No,    No,    AFTER, Never,   Never, Yes,  Never],
        A::HandOverFollowUp       => [No,   No,    No,    No,    No,      No,    Yes,  No ],
        A::EraseRespondent        => [No,   No,    No,    No,    No,      No,    Yes,  No ],
        A::KeepImprovements       => [No,   No,    No,    IMPRO, No,      No,    Yes,  No ],
        A::DismissFinding         => [No,   No,    No,    OWNS,  No,      No,    Yes,  No ],
        A::DismissError           => [No,   No,    No,    No,    No,      No,    Yes,  No ],
        A::PullFlatRows           => [No,   No,    No,    OWN,   Yes,     Yes,   Yes,  No ],
        A::WhatIf                 => [No,   No,    No,    OWN,   No,      No,    Yes,  Yes],
        A::KeepMembers            => [No,   No,    No,    OWN,   No,      No,    No,   Yes],
        A::KeepOrganisation       => [No,   No,    No,    No,    No,      No,    No,   Yes],
        A::KeepOwnSignIn          => [Yes,  Yes,   Yes,   Yes,   Yes,     Yes,   Yes,  Yes],
        A::ReadHistory            => [No,   PART,  PART,  PART,  No,      Yes,   Yes,  No ],
        A::ReadAudit              => [No,   No,    No,    OWN,   No,      Yes,   No,   Yes],
    }
}
