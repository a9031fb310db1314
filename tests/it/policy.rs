//! The access table: the code's against one written down by hand, and as a page to sign.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use cx_blueprint::policy::{
    self, AccountRole, AccountRoles, Action, CallerRoles, PolicyCell, Relation, RowTies,
    token::{self, TokenNarrowing},
};
use entity::{
    id::{AccountId, DepartmentId},
    words::{DepartmentRole, OrganisationRole, TokenScope},
};
use uuid::Uuid;

use crate::golden;

/// Transcribed by hand from the access table: `y` yes, `-` no, a word a relation.
const BY_HAND: &str = "
action                   member viewer contributor lead          analyst auditor cx_manager admin
READ_PUBLISHED           y      y      y           y             y       y       y          y
READ_RESTRICTED          -      part   part        part          y       y       y          y
READ_DRAFT               -      part   part        part          -       y       y          -
READ_CONFIDENTIAL        -      -      kpi         kpi           granted y       y          -
DESCRIBE_TOUCHPOINT      -      -      delivers    delivers+owns -       -       y          -
DESCRIBE_BLUEPRINT       -      -      -           owns          -       -       y          -
SHAPE_BLUEPRINT          -      -      -           owns          -       -       y          -
CREATE_BLUEPRINT         -      -      -           owns          -       -       y          -
GOVERN_BLUEPRINT         -      -      -           -             -       -       y          -
KEEP_CATALOGUE           -      -      -           -             -       -       y          -
IMPORT_DOCUMENT          -      -      -           owns          -       -       y          -
IMPORT_ACCEPTED          -      -      -           -             -       -       y          -
PROPOSE_RESPONSIBILITY   -      -      -           proposes      -       -       y          -
ACCEPT_RESPONSIBILITY    -      -      -           mayaccept     -       -       y          -
DECLINE_RESPONSIBILITY   -      -      -           maydecline    -       -       y          -
WITHDRAW_RESPONSIBILITY  -      -      -           proposes      -       -       y          -
END_RESPONSIBILITY       -      -      -           mayend        -       -       y          -
DESCRIBE_RESPONSIBILITY  -      -      -           holds         -       -       y          -
DEFINE_KPI               -      -      -           kpi           -       -       y          -
GOVERN_KPI               -      -      -           -             -       -       y          -
RECORD_MEASUREMENT       -      -      kpi         kpi           -       -       y          -
RECORD_FEEDBACK          -      -      delivers    delivers      -       -       y          -
WORK_FOLLOW_UP           -      -      looksafter  looksafter    never   never   y          never
ASSIGN_FOLLOW_UP         -      -      -           looksafter    never   never   y          never
HAND_OVER_FOLLOW_UP      -      -      -           -             -       -       y          -
ERASE_RESPONDENT         -      -      -           -             -       -       y          -
KEEP_IMPROVEMENTS        -      -      -           improves      -       -       y          -
DISMISS_FINDING          -      -      -           owns          -       -       y          -
DISMISS_ERROR            -      -      -           -             -       -       y          -
PULL_FLAT_ROWS           -      -      -           own           y       y       y          -
WHAT_IF                  -      -      -           own           -       -       y          y
KEEP_MEMBERS             -      -      -           own           -       -       -          y
KEEP_ORGANISATION        -      -      -           -             -       -       -          y
KEEP_OWN_SIGN_IN         y      y      y           y             y       y       y          y
READ_HISTORY             -      part   part        part          -       y       y          -
READ_AUDIT               -      -      -           own           -       y       -          y
";

/// Written down by hand: what each scope of a service token opens; everything else is opened by none.
const OPENED: &str = "
READ          READ_PUBLISHED READ_RESTRICTED READ_DRAFT READ_CONFIDENTIAL PULL_FLAT_ROWS WHAT_IF READ_HISTORY READ_AUDIT
BI            READ_PUBLISHED READ_RESTRICTED READ_CONFIDENTIAL PULL_FLAT_ROWS
MEASUREMENTS  READ_PUBLISHED READ_RESTRICTED RECORD_MEASUREMENT
FEEDBACK      READ_PUBLISHED READ_RESTRICTED RECORD_FEEDBACK
";

fn word(relation: Relation) -> &'static str {
    match relation {
        Relation::Participates => "part",
        Relation::OwnsBlueprint => "owns",
        Relation::Delivers => "delivers",
        Relation::OwnsKpi => "kpi",
        Relation::OwnsImprovement => "improves",
        Relation::LooksAfter => "looksafter",
        Relation::Holds => "holds",
        Relation::Proposes => "proposes",
        Relation::MayAccept => "mayaccept",
        Relation::MayDecline => "maydecline",
        Relation::MayEnd => "mayend",
        Relation::IsIt => "own",
    }
}

fn cell(cell: PolicyCell) -> String {
    match cell {
        PolicyCell::No => "-".to_owned(),
        PolicyCell::Never => "never".to_owned(),
        PolicyCell::Yes => "y".to_owned(),
        PolicyCell::Granted => "granted".to_owned(),
        PolicyCell::Where(relations) => relations
            .iter()
            .map(|relation| word(*relation))
            .collect::<Vec<_>>()
            .join("+"),
    }
}

#[test]
fn the_policy_is_the_access_table() {
    let mut by_hand: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in BY_HAND.trim().lines().skip(1) {
        let mut words = line.split_whitespace();
        by_hand.insert(words.next().expect("an action"), words.collect());
    }
    for action in Action::ALL {
        let said = by_hand
            .remove(action.as_str())
            .unwrap_or_else(|| panic!("{action:?} is not in the table"));
        let coded: Vec<String> = policy::policy_row(*action).into_iter().map(cell).collect();
        assert_eq!(coded, said, "{action:?}");
    }
    assert!(by_hand.is_empty(), "the table has more: {by_hand:?}");
}

fn somebody(role: AccountRole) -> CallerRoles {
    let organisation = match role {
        AccountRole::Analyst => OrganisationRole::Analyst,
        AccountRole::Auditor => OrganisationRole::Auditor,
        AccountRole::CxManager => OrganisationRole::CxManager,
        AccountRole::Admin => OrganisationRole::Admin,
        AccountRole::Member
        | AccountRole::Viewer
        | AccountRole::Contributor
        | AccountRole::Lead => OrganisationRole::Member,
    };
    let in_department = match role {
        AccountRole::Viewer => Some(DepartmentRole::Viewer),
        AccountRole::Contributor => Some(DepartmentRole::Contributor),
        AccountRole::Lead => Some(DepartmentRole::Lead),
        _ => None,
    };
    CallerRoles::Account(AccountRoles {
        account: me(),
        role: organisation,
        departments: in_department
            .into_iter()
            .map(|role| (role, BTreeSet::from([ours()])))
            .collect(),
        leads: if role == AccountRole::Lead {
            BTreeSet::from([ours()])
        } else {
            BTreeSet::new()
        },
        partner: false,
        token: None,
    })
}

fn me() -> AccountId {
    Uuid::from_u128(1).into()
}

fn ours() -> DepartmentId {
    Uuid::from_u128(2).into()
}

fn theirs() -> DepartmentId {
    Uuid::from_u128(3).into()
}

/// Every way in which a thing can be tied to us, and to nobody of ours.
fn ties() -> Vec<(String, RowTies)> {
    let others = |mut ties: RowTies| {
        for relation in Relation::ALL {
            ties = ties.with_departments(*relation, [theirs()]);
        }
        ties
    };
    let mut all = vec![("tied to others only".to_owned(), others(RowTies::none()))];
    for relation in Relation::ALL {
        all.push((
            format!("our department: {relation:?}"),
            others(RowTies::none()).with_departments(*relation, [ours()]),
        ));
    }
    let mut granted = others(RowTies::none());
    granted.granted.insert(me());
    all.push(("granted by name".to_owned(), granted));
    all
}

#[test]
fn every_role_action_and_relation_is_on_the_page() {
    let mut page = String::from(
        "Who may do what. A line for what everybody with the role may do, and one for each way in which their own\n\
         department is tied to the thing, where that changes anything. y: may, -: may not.\n",
    );
    let _ = writeln!(
        page,
        "\n{:<26}{:<34}{}",
        "ACTION",
        "THE THING IS",
        names().join(" ")
    );
    for action in Action::ALL {
        let line = |ties: &RowTies| -> String {
            let marks = AccountRole::ALL.iter().map(|role| {
                if policy::allows(&somebody(*role), *action, ties) {
                    "y"
                } else {
                    "-"
                }
            });
            let widths = names();
            marks
                .zip(&widths)
                .map(|(mark, name)| format!("{mark:<width$}", width = name.len()))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let all = ties();
        let otherwise = line(&all[0].1);
        let _ = writeln!(
            page,
            "{:<26}{:<34}{}",
            action.as_str(),
            all[0].0,
            otherwise.trim_end()
        );
        for (name, ties) in &all[1..] {
            let marks = line(ties);
            if marks != otherwise {
                let _ = writeln!(page, "{:<26}{:<34}{}", "", name, marks.trim_end());
            }
        }
    }
    page.push_str(
        "\nWhat a service token opens, by its scopes, of what its account may do. Limited to departments, it reaches what\n\
         these are tied to, as if only a LEAD of theirs asked.\n",
    );
    let scopes: Vec<&str> = TokenScope::ALL.iter().map(|scope| scope.as_str()).collect();
    let _ = writeln!(page, "\n{:<26}{}", "ACTION", scopes.join(" "));
    for action in Action::ALL {
        let marks = token::scopes_allowing_action(*action)
            .into_iter()
            .zip(&scopes);
        let marks = marks.map(|(opened, name)| {
            let mark = if opened { "y" } else { "-" };
            format!("{mark:<width$}", width = name.len())
        });
        let marks = marks.collect::<Vec<_>>().join(" ");
        let _ = writeln!(page, "{:<26}{}", action.as_str(), marks.trim_end());
    }
    golden::compare("tests/it/policy.txt", &page);
}

fn names() -> Vec<String> {
    AccountRole::ALL
        .iter()
        .map(|role| format!("{role:?}").to_uppercase())
        .collect()
}

#[test]
fn a_reach_covers_exactly_what_is_allowed() {
    for role in AccountRole::ALL {
        for action in Action::ALL {
            let reach = policy::reach(&somebody(*role), *action);
            for (name, ties) in ties() {
                assert_eq!(
                    reach.covers(&ties),
                    policy::allows(&somebody(*role), *action, &ties),
                    "{role:?} {action:?} {name}"
                );
            }
        }
    }
}

#[test]
fn a_reach_leads_through_no_relation_that_the_table_does_not_name() {
    for role in AccountRole::ALL {
        for action in Action::ALL {
            let mut standings = vec![somebody(*role)];
            if let CallerRoles::Account(mut account) = somebody(*role) {
                account.partner = true;
                standings.push(CallerRoles::Account(account));
            }
            for standing in standings {
                let reach = policy::reach(&standing, *action);
                let through: BTreeSet<Relation> = reach.through.into_keys().collect();
                assert!(
                    through.is_subset(&policy::possible_relations(*action)),
                    "{role:?} {action:?} leads through {through:?}"
                );
                assert!(reach.granted_to.is_none() || policy::reaches_grants_by_name(*action));
            }
        }
    }
}

/// Somebody whose service token speaks for them.
fn narrowed(
    role: AccountRole,
    scopes: &[TokenScope],
    departments: Option<&[DepartmentId]>,
) -> CallerRoles {
    let CallerRoles::Account(mut account) = somebody(role) else {
        unreachable!("an account")
    };
    account.token = Some(TokenNarrowing {
        scopes: scopes.iter().copied().collect(),
        departments: departments.map(|departments| departments.iter().copied().collect()),
    });
    CallerRoles::Account(account)
}

#[test]
fn scopes_open_what_is_written_down() {
    let mut by_hand: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in OPENED.trim().lines() {
        let mut words = line.split_whitespace();
        by_hand.insert(words.next().expect("a scope"), words.collect());
    }
    for scope in TokenScope::ALL {
        let opened = Action::ALL
            .iter()
            .filter(|action| token::scopes_allowing_action(**action)[*scope as usize]);
        let opened: BTreeSet<&str> = opened.map(|action| action.as_str()).collect();
        assert_eq!(by_hand.remove(scope.as_str()), Some(opened), "{scope:?}");
    }
    assert!(by_hand.is_empty(), "there are more: {by_hand:?}");
}

#[test]
fn a_token_opens_its_scopes_and_never_more_than_its_account_may() {
    for role in AccountRole::ALL {
        for action in Action::ALL {
            for (name, ties) in ties() {
                let whole = policy::allows(&somebody(*role), *action, &ties);
                for scope in TokenScope::ALL {
                    let opened = token::scopes_allowing_action(*action)[*scope as usize];
                    let what = format!("{role:?} {action:?} {scope:?} {name}");
                    let part = |departments: Option<&[DepartmentId]>| {
                        let token = narrowed(*role, &[*scope], departments);
                        policy::allows(&token, *action, &ties)
                    };
                    assert_eq!(part(None), whole && opened, "{what}");
                    assert!(!part(Some(&[ours()])) || part(None), "limited: {what}");
                    // What is not tied to ours at all is out of reach.
                    if name == "tied to others only" {
                        assert!(!part(Some(&[ours()])), "limited: {what}");
                    }
                    assert!(!part(Some(&[])), "limited to nothing: {what}");
                }
                let all = narrowed(*role, TokenScope::ALL, None);
                let any = token::scopes_allowing_action(*action).contains(&true);
                assert_eq!(policy::allows(&all, *action, &ties), whole && any);
            }
        }
    }
}

#[test]
fn a_token_limited_to_departments_reaches_what_is_tied_to_them_and_nothing_by_name() {
    let tied = |relation| RowTies::none().with_departments(relation, [ours()]);
    let ours = ours();
    let bi = |role| narrowed(role, &[TokenScope::Bi], Some(std::slice::from_ref(&ours)));
    for (role, action, ties, may) in [
        (
            AccountRole::Analyst,
            Action::PullFlatRows,
            tied(Relation::IsIt),
            true,
        ),
        (
            AccountRole::Analyst,
            Action::PullFlatRows,
            RowTies::none(),
            false,
        ),
        (
            AccountRole::Analyst,
            Action::ReadPublished,
            tied(Relation::Participates),
            true,
        ),
        (
            AccountRole::Analyst,
            Action::ReadPublished,
            tied(Relation::IsIt),
            false,
        ),
        (
            AccountRole::Auditor,
            Action::ReadConfidential,
            tied(Relation::OwnsKpi),
            true,
        ),
        (
            AccountRole::Lead,
            Action::PullFlatRows,
            tied(Relation::IsIt),
            true,
        ),
        (
            AccountRole::Viewer,
            Action::PullFlatRows,
            tied(Relation::IsIt),
            false,
        ),
        (
            AccountRole::CxManager,
            Action::ReadDraft,
            tied(Relation::Participates),
            false,
        ),
    ] {
        assert_eq!(
            policy::allows(&bi(role), action, &ties),
            may,
            "{role:?} {action:?}"
        );
    }
    let mut granted = tied(Relation::OwnsKpi);
    granted.granted.insert(me());
    assert!(!policy::allows(
        &bi(AccountRole::Analyst),
        Action::ReadConfidential,
        &granted
    ));
    let elsewhere = narrowed(AccountRole::Lead, &[TokenScope::Bi], Some(&[theirs()]));
    assert!(policy::reach(&elsewhere, Action::PullFlatRows).is_nothing());
}

#[test]
fn never_wins_over_what_a_department_would_give() {
    let CallerRoles::Account(mut admin) = somebody(AccountRole::Admin) else {
        unreachable!("an account")
    };
    let routed = RowTies::none().with_departments(Relation::LooksAfter, [ours()]);
    assert!(policy::allows(
        &somebody(AccountRole::Lead),
        Action::WorkFollowUp,
        &routed
    ));
    let leads = BTreeSet::from([ours()]);
    admin.departments.insert(DepartmentRole::Lead, leads);
    let admin = CallerRoles::Account(admin);
    assert!(!policy::allows(&admin, Action::WorkFollowUp, &routed));
    assert!(!policy::allows(&admin, Action::AssignFollowUp, &routed));
}

#[test]
fn the_operator_may_everything() {
    assert!(Action::ALL.iter().all(|action| policy::allows(
        &CallerRoles::Operator,
        *action,
        &RowTies::none()
    )));
}

#[test]
fn a_partner_reads_only_what_it_participates_in() {
    let CallerRoles::Account(mut partner) = somebody(AccountRole::Lead) else {
        unreachable!("an account")
    };
    partner.partner = true;
    let partner = CallerRoles::Account(partner);
    assert!(!policy::allows(
        &partner,
        Action::ReadPublished,
        &RowTies::none()
    ));
    assert!(policy::allows(
        &partner,
        Action::ReadPublished,
        &RowTies::none().with_departments(Relation::Participates, [ours()])
    ));
}

#[test]
fn a_refusal_names_who_may_and_the_permission() {
    let cases = [
        (
            Action::KeepCatalogue,
            "Only a CX manager may create, change and delete personas, segments, channels, templates, playbooks and routing rules \
             (KEEP_CATALOGUE).",
        ),
        (
            Action::RecordMeasurement,
            "Only a contributor or lead of the department that owns the KPI or a CX manager may record and correct \
             measurements (RECORD_MEASUREMENT).",
        ),
        (
            Action::PullFlatRows,
            "Only a lead of the department, an analyst, an auditor or a CX manager may read flat KPI rows for BI \
             (PULL_FLAT_ROWS).",
        ),
        (
            Action::KeepOwnSignIn,
            "Only a signed-in account may change one's own password, and read and end one's own sessions \
             (KEEP_OWN_SIGN_IN).",
        ),
    ];
    for (action, sentence) in cases {
        assert_eq!(policy::who_may_sentence(action), sentence);
    }
}

#[test]
fn every_action_has_a_sentence_that_reads_on() {
    for action in Action::ALL {
        let sentence = policy::who_may_sentence(*action);
        assert!(!sentence.contains("nobody"), "{sentence}");
        assert!(!sentence.contains("  "), "{sentence}");
        assert!(
            sentence.ends_with(&format!("({}).", action.as_str())),
            "{sentence}"
        );
    }
}

#[test]
fn a_token_is_told_its_scopes() {
    assert_eq!(
        policy::describe_token_needs(Action::RecordMeasurement),
        "A service token needs the scope MEASUREMENTS for it, and is bound to its departments."
    );
    assert_eq!(
        policy::describe_token_needs(Action::KeepCatalogue),
        "A service token never may."
    );
}
