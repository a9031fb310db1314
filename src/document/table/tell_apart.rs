//! Tells the things of a table apart whose rows give no key, from one another and from what is kept. The same table meets
//! its own things again, as their names are the same; nothing with another name is taken for one.

use super::{
    made_key::{ChosenKey, KeptThing, KeptThings, TakenKey},
    read::{NamedPhase, TouchpointTable, add_to_phase},
};
use crate::{
    document::catalogue::fold_key, error::UserErrorCode, input::Faults, text::quote_for_message,
};

impl TouchpointTable {
    /// Whether a row gives no key of its touchpoint or phase.
    pub(super) fn has_made_keys(&self) -> bool {
        let phases = self.row_phases.iter().flatten();
        self.made.iter().any(Option::is_some)
            || phases.into_iter().any(|phase| phase.made.is_some())
    }

    /// Gives touchpoints and phases without a key one that is nothing else's; a fault for each row that names a
    /// touchpoint a second time, and for what rows say of one phase and contradicts.
    pub(super) fn tell_apart(&mut self, kept: &KeptThings, faults: &mut Faults) {
        self.tell_phases_apart(&kept.phases, faults);
        self.tell_touchpoints_apart(&kept.touchpoints, faults);
    }

    fn tell_touchpoints_apart(&mut self, kept: &[KeptThing], faults: &mut Faults) {
        // The given keys first: a made one gives way to them wherever they stand.
        let rows = 0..self.touchpoints.len();
        let (given, made): (Vec<usize>, Vec<usize>) = rows.partition(|at| self.made[*at].is_none());
        let (mut taken, mut row_of): (Vec<TakenKey>, Vec<usize>) = (Vec::new(), Vec::new());
        for at in given.into_iter().chain(made) {
            let key = match &self.made[at] {
                None => self.touchpoints[at].key.clone(),
                Some(made) => match made.choose(kept, &taken, false) {
                    ChosenKey::Own(key) => key,
                    ChosenKey::SameAs(other) => {
                        self.add_named_twice_fault(at, row_of[other], faults);
                        continue;
                    }
                },
            };
            let folded = fold_key(&key);
            if let Some(other) = taken.iter().position(|other| other.key == folded) {
                self.add_named_twice_fault(at, row_of[other], faults);
                continue;
            }
            let said = self.touchpoints[at].name.0.as_deref();
            let name = said.map(fold_key).or_else(|| kept_name(kept, &folded));
            taken.push(TakenKey { key: folded, name });
            row_of.push(at);
            self.touchpoints[at].key = key;
        }
        for (row, said) in self.row_of.iter().zip(&mut self.responsibilities) {
            said.touchpoint.clone_from(&self.touchpoints[*row].key);
        }
    }

    fn add_named_twice_fault(&self, one: usize, other: usize, faults: &mut Faults) {
        let (first, second) = (one.min(other), one.max(other));
        let message = format!(
            "The touchpoint {} is on line {} already.",
            quote_for_message(&self.touchpoints[second].key),
            self.rows[first].place.line
        );
        let place = self.columns.cell_ref(&self.rows[second], "key");
        place.add_fault(UserErrorCode::Duplicate, message, faults);
    }

    fn tell_phases_apart(&mut self, kept: &[KeptThing], faults: &mut Faults) {
        let mut phases: Vec<NamedPhase> = Vec::new();
        let mut phase_of: Vec<Option<usize>> = vec![None; self.row_phases.len()];
        let is_given =
            |said: &Option<NamedPhase>| said.as_ref().is_some_and(|said| said.made.is_none());
        let rows = 0..self.row_phases.len();
        let (given, made): (Vec<usize>, Vec<usize>) =
            rows.partition(|at| is_given(&self.row_phases[*at]));
        for at in given.into_iter().chain(made) {
            let Some(said) = self.row_phases[at].clone() else {
                continue;
            };
            let same = match &said.made {
                None => phases
                    .iter()
                    .position(|phase| fold_key(&phase.key) == fold_key(&said.key)),
                Some(made) => {
                    let taken: Vec<TakenKey> = phases
                        .iter()
                        .map(|phase| taken_phase(phase, kept))
                        .collect();
                    match made.choose(kept, &taken, true) {
                        ChosenKey::SameAs(other) => Some(other),
                        ChosenKey::Own(key) => {
                            phases.push(NamedPhase {
                                key,
                                ..said.clone()
                            });
                            phase_of[at] = Some(phases.len() - 1);
                            continue;
                        }
                    }
                }
            };
            let index = match same {
                Some(index) => {
                    add_to_phase(&mut phases[index], said, faults);
                    index
                }
                None => {
                    phases.push(said);
                    phases.len() - 1
                }
            };
            phase_of[at] = Some(index);
        }
        for (of, said) in phase_of.iter().zip(&mut self.touchpoints) {
            if let Some(index) = of {
                said.phase.0 = Some(phases[*index].key.clone());
            }
        }
        phases.sort_by_key(|phase| phase.row);
        self.phases = phases;
    }
}

fn taken_phase(phase: &NamedPhase, kept: &[KeptThing]) -> TakenKey {
    let key = fold_key(&phase.key);
    let said = phase.name.as_ref().map(|(name, _)| fold_key(name));
    let name = said.or_else(|| kept_name(kept, &key));
    TakenKey { key, name }
}

fn kept_name(kept: &[KeptThing], key: &str) -> Option<String> {
    let thing = kept.iter().find(|thing| fold_key(&thing.key) == key);
    thing.map(|thing| fold_key(&thing.name))
}
