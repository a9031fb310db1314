//! Words of people, departments and programs: roles, kinds, what tokens are for, who did what.

use async_graphql::Enum;
use schemars::JsonSchema;
use sea_orm::{DeriveActiveEnum, EnumIter, sqlx};
use serde::{Deserialize, Serialize};

use super::StoredWord;
use crate::read::{self, FromCell, RawCell};

words! {
    /// The role of an account in the whole organisation. Each account has one; its permissions add to those of its
    /// roles in departments.
    OrganisationRole {
        /// Keeps accounts, departments and members. Reads what is published, not drafts.
        Admin = "ADMIN",
        /// Is responsible for all blueprints: shapes and publishes them, and settles what departments cannot.
        CxManager = "CX_MANAGER",
        /// Reads everything, the audit log included; changes nothing.
        Auditor = "AUDITOR",
        /// Reads what is published and pulls flat KPI rows; changes nothing.
        Analyst = "ANALYST",
        /// Reads what is published; anything more comes from memberships.
        Member = "MEMBER",
    }

    /// The role of an account in a department.
    DepartmentRole {
        /// Leads the department and all below it.
        Lead = "LEAD",
        /// Keeps the descriptions and values of what the department delivers up to date.
        Contributor = "CONTRIBUTOR",
        /// Reads the blueprints in which the department takes part.
        Viewer = "VIEWER",
    }

    /// A scope of a service token. It opens a part of what its account may do, never more.
    TokenScope {
        /// Reading all that the account may read, including the audit log and previews of consequences; changes
        /// nothing.
        Read = "READ",
        /// Reading flat KPI rows and the data behind them: published blueprints, KPIs and their values; no drafts, no
        /// audit log.
        Bi = "BI",
        /// Recording and correcting measurements; reads what is published, and no confidential value.
        Measurements = "MEASUREMENTS",
        /// Recording feedback; reads what is published, and no confidential value.
        Feedback = "FEEDBACK",
    }

    /// Whether a department is part of the organisation.
    DepartmentKind {
        /// Part of the organisation.
        Internal = "INTERNAL",
        /// Another company that delivers for us.
        Partner = "PARTNER",
    }

    /// Whether a journey is that of a customer or an employee.
    Subject {
        /// A customer's journey.
        Customer = "CUSTOMER",
        /// An employee's journey.
        Employee = "EMPLOYEE",
    }

    /// The kind of a channel.
    Medium {
        /// Face to face.
        Person = "PERSON",
        /// By telephone.
        Phone = "PHONE",
        /// A web page.
        Web = "WEB",
        /// An app.
        App = "APP",
        /// Electronic mail.
        Mail = "MAIL",
        /// Paper by post.
        Post = "POST",
        /// A social network.
        Social = "SOCIAL",
        /// An event.
        Event = "EVENT",
        /// Somebody else's place.
        Partner = "PARTNER",
        /// A questionnaire.
        Survey = "SURVEY",
        /// Between colleagues.
        Internal = "INTERNAL",
        /// Anything else.
        Other = "OTHER",
    }

    /// The kind of actor behind an audit event.
    ActorKind {
        /// A signed-in account.
        Account = "ACCOUNT",
        /// The command line on the server.
        Operator = "OPERATOR",
        /// Nobody known, as in a failed sign-in.
        Anonymous = "ANONYMOUS",
    }

    /// The outcome of an act.
    AuditOutcome {
        /// It was carried out.
        Done = "DONE",
        /// It was refused because a permission was missing.
        Refused = "REFUSED",
        /// A sign-in failed.
        Failed = "FAILED",
    }

    /// The kind of an object that can be found by its words.
    SearchKind {
        /// A blueprint, by its title.
        Blueprint = "BLUEPRINT",
        /// A phase, by its name and customer goal.
        Phase = "PHASE",
        /// A touchpoint, by its name, customer action, note, evidence and systems.
        Touchpoint = "TOUCHPOINT",
        /// A scenario, by its name and note.
        Scenario = "SCENARIO",
        /// An insight, by its text, its answer and its whys.
        Insight = "INSIGHT",
        /// A source, by its title and note.
        Source = "SOURCE",
        /// A promise, by its text.
        Promise = "PROMISE",
        /// An improvement, by its title, description and result.
        Improvement = "IMPROVEMENT",
        /// A persona, by its name, context and needs.
        Persona = "PERSONA",
        /// A department, by its name.
        Department = "DEPARTMENT",
        /// A KPI, by its name and description.
        Kpi = "KPI",
    }
}
