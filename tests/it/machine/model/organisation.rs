//! Touchpoints put away and brought back, and departments merged: what the model makes of them.

use super::*;

impl Model {
    pub(super) fn put_away(&mut self, who: Who, at: usize) -> Allowed {
        if self.steps[at].is_some() {
            return Some(());
        }
        if let Some(holder) = self.holder(at) {
            let own = self.leads(who, self.rows[holder].dept);
            only_if(own || self.accounts[who].cx_manager)?;
        }
        self.archivings += 1;
        self.steps[at] = Some((self.archivings, self.day));
        for id in self.open() {
            let row = &mut self.rows[id];
            if row.at != at {
                continue;
            }
            if row.status == Status::Accepted {
                row.suspended = Some(self.archivings);
            }
            self.close(id);
        }
        Some(())
    }

    pub(super) fn bring_back(&mut self, who: Who, at: usize) {
        let Some((archiving, day)) = self.steps[at].take() else {
            return;
        };
        for id in 0..self.rows.len() {
            let was = self.rows[id].clone();
            if was.suspended != Some(archiving) {
                continue;
            }
            let mut dept = was.dept;
            while let Some(successor) = self.departments[dept].gone {
                dept = successor;
            }
            let held = was.role == Role::Accountable && self.holder(at).is_some();
            if held || self.found(at, dept, was.role).is_some() {
                continue;
            }
            let name = Some(self.owner).filter(|owner| self.leads(who, *owner));
            let back = Naming {
                to: dept,
                role: was.role,
                at,
            };
            let row = self.offer(who, name, back);
            self.rows[row].replaces = None;
            if self.day - day < 30 && dept == was.dept {
                let (by, name, seat) = (was.by, was.name, was.seat);
                let row = &mut self.rows[row];
                (row.by, row.name, row.seat) = (by, name, seat);
                (row.status, row.unasked) = (Status::Accepted, was.unasked);
            }
        }
    }

    pub(super) fn merge(&mut self, from: Dept, into: Dept) -> Allowed {
        only_if(self.lives(from) && self.lives(into) && !self.covers(from, into))?;
        let held: Vec<usize> = self.open();
        let held: Vec<usize> = held
            .into_iter()
            .filter(|row| self.rows[*row].dept == from)
            .collect();
        let inherits = |dept: Dept| if dept == from { into } else { dept };
        for id in 0..self.rows.len() {
            let row = &mut self.rows[id];
            if row.status == Status::Proposed && row.dept != into && row.dept != from {
                row.name = row.name.map(inherits);
                row.seat = row.seat.map(inherits);
            }
        }
        for id in held {
            let row = self.rows[id].clone();
            let met = self.found(row.at, into, row.role);
            match (row.status, met) {
                (Status::Proposed, None) => {
                    let row = &mut self.rows[id];
                    row.dept = into;
                    row.name = row.name.map(inherits);
                    row.seat = row.seat.map(inherits);
                }
                (Status::Proposed, Some(_)) => self.rows[id].status = Status::Declined,
                (_, met) => self.take_over(id, met, into),
            }
        }
        if self.owner == from {
            self.owner = into;
        }
        for department in &mut self.departments {
            if department.parent == Some(from) {
                department.parent = Some(into);
            }
        }
        self.departments[from].gone = Some(into);
        Some(())
    }

    fn take_over(&mut self, id: usize, met: Option<usize>, into: Dept) {
        let row = self.rows[id].clone();
        self.rows[id].status = Status::Ended;
        if let Some(met) = met {
            if self.rows[met].status == Status::Accepted {
                return;
            }
            self.rows[met].status = Status::Declined;
        }
        self.rows.push(Row {
            dept: into,
            by: None,
            name: None,
            seat: None,
            replaces: None,
            handed: false,
            ..row
        });
        let now = self.rows.len() - 1;
        for rival in &mut self.rows {
            if rival.status == Status::Proposed && rival.replaces == Some(id) {
                rival.replaces = Some(now);
            }
        }
    }
}
