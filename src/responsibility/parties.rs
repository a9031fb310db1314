//! Two consents, as pure rules: the seat from which a person acts, the seats that are one party, and who may answer a
//! proposal now. It knows no database and changes nothing.
//!
//! Nobody takes responsibility alone. The addressed department consents, and so does another party. Two seats are one
//! party where they are the same or one lies above the other. On a blueprint whose owner lies in the branch of the
//! higher seat (its own house), only the same seat is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entity::{
    id::{AccountId, DepartmentId},
    words::Role,
};

use crate::department::{ancestors_and_self, is_within};

/// Every department with the one that it is part of.
pub type Parents = HashMap<DepartmentId, Option<DepartmentId>>;

/// The accounts with a LEAD membership, by the department of the membership.
pub type LeadsByDepartment = BTreeMap<DepartmentId, BTreeSet<AccountId>>;

/// The seat of somebody with these LEAD memberships in the name of a department: the nearest at or above it.
#[must_use]
pub fn find_nearest_led_department(
    leads: &BTreeSet<DepartmentId>,
    name: DepartmentId,
    parents: &Parents,
) -> Option<DepartmentId> {
    // `ancestors_and_self` begins with the department itself, so the nearest comes first.
    ancestors_and_self(parents, name).find(|at| leads.contains(at))
}

/// Who made a proposal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proposer {
    pub account: Option<AccountId>,
    /// The department in whose name it was made; none where a CX manager named none.
    pub on_behalf_of: Option<DepartmentId>,
    /// The seat from which it was made; none where a CX manager made it as another party.
    pub seat: Option<DepartmentId>,
}

/// Somebody who would act.
#[derive(Clone, Debug)]
pub struct ActingPerson {
    pub account: Option<AccountId>,
    pub cx_manager: bool,
    /// The departments of their LEAD memberships, those below left out.
    pub leads: BTreeSet<DepartmentId>,
}

impl ActingPerson {
    /// The proposer that the person is for a department, in the name of another.
    ///
    /// A CX manager is another party, unless a seat of theirs lies at or above the addressed department.
    #[must_use]
    pub fn proposer_for(
        &self,
        on_behalf_of: Option<DepartmentId>,
        addressed: DepartmentId,
        parents: &Parents,
    ) -> Proposer {
        let seat = if self.cx_manager {
            find_nearest_led_department(&self.leads, addressed, parents)
        } else {
            on_behalf_of
                .and_then(|department| {
                    find_nearest_led_department(&self.leads, department, parents)
                })
                .or(on_behalf_of)
        };
        Proposer {
            account: self.account,
            on_behalf_of,
            seat,
        }
    }

    /// Whether the person settles for a department without asking it: a CX manager without a seat at or above it.
    #[must_use]
    pub fn may_decide_without_asking(&self, department: DepartmentId, parents: &Parents) -> bool {
        self.cx_manager && find_nearest_led_department(&self.leads, department, parents).is_none()
    }
}

/// What the rules need to know of a proposal and of the touchpoint as it stands.
#[derive(Clone, Copy, Debug)]
pub struct Proposal {
    /// The department that would take the role.
    pub addressed: DepartmentId,
    pub role: Role,
    pub proposer: Proposer,
    /// The department that is accountable now.
    pub holder: Option<DepartmentId>,
    /// The department that owns the blueprint.
    pub owner: DepartmentId,
    /// The holder has said that it hands over.
    pub handed_over: bool,
}

/// What a yes does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentEffect {
    /// Both consents are there: the role is held from now on.
    Accepts,
    /// The holder agrees to hand over, and the proposal waits for the next to answer.
    HandsOver,
}

/// Why somebody may not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotAnswerReason {
    /// They made it, or are one party with who did.
    OneParty,
    /// Whoever is accountable answers first.
    HolderFirst,
    /// They are not asked.
    NotAsked,
}

/// A department in whose name a proposal may be answered.
#[derive(Clone, Copy, Debug)]
struct AnsweringDepartment {
    department: DepartmentId,
    /// Only a lead of the department itself answers, none from above.
    own_leads_only: bool,
}

impl Proposal {
    /// Whether the addressed department has consented by proposing.
    #[must_use]
    pub fn has_consented_by_proposing(&self, parents: &Parents) -> bool {
        let seat = self.proposer.seat;
        seat.is_some_and(|seat| is_within(parents, self.addressed, seat))
    }

    /// Whether it waits for whoever is accountable now: neither they nor a CX manager proposed, and they have not
    /// handed over.
    #[must_use]
    pub fn waits_for_accountable(&self) -> bool {
        self.role == Role::Accountable
            && !self.handed_over
            && self.proposer.seat.is_some()
            && self
                .holder
                .is_some_and(|holder| self.proposer.on_behalf_of != Some(holder))
    }

    /// Whether this seat and that of the proposer are one party: they are the same, or one lies below the other and the
    /// blueprint's owner does not lie below the higher one.
    fn is_same_party(&self, seat: DepartmentId, parents: &Parents) -> bool {
        let Some(proposing) = self.proposer.seat else {
            return false;
        };
        let higher = [(seat, proposing), (proposing, seat)]
            .into_iter()
            .find(|(low, high)| is_within(parents, *low, *high))
            .map(|(_, high)| high);
        seat == proposing || higher.is_some_and(|higher| !is_within(parents, self.owner, higher))
    }

    /// The departments in whose name it may be answered now.
    fn answering_departments(&self, parents: &Parents) -> Vec<AnsweringDepartment> {
        let leads_of = |department| AnsweringDepartment {
            department,
            own_leads_only: false,
        };
        match self.holder {
            Some(holder) if self.waits_for_accountable() => vec![leads_of(holder)],
            _ if self.has_consented_by_proposing(parents) => {
                let own = AnsweringDepartment {
                    department: self.addressed,
                    own_leads_only: true,
                };
                // The department consents once: whoever leads it from above does not answer itself for it.
                let other = Some(self.holder.unwrap_or(self.owner));
                // The addressed department cannot be the other party to its own consent.
                let other = other.filter(|other| *other != self.addressed);
                other.map(leads_of).into_iter().chain([own]).collect()
            }
            _ => vec![leads_of(self.addressed)],
        }
    }

    /// What a yes from this seat in this name does; nothing where it may not be given.
    fn consent_effect_from_seat(
        &self,
        answering: AnsweringDepartment,
        seat: DepartmentId,
        parents: &Parents,
    ) -> Option<ConsentEffect> {
        let another = !self.is_same_party(seat, parents)
            && (!answering.own_leads_only || seat == answering.department);
        if !self.waits_for_accountable() {
            return another.then_some(ConsentEffect::Accepts);
        }
        // To hand over what is one's own is no second consent: it may be given by whoever leads the holder.
        match another && self.has_consented_by_proposing(parents) {
            true => Some(ConsentEffect::Accepts),
            false => Some(ConsentEffect::HandsOver),
        }
    }

    /// What a yes of this person does, and the seat that it is given from; a CX manager without a seat at or above
    /// the addressed department needs none. Who may say yes may say no.
    ///
    /// # Errors
    /// Why the person may not answer it now.
    pub fn determine_consent_effect(
        &self,
        by: &ActingPerson,
        parents: &Parents,
    ) -> Result<(ConsentEffect, Option<DepartmentId>), CannotAnswerReason> {
        // The operator has no account: two acts of the command line are not the same person's for that.
        if by.account.is_some() && by.account == self.proposer.account {
            return Err(CannotAnswerReason::OneParty);
        }
        if by.may_decide_without_asking(self.addressed, parents) {
            return Ok((ConsentEffect::Accepts, None));
        }
        let seated = self
            .answering_departments(parents)
            .into_iter()
            .filter_map(|answering| {
                let seat = find_nearest_led_department(&by.leads, answering.department, parents)?;
                Some((
                    self.consent_effect_from_seat(answering, seat, parents),
                    seat,
                ))
            });
        let seated: Vec<_> = seated.collect();
        let may = seated
            .iter()
            .find_map(|(yes, seat)| yes.map(|yes| (yes, Some(*seat))));
        may.ok_or_else(|| self.cannot_answer_reason(by, !seated.is_empty(), parents))
    }

    fn cannot_answer_reason(
        &self,
        by: &ActingPerson,
        named: bool,
        parents: &Parents,
    ) -> CannotAnswerReason {
        let addressed = find_nearest_led_department(&by.leads, self.addressed, parents).is_some();
        if self.waits_for_accountable() && addressed && !self.has_consented_by_proposing(parents) {
            CannotAnswerReason::HolderFirst
        } else if named || addressed {
            CannotAnswerReason::OneParty
        } else {
            CannotAnswerReason::NotAsked
        }
    }

    /// The seats from which it may be answered now, the nearest for each name; leads of departments above them may
    /// answer too where they are another party. CX managers may besides.
    #[must_use]
    pub fn nearest_answering_departments(&self, parents: &Parents) -> BTreeSet<DepartmentId> {
        let nearest = |answering: AnsweringDepartment| {
            ancestors_and_self(parents, answering.department).find(|seat| {
                self.consent_effect_from_seat(answering, *seat, parents)
                    .is_some()
            })
        };
        let answering = self.answering_departments(parents).into_iter();
        answering.filter_map(nearest).collect()
    }

    /// Whether there is a lead who may answer it now.
    #[must_use]
    pub fn has_answering_lead(&self, leads: &LeadsByDepartment, parents: &Parents) -> bool {
        self.answering_departments(parents)
            .into_iter()
            .any(|answering| {
                // Who leads a nearer department answers from there, and from nowhere above.
                let mut met: BTreeSet<AccountId> = self.proposer.account.into_iter().collect();
                ancestors_and_self(parents, answering.department).any(|seat| {
                    let here: Vec<AccountId> =
                        leads.get(&seat).into_iter().flatten().copied().collect();
                    let fresh = here.into_iter().filter(|lead| met.insert(*lead)).count();
                    fresh > 0
                        && self
                            .consent_effect_from_seat(answering, seat, parents)
                            .is_some()
                })
            })
    }

    /// Whether there is a seat from which it could ever be answered. Where there is none, the addressed department or
    /// one above it proposes itself.
    #[must_use]
    pub fn can_ever_be_answered(&self, parents: &Parents) -> bool {
        self.has_consented_by_proposing(parents)
            || ancestors_and_self(parents, self.addressed)
                .any(|seat| !self.is_same_party(seat, parents))
    }
}

#[cfg(test)]
mod tests;
