//! Applies the responsibilities of an import by their handshake. Naming a department that holds a role already, or is
//! offered it, changes nothing; a new name is proposed. What the document says is ACCEPTED is in force at once only
//! from a CX manager without a seat at or above the department: nobody takes responsibility alone.

use std::collections::HashSet;

use entity::{
    blueprint, department,
    id::{DepartmentId, ResponsibilityId},
    json::Texts,
    responsibility,
    words::ResponsibilityStatus,
};
use sea_orm::{EntityTrait, Set};

use super::{
    authority::ImportConsent,
    target::{CurrentBlueprint, WantedResponsibility, WantedRows},
};
use crate::{
    access::{Guarded, Permit, with_all_columns_set},
    department::load_parent_by_department,
    error::Result,
    id,
    policy::{Action, Relation, RowTies},
    responsibility::{
        answer::{
            caller_as_acting_person, end_accountable_and_rivals, find_accountable_responsibility,
            write_next_state,
        },
        lifecycle::{self, ActContext, Offer},
        parties::Parents,
        refuse_person_outside_department,
        waiting::build_proposal,
    },
};

/// The context of every handshake of one import.
struct HandshakeImport<'t> {
    blueprint: &'t blueprint::Model,
    authority: ImportConsent,
    parents: Parents,
    /// The department in whose name it proposes: the owner, where the caller leads it.
    on_behalf_of: Option<DepartmentId>,
    by: ActContext,
}

/// Applies the wanted responsibilities: whoever is not among them goes.
pub(super) async fn apply_responsibilities(
    permit: &mut Permit<'_>,
    before: Option<&CurrentBlueprint>,
    target: &WantedRows,
    authority: ImportConsent,
) -> Result<()> {
    let blueprint = &target.blueprint;
    let owner = blueprint.owner_department_id;
    let handshakes = HandshakeImport {
        blueprint,
        authority,
        // Read once for all: each of hundreds of handshakes asks the rules about the tree.
        parents: load_parent_by_department(permit.tx()).await?,
        on_behalf_of: Some(owner)
            .filter(|owner| permit.caller.led_departments_and_below().contains(owner)),
        by: permit.caller.into(),
    };
    let there = before.map_or(&[][..], |before| &before.snapshot.canvas.responsibilities);
    // First what goes: it makes room for whoever is named instead.
    handshakes
        .end_unwanted_responsibilities(permit, there, target)
        .await?;
    for wanted in &target.responsibilities {
        match &wanted.current {
            Some(current) => {
                handshakes
                    .update_tasks_and_person(permit, wanted, current)
                    .await?;
                handshakes
                    .accept_if_wanted(permit, wanted, current.id)
                    .await?;
            }
            None => handshakes.propose_or_put_in_force(permit, wanted).await?,
        }
    }
    Ok(())
}

impl HandshakeImport<'_> {
    /// Whether the caller may say for a department that it has accepted.
    fn may_accept_for(&self, permit: &Permit<'_>, department: DepartmentId) -> bool {
        let ties = self.owner_ties();
        self.authority != ImportConsent::Own
            || (permit.caller.may(Action::ImportAccepted, &ties)
                && caller_as_acting_person(permit.caller)
                    .may_decide_without_asking(department, &self.parents))
    }

    fn owner_ties(&self) -> RowTies {
        let owner = self.blueprint.owner_department_id;
        RowTies::none().with_departments(Relation::OwnsBlueprint, [owner])
    }

    async fn end_unwanted_responsibilities(
        &self,
        permit: &mut Permit<'_>,
        there: &[responsibility::Model],
        target: &WantedRows,
    ) -> Result<()> {
        let wanted = target.responsibilities.iter();
        let stay: HashSet<ResponsibilityId> = wanted
            .filter_map(|wanted| wanted.current.as_ref().map(|current| current.id))
            .collect();
        let ties = self.owner_ties();
        for row in there.iter().filter(|row| !stay.contains(&row.id)) {
            // Read again: archiving the touchpoint in this import may have suspended it.
            let still = responsibility::Entity::find_by_id(row.id)
                .one(permit.tx())
                .await?;
            if still.is_some_and(|still| still.status == row.status) {
                permit.require(Action::ImportAccepted, &ties, None)?;
                write_next_state(permit, row, lifecycle::end_or_withdraw(row, self.by)?).await?;
            }
        }
        Ok(())
    }

    /// Updates tasks and person, where they differ.
    async fn update_tasks_and_person(
        &self,
        permit: &mut Permit<'_>,
        wanted: &WantedResponsibility,
        current: &responsibility::Model,
    ) -> Result<()> {
        if current.tasks.0 == wanted.tasks && current.person_id == wanted.person {
            return Ok(());
        }
        let ties = responsibility::Entity::load_ties(permit.tx(), current).await?;
        permit.require_permission_on_row::<responsibility::Entity>(
            Action::DescribeResponsibility,
            &ties,
            current,
        )?;
        if current.person_id != wanted.person {
            self.refuse_person_outside_department(permit, wanted)
                .await?;
        }
        let change = responsibility::ActiveModel {
            tasks: Set(Texts(wanted.tasks.clone())),
            person_id: Set(wanted.person),
            ..Default::default()
        };
        permit.show_audit_to_leads_of(current.department_id);
        permit
            .update::<responsibility::Entity>(current, change)
            .await?;
        Ok(())
    }

    /// Accepts an open proposal, where the document says ACCEPTED and the caller settles for the department.
    async fn accept_if_wanted(
        &self,
        permit: &mut Permit<'_>,
        wanted: &WantedResponsibility,
        id: ResponsibilityId,
    ) -> Result<()> {
        if !(wanted.accepted && self.may_accept_for(permit, wanted.department)) {
            return Ok(());
        }
        let row = responsibility::Entity::find_by_id(id)
            .one(permit.tx())
            .await?;
        let Some(row) = row.filter(|row| row.status == ResponsibilityStatus::Proposed) else {
            return Ok(());
        };
        let asked = build_proposal(&row, None, self.blueprint.owner_department_id);
        // With the other consent it is a plain acceptance; without it the department is put in charge unasked, which
        // its leads are shown until they confirm or end it.
        let accepted = if asked.has_consented_by_proposing(&self.parents) {
            lifecycle::accept(&row, self.by)?
        } else {
            lifecycle::accept_unasked(&row, self.by)?
        };
        // Before it is written: a touchpoint has one accountable department, which a unique index holds.
        end_accountable_and_rivals(permit, &accepted).await?;
        write_next_state(permit, &row, accepted).await?;
        Ok(())
    }

    /// Makes a new responsibility: a proposal, or in force at once where the caller settles for the department.
    async fn propose_or_put_in_force(
        &self,
        permit: &mut Permit<'_>,
        wanted: &WantedResponsibility,
    ) -> Result<()> {
        permit.show_audit_to_leads_of(wanted.department);
        permit
            .read_unarchived_row::<department::Entity>(
                &format!("{}.department", wanted.path),
                wanted.department,
            )
            .await?;
        self.refuse_person_outside_department(permit, wanted)
            .await?;
        let offer = Offer {
            id: id::new(),
            blueprint: self.blueprint.id,
            touchpoint: wanted.touchpoint,
            department: wanted.department,
            role: wanted.role,
            tasks: wanted.tasks.clone(),
            person: wanted.person,
            note: None,
        };
        let proposer = caller_as_acting_person(permit.caller).proposer_for(
            self.on_behalf_of,
            wanted.department,
            &self.parents,
        );
        // Read for each, as an earlier one of this import may just have become accountable.
        let holder = find_accountable_responsibility(permit, wanted.touchpoint).await?;
        let replaces = holder.map(|holder| holder.id);
        let mut row = lifecycle::propose(offer, proposer, replaces, self.by);
        if wanted.accepted && self.may_accept_for(permit, wanted.department) {
            row = match self.authority {
                // Nobody asked the department; a copy or a restored state was agreed at its origin.
                ImportConsent::Own => lifecycle::accept_unasked(&row, self.by)?,
                ImportConsent::Agreed(_) => lifecycle::accept(&row, self.by)?,
            };
            end_accountable_and_rivals(permit, &row).await?;
        }
        permit
            .insert::<responsibility::Entity>(with_all_columns_set::<responsibility::Entity>(row))
            .await?;
        Ok(())
    }

    /// Refuses a person who is not one of the department's own. What a copy brings along was checked at its origin.
    async fn refuse_person_outside_department(
        &self,
        permit: &Permit<'_>,
        wanted: &WantedResponsibility,
    ) -> Result<()> {
        match wanted.person {
            Some(person) if self.authority == ImportConsent::Own => {
                let field = format!("{}.person", wanted.path);
                let who = (wanted.department, person);
                refuse_person_outside_department(permit, &field, who, &self.parents).await
            }
            _ => Ok(()),
        }
    }
}
