//! The report of an import or a comparison: the changes between two documents of a blueprint, field by field, with one
//! change for each handover.

use std::collections::BTreeMap;

use entity::words::{ResponsibilityStatus, Role};

use super::{
    blueprint::{Document, ResponsibilityPart},
    diff::{ChangeKind, DocumentChange},
    part::DocumentPart,
};

/// The changes from one document to another. Where the accountable department of a touchpoint changes, one
/// `HandedOver` replaces the removal of the one and the addition of the other.
#[must_use]
pub fn changes_between(before: &Document, after: &Document) -> Vec<DocumentChange> {
    let mut changes = before.diff(after);
    fn holders(document: &Document) -> BTreeMap<String, &ResponsibilityPart> {
        let accountable = document.responsibilities.iter().filter(|held| {
            held.role == Role::Accountable && held.status == ResponsibilityStatus::Accepted
        });
        accountable
            .map(|held| (held.touchpoint.to_lowercase(), held))
            .collect()
    }
    let now = holders(after);
    for (touchpoint, old) in holders(before) {
        let Some(new) = now.get(&touchpoint) else {
            continue;
        };
        if !old.department.eq_ignore_ascii_case(&new.department) {
            merge_hand_over(&mut changes, old, new);
        }
    }
    changes
}

/// The changes that make a new blueprint: itself, then each of its parts.
#[must_use]
pub fn creation_changes(after: &Document) -> Vec<DocumentChange> {
    let mut changes = vec![DocumentChange {
        kind: ChangeKind::Added,
        part: "blueprint",
        identity: after.key.clone(),
        field: None,
        before: None,
        after: Some(after.title.clone().into()),
    }];
    changes.extend(after.without_parts().diff(after));
    changes
}

/// Replaces the changes that end one accountable department and begin another by one `HandedOver`.
fn merge_hand_over(
    changes: &mut Vec<DocumentChange>,
    old: &ResponsibilityPart,
    new: &ResponsibilityPart,
) {
    let (ended, begun) = (old.identity(), new.identity());
    // Where the new department was added: the report stays in the order of the document.
    let place = changes
        .iter()
        .position(|change| change.part == ResponsibilityPart::NOUN && change.identity == begun);
    changes.retain(|change| {
        change.part != ResponsibilityPart::NOUN
            || !(change.identity == begun
                || change.identity == ended && change.kind == ChangeKind::Removed)
    });
    let change = DocumentChange {
        kind: ChangeKind::HandedOver,
        part: "touchpoint",
        identity: new.touchpoint.clone(),
        field: Some("accountable".to_owned()),
        before: Some(old.department.clone().into()),
        after: Some(new.department.clone().into()),
    };
    changes.insert(place.unwrap_or(changes.len()).min(changes.len()), change);
}
