//! The access table: actions × roles. A new action does not compile until the table answers for it.

use async_graphql::Enum;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A thing people do, as the access table names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enum)]
        #[graphql(name = "Permission")]
        pub enum Action {
            $($(#[$doc])* #[graphql(name = $text)] $name,)*
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
        }
    };
}

actions! {
    /// Read published and archived blueprints of visibility ORGANISATION, personas, KPI definitions, departments, names of accounts.
    ReadPublished = "READ_PUBLISHED",
    /// Read published and archived blueprints of visibility PARTICIPANTS.
    ReadRestricted = "READ_RESTRICTED",
    /// Read drafts and what is in review.
    ReadDraft = "READ_DRAFT",
    /// Read the values of a confidential KPI.
    ReadConfidential = "READ_CONFIDENTIAL",
    /// Change what a touchpoint says (name, note, emotions, importance, usage, evidence, systems, channels) and what is known there: insights, promises and evaluations, and the sources that these insights rest on.
    DescribeTouchpoint = "DESCRIBE_TOUCHPOINT",
    /// Change what is known of a blueprint as a whole: its insights, and the sources that insights of others rest on.
    DescribeBlueprint = "DESCRIBE_BLUEPRINT",
    /// Change a blueprint's structure, title, personas and visibility; submit it for review; delete a never-published draft.
    ShapeBlueprint = "SHAPE_BLUEPRINT",
    /// Create a blueprint.
    CreateBlueprint = "CREATE_BLUEPRINT",
    /// Publish, send back, archive and unarchive a blueprint, change its owner.
    GovernBlueprint = "GOVERN_BLUEPRINT",
    /// Keep personas, segments, channels, templates and playbooks.
    KeepCatalogue = "KEEP_CATALOGUE",
    /// Import a blueprint's document.
    ImportDocument = "IMPORT_DOCUMENT",
    /// Import responsibilities as accepted; those of others arrive as proposals.
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
    /// Say the tasks and the person of a responsibility.
    DescribeResponsibility = "DESCRIBE_RESPONSIBILITY",
    /// Define a KPI, its targets and links, and grant a confidential one.
    DefineKpi = "DEFINE_KPI",
    /// Archive a KPI, change its owner.
    GovernKpi = "GOVERN_KPI",
    /// Record and correct measurements.
    RecordMeasurement = "RECORD_MEASUREMENT",
    /// Record feedback.
    RecordFeedback = "RECORD_FEEDBACK",
    /// See who gave feedback and what they wrote, and work its follow-up.
    WorkFollowUp = "WORK_FOLLOW_UP",
    /// Say who works a follow-up, and until when.
    AssignFollowUp = "ASSIGN_FOLLOW_UP",
    /// Erase who gave feedback and what they wrote.
    EraseRespondent = "ERASE_RESPONDENT",
    /// Keep improvements.
    KeepImprovements = "KEEP_IMPROVEMENTS",
    /// Dismiss a finding, or take that back.
    DismissFinding = "DISMISS_FINDING",
    /// Dismiss a finding of severity ERROR, or take that back.
    DismissError = "DISMISS_ERROR",
    /// Pull flat KPI rows.
    PullFlatRows = "PULL_FLAT_ROWS",
    /// Ask what archiving or merging a department, or taking away one of its people, would change.
    WhatIf = "WHAT_IF",
    /// Keep the members of a department who are not its leads.
    KeepMembers = "KEEP_MEMBERS",
    /// Keep accounts, departments, leads and successors, and service tokens.
    KeepOrganisation = "KEEP_ORGANISATION",
    /// Change one's own password, read and end one's own sessions.
    KeepOwnSignIn = "KEEP_OWN_SIGN_IN",
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
pub enum Role {
    Member,
    Viewer,
    Contributor,
    Lead,
    Analyst,
    Auditor,
    CxManager,
    Admin,
}

impl Role {
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
pub enum Cell {
    No,
    /// No, whatever the account's other roles say: AUDITOR, ANALYST and ADMIN read no customer's words.
    Never,
    Yes,
    /// Yes, where the department in which the role is held stands in one of these relations to the thing.
    Where(&'static [Relation]),
    /// Yes, where it was granted to the account by name.
    Granted,
}

/// The row of an action, in the order of [`Role::ALL`].
#[must_use]
#[rustfmt::skip]
pub const fn row(action: Action) -> [Cell; 8] {
    use Action as A;
    use Cell::{Granted, Never, No, Yes};
    const PART: Cell = Cell::Where(&[Relation::Participates]);
    const DELI: Cell = Cell::Where(&[Relation::Delivers]);
    const DE_OW: Cell = Cell::Where(&[Relation::Delivers, Relation::OwnsBlueprint]);
    const OWNS: Cell = Cell::Where(&[Relation::OwnsBlueprint]);
    const KPI: Cell = Cell::Where(&[Relation::OwnsKpi]);
    const IMPRO: Cell = Cell::Where(&[Relation::OwnsImprovement]);
    const AFTER: Cell = Cell::Where(&[Relation::LooksAfter]);
    const HOLDS: Cell = Cell::Where(&[Relation::Holds]);
    const PROPO: Cell = Cell::Where(&[Relation::Proposes]);
    const ACCEP: Cell = Cell::Where(&[Relation::MayAccept]);
    const DECLI: Cell = Cell::Where(&[Relation::MayDecline]);
    const END: Cell = Cell::Where(&[Relation::MayEnd]);
    const OWN: Cell = Cell::Where(&[Relation::IsIt]);
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
        A::EraseRespondent        => [No,   No,    No,    No,    No,      No,    Yes,  No ],
        A::KeepImprovements       => [No,   No,    No,    IMPRO, No,      No,    Yes,  No ],
        A::DismissFinding         => [No,   No,    No,    OWNS,  No,      No,    Yes,  No ],
        A::DismissError           => [No,   No,    No,    No,    No,      No,    Yes,  No ],
        A::PullFlatRows           => [No,   No,    No,    OWN,   Yes,     Yes,   Yes,  No ],
        A::WhatIf                 => [No,   No,    No,    OWN,   No,      No,    Yes,  Yes],
        A::KeepMembers            => [No,   No,    No,    OWN,   No,      No,    No,   Yes],
        A::KeepOrganisation       => [No,   No,    No,    No,    No,      No,    No,   Yes],
        A::KeepOwnSignIn          => [Yes,  Yes,   Yes,   Yes,   Yes,     Yes,   Yes,  Yes],
        A::ReadAudit              => [No,   No,    No,    OWN,   No,      Yes,   No,   Yes],
    }
}
