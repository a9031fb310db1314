//! The answer to a refusal: who may do it, read from the access table so that sentence and law cannot differ.

use entity::words::TokenScope;

use super::{
    table::{AccountRole, Action, PolicyCell, Relation, policy_row},
    token::scopes_allowing_action,
};

/// Roles to which the table gives an action on the same terms.
struct RoleGroup {
    nouns: Vec<&'static str>,
    cell: PolicyCell,
}

/// The sentence that answers a refused action: "Only a CX manager may erase … (ERASE_RESPONDENT)."
#[must_use]
pub fn who_may_sentence(action: Action) -> String {
    let who: Vec<String> = role_groups(action)
        .iter()
        .map(RoleGroup::describe)
        .collect();
    format!(
        "Only {} may {} ({}).",
        join_with_or(&who),
        verb_phrase(action),
        action.as_str()
    )
}

/// What a service token needs for an action, besides an account that may do it.
#[must_use]
pub fn describe_token_needs(action: Action) -> String {
    let opened = scopes_allowing_action(action);
    let opening: Vec<String> = TokenScope::ALL
        .iter()
        .filter(|scope| opened[**scope as usize])
        .map(|scope| scope.as_str().to_owned())
        .collect();
    if opening.is_empty() {
        return "A service token never may.".to_owned();
    }
    format!(
        "A service token needs the scope {} for it, and is bound to its departments.",
        join_with_or(&opening)
    )
}

/// Neighbouring columns with the same relations are named together; a role that may do nothing is left out.
fn role_groups(action: Action) -> Vec<RoleGroup> {
    let cells = policy_row(action);
    // Where every MEMBER may, the other roles may by being members too.
    if cells[AccountRole::Member as usize] == PolicyCell::Yes {
        return vec![RoleGroup::new(AccountRole::Member, PolicyCell::Yes)];
    }
    let mut groups: Vec<RoleGroup> = Vec::new();
    for (role, cell) in AccountRole::ALL.iter().zip(cells) {
        match (cell, groups.last_mut()) {
            (PolicyCell::No | PolicyCell::Never, _) => {}
            (PolicyCell::Where(_), Some(group)) if group.cell == cell => {
                group.nouns.push(role_noun(*role))
            }
            (cell, _) => groups.push(RoleGroup::new(*role, cell)),
        }
    }
    groups
}

impl RoleGroup {
    fn new(role: AccountRole, cell: PolicyCell) -> Self {
        Self {
            nouns: vec![role_noun(role)],
            cell,
        }
    }

    fn describe(&self) -> String {
        let nouns: Vec<String> = self.nouns.iter().map(|noun| (*noun).to_owned()).collect();
        let nouns = with_article(&join_with_or(&nouns));
        match self.cell {
            PolicyCell::Where(relations) => {
                let places: Vec<String> = relations
                    .iter()
                    .map(|relation| relation_noun(*relation).to_owned())
                    .collect();
                format!("{nouns} of {}", join_with_or(&places))
            }
            PolicyCell::Granted => format!("{nouns} with a grant"),
            PolicyCell::Yes | PolicyCell::No | PolicyCell::Never => nouns,
        }
    }
}

/// The action as it follows "may": its description without capital and full stop.
fn verb_phrase(action: Action) -> String {
    let sentence = action.describe().trim().trim_end_matches('.');
    let mut letters = sentence.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

const fn role_noun(role: AccountRole) -> &'static str {
    match role {
        AccountRole::Member => "signed-in account",
        AccountRole::Viewer => "viewer",
        AccountRole::Contributor => "contributor",
        AccountRole::Lead => "lead",
        AccountRole::Analyst => "analyst",
        AccountRole::Auditor => "auditor",
        AccountRole::CxManager => "CX manager",
        AccountRole::Admin => "admin",
    }
}

const fn relation_noun(relation: Relation) -> &'static str {
    match relation {
        Relation::Participates => "a department that takes part in the blueprint",
        Relation::OwnsBlueprint => "the department that owns the blueprint",
        Relation::Delivers => "a department that delivers the touchpoint",
        Relation::OwnsKpi => "the department that owns the KPI",
        Relation::OwnsImprovement => "the department that owns the improvement",
        Relation::LooksAfter => "the department that works the follow-up",
        Relation::Holds | Relation::MayEnd => "the department that holds the responsibility",
        Relation::Proposes => "the department that makes the proposal",
        Relation::MayAccept | Relation::MayDecline => "a department named by `awaits`",
        Relation::IsIt => "the department",
    }
}

fn with_article(nouns: &str) -> String {
    match nouns.starts_with(['a', 'e', 'i', 'o', 'u']) {
        true => format!("an {nouns}"),
        false => format!("a {nouns}"),
    }
}

/// "a", "a or b", "a, b or c".
fn join_with_or(items: &[String]) -> String {
    match items {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
