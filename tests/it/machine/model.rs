//! The handshake as people explain it: a model of who may take on what, with nothing in common with the program but the
//! words.

mod organisation;

use std::collections::BTreeSet;

/// A department, by its number.
pub type Dept = usize;
/// An account, by its number.
pub type Who = usize;

/// One act of somebody. What is not an account's to do, somebody else does meanwhile.
#[derive(Clone, Debug)]
pub struct Act {
    pub who: Who,
    pub what: Deed,
}

/// A department in a role at a touchpoint.
#[derive(Clone, Copy, Debug)]
pub struct Naming {
    pub to: Dept,
    pub role: Role,
    pub at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Accept,
    Decline,
    Withdraw,
    End,
    Confirm,
}

#[derive(Clone, Debug)]
pub enum Deed {
    /// Somebody proposes, in the name of a department.
    Propose(Naming, Option<Dept>),
    /// An answer to what is open, by its place there.
    Answer(Answer, usize),
    Archive(usize),
    Unarchive(usize),
    /// A document names a department; `back` names the touchpoint too, so that it comes back.
    Import {
        named: Naming,
        accepted: bool,
        back: bool,
    },
    /// A sheet names a department in a column, which may be complete.
    Sheet {
        named: Naming,
        accepted: bool,
        complete: bool,
    },
    /// A document or a sheet leaves a touchpoint out and prunes.
    Prune {
        at: usize,
        sheet: bool,
    },
    /// An administrator merges a department into another.
    Merge {
        from: Dept,
        into: Dept,
    },
    /// The one phase goes or comes back.
    Phase {
        away: bool,
    },
    /// The blueprint goes back to what it was when it was published.
    Restore,
    /// Days pass.
    Wait(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Accountable,
    Responsible,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Proposed,
    Accepted,
    Declined,
    Ended,
}

#[derive(Clone, Debug)]
pub struct Department {
    pub parent: Option<Dept>,
    /// Whom it was merged into.
    pub gone: Option<Dept>,
}

#[derive(Clone, Debug)]
pub struct Account {
    pub cx_manager: bool,
    pub leads: BTreeSet<Dept>,
}

#[derive(Clone, Debug)]
pub struct Row {
    pub at: usize,
    pub dept: Dept,
    pub role: Role,
    pub status: Status,
    by: Option<Who>,
    name: Option<Dept>,
    seat: Option<Dept>,
    replaces: Option<usize>,
    pub handed: bool,
    pub unasked: bool,
    /// The archiving that suspended it.
    suspended: Option<usize>,
}

/// What a yes does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Yes {
    Accepts,
    HandsOver,
}

#[derive(Clone, Debug)]
pub struct Model {
    pub departments: Vec<Department>,
    pub accounts: Vec<Account>,
    pub owner: Dept,
    /// For each touchpoint the archiving that put it away, and the day.
    pub steps: Vec<Option<(usize, i64)>>,
    pub rows: Vec<Row>,
    /// Whether the phase of all touchpoints is archived.
    pub phase_gone: bool,
    day: i64,
    archivings: usize,
    /// Whether the last act was allowed.
    pub done: bool,
}

/// What is refused changes nothing.
type Allowed = Option<()>;

fn only_if(allowed: bool) -> Allowed {
    allowed.then_some(())
}

impl Model {
    pub fn new(
        parents: &[Option<Dept>],
        accounts: Vec<Account>,
        owner: Dept,
        steps: usize,
    ) -> Self {
        let departments = parents.iter().map(|parent| Department {
            parent: *parent,
            gone: None,
        });
        Self {
            departments: departments.collect(),
            accounts,
            owner,
            steps: vec![None; steps],
            rows: Vec::new(),
            phase_gone: false,
            day: 0,
            archivings: 0,
            done: true,
        }
    }

    /// With departments that are accountable from the beginning.
    pub fn held_by(mut self, holders: &[Option<Dept>]) -> Self {
        for (at, holder) in holders.iter().enumerate() {
            self.rows.extend(holder.map(|dept| Row {
                at,
                dept,
                role: Role::Accountable,
                status: Status::Accepted,
                by: None,
                name: None,
                seat: None,
                replaces: None,
                handed: false,
                unasked: false,
                suspended: None,
            }));
        }
        self
    }

    /// Who may answer what, by its place among what is open.
    pub fn answerable(&self) -> Vec<(Who, usize)> {
        let open = self.open();
        let everybody = 0..self.accounts.len();
        let all = everybody.flat_map(|who| (0..open.len()).map(move |at| (who, at)));
        all.filter(|(who, at)| {
            self.rows[open[*at]].status == Status::Proposed
                && self.answers(open[*at], *who).is_some()
        })
        .collect()
    }

    /// Whoever may change the structure, with each touchpoint where something is in force: some of them strip a
    /// partner.
    pub fn archivable(&self) -> Vec<(Who, usize)> {
        self.shaped(|at| self.steps[at].is_none() && self.in_force(at))
    }

    /// Whoever may change the structure, with each touchpoint at which something was suspended.
    pub fn resumable(&self) -> Vec<(Who, usize)> {
        self.shaped(|at| {
            let archiving = self.steps[at].map(|(archiving, _)| archiving);
            let suspended = self.rows.iter().filter_map(|row| row.suspended);
            archiving.is_some() && suspended.map(Some).any(|it| it == archiving)
        })
    }

    fn in_force(&self, at: usize) -> bool {
        let mut rows = self.rows.iter();
        rows.any(|row| row.at == at && row.status == Status::Accepted)
    }

    fn shaped(&self, which: impl Fn(usize) -> bool) -> Vec<(Who, usize)> {
        let steps: Vec<usize> = (0..self.steps.len()).filter(|at| which(*at)).collect();
        let people = (0..self.accounts.len()).filter(|who| self.shapes(*who));
        people
            .flat_map(|who| steps.iter().map(move |at| (who, *at)))
            .collect()
    }

    /// What becomes of everything by an act.
    pub fn after(mut self, act: &Act) -> Self {
        let before = self.clone();
        match self.act(act) {
            Some(()) => Self { done: true, ..self },
            None => Self {
                done: false,
                ..before
            },
        }
    }

    /// What is open, in an order that the program can tell too.
    pub fn open(&self) -> Vec<usize> {
        let mut open: Vec<usize> = (0..self.rows.len())
            .filter(|row| self.is_open(*row))
            .collect();
        open.sort_by_key(|row| {
            let row = &self.rows[*row];
            (row.at, row.dept, row.role)
        });
        open
    }

    /// What somebody may answer now.
    pub fn waits_for(&self, who: Who) -> Vec<usize> {
        let mut open = self.open();
        open.retain(|row| {
            self.rows[*row].status == Status::Proposed && self.answers(*row, who).is_some()
        });
        open
    }

    fn is_open(&self, row: usize) -> bool {
        matches!(self.rows[row].status, Status::Proposed | Status::Accepted)
    }

    fn chosen(&self, row: usize) -> Option<usize> {
        let open = self.open();
        (!open.is_empty()).then(|| open[row % open.len()])
    }

    fn lives(&self, dept: Dept) -> bool {
        self.departments[dept].gone.is_none()
    }

    fn above(&self, dept: Dept) -> Vec<Dept> {
        let up = |at: &Dept| self.departments[*at].parent;
        std::iter::successors(Some(dept), up).collect()
    }

    fn covers(&self, high: Dept, low: Dept) -> bool {
        self.above(low).contains(&high)
    }

    fn seat(&self, who: Who, dept: Dept) -> Option<Dept> {
        let led = |at: &Dept| self.lives(*at) && self.accounts[who].leads.contains(at);
        self.above(dept).into_iter().find(led)
    }

    fn leads(&self, who: Who, dept: Dept) -> bool {
        self.lives(dept) && self.seat(who, dept).is_some()
    }

    /// From which seat somebody proposes: nobody's, where a CX manager is another party.
    fn proposing_seat(&self, who: Who, name: Option<Dept>, to: Dept) -> Option<Dept> {
        match self.accounts[who].cx_manager {
            true => self.seat(who, to),
            false => name.and_then(|name| self.seat(who, name)),
        }
    }

    fn two_parties(&self, one: Option<Dept>, other: Dept) -> bool {
        let Some(one) = one else { return true };
        if one == other {
            return false;
        }
        let higher = match (self.covers(one, other), self.covers(other, one)) {
            (true, _) => one,
            (_, true) => other,
            _ => return true,
        };
        self.covers(higher, self.owner)
    }

    fn holder(&self, at: usize) -> Option<usize> {
        (0..self.rows.len()).find(|row| {
            let row = &self.rows[*row];
            row.at == at && row.role == Role::Accountable && row.status == Status::Accepted
        })
    }

    fn found(&self, at: usize, dept: Dept, role: Role) -> Option<usize> {
        (0..self.rows.len()).find(|id| {
            let row = &self.rows[*id];
            self.is_open(*id) && (row.at, row.dept, row.role) == (at, dept, role)
        })
    }

    fn consented(&self, row: &Row) -> bool {
        row.seat.is_some_and(|seat| self.covers(seat, row.dept))
    }

    fn answers(&self, row: usize, who: Who) -> Option<Yes> {
        let row = &self.rows[row];
        only_if(row.by != Some(who))?;
        if self.accounts[who].cx_manager && self.seat(who, row.dept).is_none() {
            return Some(Yes::Accepts);
        }
        let holder = self.holder(row.at).map(|holder| self.rows[holder].dept);
        let uninvited = row.role == Role::Accountable && row.seat.is_some() && !row.handed;
        if let Some(holder) = holder.filter(|holder| uninvited && row.name != Some(*holder)) {
            let seat = self.seat(who, holder)?;
            let second = self.consented(row) && self.two_parties(row.seat, seat);
            return Some(if second { Yes::Accepts } else { Yes::HandsOver });
        }
        if !self.consented(row) {
            let seat = self.seat(who, row.dept)?;
            return self.two_parties(row.seat, seat).then_some(Yes::Accepts);
        }
        let other = holder.unwrap_or(self.owner);
        let as_other = other != row.dept
            && self
                .seat(who, other)
                .is_some_and(|seat| self.two_parties(row.seat, seat));
        let as_itself =
            self.seat(who, row.dept) == Some(row.dept) && self.two_parties(row.seat, row.dept);
        (as_other || as_itself).then_some(Yes::Accepts)
    }

    /// It is in force or open no more.
    fn close(&mut self, row: usize) {
        let row = &mut self.rows[row];
        row.status = match row.status {
            Status::Accepted => Status::Ended,
            _ => Status::Declined,
        };
    }

    /// A sheet names everybody in a role at a touchpoint: others go.
    fn leave_out_others(&mut self, who: Who, named: Naming) -> Allowed {
        for id in self.open() {
            let row = &self.rows[id];
            if row.at == named.at && row.role == named.role && row.dept != named.to {
                only_if(self.accounts[who].cx_manager)?;
                self.close(id);
            }
        }
        Some(())
    }

    /// Another becomes accountable at a touchpoint.
    fn make_way(&mut self, row: usize) {
        if self.rows[row].role != Role::Accountable {
            return;
        }
        for other in 0..self.rows.len() {
            let same = self.rows[other].at == self.rows[row].at
                && self.rows[other].role == Role::Accountable;
            if other != row && same && self.is_open(other) {
                self.close(other);
            }
        }
    }

    fn settle(&mut self, row: usize, unasked: bool) {
        self.make_way(row);
        self.rows[row].status = Status::Accepted;
        self.rows[row].unasked = unasked;
    }

    fn offer(&mut self, who: Who, name: Option<Dept>, named: Naming) -> usize {
        let Naming { to, role, at } = named;
        let replaces = self.holder(at).filter(|_| role == Role::Accountable);
        self.rows.push(Row {
            at,
            dept: to,
            role,
            status: Status::Proposed,
            by: Some(who),
            name,
            seat: self.proposing_seat(who, name, to),
            replaces,
            handed: false,
            unasked: false,
            suspended: None,
        });
        self.rows.len() - 1
    }

    fn shapes(&self, who: Who) -> bool {
        self.accounts[who].cx_manager || self.leads(who, self.owner)
    }

    fn act(&mut self, act: &Act) -> Allowed {
        let who = act.who;
        match act.what {
            Deed::Propose(named, name) => self.propose(who, name, named),
            Deed::Answer(answer, row) => {
                let row = self.chosen(row)?;
                self.answer(who, answer, row)
            }
            Deed::Archive(at) => {
                only_if(self.shapes(who))?;
                self.put_away(who, at)
            }
            Deed::Unarchive(at) => {
                only_if(self.shapes(who))?;
                only_if(!self.phase_gone || self.steps[at].is_none())?;
                self.bring_back(who, at);
                Some(())
            }
            Deed::Import {
                named,
                accepted,
                back,
            } => {
                only_if(self.shapes(who) && !(back && self.phase_gone))?;
                if back {
                    self.bring_back(who, named.at);
                }
                only_if(self.steps[named.at].is_none() && self.lives(named.to))?;
                self.name(who, named, accepted);
                Some(())
            }
            Deed::Sheet {
                named,
                accepted,
                complete,
            } => {
                only_if(self.shapes(who) && self.lives(named.to) && !self.phase_gone)?;
                self.bring_back(who, named.at);
                if complete {
                    self.leave_out_others(who, named)?;
                }
                self.name(who, named, accepted);
                Some(())
            }
            Deed::Prune { at, .. } => {
                only_if(self.shapes(who) && !self.phase_gone)?;
                for other in (0..self.steps.len()).filter(|other| *other != at) {
                    self.bring_back(who, other);
                }
                self.put_away(who, at)
            }
            Deed::Merge { from, into } => self.merge(from, into),
            Deed::Phase { away } => {
                only_if(self.shapes(who))?;
                only_if(!away || self.steps.iter().all(Option::is_some))?;
                self.phase_gone = away;
                Some(())
            }
            Deed::Restore => {
                only_if(self.accounts[who].cx_manager)?;
                self.phase_gone = false;
                for at in 0..self.steps.len() {
                    self.bring_back(who, at);
                }
                Some(())
            }
            Deed::Wait(days) => {
                self.day += days;
                Some(())
            }
        }
    }

    fn answer(&mut self, who: Who, answer: Answer, id: usize) -> Allowed {
        let row = self.rows[id].clone();
        let wanted = match answer {
            Answer::End | Answer::Confirm => Status::Accepted,
            Answer::Accept | Answer::Decline | Answer::Withdraw => Status::Proposed,
        };
        only_if(row.status == wanted)?;
        let cx_manager = self.accounts[who].cx_manager;
        match answer {
            Answer::Accept => {
                let yes = self.answers(id, who)?;
                only_if(row.role != Role::Accountable || row.replaces == self.holder(row.at))?;
                match yes {
                    Yes::Accepts => self.settle(id, false),
                    Yes::HandsOver => self.rows[id].handed = true,
                }
            }
            Answer::Decline => {
                self.answers(id, who)?;
                self.rows[id].status = Status::Declined;
            }
            Answer::Withdraw => {
                let own = row.name.is_some_and(|name| self.leads(who, name));
                only_if(own || cx_manager)?;
                self.rows[id].status = Status::Declined;
            }
            Answer::End => {
                let own = self.leads(who, row.dept) && row.role != Role::Accountable;
                only_if(own || cx_manager)?;
                self.rows[id].status = Status::Ended;
            }
            Answer::Confirm => {
                only_if(row.unasked && self.leads(who, row.dept))?;
                self.rows[id].unasked = false;
            }
        }
        Some(())
    }

    fn propose(&mut self, who: Who, name: Option<Dept>, named: Naming) -> Allowed {
        let Naming { to, role, at } = named;
        let leads: Vec<Dept> = self.accounts[who].leads.iter().copied().collect();
        let leads: Vec<Dept> = leads.into_iter().filter(|led| self.lives(*led)).collect();
        let cx_manager = self.accounts[who].cx_manager;
        let name = match name {
            None if !cx_manager => {
                only_if(leads.len() == 1)?;
                leads.first().copied()
            }
            name => name,
        };
        if let Some(name) = name {
            only_if(self.lives(name) && (cx_manager || self.leads(who, name)))?;
        }
        only_if(self.lives(to) && self.steps[at].is_none())?;
        only_if(self.found(at, to, role).is_none())?;
        let row = self.offer(who, name, named);
        let seat = self.rows[row].seat;
        let somebody = self
            .above(to)
            .into_iter()
            .any(|at| self.two_parties(seat, at));
        only_if(self.consented(&self.rows[row]) || somebody)
    }

    /// A file names a department.
    fn name(&mut self, who: Who, named: Naming, accepted: bool) {
        let Naming { to, role, at } = named;
        let settles = accepted && self.accounts[who].cx_manager && self.seat(who, to).is_none();
        if let Some(row) = self.found(at, to, role) {
            if self.rows[row].status == Status::Proposed && settles {
                let unasked = !self.consented(&self.rows[row]);
                self.settle(row, unasked);
            }
            return;
        }
        let name = Some(self.owner).filter(|owner| self.leads(who, *owner));
        let row = self.offer(who, name, named);
        if settles {
            self.settle(row, true);
        }
    }
}
